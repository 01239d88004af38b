from pathlib import Path
from typing import Any

import pytest

from headway import (
    Experiment,
    ExperimentNotFoundError,
    InvalidValueError,
    PropertyConflictError,
    Run,
    RunNotFoundError,
    RunStateError,
    ScriptRun,
    ScriptRunConfig,
    SubmissionError,
    Workspace,
    get_run,
)
from headway.model import MetricQuery


class BoomError(Exception):
    pass


def error_of(run: Run) -> dict[str, Any]:
    details: Any = run.get_details()
    return details["error"]["error"]


# ---------------------------------------------------------------- ends


def test_a_block_that_raises_fails_the_run_and_the_error_goes_on(experiment: Experiment) -> None:
    with pytest.raises(BoomError, match="out of data"), experiment.start_logging() as run:
        raise BoomError("out of data")
    assert run.get_status() == "Failed"
    error = error_of(run)
    assert error["code"] == "UserError"
    assert error["message"] == "User program failed with BoomError: out of data"
    assert error["debugType"] == "BoomError"
    assert "raise BoomError" in error["debugStackTrace"]


@pytest.mark.parametrize("code", [None, 0])
def test_a_block_that_exits_well_completes_the_run(experiment: Experiment, code: Any) -> None:
    with pytest.raises(SystemExit), experiment.start_logging() as run:
        raise SystemExit(code)
    assert run.get_status() == "Completed"


def test_a_block_that_exits_badly_fails_the_run(experiment: Experiment) -> None:
    with pytest.raises(SystemExit), experiment.start_logging() as run:
        raise SystemExit(3)
    assert run.get_status() == "Failed"
    assert (error_of(run)["code"], error_of(run)["exitCode"]) == ("ExitCode", 3)
    with pytest.raises(SystemExit), experiment.start_logging() as talking:
        raise SystemExit("no data")
    assert error_of(talking)["exitCode"] == 1
    assert error_of(talking)["message"] == "the program exited with code 1: no data"


def test_ctrl_c_in_a_block_fails_the_run(experiment: Experiment) -> None:
    with pytest.raises(KeyboardInterrupt), experiment.start_logging() as run:
        raise KeyboardInterrupt
    assert run.get_status() == "Failed"


@pytest.mark.parametrize("end", ["complete", "fail", "cancel"])
def test_a_run_that_ended_in_its_block_stays_as_it_is(experiment: Experiment, end: str) -> None:
    with experiment.start_logging() as run:
        getattr(run, end)()
    words = {"complete": "Completed", "fail": "Failed", "cancel": "Canceled"}
    assert run.get_status() == words[end]


def test_the_end_of_a_parent_leaves_its_children_alone(experiment: Experiment) -> None:
    parent = experiment.start_logging()
    child = parent.child_run("one")
    parent.complete()
    assert child.get_status() == "Running"
    child.fail()
    assert parent.get_status() == "Completed"


def test_fail_keeps_what_it_is_given(experiment: Experiment) -> None:
    with_text = experiment.start_logging()
    with_text.fail("no data", "DataError")
    assert error_of(with_text) == {"code": "DataError", "message": "no data"}
    with_error = experiment.start_logging()
    with_error.fail(BoomError("no data"))
    assert error_of(with_error)["message"] == "User program failed with BoomError: no data"
    bare = experiment.start_logging()
    bare.fail()
    assert error_of(bare)["code"] == "UserError"


def test_ending_again_in_the_same_way_is_no_error(experiment: Experiment) -> None:
    run = experiment.start_logging()
    run.complete()
    run.complete()
    failed = experiment.start_logging()
    failed.fail()
    with pytest.raises(RunStateError, match="Failed"):
        failed.complete()


def test_a_canceled_run_of_this_process_is_canceled_at_once(experiment: Experiment) -> None:
    run = experiment.start_logging()
    assert run.cancel() == "Canceled"
    assert run.get_status() == "Canceled"
    assert run.get_detailed_status()["details"] == "cancel() was called"


def test_metrics_logged_after_the_end_are_kept(experiment: Experiment) -> None:
    run = experiment.start_logging()
    run.log("loss", 2.0)
    run.complete()
    run.log("loss", 1.0)
    assert run.get_metrics() == {"loss": [2.0, 1.0]}


# ---------------------------------------------------------------- what a run is


