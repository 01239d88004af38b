"""Every field of every request with values that nobody means: an answer, and never a 5xx."""

import contextlib
import json
from collections.abc import Iterator
from typing import Any, Final, cast
from urllib.parse import urlencode

import msgspec
import pytest
from tests.server.samples import sample
from tests.server.secured import OURS, THEIRS, Secured, secured

from headway.model import NewRun
from headway.store.postgres import PostgresServer
from headway.wire.operation import Body, Operation
from headway.wire.operations import OPERATIONS

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

TEXTS: Final = ("", "\0", "\ud7ff\uffff", "../..", "a\nb", "'\"`;--", "x" * 70_000, "\U0010ffff")
NUMBERS: Final = (0, -1, 2**31, 2**63 - 1, 2**63, -(2**63) - 1, 10**30)
LISTS: Final[tuple[list[str], ...]] = ([], ["x"] * 5_000)
WAITED: Final = "timeout_s"
"""A request that asks to wait for a minute does."""
UNHARMED: Final = {"logout"}
"""It would end the test's own token."""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Secured]:
    with contextlib.ExitStack() as stack:
        database = ""
        if request.param == "postgresql":
            database = request.getfixturevalue("postgres_cluster").url
            stack.callback(drop_all, database)
        root = tmp_path_factory.mktemp("root")
        made = stack.enter_context(secured(root, database=database))
        experiment = made.api(OURS).experiments.ensure("e")
        made.api(OURS).runs.create([NewRun(id="r", experiment_id=experiment.id)])
        yield made


def drop_all(database: str) -> None:
    """Leave the PostgreSQL of this process as it was."""
    server = PostgresServer(database, patience_s=10)
    for schema in ("headway_registry", f"ws_{OURS}", f"ws_{THEIRS}"):
        server.drop(schema)
    server.close()


def variants(value: object) -> Iterator[object]:
    """The value with one place in it changed, for each place and each change."""
    if isinstance(value, dict):
        fields = cast("dict[str, object]", value)
        for name, inner in fields.items():
            for changed in variants(inner):
                yield {**fields, name: changed}
            yield {key: one for key, one in fields.items() if key != name}
            yield {**fields, name: None}
        yield {**fields, "unknown": 1}
        yield {**fields, "x" * 10_000: {}}
    elif isinstance(value, list):
        items = cast("list[object]", value)
        for changed in variants(items[0]) if items else ():
            yield [changed]
        yield from LISTS
    elif isinstance(value, str):
        yield from TEXTS
    elif isinstance(value, bool):
        yield "true"
    elif isinstance(value, int | float):
        yield from NUMBERS
    else:
        yield from ("text", 7, [], {})


def requests(operation: Operation[Any, Any]) -> Iterator[tuple[str, bytes | None]]:
    """Paths and bodies of many requests for one operation."""
    sent = sample(operation, {"run_id": "r"}, OURS, full=True)
    query = dict(sent.query)
    for name in query.keys() - {WAITED}:
        for text in (*TEXTS, *map(str, NUMBERS), "NaN", "1e400", "x", "[]"):
            # A longer line is not read to its end: the connection is closed.
            yield f"{sent.path}?{urlencode({**query, name: text[:5_000]})}", sent.body
        yield f"{sent.path}?{urlencode({k: v for k, v in query.items() if k != name})}", sent.body
        yield f"{sent.path}?{urlencode([*sent.query, (name, 'again')])}", sent.body
    path = f"{sent.path}?{urlencode(query)}" if query else sent.path
    if sent.body is None or operation.sends is Body.BYTES:
        yield path, b"\x00\xff" * 100
    elif operation.sends is Body.JSON:
        for document in variants(json.loads(sent.body)):
            yield path, json.dumps(document).encode()
    else:
        for document in variants(msgspec.msgpack.decode(sent.body)):
            if fits(document):
                yield path, msgspec.msgpack.encode(document)
        yield path, b"\x91" * 100_000


def fits(document: object) -> bool:
    """Whether MessagePack has its numbers."""
    try:
        msgspec.msgpack.encode(document)
    except OverflowError:
        return False
    return True


@pytest.mark.parametrize(
    "operation", [one for one in OPERATIONS if one.name not in UNHARMED], ids=lambda one: one.name
)
def test_no_value_is_more_than_wrong(server: Secured, operation: Operation[Any, Any]) -> None:
    for path, body in requests(operation):
        answer = server.ask(operation.method, path, body, token=server.admin)
        assert answer.status < 500, (path[:300], (body or b"")[:300], answer.body[:300])
        assert answer.status == 200 or answer.json["error"]["message"]
