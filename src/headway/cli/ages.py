"""Ages given on the command line, such as ``30d``."""

import re
from typing import Final

import click

_AGE: Final = re.compile(r"\s*(\d{1,9}(?:\.\d{1,6})?)\s*([a-z]+)\s*")
_UNITS: Final = {
    "s": 1,
    "min": 60,
    "h": 3600,
    "d": 86400,
    "w": 7 * 86400,
}


class Age(click.ParamType[float]):
    """A span of time; seconds when it is read."""

    name = "AGE"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Read one, with its unit."""
        match = _AGE.fullmatch(str(value))
        if match is None or match[2] not in _UNITS:
            self.fail(f"{value!r} is no age: give a number and s, min, h, d or w, such as 30d")
        return float(match[1]) * _UNITS[match[2]]


def words(seconds: float) -> str:
    """An age as it is given: in the largest unit that fits."""
    fitting = [unit for unit, size in _UNITS.items() if seconds >= size and seconds % size == 0]
    unit = fitting[-1] if fitting else "s"
    return f"{seconds / _UNITS[unit]:g}{unit}"