def test_a_run_knows_where_it_belongs(workspace: Workspace, experiment: Experiment) -> None:
    run = experiment.start_logging("first", description="of all")
    assert (run.number, run.name, run.display_name) == (1, "first", "first")
    assert run.description == "of all"
    assert (run.type, run.parent) == (None, None)
    assert run.experiment is experiment
    assert experiment.workspace is workspace
    assert experiment.start_logging().number == 2
    child = run.child_run("second")
    assert child.name == "first>second"
    assert child.parent is not None
    assert child.parent.id == run.id
    assert repr(run) == (
        f"Run(Experiment: explore-runs,\nId: {run.id},\nType: None,\nStatus: Running)"
    )


def test_name_and_description_may_be_changed(experiment: Experiment) -> None:
    run = experiment.start_logging()
    assert run.display_name == f"run_{run.id}"
    run.display_name = "better"
    run.description = "a text\nof two lines"
    again = Run(experiment, run.id)
    assert (again.display_name, again.description) == ("better", "a text\nof two lines")
    run.description = None
    assert Run(experiment, run.id).description is None


def test_a_run_is_found_by_its_id(workspace: Workspace, experiment: Experiment) -> None:
    run = experiment.start_logging(run_id="my-own_id.1")
    for found in (
        Run(experiment, run.id),
        Run.get(workspace, run.id),
        workspace.get_run(run.id),
        get_run(experiment, run.id),
        get_run(experiment, run.id, rehydrate=False),
    ):
        assert found.id == "my-own_id.1"
        assert found.experiment.name == "explore-runs"


def test_an_unknown_run_is_an_error(workspace: Workspace, experiment: Experiment) -> None:
    with pytest.raises(RunNotFoundError, match="nothing-here"):
        workspace.get_run("nothing-here")
    with pytest.raises(RunNotFoundError, match="nothing-here"):
        Run(experiment, "nothing-here")
    elsewhere = Experiment(workspace, "elsewhere").start_logging()
    with pytest.raises(RunNotFoundError, match="belongs to the experiment 'elsewhere'"):
        Run(experiment, elsewhere.id)
    with pytest.raises(ExperimentNotFoundError):
        Experiment(workspace, "x", _id="no-such-id")


def test_a_type_is_rehydrated(experiment: Experiment, programs: Path) -> None:
    run = experiment.submit(ScriptRunConfig(".", command="true"), run_id="given-id")
    assert run.id == "given-id"
    assert type(run) is ScriptRun
    assert run.type == ScriptRun.RUN_TYPE
    assert type(run.experiment.workspace.get_run(run.id)) is ScriptRun
    assert type(Run(experiment, run.id)) is Run
    assert run.wait_for_completion()["status"] == "Completed"


# ---------------------------------------------------------------- children


def test_children_are_made_together(experiment: Experiment) -> None:
    parent = experiment.start_logging()
    children = parent.create_children(count=120)
    assert [c.tags["azureml.batch_child_number"] for c in children] == [str(i) for i in range(120)]
    assert {child.get_status() for child in children} == {"Running"}
    assert parent.create_children(count=0) == []
    named = parent.create_children(tag_key="fold", tag_values=["a", "b"])
    assert [child.tags for child in named] == [{"fold": "a"}, {"fold": "b"}]
    found = list(parent.get_children(tags={"fold": "a"}))
    assert [child.id for child in found] == [named[0].id]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "Either count or tag_key and tag_values must be set"),
        ({"tag_values": ["a"]}, "tag_key must not be null when tag_values is set"),
        ({"tag_key": "a"}, "tag_values must not be null when tag_key is set"),
        (
            {"count": 1, "tag_key": "a", "tag_values": ["b"]},
            "count can not be set when tag_key and tag_values are set",
        ),
        ({"count": -1}, "count was given as -1"),
        ({"count": "5"}, "count was given as '5'"),
        ({"tag_key": "a", "tag_values": "bc"}, "give a list"),
    ],
)
def test_misuse_of_create_children_makes_none(
    experiment: Experiment, arguments: dict[str, Any], message: str
) -> None:
    parent = experiment.start_logging()
    with pytest.raises(InvalidValueError, match=message):
        parent.create_children(**arguments)
    assert list(parent.get_children()) == []


def test_grandchildren_count_only_when_asked_for(experiment: Experiment) -> None:
    parent = experiment.start_logging()
    child = parent.child_run()
    grandchild = child.child_run()
    assert [run.id for run in parent.get_children()] == [child.id]
    below = {run.id for run in parent.get_children(recursive=True)}
    assert below == {child.id, grandchild.id}
    assert list(parent.get_children(recursive=True, status="Completed")) == []
    assert len(list(experiment.get_runs())) == 1
    assert len(list(experiment.get_runs(include_children=True))) == 3


