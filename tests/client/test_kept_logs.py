"""Logs that wait on this machine until the server has them."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from headway.client.kept_logs import KeptLogs, left_logs, send_file, sweep
from headway.errors import InvalidValueError, ServerUnavailableError, StorageCorruptError

if TYPE_CHECKING:
    from headway.api import Files

LOG = "logs/user_log.txt"


class Server:
    """Takes logs in by offset, or is away."""

    def __init__(self) -> None:
        self.away = False
        self.logs: dict[tuple[str, str], bytes] = {}

    def append(self, run_id: str, path: str, offset: int, data: bytes) -> int:
        if self.away:
            raise ServerUnavailableError("away")
        before = self.logs.get((run_id, path), b"")
        assert offset <= len(before)
        self.logs[run_id, path] = before + data[len(before) - offset :]
        return len(self.logs[run_id, path])


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "logs"


def kept(folder: Path, server: Server) -> KeptLogs:
    return KeptLogs(folder, cast("Files", cast("Any", server)))


def left(folder: Path) -> list[bytes]:
    return [
        one.file.read_bytes().partition(b"\n")[2] for _, many in left_logs(folder) for one in many
    ]


def test_what_is_kept_is_sent_once_and_then_gone(folder: Path, server: Server) -> None:
    logs = kept(folder, server)
    assert logs.append("r", LOG, 0, b"one ") == 4
    logs.send()
    logs.append("r", LOG, 4, b"two")
    assert logs.waiting_bytes("r") == 3
    logs.send("r")
    assert server.logs == {("r", LOG): b"one two"}
    logs.drop("r")
    assert list(folder.rglob("*.log")) == []
    logs.close()
    assert list(folder.iterdir()) == []


def test_a_stretch_given_twice_is_kept_once(folder: Path, server: Server) -> None:
    logs = kept(folder, server)
    logs.append("r", LOG, 0, b"abc")
    assert logs.append("r", LOG, 1, b"bcd") == 4
    with pytest.raises(InvalidValueError, match="between"):
        logs.append("r", LOG, 9, b"x")
    logs.send()
    assert server.logs["r", LOG] == b"abcd"
    logs.close()


def test_while_the_server_is_away_nothing_is_lost_and_nobody_takes_it(
    folder: Path, server: Server
) -> None:
    logs = kept(folder, server)
    server.away = True
    logs.append("r", LOG, 0, b"printed")
    with pytest.raises(ServerUnavailableError):
        logs.send()
    logs.drop("r")
    assert logs.waiting_bytes() == 7
    assert left(folder) == []  # its process lives
    logs.close()
    assert left(folder) == [b"printed"]


def test_what_a_dead_process_left_is_sent_from_where_the_server_stands(
    folder: Path, server: Server
) -> None:
    logs = kept(folder, server)
    logs.append("r", LOG, 0, b"0123456789")
    logs.forget()  # as when it is killed
    files = cast("Files", cast("Any", server))
    server.append("r", LOG, 0, b"0123")
    for one_process, many in left_logs(folder):
        for one in many:
            assert send_file(files, one.file, 4) == 10
            one.file.unlink()
        sweep(one_process)
    assert server.logs["r", LOG] == b"0123456789"
    assert list(folder.iterdir()) == []


def test_a_log_that_was_begun_elsewhere_goes_on_where_it_was(folder: Path, server: Server) -> None:
    server.append("r", LOG, 0, b"before ")
    logs = kept(folder, server)
    assert logs.append("r", LOG, 7, b"after") == 12
    logs.send()
    assert server.logs["r", LOG] == b"before after"
    logs.close()


def test_a_forked_child_leaves_the_logs_to_its_parent(folder: Path, server: Server) -> None:
    logs = kept(folder, server)
    logs.append("r", LOG, 0, b"of the parent")
    child = os.fork()
    if child == 0:
        logs.append("r", LOG, 0, b"of the child")
        os._exit(0 if logs.waiting_bytes() == 12 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert left(folder) == [b"of the child"]
    logs.close()


def test_a_file_without_a_header_is_said_to_be_damaged(folder: Path, server: Server) -> None:
    folder.mkdir()
    file = folder / "x.log"
    file.write_bytes(b"not json\nrest")
    with pytest.raises(StorageCorruptError, match=r"x\.log"):
        send_file(cast("Files", cast("Any", server)), file, 0)
