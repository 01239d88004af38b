"""Whether this process is the program of a submitted run, and of which."""

import os
from collections.abc import Mapping
from typing import NamedTuple

RUN_ID_VARIABLE = "HEADWAY_RUN_ID"
WORKSPACE_VARIABLE = "HEADWAY_WORKSPACE"


class RunContext(NamedTuple):
    """The run that started this process, and the workspace it is in."""

    run_id: str
    workspace: str


def run_context(environment: Mapping[str, str] | None = None) -> RunContext | None:
    """The run whose program this process is; None where it was started by hand.

    Args:
        environment: Variables to read; None for those of this process.
    """
    environment = os.environ if environment is None else environment
    run_id, workspace = environment.get(RUN_ID_VARIABLE), environment.get(WORKSPACE_VARIABLE)
    return RunContext(run_id, workspace) if run_id and workspace else None
