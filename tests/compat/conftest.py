"""A workspace of its own for code that knows nothing of Headway."""

from collections.abc import Generator
from pathlib import Path

import pytest

from headway import Workspace
from headway.sdk.interactive.process import close_sessions


@pytest.fixture
def ws(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Generator[Workspace]:
    """The workspace that ``from_config`` finds, seen from an empty folder."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HEADWAY_WORKSPACE", str(tmp_path / "workspace"))
    # a cache of fonts, which takes seconds to make
    monkeypatch.setenv("MPLCONFIGDIR", str(tmp_path_factory.getbasetemp() / "matplotlib"))
    yield Workspace.from_config()
    close_sessions()
