"""Opening the workspace that a command is about, and finding runs and experiments in it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from headway.api import Api, pages
from headway.cli.call import Call
from headway.cli.output import say
from headway.errors import (
    ExperimentNotFoundError,
    InvalidValueError,
    NotFoundError,
    RunNotFoundError,
    WorkspaceNotFoundError,
)
from headway.hosting.layout import Layout
from headway.model import Experiment, Run, RunQuery
from headway.sdk import locations
from headway.sdk.handles import Workspace
from headway.sdk.locations import Location
from headway.settings import Settings, load_settings

LATEST: Final = "latest"

_ID_PART: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{3,199}")
_MOST_CANDIDATES: Final = 10


def settings_of(call: Call) -> Settings:
    """The settings that hold for a call."""
    settings = load_settings()
    return settings if call.workspace is None else replace(settings, workspace=call.workspace)


def place_of(settings: Settings) -> Location:
    """Where the workspace is."""
    return locations.find(settings)


def is_there(place: Location) -> bool:
    """Whether the workspace exists. One on a server is asked for when it is opened."""
    return bool(place.url) or Layout(place.folder).database.exists()


def open_workspace(call: Call, *, make: bool = False) -> Workspace:
    """The workspace that a call is about.

    Args:
        call: The call.
        make: Whether one that was named but does not exist is made.

    Raises:
        WorkspaceNotFoundError: It does not exist.
    """
    settings = settings_of(call)
    place = place_of(settings)
    known = is_there(place)
    if not known and not make and not place.defaulted:
        raise WorkspaceNotFoundError(
            f"there is no workspace at {place.folder}: check the path; 'headway submit' and "
            "'headway run' make one"
        )
    # Where the default one is, a person sees when it is made, and from doctor; not every time.
    workspace = Workspace.at(place._replace(defaulted=False), settings)
    if not known:
        say(f"headway: new workspace at {place.folder}")
    return workspace


def embedded_folder(call: Call) -> Path:
    """The folder of the workspace that a call is about, for what works on a folder only.

    Raises:
        InvalidValueError: It is on a server.
        WorkspaceNotFoundError: It does not exist.
    """
    place = place_of(settings_of(call))
    if place.url:
        raise InvalidValueError(
            f"the workspace {place.shown} is on a server: call this there, with --workspace and "
            "its folder"
        )
    if not is_there(place):
        raise WorkspaceNotFoundError(f"there is no workspace at {place.folder}: check the path")
    return place.folder


def find_experiment(api: Api, name: str) -> Experiment:
    """The experiment of this name, the active one where there are several."""
    found = api.experiments.list(name=name) or api.experiments.list(name=name, archived=True)
    if not found:
        names = ", ".join(one.name for one in api.experiments.list()[:20]) or "none yet"
        raise ExperimentNotFoundError(f"there is no experiment {name!r}; there are: {names}")
    return found[0]


def find_run(api: Api, reference: str, experiment: str | None = None) -> Run:
    """The run that a reference means.

    Args:
        api: The workspace.
        reference: An id, the beginning of one, ``latest``, or ``@N``.
        experiment: Where the last two look.

    Raises:
        NotFoundError: There is none, or several begin so.
    """
    group = None if experiment is None else find_experiment(api, experiment)
    if reference == LATEST:
        return _latest(api, group)
    if reference.startswith("@"):
        return _numbered(api, reference, group)
    try:
        return api.runs.get(reference)
    except RunNotFoundError as error:
        found = list(_beginning_with(api, reference))
        if not found:
            deleted = list(_beginning_with(api, reference, deleted=True))
            raise (_deleted(reference, deleted) if deleted else _nothing(reference)) from error
    if len(found) > 1:
        raise _ambiguous(reference, found)
    return found[0]


def find_deleted_run(api: Api, reference: str) -> Run:
    """The run that an id or the beginning of one means, whether it is in the trash or not."""
    try:
        return api.runs.get(reference)
    except RunNotFoundError as error:
        found = list(_beginning_with(api, reference, deleted=True))
        found += list(_beginning_with(api, reference))
        if not found:
            raise _nothing(reference) from error
    if len(found) > 1:
        raise _ambiguous(reference, found)
    return found[0]


def _latest(api: Api, group: Experiment | None) -> Run:
    page = api.runs.list(RunQuery(experiment_id=group.id if group else None, limit=1))
    if not page.runs:
        where = f"experiment {group.name!r}" if group else "this workspace"
        raise RunNotFoundError(f"there is no run in {where} yet: start one with 'headway submit'")
    return page.runs[0]


def _numbered(api: Api, reference: str, group: Experiment | None) -> Run:
    if not reference[1:].isdecimal() or not reference.isascii():
        raise InvalidValueError(f"run {reference!r} is not accepted: give a number, such as @3")
    if group is None:
        raise InvalidValueError(
            f"run {reference!r} is a number within an experiment: name that with --experiment"
        )
    query = RunQuery(
        experiment_id=group.id,
        include_children=True,
        filter=f"number = {int(reference[1:])}",
        limit=1,
    )
    page = api.runs.list(query)
    if not page.runs:
        raise RunNotFoundError(f"there is no run {reference} in experiment {group.name!r}")
    return page.runs[0]


def _beginning_with(api: Api, text: str, *, deleted: bool = False) -> Iterator[Run]:
    if not _ID_PART.fullmatch(text):
        return
    # A range, for in a pattern "_" would stand for any character.
    query = RunQuery(
        include_children=True,
        filter=f"id >= '{text}' and id < '{text}\U0010ffff'",
        deleted=deleted,
    )
    for page in pages(api.runs, query):
        yield from page.runs


def _deleted(reference: str, found: list[Run]) -> NotFoundError:
    return RunNotFoundError(
        f"what begins with {reference!r} is in the trash: {found[0].id}; give its whole id, or "
        f"bring it back with 'headway restore {found[0].id}'"
    )


def _nothing(reference: str) -> NotFoundError:
    if len(reference) < 4:
        return RunNotFoundError(
            f"there is no run {reference!r}: give an id, at least 4 characters of its beginning, "
            f"'{LATEST}', or @N with --experiment"
        )
    return RunNotFoundError(
        f"there is no run {reference!r}, and none whose id begins so: 'headway list --all' shows "
        "what there is"
    )


def _ambiguous(reference: str, found: list[Run]) -> NotFoundError:
    shown = [f"  {run.id}  {run.status}" for run in found[:_MOST_CANDIDATES]]
    if len(found) > _MOST_CANDIDATES:
        shown.append(f"  and {len(found) - _MOST_CANDIDATES} more")
    return RunNotFoundError(
        f"{len(found)} runs begin with {reference!r}: give more characters of\n" + "\n".join(shown)
    )


def labels(kind: str, given: tuple[str, ...]) -> dict[str, str | None]:
    """Tags or properties from the form ``key=value`` or ``key``."""
    pairs: dict[str, str | None] = {}
    for one in given:
        key, equals, value = one.partition("=")
        if not key:
            raise InvalidValueError(f"{kind} {one!r} has no key: give KEY or KEY=VALUE")
        pairs[key] = value if equals else None
    return pairs


def absolute(path: Path) -> Path:
    """The path from the root, with links left as they are."""
    return path.expanduser().absolute()
