"""One file on the web."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from headway.data.remote import open_place
from headway.errors import InvalidValueError, StorageError

pytestmark = pytest.mark.enable_socket  # a server on this machine


class Site(BaseHTTPRequestHandler):
    """Serves one content, and counts how often it was downloaded."""

    content: ClassVar[bytes] = b""
    tag: ClassVar[str | None] = None
    knows_head: ClassVar[bool] = True
    downloads: ClassVar[int] = 0

    def do_HEAD(self) -> None:
        self.send_response(200 if Site.knows_head else 405)
        self._end()

    def do_GET(self) -> None:
        Site.downloads += 1
        found = self.path != "/nothing"
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", str(len(Site.content)))
        self._end()
        self.wfile.write(Site.content)

    def _end(self) -> None:
        if Site.tag:
            self.send_header("ETag", Site.tag)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[str]:
    Site.content, Site.tag, Site.knows_head, Site.downloads = b"x\n1\n", '"1"', True, 0
    with HTTPServer(("127.0.0.1", 0), Site) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_file_is_fetched_again_only_when_it_has_changed(site: str, tmp_path: Path) -> None:
    place = open_place(f"{site}/deep/data.csv?key=1", tmp_path)
    assert place.files() == ["data.csv"]
    for _ in range(2):
        assert place.local("data.csv").read_bytes() == b"x\n1\n"
    assert Site.downloads == 1
    Site.content, Site.tag = b"x\n2\n", '"2"'
    assert place.local("data.csv").read_bytes() == b"x\n2\n"


def test_a_server_without_head_is_asked_for_the_file_each_time(site: str, tmp_path: Path) -> None:
    Site.knows_head = False
    place = open_place(f"{site}/data.csv", tmp_path)
    for _ in range(2):
        assert place.local("data.csv").read_bytes() == b"x\n1\n"
    assert Site.downloads == 2


def test_what_cannot_be_had_is_an_error_and_a_copy_is_better(site: str, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="404"):
        open_place(f"{site}/nothing", tmp_path).local("nothing")
    gone = open_place("http://127.0.0.1:9/data.csv", tmp_path)
    with pytest.raises(StorageError, match="127"):
        gone.local("data.csv")
    with pytest.raises(InvalidValueError, match="nothing can be written"):
        gone.put(tmp_path, "data.csv")
