"""What every ``headway.files.base.Logs`` must do.

Subclass ``LogsContract`` in a test module and override the fixture ``reopen``.
"""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headway.errors import InvalidValueError
from headway.files.base import Logs

NAME = "user_logs/std_log.txt"


class LogsContract:
    """The suite."""

    @pytest.fixture
    def reopen(self) -> Callable[[], Logs]:
        """Opens one storage, empty at first, as another process would each time."""
        raise NotImplementedError("override the fixture 'reopen'")

    @pytest.fixture
    def logs(self, reopen: Callable[[], Logs]) -> Logs:
        return reopen()

    def test_what_was_appended_is_read_from_any_offset(self, logs: Logs) -> None:
        assert logs.append("run-1", NAME, 0, b"one\n") == 4
        assert logs.append("run-1", NAME, 4, b"two\n") == 8
        assert whole(logs, NAME) == b"one\ntwo\n"
        assert whole(logs, NAME, 2) == b"e\ntwo\n"
        assert logs.read("run-1", NAME, 5, 2)[:1] == b"w"
        assert logs.read("run-1", NAME, 8, 10) == b""
        assert logs.read("run-1", NAME, 100, 10) == b""
        assert logs.size("run-1", NAME) == 8

    def test_what_is_not_there_is_empty(self, logs: Logs) -> None:
        assert logs.size("run-1", NAME) is None
        assert logs.read("run-1", NAME, 0, 10) == b""
        assert logs.list("run-1") == []
        assert list(logs.holders()) == []
        logs.remove("run-1")
        logs.remove("run-1", NAME)

    def test_a_stretch_counts_once_however_often_and_to_whom_it_is_sent(
        self, reopen: Callable[[], Logs]
    ) -> None:
        first, second = reopen(), reopen()
        assert first.append("run-1", NAME, 0, b"one\n") == 4
        assert second.append("run-1", NAME, 0, b"one\n") == 4
        assert second.append("run-1", NAME, 0, b"one\ntwo\n") == 8
        assert first.append("run-1", NAME, 0, b"one\n") >= 4
        assert first.append("run-1", NAME, 4, b"two\nthree\n") == 14
        for logs in (first, second, reopen()):
            assert whole(logs, NAME) == b"one\ntwo\nthree\n"

    def test_a_stretch_behind_the_end_is_refused(self, logs: Logs) -> None:
        with pytest.raises(InvalidValueError, match="has 0 bytes"):
            logs.append("run-1", NAME, 1, b"x")
        logs.append("run-1", NAME, 0, b"abc")
        with pytest.raises(InvalidValueError, match="has 3 bytes"):
            logs.append("run-1", NAME, 4, b"x")
        with pytest.raises(InvalidValueError):
            logs.append("run-1", NAME, -1, b"x")
        assert whole(logs, NAME) == b"abc"

    def test_an_empty_stretch_makes_an_empty_log(self, logs: Logs) -> None:
        assert logs.append("run-1", NAME, 0, b"") == 0
        assert logs.size("run-1", NAME) == 0
        assert logs.append("run-1", NAME, 0, b"x") == 1

    def test_logs_of_one_holder_are_listed_by_name(self, logs: Logs) -> None:
        names = ["logs/a", "logs/a-b", "logs/deep/er.txt", "logs/ümlaut & 100%.txt", NAME]
        for number, name in enumerate(names):
            logs.append("run-1", name, 0, b"x" * number)
        logs.append("run-2", "logs/other", 0, b"x")
        found = logs.list("run-1")
        assert [(log.name, log.size_bytes) for log in found] == [
            (name, number) for number, name in enumerate(names)
        ]
        assert all(log.modified_at > 1_000_000_000_000_000 for log in found)
        assert sorted(logs.holders()) == ["run-1", "run-2"]

    def test_a_removed_log_is_gone_and_may_begin_again(self, logs: Logs) -> None:
        for name in ("logs/a", "logs/b"):
            logs.append("run-1", name, 0, b"old content")
        logs.remove("run-1", "logs/a")
        assert [log.name for log in logs.list("run-1")] == ["logs/b"]
        assert logs.append("run-1", "logs/a", 0, b"new") == 3
        assert whole(logs, "logs/a") == b"new"
        logs.remove("run-1")
        assert logs.list("run-1") == []
        assert list(logs.holders()) == []

    @pytest.mark.parametrize(
        "name",
        ["", "..", "../a", "a/../b", "/a", "a//b", "a\0", "a\\b", "a/", "x" * 501, "ü" * 251],
    )
    def test_what_is_no_name_is_refused(self, logs: Logs, name: str) -> None:
        for call in (lambda: logs.append("run-1", name, 0, b"x"), lambda: logs.size("run-1", name)):
            with pytest.raises(InvalidValueError):
                call()
        with pytest.raises(InvalidValueError):
            logs.read("run-1", name, 0, 1)
        assert list(logs.holders()) == []

    @pytest.mark.parametrize("holder", ["", "..", "a/b", "a\0"])
    def test_what_is_no_holder_is_refused(self, logs: Logs, holder: str) -> None:
        with pytest.raises(InvalidValueError, match="run id"):
            logs.append(holder, NAME, 0, b"x")
        with pytest.raises(InvalidValueError, match="run id"):
            logs.remove(holder)

    def test_a_log_of_many_stretches_is_read_whole_while_it_grows(
        self, reopen: Callable[[], Logs]
    ) -> None:
        content = bytes(range(256)) * 8
        done = threading.Event()

        def follow() -> bytes:
            reader, text = reopen(), b""
            while True:
                ended = done.is_set()
                part = reader.read("run-1", NAME, len(text), 1000)
                text += part
                if ended and not part:
                    return text

        with ThreadPoolExecutor(1) as pool:
            following = pool.submit(follow)
            writers = [reopen(), reopen()]
            for number, at in enumerate(range(0, len(content), 40)):
                writers[number % 2].append("run-1", NAME, at, content[at : at + 40])
            done.set()
            assert following.result(20) == content

    def test_threads_send_the_same_log(self, reopen: Callable[[], Logs]) -> None:
        content = bytes(range(256)) * 4

        def send(step: int) -> None:
            logs, at = reopen(), 0
            while at < len(content):
                at = logs.append("run-1", NAME, at, content[at : at + step])

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(send, [7, 64, 100, 33]))
        assert whole(reopen(), NAME) == content

    @settings(
        max_examples=25,
        suppress_health_check=[
            HealthCheck.function_scoped_fixture,
            HealthCheck.differing_executors,
        ],
        deadline=None,
    )
    @given(data=st.data())
    def test_any_order_of_sendings_gives_the_log(
        self, reopen: Callable[[], Logs], data: st.DataObject
    ) -> None:
        reopen().remove("run-1")
        content = bytes(range(200))
        servers, end = [reopen() for _ in range(3)], 0
        steps = st.tuples(st.integers(0, 2), st.integers(0, 199), st.integers(0, 60))
        for server, begin, length in data.draw(st.lists(steps, max_size=40)):
            part = content[begin : begin + length]
            if begin > end:
                with pytest.raises(InvalidValueError):
                    servers[server].append("run-1", NAME, begin, part)
                continue
            told = servers[server].append("run-1", NAME, begin, part)
            end = max(end, begin + len(part))
            assert begin + len(part) <= told <= end
            at = data.draw(st.integers(0, 199))
            assert whole(servers[(server + 1) % 3], NAME, at) == content[at:end]


def whole(logs: Logs, name: str, offset: int = 0) -> bytes:
    """A log of ``run-1`` from an offset to its end."""
    text = b""
    while part := logs.read("run-1", name, offset + len(text), 64):
        text += part
    return text
