"""``headway demo``: executes ``headway/examples/walkthrough.py``, showing every line that it runs.

What is shown is what is executed: a cell of that file is compiled from the very text that is
printed, a command is handed to this program as it stands.
"""

import os
import shlex
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Final, NamedTuple

import click
from rich.console import Console
from rich.rule import Rule
from rich.syntax import Syntax
from rich.text import Text

from headway.cli import tables
from headway.cli.call import Call, shared_options
from headway.cli.documents import run_document
from headway.cli.output import say, write_json
from headway.errors import SubmissionError
from headway.examples import FOLDER
from headway.sdk.handles import ScriptRun, Workspace

WALKTHROUGH: Final = FOLDER / "walkthrough.py"

_CELL: Final = "# %% "
_SHELL: Final = "# $ "
_VARIABLE: Final = "HEADWAY_WORKSPACE"


class Cell(NamedTuple):
    """A piece of the walk-through."""

    title: str
    line: int
    """Where its code begins, counted from 1."""
    code: str
    commands: list[str]
    """For the shell, after the code."""


@click.command(name="demo")
@shared_options
@click.pass_obj
def command(call: Call) -> int:
    """See what Headway does, in half a minute, for real.

    Trains a small network as a run, cancels another one, tries learning rates in child runs, tags,
    finds: in a workspace of its own. Shows each line of Python and each command before it is
    executed.
    """
    if call.workspace is not None:
        raise click.UsageError("demo has a workspace of its own: leave --workspace out")
    names: dict[str, object] = {"__name__": "__walkthrough__"}
    try:
        if call.json:
            with redirect_stdout(sys.stderr):
                _walk(names)
            write_json(_document(names))
        else:
            _walk(names)
            _print_what_next(names)
    except SubmissionError as error:
        if isinstance(error.__cause__, KeyboardInterrupt):
            raise click.Abort from error
        raise
    finally:
        _cancel_what_is_left(names)
    return 0


def read_cells(text: str) -> list[Cell]:
    """The cells of a walk-through; what stands before the first is left out."""
    cells: list[Cell] = []
    lines = text.splitlines()
    starts = [index for index, line in enumerate(lines) if line.startswith(_CELL)]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        body = lines[start + 1 : end]
        commands = [line.removeprefix(_SHELL) for line in body if line.startswith(_SHELL)]
        code = "\n".join(line for line in body if not line.startswith(_SHELL)).rstrip()
        cells.append(Cell(lines[start].removeprefix(_CELL), start + 2, code, commands))
    return cells


def _walk(names: dict[str, object]) -> None:
    cells = read_cells(WALKTHROUGH.read_text(encoding="utf-8"))
    with _workspace_variable() as set_workspace:
        for number, cell in enumerate(cells, start=1):
            _print_title(f"{number}. {cell.title}")
            _print_code(cell.code)
            padding = "\n" * (cell.line - 1)  # so that an error names the right line
            code = compile(padding + cell.code, str(WALKTHROUGH), "exec")
            exec(code, names)  # noqa: S102  (our own file; the point of it)
            if number == 1:
                _print_command(f"export {_VARIABLE}={shlex.quote(str(_folder(names)))}")
                set_workspace(str(_folder(names)))
            for line in cell.commands:
                _print_command(line)
                _execute(line)


def _execute(line: str) -> None:
    program, *arguments = shlex.split(line)
    root = click.get_current_context().find_root().command
    if program != "headway" or root.main(arguments, standalone_mode=False):
        raise RuntimeError(f"the command of the walk-through did not succeed: {line}")


class _Setter:
    """Sets the variable that names the workspace."""

    def __call__(self, value: str) -> None:
        os.environ[_VARIABLE] = value


@contextmanager
def _workspace_variable() -> Generator[_Setter]:
    """Let the variable be set, as ``export`` does it, until the end of the walk-through."""
    before = os.environ.pop(_VARIABLE, None)
    try:
        yield _Setter()
    finally:
        os.environ.pop(_VARIABLE, None)
        if before is not None:
            os.environ[_VARIABLE] = before


def _folder(names: Mapping[str, object]) -> Path:
    workspace = names["ws"]
    if not isinstance(workspace, Workspace):
        raise TypeError("the walk-through has no workspace named ws")
    return workspace.folder


def _cancel_what_is_left(names: Mapping[str, object]) -> None:
    """After Ctrl-C or an error, no program of ours goes on."""
    for run in (value for value in names.values() if isinstance(value, ScriptRun)):
        if run.get_status() not in ("Completed", "Failed", "Canceled"):
            run.cancel()
            say(f"headway: canceled run {run.id}")


# ---------------------------------------------------------------- what is printed


def _console() -> Console:
    return tables.console()


def _print_title(title: str) -> None:
    out = _console()
    out.print()
    wide = min(tables.width(), 80)
    out.print(Rule(Text(title, style="bold"), align="left", style="dim"), width=wide)


def _print_code(code: str) -> None:
    out = _console()
    if out.is_terminal and not out.no_color:
        highlighted = Syntax("", "python", theme="ansi_dark").highlight(code)
        lines = list(highlighted.split("\n"))
    else:
        lines = [Text(line) for line in code.splitlines()]
    for line in lines:
        prefix = Text("  ")
        prefix.append_text(line)
        out.print(Text("") if not line.plain.strip() else prefix)
    out.print()
    sys.stdout.flush()


def _print_command(line: str) -> None:
    out = _console()
    out.print(Text(f"\n  $ {line}", style="bold"))
    if not line.startswith("export "):
        out.print()
    sys.stdout.flush()


def _document(names: Mapping[str, object]) -> dict[str, object]:
    run, long = names["run"], names["long"]
    records = [
        run_document(one.experiment.api.runs.get(one.id))
        for one in (run, long)
        if isinstance(one, ScriptRun)
    ]
    return {"workspace": str(_folder(names)), "runs": records}


def _print_what_next(names: Mapping[str, object]) -> None:
    folder = _folder(names)
    _print_title("That was it")
    out = _console()
    for line in (
        "Everything is in one folder; delete it to forget the demo:",
        f"  {folder}",
        "The script and this walk-through, to copy from:",
        f"  {FOLDER / 'train.py'}",
        f"  {WALKTHROUGH}",
        "",
        "Try next:",
        f"  export {_VARIABLE}={shlex.quote(str(folder))}",
        "  headway list",
        "  headway show latest",
        "  headway run -- python -c 'print(6 * 7)'",
        "  headway doctor",
    ):
        out.print(Text(line))