# ---------------------------------------------------------------- tags and properties


def test_tags_merge_and_are_removed(experiment: Experiment) -> None:
    run = experiment.start_logging(tags={"a": "1"})
    run.set_tags({"b": "2", "c": None})
    assert run.tags == {"a": "1", "b": "2", "c": None}
    Run(experiment, run.id).remove_tags(["a", "not there"])
    assert run.tags == {"a": "1", "b": "2", "c": None}
    assert run.get_tags() == {"b": "2", "c": None}
    run.complete()
    run.tag("late")
    assert "late" in run.get_tags()


def test_values_become_texts_with_a_warning(experiment: Experiment) -> None:
    run = experiment.start_logging()
    wrong: Any = 3
    with pytest.warns(UserWarning, match="value of tag 'epoch' is int 3"):
        run.tag("epoch", wrong)
    with pytest.warns(UserWarning, match="property"):
        run.add_properties({"best": wrong})
    assert (run.tags, run.properties) == ({"epoch": "3"}, {"best": "3"})


def test_a_property_keeps_its_first_value(experiment: Experiment) -> None:
    run = experiment.start_logging(properties={"author": "a"})
    with pytest.raises(PropertyConflictError, match=r"'author'.*'a'.*cannot be changed"):
        run.add_properties({"new": "x", "author": "b"})
    assert run.get_properties() == {"author": "a"}
    run.add_properties({})
    run.add_properties({"author": "a", "new": "x"})
    assert run.properties == {"author": "a", "new": "x"}


@pytest.mark.parametrize("wrong", ["quality", ["quality"], None, 3, {3: "x"}, {"": "x"}])
def test_labels_are_dicts_of_texts(experiment: Experiment, wrong: Any) -> None:
    run = experiment.start_logging()
    with pytest.raises(InvalidValueError):
        run.set_tags(wrong)
    with pytest.raises(InvalidValueError):
        run.add_properties(wrong)
    with pytest.raises(InvalidValueError):
        experiment.set_tags(wrong)
    assert run.get_tags() == {}


def test_keys_to_remove_are_texts(experiment: Experiment) -> None:
    run = experiment.start_logging(tags={"a": "1"})
    run.remove_tags("a")  # pyright: ignore[reportArgumentType]  (as forgiving as the matched API)
    assert run.get_tags() == {}
    for wrong in (3, [3], {"a": 1}):
        keys: Any = wrong
        with pytest.raises(InvalidValueError, match=r"tag keys? w"):
            run.remove_tags(keys)


# ---------------------------------------------------------------- metrics


def test_metrics_have_the_shape_in_which_they_were_logged(experiment: Experiment) -> None:
    run = experiment.start_logging()
    run.log("once", 1)
    for value in (3.0, 2.0, 1.0):
        run.log("often", value, description="loss", step=int(value))
    run.log_list("list", (x for x in (1, 2)))
    run.log_list("one", [7])
    run.log_list("none", [])
    run.log_row("row", x=1, y="a")
    run.log_row("rows", x=1, y=0.5)
    run.log_row("rows", x=2, y=0.25)
    run.log_table("table", {"a": [1, 2], "b": ["x", "y"]})
    run.log_table("single", {"a": 1, "b": "x"})
    run.log_metrics({"loss": 0.5, "accuracy": 0.9}, step=3)
    assert run.get_metrics() == {
        "once": 1,
        "often": [3.0, 2.0, 1.0],
        "list": [1, 2],
        "one": [7],
        "none": [],
        "row": {"x": 1, "y": "a"},
        "rows": {"x": [1, 2], "y": [0.5, 0.25]},
        "table": {"a": [1, 2], "b": ["x", "y"]},
        "single": {"a": 1, "b": "x"},
        "loss": 0.5,
        "accuracy": 0.9,
    }
    assert run.get_metrics("list") == {"list": [1, 2]}
    assert run.get_metrics("unknown") == {}


def test_metrics_of_children_come_by_run(experiment: Experiment) -> None:
    run = experiment.start_logging()
    child = run.child_run()
    silent = run.child_run()
    child.log("loss", 1.0)
    assert run.get_metrics(recursive=True) == {child.id: {"loss": 1.0}}
    run.log("total", 2)
    metrics: Any = run.get_metrics(recursive=True)
    assert metrics == {run.id: {"total": 2}, child.id: {"loss": 1.0}}
    assert silent.id not in metrics


