"""Classes of runs that others add: which one a run is given when it is found again."""

from collections.abc import Callable
from typing import Final, cast

import msgspec

from headway.errors import InvalidValueError
from headway.model import Run as RunRecord

SOURCE_PROPERTY: Final = "azureml.runsource"
"""A property that stands for the type where the run has none."""


class RunFacts(msgspec.Struct, frozen=True):
    """What the factory of a class of runs is told of one run."""

    run_id: str
    run_number: int
    run_type: str | None
    status: str
    name: str
    target: str
    parent_run_id: str | None
    tags: dict[str, str | None]
    properties: dict[str, str | None]


Factory = Callable[[object, RunFacts], object]
_factories: Final[dict[str, Factory]] = {}


def add(runtype: object, factory: object) -> None:
    """Have runs of a type made by a factory from now on, in this process.

    Raises:
        InvalidValueError: The type has a factory, or what was given is none.
    """
    if not isinstance(runtype, str) or not runtype:
        raise InvalidValueError(f"runtype was given as {runtype!r}: give a text")
    if not callable(factory):
        raise InvalidValueError(
            f"the factory of run type {runtype!r} was given as {factory!r}: give a function of an "
            "experiment and the facts of a run, which returns the run"
        )
    if runtype in _factories:
        raise InvalidValueError(
            f"run type {runtype!r} has a factory already ({_factories[runtype]!r}): a type is "
            "given one once"
        )
    _factories[runtype] = cast("Factory", factory)


def factory_of(record: RunRecord) -> Factory | None:
    """What makes the handle of a run; None for Headway itself."""
    if not _factories:
        return None
    return _factories.get(record.type or record.properties.get(SOURCE_PROPERTY) or "")


def made_by(factory: Factory, experiment: object, record: RunRecord) -> object:
    """The handle that a factory makes of a run."""
    facts = RunFacts(
        run_id=record.id,
        run_number=record.number,
        run_type=record.type,
        status=str(record.status),
        name=record.name,
        target=record.target,
        parent_run_id=record.parent_id,
        tags=dict(record.tags),
        properties=dict(record.properties),
    )
    return factory(experiment, facts)
