"""How the values of a class become records, where their class alone decides that.

Tensors, decimals and the like are looked at one by one, by ``headway.metrics.scalars``.
"""

from collections.abc import Callable
from typing import Final

from headway.metrics.slots import FLOAT_BODY, INT_BODY, Kind
from headway.model import Scalar

Pack = Callable[..., bytes]
"""Makes the body of a record of its head, time, step and value."""


def _pack_none(head: int, time: int, step: int, _: object) -> bytes:
    return INT_BODY.pack(head, time, step, 0)


def _pack_truth(head: int, time: int, step: int, value: object) -> bytes:
    return INT_BODY.pack(head, time, step, bool(value))


FORMS: Final[dict[type, tuple[Pack, int]]] = {
    float: (FLOAT_BODY.pack, int(Kind.FLOAT)),
    int: (INT_BODY.pack, int(Kind.INT)),
    bool: (INT_BODY.pack, int(Kind.BOOL)),
    type(None): (_pack_none, int(Kind.NONE)),
}
"""By class: what packs a record, and its kind. ``struct.error`` says that a value has no room."""

_OF_NUMPY: Final = {
    "f": FORMS[float],  # struct takes them by __float__ and __index__, which lose nothing
    "i": FORMS[int],
    "u": FORMS[int],
    "b": (_pack_truth, int(Kind.BOOL)),
}


def learn(value: object, plain: Scalar) -> None:
    """Remember the class of a value that was looked at, if it is a number of NumPy.

    Classes are met as they come, so that NumPy is not imported for those who do not use it.

    Args:
        value: What was given.
        plain: What it was found to be.
    """
    cls = type(value)
    if isinstance(plain, str) or cls in FORMS or cls.__module__ != "numpy":
        return
    if any(base.__name__ == "generic" for base in cls.__mro__):
        kind: object = getattr(getattr(value, "dtype", None), "kind", None)
        form = _OF_NUMPY.get(kind) if isinstance(kind, str) else None
        if form is not None:
            FORMS[cls] = form