MISUSE: list[tuple[str, tuple[Any, ...]]] = [
    ("log", ("loss", [1, 2])),
    ("log", ("", 1)),
    ("log", (3, 1)),
    ("log", (["a"], 1)),
    ("log", ("loss", {})),
    ("log", ("lo\nss", 1)),
    ("log", ("loss", object())),
    ("log_list", ("loss", 3)),
    ("log_list", ("loss", [[1]])),
    ("log_row", ("row",)),
    ("log_table", ("table", [1])),
    ("log_table", ("table", {})),
    ("log_table", ("table", {"a": [1, 2], "b": [1]})),
    ("log_metrics", ([1],)),
    ("log_metrics", ({"a": 1, "b": []},)),
]


@pytest.mark.parametrize(("call", "arguments"), MISUSE)
def test_a_metric_that_cannot_be_logged_is_refused(
    experiment: Experiment, call: str, arguments: tuple[Any, ...]
) -> None:
    run = experiment.start_logging()
    with pytest.raises(InvalidValueError):
        getattr(run, call)(*arguments)
    assert run.get_metrics() == {}


def test_a_list_given_to_log_is_told_of_log_list(experiment: Experiment) -> None:
    with pytest.raises(InvalidValueError, match="log_list"):
        experiment.start_logging().log("loss", [1, 2])


def test_flush_moves_what_was_logged(workspace: Workspace, experiment: Experiment) -> None:
    run = experiment.start_logging()
    run.flush()
    run.log("loss", 1.0)
    run.flush()
    (series,) = workspace.api.metrics.summarize(MetricQuery(run.id))
    assert (series.count, series.last) == (1, 1.0)


# ---------------------------------------------------------------- finding


def test_runs_come_newest_first_and_lazily(experiment: Experiment) -> None:
    ids = [experiment.start_logging().id for _ in range(5)]
    runs = experiment.get_runs()
    assert next(runs).id == ids[-1]
    assert [run.id for run in runs] == list(reversed(ids[:-1]))
    assert [run.id for run in experiment.get_runs(limit=2)] == [ids[4], ids[3]]
    ascending = experiment.get_runs(order_by="number asc", limit=1)
    assert next(ascending).id == ids[0]


def test_runs_are_found_by_status_time_and_filter(experiment: Experiment) -> None:
    good, bad = experiment.start_logging(), experiment.start_logging()
    good.log("loss", 0.1)
    bad.log("loss", 0.9)
    good.complete()
    bad.fail()
    assert [r.id for r in experiment.get_runs(status="Failed")] == [bad.id]
    assert [r.id for r in Run.list(experiment, status="completed")] == [good.id]
    assert [r.id for r in experiment.get_runs(filter="metrics.loss < 0.5")] == [good.id]
    assert list(experiment.get_runs(since="2999-01-01")) == []
    assert len(list(Run.list(experiment, since="2020-01-01"))) == 2
    assert next(Run.list(experiment, order_by="metrics.loss desc")).id == bad.id


def test_a_wrong_filter_is_refused_before_the_first_run_is_asked_for(
    experiment: Experiment,
) -> None:
    wrong: Any = ["quality"]
    with pytest.raises(InvalidValueError, match="Unknown filter type for run tags"):
        experiment.get_runs(tags=wrong)
    with pytest.raises(InvalidValueError, match="Unknown filter type"):
        experiment.start_logging().get_children(properties=wrong)
    with pytest.raises(InvalidValueError):
        experiment.get_runs(filter="status ==")


# ---------------------------------------------------------------- experiments


def test_an_experiment_is_made_once(workspace: Workspace, experiment: Experiment) -> None:
    assert Experiment(workspace, "explore-runs").id == experiment.id
    assert set(workspace.experiments) == {"explore-runs"}
    assert workspace.experiments["explore-runs"].id == experiment.id
    expected = f"Experiment(Name: explore-runs,\nWorkspace: {workspace.name})"
    assert repr(experiment) == expected


