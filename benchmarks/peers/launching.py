"""Starting and canceling a script as a run of a peer: standard library only, as it runs there."""

import os
import select
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

from benchmarks.peers.protocol import Adapter, Channel, Launched, NotOfferedError, Result

PATIENCE_S = 60.0
BEGIN = """\
import time
began = time.time_ns()
import sys
from pathlib import Path
at = Path(sys.argv[1])
at.with_suffix(".new").write_text(str(began))
at.with_suffix(".new").rename(at)
"""
SLEEP = """\
import os, sys, time
from pathlib import Path
at = Path(sys.argv[1])
at.with_suffix(".new").write_text(str(os.getpid()))
at.with_suffix(".new").rename(at)
time.sleep(600)
"""


def submit(adapter: Adapter, channel: Channel, asked: dict[str, object]) -> Result:
    """From the call that starts a script to the script's first line, several times."""
    source, answer = _source(asked, BEGIN), _folder(asked) / "answer"
    taken: list[float] = []
    for _ in range(cast("int", asked["times"]) + 1):
        started = time.time_ns()
        launched = adapter.launch(_folder(asked), source, "script.py", str(answer))
        began = int(content(answer))
        launched.wait()
        taken.append((began - started) / 1e9)
    return {"taken_s": taken[1:]}


def cancel(adapter: Adapter, channel: Channel, asked: dict[str, object]) -> Result:
    """From the call that cancels a sleeping script until it has returned and the script is gone."""
    source, answer = _source(asked, SLEEP), _folder(asked) / "answer"
    taken: list[float] = []
    for _ in range(cast("int", asked["times"]) + 1):
        launched = adapter.launch(_folder(asked), source, "script.py", str(answer))
        taken.append(until_gone(int(content(answer)), _canceler(launched)))
    return {"taken_s": taken[1:]}


def _canceler(launched: Launched) -> Callable[[], object]:
    if launched.cancel is None:
        raise NotOfferedError("does not cancel")
    return launched.cancel


def _folder(asked: dict[str, object]) -> Path:
    return Path(cast("str", asked["folder"]))


def _source(asked: dict[str, object], script: str) -> Path:
    source = _folder(asked) / "source"
    source.mkdir(exist_ok=True)
    (source / "script.py").write_text(script, encoding="utf-8")
    return source


def content(at: Path) -> str:
    """What a script has written into a file, which is removed, once it has."""
    deadline = time.monotonic() + PATIENCE_S
    while not at.exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"the script did not begin within {PATIENCE_S:g} s")
        time.sleep(0.002)
    text = at.read_text(encoding="utf-8")
    at.unlink()
    return text


def until_gone(pid: int, end: Callable[[], object]) -> float:
    """How long it takes to end a process: until the call has returned and the process is gone."""
    handle = os.pidfd_open(pid)
    try:
        gone = select.poll()
        gone.register(handle, select.POLLIN)
        started = time.perf_counter()
        end()
        if not gone.poll(PATIENCE_S * 1000):
            raise TimeoutError(f"process {pid} is still there after {PATIENCE_S:g} s")
        return time.perf_counter() - started
    finally:
        os.close(handle)
