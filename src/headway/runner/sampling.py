"""What a tree of processes and its host use, read from /proc: CPU, memory, disk, network."""

import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from headway.engines import tree
from headway.engines.processes import Process

_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
_PARENT, _USER, _SYSTEM, _WAITED_USER, _WAITED_SYSTEM = 1, 11, 12, 13, 14
_START, _RESIDENT = 19, 21


class Stat(NamedTuple):
    """One line of /proc/PID/stat, as far as it is used here."""

    process: Process
    parent_pid: int
    own_ticks: int
    waited_ticks: int
    """What children that have ended used, with all below them."""
    resident_pages: int


class Usage(NamedTuple):
    """What a tree of processes uses."""

    cpu_percent: float
    """Since the last look; 100 for one core."""
    memory_bytes: int
    """Resident; what processes share is counted for each of them."""
    disk_read_bytes: int
    """Since the tree began."""
    disk_write_bytes: int


class TreeMeter:
    """Measures what is below one process, again and again.

    Args:
        root_pid: The process, of which only what it waited for is counted.
        ignored: Children of it that do not belong to the tree.
        proc: Where /proc is.
    """

    def __init__(
        self, root_pid: int, ignored: Iterable[int] = (), proc: Path = Path("/proc")
    ) -> None:
        self._root_pid = root_pid
        self._ignored = frozenset(ignored)
        self._proc = str(proc)
        self._before: dict[Process, Stat] = {}
        self._owed_ticks = 0
        self._looked_at: float | None = None
        self._disk = (0, 0)

    def read(self, now_s: float | None = None) -> Usage | None:
        """What the tree uses now; None where nothing is left of it.

        Args:
            now_s: Seconds since the boot, for tests.
        """
        stats = self._stats()
        found = self._members(stats)
        root = stats.get(self._root_pid)
        if root is None or not found:
            return None
        now_s = time.clock_gettime(time.CLOCK_BOOTTIME) if now_s is None else now_s
        began_s = min(stat.process.start for stat in found) / _TICKS_PER_S
        elapsed_s = now_s - (began_s if self._looked_at is None else self._looked_at)
        ticks = self._growth({stat.process: stat for stat in [*found, root]})
        self._looked_at = now_s
        most = 100.0 * (os.cpu_count() or 1)
        percent = 100.0 * ticks / _TICKS_PER_S / max(elapsed_s, 1 / _TICKS_PER_S)
        return Usage(
            cpu_percent=round(min(percent, most), 2),
            memory_bytes=sum(stat.resident_pages for stat in found) * _PAGE_BYTES,
            **self._disk_bytes([root.process.pid, *(stat.process.pid for stat in found)]),
        )

    def _stats(self) -> dict[int, Stat]:
        """Every process of the host, parents as a rule before their children.

        So what ends in the middle of the pass is counted too late rather than twice.
        """
        with os.scandir(self._proc) as entries:
            pids = sorted(int(entry.name) for entry in entries if entry.name.isdecimal())
        found = {pid: _stat(f"{self._proc}/{pid}/stat", pid) for pid in pids}
        return {pid: stat for pid, stat in found.items() if stat is not None}

    def _members(self, stats: Mapping[int, Stat]) -> list[Stat]:
        children: dict[int, list[Stat]] = {}
        for stat in stats.values():
            children.setdefault(stat.parent_pid, []).append(stat)
        # The shim of another run that this one submitted has become a child of the root by now.
        found = [
            stat
            for stat in children.get(self._root_pid, ())
            if stat.process.pid not in self._ignored and not tree.holds_a_run(stat.process)
        ]
        for stat in found:
            found.extend(children.get(stat.process.pid, ()))  # grows while it is walked
        return found

    def _growth(self, now: dict[Process, Stat]) -> int:
        """The ticks used since the last look by what lives and by what has ended meanwhile.

        What a process used before it ended turns up once more in its parent, when that waits for
        it, and is taken off there. A parent that waits later does so before the next look but one,
        or is never told, as where it ignores SIGCHLD.
        """
        before, self._before = self._before, now
        own = waited = 0
        for process, stat in now.items():
            old = before.get(process)
            if process.pid != self._root_pid:
                own += stat.own_ticks - (old.own_ticks if old else 0)
            waited += stat.waited_ticks - (old.waited_ticks if old else 0)
        ended = sum(old.own_ticks + old.waited_ticks for p, old in before.items() if p not in now)
        owed = ended + self._owed_ticks
        self._owed_ticks = min(max(0, owed - waited), ended)
        return own + max(0, waited - owed)

    def _disk_bytes(self, pids: Iterable[int]) -> dict[str, int]:
        """Bytes read and written; the kernel adds what ended to whoever waited for it."""
        read = written = 0
        for pid in pids:
            fields = _io(f"{self._proc}/{pid}/io")
            read += fields.get(b"read_bytes", 0)
            written += fields.get(b"write_bytes", 0)
        # Between its end and being waited for, what a process did is nowhere to be found.
        self._disk = (max(read, self._disk[0]), max(written, self._disk[1]))
        return {"disk_read_bytes": self._disk[0], "disk_write_bytes": self._disk[1]}


class NetworkMeter:
    """Counts what the host sent and received since this was made."""

    def __init__(self, proc: Path = Path("/proc"), devices: Path = Path("/sys/class/net")) -> None:
        self._file = proc / "net" / "dev"
        self._devices = devices
        self._before = self._counters()
        self._received = self._sent = 0

    def read(self) -> tuple[int, int] | None:
        """Bytes received and sent; None where the host does not tell."""
        now = self._counters()
        if not now:
            return None
        for name, (received, sent) in now.items():
            old = self._before.get(name, (received, sent))
            self._received += max(0, received - old[0])
            self._sent += max(0, sent - old[1])
        self._before = now
        return self._received, self._sent

    def _counters(self) -> dict[str, tuple[int, int]]:
        """By interface: those that stand for a device, for others carry the same bytes again."""
        found: dict[str, tuple[int, int]] = {}
        try:
            lines = self._file.read_text(encoding="ascii").splitlines()[2:]
        except OSError:
            return found
        for line in lines:
            name, _, rest = line.partition(":")
            counts = rest.split()
            if name.strip() != "lo" and len(counts) > 8:
                found[name.strip()] = (int(counts[0]), int(counts[8]))
        real = {name: c for name, c in found.items() if (self._devices / name / "device").exists()}
        return real or found


def _read(path: str) -> bytes:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.read(fd, 4096)
    except OSError:  # it ended just now
        return b""
    finally:
        os.close(fd)


def _stat(path: str, pid: int) -> Stat | None:
    # The name in parentheses may itself hold spaces and parentheses.
    fields = _read(path).rpartition(b")")[2].split()
    if len(fields) <= _RESIDENT:
        return None
    return Stat(
        process=Process(pid, int(fields[_START])),
        parent_pid=int(fields[_PARENT]),
        own_ticks=int(fields[_USER]) + int(fields[_SYSTEM]),
        waited_ticks=int(fields[_WAITED_USER]) + int(fields[_WAITED_SYSTEM]),
        resident_pages=int(fields[_RESIDENT]),
    )


def _io(path: str) -> dict[bytes, int]:
    lines = (line.partition(b": ") for line in _read(path).splitlines())
    return {name: int(count) for name, _, count in lines if count.isdigit()}