def test_an_archived_experiment_makes_room_for_another(
    workspace: Workspace, experiment: Experiment
) -> None:
    experiment.archive()
    assert experiment.archived_time is not None
    assert workspace.experiments == {}
    assert [e.id for e in Experiment.list(workspace, view_type="ArchivedOnly")] == [experiment.id]
    experiment.reactivate()
    assert experiment.archived_time is None
    with pytest.raises(InvalidValueError, match="renamed"):
        experiment.reactivate("other")
    with pytest.raises(InvalidValueError, match="ActiveOnly"):
        Experiment.list(workspace, view_type="Some")


def test_experiments_have_tags(workspace: Workspace, experiment: Experiment) -> None:
    experiment.tag("team", "vision")
    experiment.set_tags({"old": None})
    same = Experiment(workspace, "explore-runs")
    assert same.tags == {"team": "vision", "old": None}
    experiment.remove_tags(["old"])
    assert same.tags == {"team": "vision", "old": None}
    same.refresh()
    assert same.tags == {"team": "vision"}
    Experiment(workspace, "other")
    assert [e.name for e in Experiment.list(workspace, tags="team")] == ["explore-runs"]
    assert [e.name for e in Experiment.list(workspace, tags={"team": "sound"})] == []
    assert [e.name for e in Experiment.list(workspace, "other")] == ["other"]


@pytest.mark.parametrize(
    "name", ["", " ", "white space", "a/b", "a.b", "_a", "-a", "a\nb", "x" * 256, 3, None]
)
def test_a_name_that_is_not_accepted_makes_no_experiment(workspace: Workspace, name: Any) -> None:
    with pytest.raises(InvalidValueError, match=r"[Ee]xperiment name"):
        Experiment(workspace, name)
    assert workspace.experiments == {}


@pytest.mark.parametrize("name", ["1", "Größe_1", "実験", "a-b", "x" * 255])
def test_letters_of_any_script_name_an_experiment(workspace: Workspace, name: str) -> None:
    experiment = Experiment(workspace, name)
    assert workspace.experiments[name].id == experiment.id
    run = experiment.submit(ScriptRunConfig(".", command="true"))
    assert run.id.isascii()
    assert run.wait_for_completion()["status"] == "Completed"


def test_an_experiment_that_is_there_is_opened_whatever_its_name(workspace: Workspace) -> None:
    made = Experiment(workspace, "Größe 1", _skip_name_validation=True)
    assert Experiment(workspace, "Größe 1").id == made.id


def test_things_of_another_type_are_refused(workspace: Workspace, experiment: Experiment) -> None:
    wrong: Any = "a string"
    with pytest.raises(InvalidValueError, match="give a Workspace"):
        Experiment(wrong, "x")
    with pytest.raises(InvalidValueError, match="give a Experiment"):
        Run(wrong, "x")
    with pytest.raises(InvalidValueError, match="give a ScriptRunConfig"):
        experiment.submit(wrong)
    with pytest.raises(InvalidValueError, match="give a Workspace"):
        Run.get(wrong, "x")
    number: Any = 3
    with pytest.raises(InvalidValueError, match="run_id"):
        workspace.get_run(number)
    assert list(experiment.get_runs()) == []


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        ((1, 2, 3, 4, 5), {}),
        (("a",), {"name": "b"}),
        ((), {"colour": "red"}),
        ((), {"tags": ["x"]}),
        ((), {"run_id": 3}),
        ((), {"run_id": "../x"}),
        ((), {"name": 3}),
        ((), {"description": 3}),
    ],
)
def test_start_logging_refuses_what_it_does_not_know(
    experiment: Experiment, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    with pytest.raises(InvalidValueError):
        experiment.start_logging(*args, **kwargs)
    assert list(experiment.get_runs()) == []


def test_submit_refuses_what_it_does_not_know(experiment: Experiment) -> None:
    with pytest.raises(InvalidValueError, match="show_output"):
        experiment.submit(ScriptRunConfig(".", command="true"), show_output=True)
    with pytest.raises(SubmissionError, match="script path doesn't exist"):
        experiment.submit(ScriptRunConfig(".", "missing.py"))
    assert list(experiment.get_runs()) == []


def test_a_child_is_submitted(experiment: Experiment) -> None:
    parent = experiment.start_logging()
    child = parent.submit_child(ScriptRunConfig(".", command="true"), tags={"a": "b"})
    assert child.parent is not None
    assert child.parent.id == parent.id
    assert child.tags == {"a": "b"}
    assert child.wait_for_completion()["status"] == "Completed"
    assert [run.id for run in parent.get_children(type=ScriptRun.RUN_TYPE)] == [child.id]
