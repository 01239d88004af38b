"""A run in a notebook: ``RunDetails(run).show()`` shows it, and follows it while it lives."""

from headway.widgets.run_details import RunDetails

__all__ = ["RunDetails"]
