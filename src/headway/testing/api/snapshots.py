"""``api.snapshots``."""

import zipfile
from pathlib import Path

import pytest

from headway.api import Api
from headway.errors import ConflictError, NotFoundError, SnapshotError
from headway.testing.api.requests import follow, new_run, submit


class SnapshotContract:
    """``api.snapshots``."""

    def test_a_submitted_run_has_a_snapshot_of_its_source(
        self, api: Api, experiment_id: str, tmp_path: Path
    ) -> None:
        (tmp_path / "hello.py").write_text("print('hello')\n")
        first = submit(api, experiment_id, tmp_path, "hello.py")
        second = submit(api, experiment_id, tmp_path, "hello.py")
        assert first.snapshot_id is not None
        assert first.snapshot_id == second.snapshot_id
        assert first.properties["ContentSnapshotId"] == first.snapshot_id
        for run in (first, second):
            follow(api, run.id)

    def test_what_changed_between_two_runs_is_shown(
        self, api: Api, experiment_id: str, tmp_path: Path
    ) -> None:
        ids: list[str] = []
        for text in ("a = 1\n", "a = 2\n"):
            (tmp_path / "code.py").write_text(text)
            [run] = api.runs.create([new_run(experiment_id)])
            ids.append(api.snapshots.take(run.id, tmp_path))
            assert api.runs.get(run.id).snapshot_id == ids[-1]
        lines = list(api.snapshots.diff(ids[0], ids[1]))
        assert "-a = 1" in lines
        assert "+a = 2" in lines
        assert list(api.snapshots.diff(ids[0], ids[0])) == []

    def test_a_run_has_one_snapshot(self, api: Api, experiment_id: str, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("x")
        [run] = api.runs.create([new_run(experiment_id)])
        taken = api.snapshots.take(run.id, tmp_path / "file")
        with pytest.raises(ConflictError, match=taken):
            api.snapshots.take(run.id, tmp_path)

    def test_a_snapshot_comes_back_as_a_zip(
        self, api: Api, experiment_id: str, tmp_path: Path
    ) -> None:
        source = tmp_path / "source"
        source.mkdir()
        (source / "file").write_text("content")
        [run] = api.runs.create([new_run(experiment_id)])
        api.snapshots.write_zip(api.snapshots.take(run.id, source), tmp_path / "out.zip")
        with zipfile.ZipFile(tmp_path / "out.zip") as archive:
            assert archive.read("file") == b"content"

    def test_an_absent_snapshot_or_source_is_an_error(
        self, api: Api, experiment_id: str, tmp_path: Path
    ) -> None:
        [run] = api.runs.create([new_run(experiment_id)])
        with pytest.raises(SnapshotError, match="absent"):
            api.snapshots.take(run.id, tmp_path / "absent")
        with pytest.raises(NotFoundError):
            api.snapshots.write_zip("0" * 64, tmp_path / "out.zip")
        with pytest.raises(NotFoundError):
            list(api.snapshots.diff("0" * 64, "nonsense"))
        assert not (tmp_path / "out.zip").exists()
