"""How a request is spread over path, query and body, and put together again."""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Final, Generic, TypeVar, cast, get_origin
from urllib.parse import quote

import msgspec
from msgspec.structs import fields

from headway.errors import InvalidValueError
from headway.wire.finite import all_finite, may_hold_floats
from headway.wire.operation import Body, Operation, Place

Request = TypeVar("Request", bound=msgspec.Struct)

WORKSPACE: Final = "workspace"
"""The field of the path that names the workspace; no request has it."""
DATA: Final = "data"
"""The field that is the body, where the body is bytes."""

_FIELD: Final = re.compile(r"\{(\w+)\}")

_encoder: Final = msgspec.json.Encoder()
_packer: Final = msgspec.msgpack.Encoder()


class Sent(msgspec.Struct, frozen=True):
    """A request as it is sent."""

    path: str
    query: list[tuple[str, str]]
    body: bytes | None


class Form(Generic[Request]):
    """The form of one operation's requests."""

    def __init__(self, operation: Operation[Request, Any]) -> None:
        self._operation = operation
        given = fields(operation.request)
        self.in_path = [name for name in _FIELD.findall(operation.template) if name != WORKSPACE]
        rest = [field for field in given if field.name not in self.in_path]
        self.has_data = operation.sends is Body.BYTES
        if self.has_data:
            rest = [field for field in rest if field.name != DATA]
        self._lists = {field.name for field in rest if get_origin(field.type) is list}
        self.rest: type[msgspec.Struct] = msgspec.defstruct(
            _name_of(operation),
            [(field.name, field.type, _default(field)) for field in rest],
            frozen=True,
            kw_only=True,
            omit_defaults=True,
            forbid_unknown_fields=True,
        )
        self.rest_names = [field.name for field in rest]
        self._json = msgspec.json.Decoder(self.rest)
        self._packed = msgspec.msgpack.Decoder(self.rest)
        self._floats = operation.sends is not Body.PACKED and may_hold_floats(self.rest)

    # ------------------------------------------------------------ of the client

    def send(self, request: Request, workspace: str) -> Sent:
        """A request spread out.

        Raises:
            InvalidValueError: It holds a text that is no Unicode, or a number that JSON lacks.
        """
        operation = self._operation
        values = {name: getattr(request, name) for name in self.rest_names}
        if self._floats and not all_finite(values):
            raise InvalidValueError(
                f"{operation.name}: a number was given that is not finite: give an ordinary one"
            )
        try:
            path = self._path(request, workspace)
            if self.has_data:
                return Sent(path, _query(values), cast("bytes", getattr(request, DATA)))
            if operation.in_query:
                return Sent(path, _query(values), None)
            encoder = _packer if operation.sends is Body.PACKED else _encoder
            return Sent(path, [], encoder.encode(self.rest(**values)))
        except UnicodeEncodeError as error:
            raise InvalidValueError(
                f"{operation.name}: the text {error.object[:100]!a} has a half of a surrogate pair "
                "in it, which is no character: remove it"
            ) from error

    def _path(self, request: Request, workspace: str) -> str:
        path = self._operation.template
        if self._operation.place is Place.WORKSPACE:
            path = path.replace(f"{{{WORKSPACE}}}", _segment(workspace))
        for name in self.in_path:
            path = path.replace(f"{{{name}}}", _segment(str(getattr(request, name))))
        return path

    # ------------------------------------------------------------ of the server

    def receive(
        self, path: Mapping[str, str], query: Iterable[tuple[str, str]], body: bytes
    ) -> Request:
        """A request put together.

        Raises:
            InvalidValueError: Something is missing, unknown or of another type.
        """
        operation = self._operation
        try:
            if operation.in_query:
                rest = msgspec.convert(self._collect(query), self.rest, strict=False)
            elif operation.sends is Body.PACKED:
                rest = self._packed.decode(body)
            else:
                rest = self._json.decode(body or b"{}")
            values = {name: getattr(rest, name) for name in self.rest_names}
            in_path = {name: path[name] for name in self.in_path}
            if self.has_data:
                values[DATA] = body
            return operation.request(**in_path, **values)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise InvalidValueError(f"{operation.name}: {error}") from error
        except RecursionError as error:
            raise InvalidValueError(f"{operation.name}: the document is nested too deep") from error

    def _collect(self, query: Iterable[tuple[str, str]]) -> dict[str, object]:
        found: dict[str, object] = {}
        for name, value in query:
            if name in self._lists:
                cast("list[str]", found.setdefault(name, [])).append(value)
            elif name in found:
                raise InvalidValueError(
                    f"{self._operation.name}: {name!r} was given twice: give it once"
                )
            else:
                found[name] = value
        return found


@cache
def form_of(operation: Operation[Request, Any]) -> Form[Request]:
    """The form of an operation's requests, made once."""
    return Form(operation)


def _name_of(operation: Operation[Any, Any]) -> str:
    """Such as ``RunsCreateRequest``, under which the OpenAPI document has it."""
    return "".join(word.capitalize() for word in re.split(r"[._]", operation.name)) + "Request"


def _default(field: msgspec.structs.FieldInfo) -> object:
    if field.default_factory is not msgspec.NODEFAULT:
        return msgspec.field(default_factory=field.default_factory)
    return msgspec.field(default=field.default)  # NODEFAULT among them: it must be given then


def _segment(text: str) -> str:
    """One segment of a path; dots alone would be taken for steps through folders."""
    return quote(text, safe="") if text.strip(".") else text.replace(".", "%2E")


def _query(values: Mapping[str, object]) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for name, value in values.items():
        if isinstance(value, list):
            pairs += [(name, str(one)) for one in cast("list[object]", value)]
        elif isinstance(value, bool):
            pairs.append((name, "true" if value else "false"))
        elif value is not None:
            pairs.append((name, str(value)))
    return pairs
