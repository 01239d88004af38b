"""Members that the matched API has and Headway has not, said where they are looked for."""

from abc import ABCMeta
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from headway.errors import UnsupportedError

_ROWS: Final[Mapping[str, str]] = {
    "AbstractDataset": "Dataset",
    "FileDatasetFactory": "Dataset",
    "TabularDatasetFactory": "Dataset",
}
"""Classes that the table of the API has under another name."""


class MissingMemberError(UnsupportedError, AttributeError):
    """A member of the matched API that Headway has no counterpart of. ``hasattr`` says no."""


class Telling(ABCMeta):
    """Classes that say, of a member that they have not, what to do instead."""

    if not TYPE_CHECKING:  # for which there are no more names than those written down

        def __getattr__(cls, name: str) -> object:
            raise _missing(cls, name) or AttributeError(
                f"type object {cls.__name__!r} has no attribute {name!r}", name=name, obj=cls
            )


class Tells(metaclass=Telling):
    """The same for objects."""

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> object:
            cls = type(self)
            if any(name in base.__dict__ for base in cls.__mro__):
                return object.__getattribute__(self, name)  # it raises its own error once more
            raise _missing(cls, name) or AttributeError(
                f"{cls.__name__!r} object has no attribute {name!r}", name=name, obj=self
            )


def _missing(cls: type, name: str) -> MissingMemberError | None:
    if name.startswith("_"):
        return None
    from headway.migration.table import ROWS, Support  # noqa: PLC0415  (seldom needed)

    for base in cls.__mro__:
        row = ROWS.get(f"{_ROWS.get(base.__name__, base.__name__)}.{name}")
        if row is not None and row.support is Support.NO:
            return MissingMemberError(f"{cls.__name__}.{name} is not there on Headway: {row.note}")
    return None
