"""A source directory, and a folder for its snapshots."""

from pathlib import Path

import pytest

from headway.snapshots import SnapshotStore


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    return folder


@pytest.fixture
def store(tmp_path: Path) -> SnapshotStore:
    return SnapshotStore(tmp_path / "kept")
