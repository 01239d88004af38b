"""Datasets: tables and files, wherever they are."""

import importlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headway import (
    AssetNotFoundError,
    ConflictError,
    Dataset,
    FileDataset,
    InvalidValueError,
    MissingPackageError,
    Workspace,
)
from headway.sdk.data.tabular_dataset import DataType

pd: Any = importlib.import_module("pandas")  # half of its types are not known
fsspec: Any = importlib.import_module("fsspec")


@pytest.fixture
def data(workspace: Workspace) -> Path:
    """A folder in the current one, with two tables."""
    folder = Path("data")
    (folder / "deep").mkdir(parents=True)
    (folder / "one.csv").write_text("a,b,when\n1,x,2026-01-01\n2,,2026-01-02\n3,z,\n")
    (folder / "deep" / "two.csv").write_text("a,b,when\n4,u,2026-01-04\n")
    return folder


def table_of(dataset: Any) -> Any:
    """Its data frame."""
    return dataset.to_pandas_dataframe()


def rows(dataset: Any) -> list[list[object]]:
    """The rows of its data frame, None for what is missing."""
    frame = table_of(dataset)
    return frame.astype(object).where(frame.notna(), None).to_numpy().tolist()


# ---------------------------------------------------------------- where


def test_files_are_named_relative_to_what_was_given(workspace: Workspace, data: Path) -> None:
    store = workspace.get_default_datastore()
    store.upload("data", "raw", show_progress=False)
    for path, names in (
        ("data", ["/deep/two.csv", "/one.csv"]),
        (Path("data").absolute(), ["/deep/two.csv", "/one.csv"]),
        ("data/one.csv", ["/one.csv"]),
        ("data/*.csv", ["/one.csv"]),
        ("data/**/*.csv", ["/deep/two.csv", "/one.csv"]),
        (["data/one.csv", "data/deep"], ["/one.csv", "/two.csv"]),
        ((store, "raw"), ["/deep/two.csv", "/one.csv"]),
        ([(store, "raw/deep"), (store, "raw/one.csv")], ["/two.csv", "/one.csv"]),
        ((store, ["raw/one.csv", "raw/deep/*.csv"]), ["/one.csv", "/two.csv"]),
        (store.path("raw/deep"), ["/two.csv"]),
        (data.absolute().as_uri(), ["/deep/two.csv", "/one.csv"]),
    ):
        assert Dataset.File.from_files(path).to_path() == names, path


def test_an_object_store_is_read_through_fsspec(tmp_path: Path, workspace: Workspace) -> None:
    memory = fsspec.filesystem("memory")
    bucket = f"memory://{tmp_path.name}"
    memory.pipe(f"/{tmp_path.name}/k/a.csv", b"x\n1\n")
    memory.pipe(f"/{tmp_path.name}/k/b.csv", b"x\n2\n")
    for path, names in (
        (f"{bucket}/k", ["/a.csv", "/b.csv"]),
        (f"{bucket}/k/", ["/a.csv", "/b.csv"]),
        (f"{bucket}/k/b.csv", ["/b.csv"]),
        (f"{bucket}/*/b.csv", ["/k/b.csv"]),
    ):
        assert Dataset.File.from_files(path).to_path() == names, path
    table = Dataset.Tabular.from_delimited_files(f"{bucket}/k/*.csv")
    assert rows(table) == [[1], [2]]
    memory.pipe(f"/{tmp_path.name}/k/a.csv", b"x\n3\n")
    assert rows(table) == [[3], [2]]
    with pytest.raises(InvalidValueError, match="no file"):
        Dataset.File.from_files(f"{bucket}/nothing")


@pytest.mark.parametrize(
    "make",
    [
        lambda: Dataset.File.from_files("nowhere"),
        lambda: Dataset.File.from_files("no*where"),
        lambda: Dataset.File.from_files([]),
        lambda: Dataset.File.from_files(3),
        lambda: Dataset.File.from_files(""),
        lambda: Dataset.File.from_files("strange://bucket/x"),
        lambda: Dataset.Tabular.from_delimited_files("nowhere.csv"),
    ],
)
def test_what_leads_to_no_file_is_refused(workspace: Workspace, make: Callable[[], object]) -> None:
    with pytest.raises(InvalidValueError, match="give"):
        make()
    assert Dataset.File.from_files("nowhere", validate=False)


