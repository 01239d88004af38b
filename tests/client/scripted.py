"""A server that answers as a test says, request by request."""

import socket
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from typing import Final

LOST: Final = b""
"""In place of an answer: the connection is closed when the request has come."""


def answer(status: int, body: bytes, *headers: str, kind: str = "application/json") -> bytes:
    """An answer as it goes over the wire."""
    head = [f"HTTP/1.1 {status} X", f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
    return "\r\n".join([*head, *headers, "", ""]).encode() + body


def failure(status: int, code: str, message: str, *headers: str) -> bytes:
    """An answer that is an error."""
    body = f'{{"error": {{"code": "{code}", "message": "{message}"}}, "request_id": "r"}}'
    return answer(status, body.encode(), *headers)


class Scripted:
    """Takes one request a connection.

    Attributes:
        url: Where it is.
        requests: What came, head and body.
    """

    def __init__(self, answers: Sequence[bytes]) -> None:
        self._answers = list(answers)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.requests: list[bytes] = []
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        with self._socket:
            for reply in self._answers:
                connection, _ = self._socket.accept()
                with connection, suppress(ConnectionError):
                    self.requests.append(_request(connection))
                    connection.sendall(reply.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))

    def close(self) -> None:
        """Let what was not asked for go."""
        while self._thread.is_alive():
            with suppress(OSError):
                socket.create_connection(self._socket.getsockname(), 0.1).close()
            self._thread.join(0.05)


@contextmanager
def scripted(*answers: bytes) -> Generator[Scripted]:
    """A server that gives these answers and is gone then."""
    made = Scripted(answers)
    try:
        yield made
    finally:
        made.close()


def _request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65_536)
        if not part:
            return data
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    length = int(lengths[0].partition(b":")[2]) if lengths else 0
    while len(body) < length:
        body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body
