"""What a process prints, copied while a run's block lasts."""

import os
import sys
import threading
from collections.abc import Callable
from typing import Final, Protocol

Sink = Callable[[str], object]


class _Stream(Protocol):
    write: Callable[[str], int]


class _Tap:
    """The copies made of one stream.

    The stream itself stays ``sys.stdout``; its ``write`` is replaced. So whoever asks it for its
    encoding, descriptor or terminal gets its answers, and whoever holds it, as loggers do, is
    copied too.
    """

    def __init__(self, stream: _Stream) -> None:
        self.stream = stream
        self.sinks: list[Sink] = []
        self._unique: tuple[Sink, ...] = ()
        self._write = stream.write

    def copy_to(self, sinks: list[Sink]) -> None:
        """Copy to these from now on, to each once however often it is named."""
        self.sinks = sinks
        self._unique = tuple(dict.fromkeys(sinks))

    def write(self, text: str, /) -> int:
        """Write to the stream, then to the copies."""
        written = self._write(text)
        for sink in self._unique:
            sink(text)
        return written


_taps: Final[dict[int, _Tap]] = {}
_lock = threading.Lock()


def copy_prints(sink: Sink) -> Callable[[], None]:
    """Give a sink all text that is written to ``sys.stdout`` and ``sys.stderr`` from now on.

    Several copies may be made at once, by any threads, and ended in any order. What programs
    started by this one print is not seen, nor what is written to descriptors directly.

    Args:
        sink: Called with each text. It must be quick and must not raise.

    Returns:
        What ends the copying; calling it again does nothing.
    """
    with _lock:
        streams: dict[int, object] = {id(s): s for s in (sys.stdout, sys.stderr) if s is not None}
        taps = [tap for stream in streams.values() if (tap := _tap(stream)) is not None]
        for tap in taps:
            tap.copy_to([*tap.sinks, sink])

    def end() -> None:
        with _lock:
            for tap in taps:
                _remove(tap, sink)
            taps.clear()

    return end


def _tap(stream: object) -> _Tap | None:
    """The tap of a stream, made now if it has none; None for one that cannot have one."""
    known = _taps.get(id(stream))
    if known is not None and getattr(stream, "write", None) == known.write:
        return known
    try:
        tap = _Tap(stream)  # pyright: ignore[reportArgumentType]  # it fails where it is none
        tap.stream.write = tap.write
    except (AttributeError, TypeError):
        return None
    _taps[id(stream)] = tap
    return tap


def _remove(tap: _Tap, sink: Sink) -> None:
    left = list(tap.sinks)
    if sink in left:  # not in a child made by fork
        left.remove(sink)
    tap.copy_to(left)
    # Where somebody has replaced `write` after us, it goes on to us, and we pass everything on.
    if not left and tap.stream.write == tap.write:
        del tap.stream.write
        if _taps.get(id(tap.stream)) is tap:
            del _taps[id(tap.stream)]


def _begin_anew() -> None:
    """A child made by fork prints for itself: nobody in it sends on what was copied."""
    global _lock
    _lock = threading.Lock()
    for tap in _taps.values():
        tap.copy_to([])


os.register_at_fork(after_in_child=_begin_anew)
