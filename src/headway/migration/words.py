"""The form in which the table is written down."""

from collections.abc import Mapping
from typing import Final

import msgspec

_NONE: Mapping[str, str] = {}
OWN: Final = "Headway's own, on top"
"""The note of members that the original did not have."""


class Known(msgspec.Struct, frozen=True):
    """One class of the API, and what becomes of its members."""

    name: str
    supported: str = ""
    """The members that work as they did, with spaces between."""
    better: Mapping[str, str] = _NONE
    """The members that work as they did where that was well, and better elsewhere: how."""
    partly: Mapping[str, str] = _NONE
    """The members that differ, and how."""
    unsupported: Mapping[str, str] = _NONE
    """The members that there are not, and what to do instead."""
    returns: Mapping[str, str] = _NONE
    """The class of what a member gives; ``*Run`` for many of them."""
    arguments: Mapping[str, str] = _NONE
    """Arguments of its constructor that are refused, and what to do instead."""
    ignored_arguments: Mapping[str, str] = _NONE
    """Arguments of its constructor that are taken and not used, or differ, and how."""
    called: str = ""
    """How a call of it differs; empty where it does not."""
    gives: str = ""
    """The class of what a call of it gives; empty for itself."""
    instead: str = ""
    """What to do where there is no such class at all."""
