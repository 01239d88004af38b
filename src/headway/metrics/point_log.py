"""The hot path of logging: one call, one record, no lock, no system call, nothing kept."""

import struct
import zlib
from abc import ABC, abstractmethod
from typing import Final

from headway.metrics.forms import FORMS
from headway.metrics.segment import FULL
from headway.metrics.slots import HAS_STEP, SLOT
from headway.metrics.tape import Tape, TapeClosedError

_crc32: Final = zlib.crc32
_pack_slot_into: Final = SLOT.pack_into


class Pen:
    """Where records go now. The journal that owns it puts another tape in when one has ended."""

    __slots__ = ("tape",)

    def __init__(self, tape: Tape) -> None:
        self.tape = tape


class PointLog(ABC):
    """Whatever points are logged to. ``Run`` inherits it: a call between costs a sixth of it."""

    _pen: Pen | None = None

    def log(self, name: str, value: object, description: str = "", step: int | None = None) -> None:
        """Log one value of a metric.

        Args:
            name: The metric.
            value: A number, a text, a truth value or None; of NumPy, PyTorch and the like as well.
            description: Accepted and not kept.
            step: The step, such as the epoch; None to count on from the last one.

        Raises:
            InvalidValueError: The name, the value or the step is not accepted, a list for one.
        """
        tape = (self._pen or self._open_pen()).tape
        try:
            pack, kind = FORMS[value.__class__]
            if step is None:
                body = pack(tape.names[name] | kind, tape.clock() // 1000, 0, value)
            elif step.__class__ is int:
                body = pack(tape.names[name] | kind | HAS_STEP, tape.clock() // 1000, step, value)
            else:
                raise TypeError
        except (KeyError, TypeError, struct.error):  # a new name, another type, misuse
            self.log_checked(name, value, step)
            return
        mapped, take = tape.slot
        try:
            _pack_slot_into(mapped, take(), _crc32(body), body)
        except FULL:
            try:
                tape.put(body)
            except TapeClosedError:
                self.log_checked(name, value, step)

    @abstractmethod
    def _open_pen(self) -> Pen:
        """The pen, where there was none yet."""

    @abstractmethod
    def log_checked(self, name: object, value: object, step: object) -> None:
        """Log what the hot path does not know, looked at closely."""
