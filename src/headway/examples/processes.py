"""Which processes belong to a run, as anybody can find out."""

from pathlib import Path


def processes_of(run_id: str) -> list[int]:
    """The pids of the run's processes: each has the run's id in its environment."""
    mark = f"HEADWAY_RUN_ID={run_id}".encode()
    found: list[int] = []
    for environment in Path("/proc").glob("[0-9]*/environ"):
        try:
            variables = environment.read_bytes().split(b"\0")
        except OSError:  # it belongs to somebody else, or has just ended
            continue
        if mark in variables:
            found.append(int(environment.parent.name))
    return sorted(found)
