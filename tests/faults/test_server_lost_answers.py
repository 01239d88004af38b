"""Answers that are lost after the server has done what was asked: exactly one effect."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.faults.outage import Line, Server, line_to, serving

from headway.api import Api
from headway.assets import AssetQuery, NewAsset
from headway.client.workspace import open_remote
from headway.model import (
    ExperimentChange,
    JournalStretch,
    MetricQuery,
    Run,
    RunChange,
    RunError,
    RunQuery,
    Status,
)
from headway.settings import load_settings
from headway.testing.api.requests import journal_bytes, new_run

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


class World(NamedTuple):
    """What there is before the answer is lost."""

    api: Api
    run: Run
    folder: Path

    def statuses(self) -> list[Status]:
        return [event.status for event in self.api.runs.events(self.run.id)]

    def file(self, text: str = "content") -> Path:
        path = self.folder / "file"
        path.write_text(text, encoding="utf-8")
        return path

    def values(self) -> list[object]:
        return [
            one
            for series in self.api.metrics.read(MetricQuery(self.run.id))
            for one in series.values
        ]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("server")) as one:
        yield one


@pytest.fixture
def line(server: Server) -> Iterator[Line]:
    with line_to(server) as one:
        yield one


@pytest.fixture
def world(line: Line, tmp_path: Path) -> Iterator[World]:
    api = open_remote(line.url, "default", tmp_path / "spool", load_settings())
    experiment = api.experiments.ensure("explore")
    [run] = api.runs.create([new_run(experiment.id, started=True)])
    yield World(api, run, tmp_path)
    api.close()


def create(world: World) -> Callable[[], bool]:
    new = new_run(world.run.experiment_id)
    [made] = world.api.runs.create([new])
    query = RunQuery(experiment_id=world.run.experiment_id)
    return lambda: [one.id for one in world.api.runs.list(query).runs].count(made.id) == 1


def ensure(world: World) -> Callable[[], bool]:
    name = uuid.uuid4().hex
    made = world.api.experiments.ensure(name)
    return lambda: world.api.experiments.list(name=name) == [made]


def change_experiment(world: World) -> Callable[[], bool]:
    change = ExperimentChange(set_tags={"team": "a"})
    changed = world.api.experiments.change(world.run.experiment_id, change)
    return lambda: world.api.experiments.get(world.run.experiment_id) == changed


def set_tag(world: World) -> Callable[[], bool]:
    changed = world.api.runs.change(world.run.id, RunChange(set_tags={"quality": "fine"}))
    return lambda: world.api.runs.get(world.run.id).tags == changed.tags == {"quality": "fine"}


def add_property(world: World) -> Callable[[], bool]:
    world.api.runs.change(world.run.id, RunChange(add_properties={"hash": "abc"}))
    return lambda: world.api.runs.get(world.run.id).properties == {"hash": "abc"}


def complete(world: World) -> Callable[[], bool]:
    ended = world.api.runs.end(world.run.id, Status.COMPLETED)
    return lambda: (
        world.api.runs.get(world.run.id) == ended and world.statuses().count(Status.COMPLETED) == 1
    )


def fail(world: World) -> Callable[[], bool]:
    error = RunError("UserError", "no luck")
    world.api.runs.end(world.run.id, Status.FAILED, error=error)
    return lambda: (
        world.api.runs.get(world.run.id).error == error
        and world.statuses().count(Status.FAILED) == 1
    )


def cancel(world: World) -> Callable[[], bool]:
    world.api.runs.cancel(world.run.id)
    return lambda: world.statuses().count(Status.CANCELED) == 1


def delete(world: World) -> Callable[[], bool]:
    world.api.runs.end(world.run.id, Status.COMPLETED)
    world.api.runs.delete([world.run.id])
    return lambda: world.api.runs.get(world.run.id).deleted_at is not None


def append(world: World) -> Callable[[], bool]:
    data = journal_bytes(world.folder, world.run.id, range(100))
    assert world.api.metrics.append(world.run.id, uuid.uuid4().hex, 0, data) == len(data)
    return lambda: world.values() == list(range(100))


def append_many(world: World) -> Callable[[], bool]:
    data = journal_bytes(world.folder, world.run.id, range(100))
    stretch = JournalStretch(world.run.id, uuid.uuid4().hex, 0, data)
    assert world.api.metrics.append_many([stretch]) == [len(data)]
    return lambda: world.values() == list(range(100))


def put(world: World) -> Callable[[], bool]:
    entry = world.api.files.put(world.run.id, "model.txt", world.file())
    return lambda: world.api.files.list(world.run.id) == [entry]


def put_many(world: World) -> Callable[[], bool]:
    world.api.files.put_many(world.run.id, {"a": world.file(), "b": world.file()})
    return lambda: [one.path for one in world.api.files.list(world.run.id)] == ["a", "b"]


def append_log(world: World) -> Callable[[], bool]:
    assert world.api.files.append(world.run.id, "logs/x.txt", 0, b"line\n") == 5

    def is_once() -> bool:
        with world.api.files.open(world.run.id, "logs/x.txt") as stream:
            return stream.read() == b"line\n"

    return is_once


def register(world: World) -> Callable[[], bool]:
    name = uuid.uuid4().hex
    new = NewAsset(id=uuid.uuid4().hex, kind="model", name=name)
    made = world.api.assets.register(new, world.file())
    query = AssetQuery(kind="model", name=name)
    return lambda: [one.id for one in world.api.assets.list(query)] == [made.id]


def take_snapshot(world: World) -> Callable[[], bool]:
    world.file()
    taken = world.api.snapshots.take(world.run.id, world.folder / "file")
    return lambda: world.api.runs.get(world.run.id).snapshot_id == taken


ACTS = [
    create,
    ensure,
    change_experiment,
    set_tag,
    add_property,
    complete,
    fail,
    cancel,
    delete,
    append,
    append_many,
    put,
    put_many,
    append_log,
    register,
    take_snapshot,
]


@pytest.mark.parametrize("lost", [1, 2])
@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
def test_a_lost_answer_leaves_one_effect(
    act: Callable[[World], Callable[[], bool]], lost: int, world: World, line: Line
) -> None:
    line.drops = lost
    is_there_once = act(world)
    assert line.lost >= 1
    line.drops = 0
    assert is_there_once()
