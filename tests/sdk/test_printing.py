# ruff: noqa: T201  (what is printed is what is tested)
"""What is printed in a run's block is kept, and printing goes on as before."""

import contextlib
import io
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest

from headway import Experiment, Run
from headway.sdk.interactive.keeping import PrintedLog
from headway.sdk.interactive.printing import copy_prints

LOG = "logs/user_log.txt"
Python = Callable[..., Popen[str]]


def kept(run: Run, name: str = LOG) -> str:
    run.download_file(name, "copy-of-the-log")
    return Path("copy-of-the-log").read_text()


@pytest.fixture
def copied() -> Iterator[list[str]]:
    """What was printed meanwhile."""
    texts: list[str] = []
    end = copy_prints(texts.append)
    yield texts
    end()


# ---------------------------------------------------------------- copying


def test_what_is_printed_goes_to_the_terminal_and_to_the_copy(
    capsys: pytest.CaptureFixture[str],
) -> None:
    copied: list[str] = []
    end = copy_prints(copied.append)
    print("one", 2, sep=", ")
    print("three", file=sys.stderr)
    sys.stdout.writelines(["four\n", "five\n"])
    end()
    assert capsys.readouterr() == ("one, 2\nfour\nfive\n", "three\n")
    assert "".join(copied) == "one, 2\nthree\nfour\nfive\n"


def test_the_stream_stays_what_it_is(copied: list[str]) -> None:
    logger = logging.StreamHandler(sys.stdout)
    logger.emit(logging.LogRecord("x", 20, "", 0, "by a logger", None, None))
    assert "".join(copied) == "by a logger\n"
    assert sys.stdout.write("ab") == 2
    assert isinstance(sys.stdout, io.TextIOBase)


@pytest.mark.parametrize("order", ["inner first", "outer first"])
def test_copies_end_in_any_order(order: str) -> None:
    stream = sys.stdout
    outer: list[str] = []
    inner: list[str] = []
    ends = [copy_prints(outer.append), copy_prints(inner.append)]
    print("both")
    first, second = reversed(ends) if order == "inner first" else ends
    first()
    first()
    print("one")
    second()
    print("none")
    assert sys.stdout is stream
    assert "write" not in vars(stream)
    assert "".join(outer) == ("both\none\n" if order == "inner first" else "both\n")
    assert "".join(inner) == ("both\n" if order == "inner first" else "both\none\n")


def test_who_replaced_write_meanwhile_keeps_it(capsys: pytest.CaptureFixture[str]) -> None:
    texts: list[str] = []
    end = copy_prints(texts.append)
    before = sys.stdout.write

    def shouting(text: str) -> int:
        return before(text.upper())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys.stdout, "write", shouting)
        end()
        print("loud")
        again = copy_prints(texts.append)
        print("copied")
        again()
    del sys.stdout.write
    assert capsys.readouterr().out == "LOUD\nCOPIED\n"
    assert texts == ["copied", "\n"]


def test_a_stream_that_takes_no_copy_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    class Fixed:
        __slots__ = ()

        def write(self, text: str) -> int:
            return len(text)

    monkeypatch.setattr(sys, "stdout", Fixed())
    monkeypatch.setattr(sys, "stderr", None)
    end = copy_prints(pytest.fail)
    print("nothing happens")
    end()


def test_a_child_made_by_fork_copies_nothing(copied: list[str]) -> None:
    read_fd, write_fd = os.pipe()
    pid = os.fork()
    if pid == 0:
        print("in the child")
        os.write(write_fd, b"%d" % len(copied))
        os._exit(0)
    os.waitpid(pid, 0)
    assert os.read(read_fd, 10) == b"0"
    os.close(read_fd)
    os.close(write_fd)


# ---------------------------------------------------------------- in a run


