import json
import os
import re
import shlex
import signal
import sys
from pathlib import Path

import pytest
from tests.cli.conftest import Cli

from headway.model import Status

ECHO = """
import os, pathlib, sys
from headway import Run
run = Run.get_context()
run.log("loss", 0.5)
print(sys.argv[1:], os.environ.get("COLOUR"), flush=True)
"""


def test_the_id_goes_to_standard_output_and_everything_else_does_not(cli: Cli) -> None:
    result = cli("submit", "-e", "trials", cli.script("print('hello')"))
    [run_id] = result.stdout.split()
    assert cli.workspace.get_run(run_id).number == 1
    assert f"submitted run 1 of experiment 'trials': {run_id}" in result.stderr
    assert f"headway logs -f {run_id}" in result.stderr
    cli("wait", run_id)
    assert cli("logs", run_id).stdout == "hello\n"


def test_what_is_asked_for_is_what_the_run_gets(cli: Cli) -> None:
    options = ("--name", "first", "--tag", "a", "--tag", "b=c=d", "--grace", "3.5")
    environment = ("--env", "COLOUR=blue=green")
    document = cli.json(
        "submit", "--wait", *options, *environment, cli.script(ECHO), "--lr", "0.1", "-f", "x y"
    )
    assert document["name"] == "first"
    assert document["tags"] == {"a": None, "b": "c=d"}
    assert document["status"] == "Completed"
    assert document["duration_s"] > 0
    assert document["command"] == [sys.executable, "train.py", "--lr", "0.1", "-f", "x y"]
    expected = "['--lr', '0.1', '-f', 'x y'] blue=green\n"
    assert cli("logs", document["id"]).stdout == expected
    definition = cli.workspace.api.runs.get(document["id"]).definition
    assert definition is not None
    assert definition.grace_s == 3.5


def test_follow_shows_the_output_alone(cli: Cli) -> None:
    result = cli(
        "submit", "--follow", cli.script("import sys; sys.stdout.buffer.write(b'\\xff\\n')")
    )
    assert result.stdout_bytes == b"\xff\n"
    assert "Completed after" in result.stderr


def test_waiting_for_a_run_that_fails_ends_with_7(cli: Cli) -> None:
    result = cli("submit", "--wait", cli.script("raise SystemExit(3)"), code=7)
    assert "Failed after" in result.stderr
    assert "exited with code 3" in result.stderr


def test_dry_run_starts_and_makes_nothing(cli: Cli) -> None:
    script = cli.script("")
    shown = cli("submit", "--dry-run", "--env", "A=b", "-e", "x", script, "two words").stdout
    lines = [re.split(" {2,}", line) for line in shown.splitlines()]
    assert lines == [
        ["experiment", "x"],
        ["source", str(cli.folder)],
        ["command", shlex.join([sys.executable, "train.py", "two words"])],
        ["target", "local"],
        ["grace", "10 s"],
        ["env A", "b"],
    ]
    document = cli.json("submit", "--dry-run", script)
    assert document["experiment"] == "default"
    assert document["command"] == [sys.executable, "train.py"]
    assert not cli.workspace_folder.exists()


@pytest.mark.parametrize(
    ("arguments", "source", "script"),
    [
        (["train.py"], "", "train.py"),
        (["sub/deep.py"], "", "sub/deep.py"),
        (["--source-dir", "sub", "deep.py"], "sub", "deep.py"),
        (["--source-dir", "sub", "sub/deep.py"], "sub", "deep.py"),
        (["../other/else.py"], "../other", "else.py"),
    ],
)
def test_the_source_is_this_folder_the_one_named_or_that_of_the_script(
    cli: Cli, arguments: list[str], source: str, script: str
) -> None:
    for path in ("train.py", "sub/deep.py", "../other/else.py"):
        (cli.folder / path).parent.mkdir(exist_ok=True)
        (cli.folder / path).touch()
    document = cli.json("submit", "--dry-run", *arguments)
    assert Path(document["source_directory"]) == (cli.folder / source).resolve()
    assert document["script"] == script


def test_an_option_behind_the_script_is_the_scripts_and_is_pointed_out(cli: Cli) -> None:
    result = cli("submit", cli.script(ECHO), "--follow", "--tag=x", "--else")
    assert "note: --follow stands behind the script" in result.stderr
    assert "note: --tag=x stands behind the script" in result.stderr
    assert "--else" not in result.stderr
    cli("wait", result.stdout.strip())


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["nope.py"], 6, "nope.py script path doesn't exist"),
        (["--source-dir", "nowhere", "train.py"], 6, "nowhere doesn't exist"),
        (["--source-dir", "empty", "train.py"], 6, "script path doesn't exist"),
        (["empty"], 6, "script path doesn't exist"),
        (["--env", "X", "train.py"], 2, "--env 'X' is not accepted: give NAME=VALUE"),
        (["--env", "=X", "train.py"], 2, "give NAME=VALUE"),
        (["--tag", "=x", "train.py"], 2, "has no key"),
        (["--tag", "a\x1b=x", "train.py"], 2, "control character"),
        (["--grace", "-1", "train.py"], 2, "give seconds, 0 or more"),
        (["--grace", "nan", "train.py"], 2, "give seconds, 0 or more"),
        (["--grace", "soon", "train.py"], 2, "'soon' is not a valid float"),
        (["-e", "", "train.py"], 2, "experiment name is empty"),
        (["--name", "x" * 300, "train.py"], 2, "display name has 300 characters"),
        ([], 2, "Missing argument 'SCRIPT'"),
    ],
)
def test_mistakes_are_said_and_leave_no_run(
    cli: Cli, arguments: list[str], code: int, says: str
) -> None:
    cli.script("")
    (cli.folder / "empty").mkdir()
    assert says in _message(cli, *arguments, code=code)
    if cli.workspace_folder.exists():
        assert cli.json("list") == []


def _message(cli: Cli, *arguments: str, code: int) -> str:
    result = cli("submit", "--json", *arguments, code=code)
    assert result.stdout == ""
    return json.loads(result.stderr[result.stderr.index("{") :])["error"]["message"]


def test_json_and_follow_do_not_go_together(cli: Cli) -> None:
    assert "use --wait" in _message(cli, "--follow", cli.script(""), code=2)


def test_ctrl_c_while_following_leaves_the_run_going(cli: Cli) -> None:
    script = cli.script("import time\nprint('up', flush=True)\ntime.sleep(60)")
    process = cli.start("submit", "--follow", script)
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 130
    [run] = cli.experiment("default").get_runs()
    assert f"run {run.id} goes on; follow it with 'headway logs -f {run.id}'" in said.decode()
    assert run.get_status() == Status.RUNNING
    cli("cancel", run.id, "--grace", "0", "--wait", "20")


def test_the_run_outlives_the_command(cli: Cli) -> None:
    script = cli.script("import time\ntime.sleep(0.5)\nprint('done')")
    process = cli.start("submit", script)
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert not os.path.exists(f"/proc/{process.pid}")
    run_id = output.decode().strip()
    cli("wait", run_id)
    assert cli("logs", run_id).stdout == "done\n"
