"""Models: registered, found, brought back."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from headway import (
    ConflictError,
    Experiment,
    InvalidValueError,
    Model,
    ModelNotFoundError,
    ModelPathNotFoundError,
    UnsupportedError,
    Workspace,
)
from headway.errors import PropertyConflictError
from headway.sdk.models.model import register_from_run


@pytest.fixture
def net(workspace: Workspace) -> Path:
    """A folder in the current one, to make a model of."""
    folder = Path("net")
    (folder / "deep").mkdir(parents=True)
    (folder / "weights.bin").write_bytes(b"weights")
    (folder / "deep" / "config.json").write_text("{}")
    return folder


def test_a_model_is_registered_in_versions(workspace: Workspace, net: Path) -> None:
    first = Model.register(
        workspace,
        "net",
        "mine",
        tags={"area": "diabetes"},
        properties={"p": "1"},
        description="text",
        model_framework=Model.Framework.PYTORCH,
        model_framework_version="2.1",
        resource_configuration=SimpleNamespace(id=None, name=None),
    )
    assert (first.name, first.version, first.id) == ("mine", 1, "mine:1")
    assert (first.tags, first.properties) == ({"area": "diabetes"}, {"p": "1"})
    assert (first.description, first.model_framework, first.model_framework_version) == (
        "text",
        "PyTorch",
        "2.1",
    )
    assert (first.run, first.run_id, first.experiment_name) == (None, None, None)
    assert first.url.endswith("#/models/mine/1")
    second = Model.register(workspace, net / "weights.bin", "mine")
    assert Model(workspace, "mine").version == second.version == 2
    assert Model(workspace, id="mine:1").tags == {"area": "diabetes"}
    assert Model(workspace, id="mine").version == 2
    assert Model(workspace, "mine", version="1").version == 1
    assert Model(workspace, "mine", tags=[["area", "diabetes"]]).version == 1
    assert Model(workspace, "mine", model_framework="PyTorch").version == 1
    assert Model.deserialize(workspace, first.serialize()).version == 1
    assert workspace.models["mine"].version == 2
    assert "name=mine, id=mine:1" in repr(first)


def test_models_are_listed_by_what_they_carry(workspace: Workspace, net: Path) -> None:
    for name, tags in (("a", {"x": "1"}), ("a", {"x": "2"}), ("b", {"x": "1", "y": "2"})):
        Model.register(workspace, net, name, tags=tags, datasets=[("training", "data-" + name)])

    def ids(**conditions: object) -> list[str]:
        return [one.id for one in Model.list(workspace, **conditions)]  # pyright: ignore[reportArgumentType]

    assert ids() == ["a:2", "a:1", "b:1"]
    assert ids(latest=True) == ["a:2", "b:1"]
    assert ids(name="a", tags=[["x", "1"]]) == ["a:1"]
    assert ids(tags=["y", ["x", "1"]]) == ids(tags="y") == ids(tags={"y": "2"}) == ["b:1"]
    assert ids(dataset_id="data-b") == ["b:1"]
    assert Model(workspace, "b").datasets == {"training": ["data-b"]}
    with pytest.raises(InvalidValueError, match="pair"):
        ids(tags=[["x", "1", "2"]])


def test_what_is_not_there_is_said_with_what_is(workspace: Workspace, net: Path) -> None:
    with pytest.raises(ModelNotFoundError, match="models there are: none"):
        Model(workspace, "mine")
    Model.register(workspace, net, "mine")
    for wanted in ({"name": "other"}, {"name": "mine", "version": 2}, {"id": "mine:2"}):
        with pytest.raises(ModelNotFoundError, match="'mine'"):
            Model(workspace, **wanted)  # pyright: ignore[reportArgumentType]
    with pytest.raises(InvalidValueError, match="whole number"):
        Model(workspace, "mine", version="first")
    with pytest.raises(ModelNotFoundError, match="give the name"):
        Model(workspace, run_id="nobody")


def test_a_path_or_a_name_that_is_wrong_makes_no_model(workspace: Workspace, net: Path) -> None:
    with pytest.raises(ModelPathNotFoundError, match=r"run\.register_model"):
        Model.register(workspace, "nowhere.pkl", "mine")
    for name in ("", "a b", "-a", "x" * 256, 3):
        with pytest.raises(InvalidValueError, match="model name"):
            Model.register(workspace, "net", name)  # pyright: ignore[reportArgumentType]
    with pytest.raises(ModelPathNotFoundError, match=r"child path 'nowhere'"):
        Model.register(workspace, "net", "mine", child_paths=["nowhere"])
    assert workspace.models == {}


def test_a_model_comes_back_with_its_structure(workspace: Workspace, net: Path) -> None:
    model = Model.register(workspace, "net", "mine")
    (net / "weights.bin").write_bytes(b"changed later")
    assert model.download("back") == "back/net"
    assert Path("back/net/weights.bin").read_bytes() == b"weights"
    assert Path("back/net/deep/config.json").read_text() == "{}"
    with pytest.raises(ConflictError, match="exist_ok=True"):
        model.download("back")
    Path("back/net/weights.bin").write_bytes(b"")
    model.download("back", exist_ok=True)
    assert Path("back/net/weights.bin").read_bytes() == b"weights"
    one = Model.register(workspace, net / "weights.bin", "one")
    assert Path(one.download()).read_bytes() == b"changed later"
    assert not list(Path().rglob("*.headway-part"))


def test_of_a_folder_some_files_can_be_chosen(workspace: Workspace, net: Path) -> None:
    model = Model.register(workspace, "net", "mine", child_paths=["deep/config.json"])
    assert Path(model.download("back")) == Path("back/net")
    assert [p.name for p in Path("back").rglob("*") if p.is_file()] == ["config.json"]


def test_a_model_is_changed(workspace: Workspace, net: Path) -> None:
    model = Model.register(workspace, "net", "mine", tags={"a": "1"}, properties={"p": "1"})
    model.add_tags({"b": "2"})
    model.remove_tags(["a"])
    model.add_properties({"q": "2"})
    model.add_dataset_references([("training", SimpleNamespace(id="some-id"))])
    model.update(description="text", sample_input_dataset=SimpleNamespace(id="sample"))
    with pytest.raises(PropertyConflictError):
        model.update_tags_properties(add_tags={"c": "3"}, add_properties={"p": "2"})
    for one in (model, Model(workspace, "mine")):
        assert (one.tags, one.properties) == ({"b": "2"}, {"p": "1", "q": "2"})
        assert (one.description, one.sample_input_dataset) == ("text", "sample")
        assert one.datasets == {"training": ["some-id"]}
    model.update(tags={"only": "this"})
    assert Model(workspace, "mine").tags == {"only": "this"}
    model.delete()
    with pytest.raises(ModelNotFoundError):
        Model(workspace, "mine")


# ---------------------------------------------------------------- from runs


def test_files_of_a_run_become_a_model(experiment: Experiment) -> None:
    ws = experiment.workspace
    run = experiment.start_logging()
    Path("model.pkl").write_bytes(b"weights")
    run.upload_file("outputs/model.pkl", "model.pkl")
    model = register_from_run(ws, run.id, "mine", "outputs/model.pkl", tags={"a": "b"})
    assert (model.run_id, model.experiment_name) == (run.id, experiment.name)
    assert getattr(model.run, "id", None) == run.id
    assert Path(model.download("back")).read_bytes() == b"weights"
    whole = register_from_run(ws, run.id, "mine", "outputs/")
    assert whole.version == 2
    assert whole.download("back2") == "back2/outputs"
    assert [one.id for one in Model.list(ws, run_id=run.id)] == ["mine:2", "mine:1"]
    assert Model(ws, "mine", run_id=run.id).version == 2
    with pytest.raises(ModelPathNotFoundError, match=r"outputs/model\.pkl"):
        register_from_run(ws, run.id, "mine")
    run.complete()


# ---------------------------------------------------------------- paths


def test_the_path_of_a_model_is_one_on_this_machine(workspace: Workspace, net: Path) -> None:
    Model.register(workspace, net / "weights.bin", "mine")
    path = Path(Model.get_model_path("mine", _workspace=workspace))
    assert path == Path("azureml-models/mine/1/weights.bin").absolute()
    assert path.read_bytes() == b"weights"
    before = path.stat().st_mtime_ns
    assert Model.get_model_path("mine") == str(path)
    assert path.stat().st_mtime_ns == before
    (net / "weights.bin").write_bytes(b"newer")
    Model.register(workspace, net / "weights.bin", "mine")
    assert Path(Model.get_model_path("mine")).read_bytes() == b"newer"
    assert Path(Model.get_model_path("mine", 1)).read_bytes() == b"weights"
    path.write_bytes(b"cut")
    with pytest.raises(ModelNotFoundError):
        Model.get_model_path("other")


def test_a_model_that_was_put_there_is_found_without_a_workspace(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "deployed" / "mine" / "3" / "model.pkl"
    file.parent.mkdir(parents=True)
    file.touch()
    for folder in (tmp_path / "deployed", file.parent):
        monkeypatch.setenv("AZUREML_MODEL_DIR", str(folder))
        assert Model.get_model_path("mine") == str(file)
    monkeypatch.delenv("AZUREML_MODEL_DIR")
    left = Path("azureml-models/mine/2/model.pkl")
    left.parent.mkdir(parents=True)
    left.touch()
    assert Model.get_model_path("mine") == str(left.absolute())


def test_serving_is_refused_with_the_way_out(workspace: Workspace) -> None:
    with pytest.raises(UnsupportedError, match=r"Model\.download"):
        Model.deploy(workspace, "service", [])
