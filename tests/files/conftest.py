"""An S3 API of this machine's own, and one that fails as it is told to."""

import http.server
import logging
import threading
import urllib.request
import uuid
from collections.abc import Callable, Iterator

import pytest
from moto.server import ThreadedMotoServer


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3_environment(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    def use(endpoint: str) -> None:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a planted secret")
        monkeypatch.setenv("AWS_REGION", "us-east-1")
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        monkeypatch.setenv("AWS_ALLOW_HTTP", "true")

    return use


@pytest.fixture
def bucket(s3_endpoint: str, s3_environment: Callable[[str], None]) -> str:
    """The address of an empty place in a bucket of its own."""
    s3_environment(s3_endpoint)
    name = f"b{uuid.uuid4().hex}"
    request = urllib.request.Request(f"{s3_endpoint}/{name}", method="PUT")
    urllib.request.urlopen(request).close()
    return f"s3://{name}/some/path"


class FailingStore:
    """An S3 API of which a test says what it answers."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, bytes, int]] = []
        """Status, body and the length that is announced; the last one stays."""
        self.requests: list[tuple[str, str, str]] = []
        """Method, path and range."""
        self.content = b""
        """What is to be downloaded."""
        self.cuts: list[int] = []
        """After how many bytes each download breaks off."""

    def serve(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        wanted = handler.headers.get("Range") or ""
        self.requests.append((str(handler.command), handler.path, wanted))
        begin, _, end = wanted.removeprefix("bytes=").partition("-")
        if self.content and handler.command == "GET":
            rest = self.content[int(begin or 0) : int(end) + 1 if end else None]
            status, body, length = 206, rest[: self.cuts.pop(0) if self.cuts else None], len(rest)
        else:
            answer = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
            status, body, length = answer
        handler.send_response(status)
        handler.send_header("Content-Length", str(length))
        handler.send_header("ETag", '"tag"')
        handler.send_header("Last-Modified", "Tue, 24 Nov 2026 03:35:08 GMT")
        if status == 206:
            first, whole = int(begin or 0), len(self.content)
            handler.send_header("Content-Range", f"bytes {first}-{first + length - 1}/{whole}")
        handler.send_header("Connection", "close")
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(body)
        handler.close_connection = True


@pytest.fixture
def failing_store(s3_environment: Callable[[str], None]) -> Iterator[FailingStore]:
    store = FailingStore()

    class Handler(http.server.BaseHTTPRequestHandler):
        def handle_one(self) -> None:
            store.serve(self)

        do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = handle_one  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    s3_environment(f"http://127.0.0.1:{server.server_port}")
    yield store
    server.shutdown()
    server.server_close()
    thread.join()
