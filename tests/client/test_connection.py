"""What a client does when the server is away, slow, another one, or says no."""

import os
import socket
from collections.abc import Callable
from typing import BinaryIO

import msgspec
import pytest
from tests.client.scripted import LOST, answer, failure, scripted

from headway.accounts import NewToken
from headway.client.connection import Connection
from headway.client.downloads import opened
from headway.client.workspace import RemoteWorkspace
from headway.errors import (
    ERROR_CODES,
    ExperimentNotFoundError,
    FilterError,
    HeadwayError,
    InvalidValueError,
    NotFoundError,
    RunNotFoundError,
    ServerUnavailableError,
    StorageCorruptError,
    StorageError,
    StorageFullError,
    UserError,
)
from headway.model import Experiment
from headway.wire import files, workspace
from headway.wire.accounts import ISSUE_TOKEN
from headway.wire.failures import Failure, error_of, failure_of

FOUND = Experiment("e", "explore", 1)
GOOD = answer(200, msgspec.json.encode(FOUND))
ASK = workspace.EnsureExperiment("explore")


class Times:
    """Seconds that pass only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def times() -> Times:
    return Times()


@pytest.fixture
def connect(times: Times) -> Callable[[str], Connection]:
    def make(url: str) -> Connection:
        return Connection(
            url, "w", token="hw_t", timeout_s=20.0, host="here", sleep=times.sleep, clock=times
        )

    return make


Connect = Callable[[str], Connection]


def test_a_request_says_who_asks_and_from_where(connect: Connect) -> None:
    with scripted(GOOD) as server:
        assert connect(server.url).call(workspace.ENSURE, ASK) == FOUND
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /api/v1/workspaces/w/experiments HTTP/1.1\r\n")
    assert b"\r\nAuthorization: Bearer hw_t\r\n" in head
    assert b"\r\nHeadway-Host: here" in head
    assert body == b'{"name":"explore"}'


def test_a_lost_answer_is_asked_for_again(connect: Connect) -> None:
    with scripted(LOST, LOST, GOOD) as server:
        assert connect(server.url).call(workspace.ENSURE, ASK) == FOUND
    assert len(set(server.requests)) == 1
    assert len(server.requests) == 3


def test_what_may_have_been_done_is_not_done_twice(connect: Connect, times: Times) -> None:
    with scripted(LOST) as server, pytest.raises(ServerUnavailableError, match="does not answer"):
        connect(server.url).call(ISSUE_TOKEN, NewToken("ada"))
    assert times.slept == []


def test_what_was_not_done_for_certain_is_asked_for_again(connect: Connect) -> None:
    with scripted(failure(503, "storage_busy", "busy"), LOST) as server:
        with pytest.raises(ServerUnavailableError):
            connect(server.url).call(ISSUE_TOKEN, NewToken("ada"))
        assert len(server.requests) == 2


def test_whoever_waits_for_a_server_is_told_once(times: Times) -> None:
    said: list[str] = []
    with scripted(*[LOST] * 7, GOOD, *[LOST] * 7, GOOD) as server:
        connection = Connection(
            server.url,
            "w",
            token="",
            timeout_s=60.0,
            say=said.append,
            sleep=times.sleep,
            clock=times,
        )
        connection.call(workspace.ENSURE, ASK)
        assert len(said) == 1
        assert said[0].startswith(f"the server {server.url} does not answer; asking again for ")
        connection.call(workspace.ENSURE, ASK)
    assert len(said) == 2


def test_pauses_grow_and_end(connect: Connect, times: Times) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(ServerUnavailableError, match="Connection refused; check the address"):
            connect(url).call(workspace.ENSURE, ASK)
    assert times.now == pytest.approx(20.0)
    assert times.slept[0] <= 0.05
    assert max(times.slept) <= 5.0
    assert times.slept[4] > times.slept[0]


def test_a_server_that_asks_to_be_left_alone_is(connect: Connect, times: Times) -> None:
    busy = failure(503, "storage_busy", "busy", "Retry-After: 7")
    with scripted(busy, GOOD) as server:
        assert connect(server.url).call(workspace.ENSURE, ASK) == FOUND
    assert times.slept == [7.0]
    later = failure(429, "too_many_attempts", "later", "Retry-After: 600")
    with scripted(later) as server, pytest.raises(HeadwayError, match="later"):
        connect(server.url).call(workspace.ENSURE, ASK)
    assert times.slept == [7.0]


def test_an_error_is_raised_as_the_server_raised_it(connect: Connect) -> None:
    absent = failure(404, "experiment_not_found", "there is no x")
    with (
        scripted(absent) as server,
        pytest.raises(ExperimentNotFoundError, match=r"^there is no x$"),
    ):
        connect(server.url).call(workspace.ENSURE, ASK)


def test_what_is_gone_when_its_removal_is_repeated_was_removed(connect: Connect) -> None:
    gone = failure(404, "experiment_not_found", "there is no x")
    ask = workspace.ExperimentRequest("x")
    with scripted(LOST, gone) as server:
        connect(server.url).call(workspace.DELETE_EXPERIMENT, ask)
    with scripted(gone) as server, pytest.raises(NotFoundError):
        connect(server.url).call(workspace.DELETE_EXPERIMENT, ask)


@pytest.mark.parametrize(
    "reply",
    [
        answer(200, b"<html>hello</html>", kind="text/html"),
        answer(404, b"<html>not here</html>", kind="text/html"),
        answer(302, b"", "Location: http://127.0.0.1:1/elsewhere"),
        answer(200, b'{"id": 5}'),
    ],
)
def test_what_is_no_server_of_headway_is_told(connect: Connect, reply: bytes) -> None:
    with scripted(reply) as server, pytest.raises(InvalidValueError, match="no server of Headway"):
        connect(server.url).call(workspace.ENSURE, ASK)
    assert len(server.requests) == 1


def test_within_a_bound_nobody_waits_longer(connect: Connect, times: Times) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        connection = connect(f"http://127.0.0.1:{free.getsockname()[1]}")
        with connection.bounded(3.0), connection.bounded(9.0):
            with pytest.raises(ServerUnavailableError):
                connection.call(workspace.ENSURE, ASK)
            assert times.now == pytest.approx(3.0)
            with pytest.raises(ServerUnavailableError, match="in time"):
                connection.call(workspace.ENSURE, ASK)
    assert times.now == pytest.approx(3.0)


def test_a_child_made_by_fork_has_connections_of_its_own(api: RemoteWorkspace) -> None:
    mine = api.experiments.ensure("mine")
    theirs = api.experiments.ensure("theirs")
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            found = [api.experiments.get(theirs.id) for _ in range(30)]
            code = 0 if found == [theirs] * 30 else 2
        finally:
            os._exit(code)
    assert [api.experiments.get(mine.id) for _ in range(30)] == [mine] * 30
    _, status = os.waitpid(pid, 0)
    assert status == 0


# ---------------------------------------------------------------- downloads


def read(connection: Connection) -> BinaryIO:
    return opened(connection, files.OPEN, files.OpenFile("r", "a/b"))


def blocks(*parts: bytes, whole: bool = True) -> bytes:
    """An answer in blocks, of which the last may be missing."""
    body = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + body + (b"0\r\n\r\n" if whole else b"")


def test_a_download_goes_on_where_it_was(connect: Connect) -> None:
    answers = [blocks(b"one ", whole=False), LOST, blocks(b"two ", whole=False), blocks(b"three")]
    with scripted(*answers) as server, read(connect(server.url)) as stream:
        assert stream.read() == b"one two three"
    queries = [request.split(b" ", 2)[1].partition(b"?")[2] for request in server.requests]
    assert queries == [
        b"path=a%2Fb&offset=0",
        b"path=a%2Fb&offset=4",
        b"path=a%2Fb&offset=4",
        b"path=a%2Fb&offset=8",
    ]


def test_damage_at_the_end_of_a_download_is_told(connect: Connect) -> None:
    damaged = failure(500, "storage_corrupt", "it is damaged")
    answers = [blocks(b"all of it", whole=False), damaged]
    with scripted(*answers) as server, read(connect(server.url)) as stream:
        assert stream.read(9) == b"all of it"
        with pytest.raises(StorageCorruptError, match="it is damaged"):
            stream.read()


def test_an_absent_file_is_told_before_it_is_read(connect: Connect) -> None:
    absent = failure(404, "run_not_found", "no run")
    with scripted(absent) as server, pytest.raises(RunNotFoundError):
        read(connect(server.url))


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize("cls", list(ERROR_CODES))
def test_every_error_travels(cls: type[HeadwayError]) -> None:
    failed = failure_of(cls("what, which, next"))
    error = error_of(failed, ERROR_CODES[cls].http_status)
    assert type(error) is cls
    assert error.message == "what, which, next"


def test_the_place_of_a_wrong_filter_travels() -> None:
    error = error_of(failure_of(FilterError("expected a value", 7)), 400)
    assert isinstance(error, FilterError)
    assert error.position == 7


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, UserError),
        (404, NotFoundError),
        (418, UserError),
        (500, StorageError),
        (502, ServerUnavailableError),
        (504, ServerUnavailableError),
        (507, StorageFullError),
    ],
)
def test_an_error_of_a_newer_server_is_one_of_its_kind(
    status: int, kind: type[HeadwayError]
) -> None:
    assert isinstance(error_of(Failure("unheard_of", "text"), status), kind)
