"""What an operation of the server is: one row of the table in ``headway.wire.operations``."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Generic, Literal, TypeVar

import msgspec

from headway.accounts import Scope

API: Final = "/api/v1"
"""What all paths begin with. The number changes when an old client would misunderstand."""

Request = TypeVar("Request")
Answer = TypeVar("Answer")
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

JSON_BYTES: Final = 4 << 20
"""The largest JSON document that a request may be."""
PART_BYTES: Final = 4 << 20
"""The largest body of bytes: longer files and journals are sent in parts."""


class Body(StrEnum):
    """What the body of a request or an answer is."""

    JSON = "application/json"
    PACKED = "application/msgpack"
    """MessagePack, where there are bytes among the fields, or numbers that JSON does not have."""
    BYTES = "application/octet-stream"
    """The bytes of a file, a log or a journal as they are."""


class Place(StrEnum):
    """What an operation is about."""

    SERVER = "server"
    """Whoever asks, users, tokens, the list of workspaces."""
    WORKSPACE = "workspace"
    """What one workspace holds."""


class Done(msgspec.Struct, frozen=True):
    """The answer where there is nothing to say."""


class Stream:
    """Stands for an answer that is the bytes of a file, sent as they are read.

    The field ``offset`` of the request says where to begin, so that a client that lost the
    connection goes on where it was.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Generic[Request, Answer]):
    """One thing that a server does when it is asked to.

    The fields of the request come from the path; of the rest, with GET and DELETE, or where the
    body is bytes, from the query; else from the body. Bytes are the field ``data``.
    """

    name: str
    """The verb of ``headway.api`` that it stands for, such as ``runs.get``."""
    method: Method
    path: str
    """Behind that of the workspace or the API; ``{field}`` takes one segment."""
    request: type[Request]
    answer: type[Answer]
    scope: Scope | None
    """What whoever asks must be allowed to do here; None: nobody needs to be known."""
    help: str
    """What it does, in a line."""
    place: Place = Place.WORKSPACE
    sends: Body = Body.JSON
    gives: Body = Body.JSON
    repeatable: bool = True
    """Whether the client sends it again when it cannot know what became of the first time. It may
    where that has the same effect: nothing is changed, or the request holds an id or an offset."""
    removes: bool = False
    """Whether what is not there when the request comes again was removed by the first one."""
    waits: bool = False
    """Whether the answer may come as late as the request's ``timeout_s`` says."""
    most_bytes: int = JSON_BYTES
    """The largest body that is taken in."""

    @property
    def template(self) -> str:
        """The whole path, with ``{field}`` where values go."""
        if self.place is Place.SERVER:
            return API + self.path
        return f"{API}/workspaces/{{workspace}}{self.path}"

    @property
    def in_query(self) -> bool:
        """Whether what does not stand in the path is sent in the query."""
        return self.method in {"GET", "DELETE"} or self.sends is Body.BYTES
