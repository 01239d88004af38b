import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.cli.conftest import HEADWAY, Cli

import headway
from headway.cli.program import COMMANDS, EXIT_CODES, program
from headway.errors import ERROR_CODES


def test_help_lists_every_command_and_exit_code() -> None:
    result = CliRunner().invoke(program, ["--help"])
    assert result.exit_code == 0
    for listed in COMMANDS:
        assert listed.name in result.output
        assert listed.help in result.output
    for code, meaning in EXIT_CODES.items():
        assert f"{code:>3}  {meaning}" in result.output


def test_every_exit_code_of_an_error_is_documented() -> None:
    assert {code.exit_code for code in ERROR_CODES.values()} <= EXIT_CODES.keys()


@pytest.mark.parametrize("name", [listed.name for listed in COMMANDS])
def test_every_command_has_help_and_takes_the_shared_options(name: str) -> None:
    result = CliRunner().invoke(program, [name, "--help"])
    assert result.exit_code == 0
    assert "--workspace PLACE" in result.output
    assert "--json" in result.output


def test_the_name_of_every_command_is_that_of_its_module() -> None:
    for listed in COMMANDS:
        assert importlib.import_module(f"headway.cli.{listed.module}").command.name == listed.name


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], []])
def test_help_and_version_import_little(arguments: list[str]) -> None:
    program_text = (
        f"import sys; sys.argv = ['headway', *{arguments!r}]\n"
        "from headway.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'rich', 'numpy', 'apsw', 'plotext', 'msgspec', 'pcodec', 'platformdirs'}\n"
        "print(sorted(heavy & {*sys.modules}), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program_text], capture_output=True, text=True, check=True
    )
    assert done.stderr.splitlines()[-1] == "[]"


def test_version() -> None:
    result = CliRunner().invoke(program, ["--version"])
    assert result.output == f"headway {headway.__version__}\n"


def test_an_unknown_command_is_a_usage_error(cli: Cli) -> None:
    assert cli.error("lost", code=2) == "No such command 'lost' (see 'headway --help')"


def test_an_unknown_option_is_a_usage_error(cli: Cli) -> None:
    message = cli.error("list", "--colour", code=2)
    assert message.startswith("No such option '--colour'")
    assert message.endswith("(see 'headway list --help')")


def test_the_workspace_is_accepted_before_and_after_the_command(cli: Cli, tmp_path: Path) -> None:
    for name in ("first", "second"):
        with headway.Experiment(cli.workspace, name).start_logging():
            pass
    elsewhere = str(tmp_path / "elsewhere")
    assert len(cli.json("list")) == 2
    cli("--workspace", elsewhere, "run", "--", "true")
    assert len(cli.json("--workspace", elsewhere, "list")) == 1
    assert len(cli.json("list", "--workspace", elsewhere)) == 1
    assert len(json.loads(cli("--json", "list", "--workspace", elsewhere).stdout)) == 1


def test_a_workspace_that_is_not_there_is_not_made_by_looking(cli: Cli, tmp_path: Path) -> None:
    message = cli.error("list", "--workspace", str(tmp_path / "typo"), code=4)
    assert f"there is no workspace at {tmp_path / 'typo'}" in message
    assert not (tmp_path / "typo").exists()


def test_the_default_workspace_is_made_and_named_once(
    cli: Cli, own_environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HEADWAY_WORKSPACE")
    where = own_environment / "headway" / "workspaces" / "default"
    assert f"new workspace at {where}" in cli("list").stderr
    assert str(where) not in cli("list").stderr


def test_what_is_no_url_of_a_server_is_refused(cli: Cli) -> None:
    assert "ftp://host" in cli.error("list", "--workspace", "ftp://host", code=3)


def test_a_wrong_setting_is_said(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWAY_BUSY_TIMEOUT_S", "soon")
    assert "HEADWAY_BUSY_TIMEOUT_S" in cli.error("list", code=3)


def test_a_damaged_database_is_said(cli: Cli) -> None:
    cli.workspace_folder.mkdir()
    (cli.workspace_folder / "headway.db").write_bytes(b"not a database at all" * 300)
    assert "headway doctor" in cli.error("list", code=8)


def test_a_folder_that_cannot_be_made_is_said(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    message = cli.error("run", "--workspace", str(tmp_path / "file" / "in"), "--", "true", code=8)
    assert "cannot be made" in message


def test_a_bug_is_said_in_one_line_and_shown_where_asked(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("wheels came off")

    monkeypatch.setattr("headway.cli.listing.open_workspace", broken)
    [line] = cli("list", code=1).stderr.splitlines()
    assert line.startswith("error: RuntimeError: wheels came off (this is a bug in Headway")
    monkeypatch.setenv("HEADWAY_DEBUG", "true")
    result = CliRunner().invoke(program, ["list"])
    assert result.exit_code == 1
    assert "Traceback" in result.stderr


def test_an_error_of_the_system_is_said(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "/some/file")

    monkeypatch.setattr("headway.cli.listing.open_workspace", refused)
    assert cli.error("list", code=1) == "/some/file: Permission denied"


def test_a_reader_that_goes_away_is_no_complaint(cli: Cli) -> None:
    with cli.experiment().start_logging() as run:
        run.log("note", "x" * 100_000)
    process = subprocess.Popen(
        [*HEADWAY, "metrics", run.id, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ},
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 141


def test_text_that_the_terminal_cannot_show_is_no_error(cli: Cli) -> None:
    with cli.experiment("Größe_測").start_logging():
        pass
    done = subprocess.run(
        [*HEADWAY, "list"],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"},
        check=True,
    )
    assert "Größe_\\u6e2c" in done.stdout.decode("latin-1")