def test_a_missing_package_is_named(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(MissingPackageError, match="s3fs"):
        Dataset.File.from_files("s3://bucket/x.csv")
    Path("t.csv").write_text("a\n1\n")
    table = Dataset.Tabular.from_delimited_files("t.csv")
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingPackageError, match=r"pip install 'headway\[data\]'"):
        table.to_pandas_dataframe()


# ---------------------------------------------------------------- tables


def test_delimited_text_is_read_as_it_is_described(workspace: Workspace, data: Path) -> None:
    read = Dataset.Tabular.from_delimited_files
    both = table_of(read(["data/one.csv", "data/deep/two.csv"]))
    assert both["a"].tolist() == [1, 2, 3, 4]
    assert rows(read("data/one.csv"))[1] == [2, None, "2026-01-02"]
    texts = read("data/one.csv", infer_column_types=False, empty_as_string=True)
    assert rows(texts)[1] == ["2", "", "2026-01-02"]
    with_types = read(
        "data/one.csv",
        set_column_types={"when": DataType.to_datetime(), "a": DataType.to_string()},
        include_path=True,
    )
    typed = table_of(with_types)
    assert typed["a"].tolist() == ["1", "2", "3"]
    assert str(typed["when"][0].date()) == "2026-01-01"
    assert typed["Path"].tolist() == ["/one.csv"] * 3
    Path("bare.txt").write_bytes("1;\xe4\n2;o\n".encode("latin1"))
    bare = read("bare.txt", header=False, separator=";", encoding="latin1")
    assert table_of(bare).columns.tolist() == ["Column1", "Column2"]
    assert rows(bare) == [[1, "ä"], [2, "o"]]


def test_parquet_and_json_lines_are_read(workspace: Workspace) -> None:
    pd.DataFrame({"a": [1, 2]}).to_parquet("t.parquet")
    read = Dataset.Tabular
    assert rows(read.from_parquet_files("t.parquet")) == [[1], [2]]
    Path("t.jsonl").write_text('{"a": 1}\n\n{"a": \n{"b": "x"}\n')
    with pytest.raises(InvalidValueError, match=r"line 3 .*invalid_lines='drop'"):
        read.from_json_lines_files("t.jsonl").to_pandas_dataframe()
    kept = read.from_json_lines_files("t.jsonl", invalid_lines="drop")
    assert rows(kept) == [[1, None], [None, "x"]]
    with pytest.raises(InvalidValueError, match=r"t\.jsonl cannot be read"):
        read.from_parquet_files("t.jsonl").to_pandas_dataframe()


def test_rows_and_columns_are_chosen(workspace: Workspace, data: Path) -> None:
    table = Dataset.Tabular.from_delimited_files("data/one.csv")
    assert rows(table.keep_columns(["b", "a"]).take(1)) == [["x", 1]]
    assert rows(table.drop_columns(["b", "when"]).skip(1)) == [[2], [3]]
    assert rows(table.take(0)) == []
    with pytest.raises(InvalidValueError, match="'a', 'b', 'when'"):
        table.keep_columns("c", validate=True)
    with pytest.raises(InvalidValueError, match="0 or more"):
        table.take(-1)


@pytest.mark.parametrize("share", [0, 0.3, 1])
def test_a_random_split_leaves_nothing_out(workspace: Workspace, share: float) -> None:
    pd.DataFrame({"a": range(200)}).to_csv("many.csv", index=False)
    first, second = Dataset.Tabular.from_delimited_files("many.csv").random_split(share, seed=7)
    parts: list[list[int]] = [table_of(part)["a"].tolist() for part in (first, second)]
    assert sorted(parts[0] + parts[1]) == list(range(200))
    assert abs(len(parts[0]) - share * 200) < 30
    assert table_of(first)["a"].tolist() == parts[0]


# ---------------------------------------------------------------- files