def test_what_is_printed_in_a_block_is_a_log_of_the_run(
    experiment: Experiment, capsys: pytest.CaptureFixture[str]
) -> None:
    with experiment.start_logging() as run:
        print("größer")
        with contextlib.redirect_stdout(io.StringIO()):
            print("not on the terminal")
    print("outside")
    assert kept(run) == "größer\n"
    assert capsys.readouterr().out == "größer\noutside\n"
    details: Any = run.get_details_with_logs()
    assert details["logFiles"] == {LOG: "größer\n"}


def test_the_error_that_ended_the_block_is_in_its_log(experiment: Experiment) -> None:
    def fail() -> None:
        print("before")
        _ = 1 / 0

    with pytest.raises(ZeroDivisionError), experiment.start_logging() as run:
        fail()
    lines = kept(run).splitlines()
    assert lines[0] == "before"
    assert lines[-1] == "ZeroDivisionError: division by zero"


def test_a_run_in_a_run_has_its_part_of_what_is_printed(experiment: Experiment) -> None:
    with experiment.start_logging() as run:
        print("a")
        with run.child_run() as child:
            print("b")
        print("c")
    assert kept(run) == "a\nb\nc\n"
    assert kept(child) == "b\n"


def test_a_block_that_prints_nothing_leaves_no_log(experiment: Experiment) -> None:
    with experiment.start_logging() as run:
        pass
    assert run.get_file_names() == []


def test_a_block_begun_again_goes_on_with_its_log(experiment: Experiment) -> None:
    run = experiment.start_logging()
    again = Run(experiment, run.id)
    with contextlib.ExitStack() as both:
        both.enter_context(run)
        print("one")
        both.enter_context(again)
        print("two")
    with run:
        print("three")
    assert kept(run) == "one\ntwo\n"  # it had ended


def test_lines_of_threads_stay_whole(experiment: Experiment) -> None:
    def work(number: int) -> None:
        for i in range(200):
            sys.stdout.write(f"{number} {i}\n")

    with experiment.start_logging() as run:
        threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(kept(run).splitlines()) == sorted(
        f"{n} {i}" for n in range(4) for i in range(200)
    )


def test_a_block_leads_back_to_the_folder_where_it_began(
    experiment: Experiment, tmp_path: Path
) -> None:
    here = Path.cwd()
    with experiment.start_logging():
        os.chdir(tmp_path)
    assert Path.cwd() == here


def test_what_a_killed_process_had_printed_is_kept(experiment: Experiment, python: Python) -> None:
    process = python(
        f"exp = Experiment(Workspace.from_config(), {experiment.name!r})\n"
        "with exp.start_logging() as run:\n"
        "    print('early', flush=True)\n"
        "    time.sleep(60)"
    )
    deadline = time.monotonic() + 10
    while not (runs := list(experiment.get_runs())) or LOG not in runs[0].get_file_names():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.kill()
    process.wait()
    assert runs[0].get_status() == "Failed"
    assert kept(runs[0]) == "early\n"


# ---------------------------------------------------------------- the log itself


def test_a_log_that_is_full_says_so_once() -> None:
    sent: list[bytes] = []
    log = PrintedLog(sent.append, max_bytes=10)
    for text in ("12345", "67890ab", "more", "and more"):
        log.write(text)
        log.flush()
    assert b"".join(sent) == b"1234567890\n[headway: the log is full; more is not kept]\n"


def test_much_printed_at_once_does_not_wait_in_memory() -> None:
    sent: list[bytes] = []
    log = PrintedLog(sent.append, max_bytes=0)
    for _ in range(40):
        log.write("x" * 10_000)
    assert sum(map(len, sent)) >= 200_000


def test_what_cannot_be_sent_waits_and_is_sent_later() -> None:
    sent: list[bytes] = []

    def send(data: bytes) -> None:
        if not broken:
            sent.append(data)
        else:
            raise OSError("away")

    log = PrintedLog(send, max_bytes=0)
    broken = True
    log.write("a")
    with pytest.raises(OSError, match="away"):
        log.flush()
    log.write("x" * 300_000)  # printing goes on
    broken = False
    log.write("\ud800b")
    log.flush()
    assert b"".join(sent) == b"a" + b"x" * 300_000 + b"\\ud800b"
