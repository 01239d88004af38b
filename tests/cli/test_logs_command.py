"""logs: what a run wrote, from its end, since a time, with a pattern, as it is written."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.cli.conftest import Cli

from headway.cli import log_lines, log_reading
from headway.cli.log_lines import LONGEST_LINE_BYTES, Line, Lines
from headway.cli.log_reading import LogReader
from headway.engines import log_cut, log_times
from headway.model import LogPart

LOG = "user_logs/std_log.txt"


def submitted(cli: Cli, output: bytes) -> str:
    """A run that wrote exactly this, and ended."""
    (cli.folder / "output").write_bytes(output)
    script = cli.script(
        f"import sys\nsys.stdout.buffer.write(open({str(cli.folder / 'output')!r}, 'rb').read())"
    )
    run_id: str = cli("submit", "--wait", script).stdout.strip()
    return run_id


def printed(cli: Cli, *arguments: str) -> bytes:
    return cli("logs", *arguments).stdout_bytes


def lines_of(cli: Cli, *arguments: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in cli("logs", "--json", *arguments).stdout.splitlines()]


# ---------------------------------------------------------------- whole, and from the end


def test_what_was_written_comes_out_byte_for_byte(cli: Cli) -> None:
    output = b"epoch 1\n\r 10%\r 20%\r\n\xff\xfe not UTF-8 \x1b[31m\0\nno end"
    run_id = submitted(cli, output)
    assert printed(cli, run_id) == output
    assert printed(cli, "-f", run_id) == output
    assert printed(cli, "--tail", "1", run_id) == b"no end"
    assert printed(cli, "--tail", "2", "-f", run_id) == b"\xff\xfe not UTF-8 \x1b[31m\0\nno end"


def test_the_tail_is_found_from_the_end(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    output = "".join(f"line {n} {'x' * 90}\n" for n in range(3000)) + "no end"
    run_id = submitted(cli, output.encode())
    for count in (0, 1, 2, 2000, 3001, 5000):
        expected = "".join(output.splitlines(keepends=True)[-count:] if count else [])
        assert printed(cli, run_id, "--tail", str(count)) == expected.encode()
    begin = len(output) - len("line 2999 no end") - 91
    assert lines_of(cli, run_id, "-n", "2") == [
        {"offset": begin, "text": f"line 2999 {'x' * 90}\n"},
        {"offset": len(output) - len("no end"), "text": "no end"},
    ]
    offsets: list[int] = []
    read = LogReader._part  # pyright: ignore[reportPrivateUsage]  (what is read is the point)

    def watched(reader: LogReader, offset: int) -> LogPart:
        offsets.append(offset)
        return read(reader, offset)

    monkeypatch.setattr(LogReader, "_part", watched)
    printed(cli, run_id, "--tail", "5")
    assert min(offsets) > len(output) - 100_000


def test_following_shows_lines_as_they_come_and_ends_with_the_run(cli: Cli) -> None:
    script = cli.script(
        "import pathlib, time\nprint('up', flush=True)\n"
        f"while not pathlib.Path({str(cli.folder / 'go')!r}).exists(): time.sleep(0.01)\n"
        "print('down')"
    )
    run_id = cli("submit", script).stdout.strip()
    process = cli.start("logs", "-f", "--grep", "up|down", "--since", "1 h", run_id)
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    (cli.folder / "go").touch()
    output, said = process.communicate(timeout=20)
    assert output == b"down\n"
    assert b"Completed after" in said
    assert process.returncode == 0
    assert "".join(line["text"] for line in lines_of(cli, "-f", run_id)) == "up\ndown\n"


# ---------------------------------------------------------------- a pattern


def test_a_pattern_chooses_lines_which_stay_as_they_are(cli: Cli) -> None:
    run_id = submitted(cli, b"loss 1\r\nother\n\xff loss 0.5\nstep 3\rloss 0.25")
    assert printed(cli, run_id, "--grep", r"loss [\d.]+$") == b"loss 1\r\n\xff loss 0.5\nloss 0.25"
    assert printed(cli, run_id, "--grep", "(?i)OTHER") == b"other\n"
    assert printed(cli, run_id, "--grep", "nothing") == b""
    assert [line["text"] for line in lines_of(cli, run_id, "--grep", "step|0.5")] == [
        "\N{REPLACEMENT CHARACTER} loss 0.5\n",
        "step 3\r",
    ]


def test_the_tail_of_a_pattern_counts_what_matches(cli: Cli) -> None:
    rows = [f"{'eval' if n % 1000 == 0 else 'step'} {n} {'x' * 60}\n" for n in range(8000)]
    run_id = submitted(cli, "".join(rows).encode())
    found = [row for row in rows if "eval" in row]
    for count in (0, 1, 3, 8, 20):
        expected = "".join(found[-count:] if count else []).encode()
        assert printed(cli, run_id, "--grep", "eval", "-n", str(count)) == expected
        assert printed(cli, run_id, "--grep", "eval", "-n", str(count), "-f") == expected


def test_a_pattern_that_cannot_be_read_is_named(cli: Cli) -> None:
    message = cli.error("logs", "--grep", "(loss", "latest", code=2)
    assert "--grep '(loss' is no regular expression: missing )" in message


# ---------------------------------------------------------------- a time


def test_since_shows_what_was_written_from_then_on(cli: Cli) -> None:
    script = cli.script("import time\nprint('early')\ntime.sleep(3)\nprint('late')")
    run_id = cli("submit", script).stdout.strip()
    cli("wait", run_id)
    ended = cli.json("show", run_id)["ended_at"]
    # In between: by then the shim, which looks about once a second, has seen the first line.
    before_late = datetime.fromtimestamp(_seconds(ended) - 0.5, UTC).isoformat()
    assert printed(cli, run_id, "--since", before_late) == b"late\n"
    assert printed(cli, run_id, "--since", "10 min", "-n", "1") == b"late\n"
    assert printed(cli, run_id, "--since", "1h") == b"early\nlate\n"
    assert printed(cli, run_id, "--since", "2 hours ago", "-f") == b"early\nlate\n"
    assert printed(cli, run_id, "--since", "2099-01-01") == b""


def _seconds(moment: str | float) -> float:
    return datetime.fromisoformat(moment).timestamp() if isinstance(moment, str) else moment / 1e6


def test_a_time_that_cannot_be_read_is_named(cli: Cli) -> None:
    for given_time in ("soon", "10", "2026-13-01", "tomorrow ago"):
        message = cli.error("logs", "--since", given_time, "latest", code=2)
        assert f"--since {given_time!r} is no time: give a span" in message


# ---------------------------------------------------------------- which log


def test_another_log_is_chosen_by_its_name(cli: Cli) -> None:
    script = cli.script(
        "import os, pathlib\nprint('main')\n"
        "logs = pathlib.Path(os.environ['HEADWAY_RUN_FOLDER'], 'user_logs')\n"
        "(logs / 'std_log_1.txt').write_text('second\\n')"
    )
    run_id = cli("submit", "--wait", script).stdout.strip()
    assert printed(cli, run_id) == b"main\n"
    for name in ("std_log_1.txt", "user_logs/std_log_1.txt"):
        assert printed(cli, run_id, "--name", name, "-f") == b"second\n"
        assert printed(cli, run_id, "--name", name, "--since", "1 h") == b"second\n"
    message = cli.error("logs", run_id, "--name", "rank_9.txt", code=4)
    assert f"no log 'rank_9.txt'; its logs are: {LOG}, user_logs/std_log_1.txt" in message


def test_an_interactive_run_has_no_log(cli: Cli) -> None:
    with cli.experiment().start_logging() as run:
        pass
    assert "it is interactive" in cli.error("logs", run.id, code=4)


# ---------------------------------------------------------------- a log of which a part is missing


@pytest.fixture
def cut(cli: Cli) -> tuple[str, list[bytes]]:
    """A run whose log has a long hole, and the lines that are shown of it."""
    head = [b"head %d\n" % n for n in range(100)]
    tail = [b"tail %d\n" % n for n in range(100)]
    run_id = submitted(cli, b"".join(head) + b"middle\n" * 300_000 + b"".join(tail))
    begin = len(b"".join(head))
    end = begin + 7 * 300_000
    folder = cli.workspace_folder / "runs" / run_id
    record = log_cut.cut_file(folder, LOG)
    log_cut.prepare(record)
    log_cut.write(record, log_cut.Cut(begin, end))
    marker = b"[headway: %d bytes of output were cut here]\n" % (end - begin)
    return run_id, [*head, marker, *tail]


def test_the_tail_of_a_cut_log_crosses_the_cut(cli: Cli, cut: tuple[str, list[bytes]]) -> None:
    run_id, shown = cut
    assert printed(cli, run_id) == b"".join(shown)
    for count in (50, 100, 101, 102, 150, 201, 300):
        assert printed(cli, run_id, "-n", str(count)) == b"".join(shown[-count:])
        matching = [line for line in shown if b"0\n" in line][-count:]
        assert printed(cli, run_id, "-n", str(count), "--grep", "0$") == b"".join(matching)


# ---------------------------------------------------------------- lines


def parts(data: bytes, sizes: list[int]) -> Iterator[LogPart]:
    begin = 0
    for size in [*sizes, len(data)]:
        end = min(begin + size, len(data))
        yield LogPart(data[begin:end], end)
        begin = end


def all_lines(pieces: Iterator[LogPart]) -> list[Line]:
    lines = Lines()
    found = [line for part in pieces for line in lines.feed(part.data, part.next_offset)]
    return [*found, *lines.rest()]


@given(
    data=st.lists(st.sampled_from([b"a", b"\n", b"\r", b"\r\n", b"\xff", b"\xc3\xa4", b"xyz"])).map(
        b"".join
    ),
    sizes=st.lists(st.integers(1, 5)),
    longest=st.integers(4, 9),
)
def test_lines_do_not_depend_on_the_pieces(data: bytes, sizes: list[int], longest: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_lines, "LONGEST_LINE_BYTES", longest)
        found = all_lines(parts(data, sizes))
        assert b"".join(line.data for line in found) == data
        assert [data[offset : offset + len(line)] for offset, line in found] == [
            line.data for line in found
        ]
        assert all(len(line.data.rstrip(b"\r\n")) <= longest for line in found)
        assert found == all_lines(parts(data, []))


class ReaderOf(LogReader):
    """A log of these bytes, of which four are read at a time."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def size(self) -> int:
        return len(self.data)

    def _part(self, offset: int) -> LogPart:
        return LogPart(self.data[offset : offset + 4], min(len(self.data), offset + 4))