def test_files_are_brought_to_a_folder(workspace: Workspace, data: Path) -> None:
    files = Dataset.File.from_files("data")
    assert files.download("here") == [
        str(Path("here/deep/two.csv").absolute()),
        str(Path("here/one.csv").absolute()),
    ]
    with pytest.raises(ConflictError, match="overwrite=True"):
        files.download("here")
    assert len(files.take(1).download("here", overwrite=True)) == 1
    [path] = Dataset.File.from_files("data/one.csv").download()
    assert Path(path).read_text() == Path("data/one.csv").read_text()


def test_files_are_mounted_as_one_folder(workspace: Workspace, data: Path) -> None:
    with Dataset.File.from_files("data").mount() as mounted:
        assert mounted.mount_point == str(data.absolute())
    chosen = Dataset.File.from_files(["data/one.csv", "data/deep/two.csv"])
    with chosen.mount() as mounted:
        names = sorted(path.name for path in Path(mounted.mount_point).iterdir())
        assert names == ["one.csv", "two.csv"]
    context = chosen.skip(1).mount("point")
    context.start()
    assert [path.name for path in Path("point").iterdir()] == ["two.csv"]
    context.stop()
    assert list(Path("point").iterdir()) == []
    assert (data / "deep" / "two.csv").is_file()


def test_files_of_one_name_are_not_mixed_up(workspace: Workspace, data: Path) -> None:
    (data / "deep" / "one.csv").touch()
    same = Dataset.File.from_files(["data/one.csv", "data/deep/one.csv"])
    with pytest.raises(ConflictError, match="exists already"), same.mount():
        pass


# ---------------------------------------------------------------- registered


def test_a_dataset_is_registered_in_versions(workspace: Workspace, data: Path) -> None:
    table = Dataset.Tabular.from_delimited_files("data/one.csv").take(2)
    assert table.id is None
    kept = table.register(workspace, "mine", "text", {"a": "b"})
    assert (kept.name, kept.version, kept.description, kept.tags) == ("mine", 1, "text", {"a": "b"})
    assert table.register(workspace, "mine").version == 1
    with pytest.raises(ConflictError, match="create_new_version=True"):
        table.take(1).register(workspace, "mine")
    assert table.take(1).register(workspace, "mine", create_new_version=True).version == 2
    assert len(table_of(Dataset.get_by_name(workspace, "mine", 1).take(9))) == 2
    assert Dataset.get_by_name(workspace, "mine").version == 2
    assert Dataset.get_by_id(workspace, str(kept.id)).version == 1
    Dataset.File.from_files("data").register(workspace, "files")
    assert {name: one.version for name, one in workspace.datasets.items()} == {
        "mine": 2,
        "files": 1,
    }
    files = workspace.datasets["files"]
    assert isinstance(files, FileDataset)
    assert files.to_path() == ["/deep/two.csv", "/one.csv"]
    with pytest.raises(AssetNotFoundError, match="'files', 'mine'"):
        Dataset.get_by_name(workspace, "other")
    with pytest.raises(AssetNotFoundError, match="id"):
        Dataset.get_by_id(workspace, "nobody")


def test_a_dataset_on_a_datastore_finds_it_again(workspace: Workspace, data: Path) -> None:
    store = workspace.get_default_datastore()
    made = Dataset.File.upload_directory("data", (store, "raw"), show_progress=False)
    made.register(workspace, "mine")
    found = Dataset.get_by_name(workspace, "mine")
    assert isinstance(found, FileDataset)
    assert found.download("back")
    other = Workspace("s", "g", "other")
    with pytest.raises(InvalidValueError, match="another workspace"):
        made.register(other, "mine")


def test_a_data_frame_becomes_a_dataset(workspace: Workspace) -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", None]})
    store = workspace.get_default_datastore()
    for version in (1, 2):
        made = Dataset.Tabular.register_pandas_dataframe(frame, (store, "frames"), "mine")
        assert made.version == version
    assert rows(Dataset.get_by_name(workspace, "mine")) == [
        [1, "x"],
        [2, None],
    ]
    with pytest.raises(InvalidValueError, match="pandas DataFrame"):
        Dataset.Tabular.register_pandas_dataframe([1], store, "mine")  # pyright: ignore[reportArgumentType]


