"""What a workspace says of itself: statements."""

from typing import Final

import msgspec

from headway.model import WorkspaceChange, WorkspaceInfo
from headway.store.base import Database, Parameters

_GET: Final = "select key, value from workspace"
_PUT: Final = "insert into workspace (key, value) values (:key, :value) on conflict do nothing"
_SET: Final = """
insert into workspace (key, value) values (:key, :value)
on conflict (key) do update set value = excluded.value"""


def ensure(database: Database, name: str, location: str, *, at: int) -> WorkspaceInfo:
    """The workspace's name and age, written now if it is new.

    Args:
        database: An open database.
        name: The name that a new workspace gets.
        location: Its folder or address.
        at: The time now, in microseconds.
    """
    with database.read() as tx:
        found = dict(tx.all(_GET))
    if "name" not in found:
        with database.write() as tx:
            tx.many(
                _PUT,
                [{"key": "name", "value": name}, {"key": "created_at", "value": str(at)}],
            )
            found = dict(tx.all(_GET))
    return _information(found, location)


def read(database: Database, location: str) -> WorkspaceInfo:
    """What a workspace says of itself now."""
    with database.read() as tx:
        return _information(dict(tx.all(_GET)), location)


def change(database: Database, location: str, change: WorkspaceChange) -> WorkspaceInfo:
    """Write what is given, and return what the workspace says of itself then."""
    fields: Parameters = msgspec.to_builtins(change)
    with database.write() as tx:
        tx.many(
            _SET,
            [
                {"key": key, "value": value if isinstance(value, str) else _json(value)}
                for key, value in fields.items()
            ],
        )
        return _information(dict(tx.all(_GET)), location)


def _information(found: dict[str, str], location: str) -> WorkspaceInfo:
    return WorkspaceInfo(
        name=found["name"],
        location=location,
        created_at=int(found["created_at"]),
        friendly_name=found.get("friendly_name", ""),
        description=found.get("description", ""),
        tags=msgspec.json.decode(found.get("tags", "{}"), type=dict[str, str | None]),
        default_datastore=found.get("default_datastore", ""),
    )


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
