"""``api.files``."""

import io
from pathlib import Path

import pytest

from headway.api import Api
from headway.errors import (
    InvalidValueError,
    RunFileExistsError,
    RunFileNotFoundError,
    RunNotFoundError,
    RunStateError,
)
from headway.model import Status
from headway.testing.api.requests import LOG, follow, new_run, submit

PROGRAM = """
import os, shutil
from pathlib import Path
Path("outputs").mkdir(exist_ok=True)
Path("outputs/model.pkl").write_text("a model")
Path("outputs/changed.txt").write_text("by the run")
os.symlink("/etc/passwd", "outputs/link")
os.symlink("/etc", "outputs/folder")
os.mkfifo("outputs/pipe")
Path("logs/deep").mkdir(parents=True)
Path("logs/deep/train.log").write_text("line")
Path("elsewhere.txt").write_text("not kept")
"""
"""Leaves behind what belongs to the run, and what does not."""


class FileContract:
    """``api.files``."""

    def test_a_file_comes_back_as_it_was(self, api: Api, experiment_id: str) -> None:
        [run] = api.runs.create([new_run(experiment_id)])
        content = bytes(range(256)) * 5000
        entry = api.files.put(run.id, "outputs/model.bin", io.BytesIO(content))
        assert entry.size_bytes == len(content)
        with api.files.open(run.id, "outputs/model.bin") as file:
            assert file.read() == content
        assert [e.path for e in api.files.list(run.id)] == ["outputs/model.bin"]
        assert api.files.list(run.id, "other/") == []

    def test_a_name_that_is_taken_is_refused_unless_overwritten(
        self, api: Api, experiment_id: str
    ) -> None:
        [run] = api.runs.create([new_run(experiment_id)])
        api.files.put(run.id, "a", io.BytesIO(b"1"))
        with pytest.raises(RunFileExistsError, match="overwrite=True"):
            api.files.put(run.id, "a", io.BytesIO(b"2"))
        with pytest.raises(RunFileExistsError):
            api.files.put(run.id, "a", io.BytesIO(b"1"))
        api.files.put(run.id, "a", io.BytesIO(b"3"), overwrite=True)
        with api.files.open(run.id, "a") as file:
            assert file.read() == b"3"

    @pytest.mark.parametrize("path", ["../a", "/a", "a/../b", "a//b", "", "a\\b", "a\0b", "./a"])
    def test_a_name_that_leads_elsewhere_is_refused(
        self, api: Api, experiment_id: str, path: str
    ) -> None:
        [run] = api.runs.create([new_run(experiment_id)])
        with pytest.raises(InvalidValueError):
            api.files.put(run.id, path, io.BytesIO(b""))
        assert api.files.list(run.id) == []

    def test_an_absent_file_is_answered_with_those_there_are(
        self, api: Api, experiment_id: str
    ) -> None:
        [run] = api.runs.create([new_run(experiment_id)])
        api.files.put(run.id, "here", io.BytesIO(b""))
        with pytest.raises(RunFileNotFoundError, match="here"):
            api.files.open(run.id, "there")

    def test_several_files_are_kept_all_or_none(
        self, api: Api, experiment_id: str, tmp_path: Path
    ) -> None:
        [run] = api.runs.create([new_run(experiment_id)])
        for name in ("a", "b"):
            (tmp_path / name).write_text(name)
        sources = {"x/a": tmp_path / "a", "x/b": tmp_path / "b"}
        with pytest.raises(InvalidValueError, match="does not exist"):
            api.files.put_many(run.id, {**sources, "x/c": tmp_path / "absent"})
        with pytest.raises(InvalidValueError):
            api.files.put_many(run.id, {**sources, "../c": tmp_path / "a"})
        assert api.files.list(run.id) == []
        entries = api.files.put_many(run.id, sources)
        assert [entry.path for entry in entries] == ["x/a", "x/b"]
        assert api.files.list(run.id) == entries
        (tmp_path / "a").write_text("other")
        with pytest.raises(RunFileExistsError, match="x/b"):
            api.files.put_many(run.id, {"x/new": tmp_path / "a", "x/b": tmp_path / "a"})
        assert [entry.path for entry in api.files.list(run.id)] == ["x/a", "x/b"]
        api.files.put_many(run.id, {"x/b": tmp_path / "a"}, overwrite=True)
        with api.files.open(run.id, "x/b") as file:
            assert file.read() == b"other"
        assert api.files.put_many(run.id, {}) == []

    # ------------------------------------------------------------ logs that a process keeps

    def test_a_log_is_appended_to_exactly_once(self, api: Api, experiment_id: str) -> None:
        [run] = api.runs.create([new_run(experiment_id, started=True)])
        name = "logs/deep/user_log.txt"
        assert api.files.append(run.id, name, 0, b"one\n") == 4
        assert api.files.append(run.id, name, 0, b"one\ntwo\n") == 8
        assert api.files.append(run.id, name, 0, b"one\n") == 8
        with pytest.raises(InvalidValueError, match="has 8 bytes"):
            api.files.append(run.id, name, 9, b"four\n")
        api.runs.end(run.id, Status.COMPLETED)
        assert api.files.append(run.id, name, 8, b"end") == 11
        assert [(e.path, e.size_bytes) for e in api.files.list(run.id)] == [(name, 11)]
        with api.files.open(run.id, name) as file:
            assert file.read() == b"one\ntwo\nend"
        update = api.runs.watch(run.id, log=name, offset=4, timeout_s=0)
        assert (update.log.data, update.log.next_offset) == (b"two\nend", 11)

    def test_logs_of_a_run_that_is_executed_elsewhere_are_sent_in(
        self, api: Api, experiment_id: str
    ) -> None:
        [run] = api.runs.create([new_run(experiment_id, started=True)])
        for name in (LOG, "system_logs/environment.txt"):
            assert api.files.append(run.id, name, 0, b"line\n") == 5
            with api.files.open(run.id, name) as file:
                assert file.read() == b"line\n"
        update = api.runs.watch(run.id, log=LOG, offset=2, timeout_s=0)
        assert update.log.data == b"ne\n"
        names = [entry.path for entry in api.files.list(run.id)]
        assert names == ["system_logs/environment.txt", LOG]
        with pytest.raises(RunFileExistsError):
            api.files.put(run.id, LOG, io.BytesIO(b"not a log"))

    def test_a_place_in_a_log_that_was_sent_in_is_found_by_its_time(
        self, api: Api, experiment_id: str
    ) -> None:
        [run] = api.runs.create([new_run(experiment_id, started=True)])
        assert api.runs.log_offset(run.id, log=LOG, at=2_000_000) == 0
        api.files.append(run.id, LOG, 0, b"early\n", written_at=1_000_000)
        api.files.append(run.id, LOG, 6, b"late\n", written_at=9_000_000)
        assert api.runs.log_offset(run.id, log=LOG, at=999_999) == 0
        assert api.runs.log_offset(run.id, log=LOG, at=2_000_000) == 6

    @pytest.mark.parametrize("offset", [-1, 1 << 63, 1 << 80])
    def test_an_offset_that_no_log_has_is_refused(
        self, api: Api, experiment_id: str, offset: int
    ) -> None:
        [run] = api.runs.create([new_run(experiment_id, started=True)])
        api.files.append(run.id, LOG, 0, b"line")
        for name in (LOG, "logs/absent"):
            with pytest.raises(InvalidValueError, match="offset"):
                api.runs.watch(run.id, log=name, offset=offset, timeout_s=0)
        with pytest.raises(InvalidValueError):
            api.files.append(run.id, LOG, offset, b"x")

    @pytest.mark.parametrize("name", ["outputs/a", "a", "logs/../a", "/logs/a", "logs"])
    def test_only_logs_are_appended_to(self, api: Api, experiment_id: str, name: str) -> None:
        [run] = api.runs.create([new_run(experiment_id)])
        with pytest.raises(InvalidValueError):
            api.files.append(run.id, name, 0, b"x")
        with pytest.raises(RunNotFoundError):
            api.files.append("absent", "logs/a", 0, b"x")
        assert api.files.list(run.id) == []

    # ------------------------------------------------------------ what a program leaves behind

    def test_what_a_program_wrote_for_the_run_is_among_its_files(
        self, api: Api, experiment_id: str, tmp_path: Path
    ) -> None:
        (tmp_path / "outputs").mkdir()
        for name in ("source.txt", "changed.txt"):
            (tmp_path / "outputs" / name).write_text("from the source")
        (tmp_path / "run.py").write_text(PROGRAM)
        run, _ = follow(api, submit(api, experiment_id, tmp_path, "run.py").id)
        assert run.status is Status.COMPLETED
        kept = ["logs/deep/train.log", "outputs/changed.txt", "outputs/model.pkl"]
        names = [e.path for e in api.files.list(run.id) if not e.path.startswith("system_logs/")]
        assert names == [*kept, LOG]
        with api.files.open(run.id, "outputs/changed.txt") as file:
            assert file.read() == b"by the run"
        for name in ("outputs/source.txt", "outputs/link", "outputs/folder/passwd", "outputs/pipe"):
            with pytest.raises(RunFileNotFoundError):
                api.files.open(run.id, name)

    def test_an_upload_stands_before_what_the_program_left(
        self, api: Api, experiment_id: str, tmp_path: Path
    ) -> None:
        (tmp_path / "run.py").write_text(PROGRAM)
        run, _ = follow(api, submit(api, experiment_id, tmp_path, "run.py").id)
        api.files.put(run.id, "outputs/model.pkl", io.BytesIO(b"uploaded"))
        with api.files.open(run.id, "outputs/model.pkl") as file:
            assert file.read() == b"uploaded"
        assert [e.path for e in api.files.list(run.id)].count("outputs/model.pkl") == 1
        with pytest.raises(RunFileExistsError):
            api.files.put(run.id, LOG, io.BytesIO(b"not a log"))

    def test_cleaning_leaves_what_belongs_to_the_run(
        self, api: Api, experiment_id: str, tmp_path: Path
    ) -> None:
        source = tmp_path / "source"
        (source / "package").mkdir(parents=True)
        (source / "package" / "a.py").write_text("")
        (source / "run.py").write_text(PROGRAM)
        run, _ = follow(api, submit(api, experiment_id, source, "run.py").id)
        before = api.files.list(run.id)
        assert sorted(api.files.clean(run.id)) == ["elsewhere.txt", "package/a.py", "run.py"]
        assert api.files.list(run.id) == before
        assert api.files.clean(run.id) == []

    def test_a_run_that_goes_on_is_not_cleaned(self, api: Api, experiment_id: str) -> None:
        [run] = api.runs.create([new_run(experiment_id, started=True)])
        with pytest.raises(RunStateError, match="Running"):
            api.files.clean(run.id)
