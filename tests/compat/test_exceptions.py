"""``except`` clauses that were written for the original catch what Headway raises."""

from collections.abc import Callable
from typing import Any, Final, cast

import pytest

import azureml.exceptions as named
from azureml._restclient.exceptions import ServiceException
from azureml.core import (
    ComputeTarget,
    Dataset,
    Datastore,
    Experiment,
    Model,
    Run,
    ScriptRunConfig,
    Workspace,
)
from azureml.core.compute_target import ComputeTargetException
from azureml.core.run import get_run
from azureml.core.workspace import WorkspaceException

Act = Callable[[Workspace], object]


def running(ws: Workspace) -> Run:
    return Experiment(ws, "e").start_logging()


def failing(ws: Workspace) -> object:
    config = ScriptRunConfig(source_directory=".", command="exit 3")
    return Experiment(ws, "e").submit(config).wait_for_completion()


def conflicting(ws: Workspace) -> None:
    run = running(ws)
    run.add_properties({"author": "me"})
    run.add_properties({"author": "you"})


def without_config(_: Workspace) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("HEADWAY_WORKSPACE")
        Workspace.from_config("nowhere/config.json")


def creating_twice(_: Workspace) -> None:
    Workspace.create("twice")
    Workspace.create("twice")


def uploading_twice(ws: Workspace) -> None:
    with open("file.txt", "w") as file:
        file.write("x")
    run = running(ws)
    run.upload_file("file.txt", "file.txt")
    run.upload_file("file.txt", "file.txt")


ACTS: Final[list[tuple[type[named.AzureMLException], Act]]] = [
    (named.UserErrorException, lambda ws: Experiment(ws, "")),
    (named.UserErrorException, lambda ws: Experiment(ws, "white space")),
    (named.UserErrorException, without_config),
    (named.UserErrorException, lambda ws: running(ws).log("list", cast("Any", [1, 2]))),
    (named.UserErrorException, lambda ws: running(ws).download_file("nowhere.txt")),
    (named.UserErrorException, lambda ws: Dataset.get_by_name(ws, "nowhere")),
    (named.UserErrorException, lambda ws: Datastore.get(ws, "nowhere")),
    (named.AzureMLException, lambda ws: running(ws).log_table("t", {"a": [1], "b": [1, 2]})),
    (named.AzureMLException, lambda ws: Experiment(ws, "e").submit(cast("Any", None))),
    (named.AzureMLAggregatedException, uploading_twice),
    (named.RunEnvironmentException, lambda ws: Run.get_context(allow_offline=False)),
    (
        named.ExperimentExecutionException,
        lambda ws: Experiment(ws, "e").submit(ScriptRunConfig(".", script="nowhere.py")),
    ),
    (named.ActivityFailedException, failing),
    (named.SnapshotException, lambda ws: running(ws).take_snapshot("nowhere")),
    (named.ModelNotFoundException, lambda ws: Model(ws, "nowhere")),
    (named.ModelNotFoundException, lambda ws: Model.get_model_path("nowhere", _workspace=ws)),
    (named.WebserviceException, lambda ws: Model(ws, "nowhere")),
    (
        named.ModelPathNotFoundException,
        lambda ws: running(ws).register_model("m", model_path="nowhere.pkl"),
    ),
    (ComputeTargetException, lambda ws: ComputeTarget(ws, "gpu-cluster")),
    (WorkspaceException, lambda ws: Workspace.get("nowhere")),
    (WorkspaceException, creating_twice),
    (ServiceException, lambda ws: ws.get_run("nowhere")),
    (ServiceException, lambda ws: get_run(Experiment(ws, "e"), "nowhere")),
    (ServiceException, conflicting),
]


@pytest.mark.parametrize(("caught", "act"), ACTS)
def test_an_error_is_caught_by_the_name_it_had(
    ws: Workspace, caught: type[named.AzureMLException], act: Act
) -> None:
    with pytest.raises(caught) as error:
        act(ws)
    assert isinstance(error.value, named.AzureMLException)
    assert error.value.message == str(error.value)


def test_an_error_is_made_as_it_was_made() -> None:
    cause = ValueError("x")
    error = named.UserErrorException("bad input", inner_exception=cause)
    assert (error.message, error.inner_exception) == ("bad input", cause)


def test_a_service_error_has_its_status(ws: Workspace) -> None:
    with pytest.raises(ServiceException) as missing:
        ws.get_run("nowhere")
    with pytest.raises(ServiceException) as conflict:
        conflicting(ws)
    assert (missing.value.status_code, conflict.value.status_code) == (404, 409)


def test_all_names_of_the_original_are_there() -> None:
    assert len(named.__all__) == 21
    assert named.__all__ == sorted(named.__all__)
    for name in named.__all__:
        error: Any = getattr(named, name)("what a user says")
        assert isinstance(error, named.AzureMLException)
        assert error.message == "what a user says"
