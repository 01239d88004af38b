"""Warnings that point at the line of the user's that they are about."""

import inspect
import warnings
from typing import Final

_OURS: Final = ("headway", "azureml")


def warn(text: str) -> None:
    """Warn of something in the nearest line that is not Headway's own."""
    level, frame = 1, inspect.currentframe()
    while frame is not None and _is_ours(str(frame.f_globals.get("__name__", ""))):
        level, frame = level + 1, frame.f_back
    warnings.warn(text, stacklevel=level)


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] in _OURS
