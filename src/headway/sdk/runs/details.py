"""The dict that ``Run.get_details`` returns."""

from collections.abc import Mapping

from headway.model import EnvironmentSpec, Run, RunError, Submission
from headway.sdk.data.given_data import INPUTS_VARIABLE, OUTPUTS_VARIABLE, Names, read_given
from headway.sdk.times import iso_time


def details_of(run: Run, logs: Mapping[str, str]) -> dict[str, object]:
    """What is known of a run, by the names that ``azureml.core`` uses; absent values left out.

    Args:
        run: The run.
        logs: Its logs, name to URL.
    """
    variables = {} if run.definition is None else run.definition.environment_variables
    details: dict[str, object | None] = {
        "runId": run.id,
        "target": run.target,
        "status": str(run.status),
        "startTimeUtc": iso_time(run.started_at),
        "endTimeUtc": iso_time(run.ended_at),
        "services": {},
        "error": None if run.error is None else {"error": error_dict(run.error)},
        "warnings": warnings_of(run),
        "properties": dict(run.properties),
        "inputDatasets": _inputs(read_given(variables, INPUTS_VARIABLE)),
        "outputDatasets": _outputs(read_given(variables, OUTPUTS_VARIABLE)),
        "runDefinition": None if run.definition is None else _definition(run.definition),
        "logFiles": dict(logs),
        "submittedBy": run.created_by or None,
    }
    return {key: value for key, value in details.items() if value is not None}


def _inputs(names: Names) -> list[dict[str, object]]:
    return [
        {
            "dataset": {"id": one.dataset or one.made_of},
            "consumptionDetails": {
                "type": "RunInput",
                "inputName": name,
                "mechanism": one.mechanism.capitalize() or "Direct",
                **({"pathOnCompute": one.path} if one.path else {}),
            },
        }
        for name, one in names.items()
    ]


def _outputs(names: Names) -> list[dict[str, object]]:
    return [
        {"outputType": "RunOutput", "outputDetails": {"outputName": name}, "path": one.path}
        for name, one in names.items()
    ]


def error_dict(error: RunError) -> dict[str, object]:
    """An error as JSON shows it."""
    fields: dict[str, object | None] = {
        "code": error.code,
        "message": error.message,
        "exitCode": error.exit_code,
        "signal": error.signal,
        "debugType": error.debug_type,
        "debugStackTrace": error.debug_stack_trace,
    }
    return {key: value for key, value in fields.items() if value is not None}


def warnings_of(run: Run) -> list[dict[str, str]] | None:
    """What went wrong without ending the run; None for nothing."""
    if not run.points_lost:
        return None
    return [{"source": "metrics", "message": f"{run.points_lost} metric points were lost"}]


def _definition(definition: Submission) -> dict[str, object]:
    """What was submitted, by the names that ``azureml.core`` uses, and some more."""
    processes = definition.processes
    count = 1 if processes is None else processes.count
    kind = None if processes is None else processes.kind
    return {
        "script": definition.script,
        "command": list(definition.command),
        "arguments": list(definition.arguments),
        "sourceDirectory": definition.source_directory,
        "framework": "PyTorch" if kind == "pytorch" else "Python",
        "communicator": {"pytorch": "Nccl", "mpi": "IntelMpi"}.get(kind or "", "None"),
        "target": definition.target,
        "dataReferences": {},
        "data": {},
        "outputData": {},
        "nodeCount": 1,
        "mpi": {"processCountPerNode": count if kind == "mpi" else 1, "nodeCount": 1},
        "pyTorch": {"processCount": count if kind == "pytorch" else None, "nodeCount": 1},
        "environment": _environment(definition.environment),
        "history": {
            "outputCollection": True,
            "directoriesToWatch": ["logs"],
            "snapshotProject": not definition.in_place,
        },
        "environmentVariables": dict(definition.environment_variables),
        "maxRunDurationSeconds": definition.max_run_duration_s,
        "resources": {"cpus": definition.resources.cpus, "gpus": definition.resources.gpus},
        "priority": definition.priority,
    }


def _environment(spec: EnvironmentSpec | None) -> dict[str, object]:
    """The environment that was asked for; of none, the Python of the submitter as it is."""
    if spec is None:
        return {"name": "default-environment", "python": {"userManagedDependencies": True}}
    return {
        "name": spec.name,
        "python": {
            "interpreterPath": spec.interpreter or "python",
            "userManagedDependencies": spec.user_managed,
            "version": spec.python,
            "condaDependencies": {
                "channels": list(spec.channels),
                "dependencies": [*spec.conda_dependencies, {"pip": list(spec.pip_requirements)}],
            },
        },
        "environmentVariables": dict(spec.environment_variables),
    }
