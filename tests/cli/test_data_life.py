"""delete, restore, trash, purge, retention, gc, backup, export, import and move."""

import os
import pty
import subprocess
from pathlib import Path

import pytest
from tests.cli.conftest import HEADWAY, Cli

from headway.cli import ages, purge


def done(cli: Cli, experiment: str = "trials", **tags: str) -> str:
    """The id of a run that has ended."""
    with cli.experiment(experiment).start_logging() as run:
        run.log("loss", 0.5)
        for key, value in tags.items():
            run.tag(key, value)
    return run.id


def listed(cli: Cli) -> set[str]:
    return {run["id"] for run in cli.json("list", "--all")}


# ---------------------------------------------------------------- trash


def test_a_deleted_run_is_in_the_trash_until_it_is_restored(cli: Cli) -> None:
    first, second = done(cli), done(cli)
    assert cli("delete", first).stdout == f"{first}: in the trash\n"
    assert listed(cli) == {second}
    assert [run["id"] for run in cli.json("trash")] == [first]
    assert first in cli("trash").stdout
    assert f"headway restore {first}" in cli("show", first).stdout
    assert cli.json("show", first)["deleted_at"] is not None
    assert f"headway restore {first}" in cli.error("show", first[:-2], code=4)
    assert cli("restore", first[:-2]).stdout == f"{first}: restored\n"
    assert listed(cli) == {first, second}
    assert "nothing to restore" in cli("restore", first).stderr
    assert "the trash is empty" in cli("trash").stderr


def test_runs_are_deleted_by_a_filter_but_for_those_that_go_on(cli: Cli) -> None:
    good, bad = done(cli, quality="good"), done(cli, quality="bad")
    living = cli.experiment().start_logging()
    living.tag("quality", "bad")
    condition = "tags.quality = 'bad'"
    planned = cli("delete", "--filter", condition, "--dry-run")
    assert planned.stdout == f"{bad}: would go to the trash\n"
    assert listed(cli) == {good, bad, living.id}
    document = cli.json("delete", "--filter", condition, "-e", "trials")
    assert document == {"deleted": [bad], "kept": [living.id], "dry_run": False}
    living.complete()
    assert listed(cli) == {good, living.id}


def test_mistakes_about_deleting_are_said(cli: Cli) -> None:
    run_id = done(cli)
    living = cli.experiment().start_logging()
    assert "headway cancel" in cli.error("delete", living.id, code=5)
    living.complete()
    assert "one of them" in cli.error("delete", code=2)
    assert "one of them" in cli.error("delete", run_id, "--filter", "x", code=2)
    assert "no run 'nope-1'" in cli.error("delete", run_id, "nope-1", code=4)
    assert "not in the trash" in cli.error("purge", run_id, code=5)
    assert "no run 'nope-1'" in cli.error("restore", "nope-1", code=4)
    assert "such as 30d" in cli.error("purge", "--older-than", "30 days", code=2)
    assert "not both" in cli.error("purge", run_id, "--older-than", "1d", code=2)
    assert listed(cli) == {run_id, living.id}


def test_a_purge_says_what_it_freed(cli: Cli) -> None:
    kept, gone = done(cli), done(cli)
    cli("delete", gone)
    assert cli("purge", "--dry-run").stdout.startswith("would remove 1 run: ")
    assert cli("purge", "--older-than", "1h").stdout == ""
    shown = cli("purge", "--yes", "--compact").stdout
    assert shown.startswith("removed 1 run: ")
    assert "rows with" in shown
    assert "nothing to purge" in cli("purge").stderr
    assert listed(cli) == {kept}
    assert "there is no run" in cli.error("show", gone, code=4)
    assert cli.json("purge")["run_ids"] == []


def test_many_runs_are_purged_call_by_call(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purge, "_AT_ONCE", 2)
    gone = [done(cli) for _ in range(5)]
    with cli.experiment().start_logging() as parent, parent.child_run() as child:
        pass
    cli("delete", *gone, parent.id)
    assert cli.json("purge", *gone[:3])["run_ids"] == gone[:3]
    named = cli.json("purge", parent.id, gone[3], child.id)
    assert named["run_ids"] == [child.id, parent.id, gone[3]]
    assert cli.json("purge")["run_ids"] == gone[4:]


@pytest.mark.parametrize(("answer", "left"), [(b"n\n", 1), (b"y\n", 0)])
def test_a_purge_on_a_terminal_asks_first(cli: Cli, answer: bytes, left: int) -> None:
    cli("delete", done(cli))
    ours, its = pty.openpty()
    os.write(ours, answer)
    asked = subprocess.run(
        [*HEADWAY, "purge"], stdin=its, capture_output=True, timeout=20, check=True
    )
    os.close(its)
    os.close(ours)
    assert b"Remove 1 run for good" in asked.stderr
    assert (b"nothing was removed" in asked.stderr) == bool(left)
    assert len(cli.json("trash")) == left


