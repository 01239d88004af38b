"""The ``headway`` command: one file a command, each loaded when it is called."""

from headway.cli.program import main

__all__ = ["main"]
