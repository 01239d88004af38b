"""A server as users start it, under requests that want its memory."""

import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import pytest
from tests.server.started import Started, started

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

PATH: Final = "/api/v1/workspaces/default/experiments"
MOST_GROWTH_BYTES: Final = 64 << 20
CHUNK: Final = b"10000\r\n" + b"[" * 0x10000 + b"\r\n"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Started]:
    with started(tmp_path / "root") as made:
        yield made


def bomb() -> bytes:
    """64 MB of brackets, packed."""
    packer = zlib.compressobj(9, wbits=31)
    block = b"[" * (1 << 20)
    return b"".join(packer.compress(block) for _ in range(64)) + packer.flush()


def attacks(server: Started) -> dict[str, tuple[Callable[[], tuple[int, bytes]], set[int]]]:
    """What is tried, and which answers are right; 0 where the connection was cut."""
    post = f"POST {PATH} HTTP/1.1".encode()
    get = f"GET {PATH} HTTP/1.1".encode()
    put = b"PUT /api/v1/workspaces/default/runs/absent/file?path=x HTTP/1.1"
    auth = f"Authorization: Bearer {server.token}".encode()
    chunked = b"Transfer-Encoding: chunked"
    ranges = b"Range: bytes=" + b",".join(b"%d-%d" % (i, i) for i in range(10_000))
    packed = bomb()
    nested = b'{"name":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    return {
        "10 GB announced": (
            lambda: server.stream(post, [], auth, b"Content-Length: 10737418240"),
            {413},
        ),
        "10 GB announced by nobody": (
            lambda: server.stream(post, [], b"Content-Length: 10737418240"),
            {413},
        ),
        "endless": (lambda: server.stream(post, [CHUNK] * 1_000, auth, chunked), {413, 0}),
        "endless file": (lambda: server.stream(put, [CHUNK] * 1_000, auth, chunked), {413, 0}),
        "endless by nobody": (lambda: server.stream(post, [CHUNK] * 1_000, chunked), {401, 0}),
        "packed": (lambda: server.send(post, packed, auth, b"Content-Encoding: gzip"), {415, 0}),
        "packed and not said": (lambda: server.send(post, packed, auth), {400, 413, 0}),
        "nested": (lambda: server.send(post, nested, auth), {400}),
        "ranges": (lambda: server.send(get, b"", auth, ranges), {400, 416, 0}),
        "not a number": (lambda: server.send(post, b'{"name": NaN}', auth), {400}),
    }


def test_hostile_bodies_cost_no_memory_and_keep_nobody_waiting(server: Started) -> None:
    tried = attacks(server)
    server.send(f"POST {PATH} HTTP/1.1".encode(), b"{}")  # what is loaded once is loaded
    server.forget_peak()
    before = server.memory_bytes("VmRSS")
    with ThreadPoolExecutor(4) as pool:
        running = {name: [pool.submit(act) for _ in range(4)] for name, (act, _) in tried.items()}
        while not all(future.done() for several in running.values() for future in several):
            assert server.send(b"GET /health HTTP/1.1")[0] == 200
    for name, several in running.items():
        statuses = {future.result()[0] for future in several}
        assert statuses <= tried[name][1], name
    assert server.memory_bytes("VmHWM") - before < MOST_GROWTH_BYTES
