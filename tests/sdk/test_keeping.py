"""What an interactive run leaves behind: its outputs at the end, its logs as they grow."""

import io
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from headway import Experiment, InvalidValueError, Run, StorageError
from headway.errors import StorageFullError
from headway.sdk.interactive.keeping import RunKeeper, told
from headway.sdk.interactive.process import close_sessions


def write(path: str, text: str = "x") -> None:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def let_the_clock_go_on(path: str) -> None:
    """Until what is written now has a later time than a file that is there."""
    while True:
        write("probe")
        if os.stat("probe").st_ctime_ns > os.stat(path).st_ctime_ns:
            return


def text_of(run: Run, name: str) -> str:
    run.download_file(name, "fetched")
    return Path("fetched").read_text()


def keeper_of(run: Run) -> RunKeeper:
    return run._session.keep(run.id)  # pyright: ignore[reportPrivateUsage]


def sink_of(run: Run) -> object:
    return keeper_of(run)._sink  # pyright: ignore[reportPrivateUsage]


# ---------------------------------------------------------------- outputs


def end_the_process(run: Run) -> None:
    close_sessions()


ENDS: list[Callable[[Run], object]] = [Run.complete, Run.fail, Run.cancel, end_the_process]


@pytest.mark.parametrize("end", ENDS)
def test_outputs_are_collected_however_the_run_ends(
    experiment: Experiment, end: Callable[[Run], object]
) -> None:
    run = experiment.start_logging()
    assert Path("outputs").is_dir()
    write("outputs/deep/model.pkl", "a model")
    assert run.get_file_names() == []
    end(run)
    again = Run(Experiment(experiment.workspace, experiment.name), run.id)
    assert again.get_file_names() == ["outputs/deep/model.pkl"]
    assert text_of(again, "outputs/deep/model.pkl") == "a model"


def test_outputs_of_a_block_are_collected(experiment: Experiment) -> None:
    with experiment.start_logging() as run:
        write("outputs/a")
    assert run.get_file_names() == ["outputs/a"]
    with suppress(ZeroDivisionError), experiment.start_logging() as failed:
        write("outputs/b")
        _ = 1 / 0
    assert failed.get_file_names()[-1] == "outputs/b"


def test_only_what_was_written_during_the_run_is_its_output(experiment: Experiment) -> None:
    write("outputs/changed", "before")
    write("outputs/old", "before")
    let_the_clock_go_on("outputs/old")
    run = experiment.start_logging()
    write("outputs/changed", "during")
    write("outputs/new")
    run.complete()
    write("outputs/late")
    assert run.get_file_names() == ["outputs/changed", "outputs/new"]
    assert text_of(run, "outputs/changed") == "during"


def test_what_is_written_later_does_not_reach_what_was_collected(experiment: Experiment) -> None:
    run = experiment.start_logging()
    write("outputs/a", "first")
    run.complete()
    with open("outputs/a", "r+") as file:
        file.write("OTHER")
    assert text_of(run, "outputs/a") == "first"


def test_an_upload_stands_before_a_file_that_is_collected(experiment: Experiment) -> None:
    run = experiment.start_logging()
    run.upload_file("outputs/a", io.BytesIO(b"uploaded"))
    write("outputs/a", "collected")
    run.complete()
    assert text_of(run, "outputs/a") == "uploaded"


