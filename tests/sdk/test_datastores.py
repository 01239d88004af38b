"""Datastores: folders of the workspace, other folders, addresses."""

from pathlib import Path

import pytest

from headway import (
    AssetNotFoundError,
    ConflictError,
    Datastore,
    InvalidValueError,
    UnsupportedError,
    Workspace,
)


@pytest.fixture
def source(workspace: Workspace) -> Path:
    """A folder in the current one, with data."""
    folder = Path("source")
    (folder / "deep").mkdir(parents=True)
    (folder / "a.csv").write_text("x\n1\n")
    (folder / "deep" / "b.csv").write_text("x\n2\n")
    (folder / ".hidden").write_text("")
    return folder


def addresses(workspace: Workspace, tmp_path: Path) -> list[Datastore]:
    """A datastore of each kind."""
    return [
        workspace.get_default_datastore(),
        Datastore.register(workspace, "folder", tmp_path / "elsewhere"),
        Datastore.register(workspace, "memory", f"memory://{tmp_path.name}/store"),
    ]


def test_every_workspace_has_a_default_datastore(workspace: Workspace) -> None:
    default = workspace.get_default_datastore()
    assert default.name == "workspaceblobstore"
    assert default.is_default
    assert [*workspace.datastores] == ["workspaceblobstore", "workspacefilestore"]
    workspace.set_default_datastore("workspacefilestore")
    assert workspace.get_default_datastore().name == "workspacefilestore"
    assert Datastore.get_default(Workspace.from_config()).name == "workspacefilestore"
    default.set_as_default()
    assert Datastore(workspace).name == "workspaceblobstore"
    with pytest.raises(AssetNotFoundError, match="'workspaceblobstore'"):
        workspace.set_default_datastore("nobody")


def test_files_go_up_and_come_back(workspace: Workspace, source: Path, tmp_path: Path) -> None:
    for store in addresses(workspace, tmp_path):
        reference = store.upload("source", "data/raw")
        assert reference.path_on_datastore == "data/raw"
        back = tmp_path / "back" / store.name
        assert store.download(back, "data") == 2
        assert (back / "data/raw/deep/b.csv").read_text() == "x\n2\n"
        assert store.download(back) == 0
        assert store.download(back, overwrite=True) == 2
        assert store.download(back, "nothing/here") == 0
        resolved = store.path("data/raw/a.csv").resolve()
        assert resolved.read_text() == "x\n1\n"


def test_what_is_there_is_replaced_only_when_asked(
    workspace: Workspace, source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for store in addresses(workspace, tmp_path):
        (source / "a.csv").write_text("old")
        store.upload(source, "data", show_progress=False)
        (source / "a.csv").write_text("new")
        store.upload_files([source / "a.csv"], target_path="data")
        assert "overwrite=True replaces them" in capsys.readouterr().err
        assert store.path("data/a.csv").resolve().read_text() == "old"
        store.upload_files([source / "a.csv"], target_path="data", overwrite=True)
        assert store.path("data/a.csv").resolve().read_text() == "new"


def test_files_keep_the_part_of_their_path_that_is_asked_for(
    workspace: Workspace, source: Path
) -> None:
    store = workspace.get_default_datastore()
    store.upload_files(["source/deep/b.csv"], relative_root="source", target_path="x")
    assert store.path("x/deep/b.csv").resolve().is_file()
    with pytest.raises(InvalidValueError, match="relative_root"):
        store.upload_files(["source/a.csv"], relative_root="source/deep")
    with pytest.raises(InvalidValueError, match="give a list"):
        store.upload_files("source/a.csv")
    with pytest.raises(InvalidValueError, match="no file"):
        store.upload_files(["nowhere"])
    with pytest.raises(InvalidValueError, match="no folder"):
        store.upload("nowhere")


@pytest.mark.parametrize("path", ["../out", "a/../../out", "/../out", "a\0b"])
def test_nothing_leads_out_of_a_datastore(workspace: Workspace, source: Path, path: str) -> None:
    store = workspace.get_default_datastore()
    with pytest.raises(InvalidValueError, match="leads out"):
        store.upload("source", path)
    with pytest.raises(InvalidValueError, match="leads out"):
        store.path(path).resolve()


def test_a_datastore_is_registered_and_forgotten(workspace: Workspace, tmp_path: Path) -> None:
    made = Datastore.register(workspace, "mine", tmp_path / "here")
    assert Datastore.get(workspace, "mine").url == made.url == str(tmp_path / "here")
    assert Datastore.register(workspace, "mine", tmp_path / "here").url == made.url
    with pytest.raises(ConflictError, match="overwrite=True"):
        Datastore.register(workspace, "mine", "s3://bucket/folder")
    moved = Datastore.register(workspace, "mine", "s3://bucket/folder", overwrite=True)
    assert moved.url == workspace.datastores["mine"].url == "s3://bucket/folder"
    with pytest.raises(ConflictError, match="another name"):
        Datastore.register(workspace, "workspaceblobstore", "s3://b", overwrite=True)
    moved.unregister()
    with pytest.raises(AssetNotFoundError, match="'mine'"):
        Datastore.get(workspace, "mine")
    with pytest.raises(InvalidValueError, match="every workspace"):
        workspace.get_default_datastore().unregister()


def test_what_azure_keeps_is_refused_with_the_way_out(workspace: Workspace) -> None:
    with pytest.raises(UnsupportedError, match=r"Datastore\.register\(workspace"):
        Datastore.register_azure_blob_container(workspace, "name", "container", "account")


def test_a_reference_keeps_what_it_was_given(workspace: Workspace) -> None:
    store = workspace.get_default_datastore()
    reference = store.path("data", "raw").path("deep/").as_download("/tmp/x", overwrite=True)
    assert (reference.path_on_datastore, reference.data_reference_name) == ("data/deep", "raw")
    assert (reference.mode, reference.path_on_compute, reference.overwrite) == (
        "download",
        "/tmp/x",
        True,
    )
    assert str(reference) == "$AZUREML_DATAREFERENCE_raw"
    assert store.as_mount().mode == "mount"
    assert store.as_upload().resolve().is_dir()
    with pytest.raises(InvalidValueError, match="data reference name"):
        store.path("data", "a b")
    with pytest.raises(InvalidValueError, match="no file 'nowhere'"):
        store.path("nowhere").resolve()
