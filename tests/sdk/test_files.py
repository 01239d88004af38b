"""Files of a run: kept, listed, brought back."""

import io
from pathlib import Path
from typing import Any

import pytest

from headway import (
    Experiment,
    InvalidValueError,
    Run,
    RunFileExistsError,
    RunFileNotFoundError,
    ScriptRunConfig,
)


@pytest.fixture
def run(experiment: Experiment) -> Run:
    return experiment.start_logging()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.txt").write_text("a")
    (folder / "sub" / "b.txt").write_text("b")
    (folder / "broken").symlink_to("nowhere")
    return folder


def test_a_file_goes_there_and_back(run: Run, data: Path, tmp_path: Path) -> None:
    run.upload_file("outputs/a.txt", str(data / "a.txt"))
    run.upload_file("bytes", io.BytesIO(b"raw"))
    run.upload_file("text", io.StringIO("größer"))
    run.upload_files(["x", "y"], [str(data / "a.txt"), str(data / "sub/b.txt")])
    assert run.get_file_names() == ["bytes", "outputs/a.txt", "text", "x", "y"]
    run.download_file("outputs/a.txt")
    assert Path("a.txt").read_text() == "a"
    run.download_file("text", str(tmp_path / "new" / "place.txt"))
    assert (tmp_path / "new" / "place.txt").read_text() == "größer"
    run.download_file("bytes", tmp_path / "new")
    run.download_file("bytes", f"{tmp_path}/other/")
    assert (tmp_path / "new" / "bytes").read_bytes() == b"raw"
    assert (tmp_path / "other" / "bytes").read_bytes() == b"raw"
    assert not list(tmp_path.rglob("*.part"))


def test_a_folder_goes_there_and_back(run: Run, data: Path, tmp_path: Path) -> None:
    run.upload_folder("model/", data)
    assert run.get_file_names() == ["model/a.txt", "model/sub/b.txt"]
    run.download_files(output_directory=tmp_path / "all")
    assert (tmp_path / "all" / "model" / "sub" / "b.txt").read_text() == "b"
    run.download_files("model", tmp_path / "cut", append_prefix=False)
    assert (tmp_path / "cut" / "sub" / "b.txt").read_text() == "b"
    targets = [str(tmp_path / "one"), str(tmp_path / "two")]
    run.download_files("model", output_paths=targets)
    assert (tmp_path / "two").read_text() == "b"
    with pytest.raises(InvalidValueError, match="1 paths for 2 files"):
        run.download_files("model", output_paths=targets[:1])
    run.download_files("mod")
    assert list(Path().iterdir()) == []


def test_a_name_is_taken_once(run: Run, data: Path) -> None:
    run.upload_file("model/sub/b.txt", data / "a.txt")
    with pytest.raises(RunFileExistsError, match=r"model/sub/b\.txt"):
        run.upload_file("model/sub/b.txt", data / "a.txt")
    with pytest.raises(RunFileExistsError, match=r"model/sub/b\.txt"):
        run.upload_folder("model", data)
    assert run.get_file_names() == ["model/sub/b.txt"]


def test_a_missing_file_is_answered_with_those_there_are(run: Run, data: Path) -> None:
    run.upload_file("here", data / "a.txt")
    with pytest.raises(RunFileNotFoundError) as caught:
        run.download_file("there")
    assert str(caught.value) == (
        "File with path there was not found,\navailable files include: here."
    )
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize("source", ["missing", 3, None, b"bytes"])
def test_what_cannot_be_uploaded_is_refused(run: Run, source: Any) -> None:
    with pytest.raises(InvalidValueError):
        run.upload_file("a", source)
    with pytest.raises(InvalidValueError, match="no folder"):
        run.upload_folder("a", source)
    assert run.get_file_names() == []


def test_wrong_names_and_targets_are_refused(run: Run, data: Path) -> None:
    for name in ("../up", "/abs", "", "a//b", 3):
        wrong: Any = name
        with pytest.raises(InvalidValueError):
            run.upload_file(wrong, data / "a.txt")
    target: Any = 3
    with pytest.raises(InvalidValueError, match="output_file_path"):
        run.download_file("a", target)
    with pytest.raises(InvalidValueError, match="prefix"):
        run.download_files(target)
    with pytest.raises(InvalidValueError, match="2 names were given for 1 paths"):
        run.upload_files(["a", "b"], ["x"])


def test_what_was_uploaded_may_be_returned(run: Run, data: Path) -> None:
    kept = run.upload_files(["a"], [str(data / "a.txt")], return_artifacts=True)
    assert kept is not None
    assert [(entry.path, entry.size_bytes) for entry in kept] == [("a", 1)]


def test_logs_are_brought_home(experiment: Experiment, tmp_path: Path) -> None:
    run = experiment.submit(ScriptRunConfig(".", command="echo hello"))
    run.wait_for_completion()
    assert run.get_all_logs() == [f"assets/{run.id}/user_logs/std_log.txt"]
    assert run.get_all_logs(tmp_path / "logs") == [str(tmp_path / "logs/user_logs/std_log.txt")]
    assert (tmp_path / "logs/user_logs/std_log.txt").read_text() == "hello\n"
    logs: Any = run.get_details_with_logs()["logFiles"]
    assert logs == {"user_logs/std_log.txt": "hello\n"}
