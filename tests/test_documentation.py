"""The examples in the README and the guides, executed as they stand."""

import contextlib
import io
import re
import shlex
import shutil
from collections.abc import Generator
from pathlib import Path
from typing import Final, NamedTuple

import click
import pytest
from click.testing import CliRunner

from headway.cli.call import Call
from headway.cli.program import program
from headway.filters import parse_filter
from headway.model import RunError, Status
from headway.sdk.interactive.process import close_sessions

ROOT: Final = Path(__file__).resolve().parent.parent
GUIDES: Final = sorted((ROOT / "docs" / "guides").glob("*.md"))
PAGES: Final = [ROOT / "README.md", *GUIDES]
FAILURES: Final = ROOT / "docs" / "guides" / "submit-watch-cancel.md"
FILTERS: Final = ROOT / "docs" / "guides" / "finding-runs.md"

# Examples in a shell that show the form only: what they name is not there.
SHOWN_ONLY: Final = {"README.md", "server.md"}


class Example(NamedTuple):
    """A block of code of a page."""

    language: str
    line: int
    text: str


def examples(path: Path) -> list[Example]:
    text = path.read_text("utf-8")
    return [
        Example(found[1], text.count("\n", 0, found.start(2)), found[2])
        for found in re.finditer(r"^```(\w+)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    ]


def commands(example: Example) -> list[list[str]]:
    """The calls of ``headway`` in a block; what stands behind # is for people."""
    lines = re.findall(r"^\$ (.*)$", example.text, re.MULTILINE)
    split = [shlex.split(line, comments=True) for line in lines]
    return [words[1:] for words in split if words and words[0] == "headway"]


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


page = pytest.mark.parametrize("path", PAGES, ids=relative)


class Reader:
    """Somebody who does what a page says, from its top to its end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.names: dict[str, object] = {}

    def follow(self, example: Example) -> None:
        if example.language == "python":
            self.execute(example)
        elif example.language == "console":
            for words in commands(example):
                if self.path.name in SHOWN_ONLY:
                    parse(words)
                else:
                    result = CliRunner().invoke(program, words)
                    assert result.exit_code == 0, (words, result.output, result.exception)

    def execute(self, example: Example) -> None:
        """Save it where it begins with the name of a file, else execute it."""
        named = re.match(r"# (\w+\.py)\n", example.text)
        if named:
            Path(named[1]).write_text(example.text, encoding="utf-8")
            return
        code = compile("\n" * example.line + example.text, str(self.path), "exec")
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            exec(code, self.names)
        said = re.findall(r"^print\(.*\)  # (.+)$", example.text, re.MULTILINE)
        if said:
            assert output.getvalue().splitlines() == said


def parse(words: list[str]) -> None:
    """Check that a command is accepted, without executing it."""
    if words[0].startswith("-"):
        assert words[0] in {"--help", "--version"}
        return
    command: click.Command | None = program
    context = click.Context(program, info_name="headway", obj=Call())
    while isinstance(command, click.Group):
        command = command.get_command(context, words[0])
        assert command is not None, f"there is no command {words[0]!r}"
        context, words = click.Context(command, context, words[0]), words[1:]
    assert command is not None
    command.make_context(command.name, words, parent=context.parent)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Path]:
    """A folder to be in, with a workspace of its own and the script that the README names."""
    folder = tmp_path / "project"
    shutil.copytree(ROOT / "src/headway/examples", folder / "src/headway/examples")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("NO_COLOR", "1")
    yield folder
    close_sessions()


@pytest.mark.usefixtures("project")
@page
def test_a_page_does_what_it_says(path: Path) -> None:
    reader = Reader(path)
    for example in examples(path):
        reader.follow(example)


@page
def test_every_command_of_a_page_is_accepted(path: Path) -> None:
    in_blocks = [words for example in examples(path) for words in commands(example)]
    prose = re.sub(r"^```.*?^```$", "", path.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    in_text = [shlex.split(found) for found in re.findall(r"`headway ([^`]+)`", prose)]
    for words in in_blocks + [words for words in in_text if "CMD" not in words]:
        if len(words) > 1 or words[0].startswith("-"):
            parse(words)
        else:
            assert words[0] in program.list_commands(click.Context(program))


# ---------------------------------------------------------------- tables that must be whole


def table(path: Path, head: str) -> list[str]:
    """The words in the first column of a table."""
    text = path.read_text("utf-8").partition(f"\n| {head} |")[2]
    rows = text.split("\n\n")[0].splitlines()[2:]
    return [row.split("|")[1].strip().strip("`") for row in rows]


def test_every_state_that_a_run_can_have_is_explained() -> None:
    never = {Status.UNAPPROVED, Status.PAUSING, Status.PAUSED}
    not_here = {Status.PREPARING, Status.PROVISIONING}
    assert set(table(FAILURES, "Status")) == set(Status) - never - not_here
    assert all(f"`{status}`" in FAILURES.read_text("utf-8") for status in not_here)


def test_every_error_code_of_a_run_is_explained() -> None:
    known = re.findall(r"``([A-Z]\w+)``", RunError.__doc__ or "")
    assert known
    assert set(table(FAILURES, "Code")) == set(known)


def test_every_filter_that_is_shown_can_be_read() -> None:
    shown = FILTERS.read_text("utf-8").partition("```text\n")[2].partition("```")[0].splitlines()
    assert len(shown) > 5
    for line in shown:
        parse_filter(line, now=1_800_000_000_000_000)
