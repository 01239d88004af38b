"""Several servers over one database and one bucket, without a disk that they share."""

from pathlib import Path

import pytest
from blake3 import blake3

from headway.contents import NewUpload
from headway.service.storage import object_storage
from headway.service.workspace import EmbeddedWorkspace, open_workspace
from headway.settings import load_settings
from headway.store.sqlite import SqliteDatabase
from headway.testing.api.requests import new_run

PART = 1 << 16
CONTENT = blake3(b"content").digest(length=40 * PART)


@pytest.mark.enable_socket
def test_servers_without_a_shared_disk_work_as_one(bucket: str, tmp_path: Path) -> None:
    def server(name: str) -> EmbeddedWorkspace:
        database = SqliteDatabase(tmp_path / "headway.db", busy_timeout_s=10)
        storage = object_storage(bucket, "team")
        return open_workspace(
            tmp_path / name, load_settings(), name="team", database=database, storage=storage
        )

    one, two = server("one"), server("two")
    [run] = one.runs.create([new_run(one.experiments.ensure("e").id)])
    new = NewUpload("upload", len(CONTENT), blake3(CONTENT).hexdigest())
    for number, at in enumerate(range(0, len(CONTENT), 8 * PART)):
        server_now = (one, two)[number % 2]
        assert server_now.uploads.begin(new) == at
        server_now.uploads.append(new.id, at, CONTENT[at : at + 8 * PART])
    two.uploads.put_files(run.id, {"outputs/model": new.id})
    one.files.append(run.id, "user_logs/std_log.txt", 0, b"one\n")
    two.files.append(run.id, "user_logs/std_log.txt", 4, b"two\n")
    (tmp_path / "train.py").write_text("print('hello')\n")
    snapshot_id = one.snapshots.take(run.id, tmp_path / "train.py")
    for workspace in (one, two):
        with workspace.files.open(run.id, "outputs/model") as stream:
            assert stream.read() == CONTENT
        with workspace.files.open(run.id, "user_logs/std_log.txt") as stream:
            assert stream.read() == b"one\ntwo\n"
        workspace.snapshots.write_zip(snapshot_id, tmp_path / "out.zip")
    one.close()
    two.close()
