"""Metrics that are files: images, confusion matrices and their kin."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway import Experiment, InvalidValueError, Run
from headway.checks import check_file_path
from headway.sdk.metrics.artifacts import file_name, media_type

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
CONFUSION = {
    "schema_type": "confusion_matrix",
    "schema_version": "1.0.0",
    "data": {"class_labels": ["cat", "<dog>"], "matrix": [[3, 1], [0, 2]]},
}
ACCURACY = {
    "schema_type": "accuracy_table",
    "schema_version": "1.0.1",
    "data": {
        "probability_tables": [[[1, 2, 3, 4], [5, 6, 7, 8]]],
        "percentile_tables": [[[1, 2, 3, 4]]],
        "probability_thresholds": [0.0, 0.5],
        "percentile_thresholds": [0.0],
        "class_labels": ["0"],
    },
}
RESIDUALS = {
    "schema_type": "residuals",
    "schema_version": "1.0.0",
    "data": {"bin_edges": [0, 1, 2], "bin_counts": [7, 9]},
}
PREDICTIONS = {
    "schema_type": "predictions",
    "schema_version": "1.0.0",
    "data": {
        "bin_averages": [0.1, None],
        "bin_errors": [0.01, 0.0],
        "bin_counts": [3, 0],
        "bin_edges": [0.0, 1.0, 2.0],
    },
}
DOCUMENTS = [CONFUSION, ACCURACY, RESIDUALS, PREDICTIONS]


class Drawing:
    def savefig(self, stream: Any, *, format: str) -> None:
        assert format == "png"
        stream.write(PNG)


@pytest.fixture
def run(experiment: Experiment) -> Run:
    return experiment.start_logging()


def uri(run: Run, name: str) -> str:
    return f"aml://artifactId/ExperimentRun/dcid.{run.id}/{name}"


def logger(run: Run, document: dict[str, Any]) -> Any:
    return getattr(run, f"log_{document['schema_type']}")


# ---------------------------------------------------------------- images


def test_an_image_is_kept_under_the_path_that_was_given(run: Run) -> None:
    Path("plots").mkdir()
    Path("plots/loss.png").write_bytes(PNG)
    run.log_image("curve", path="./plots/loss.png")
    assert run.get_metrics() == {"curve": uri(run, "plots/loss.png")}
    assert run.get_file_names() == ["plots/loss.png"]
    found: Any = run.get_metrics(populate=True)["curve"]
    assert (found.data, found.media_type) == (PNG, "image/png")
    assert found._repr_html_().startswith('<img src="data:image/png;base64,iVBOR')


def test_an_image_of_the_same_name_goes_beside_the_first(run: Run, tmp_path: Path) -> None:
    Path("a.b.png").write_bytes(PNG)
    run.log_image("curve", "a.b.png")
    run.log_image("curve", "a.b.png")
    (tmp_path / "outside.png").write_bytes(PNG)
    run.log_image("other", str(tmp_path / "outside.png"))
    assert run.get_metrics()["curve"] == [uri(run, "a.b.png"), uri(run, "a.b_1.png")]
    assert run.get_metrics("other") == {"other": uri(run, "outside.png")}


def test_whatever_has_savefig_is_drawn(run: Run) -> None:
    run.log_image("a plot/of it", plot=Drawing())
    [name] = run.get_file_names()
    assert name.startswith("a plot/of it_")
    assert name.endswith(".png")
    assert run.get_metrics() == {"a plot/of it": uri(run, name)}


def test_a_figure_of_matplotlib_is_drawn(run: Run) -> None:
    figure = pytest.importorskip("matplotlib.figure").Figure()
    figure.add_subplot().plot([1, 2])
    run.log_image("figure", plot=figure)
    found: Any = run.get_metrics(populate=True)["figure"]
    assert found.media_type == "image/png"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "neither path and plot"),
        ({"path": "a.png", "plot": Drawing()}, "both path and plot"),
        ({"path": "absent.png"}, "there is no file"),
        ({"path": "text.png"}, "none that is known"),
        ({"path": 3}, "give the path of an image"),
        ({"plot": "a.png"}, "has no savefig"),
    ],
)
def test_what_is_no_image_is_refused(run: Run, arguments: dict[str, Any], message: str) -> None:
    Path("text.png").write_text("not an image")
    with pytest.raises(InvalidValueError, match=message):
        run.log_image("curve", **arguments)
    assert (run.get_file_names(), run.get_metrics()) == ([], {})


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"BM6", "image/bmp"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"\0\0\0\x20ftypavif", "image/avif"),
        (b"II*\0", "image/tiff"),
        (b"<?xml version='1.0'?>\n<svg/>", "image/svg+xml"),
        (b"<html>", None),
        (b"", None),
    ],
)
def test_images_are_told_by_their_first_bytes(head: bytes, kind: str | None) -> None:
    assert media_type(head) == kind


@given(st.text(min_size=1, max_size=60).filter(str.strip))
def test_any_name_of_a_metric_makes_a_name_of_a_file(name: str) -> None:
    assert check_file_path(file_name(name), 1000)


# ---------------------------------------------------------------- tables


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: d["schema_type"])
@pytest.mark.parametrize("shape", ["dict", "json", "data"])
def test_a_table_comes_back_as_an_object_with_its_bytes(
    run: Run, document: dict[str, Any], shape: str
) -> None:
    given = {"dict": document, "json": json.dumps(document), "data": document["data"]}[shape]
    logger(run, document)("result", given)
    assert run.get_metrics() == {"result": uri(run, "result")}
    assert run.get_file_names() == ["result"]
    found: Any = run.get_metrics("result", populate=True)["result"]
    assert json.loads(found.data)["data"] == document["data"]
    for key, value in document["data"].items():
        assert getattr(found, key) == value
    assert found._repr_html_().startswith("<table>")


def test_what_a_table_shows_is_escaped(run: Run) -> None:
    run.log_confusion_matrix("cm", CONFUSION)
    found: Any = run.get_metrics(populate=True)["cm"]
    assert "<td>&lt;dog&gt;</td><td>0</td><td>2</td>" in found._repr_html_()


def test_arrays_of_numpy_are_lists(run: Run) -> None:
    data = {"class_labels": np.array(["a", "b"]), "matrix": np.array([[1, 2], [3, 4]])}
    run.log_confusion_matrix("cm", {"schema_type": "confusion_matrix", "data": data})
    run.log_residuals("r", {"bin_edges": np.arange(3.0), "bin_counts": [np.int64(1), 2]})
    found: Any = run.get_metrics(populate=True)
    assert found["cm"].matrix == [[1, 2], [3, 4]]
    assert found["r"].bin_counts == [1, 2]


def test_a_table_logged_again_goes_beside_the_first(run: Run) -> None:
    run.upload_file("cm", io.BytesIO(b"another file"))
    run.log_confusion_matrix("cm", CONFUSION)
    run.log_confusion_matrix("cm", CONFUSION)
    assert run.get_metrics() == {"cm": [uri(run, "cm_1"), uri(run, "cm_2")]}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("{not json", "Invalid JSON provided"),
        ("[1, 2]", "give a dict"),
        (3, "give a dict"),
        ({"data": {"class_labels": ["a"]}}, "missing required field `matrix`"),
        ({"class_labels": ["a"], "matrix": [[1], [2]]}, "1 class_labels, 2 rows"),
        ({"class_labels": ["a"], "matrix": [[1, 2]]}, "row 0 of the matrix has 2 of 1"),
        ({"class_labels": ["a"], "matrix": [["x"]]}, "matrix"),
        ({"class_labels": ["a"], "matrix": object()}, "nothing that JSON knows"),
        (RESIDUALS, r"run\.log_residuals"),
        ({"schema_type": "roc", "data": {}}, "give 'confusion_matrix'"),
    ],
)
def test_what_does_not_fit_its_schema_is_refused(run: Run, value: Any, message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        run.log_confusion_matrix("cm", value)
    assert (run.get_file_names(), run.get_metrics()) == ([], {})


@pytest.mark.parametrize(
    ("call", "data", "message"),
    [
        ("log_residuals", {"bin_edges": [0, 1], "bin_counts": [1, 2]}, "2 bin_edges go with 1"),
        ("log_predictions", {**PREDICTIONS["data"], "bin_errors": []}, "3 bin_edges go with 2"),  # type: ignore[dict-item]  # an untyped literal
        ("log_accuracy_table", {**ACCURACY["data"], "class_labels": []}, "one a class"),  # type: ignore[dict-item]  # an untyped literal
    ],
)
def test_lists_that_do_not_belong_together_are_refused(
    run: Run, call: str, data: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidValueError, match=message):
        getattr(run, call)("result", data)


def test_files_among_the_metrics_of_children_are_read_too(run: Run) -> None:
    child = run.child_run()
    child.log_residuals("r", RESIDUALS)
    run.log("loss", 1.0)
    assert run.get_metrics(recursive=True) == {
        run.id: {"loss": 1.0},
        child.id: {"r": uri(child, "r")},
    }
    by_run: Any = run.get_metrics(recursive=True, populate=True)
    assert by_run[child.id]["r"].bin_counts == [7, 9]
