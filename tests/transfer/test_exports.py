"""Exports and imports: what goes out comes in as it was."""

import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.transfer.conftest import Make

from headway.api import Api
from headway.errors import (
    ConflictError,
    InvalidValueError,
    MissingPackageError,
    NotFoundError,
    RunExistsError,
    StorageFullError,
)
from headway.metrics.columns import decode_points, listed
from headway.model import MetricQuery, NewRun, PointQuery, RunQuery, Scalar, Status
from headway.service.workspace import EmbeddedWorkspace
from headway.snapshots.blobs import hash_blocks
from headway.testing.api.requests import log
from headway.transfer import exporting, formats, importing
from headway.transfer.exporting import Wanted, export
from headway.transfer.formats import FORMATS, Format, open_writer, read_rows
from headway.transfer.importing import Imported, import_parcel
from headway.transfer.parcel import Parcel
from headway.transfer.tables import POINTS, RUNS, TABLES, ExportedPoint, point_of, value_cells

by_format = pytest.mark.parametrize("form", FORMATS)


def send(api: Api, target: Path, form: Format = "jsonl", *, files: bool = True) -> Path:
    export(
        api,
        Wanted(RunQuery(), form, files=files),
        target,
        clock=lambda: 1,
        progress=lambda done, count: None,
    )
    return target


def take_in(api: Api, source: Path) -> Imported:
    return import_parcel(api, Parcel(source), lambda what, done, count: None)


def told(api: Api, run_id: str) -> dict[str, Any]:
    """All about a run that an import keeps, as texts where NaN would not equal itself."""
    run = api.runs.get(run_id)
    series = {
        (one.name, one.column): (one.form, repr(points(api, run_id, one.name, one.column)))
        for one in api.metrics.summarize(MetricQuery(run_id))
    }
    contents: dict[str, bytes] = {}
    for entry in api.files.list(run_id):
        with api.files.open(run_id, entry.path) as stream:
            contents[entry.path] = stream.read()
    return {
        "run": replace(run, experiment_id=""),
        "events": api.runs.events(run_id),
        "series": series,
        "files": contents,
    }


def points(api: Api, run_id: str, name: str, column: str) -> list[tuple[int, int, Scalar]]:
    found = decode_points(api.metrics.points(PointQuery(run_id, name, column)).blocks)
    return list(zip(found.steps.tolist(), found.times.tolist(), listed(found.values), strict=True))


@by_format
def test_what_was_exported_is_imported_as_it_was(
    filled: EmbeddedWorkspace, make: Make, tmp_path: Path, form: Format
) -> None:
    source = send(filled, tmp_path / "out", form)
    target = make()
    imported = take_in(target, source)
    assert (imported.runs, imported.not_ended, imported.files) == (3, 1, 2)
    assert imported.points == 19 + 2 + 2000
    for run_id in ("parent", "child", "failed"):
        assert told(target, run_id) == told(filled, run_id)
    listed_ids = [run.id for run in target.runs.list(RunQuery(include_children=True)).runs]
    assert listed_ids == ["failed", "child", "parent"]


@by_format
def test_an_import_done_twice_adds_nothing(
    filled: EmbeddedWorkspace, make: Make, tmp_path: Path, form: Format
) -> None:
    target = make()
    take_in(target, send(filled, tmp_path / "out", form))
    before = [told(target, run_id) for run_id in ("parent", "child", "failed")]
    again = take_in(target, tmp_path / "out")
    assert again == Imported(known=3, not_ended=1)
    other = take_in(target, send(filled, tmp_path / "other", "csv"))
    assert other == Imported(known=3, not_ended=1)
    assert [told(target, run_id) for run_id in ("parent", "child", "failed")] == before


def test_an_import_into_its_own_workspace_adds_nothing(
    filled: EmbeddedWorkspace, tmp_path: Path
) -> None:
    before = told(filled, "parent")
    assert take_in(filled, send(filled, tmp_path / "out")) == Imported(known=3, not_ended=1)
    assert told(filled, "parent") == before


def test_a_run_that_has_ended_meanwhile_comes_with_a_later_export(
    filled: EmbeddedWorkspace, make: Make, tmp_path: Path
) -> None:
    target = make()
    take_in(target, send(filled, tmp_path / "first"))
    filled.runs.end("living", Status.CANCELED)
    imported = take_in(target, send(filled, tmp_path / "second"))
    assert (imported.runs, imported.known, imported.not_ended) == (1, 3, 0)
    assert told(target, "living") == told(filled, "living")


