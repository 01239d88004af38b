"""Uploads, whatever ends the process that takes them in."""

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from blake3 import blake3

from headway.contents import NewUpload
from headway.errors import NotFoundError
from headway.files.log_folder import FolderLogs
from headway.service.workspace import EmbeddedWorkspace, open_workspace
from headway.settings import load_settings
from headway.testing.api.requests import new_run

PART = 1 << 16
CONTENT = blake3(b"content").digest(length=40 * PART)

SEND = """
import sys
from pathlib import Path
from blake3 import blake3
from headway.contents import NewUpload
from headway.service.workspace import open_workspace
from headway.settings import load_settings

content = blake3(b"content").digest(length=40 * (1 << 16))
uploads = open_workspace(Path(sys.argv[1]), load_settings()).uploads
at = uploads.begin(NewUpload("upload", len(content), blake3(content).hexdigest()))
while at < len(content):
    # Some of it again, as after a lost answer.
    at = uploads.append("upload", max(0, at - 1000), content[max(0, at - 1000) : at + (1 << 16)])
    print(at, flush=True)
"""

FILL = """
import os, sys
from pathlib import Path
from headway.errors import StorageFullError
from headway.files.log_folder import FolderLogs

root = Path(sys.argv[1])
(root / "filler").write_bytes(bytes(600_000))
logs, content = FolderLogs(root / "logs", durable=True), os.urandom(900_000)
try:
    logs.append("upload", "content", 0, content)
except StorageFullError as error:
    print(error)
print(logs.size("upload", "content") <= len(content))
(root / "filler").unlink()
print(logs.append("upload", "content", 0, content) == len(content))
print(logs.read("upload", "content", 0, 1 << 20) == content)
"""


@pytest.fixture
def workspace(tmp_path: Path) -> EmbeddedWorkspace:
    return open_workspace(tmp_path / "workspace", load_settings())


def test_an_upload_goes_on_where_a_killed_process_ended(
    workspace: EmbeddedWorkspace, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", SEND, str(tmp_path / "workspace")]
    told = 0
    for parts in (1, 5, 12):
        sender = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert sender.stdout is not None
        for _ in range(parts):
            told = int(sender.stdout.readline())
        sender.kill()
        sender.wait(10)
        sender.stdout.close()
        new = NewUpload("upload", len(CONTENT), blake3(CONTENT).hexdigest())
        assert workspace.uploads.begin(new) >= told
    subprocess.run(command, check=True, capture_output=True)
    [run] = workspace.runs.create([new_run(workspace.experiments.ensure("e").id)])
    [entry] = workspace.uploads.put_files(run.id, {"model": "upload"})
    assert entry.blake3 == blake3(CONTENT).hexdigest()


def test_parts_are_taken_in_again_when_there_is_space(
    tmp_path: Path, require_program: Callable[[str], str]
) -> None:
    unshare = require_program("unshare")
    mount = f"mount -t tmpfs -o size=1m tmpfs '{tmp_path}' && exec \"$@\""
    inside = [unshare, "--user", "--map-root-user", "--mount", "sh", "-c", mount, "sh"]
    if subprocess.run([*inside, "true"], check=False).returncode:
        pytest.skip("this machine lets no user mount a small file system")
    command = [*inside, sys.executable, "-c", FILL, str(tmp_path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    message, *facts = done.stdout.splitlines()
    assert message.startswith("no space is left under ")
    assert facts == ["True"] * 3


def test_what_nobody_goes_on_with_is_collected(
    workspace: EmbeddedWorkspace, tmp_path: Path
) -> None:
    uploads = workspace.uploads
    for upload_id in ("old", "young"):
        uploads.begin(NewUpload(upload_id, 10))
        uploads.append(upload_id, 0, b"12345")
    for path in (tmp_path / "workspace" / "uploads" / "old").iterdir():
        os.utime(path, (1, 1))
    before = time.time_ns() // 1000 - 3_600_000_000
    [found] = uploads.collect(before, dry_run=True)
    assert found.upload_id == "old"
    assert found.size_bytes > 5
    assert list(uploads.collect(before, dry_run=False)) == [found]
    assert list(uploads.collect(before, dry_run=False)) == []
    with pytest.raises(NotFoundError, match="lay untouched"):
        uploads.append("old", 5, b"67890")
    assert uploads.append("young", 5, b"67890") == 10


def test_what_was_announced_in_part_is_announced_again(
    workspace: EmbeddedWorkspace, tmp_path: Path
) -> None:
    new = NewUpload(uuid.uuid4().hex, 10)
    workspace.uploads.begin(new)
    announced = tmp_path / "workspace" / "uploads" / new.id / "announced"
    announced.write_bytes(announced.read_bytes()[:7])
    assert workspace.uploads.begin(new) == 0
    assert workspace.uploads.append(new.id, 0, bytes(10)) == 10


def test_the_content_of_a_kept_upload_is_not_stored_twice(
    workspace: EmbeddedWorkspace, tmp_path: Path
) -> None:
    [run] = workspace.runs.create([new_run(workspace.experiments.ensure("e").id)])
    workspace.uploads.begin(NewUpload("upload", len(CONTENT)))
    workspace.uploads.append("upload", 0, CONTENT)
    workspace.uploads.put_files(run.id, {"a": "upload"})
    [kept] = [p for p in (tmp_path / "workspace").rglob("*") if p.name == "content"] or [None]
    assert kept is None


def test_parts_are_durable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    fsync = os.fsync

    def note(fd: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{fd}"))
        fsync(fd)

    monkeypatch.setattr(os, "fsync", note)
    FolderLogs(tmp_path, durable=True).append("upload", "content", 0, b"x")
    assert synced[-2:] == [str(tmp_path / "upload" / "content"), str(tmp_path / "upload")]
