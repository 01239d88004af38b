"""``RunDetails`` in a real kernel."""

import importlib
from pathlib import Path
from typing import Any, Final

import pytest
from nbclient import NotebookClient

nbformat: Final[Any] = importlib.import_module("nbformat.v4")  # it has no types

CELLS = [
    """
from headway import Experiment, Workspace
from headway.widgets import RunDetails
run = Experiment(Workspace.from_config(), "notebook").start_logging(display_name="<b>mine</b>")
for i in range(50):
    run.log("loss", 1 / (i + 1))
RunDetails(run).show()
""",
    """
run.log("accuracy", 0.75)
run.complete()
""",
    """
import threading
for thread in threading.enumerate():
    if thread.name == "headway-widget":
        thread.join(20)
        assert not thread.is_alive()
""",
]


INTERRUPTED = [
    CELLS[0],
    """
import threading
[thread] = [one for one in threading.enumerate() if one.name == "headway-widget"]
raise KeyboardInterrupt
""",
    """
thread.join(20)
assert not thread.is_alive()
assert run.get_status() == "Running"
print("ended")
""",
]


def executed(cells: list[str], folder: Path, *, allow_errors: bool = False) -> Any:
    """A notebook with the output of these cells."""
    notebook: Any = nbformat.new_notebook(cells=[nbformat.new_code_cell(text) for text in cells])
    NotebookClient(
        notebook,
        timeout=25,
        allow_errors=allow_errors,
        resources={"metadata": {"path": str(folder)}},
    ).execute()
    return notebook


@pytest.mark.enable_socket  # a kernel is spoken to through sockets of this machine
@pytest.mark.filterwarnings("default")  # of the packages that start kernels
def test_an_interrupted_kernel_stops_the_view_and_not_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADWAY_WORKSPACE", str(tmp_path / "workspace"))
    notebook = executed(INTERRUPTED, tmp_path, allow_errors=True)
    assert "ended" in str(notebook.cells[2].outputs)


@pytest.mark.enable_socket  # a kernel is spoken to through sockets of this machine
@pytest.mark.filterwarnings("default")  # of the packages that start kernels
def test_a_run_is_followed_in_a_notebook_until_it_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADWAY_WORKSPACE", str(tmp_path / "workspace"))
    notebook = executed(CELLS, tmp_path)
    [shown] = [
        one["data"]["text/html"]
        for one in notebook.cells[0].outputs
        if one["output_type"] == "display_data"
    ]
    assert "Completed" in shown
    assert "accuracy" in shown
    assert "<svg" in shown
    assert "&lt;b&gt;mine" in shown