@given(
    data=st.lists(st.sampled_from([b"a", b"ab", b"\n", b"\r"])).map(b"".join),
    count=st.integers(0, 6),
    begin=st.integers(0, 10),
    block=st.integers(1, 9),
)
def test_the_matching_tail_is_what_a_whole_look_finds(
    data: bytes, count: int, begin: int, block: int
) -> None:
    begin = min(begin, len(data))
    pattern = re.compile("a")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_reading, "_BLOCK_BYTES", block)
        reader = ReaderOf(data)
        expected = [line for line in all_lines(parts(data[begin:], [])) if line.matches(pattern)]
        offset, skip = reader.matching_tail(begin, count, pattern)
        found = [line for line in all_lines(parts(data[offset:], [])) if line.matches(pattern)]
        wanted = expected[-count:] if count else []
        assert [line.data for line in found[skip:]] == [line.data for line in wanted]
        rows = re.findall(rb"[^\n]*\n|[^\n]+", data[begin:])
        tail = reader.tail(begin, count)
        assert data[tail:] == b"".join(rows[-count:] if count else [])


def test_a_line_without_an_end_is_held_in_pieces() -> None:
    lines = Lines()
    found = 0
    for number in range(40):
        for line in lines.feed(b"x" * 100_000, (number + 1) * 100_000):
            assert len(line.data) == LONGEST_LINE_BYTES
            found += 1
    assert found == 40 * 100_000 // LONGEST_LINE_BYTES


# ---------------------------------------------------------------- the times of a log


def test_times_find_where_a_log_stood(tmp_path: Path) -> None:
    path = log_times.times_file(tmp_path, LOG)
    assert log_times.offset_at(path, 5) == 0
    for at, size in ((10, 100), (20, 250), (15, 300), (30, 400)):  # the clock went back once
        log_times.append(path, at, size)
    found = [log_times.offset_at(path, at) for at in (9, 10, 19, 20, 29, 30, 99)]
    assert found == [0, 100, 100, 300, 300, 400, 400]


def test_a_record_written_in_part_is_replaced(tmp_path: Path) -> None:
    path = log_times.times_file(tmp_path, LOG)
    log_times.append(path, 10, 100)
    with path.open("ab") as file:
        file.write(b"00000000")
    assert log_times.offset_at(path, 99) == 100
    log_times.append(path, 20, 200)
    assert log_times.offset_at(path, 99) == 200
