"""Logging points into a journal: the part of Headway that runs inside the training loop.

Logging a point is one record of 32 bytes written into a memory-mapped, preallocated file, without
a system call and without a lock. The pages are the kernel's when ``log`` returns: SIGKILL loses
nothing. ``headway.metrics.slots`` has the format, ``headway.metrics.drain`` the reading side.
"""

import os
import struct
import threading
import time
import weakref
import zlib
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Final, cast

from headway.checks import check_name
from headway.errors import InvalidValueError
from headway.metrics.forms import FORMS, learn
from headway.metrics.point_log import Pen, PointLog
from headway.metrics.scalars import to_cell, to_scalar, to_scalars, to_step
from headway.metrics.segment import FULL, SegmentHeader
from headway.metrics.slots import (
    FLOAT_BODY,
    HAS_STEP,
    INT_BODY,
    MAX_ID,
    MAX_INT,
    MIN_INT,
    PART_BODY,
    PART_BYTES,
    REFERENCE_BODY,
    SLOT,
    SLOT_BYTES,
    Kind,
)
from headway.metrics.tape import Tape, TapeClosedError, slots_bytes
from headway.model import Scalar, SeriesForm

_pack_slot_into: Final = SLOT.pack_into
_pack_part: Final = PART_BODY.pack
_pack_reference: Final = REFERENCE_BODY.pack
_crc32: Final = zlib.crc32
_PART: Final = int(Kind.PART)
_TEXT: Final = int(Kind.TEXT)


