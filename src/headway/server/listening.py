"""The socket of a server, and the loop that answers on it."""

import contextlib
import signal
import socket
import threading
from collections.abc import Generator
from pathlib import Path
from types import FrameType
from typing import Final, NamedTuple

import uvicorn
from starlette.types import ASGIApp

from headway.errors import ConfigurationError
from headway.server.patience import PATIENCE_S, allow_many_connections, connections
from headway.server.stopping import Stopping

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
_BACKLOG: Final = 1_024
_KEEP_ALIVE_S: Final = 75
GRACE_S: Final = 10
"""How long requests that are being answered have when the server is told to stop."""


class Certificate(NamedTuple):
    """Files in PEM form."""

    certificate: Path
    key: Path | None
    """None where it stands in the same file."""


class Listener:
    """Answers on an address, from the moment that it is made.

    Args:
        app: What answers.
        host: The address to listen at.
        port: The port; 0 for one that is free.
        certificate: With it, it speaks TLS.
        stopping: Begun when it is told to stop.
        patience_s: How far apart it looks for clients that do not go on.

    Raises:
        ConfigurationError: It cannot listen there, or the certificate cannot be used.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        host: str,
        port: int,
        certificate: Certificate | None = None,
        stopping: Stopping | None = None,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._socket = _bound(host, port)
        bound: tuple[str, int] = self._socket.getsockname()[:2]
        self.port = bound[1]
        config = uvicorn.Config(
            app,
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            http=connections(patience_s),
            ws="none",
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=GRACE_S,
            ssl_certfile=certificate and certificate.certificate,
            ssl_keyfile=certificate and certificate.key,
        )
        try:
            config.load()
        except (OSError, ValueError) as error:  # ssl.SSLError among them
            self._socket.close()
            raise ConfigurationError(
                f"the certificate cannot be used: {error}; give --certificate and --key as files "
                "in PEM form that belong together"
            ) from error
        self._server = _Server(config, stopping or Stopping())
        shown = f"[{host}]" if ":" in host else host
        self.url = f"{'https' if certificate else 'http'}://{shown}:{self.port}"

    def run(self) -> None:
        """Answer until SIGTERM or SIGINT, or until ``stop``.

        What is being answered then is answered, in ``GRACE_S`` seconds at most.
        """
        allow_many_connections()
        with contextlib.closing(self._socket), _ended_by_signals():
            self._server.run(sockets=[self._socket])

    def stop(self) -> None:
        """Have ``run`` end, from any thread."""
        self._server.should_exit = True


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, stopping: Stopping) -> None:
        super().__init__(config)
        self._stopping = stopping

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._stopping.begin()
        await super().shutdown(sockets)


@contextlib.contextmanager
def _ended_by_signals() -> Generator[None]:
    """SIGTERM and SIGINT end the block and no more: uvicorn raises them again when it is done."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, _ignore) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """Nothing is left to be done."""


@contextlib.contextmanager
def in_thread(listener: Listener) -> Generator[str]:
    """Answer in a thread of this process; gives the URL."""
    thread = threading.Thread(target=listener.run, name="headway-server")
    thread.start()
    try:
        yield listener.url
    finally:
        listener.stop()
        thread.join()


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # By its protocol asyncio knows that answers are to be sent at once, not 40 ms later.
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        made.listen(_BACKLOG)
    except OSError as error:
        made.close()
        raise ConfigurationError(
            f"the server cannot listen at {host}:{port}: {error.strerror}; give another --host or "
            "--port"
        ) from error
    return made
