"""The files of a run, in whose folder its program puts what it likes."""

import os
from pathlib import Path

import pytest

from headway.files.beneath import UNREACHABLE, open_beneath
from headway.hosting.live_files import LiveFiles


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    folder = tmp_path / "run" / "work" / "outputs"
    folder.mkdir(parents=True)
    (tmp_path / "secret").write_bytes(b"secret")
    return folder


@pytest.fixture
def live(tmp_path: Path) -> LiveFiles:
    return LiveFiles(tmp_path / "run")


def names(live: LiveFiles) -> list[str]:
    return [entry.path for entry in live.all()]


def test_a_file_is_listed_found_and_opened(outputs: Path, live: LiveFiles) -> None:
    (outputs / "deep").mkdir()
    (outputs / "deep" / "model").write_bytes(b"weights")
    assert names(live) == ["outputs/deep/model"]
    assert live.find("outputs/deep/model") == outputs / "deep" / "model"
    stream = live.open("outputs/deep/model")
    assert stream is not None
    with stream:
        assert stream.read() == b"weights"


@pytest.mark.parametrize(
    "name", ["link", "folder/secret", "pipe", "missing", "../../../secret", "a\0"]
)
def test_what_is_no_file_of_the_run_is_not_there(
    outputs: Path, live: LiveFiles, tmp_path: Path, name: str
) -> None:
    (outputs / "link").symlink_to(tmp_path / "secret")
    (outputs / "folder").symlink_to(tmp_path)
    os.mkfifo(outputs / "pipe")
    assert names(live) == []
    assert live.find(f"outputs/{name}") is None
    assert live.open(f"outputs/{name}") is None


def test_a_folder_of_outputs_that_is_a_link_is_not_entered(
    live: LiveFiles, outputs: Path, tmp_path: Path
) -> None:
    outputs.rmdir()
    outputs.symlink_to(tmp_path)
    assert names(live) == []
    assert live.open("outputs/secret") is None


def test_a_link_put_in_place_of_a_file_that_was_found_is_not_followed(
    live: LiveFiles, outputs: Path, tmp_path: Path
) -> None:
    (outputs / "model").write_bytes(b"weights")
    assert live.find("outputs/model") is not None
    (outputs / "model").unlink()
    (outputs / "model").symlink_to(tmp_path / "secret")
    assert live.open("outputs/model") is None


def test_a_hard_link_is_a_file_of_the_run_unless_it_is_somebody_elses(
    live: LiveFiles, outputs: Path, tmp_path: Path
) -> None:
    (outputs / "best").write_bytes(b"weights")
    (outputs / "last").hardlink_to(outputs / "best")
    assert sorted(names(live)) == ["outputs/best", "outputs/last"]
    if os.geteuid():
        pytest.skip("giving a file to somebody else takes root")
    (outputs / "linked").hardlink_to(tmp_path / "secret")
    os.chown(tmp_path / "secret", 12_345, 12_345)
    assert sorted(names(live)) == ["outputs/best", "outputs/last"]
    assert live.find("outputs/linked") is None
    assert live.open("outputs/linked") is None


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/../b", "/a", "a//b", "a/", "x" * 300, "a/" * 3000 + "b"]
)
def test_what_is_no_name_below_a_folder_opens_nothing(tmp_path: Path, name: str) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").write_bytes(b"")
    with pytest.raises(OSError, match=r"\[Errno") as raised:
        open_beneath(tmp_path, name)
    assert raised.value.errno in UNREACHABLE
