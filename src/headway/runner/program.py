"""Starting the user's program: fork, prepare the child, exec."""

import os
import signal
from pathlib import Path
from typing import Final, NoReturn

from headway.engines import cgroup, processes
from headway.engines.folder import RunFolder, RunSpec
from headway.engines.processes import Process

_OOM_SCORE: Final = "500"
"""Makes the kernel take the program, not its shim, where memory runs out."""
_MESSAGE_BYTES: Final = 4096


class CannotStartError(Exception):
    """The program could not be started; the message says which and why."""


def start(spec: RunSpec, folder: RunFolder, group: Path | None) -> Process:
    """Start the program of a run and return once it has been exec'ed.

    It leads a session of its own, dies with this process, reads nothing, and writes its output
    into the log by itself, so that the log needs nobody else to be alive.

    Raises:
        CannotStartError: There is no such program, or one of the preparations failed.
    """
    # Both ends close themselves at exec: an empty read says that the program has begun.
    read_fd, write_fd = os.pipe2(os.O_CLOEXEC)
    shim_pid = os.getpid()
    pid = os.fork()
    if pid == 0:
        _become_program(spec, folder, group, shim_pid, write_fd)
    os.close(write_fd)
    status = processes.status_of(pid)
    with open(read_fd, "rb") as pipe:
        problem = pipe.read(_MESSAGE_BYTES).decode(errors="replace")
    if problem or status is None:
        os.waitpid(pid, 0)
        raise CannotStartError(problem or "the process of the program vanished")
    return status.process


def _become_program(
    spec: RunSpec, folder: RunFolder, group: Path | None, shim_pid: int, problem_fd: int
) -> NoReturn:
    doing = "prepare the program"
    try:
        os.setsid()
        processes.die_with_parent()
        if os.getppid() != shim_pid:  # it died before that was asked for
            os._exit(1)
        if group is not None:
            cgroup.enter(group)
        _prefer_in_memory_shortage()
        _reset_signals()
        doing = f"open the log {folder.path / spec.log}"
        _redirect(folder.path / spec.log)
        doing = f"enter the working directory {spec.cwd!r}"
        os.chdir(spec.cwd)
        doing = f"start {spec.command[0]!r}" if spec.command else "start an empty command"
        os.execvpe(spec.command[0], spec.command, environment(spec, folder))  # noqa: S606 - that is the job
    except OSError as error:
        _tell(problem_fd, f"cannot {doing}: {error.strerror}")
    except (ValueError, IndexError) as error:
        _tell(problem_fd, f"cannot {doing}: {error}")
    finally:
        os._exit(127)


def environment(spec: RunSpec, folder: RunFolder) -> dict[str, str]:
    """The environment of the program: the submitter's, and what the run adds to it."""
    inherited = dict(os.environ)
    # Users set it for their shell; inherited, it makes every import of every run slower.
    inherited.pop("PYTHONDONTWRITEBYTECODE", None)
    own = {"HEADWAY_RUN_ID": spec.run_id, **folder.mark}
    return inherited | {"PYTHONUNBUFFERED": "1"} | spec.env | own


def _redirect(log: Path) -> None:
    null_fd = os.open(os.devnull, os.O_RDONLY)
    log_fd = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.dup2(null_fd, 0)
    os.dup2(log_fd, 1)
    os.dup2(log_fd, 2)


def _reset_signals() -> None:
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        if number < signal.SIGRTMIN:
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _prefer_in_memory_shortage() -> None:
    try:
        Path("/proc/self/oom_score_adj").write_text(_OOM_SCORE, encoding="ascii")
    except OSError:
        return  # not allowed in some containers; the run works without it


def _tell(fd: int, message: str) -> None:
    os.write(fd, message.encode(errors="replace")[:_MESSAGE_BYTES])
