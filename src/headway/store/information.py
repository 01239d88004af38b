"""What a workspace says of itself: statements."""

from typing import Final

from headway.model import WorkspaceInfo
from headway.store.base import Database

_GET: Final = "select key, value from workspace"
_PUT: Final = "insert into workspace (key, value) values (:key, :value) on conflict do nothing"


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
    return WorkspaceInfo(name=found["name"], location=location, created_at=int(found["created_at"]))