def test_a_definition_is_plain_json(workspace: Workspace, data: Path) -> None:
    made = Dataset.Tabular.from_delimited_files("data/one.csv").take(1).register(workspace, "mine")
    definition = workspace.api.assets.find(str(made.id)).definition
    assert json.loads(json.dumps(definition)) == {
        "type": "table",
        "format": "delimited",
        "options": {},
        "sources": [{"path": str((data / "one.csv").absolute())}],
        "steps": [{"do": "take", "count": 1}],
    }


def test_a_dataset_is_a_whole_datastore(workspace: Workspace, data: Path) -> None:
    store = workspace.get_default_datastore()
    store.upload("data", show_progress=False)
    for path in (store, store.path(), [store]):
        assert Dataset.File.from_files(path).to_path() == ["/deep/two.csv", "/one.csv"]
    uploaded = Dataset.File.upload_directory("data", store.path("again"), show_progress=False)
    assert uploaded.to_path() == ["/deep/two.csv", "/one.csv"]
    assert "again" in repr(uploaded)


def test_what_is_not_supported_is_said(workspace: Workspace, data: Path) -> None:
    store = workspace.get_default_datastore()
    for make in (
        lambda: Dataset.File.from_files("data", partition_format="{x}"),
        lambda: Dataset.Tabular.from_parquet_files("data", partition_format="{x}"),
        lambda: Dataset.File.upload_directory("data", store, pattern="*"),
    ):
        with pytest.raises(InvalidValueError, match="not supported"):
            make()
    with pytest.raises(InvalidValueError, match="'error' or 'drop'"):
        Dataset.Tabular.from_json_lines_files("data", invalid_lines="keep")
    wrong: Any = {"a": "float"}
    with pytest.raises(InvalidValueError, match=r"DataType\.to_float"):
        Dataset.Tabular.from_delimited_files("data", set_column_types=wrong)
    absent = Dataset.Tabular.from_delimited_files(
        "data/one.csv", set_column_types={"c": DataType.to_bool()}
    )
    with pytest.raises(InvalidValueError, match="'c'; there are: 'a', 'b', 'when'"):
        absent.to_pandas_dataframe()


def test_columns_have_the_types_that_are_asked_for(workspace: Workspace) -> None:
    Path("t.csv").write_text("a,b,c,d\n1,1.5,True,x\n,2,False,\n")
    table = Dataset.Tabular.from_delimited_files(
        "t.csv",
        set_column_types={
            "a": DataType.to_long(),
            "b": DataType.to_float(),
            "c": DataType.to_bool(),
            "d": DataType.to_string(),
        },
    )
    types = [str(kind) for kind in table_of(table).dtypes]
    assert types[:3] == ["Int64", "float64", "boolean"]
    assert rows(table) == [[1, 1.5, True, "x"], [None, 2.0, False, None]]
    wrong = Dataset.Tabular.from_delimited_files(
        "t.csv", set_column_types={"d": DataType.to_float()}
    )
    with pytest.raises(InvalidValueError, match="column 'd' as float"):
        wrong.to_pandas_dataframe()


def test_a_sample_is_the_same_each_time(workspace: Workspace, data: Path) -> None:
    pd.DataFrame({"a": range(200)}).to_csv("many.csv", index=False)
    sample = Dataset.Tabular.from_delimited_files("many.csv").take_sample(0.2, seed=3)
    assert 10 < len(rows(sample)) < 80
    assert rows(sample) == rows(sample)
    with pytest.raises(InvalidValueError, match="from 0 to 1"):
        sample.random_split(2)
    nothing = Dataset.File.from_files("nowhere", validate=False)
    assert nothing.download(ignore_not_found=True) == []
    with pytest.raises(InvalidValueError, match="no file"):
        nothing.download()


def test_a_made_up_name_is_not_taken(workspace: Workspace, data: Path) -> None:
    files = Dataset.File.from_files("data")
    with pytest.raises(InvalidValueError, match="anonymous/"):
        files.register(workspace, "anonymous/x")
    kept = files.saved(workspace)
    assert kept.saved(workspace) is kept
    assert Dataset.get_by_id(workspace, str(kept.id)).name is None
    with pytest.raises(AssetNotFoundError, match="there are: none"):
        Dataset.get_by_name(workspace, "mine")
