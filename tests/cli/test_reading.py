"""list and show."""

import re

import pytest
from tests.cli.conftest import Cli

from headway.model import NewRun
from headway.sdk.handles import Run


def finished(cli: Cli, name: str = "trials", **losses: float) -> Run:
    with cli.experiment(name).start_logging() as run:
        for key, value in losses.items():
            run.log(key, value)
    return run


# ---------------------------------------------------------------- list


def test_a_list_of_nothing_says_so(cli: Cli) -> None:
    cli.experiment()
    result = cli("list")
    assert result.stdout == ""
    assert "no runs yet" in result.stderr
    assert cli.json("list") == []
    assert "no run fits" in cli("list", "--tag", "x").stderr


def test_a_list_shows_the_newest_first_without_children(cli: Cli) -> None:
    first = finished(cli)
    with cli.experiment("other").start_logging(
        display_name="second one", tags={"a": "b"}
    ) as second:
        child = second.child_run("below")
        child.complete()
    head, *rows = cli("list").stdout.splitlines()
    assert head.split() == ["RUN", "EXPERIMENT", "#", "STATUS", "CREATED", "TOOK", "NAME", "TAGS"]
    assert [row.split()[:4] for row in rows] == [
        [second.id, "other", "1", "Completed"],
        [first.id, "trials", "1", "Completed"],
    ]
    assert rows[0].endswith("second one  a=b")
    assert [one["id"] for one in cli.json("list", "--all")] == [child.id, second.id, first.id]
    assert [one["id"] for one in cli.json("list", "--parent", second.id)] == [child.id]
    assert [one["id"] for one in cli.json("list", "-e", "trials")] == [first.id]
    assert "EXPERIMENT" not in cli("list", "-e", "trials").stdout


def test_conditions_hold_together(cli: Cli) -> None:
    good = finished(cli, loss=0.1)
    good.set_tags({"quality": "good", "seen": None})
    good.add_properties({"author": "me"})
    bad = finished(cli, loss=0.9)
    bad.tag("quality", "bad")
    bad.fail("not convincing")

    def found(*conditions: str) -> set[str]:
        return {one["id"] for one in cli.json("list", *conditions)}

    assert found("--tag", "quality") == {good.id, bad.id}
    assert found("--tag", "quality=good", "--tag", "seen", "--property", "author=me") == {good.id}
    assert found("--property", "author") == {good.id}
    assert found("--status", "failed", "--status", "Canceled") == {bad.id}
    assert found("--filter", "metrics.loss < 0.5") == {good.id}
    assert found("--tag", "quality=bad", "--filter", "metrics.loss < 0.5") == set()
    ordered = cli.json("list", "--order-by", "metrics.loss desc")
    assert [one["id"] for one in ordered] == [bad.id, good.id]


def test_a_limit_is_said_where_it_hides_something(cli: Cli) -> None:
    api = cli.workspace.api
    home = api.experiments.ensure("many")
    api.runs.create([NewRun(id=f"run-{n}", experiment_id=home.id) for n in range(55)])
    result = cli("list")
    assert len(result.stdout.splitlines()) == 51
    assert "these are the first 50; --limit 0 shows all" in result.stderr
    assert len(cli.json("list", "--limit", "0")) == 55
    assert cli("list", "-n", "55").stderr == ""
    assert len(cli.json("list", "-n", "2")) == 2


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--filter", "colour = 'red'"], 2, "there is no column 'colour'"),
        (["--filter", "status ="], 2, "the filter cannot be read"),
        (["--order-by", "colour"], 2, "there is no column 'colour'"),
        (["--status", "dead"], 2, "there is no status 'dead'"),
        (["--limit", "-1"], 2, "-1 is not in the range"),
        (["--tag", "=x"], 2, "has no key"),
        (["-e", "lost"], 4, "there is no experiment 'lost'"),
        (["--parent", "lost"], 4, "there is no run 'lost'"),
        (["surplus"], 2, "surplus"),
    ],
)
def test_mistakes_in_a_list_are_said(cli: Cli, arguments: list[str], code: int, says: str) -> None:
    cli.experiment()
    assert says in cli.error("list", *arguments, code=code)


def test_times_in_json_are_iso(cli: Cli) -> None:
    finished(cli)
    [document] = cli.json("list")
    for key in ("created_at", "started_at", "ended_at"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", document[key])


# ---------------------------------------------------------------- show


def test_show_tells_everything(cli: Cli) -> None:
    script = cli.script("raise SystemExit('no data')")
    run_id = cli("submit", "--wait", "--tag", "seen", "--tag", "a=b", script, code=7).stdout.strip()
    run = cli.workspace.get_run(run_id)
    run.description = "two\nlines"
    run.add_properties({"author": "me"})
    child = run.child_run()
    child.log("loss", 1.0)
    child.complete()
    text = re.sub(r" +", " ", cli("show", run_id).stdout)
    for line in (
        f"Run {run_id}",
        "Status Failed: the program exited with code 1 (ExitCode)",
        "Experiment default @1",
        "Description two lines",
        f"Children 1 (1 Completed): headway list --parent {run_id}",
        f"Source {cli.folder}",
        "Tags\n a b\n seen\n",
        " author me\n",
        "user_logs/std_log.txt",
        "Failed runner the program exited with code 1",
    ):
        assert line in text
    document = cli.json("show", run_id)
    assert document["children"] == {"Completed": 1}
    assert document["error"]["exitCode"] == 1
    assert [event["status"] for event in document["events"]][-1] == "Failed"
    assert [file["path"] for file in document["files"]] == [
        "system_logs/environment.txt",
        "user_logs/std_log.txt",
    ]
    assert "Parent " + run_id in re.sub(r" +", " ", cli("show", child.id).stdout)


def test_show_makes_control_characters_visible(cli: Cli) -> None:
    run = cli.experiment().start_logging()
    run.description = "\x1b]0;owned\x07"
    run.fail(ValueError("\x1b[2J"))
    text = cli("show", run.id).stdout
    assert "\x1b" not in text
    assert "\x07" not in text
    assert r"\x1b]0;owned\x07" in text


def test_show_of_nothing(cli: Cli) -> None:
    cli.experiment()
    assert "no run in this workspace yet" in cli.error("show", "latest", code=4)
    assert "there is no run 'nothing'" in cli.error("show", "nothing", code=4)
