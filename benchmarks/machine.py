"""The machine that figures were measured on, in one line."""

import os
import platform
from pathlib import Path


def machine() -> str:
    """This machine, and how busy it is."""
    cores = len(os.sched_getaffinity(0))
    load = os.getloadavg()[0]
    return (
        f"{_processor()}, {cores} cores, load {load:.1f}; "
        f"{platform.system()} {platform.release()}; /tmp is {_filesystem('/tmp')}"
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _filesystem(folder: str) -> str:
    """The type of the file system that a folder is on."""
    found = ("", "unknown")
    for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines():
        _, at, kind, *_ = line.split(" ")
        if Path(folder).is_relative_to(at) and len(at) >= len(found[0]):
            found = (at, kind)
    return found[1]
