"""How far long work is, in one line of a terminal that is written over."""

import sys
import time
from types import TracebackType
from typing import Final, Self

import click

_EVERY_S: Final = 0.1


class Progress:
    """A line on standard error while a block goes on; nothing where that is no terminal.

    Args:
        verb: What is being done, such as ``copying``.
        unit: What is counted, in the singular.
    """

    def __init__(self, verb: str, unit: str) -> None:
        self.verb = verb
        self._unit = unit
        self._shown_at = 0.0
        self._is_terminal = sys.stderr.isatty()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._shown_at:
            click.echo("\r\x1b[K", nl=False, err=True)

    def at(self, count: int, total: int | None) -> None:
        """Show how many are done, of how many if that is known."""
        now = time.monotonic()
        if not self._is_terminal or now - self._shown_at < _EVERY_S:
            return
        self._shown_at = now
        of = "" if total is None else f" of {total}"
        unit = self._unit if (total or count) == 1 else f"{self._unit}s"
        click.echo(f"\r\x1b[Kheadway: {self.verb}: {count}{of} {unit}", nl=False, err=True)