def test_links_pipes_and_folders_are_left_out(experiment: Experiment, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("secret")
    run = experiment.start_logging()
    os.symlink(tmp_path / "outside", "outputs/folder")
    os.symlink(tmp_path / "outside" / "secret", "outputs/link")
    os.symlink("nowhere", "outputs/broken")
    os.mkfifo("outputs/pipe")
    Path("outputs/empty").mkdir()
    write("outputs/a")
    run.complete()
    assert run.get_file_names() == ["outputs/a"]


def test_another_folder_may_be_collected_or_none(experiment: Experiment, tmp_path: Path) -> None:
    run = experiment.start_logging(outputs="results/here")
    write("results/here/a")
    run.complete()
    assert run.get_file_names() == ["results/here/a"]
    outside = experiment.start_logging(outputs=str(tmp_path / "models"))
    write(f"{tmp_path}/models/a")
    outside.complete()
    assert outside.get_file_names() == ["models/a"]
    none = experiment.start_logging(outputs=False)
    write("outputs/b")
    none.complete()
    assert none.get_file_names() == []


def test_the_folder_is_that_of_the_beginning(experiment: Experiment, tmp_path: Path) -> None:
    run = experiment.start_logging()
    write("outputs/a")
    os.chdir(tmp_path)
    run.complete()
    assert run.get_file_names() == ["outputs/a"]


def test_outputs_that_make_no_sense_make_no_run(experiment: Experiment) -> None:
    for wrong in (3, "", ["a"]):
        with pytest.raises(InvalidValueError, match="outputs was given as"):
            experiment.start_logging(outputs=wrong)
    assert list(experiment.get_runs()) == []


def test_a_folder_that_cannot_be_made_stops_no_run(
    experiment: Experiment, capsys: pytest.CaptureFixture[str]
) -> None:
    write("outputs", "a file of that name")
    run = experiment.start_logging()
    run.complete()
    assert run.get_status() == "Completed"
    assert "its outputs and logs are not collected" in capsys.readouterr().err


def test_a_child_collects_what_it_is_told_to(experiment: Experiment) -> None:
    with experiment.start_logging() as run:
        with run.child_run() as child:
            write("outputs/a")
        with run.child_run(outputs="outputs/fold") as told_to:
            write("outputs/fold/b")
    assert child.get_file_names() == []
    assert told_to.get_file_names() == ["outputs/fold/b"]
    assert run.get_file_names() == ["outputs/a", "outputs/fold/b"]


def test_many_small_files_are_collected(experiment: Experiment) -> None:
    run = experiment.start_logging()
    for i in range(500):
        (Path("outputs") / f"{i:04}").write_text(str(i))
    run.complete()
    assert len(run.get_file_names()) == 500
    assert text_of(run, "outputs/0499") == "499"


# ---------------------------------------------------------------- what goes wrong


class BrokenFiles:
    """Keeps files but for those that it was told to refuse."""

    def __init__(self, files: Any, refused: dict[str, Exception]) -> None:
        self._files = files
        self._refused = refused

    def put_many(self, run_id: str, sources: dict[str, Path]) -> object:
        for name in sources:
            if name in self._refused:
                raise self._refused[name]
        return self._files.put_many(run_id, sources)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._files, name)


def test_a_file_that_cannot_be_kept_is_named_and_the_others_are_there(
    experiment: Experiment, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = experiment.start_logging()
    for name in "abc":
        write(f"outputs/{name}")
    refused: dict[str, Exception] = {"outputs/b": StorageError("this one is cursed")}
    monkeypatch.setattr(sink_of(run), "_files", BrokenFiles(experiment.api.files, refused))
    run.complete()
    assert run.get_status() == "Completed"
    assert run.get_file_names() == ["outputs/a", "outputs/c"]
    details = run.get_detailed_status()["details"]
    assert details is not None
    assert "outputs/b: this one is cursed" in details
    assert "outputs/b: this one is cursed" in capsys.readouterr().err


def test_a_disk_that_stays_full_ends_the_collection_and_not_the_run(
    experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = experiment.start_logging()
    names = [f"outputs/{i:02}" for i in range(30)]
    full: dict[str, Exception] = {}
    for name in names:
        write(name)
        full[name] = StorageFullError("no space is left")
    monkeypatch.setattr(sink_of(run), "_files", BrokenFiles(experiment.api.files, full))
    run.complete()
    assert run.get_status() == "Completed"
    details = str(run.get_detailed_status()["details"])
    assert "outputs/10: no space is left; the other files of outputs/: no space is left" in details
    assert "outputs/11" not in details


def test_what_could_not_be_kept_is_told_in_one_line() -> None:
    line = told([f"outputs/{i}: why" for i in range(100)])
    assert line.startswith("not all of its files could be kept: outputs/0: why; outputs/1: why")
    assert line.endswith("outputs/19: why and 80 more")


# ---------------------------------------------------------------- logs


def test_logs_are_there_while_they_grow(experiment: Experiment) -> None:
    write("logs/old.log", "before\n")
    write("logs/grows.log", "before\n")
    run = experiment.start_logging()
    keeper = keeper_of(run)
    with open("logs/grows.log", "a") as file:
        file.write("one\n")
    write("logs/deep/new.log", "two\n")
    write("logs/.hidden", "no")
    keeper.look()
    assert run.get_file_names() == ["logs/deep/new.log", "logs/grows.log"]
    assert text_of(run, "logs/grows.log") == "one\n"
    with open("logs/grows.log", "a") as file:
        file.write("three\n")
    run.complete()
    assert text_of(run, "logs/grows.log") == "one\nthree\n"
    assert text_of(run, "logs/deep/new.log") == "two\n"


def test_a_log_that_is_begun_anew_goes_on_behind_what_was_kept(experiment: Experiment) -> None:
    run = experiment.start_logging()
    write("logs/a.log", "a long first line\n")
    keeper_of(run).look()
    write("logs/a.log", "short\n")
    run.complete()
    assert text_of(run, "logs/a.log") == "a long first line\nshort\n"


def test_a_log_that_vanishes_is_no_error(experiment: Experiment) -> None:
    run = experiment.start_logging()
    write("logs/a.log", "gone")
    keeper_of(run).look()
    Path("logs/a.log").unlink()
    run.complete()
    assert text_of(run, "logs/a.log") == "gone"
