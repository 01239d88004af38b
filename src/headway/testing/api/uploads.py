"""``api.uploads``."""

import os
import uuid
from pathlib import Path

import pytest
from blake3 import blake3

from headway.api import Api
from headway.assets import NewAsset, UploadSource
from headway.contents import Content, NewUpload
from headway.errors import (
    ConflictError,
    InvalidValueError,
    NotFoundError,
    RunFileExistsError,
    RunNotFoundError,
)
from headway.testing.api.requests import new_run


class UploadContract:
    """``api.uploads``."""

    def test_a_file_is_brought_in_by_parts(self, api: Api, experiment_id: str) -> None:
        [run] = api.runs.create([new_run(experiment_id)])
        content = os.urandom(250_000)
        new = NewUpload(uuid.uuid4().hex, len(content), blake3(content).hexdigest())
        assert api.uploads.begin(new) == 0
        for at in range(0, len(content), 100_000):
            end = min(at + 100_000, len(content))
            assert api.uploads.append(new.id, at, content[at:end]) == end
            assert api.uploads.begin(new) == end
        [entry] = api.uploads.put_files(run.id, {"outputs/model.pt": new.id})
        assert (entry.size_bytes, entry.blake3) == (len(content), new.blake3)
        with api.files.open(run.id, "outputs/model.pt") as stream:
            assert stream.read() == content
        assert api.files.list(run.id) == [entry]

    def test_a_part_counts_once_and_a_gap_is_refused(self, api: Api, experiment_id: str) -> None:
        [run] = api.runs.create([new_run(experiment_id)])
        upload_id = _upload(api, b"", size=8)
        assert api.uploads.append(upload_id, 0, b"abcd") == 4
        assert api.uploads.append(upload_id, 0, b"abcd") == 4
        assert api.uploads.append(upload_id, 2, b"cdef") == 6
        for offset, part in ((7, b"h"), (-1, b"x"), (6, b"ghi")):
            with pytest.raises(InvalidValueError):
                api.uploads.append(upload_id, offset, part)
        with pytest.raises(ConflictError, match="6 of 8 bytes"):
            api.uploads.put_files(run.id, {"a": upload_id})
        assert api.files.list(run.id) == []
        assert api.uploads.append(upload_id, 6, b"gh") == 8
        api.uploads.put_files(run.id, {"a": upload_id})
        with api.files.open(run.id, "a") as stream:
            assert stream.read() == b"abcdefgh"

    def test_keeping_may_be_repeated(self, api: Api, experiment_id: str) -> None:
        [run] = api.runs.create([new_run(experiment_id)])
        files = {"a": _upload(api, b"first"), "b": _upload(api, b"second")}
        first = api.uploads.put_files(run.id, files)
        assert api.uploads.put_files(run.id, files) == first
        assert api.uploads.append(files["a"], 0, b"first") == 5
        with pytest.raises(RunFileExistsError):
            api.uploads.put_files(run.id, {"a": _upload(api, b"first")})
        assert api.files.list(run.id) == first

    def test_a_short_file_is_kept_by_one_request_that_may_be_repeated(
        self, api: Api, experiment_id: str
    ) -> None:
        [run] = api.runs.create([new_run(experiment_id)])
        once = uuid.uuid4().hex
        entry = api.uploads.put_file(run.id, "a", once, b"short")
        assert api.uploads.put_file(run.id, "a", once, b"short") == entry
        assert api.files.list(run.id) == [entry]
        for other, content in ((uuid.uuid4().hex, b"short"), (once, b"other")):
            with pytest.raises(RunFileExistsError):
                api.uploads.put_file(run.id, "a", other, content)
        api.uploads.put_file(run.id, "a", uuid.uuid4().hex, b"new", overwrite=True)
        with api.files.open(run.id, "a") as stream:
            assert stream.read() == b"new"
        with pytest.raises(InvalidValueError):
            api.uploads.put_file(run.id, "../a", uuid.uuid4().hex, b"x")
        with pytest.raises(InvalidValueError):
            api.uploads.put_file(run.id, "b", "../x", b"x")

    def test_uploads_are_kept_all_or_none(self, api: Api, experiment_id: str) -> None:
        [run] = api.runs.create([new_run(experiment_id)])
        api.uploads.put_files(run.id, {"taken": _upload(api, b"old")})
        with pytest.raises(RunFileExistsError, match="overwrite=True"):
            api.uploads.put_files(
                run.id, {"new": _upload(api, b"x"), "taken": _upload(api, b"new")}
            )
        with pytest.raises(NotFoundError, match="no upload"):
            api.uploads.put_files(run.id, {"new": _upload(api, b"x"), "other": "absent"})
        for name in ("../a", "/a", "a\\b", "", "a\0", "x" * 5000):
            with pytest.raises(InvalidValueError):
                api.uploads.put_files(run.id, {"new": _upload(api, b"x"), name: _upload(api, b"x")})
        assert [entry.path for entry in api.files.list(run.id)] == ["taken"]
        api.uploads.put_files(run.id, {"taken": _upload(api, b"new")}, overwrite=True)
        with api.files.open(run.id, "taken") as stream:
            assert stream.read() == b"new"
        with pytest.raises(RunNotFoundError):
            api.uploads.put_files("absent", {"a": _upload(api, b"x")})

    def test_bytes_with_another_hash_than_announced_are_not_kept(
        self, api: Api, experiment_id: str
    ) -> None:
        [run] = api.runs.create([new_run(experiment_id)])
        new = NewUpload(uuid.uuid4().hex, 5, blake3(b"other").hexdigest())
        api.uploads.begin(new)
        api.uploads.append(new.id, 0, b"wrong")
        with pytest.raises(InvalidValueError, match="was announced"):
            api.uploads.put_files(run.id, {"a": new.id})
        assert api.files.list(run.id) == []

    def test_what_cannot_be_announced_is_refused(self, api: Api) -> None:
        for upload_id, size, digest in (
            ("", 1, None),
            ("../x", 1, None),
            ("id", -1, None),
            ("id", 1 << 60, None),
            ("id", 1, "nonsense"),
        ):
            with pytest.raises(InvalidValueError):
                api.uploads.begin(NewUpload(upload_id, size, digest))
        upload_id = _upload(api, b"abc")
        with pytest.raises(ConflictError, match="3 bytes"):
            api.uploads.begin(NewUpload(upload_id, 4))
        with pytest.raises(NotFoundError, match="no upload"):
            api.uploads.append("absent", 0, b"x")

    def test_an_abandoned_upload_is_gone(self, api: Api) -> None:
        upload_id = _upload(api, b"abc")
        for _ in range(2):
            api.uploads.abandon(upload_id)
        with pytest.raises(NotFoundError):
            api.uploads.append(upload_id, 0, b"abc")
        assert api.uploads.begin(NewUpload(upload_id, 3)) == 0

    def test_an_empty_file_is_an_upload_too(self, api: Api, experiment_id: str) -> None:
        [run] = api.runs.create([new_run(experiment_id)])
        [entry] = api.uploads.put_files(run.id, {"empty": _upload(api, b"")})
        assert entry.size_bytes == 0

    def test_an_upload_becomes_a_content_of_a_snapshot(self, api: Api) -> None:
        digest = blake3(b"content").hexdigest()
        new = NewUpload(uuid.uuid4().hex, 7, digest)
        api.uploads.begin(new)
        api.uploads.append(new.id, 0, b"content")
        for _ in range(2):
            api.uploads.put_blob(new.id)
        assert api.snapshots.missing([Content(digest, 7)]) == []
        with pytest.raises(InvalidValueError, match="without a hash"):
            api.uploads.put_blob(_upload(api, b"x"))

    def test_uploads_become_the_files_of_an_asset(self, api: Api, tmp_path: Path) -> None:
        files = {"model/weights": _upload(api, b"weights"), "model/config": _upload(api, b"{}")}
        new = NewAsset(uuid.uuid4().hex, "model", "uploaded")
        asset = api.assets.register(new, UploadSource(files))
        assert api.assets.register(new, UploadSource(files)) == asset
        assert asset.size_bytes == 9
        paths = [entry.path for entry in api.assets.files(asset.id)]
        assert paths == ["model/config", "model/weights"]
        with api.assets.open(asset.id, "model/weights") as stream:
            assert stream.read() == b"weights"
        other = NewAsset(uuid.uuid4().hex, "model", "uploaded")
        outside = UploadSource({"../weights": _upload(api, b"x")})
        with pytest.raises(InvalidValueError):
            api.assets.register(other, outside)
        with pytest.raises(NotFoundError):
            api.assets.register(other, UploadSource({"weights": "absent"}))


def _upload(api: Api, content: bytes, *, size: int | None = None) -> str:
    """An upload with these bytes."""
    new = NewUpload(uuid.uuid4().hex, len(content) if size is None else size)
    api.uploads.begin(new)
    if content:
        api.uploads.append(new.id, 0, content)
    return new.id