# ---------------------------------------------------------------- retention


def test_rules_are_applied_by_gc_and_shown_before(cli: Cli) -> None:
    old, new = done(cli), done(cli)
    other = done(cli, "other")
    cli("retention", "set", "--experiment", "trials", "--keep-last", "1")
    cli("retention", "set", "--older-than", "90d")
    assert cli.json("retention", "list") == [
        {"experiment": "", "keep_last": None, "older_than_s": 7776000.0},
        {"experiment": "trials", "keep_last": 1, "older_than_s": None},
    ]
    assert "90d" in cli("retention", "list").stdout
    planned = cli("gc", "--dry-run")
    assert planned.stdout.splitlines()[1].split()[:2] == ["retention", "1"]
    assert "nothing was changed" in planned.stderr
    assert listed(cli) == {old, new, other}
    [found] = cli.json("gc")["garbage"]
    assert (found["kind"], found["examples"]) == ("retention", [old])
    assert listed(cli) == {new, other}
    assert "nothing to collect" in cli("gc").stderr
    cli("retention", "remove", "-e", "trials")
    assert cli.json("retention", "remove") == {"experiment": ""}
    assert "no rules" in cli("retention", "list").stderr
    assert "keep" in cli.error("retention", "set", "-e", "x", code=2)


@pytest.mark.parametrize(
    ("text", "seconds"), [("30d", 2592000), ("12h", 43200), ("1.5 min", 90), ("2w", 1209600)]
)
def test_ages_are_read_with_their_unit(text: str, seconds: float) -> None:
    read = ages.Age().convert(text, None, None)
    assert read == seconds
    assert ages.Age().convert(ages.words(read), None, None) == seconds


# ---------------------------------------------------------------- backup, export, move


def test_a_workspace_comes_back_from_its_backup(cli: Cli) -> None:
    run_id = done(cli)
    first = cli("backup", "backups")
    assert "1 run, " in first.stderr
    document = cli.json("backup", "backups", "--keep", "1")
    assert (document["copied_files"], len(document["removed"])) == (0, 1)
    assert "all as they were put there" in cli("backup", "backups", "--check").stderr
    restored = cli("restore-backup", "backups", "copy").stdout.strip()
    assert restored == str(cli.folder / "copy")
    assert cli.json("--workspace", "copy", "show", run_id)["status"] == "Completed"
    assert "not empty" in cli.error("restore-backup", "backups", "copy", code=5)
    assert "no backup '2020'" in cli.error(
        "restore-backup", "backups", "other", "--at", "2020", code=4
    )
    for path in Path("backups/objects").rglob("*"):
        if path.is_file():
            path.write_bytes(b"damaged")
            break
    assert cli("backup", "backups", "--check", code=8).stdout.endswith(" is damaged\n")


def test_an_export_is_taken_in_elsewhere(cli: Cli) -> None:
    run_id = done(cli, quality="good")
    done(cli, quality="bad")
    shown = cli("export", "out", "--format", "csv", "--filter", "tags.quality = 'good'", "--files")
    assert shown.stdout.strip() == str(cli.folder / "out")
    assert "manifest.json" in os.listdir("out")
    document = cli.json("--workspace", "other", "import", "out")
    assert (document["runs"], document["points"]) == (1, 1)
    assert "1 run there before" in cli("--workspace", "other", "import", "out").stderr
    theirs = cli.json("--workspace", "other", "show", run_id)
    mine = cli.json("show", run_id)
    for name in ("tags", "events", "metrics", "created_at", "status"):
        assert theirs[name] == mine[name]
    assert cli.json("export", "all", "--no-metrics")["rows"]["points"] == 0
    assert "not empty" in cli.error("export", "out", code=5)
    assert "no export" in cli.error("import", "nothing", code=4)
    assert "no experiment 'x'" in cli.error("export", "new", "-e", "x", code=4)


def test_a_workspace_moves_to_another_database(cli: Cli) -> None:
    run_id = done(cli)
    workspace = str(cli.workspace_folder)
    document = cli.json("move", workspace, "moved")
    assert document["rows"]["runs"] == 1
    assert cli.json("--workspace", "moved", "show", run_id)["metrics"][0]["last"] == 0.5
    assert "not empty" in cli.error("move", workspace, "moved", code=5)
    assert "postgresql://" in cli.error("move", "mysql://x/y", "there", code=2)
    assert "no workspace" in cli.error("move", "nowhere", "there", code=4)


def test_what_needs_a_folder_is_refused_for_a_server(cli: Cli) -> None:
    message = cli.error("backup", "b", "--workspace", "http://127.0.0.1:1/team", code=2)
    assert "is on a server" in message
    assert "no workspace" in cli.error("backup", "b", "--workspace", "nowhere", code=4)