def test_other_points_and_files_of_the_same_run_are_left_alone_and_named(
    filled: EmbeddedWorkspace, make: Make, tmp_path: Path
) -> None:
    target = make()
    source = send(filled, tmp_path / "first")
    take_in(target, source)
    log(filled, "failed", lambda writer: writer.log("late", 1))
    take_in(target, send(filled, tmp_path / "second"))
    log(target, "failed", lambda writer: writer.log("mine", 1))
    target.files.put("parent", "outputs/model.bin", _file(tmp_path, b"mine"), overwrite=True)
    log(filled, "failed", lambda writer: writer.log("later", 1))
    before = told(target, "failed")
    imported = take_in(target, send(filled, tmp_path / "third"))
    assert [one.split(":")[0] for one in imported.conflicts] == [
        "failed",
        "parent/outputs/model.bin",
    ]
    assert told(target, "failed") == before


def test_a_run_whose_parent_is_left_out_stands_at_the_top(
    filled: EmbeddedWorkspace, make: Make, tmp_path: Path
) -> None:
    wanted = Wanted(RunQuery(filter="id = 'child'"), "csv", metrics=False)
    manifest = export(
        filled, wanted, tmp_path / "out", clock=lambda: 1, progress=lambda done, count: None
    )
    assert (manifest.rows(RUNS), manifest.rows(POINTS)) == (1, 0)
    target = make()
    imported = take_in(target, tmp_path / "out")
    assert (imported.runs, imported.orphans, imported.points) == (1, 1, 0)
    found = target.runs.get("child")
    assert (found.parent_id, found.root_id) == (None, "child")


def test_another_run_of_the_same_id_is_refused(
    filled: EmbeddedWorkspace, make: Make, tmp_path: Path
) -> None:
    target = make()
    target.runs.create([NewRun("failed", target.experiments.ensure("e").id)])
    with pytest.raises(RunExistsError, match="another workspace"):
        take_in(target, send(filled, tmp_path / "out"))
    assert [run.id for run in target.runs.list(RunQuery()).runs] == ["failed"]


def test_points_that_were_half_taken_in_are_taken_in_to_the_end(
    filled: EmbeddedWorkspace, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "_BYTES_AT_ONCE", 4096)
    source = send(filled, tmp_path / "out")
    target = make()

    class StopError(Exception):
        pass

    append = target.metrics.append
    calls = iter(range(5))

    def interrupted(*arguments: Any) -> int:
        if next(calls, None) is None:
            raise StopError
        return append(*arguments)

    monkeypatch.setattr(target.metrics, "append", interrupted)
    with pytest.raises(StopError):
        take_in(target, source)
    monkeypatch.undo()
    assert target.metrics.summarize(MetricQuery("child")) != []
    take_in(target, source)
    assert told(target, "child") == told(filled, "child")
    assert told(target, "parent") == told(filled, "parent")


def test_a_long_series_is_written_in_parts_and_read_back(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "_PART_ROWS", 700)
    monkeypatch.setattr(exporting, "_ROWS_AT_ONCE", 300)
    monkeypatch.setattr(exporting, "_MOST_POINTS", 1000)
    api = make()
    api.runs.create([NewRun("r", api.experiments.ensure("e").id, started=True)])
    for begin in range(0, 6000, 1500):
        values = [float(i) for i in range(begin, begin + 1500)]
        log(api, "r", lambda writer, values=values: writer.log_values("x", values))
        api.metrics.summarize(MetricQuery("r"))
    api.runs.end("r", Status.COMPLETED)
    source = send(api, tmp_path / "out", "parquet")
    assert len(Parcel(source).manifest.tables["points"]) > 3
    target = make()
    assert take_in(target, source).points == 6000
    assert told(target, "r") == told(api, "r")


# ---------------------------------------------------------------- what goes wrong


