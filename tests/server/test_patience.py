"""Clients that stop in the midst of what they owe, beside those that are merely slow."""

import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.server.secured import Secured

from headway.server.access import TokenGate
from headway.server.app import make_app
from headway.server.backends import Backends
from headway.server.listening import Listener, in_thread
from headway.server.patience import LEAST_BYTES
from headway.server.workspaces import Hub
from headway.settings import load_settings

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

PATIENCE_S = 0.15
SEARCH = b"POST /api/v1/workspaces/default/runs:search HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Secured]:
    hub = Hub(Backends(tmp_path, patience_s=10.0), load_settings({}))
    app = make_app(hub, TokenGate(hub.accounts))
    listener = Listener(app, host="127.0.0.1", port=0, patience_s=PATIENCE_S)
    with in_thread(listener) as url:
        yield Secured(url, hub, tmp_path)


@pytest.fixture
def line(server: Secured) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", server.port), timeout=8) as made:
        yield made


def authorized(server: Secured, *headers: bytes) -> bytes:
    lines = [b"Authorization: Bearer " + server.admin.encode(), *headers]
    return SEARCH + b"\r\n".join([*lines, b"", b""])


def is_cut(line: socket.socket) -> bool:
    """Wait until the other end closes, which a timeout of the socket would say otherwise."""
    try:
        while line.recv(1 << 16):
            pass
    except ConnectionResetError:
        pass
    return True


@pytest.mark.parametrize("sent", [b"", b"GE", SEARCH, SEARCH + b"X-Slow: "])
def test_a_head_that_does_not_come_is_not_waited_for(line: socket.socket, sent: bytes) -> None:
    line.sendall(sent)
    assert is_cut(line)


def test_a_head_that_drips_is_not_waited_for(line: socket.socket) -> None:
    line.settimeout(0.02)
    deadline = time.monotonic() + 8
    line.sendall(SEARCH)
    while time.monotonic() < deadline:
        try:
            line.sendall(b"X-Slow: 1\r\n")
            assert line.recv(1) == b""
        except TimeoutError:
            continue
        except OSError:
            pass
        return
    raise AssertionError("it is still open")


def test_a_second_head_that_does_not_come_is_not_waited_for(
    server: Secured, line: socket.socket
) -> None:
    line.sendall(authorized(server, b"Content-Length: 2") + b"{}")
    assert line.recv(1 << 16).startswith(b"HTTP/1.1 200")
    line.sendall(b"POST /api")
    assert is_cut(line)


def test_a_body_that_does_not_come_is_not_waited_for_and_is_no_error_of_ours(
    server: Secured, line: socket.socket
) -> None:
    line.sendall(authorized(server, b"Content-Length: 100") + b"{")
    assert is_cut(line)
    counted = server.ask("GET", "/metrics", token=server.admin).body.decode()
    assert 'operation="runs.list",status="499"' in counted
    assert not re.search(r'status="5', counted)


def test_an_answer_that_is_not_read_is_given_up(server: Secured, line: socket.socket) -> None:
    ask = (
        b"GET /api/v1/openapi.json HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n"
    )
    line.sendall(ask % server.admin.encode() * 400)

    def written() -> int:
        counted = server.ask("GET", "/metrics", token=server.admin).body.decode()
        [number] = re.findall(r'requests_total\{operation="describe",status="200"\} (\S+)', counted)
        return int(float(number))

    deadline = time.monotonic() + 8
    seen = [-1, written()]
    while seen[-1] != seen[-2] and time.monotonic() < deadline:
        time.sleep(2.5 * PATIENCE_S)
        seen.append(written())
    assert seen[-1] < 400
    assert is_cut(line)


def test_a_slow_body_that_goes_on_is_taken_in(server: Secured, line: socket.socket) -> None:
    parts = 8
    filler = b" " * LEAST_BYTES
    line.sendall(authorized(server, b"Content-Length: %d" % (parts * LEAST_BYTES + 2)))
    for _ in range(parts):
        line.sendall(filler)
        time.sleep(PATIENCE_S / 2)
    line.sendall(b"{}")
    assert line.recv(1 << 16).startswith(b"HTTP/1.1 200")


def test_a_connection_kept_for_the_next_request_is_kept(
    server: Secured, line: socket.socket
) -> None:
    for _ in range(2):
        line.sendall(authorized(server, b"Content-Length: 2") + b"{}")
        assert line.recv(1 << 16).startswith(b"HTTP/1.1 200")
        time.sleep(4 * PATIENCE_S)
