"""What a writer leaves that is killed while it makes a journal does not stay."""

import fcntl
import os
import threading
from pathlib import Path

import pytest

from headway.metrics import drain
from headway.metrics.journal import JournalWriter
from headway.metrics.segment import UNFINISHED


def writer(folder: Path) -> JournalWriter:
    return JournalWriter(
        folder,
        "run",
        os.urandom(8).hex(),
        segment_bytes=1 << 16,
        max_text_bytes=100,
        max_name_chars=100,
        warn=pytest.fail,
    )


def test_an_unfinished_segment_goes_with_its_folder(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / f"dead.000000{UNFINISHED}").touch()
    drain.sweep(tmp_path, "run")
    assert not (tmp_path / "run").exists()


def test_a_segment_that_is_being_made_stays(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    path = tmp_path / "run" / f"living.000000{UNFINISHED}"
    with path.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        drain.sweep(tmp_path, "run")
        assert path.exists()


def test_a_writer_loses_nothing_while_its_folder_is_swept(tmp_path: Path) -> None:
    calm = threading.Event()

    def sweep() -> None:
        while not calm.wait(0.0005):
            drain.sweep(tmp_path, "run")

    sweeping = threading.Thread(target=sweep)
    sweeping.start()
    try:
        for _ in range(200):
            one = writer(tmp_path)
            one.log("x", 1)
            assert one.lost == 0
            one.close()
            for journal in drain.journals_of(tmp_path, "run"):
                drain.discard(tmp_path, journal, 1 << 30, finished=True)
    finally:
        calm.set()
        sweeping.join()
