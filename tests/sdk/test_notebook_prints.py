"""What a cell prints in a run's block is shown by the notebook and kept with the run."""

import importlib
from pathlib import Path
from typing import Any, Final

import pytest
from nbclient import NotebookClient

nbformat: Final[Any] = importlib.import_module("nbformat.v4")  # it has no types

CELLS = [
    """
from headway import Experiment, Workspace
exp = Experiment(Workspace.from_config(), "notebook")
with exp.start_logging() as run:
    print("in the block")
    display("shown")
print("behind it")
""",
    """
run.download_file("logs/user_log.txt", "printed.txt")
print(repr(open("printed.txt").read()))
run
""",
]


@pytest.mark.enable_socket  # a kernel is spoken to through sockets of this machine
@pytest.mark.filterwarnings("default")  # of the packages that start kernels
def test_a_cell_shows_what_it_prints_in_a_block_and_the_run_keeps_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADWAY_WORKSPACE", str(tmp_path / "workspace"))
    notebook: Any = nbformat.new_notebook(cells=[nbformat.new_code_cell(text) for text in CELLS])
    place = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=25, resources=place).execute()
    first, second = (cell.outputs for cell in notebook.cells)
    assert "".join(one.get("text", "") for one in first) == "in the block\nbehind it\n"
    assert second[0]["text"] == "'in the block\\n'\n"
    assert "<td>Completed</td>" in second[-1]["data"]["text/html"]
