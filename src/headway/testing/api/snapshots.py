"""``api.snapshots``."""

import io
import zipfile
from pathlib import Path
from typing import Final

import msgspec
import pytest
from blake3 import blake3

from headway.api import Api
from headway.contents import Content
from headway.errors import ConflictError, InvalidValueError, NotFoundError, SnapshotError
from headway.testing.api.requests import follow, new_run, submit


def file(path: str, content: bytes = b"", **other: object) -> dict[str, object]:
    """An entry for a file."""
    entry = {"path": path, "mode": 0o644, "blake3": blake3(content).hexdigest()}
    return {**entry, **({"size_bytes": len(content)} if content else {}), **other}


def folder(path: str) -> dict[str, object]:
    """An entry for a folder."""
    return {"path": path, "kind": "folder", "mode": 0o755}


def link(path: str, target: str) -> dict[str, object]:
    """An entry for a symbolic link."""
    return {"path": path, "kind": "link", "target": target}


_ORDER: Final = ["path", "kind", "mode", "size_bytes", "blake3", "target"]


def listed(*entries: dict[str, object]) -> bytes:
    """A list of files as it is written down."""
    ordered = sorted(entries, key=lambda entry: str(entry["path"]))
    written = [{key: one[key] for key in _ORDER if key in one} for one in ordered]
    return msgspec.json.encode({"format": 1, "entries": written})


REFUSED: Final = (
    b"",
    b"{}",
    b"nonsense",
    b'{"format":1,"entries":[' + b"[" * 100_000,
    listed(file("a")).replace(b":", b": "),
    listed(file("../a")),
    listed(file("/a")),
    listed(file("a/./b"), folder("a")),
    listed(file("a//b"), folder("a")),
    listed(file("")),
    listed(file("a"), file("a")),
    listed(file("a/b")),
    listed(file("link/passwd"), link("link", "/etc")),
    listed(file("a\\x00b")),
    listed(file("x" * 256)),
    listed(file("/".join("abcdefghij" * 50 for _ in range(9)))),
    listed(file("a", mode=0o4755)),
    listed(file("a", mode=-1)),
    listed(file("a", blake3="../" + "0" * 61)),
    listed(file("a", size_bytes=-1)),
    listed(file("a", size_bytes=1 << 62)),
    listed(file("a", size_bytes=1.5)),
    listed(file("a", kind="device")),
    listed(file("a", target="b")),
    listed(link("a", "")),
    listed(folder("a") | {"blake3": "0" * 64}),
)
"""What a stranger could send in place of a list of files."""


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

    # ------------------------------------------------------------ from elsewhere

    def test_a_snapshot_comes_from_elsewhere_as_its_list_and_what_is_lacking(
        self, api: Api, experiment_id: str, tmp_path: Path
    ) -> None:
        content = b"print('hello')" * 1000
        digest = blake3(content).hexdigest()
        wanted = [Content(digest, len(content)), Content("0" * 64, 1)]
        assert api.snapshots.missing(wanted) == [digest, "0" * 64]
        manifest = listed(file("src/train.py", content), folder("src"))
        with pytest.raises(ConflictError, match=r"train\.py"):
            api.snapshots.commit(manifest)
        for _ in range(2):
            api.snapshots.put_blob(digest, io.BytesIO(content))
        assert api.snapshots.missing(wanted) == ["0" * 64]
        [run] = api.runs.create([new_run(experiment_id)])
        snapshot_id = api.snapshots.commit(manifest, run.id)
        assert api.snapshots.commit(manifest, run.id) == snapshot_id
        assert api.runs.get(run.id).snapshot_id == snapshot_id
        assert api.runs.get(run.id).properties["ContentSnapshotId"] == snapshot_id
        assert api.snapshots.manifest(snapshot_id) == manifest
        with api.snapshots.open_blob(digest) as stream:
            assert stream.read() == content
        api.snapshots.write_zip(snapshot_id, tmp_path / "out.zip")
        with zipfile.ZipFile(tmp_path / "out.zip") as archive:
            assert archive.read("src/train.py") == content

    def test_what_is_taken_here_is_listed_as_what_comes_from_elsewhere(
        self, api: Api, experiment_id: str, tmp_path: Path
    ) -> None:
        (tmp_path / "src").mkdir()
        (tmp_path / "src" / "train.py").write_bytes(b"x")
        (tmp_path / "link").symlink_to("src/train.py")
        runs = api.runs.create([new_run(experiment_id), new_run(experiment_id)])
        snapshot_id = api.snapshots.take(runs[0].id, tmp_path)
        manifest = api.snapshots.manifest(snapshot_id)
        assert api.snapshots.commit(manifest, runs[1].id) == snapshot_id
        other = listed(file("a", b""))
        api.snapshots.put_blob(blake3(b"").hexdigest(), io.BytesIO())
        with pytest.raises(ConflictError, match=snapshot_id):
            api.snapshots.commit(other, runs[1].id)

    def test_bytes_with_another_hash_are_refused(self, api: Api) -> None:
        digest = blake3(b"content").hexdigest()
        with pytest.raises(InvalidValueError, match=digest):
            api.snapshots.put_blob(digest, io.BytesIO(b"other content"))
        with pytest.raises(NotFoundError, match=digest):
            api.snapshots.open_blob(digest).__enter__()
        for wrong in ("", "../" + "0" * 61, "A" * 64, "0" * 65):
            with pytest.raises(InvalidValueError):
                api.snapshots.put_blob(wrong, io.BytesIO(b""))
            with pytest.raises(InvalidValueError):
                api.snapshots.missing([Content(wrong, 1)])

    def test_many_short_contents_come_at_once(self, api: Api) -> None:
        contents = [b"content %d" % number for number in range(100)]
        blobs = {blake3(content).hexdigest(): content for content in contents}
        api.snapshots.put_blobs(blobs)
        api.snapshots.put_blobs({})
        assert api.snapshots.missing([Content(d, len(c)) for d, c in blobs.items()]) == []
        with pytest.raises(InvalidValueError, match="0" * 64):
            api.snapshots.put_blobs({"0" * 64: b"other"})

    @pytest.mark.parametrize("manifest", REFUSED, ids=range(len(REFUSED)))
    def test_a_list_of_files_that_no_directory_has_is_refused(
        self, api: Api, manifest: bytes
    ) -> None:
        api.snapshots.put_blob(blake3(b"").hexdigest(), io.BytesIO())
        with pytest.raises(InvalidValueError, match="the list of files is not accepted"):
            api.snapshots.commit(manifest)
