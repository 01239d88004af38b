"""``api.assets``."""

import io
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from headway.api import Api
from headway.assets import AssetChange, AssetKind, AssetQuery, NewAsset, RunSource
from headway.errors import (
    AssetNotFoundError,
    ConflictError,
    InvalidValueError,
    ModelNotFoundError,
    PropertyConflictError,
    RunFileNotFoundError,
    RunNotFoundError,
)
from headway.testing.api.requests import new_run


def new_asset(name: str, kind: AssetKind = "model", **given: object) -> NewAsset:
    """A request with an id of its own."""
    request = NewAsset(id=str(uuid.uuid4()), kind=kind, name=name)
    return msgspec.structs.replace(request, **given)


def folder_with(root: Path, files: dict[str, bytes]) -> Path:
    """A folder with these files."""
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


class AssetContract:
    """``api.assets``."""

    def test_versions_of_a_name_count_up(self, api: Api) -> None:
        made = [api.assets.register(new_asset("m")) for _ in range(3)]
        assert [one.version for one in made] == [1, 2, 3]
        assert api.assets.register(new_asset("m", "dataset")).version == 1
        assert api.assets.get("model", "m").id == made[2].id
        assert api.assets.get("model", "m", 2).id == made[1].id
        assert api.assets.find(made[0].id) == made[0]

    def test_concurrent_registrations_get_versions_of_their_own(
        self, api: Api, tmp_path: Path
    ) -> None:
        file = folder_with(tmp_path, {"model.bin": b"weights"}) / "model.bin"
        requests = [new_asset("m") for _ in range(24)]
        with ThreadPoolExecutor(8) as pool:
            made = [*pool.map(api.assets.register, requests, [file] * len(requests))]
        assert sorted(one.version for one in made) == list(range(1, 25))

    def test_a_repeated_request_makes_nothing_new(self, api: Api) -> None:
        request = new_asset("m", tags={"a": "1"})
        made = api.assets.register(request)
        api.assets.change(made.id, AssetChange(set_tags={"a": "2"}))
        assert api.assets.register(request).tags == {"a": "2"}
        assert len(api.assets.list(AssetQuery("model"))) == 1
        with pytest.raises(ConflictError, match=made.id):
            api.assets.register(msgspec.structs.replace(request, name="other"))

    def test_an_equal_definition_is_used_again_where_that_will_do(self, api: Api) -> None:
        def register(**definition: object) -> int:
            request = new_asset("d", "dataset", definition=definition, reuse=True)
            return api.assets.register(request).version

        assert [register(a=1), register(a=1), register(a=2), register(a=1)] == [1, 1, 2, 3]

    def test_files_come_back_as_they_were(self, api: Api, tmp_path: Path) -> None:
        files = {
            "net/weights.bin": bytes(range(256)) * 5000,
            "net/deep/down.txt": b"",
            "net/a": b"1",
        }
        root = folder_with(tmp_path, files) / "net"
        made = api.assets.register(new_asset("m"), root)
        assert {e.path: e.size_bytes for e in api.assets.files(made.id)} == {
            name: len(content) for name, content in files.items()
        }
        assert made.size_bytes == sum(map(len, files.values()))
        (root / "weights.bin").write_bytes(b"changed later")
        for name, content in files.items():
            with api.assets.open(made.id, name) as stream:
                assert stream.read() == content
        with pytest.raises(ModelNotFoundError, match=r"net/a"):
            api.assets.open(made.id, "nowhere")

    def test_one_file_is_named_by_itself(self, api: Api, tmp_path: Path) -> None:
        file = folder_with(tmp_path, {"deep/model.pkl": b"1"}) / "deep" / "model.pkl"
        made = api.assets.register(new_asset("m"), file)
        assert [entry.path for entry in api.assets.files(made.id)] == ["model.pkl"]

    def test_a_link_to_a_file_is_the_file(self, api: Api, tmp_path: Path) -> None:
        root = folder_with(tmp_path, {"blob": b"content", "net/other": b""}) / "net"
        (root / "linked").symlink_to(tmp_path / "blob")
        made = api.assets.register(new_asset("m"), root)
        with api.assets.open(made.id, "net/linked") as stream:
            assert stream.read() == b"content"
        (root / "circle").symlink_to(root)
        with pytest.raises(InvalidValueError, match="circle"):
            api.assets.register(new_asset("m"), root)

    def test_files_of_a_run_become_an_asset(self, api: Api, experiment_id: str) -> None:
        [run] = api.runs.create([new_run(experiment_id)])
        for name in ("outputs/net/a", "outputs/net/b", "outputs/other"):
            api.files.put(run.id, name, io.BytesIO(name.encode()))
        made = api.assets.register(new_asset("m", run_id=run.id), RunSource(run.id, "outputs/net"))
        assert [entry.path for entry in api.assets.files(made.id)] == ["net/a", "net/b"]
        assert (made.run_id, made.experiment_name) == (run.id, "explore")
        with api.assets.open(made.id, "net/b") as stream:
            assert stream.read() == b"outputs/net/b"
        assert api.assets.list(AssetQuery("model", run_id=run.id)) == [made]
        with pytest.raises(RunFileNotFoundError, match="outputs/other"):
            api.assets.register(new_asset("m"), RunSource(run.id, "outputs/ne"))

    def test_what_cannot_be_made_takes_no_version(self, api: Api, tmp_path: Path) -> None:
        empty = tmp_path / "empty"
        empty.mkdir()
        for source in (empty, tmp_path / "nowhere"):
            with pytest.raises(InvalidValueError):
                api.assets.register(new_asset("m"), source)
        with pytest.raises(RunNotFoundError):
            api.assets.register(new_asset("m", run_id="nobody"))
        with pytest.raises(InvalidValueError):
            api.assets.register(new_asset("m\n"))
        assert api.assets.register(new_asset("m")).version == 1

    def test_assets_are_found_by_what_they_carry(self, api: Api) -> None:
        for name, tags in (("a", {"x": "1"}), ("a", {"x": "2", "y": None}), ("b", {"x": "1"})):
            api.assets.register(new_asset(name, tags=tags, properties={"p": name}))

        def found(**conditions: object) -> list[tuple[str, int]]:
            query = msgspec.structs.replace(AssetQuery("model"), **conditions)
            return [(one.name, one.version) for one in api.assets.list(query)]

        assert found() == [("a", 2), ("a", 1), ("b", 1)]
        assert found(latest=True) == [("a", 2), ("b", 1)]
        assert found(tags={"x": "1"}) == [("a", 1), ("b", 1)]
        assert found(tags={"x": "1"}, latest=True) == [("b", 1)]
        assert found(has_tags=["y"], properties={"p": "a"}) == [("a", 2)]
        assert found(has_properties=["q"]) == []
        assert found(name="b") == [("b", 1)]
        assert found(version=1) == [("a", 1), ("b", 1)]
        assert found(name="a", version=3) == []

    def test_a_change_is_made_as_a_whole(self, api: Api) -> None:
        made = api.assets.register(new_asset("m", tags={"a": "1"}, properties={"p": "1"}))
        change = AssetChange(
            set_tags={"b": "2"},
            remove_tags=["a", "absent"],
            add_properties={"p": "1", "q": "2"},
            description="text",
            definition={"framework": "Onnx"},
        )
        changed = api.assets.change(made.id, change)
        assert (changed.tags, changed.properties) == ({"b": "2"}, {"p": "1", "q": "2"})
        assert (changed.description, changed.definition) == ("text", {"framework": "Onnx"})
        with pytest.raises(PropertyConflictError, match="'p'"):
            api.assets.change(made.id, AssetChange(set_tags={"c": "3"}, add_properties={"p": "2"}))
        assert api.assets.find(made.id) == changed

    def test_a_label_stands_for_one_version(self, api: Api) -> None:
        first, second = (api.assets.register(new_asset("e", "environment")) for _ in range(2))
        api.assets.change(first.id, AssetChange(add_labels=["prod", "old"]))
        api.assets.change(second.id, AssetChange(add_labels=["prod"]))
        assert api.assets.find(first.id).labels == ["old"]
        assert api.assets.find(second.id).labels == ["prod"]

    def test_a_deleted_version_is_gone_and_its_number_does_not_come_again(
        self, api: Api, tmp_path: Path
    ) -> None:
        file = folder_with(tmp_path, {"model.bin": b"weights"}) / "model.bin"
        first, second = (api.assets.register(new_asset("m"), file) for _ in range(2))
        api.assets.delete(second.id)
        with api.assets.open(first.id, "model.bin") as stream:
            assert stream.read() == b"weights"
        with pytest.raises(ModelNotFoundError, match="there are: 1"):
            api.assets.get("model", "m", 2)
        with pytest.raises(AssetNotFoundError):
            api.assets.delete(second.id)
        third = api.assets.register(new_asset("m"), file)
        assert third.version == 3
        with api.assets.open(third.id, "model.bin") as stream:
            assert stream.read() == b"weights"

    def test_an_absent_asset_is_answered_with_those_there_are(self, api: Api) -> None:
        api.assets.register(new_asset("here", "environment"))
        with pytest.raises(AssetNotFoundError, match="'here'"):
            api.assets.get("environment", "there")
        with pytest.raises(ModelNotFoundError, match="none"):
            api.assets.get("model", "there")