class JournalWriter(PointLog):
    """Logs the points of one run from this process. Any number of threads may log.

    ``log`` and its kin raise for misuse only. Points that cannot be written because storage fails
    are counted in ``lost``, with one warning; the count is also recorded in the journal as soon as
    there is space again. A child made by fork goes on with a journal of its own.

    Args:
        folder: Where the journals of the workspace are.
        run_id: The run.
        writer_id: The name of this journal, never used before.
        segment_bytes: Size of one file of the journal, allocated as a whole.
        max_text_bytes: Longest text value, in UTF-8.
        max_name_chars: Longest name of a metric or column.
        clock: Nanoseconds since the epoch.
        warn: Told once, in words for a person, that points are being lost or are not safe.

    Attributes:
        pen: What whoever logs here by ``PointLog`` writes with.
    """

    def __init__(
        self,
        folder: Path,
        run_id: str,
        writer_id: str,
        *,
        segment_bytes: int,
        max_text_bytes: int,
        max_name_chars: int,
        clock: Callable[[], int] = time.time_ns,
        warn: Callable[[str], None],
    ) -> None:
        self._folder = folder
        self._run_id = run_id
        self._slots_bytes = slots_bytes(segment_bytes)
        self._max_text_bytes = max_text_bytes
        self._max_name_chars = max_name_chars
        self._clock = clock
        self._warn = warn
        self._warned = False
        self._lost_before = 0
        self._renewing = threading.Lock()
        self.pen = self._pen = Pen(self._new_tape(writer_id, 0))
        with _registering:
            _journals.add(self)

    @property
    def _tape(self) -> Tape:
        return self.pen.tape

    @property
    def writer_id(self) -> str:
        """The name of the journal that is written now."""
        return self._tape.writer_id

    @property
    def written(self) -> int:
        """Bytes written to this journal so far, as offsets count them."""
        return self._tape.written

    @property
    def lost(self) -> int:
        """How many points this process could not keep."""
        return self._lost_before + self._tape.lost

    def log_metrics(self, metrics: Mapping[str, object], step: object = None) -> None:
        """Log one value of each of several metrics, at the same time and step.

        Raises:
            InvalidValueError: One of them is not accepted; nothing is logged then.
        """
        tape = self.pen.tape
        names, now = tape.names, tape.clock() // 1000
        at, flag = (0, 0) if step is None else (step, HAS_STEP)
        try:
            if at.__class__ is not int:
                raise TypeError
            bodies = [
                (form := FORMS[value.__class__])[0](names[name] | form[1] | flag, now, at, value)
                for name, value in metrics.items()
            ]
        except (KeyError, TypeError, struct.error):
            self._log_metrics_checked(metrics, step)
            return
        mapped, take = tape.slot
        for index, body in enumerate(bodies):
            try:
                _pack_slot_into(mapped, take(), _crc32(body), body)
            except FULL:
                try:
                    tape.put(body)
                except TapeClosedError:
                    self._log_metrics_checked(dict(islice(metrics.items(), index, None)), step)
                    return
                mapped, take = tape.slot

    def log_values(
        self, name: str, values: Iterable[object], form: SeriesForm = "list", column: str = ""
    ) -> None:
        """Log values in order, at the same time and without steps. No values make an empty series.

        Raises:
            InvalidValueError: The name or one of the values is not accepted; nothing is logged.
        """
        key = self._check_key(form, name, column)
        scalars = to_scalars(name, values, self._max_text_bytes)
        if scalars:
            self._write([(key, scalar) for scalar in scalars], None)
        else:
            self.define(name, column, form)

    def log_row(self, name: str, columns: Mapping[str, object], row: int) -> None:
        """Log one row of a table: one point a column, with the row as its step.

        Raises:
            InvalidValueError: A name or a value is not accepted; nothing is logged then.
        """
        if not columns:
            raise InvalidValueError(
                f"a row of table {name!r} was given without columns: give at least one"
            )
        at = to_step(name, row)
        points = [
            (
                self._check_key("table", name, column),
                to_cell(name, column, value, self._max_text_bytes),
            )
            for column, value in columns.items()
        ]
        self._write(points, at)

    def define(self, name: str, column: str = "", form: SeriesForm = "scalar") -> None:
        """Make a series, with no points if none follow.

        Raises:
            InvalidValueError: A name is not accepted.
        """
        key = self._check_key(form, name, column)
        while True:
            tape = self._tape
            try:
                self._head(tape, key)
            except TapeClosedError:
                self._renew(tape)
            else:
                return

    def settle(self) -> None:
        """See that readers can go on. To be called about once a second, before a drain."""
        tape = self._tape
        if tape.vanished:
            self._tell_of_loss(f"the file {tape.segment.path} was deleted")
            tape.lose(tape.segment.used // SLOT_BYTES)
            tape.close()
        else:
            tape.settle()

    def sync(self) -> None:
        """``settle``, and carry what was logged to the disk, where it is not drained at once."""
        self.settle()
        try:
            self._tape.sync()
        except OSError as error:
            self._tell(
                f"metric points of run {self._run_id} are written, but could not be carried to "
                f"the disk: {error}; a power cut may take them"
            )

    def recycle(self, writer_id: str, offset: int) -> None:
        """Use files again that the workspace has taken in.

        Args:
            writer_id: The journal that was taken in; another than this one is left alone.
            offset: How far.
        """
        tape = self._tape
        if tape.writer_id == writer_id:
            tape.recycle(offset)

    def close(self) -> None:
        """Carry the journal to the disk and end it. Logging again begins another one."""
        self.sync()
        self._tape.close()

    # ------------------------------------------------------------ names

    def _check_name(self, name: object) -> str:
        if isinstance(name, str) and name in self._tape.names:
            return name
        return check_name("metric name", name, self._max_name_chars)

    def _check_key(self, form: SeriesForm, name: object, column: object = "") -> "_Key":
        checked = self._check_name(name)
        if column == "":
            return (form, checked, "")
        return (form, checked, check_name("column name", column, self._max_name_chars))

    def _head(self, tape: Tape, key: "_Key") -> int | None:
        """The head of records of this series, which is defined now if it is new.

        Two threads may both define a series, with two ids: readers put them together.
        """
        form, name, column = key
        plain = form == "scalar" and not column
        head = tape.names.get(name) if plain else tape.columns.get(key)
        if head is not None:
            return head
        name_id = next(tape.name_ids)
        if name_id > MAX_ID:
            raise InvalidValueError(
                f"metric {name!r} would be number {name_id} of this run: log fewer distinct names"
            )
        head = name_id << 8
        reference = self._put_text(tape, "\n".join(key))
        if reference is None:
            return None
        if not tape.put(REFERENCE_BODY.pack(head | Kind.NAME, self._now(), 0, reference), 0):
            return None
        if plain:
            tape.names[name] = head
        else:
            tape.columns[key] = head
        return head

    # ------------------------------------------------------------ records

    def _now(self) -> int:
        return self._clock() // 1000

    def _open_pen(self) -> Pen:
        return self.pen

    def log_checked(self, name: object, value: object, step: object) -> None:
        """Log one value, whatever it is. ``log`` is the quick way."""
        if value.__class__ is str and self._log_text(name, cast("str", value), step):
            return
        key = self._check_key("scalar", name)
        scalar = to_scalar(name, value, self._max_text_bytes)
        learn(value, scalar)
        at = to_step(name, step)
        if (value is not scalar or step is not at) and key[1] in self.pen.tape.names:
            self.log(key[1], scalar, step=at)  # what a tensor holds is logged as quickly
        else:
            self._write([(key, scalar)], at)

    def _log_text(self, name: object, text: str, step: object) -> bool:
        """Log a text where nothing is in the way; False where it is to be done with more care.

        Parts that were written by then belong to a text that is never referred to.
        """
        tape = self.pen.tape
        mapped, take = tape.slot
        try:
            head, at = tape.names[cast("str", name)] | _TEXT, 0
            if step is not None:
                head, at = head | HAS_STEP, cast("int", step)
            data = text.encode()
            if at.__class__ is not int or len(data) > self._max_text_bytes:
                return False
            text_id = next(tape.text_ids) & MAX_ID
            for start in range(0, len(data), PART_BYTES):
                body = _pack_part(text_id << 8 | _PART, data[start : start + PART_BYTES])
                _pack_slot_into(mapped, take(), _crc32(body), body)
            reference = text_id | len(data) << 24
            body = _pack_reference(head, tape.clock() // 1000, at, reference)
            _pack_slot_into(mapped, take(), _crc32(body), body)
        except (KeyError, *FULL):
            return False
        return True

    def _log_metrics_checked(self, metrics: Mapping[str, object], step: object) -> None:
        at = to_step("of several", step)
        points: list[tuple[_Key, Scalar]] = []
        for name, value in metrics.items():
            key = self._check_key("scalar", name)
            scalar = to_scalar(name, value, self._max_text_bytes)
            learn(value, scalar)
            points.append((key, scalar))
        self._write(points, at)

    def _write(self, points: list[tuple["_Key", Scalar]], step: int | None) -> None:
        now = self._now()
        for key, value in points:
            while True:
                tape = self._tape
                try:
                    self._put(tape, key, value, step, now)
                except TapeClosedError:
                    self._renew(tape)
                else:
                    break

    def _put(self, tape: Tape, key: "_Key", value: Scalar, step: int | None, now: int) -> None:
        head = self._head(tape, key)
        body = None if head is None else self._body(tape, head, value, step, now)
        if body is None:
            tape.lose(1)
        else:
            tape.put(body)

    def _body(
        self, tape: Tape, head: int, value: Scalar, step: int | None, now: int
    ) -> bytes | None:
        """The record of a point, behind its text if it has one; None where that has no room."""
        at = 0
        if step is not None:
            head |= HAS_STEP
            at = step
        if isinstance(value, float):
            return FLOAT_BODY.pack(head | Kind.FLOAT, now, at, value)
        if isinstance(value, bool):
            return INT_BODY.pack(head | Kind.BOOL, now, at, value)
        if value is None:
            return INT_BODY.pack(head | Kind.NONE, now, at, 0)
        if isinstance(value, int) and MIN_INT <= value <= MAX_INT:
            return INT_BODY.pack(head | Kind.INT, now, at, value)
        kind, text = (Kind.TEXT, value) if isinstance(value, str) else (Kind.BIGINT, f"{value:x}")
        reference = self._put_text(tape, text)
        return None if reference is None else REFERENCE_BODY.pack(head | kind, now, at, reference)

    def _put_text(self, tape: Tape, text: str) -> int | None:
        data = text.encode()
        text_id = next(tape.text_ids) & MAX_ID
        head = text_id << 8 | Kind.PART
        for at in range(0, len(data), PART_BYTES):
            if not tape.put(PART_BODY.pack(head, data[at : at + PART_BYTES]), 0):
                return None
        return text_id | len(data) << 24

    # ------------------------------------------------------------ the life of the journal

    def _new_tape(self, writer_id: str, unreported: int) -> Tape:
        header = SegmentHeader(
            run_id=self._run_id,
            writer_id=writer_id,
            number=0,
            slots_bytes=self._slots_bytes,
            pid=os.getpid(),
            boot_id=_boot_id(),
            created_at=0,
        )
        return Tape(self._folder, header, self._clock, self._tell_of_loss, unreported)

    def _renew(self, seen: Tape) -> None:
        with self._renewing:
            if self.pen.tape is seen:
                self._lost_before += seen.lost - seen.unreported
                self.pen.tape = self._new_tape(_new_writer_id(), seen.unreported)

    def _tell_of_loss(self, error: object) -> None:
        self._tell(
            f"metric points of run {self._run_id} are being lost: {error}; the program goes on, "
            "the lost points are counted, and logging resumes when the folder "
            f"{self._folder} can be written"
        )

    def _tell(self, message: str) -> None:
        if not self._warned:
            self._warned = True
            self._warn(message)

    def hold_for_fork(self) -> Tape:
        """Let no segment be half opened while the process is copied."""
        tape = self._tape
        tape.hold()
        return tape

    def begin_in_child(self) -> None:
        """Drop what is the parent's and begin anew."""
        self._tape.abandon()  # also its descriptors: they would keep the parent's lock
        self._renewing = threading.Lock()
        self._lost_before = 0
        self.pen.tape = self._new_tape(_new_writer_id(), 0)


_Key = tuple[SeriesForm, str, str]
_journals: Final[weakref.WeakSet[JournalWriter]] = weakref.WeakSet()
_held: Final[list[tuple[JournalWriter, Tape]]] = []
_registering: Final = threading.RLock()
"""Held while a journal is added and while the process is copied."""


def _new_writer_id() -> str:
    return os.urandom(16).hex()


def _boot_id() -> str:
    try:
        # Bytes: to open it as text imports a codec, which a fork may find half done.
        return Path("/proc/sys/kernel/random/boot_id").read_bytes().decode("ascii").strip()
    except OSError:
        return ""


def _before_fork() -> None:
    _registering.acquire()
    _held.extend((journal, journal.hold_for_fork()) for journal in list(_journals))


def _after_fork_in_parent() -> None:
    for _, tape in _held:
        tape.let_go()
    _held.clear()
    _registering.release()


def _after_fork_in_child() -> None:
    for journal, tape in _held:
        tape.let_go()
        journal.begin_in_child()
    _held.clear()
    _registering.release()


os.register_at_fork(
    before=_before_fork,
    after_in_parent=_after_fork_in_parent,
    after_in_child=_after_fork_in_child,
)
