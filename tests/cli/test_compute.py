"""``headway compute``."""

import time
from typing import TYPE_CHECKING

from headway import Resources, RunConfiguration, ScriptRunConfig

if TYPE_CHECKING:
    from tests.cli.conftest import Cli


def test_without_slots_nothing_is_limited(cli: "Cli") -> None:
    assert cli("compute", "list").stdout.splitlines()[1].split() == [
        "local", "local", "no", "limit", "no", "limit", "0",
    ]  # fmt: skip
    [target] = cli.json("compute", "list")
    assert target == {
        "name": "local",
        "type": "local",
        "cpus": None,
        "gpus": None,
        "nodes": None,
        "slots": [],
        "queued": 0,
    }


def test_what_is_set_is_listed_and_what_is_not_given_stays(cli: "Cli") -> None:
    cli("compute", "set", "local", "--cpus", "2")
    [target] = cli.json("compute", "set", "local", "--gpus", "1, GPU-7f")
    assert (target["cpus"], target["gpus"]) == (2, ["1", "GPU-7f"])
    [target] = cli.json("compute", "set", "local", "--gpus", "none")
    assert (target["cpus"], target["gpus"]) == (2, [])
    [target] = cli.json("compute", "set", "local", "--unlimited")
    assert (target["cpus"], target["gpus"]) == (None, None)


def test_what_cannot_be_set_is_refused(cli: "Cli") -> None:
    assert "give --cpus, --gpus" in cli.error("compute", "set", "local", code=2)
    assert "--unlimited" in cli("compute", "set", "local", "--cpus=1", "--unlimited", code=2).stderr
    assert "is not in the range" in cli.error("compute", "set", "local", "--cpus=-1", code=2)
    assert "names no GPU" in cli.error("compute", "set", "local", "--gpus=0;1", code=2)
    assert "commas" in cli.error("compute", "set", "local", "--gpus=0,,1", code=2)
    assert "'local'" in cli.error("compute", "set", "mars", "--cpus=1", code=2)


def test_runs_that_have_slots_and_runs_that_wait_are_shown(cli: "Cli") -> None:
    cli("compute", "set", "local", "--cpus", "2", "--gpus", "0")
    cli.script("import time; time.sleep(600)")
    config = RunConfiguration()
    config.resources = Resources(cpus=2, gpus=1)
    first, second = (
        cli.experiment().submit(ScriptRunConfig(".", "train.py", run_config=config))
        for _ in range(2)
    )
    deadline = time.monotonic() + 10
    while first.get_status() != "Running" or cli.json("compute", "list")[0]["queued"] != 1:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    [target] = cli.json("compute", "list")
    assert [slot["run_id"] for slot in target["slots"]] == [first.id] * 3
    lines = cli("compute", "list").stdout.splitlines()
    assert lines[1].split()[2:] == ["2", "of", "2", "taken", "1", "of", "1", "taken", "1"]
    assert lines[-1].split() == ["local", "gpu", "0", first.id]
    assert "place 1 of 1 in the queue" in cli("show", second.id).stdout
    cli("cancel", second.id, first.id)


def test_a_name_stands_for_this_machine_until_it_is_removed(cli: "Cli") -> None:
    [local, cluster] = cli.json("compute", "create", "cpu-cluster", "--nodes", "2")
    assert (local["name"], local["nodes"]) == ("local", None)
    assert (cluster["name"], cluster["nodes"], cluster["queued"]) == ("cpu-cluster", 2, 0)
    assert cli("compute", "list").stdout.splitlines()[2].split() == [
        "cpu-cluster", "local", "0", "of", "2", "taken", "0",
    ]  # fmt: skip
    (cli.folder / "ok.py").write_text("print('ok')")
    config = ScriptRunConfig(".", "ok.py", compute_target="cpu-cluster")
    cli.experiment().submit(config).wait_for_completion()
    [local] = cli.json("compute", "delete", "cpu-cluster")
    assert local["name"] == "local"
    assert "there is none" in cli.error("compute", "delete", "cpu-cluster", code=4)
    assert "cannot be named 'a/b'" in cli.error("compute", "create", "a/b", code=2)
    assert "is not in the range" in cli.error("compute", "create", "a", "--nodes=0", code=2)


def test_a_submission_says_what_slots_it_needs(cli: "Cli") -> None:
    (cli.folder / "ok.py").write_text("print('ok')")
    cli("compute", "set", "local", "--cpus", "2")
    refused = cli("submit", "--cpus", "3", "ok.py", code=2)
    assert "3 CPU" in refused.stderr
    cli("submit", "--cpus", "2", "--priority", "5", "--wait", "ok.py")
