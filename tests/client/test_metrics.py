"""Metrics of a workspace on a server: what is the client's own. The contract is held elsewhere."""

from itertools import pairwise
from pathlib import Path

import pytest

from headway.client import metrics as client_metrics
from headway.client.workspace import RemoteWorkspace
from headway.metrics.columns import decode_points, listed
from headway.metrics.journal import JournalWriter
from headway.model import MetricQuery, PointQuery, Run
from headway.testing.api.requests import log, new_run, open_writer


@pytest.fixture
def run(api: RemoteWorkspace) -> Run:
    experiment = api.experiments.ensure("explore")
    return api.runs.create([new_run(experiment.id)])[0]


@pytest.mark.parametrize("page", [1, 700, 20_000, 1_000_000])
def test_a_long_series_is_asked_for_in_pages_and_comes_back_whole(
    api: RemoteWorkspace, run: Run, page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def into(writer: JournalWriter) -> None:
        for number in range(20_000):
            writer.log("loss", number / 2, step=number)

    for _ in range(3):
        log(api, run.id, into)
    monkeypatch.setattr(client_metrics, "_PAGE_POINTS", page)
    monkeypatch.setattr(client_metrics, "MOST_VALUES", 10_000)
    expected = [number / 2 for number in range(20_000)] * 3
    query = PointQuery(run.id, "loss")
    assert listed(decode_points(api.metrics.points(query).blocks).values) == expected
    [series] = api.metrics.read(MetricQuery(run.id))
    assert series.values == expected


def test_pages_fit_together_while_the_series_grows(
    api: RemoteWorkspace, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_metrics, "_PAGE_POINTS", 50)
    writer = open_writer(api.metrics.journal_dir, run.id)
    query = PointQuery(run.id, "loss")
    count = 0
    for more in (30, 100, 1_000, 3, 5_000, 70):
        for _ in range(more):
            writer.log("loss", count, step=count)
            count += 1
        steps = decode_points(api.metrics.points(query).blocks).steps.tolist()
        assert len(steps) == count
        assert all(later == step + 1 for step, later in pairwise(steps))
    writer.close()


def test_journals_that_belong_to_no_run_do_not_hide_the_others(
    api: RemoteWorkspace, run: Run
) -> None:
    stray = open_writer(api.metrics.journal_dir, "no-such-run")
    stray.log("loss", 1)
    log(api, run.id, lambda writer: writer.log("loss", 2))
    assert [one.values for one in api.metrics.read(MetricQuery(run.id, recursive=True))] == [[2]]
    stray.close()
    assert Path(api.metrics.journal_dir, "no-such-run").is_dir()
