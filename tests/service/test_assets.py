"""How an embedded workspace keeps the files of assets."""

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from headway.api import Api
from headway.assets import AssetQuery, RunSource
from headway.errors import StorageCorruptError
from headway.files.local import LocalFiles
from headway.service.workspace import open_workspace
from headway.settings import load_settings
from headway.testing.api.assets import new_asset
from headway.testing.api.requests import new_run


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    workspace = open_workspace(tmp_path / "workspace", load_settings({}))
    yield workspace
    workspace.close()


def contents(tmp_path: Path) -> list[Path]:
    """The files in which the bytes of assets are."""
    found = (tmp_path / "workspace" / "assets").rglob("*")
    return [path for path in found if path.is_file() and path.name != "lock"]


def run_with_file(api: Api, content: bytes) -> str:
    [run] = api.runs.create([new_run(api.experiments.ensure("e").id)])
    api.files.put(run.id, "outputs/model.bin", io.BytesIO(content))
    return run.id


def test_equal_files_are_kept_once(api: Api, tmp_path: Path) -> None:
    for number in range(5):
        (tmp_path / "net").mkdir(exist_ok=True)
        (tmp_path / "net" / "weights.bin").write_bytes(b"w" * 1000)
        (tmp_path / "net" / "notes.txt").write_text(f"version {number}")
        api.assets.register(new_asset("m"), tmp_path / "net")
    assert sorted(path.stat().st_size for path in contents(tmp_path)) == [9] * 5 + [1000]


def test_a_file_of_a_run_is_not_copied(api: Api, tmp_path: Path) -> None:
    run_id = run_with_file(api, b"weights")
    for _ in range(2):
        api.assets.register(new_asset("m"), RunSource(run_id, "outputs/model.bin"))
    [kept] = contents(tmp_path)
    assert kept.stat().st_nlink == 2


def test_where_files_cannot_be_linked_they_are_copied(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = run_with_file(api, b"weights")

    def refuse(*_: object) -> bool:
        return False

    monkeypatch.setattr(LocalFiles, "link", refuse)
    made = api.assets.register(new_asset("m"), RunSource(run_id, "outputs"))
    [kept] = contents(tmp_path)
    assert kept.stat().st_nlink == 1
    with api.assets.open(made.id, "outputs/model.bin") as stream:
        assert stream.read() == b"weights"


def test_a_damaged_file_is_not_given_out(api: Api, tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"weights")
    made = api.assets.register(new_asset("m"), tmp_path / "model.bin")
    [kept] = contents(tmp_path)
    kept.chmod(0o600)
    kept.write_bytes(b"changed")
    with (
        pytest.raises(StorageCorruptError, match=r"'model.bin' of model 'm', version 1"),
        api.assets.open(made.id, "model.bin") as stream,
    ):
        stream.read()


def test_bytes_go_with_the_last_version_that_holds_them(api: Api, tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"weights")
    first, second = (
        api.assets.register(new_asset(name), tmp_path / "model.bin") for name in ("a", "b")
    )
    api.assets.delete(first.id)
    assert len(contents(tmp_path)) == 1
    api.assets.delete(second.id)
    assert contents(tmp_path) == []


def test_registering_and_deleting_at_once_loses_no_bytes(api: Api, tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"weights")

    def work(_: int) -> None:
        for _ in range(15):
            made = api.assets.register(new_asset("m"), tmp_path / "model.bin")
            with api.assets.open(made.id, "model.bin") as stream:
                assert stream.read() == b"weights"
            api.assets.delete(made.id)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert api.assets.list(AssetQuery("model")) == []
    assert contents(tmp_path) == []
