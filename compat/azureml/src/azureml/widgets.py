"""A run's page in a notebook."""

from headway.widgets import RunDetails as RunDetails
