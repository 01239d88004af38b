"""Where the files of a dataset are, as users say it."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import cast

import msgspec

from headway.data.places import Folder, Place, has_magic
from headway.data.remote import is_url, is_web, open_place
from headway.errors import InvalidValueError
from headway.sdk.data.data_reference import DataReference
from headway.sdk.data.datastore import Datastore
from headway.sdk.workspaces.workspace import WorkspaceBase
from headway.settings import load_settings

PathLike = object
"""A path, a URL, a pattern, ``datastore.path(...)``, ``(datastore, path)``, or a list of them."""


class Source(msgspec.Struct, frozen=True, omit_defaults=True):
    """One place with files, as it is written down."""

    path: str
    """Of a datastore: a path, perhaps a pattern. Else an absolute path, or a URL."""
    datastore: str = ""


class Found(msgspec.Struct, frozen=True):
    """A file of a dataset."""

    name: str
    """Relative to what was given: its own name for a file, the path below it for a folder."""
    place: Place
    key: str
    """What the place calls it."""

    def local(self) -> Path:
        """Its path on this machine; fetched first where it is elsewhere."""
        return self.place.local(self.key)


class Sources:
    """All places of a dataset.

    Args:
        sources: As they are written down.
        workspace: Whose datastores they name; None where they name none.
    """

    def __init__(self, sources: Sequence[Source], workspace: WorkspaceBase | None) -> None:
        self.sources = list(sources)
        self.workspace = workspace

    @classmethod
    def given(cls, path: PathLike) -> "Sources":
        """What a user names.

        Raises:
            InvalidValueError: It is nothing that has files.
        """
        found: list[Source] = []
        workspace: WorkspaceBase | None = None
        for source, home in _sources(path):
            found.append(source)
            workspace = workspace or home
        if not found:
            raise InvalidValueError("no path was given: give one, or a list of at least one")
        return cls(found, workspace)

    def files(self) -> list[Found]:
        """Every file, in the order in which they were named.

        Raises:
            InvalidValueError: A path leads to no file.
        """
        return [found for source in self.sources for found in self._of(source)]

    def folder(self) -> Path | None:
        """The folder of this machine that is all of it, where it is one."""
        if len(self.sources) != 1 or has_magic(self.sources[0].path):
            return None
        place, root = self._place(self.sources[0])
        found = place.local(root) if isinstance(place, Folder) else None
        return found if found is not None and found.is_dir() else None

    def _of(self, source: Source) -> list[Found]:
        place, pattern = self._place(source)
        keys = place.files(pattern)
        root = _root_of(pattern)
        if keys == [pattern]:
            root = pattern.rpartition("/")[0]
        below = f"{root}/" if root else ""
        return [Found(key.removeprefix(below), place, key) for key in keys]

    def _place(self, source: Source) -> tuple[Place, str]:
        if source.datastore:
            assert self.workspace is not None, source  # noqa: S101  a datastore names its own
            return Datastore(self.workspace, source.datastore).place(), source.path.strip("/")
        home = self.workspace
        cache = load_settings().home / "data" if home is None else home.data_cache
        if is_web(source.path):
            return open_place(source.path, cache), ""
        top, pattern = _split(source.path)
        return open_place(top, cache), pattern


def _sources(path: object) -> Iterable[tuple[Source, WorkspaceBase | None]]:
    if isinstance(path, str | os.PathLike):
        yield Source(_absolute(os.fspath(cast("str", path)))), None
    elif isinstance(path, DataReference):
        store = path.datastore
        yield Source(path.path_on_datastore or "", store.name), store.workspace
    elif isinstance(path, Datastore):
        yield Source("", path.name), path.workspace
    elif isinstance(path, tuple | list):
        parts = cast("Sequence[object]", path)
        if len(parts) == 2 and isinstance(parts[0], Datastore):
            names = cast("list[object]", parts[1] if isinstance(parts[1], list) else [parts[1]])
            for name in names:
                yield Source(str(name).strip("/"), parts[0].name), parts[0].workspace
            return
        for one in parts:
            yield from _sources(one)
    else:
        raise InvalidValueError(
            f"path was given as {type(path).__name__} {path!r}: give a path, a URL, a pair "
            "(datastore, path), or a list of them"
        )


def _absolute(path: str) -> str:
    if not path or "\0" in path:
        raise InvalidValueError(f"path was given as {path!r}: give a path, a URL or a pattern")
    return path if is_url(path) else os.path.normpath(Path(path).expanduser().absolute())


def _split(path: str) -> tuple[str, str]:
    """Where to look, and what for: no pattern in the first, the last name in the second."""
    top = _root_of(path) if has_magic(path) else path.rstrip("/").rpartition("/")[0]
    scheme, _, rest = top.rpartition("://")
    if is_url(path) and (not scheme or not rest):  # a bucket by itself
        return path, ""
    return top or "/", path[len(top) :].strip("/")


def _root_of(pattern: str) -> str:
    """What stands before the first part with a pattern, or all where there is none."""
    parts = pattern.split("/")
    fixed = next((i for i, part in enumerate(parts) if has_magic(part)), len(parts))
    return "/".join(parts[:fixed])