def test_an_export_goes_to_a_folder_of_its_own(filled: EmbeddedWorkspace, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    with pytest.raises(ConflictError, match="not empty"):
        send(filled, tmp_path / "out")
    assert os.listdir(tmp_path / "out") == ["mine"]


def test_an_export_on_a_full_disk_leaves_nothing(
    filled: EmbeddedWorkspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(exporting, "write_all", full)
    with pytest.raises(StorageFullError, match="free some"):
        send(filled, tmp_path / "out")
    assert not [name for name in os.listdir(tmp_path) if "out" in name]


def test_parquet_without_pyarrow_says_what_to_install(
    filled: EmbeddedWorkspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(name: str) -> None:
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr(formats.importlib, "import_module", absent)
    with pytest.raises(MissingPackageError, match=r"headway\[data\].*--format csv"):
        send(filled, tmp_path / "out", "parquet")
    assert not (tmp_path / "out").exists()


def _file(folder: Path, content: bytes) -> Path:
    path = folder / "file"
    path.write_bytes(content)
    return path


def _manifest(source: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((source / "manifest.json").read_text())
    return found


def _truncate(source: Path) -> None:
    path = next(source.glob("points-*"))
    path.write_bytes(path.read_bytes()[:-1])


def _change(source: Path) -> None:
    path = next(source.glob("runs-*"))
    path.write_bytes(path.read_bytes().replace(b"failed", b"failel"))


def _remove(source: Path) -> None:
    next(source.glob("labels-*")).unlink()


def _link(source: Path) -> None:
    path = next(source.glob("runs-*"))
    path.rename(source / "elsewhere")
    path.symlink_to(source / "elsewhere")


def _lead_out(source: Path) -> None:
    manifest = _manifest(source)
    manifest["tables"]["runs"][0]["path"] = "../out/runs-00000.jsonl"
    (source / "manifest.json").write_text(json.dumps(manifest))


def _unknown_table(source: Path) -> None:
    manifest = _manifest(source)
    manifest["tables"]["secrets"] = manifest["tables"]["runs"]
    (source / "manifest.json").write_text(json.dumps(manifest))


def _newer(source: Path) -> None:
    manifest = _manifest(source)
    manifest["version"] = 2
    (source / "manifest.json").write_text(json.dumps(manifest))


def _no_json(source: Path) -> None:
    (source / "manifest.json").write_text("[" * 100_000)


def _change_content(source: Path) -> None:
    path = next((source / "files").glob("*/*"))
    path.write_bytes(b"MODEL" * 100)


@pytest.mark.parametrize(
    "harm",
    [_truncate, _change, _remove, _link, _lead_out, _unknown_table, _newer, _no_json],
)
def test_an_export_that_was_changed_is_refused_whole(
    filled: EmbeddedWorkspace, make: Make, tmp_path: Path, harm: Any
) -> None:
    source = send(filled, tmp_path / "out")
    harm(source)
    target = make()
    with pytest.raises(InvalidValueError):
        take_in(target, source)
    assert target.runs.list(RunQuery(include_children=True)).runs == []


Rows = list[dict[str, Any]]
Edit = Callable[[Rows], object]


def _with(**cells: object) -> Edit:
    """Change cells of the first row; what is None is taken away."""

    def edit(rows: Rows) -> None:
        rows[0] |= cells
        rows[0] = {name: cell for name, cell in rows[0].items() if cell is not None}

    return edit


def _reverse(rows: Rows) -> None:
    rows.reverse()


def _drop_last(rows: Rows) -> None:
    rows.pop()


def _rename_last(count: int) -> Edit:
    def edit(rows: Rows) -> None:
        for row in rows[-count:]:
            row["name"] = "a\nb"

    return edit


def _forge(source: Path, table: str, edit: Edit) -> None:
    """Change rows of a table, and the manifest so that it fits."""
    path = source / f"{table}-00000.jsonl"
    rows: Rows = [json.loads(line) for line in path.read_text().splitlines()]
    edit(rows)
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    manifest = _manifest(source)
    [part] = manifest["tables"][table]
    part["size_bytes"] = path.stat().st_size
    part["blake3"], _ = hash_blocks([path.read_bytes()])
    (source / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    ("table", "edit", "word"),
    [
        ("runs", _with(id="../../out"), "export again"),
        ("runs", _with(number="one"), "no int"),
        ("runs", _with(error="{"), "cannot be read"),
        ("runs", _with(experiment=None), "cannot be read"),
        ("runs", _reverse, "export again"),
        ("runs", _with(name="a\nb"), "display name"),
        ("labels", _with(run_id="other"), "export again"),
        ("labels", _with(key=None), "cannot be read"),
        ("labels", _with(key="a\tb"), "tag"),
        ("events", _with(status="Nonsense"), "cannot be read"),
    ],
)
def test_rows_that_were_forged_make_no_run(
    filled: EmbeddedWorkspace, make: Make, tmp_path: Path, table: str, edit: Edit, word: str
) -> None:
    source = send(filled, tmp_path / "out")
    _forge(source, table, edit)
    target = make()
    with pytest.raises(InvalidValueError, match=word):
        take_in(target, source)
    assert target.runs.list(RunQuery(include_children=True)).runs == []


@pytest.mark.parametrize(
    ("table", "edit", "word"),
    [
        ("points", _with(type="weird"), "cannot be read"),
        ("points", _with(step=None), "cannot be read"),
        ("points", _with(type="bigint", text="ten"), "cannot be read"),
        ("points", _drop_last, "should have"),
        ("points", _with(name="other"), "should have"),
        ("series", _with(form=None), "cannot be read"),
        ("series", _with(count=5), "should have"),
        ("files", _with(blake3="../../../etc/passwd"), "no hash"),
        ("files", _with(blake3="0" * 64), "lacks"),
        ("files", _with(path=None), "cannot be read"),
    ],
)
def test_points_and_files_that_were_forged_are_refused(
    filled: EmbeddedWorkspace, make: Make, tmp_path: Path, table: str, edit: Edit, word: str
) -> None:
    source = send(filled, tmp_path / "out")
    _forge(source, table, edit)
    with pytest.raises(InvalidValueError, match=word):
        take_in(make(), source)


@pytest.mark.parametrize("path", ["../out", "/etc/x", "a/../../x", "a\\..\\b", "", "x" * 5000])
def test_a_name_that_no_file_can_have_is_left_out_and_named(
    filled: EmbeddedWorkspace, make: Make, tmp_path: Path, path: str
) -> None:
    source = send(filled, tmp_path / "out")
    _forge(source, "files", _with(path=path))
    target = make()
    imported = take_in(target, source)
    assert len(imported.conflicts) == 1
    assert imported.files == 1
    assert target.files.list("parent") == []


def test_a_metric_that_this_workspace_does_not_take_is_named(
    filled: EmbeddedWorkspace, make: Make, tmp_path: Path
) -> None:
    source = send(filled, tmp_path / "out")
    _forge(source, "series", _rename_last(1))
    _forge(source, "points", _rename_last(2000))
    target = make()
    imported = take_in(target, source)
    assert imported.conflicts == ["child: of the 2000 points of 'a\\nb' 0 could be taken in"]


def test_a_file_that_was_changed_is_not_taken_in(
    filled: EmbeddedWorkspace, make: Make, tmp_path: Path
) -> None:
    source = send(filled, tmp_path / "out")
    _change_content(source)
    target = make()
    with pytest.raises(InvalidValueError, match="its hash is another one"):
        take_in(target, source)
    assert target.files.list("parent") == []


def test_a_folder_that_holds_no_export_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="headway export"):
        Parcel(tmp_path)


@pytest.mark.parametrize("form", ["csv", "jsonl"])
@pytest.mark.parametrize(
    "rows",
    [
        b"nonsense",
        b"\xff\xfe",
        b'{"id": 1}\n',
        b'{"other": "x"}\n',
        b'{"number": 99999999999999999999}\n',
        b'"a\r\n',
        b"[" * 100_000,
        b"id,number\r\n1,2\r\n",
    ],
)
def test_a_file_that_holds_no_rows_is_refused(tmp_path: Path, form: Format, rows: bytes) -> None:
    path = tmp_path / f"runs-00000.{form}"
    path.write_bytes(rows)
    with pytest.raises(InvalidValueError, match="cannot be read"):
        list(read_rows(form, path, RUNS))


def test_a_file_that_is_no_parquet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "runs-00000.parquet"
    path.write_bytes(b"PAR1" * 10)
    with pytest.raises(InvalidValueError, match="cannot be read"):
        list(read_rows("parquet", path, RUNS))
    writer = open_writer("parquet", path, POINTS)
    writer.close()
    with pytest.raises(InvalidValueError, match="columns"):
        list(read_rows("parquet", path, RUNS))


# ---------------------------------------------------------------- formats

texts = st.text(st.characters(codec="utf-8"), max_size=20)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    texts,
    st.sampled_from(["\\", "\\\\", "\r", "\n", '"', ",", "", "nan", "NaN", "\ufeff", "\0"]),
)
longs = st.integers(-(2**63), 2**63 - 1)


@by_format
@given(rows=st.lists(st.tuples(texts, texts, longs, longs, scalars), max_size=30))
@example([("r", "x", 0, 0, "\r"), ("r", "\\", 0, 0, math.nan), ("r", "x", 0, 0, -0.0)])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_points_come_back_exactly_from_every_format(
    tmp_path: Path, form: Format, rows: list[tuple[str, str, int, int, Scalar]]
) -> None:
    path = tmp_path / "points"
    writer = open_writer(form, path, POINTS)
    writer.write([(run, name, "", *at, *value_cells(value)) for run, name, *at, value in rows])
    writer.close()
    read = list(read_rows(form, path, POINTS))
    assert [row[:2] for row in read] == [row[:2] for row in rows]
    expected = [repr(ExportedPoint(step, time, value)) for _, _, step, time, value in rows]
    assert [repr(point_of(row)) for row in read] == expected


@by_format
@pytest.mark.parametrize("table", TABLES.values(), ids=list(TABLES))
@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
def test_rows_of_every_table_come_back(
    tmp_path: Path, form: Format, table: Any, data: st.DataObject
) -> None:
    kinds: dict[type, st.SearchStrategy[Any]] = {
        str: texts,
        int: longs,
        float: st.floats(allow_nan=False),
    }
    cells = [st.none() | kinds[column.kind] for column in table.columns]
    rows = data.draw(st.lists(st.tuples(*cells), max_size=5))
    path = tmp_path / table.name
    writer = open_writer(form, path, table)
    writer.write(rows)
    writer.close()
    assert list(read_rows(form, path, table)) == rows
