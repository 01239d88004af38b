"""Submits a command, waits until it is up, cancels it, and says what came of it.

    canceler.py WORKSPACE RUN_ID USE_CGROUP GRACE_S COMMAND...

Meanwhile it has a child of its own, which is nobody else's business.
"""

import functools
import json
import subprocess
import sys
import time
from pathlib import Path
from unittest import mock

from headway.engines.folder import RunFolder, RunSpec
from headway.hosting import submission
from headway.model import NewRun, Submission
from headway.service.workspace import EmbeddedWorkspace, open_workspace
from headway.settings import load_settings

LOG = "user_logs/std_log.txt"
LONGEST_S = 25


def submit(api: EmbeddedWorkspace, run_id: str, command: list[str], *, use_cgroup: bool) -> None:
    experiment = api.experiments.ensure("hostile")
    spec = functools.partial(RunSpec, use_cgroup=use_cgroup)
    with mock.patch.object(submission, "RunSpec", spec):
        api.runs.submit(
            NewRun(id=run_id, experiment_id=experiment.id),
            Submission(command=command, source_directory="/", in_place=True),
        )


def wait_until_up(api: EmbeddedWorkspace, run_id: str) -> str:
    """The log until then."""
    text, deadline = b"", time.monotonic() + LONGEST_S
    while b"up\n" not in text and time.monotonic() < deadline:
        part = api.runs.watch(run_id, log=LOG, offset=len(text), timeout_s=1)
        text += part.log.data
        if part.run.status.ended:
            break
    return text.decode()


def main(workspace: str, run_id: str, use_cgroup: str, grace_s: str, *command: str) -> None:
    with subprocess.Popen(["/bin/sleep", str(LONGEST_S)]) as bystander:
        try:
            api = open_workspace(Path(workspace), load_settings({}))
            submit(api, run_id, list(command), use_cgroup=use_cgroup == "cgroup")
            log = wait_until_up(api, run_id)
            began = time.monotonic()
            outcome = api.runs.cancel(run_id, grace_s=float(grace_s))
            took_s = time.monotonic() - began
            record = RunFolder(Path(workspace, "runs", run_id)).read_state()
            said = {
                "up": "up\n" in log,
                "outcome": outcome,
                "status": api.runs.get(run_id).status,
                "took_s": took_s,
                "cgroup": record.cgroup if record else None,
                "clean": record.clean if record else None,
                "bystander": bystander.poll(),
                "log": log,
            }
            api.close()
        finally:
            bystander.kill()
    sys.stdout.write(json.dumps(said))


main(*sys.argv[1:])
