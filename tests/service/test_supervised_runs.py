"""What the runner sees to beside a program, as users of a workspace meet it."""

import sys
import time
from pathlib import Path

import pytest

from headway.model import MetricQuery, Processes, Run, Submission
from headway.service.workspace import EmbeddedWorkspace, open_workspace
from headway.settings import load_settings
from headway.testing.api.requests import LOG, follow, new_run

SYSTEM = {
    "system/cpu_percent",
    "system/memory_bytes",
    "system/disk_read_bytes",
    "system/disk_write_bytes",
}


def submit(
    folder: Path, program: str, *, processes: Processes | None = None, **settings: str
) -> tuple[EmbeddedWorkspace, Run]:
    source = folder / "source"
    source.mkdir()
    (source / "program.py").write_text(program)
    variables = {f"HEADWAY_{name.upper()}": value for name, value in settings.items()}
    workspace = open_workspace(folder / "workspace", load_settings(variables))
    submission = Submission(
        command=[sys.executable, "program.py"], source_directory=str(source), processes=processes
    )
    return workspace, workspace.runs.submit(
        new_run(workspace.experiments.ensure("explore").id), submission
    )


def test_what_a_run_uses_is_logged_as_series_of_the_run(tmp_path: Path) -> None:
    program = "import time\nx = bytearray(60 << 20)\ntime.sleep(60)"
    workspace, run = submit(tmp_path, program, system_metrics_interval_s="0.1")
    deadline = time.monotonic() + 10
    found = {}
    while not found or found["system/cpu_percent"].count < 3:
        assert time.monotonic() < deadline
        time.sleep(0.02)
        summaries = workspace.metrics.summarize(MetricQuery(run_id=run.id))
        found = {one.name: one for one in summaries}
    assert found.keys() >= SYSTEM
    assert (found["system/memory_bytes"].maximum or 0) > 60 << 20
    workspace.runs.cancel(run.id)
    assert workspace.runs.get(run.id).points_lost == 0
    workspace.close()


def test_no_metrics_are_sampled_where_the_setting_says_so(tmp_path: Path) -> None:
    workspace, run = submit(tmp_path, "import time; time.sleep(1.3)", system_metrics_interval_s="0")
    follow(workspace, run.id)
    assert workspace.metrics.summarize(MetricQuery(run_id=run.id)) == []
    workspace.close()


@pytest.mark.parametrize("processes", [None, Processes(2)])
def test_a_log_beyond_its_cap_says_what_is_missing(
    tmp_path: Path, processes: Processes | None
) -> None:
    program = "for i in range(40_000): print(i, '.' * 90, flush=False)"
    workspace, run = submit(tmp_path, program, processes=processes, max_log_bytes="1000000")
    ended, _ = follow(workspace, run.id)
    assert ended.status == "Completed"
    names = [LOG] if processes is None else [LOG, f"{LOG[:-4]}_process_0.txt"]
    with workspace.files.open(run.id, LOG) as stream:
        whole = stream.read()
    marker = b" bytes of output were cut here]\n"
    assert whole.startswith(b"0 ....")
    assert whole.endswith(b"." * 90 + b"\n")
    assert whole.count(marker) == 1
    for name in names:
        followed, offset = b"", 0
        while (part := workspace.runs.watch(run.id, log=name, offset=offset, timeout_s=0)).log.data:
            followed, offset = followed + part.log.data, part.log.next_offset
        assert followed == whole
        with workspace.files.open(run.id, name) as stream:
            assert stream.read() == whole
    assert {entry.path for entry in workspace.files.list(run.id)} >= set(names)
    workspace.close()
