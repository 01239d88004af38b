"""A program whose processes are hard to end.

    tree.py KIND FOLDER

Each process notes its pid and start time in FOLDER/processes. When all are there, the first one
says ``up``. Each ends by itself after ``LONGEST_S``; chains of forks are bounded too.
"""

import os
import signal
import sys
import time
from pathlib import Path

LONGEST_S = 25
CHAINS = 4
MOST_LINKS = 200_000
THOUSAND = 1000
EXPECTED = {"forked": 7, "sessions": 5, "deaf": 5, "stopped": 4, "thousand": THOUSAND + 1}

kind, folder = sys.argv[1], Path(sys.argv[2])
begun_at = time.monotonic()


def begin() -> None:
    """What every process does first; an alarm is not inherited."""
    signal.alarm(LONGEST_S)
    stat = Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()
    with (folder / "processes").open("ab", buffering=0) as file:
        file.write(b"%d %s\n" % (os.getpid(), stat[19]))


def ignore_everything() -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)


def stay() -> None:
    """To the end, whatever wakes it."""
    while time.monotonic() < begun_at + LONGEST_S:
        time.sleep(1)
    os._exit(0)


def child(*, daemon: bool = False, nameless: bool = False, stopped: bool = False) -> int:
    """A process that stays: an orphan in a session of its own, without its environment, stopped."""
    pid = os.fork()
    if pid:
        if daemon:
            os.waitpid(pid, 0)
        return pid
    if daemon:
        os.setsid()
        if os.fork():
            os._exit(0)
        os.closerange(0, 64)
        os.chdir("/")
    if nameless:
        os.execve(sys.executable, [sys.executable, __file__, "alone", str(folder)], {})
    begin()
    if stopped:
        os.kill(os.getpid(), signal.SIGSTOP)
    stay()
    return 0


def chain(number: int) -> None:
    """One process at a time, always another one: it forks the next and exits."""
    if os.fork():
        return
    ignore_everything()
    beats = os.open(folder / f"beats-{number}", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    for _ in range(MOST_LINKS):
        if time.monotonic() > begun_at + LONGEST_S or os.fork():
            os._exit(0)
        os.setsid()
        os.write(beats, b".")
    os._exit(0)


def is_up() -> bool:
    if kind == "chains":
        return all(path.stat().st_size > 50 for path in beats_files()) and bool(beats_files())
    noted = (folder / "processes").read_bytes().count(b"\n")
    return noted >= EXPECTED[kind]


def beats_files() -> list[Path]:
    return list(folder.glob("beats-*"))


begin()
if kind == "alone":
    ignore_everything()
    stay()
elif kind == "forked":
    for _ in range(2):
        if os.fork() == 0:
            begin()
            child()
            child()
            stay()
elif kind == "sessions":
    child(daemon=True)
    child(daemon=True)
    child(daemon=True, nameless=True)
    child(nameless=True)
elif kind == "deaf":
    ignore_everything()
    child()
    child()
    child(daemon=True)
    child(daemon=True)
elif kind == "stopped":
    child(stopped=True)
    child(stopped=True)
    child(daemon=True, stopped=True)
elif kind == "thousand":
    for _ in range(THOUSAND):
        child()
elif kind == "chains":
    for number in range(CHAINS):
        chain(number)
while not is_up():
    time.sleep(0.005)
sys.stdout.write("up\n")
sys.stdout.flush()
if kind == "stopped":
    os.kill(os.getpid(), signal.SIGSTOP)
stay()
