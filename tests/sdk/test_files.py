"""Files of a run: kept, listed, brought back."""

import io
import time
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
    StorageCorruptError,
    Workspace,
)
from headway.model import FileEntry
from headway.service.files import FileService


@pytest.fixture
def run(experiment: Experiment) -> Run:
    return experiment.start_logging(outputs=False)


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


# ---------------------------------------------------------------- bytes that are what they were


def test_a_damaged_file_is_not_brought_home(run: Run, workspace: Workspace) -> None:
    run.upload_file("outputs/a", io.BytesIO(b"as it was"))
    [stored] = [path for path in workspace.folder.glob("runs/*/files/*") if path.is_file()]
    stored.write_bytes(b"as it is!")
    with pytest.raises(StorageCorruptError, match=r"outputs/a.* is damaged"):
        run.download_file("outputs/a")
    assert not Path("a").exists()


def test_a_text_stream_is_kept_a_piece_at_a_time(run: Run) -> None:
    text = "größer\n" * 300_000
    run.upload_file("text", io.StringIO(text))
    run.download_file("text", "fetched")
    assert Path("fetched").read_text() == text


def test_a_name_is_taken_again_where_that_is_asked_for(run: Run, data: Path) -> None:
    run.upload_file("model/a.txt", io.BytesIO(b"old"))
    run.upload_file("model/a.txt", data / "sub" / "b.txt", overwrite=True)
    run.download_file("model/a.txt")
    assert Path("a.txt").read_text() == "b"
    run.upload_folder("model", data, overwrite=True)
    run.upload_files(["model/a.txt"], [str(data / "sub" / "b.txt")], overwrite=True)
    assert run.get_file_names() == ["model/a.txt", "model/sub/b.txt"]


def test_of_several_files_none_is_kept_where_one_is_missing(run: Run, data: Path) -> None:
    with pytest.raises(InvalidValueError, match="there is no file 'absent'"):
        run.upload_files(["a", "b"], [str(data / "a.txt"), "absent"])
    assert run.get_file_names() == []


def test_what_a_submitted_script_uploads_stands_before_its_outputs(experiment: Experiment) -> None:
    Path("train.py").write_text(
        "from headway import Run\n"
        "import os\n"
        "os.makedirs('outputs', exist_ok=True)\n"
        "open('outputs/model.pkl', 'w').write('the model')\n"
        "run = Run.get_context()\n"
        "run.upload_file('outputs/model.pkl', 'outputs/model.pkl')\n"
        "open('outputs/model.pkl', 'w').write('written later')\n"
        "open('outputs/more.txt', 'w').write('more')\n"
    )
    run = experiment.submit(ScriptRunConfig(".", script="train.py"))
    run.wait_for_completion()
    outputs = [name for name in run.get_file_names() if name.startswith("outputs/")]
    assert outputs == ["outputs/model.pkl", "outputs/more.txt"]
    run.download_file("outputs/model.pkl", "fetched")
    assert Path("fetched").read_text() == "the model"


def test_outputs_of_a_run_that_is_killed_are_there(experiment: Experiment) -> None:
    script = "mkdir -p outputs logs; echo half > outputs/a; echo line > logs/b.log; sleep 60"
    run = experiment.submit(ScriptRunConfig(".", command=script))
    deadline = time.monotonic() + 10
    while "logs/b.log" not in run.get_file_names():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    run.cancel()
    assert {"outputs/a", "logs/b.log"} <= set(run.get_file_names())
    logs: Any = run.get_details_with_logs()["logFiles"]
    assert logs["logs/b.log"] == "line\n"


def test_a_name_from_a_server_that_leads_elsewhere_is_not_written(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def listed(_: FileService, run_id: str, prefix: str = "") -> list[FileEntry]:
        return [FileEntry("logs/../../evil", 1, None, 0)]

    def opened(_: FileService, run_id: str, path: str) -> io.BytesIO:
        return io.BytesIO(b"evil")

    monkeypatch.setattr(FileService, "list", listed)
    monkeypatch.setattr(FileService, "open", opened)
    for bring in (
        lambda: run.download_files(output_directory=str(tmp_path / "in")),
        lambda: run.get_all_logs(str(tmp_path / "in")),
    ):
        with pytest.raises(InvalidValueError, match="leads out of the folder"):
            bring()
    assert not list(tmp_path.rglob("evil"))
