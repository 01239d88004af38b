"""What notebooks show of runs and experiments, and offer for completion."""

from typing import Any

import pytest

from headway import Experiment, Run, Workspace

HOSTILE = '<script>alert("x")</script>'


def shown(handle: Any) -> str:
    return handle._repr_html_()


def test_a_run_is_shown_as_a_table(experiment: Experiment) -> None:
    run = experiment.start_logging()
    table = shown(run)
    assert f"<td>{run.id}</td>" in table
    assert "<td>Running</td>" in table
    assert f'<a href="{run.get_portal_url()}"' in table


def test_what_is_shown_is_escaped(workspace: Workspace) -> None:
    experiment = Experiment(workspace, HOSTILE, _skip_name_validation=True)
    for handle in (experiment, experiment.start_logging()):
        assert "<script>" not in shown(handle)
        assert "&lt;script&gt;" in shown(handle)


def test_an_experiment_is_shown_and_printed(experiment: Experiment) -> None:
    assert "<td>explore-runs</td>" in shown(experiment)
    assert str(experiment) == repr(experiment)
    assert Experiment.get_docs_url() == Run.get_docs_url() == experiment.get_docs_url()


@pytest.mark.parametrize("what", ["run", "experiment", "workspace"])
def test_only_what_users_may_call_is_offered(experiment: Experiment, what: str) -> None:
    run = experiment.start_logging()
    handle = {"run": run, "experiment": experiment, "workspace": experiment.workspace}[what]
    offered = dir(handle)
    assert not [name for name in offered if name.startswith("_") and not name.startswith("__")]
    hidden = {
        "api",
        "session",
        "experiment_of",
        "create_runs",
        "new_run",
        "run_of",
        "start_request",
        "track",
        "log_checked",
    }
    assert not hidden & set(offered)
    wanted = {
        "run": {"log", "log_image", "get_metrics", "wait_for_completion", "upload_file", "history"},
        "experiment": {"submit", "start_logging", "get_runs", "tag"},
        "workspace": {"experiments", "get_run", "write_config", "get_default_datastore"},
    }
    assert wanted[what] <= set(offered)


def test_ipython_completes_what_users_may_call(experiment: Experiment) -> None:
    pytest.importorskip("IPython")
    from IPython.core.completer import IPCompleter, provisionalcompleter  # noqa: PLC0415

    completer = IPCompleter(namespace={"run": experiment.start_logging()}, global_namespace={})
    completer.use_jedi = False
    completer.disable_matchers = ["IPCompleter.magic_matcher"]
    with provisionalcompleter():
        found = {one.text for one in completer.completions("run.", 4)}
    assert any(text.endswith("log_image") for text in found)
    assert not [text for text in found if text.removeprefix(".").startswith("_") or "track" in text]
