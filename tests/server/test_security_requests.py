"""Requests that no client of ours makes: each gets a 4xx answer, and changes nothing."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.server.samples import sample
from tests.server.secured import OURS, Answer, Secured, secured

from headway.errors import InvalidValueError
from headway.server.guard import GuardRules
from headway.server.hosts import LOOPBACK_NAMES, trusted_networks
from headway.server.json_guard import MOST_LEVELS, check_json
from headway.wire.operation import Body, Operation
from headway.wire.operations import OPERATIONS

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

CHANGING: Final = [one for one in OPERATIONS if one.method != "GET"]
WITH_JSON: Final = [one for one in OPERATIONS if one.sends is Body.JSON and not one.in_query]
EXPERIMENTS: Final = f"/api/v1/workspaces/{OURS}/experiments"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    with secured(tmp_path_factory.mktemp("root")) as made:
        yield made


def over(operations: list[Operation[Any, Any]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("operation", operations, ids=lambda one: one.name)


def ask(
    server: Secured, operation: Operation[Any, Any], texts: dict[str, str], **headers: str
) -> Answer:
    sent = sample(operation, texts, OURS)
    path = f"{sent.path}?{urlencode(sent.query)}" if sent.query else sent.path
    return server.ask(operation.method, path, sent.body, token=server.admin, headers=headers)


def tree(folder: Path) -> dict[str, int]:
    """What lies in a folder, but for databases, locks and uploads, which are named by us."""
    return {
        str(path.relative_to(folder)): path.stat().st_size
        for path in folder.rglob("*")
        if path.is_file() and not OURS_ALONE.search(str(path.relative_to(folder)))
    }


OURS_ALONE: Final = re.compile(r"\.db|lock$|/uploads/[a-z0-9]+/(content|announced)$")


# ---------------------------------------------------------------- where it is for


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8850",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "127.1",
        "2130706433",
        "0x7f.0.0.1",
        "[::2]",
        "[::1]x",
        "localhost:",
        "localhost:99999",
        "user@localhost",
        "localhost,evil.example",
        "loc\tlhost",
        "localhost\xa0",
        "",
    ],
)
@pytest.mark.parametrize("path", ["/health", "/api/v1/me", "/login"])
def test_a_request_for_another_host_is_refused(server: Secured, host: str, path: str) -> None:
    token = server.admin.encode()
    request = b"GET %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n\r\n"
    answer = server.send(request % (path.encode(), host.encode("latin-1"), token))
    assert answer.status == 400


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:80", "127.0.0.1", "[::1]:8850"])
def test_a_request_for_this_machine_is_answered(server: Secured, host: str) -> None:
    assert server.send(b"GET /health HTTP/1.1\r\nHost: %s\r\n\r\n" % host.encode()).status == 200


@pytest.mark.parametrize(
    "head",
    [
        b"GET /health HTTP/1.1\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
        b"GET http://evil.example/health HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET http://localhost/health HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET health HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"CONNECT localhost:22 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: localhost\r\n folded: x\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /",
        b"\x16\x03\x01\x02\x00\r\n\r\n",
    ],
)
def test_a_request_that_can_be_read_in_two_ways_is_refused(server: Secured, head: bytes) -> None:
    assert 400 <= server.send(head).status < 500 or server.send(head).status == 501


# ---------------------------------------------------------------- where it comes from


FOREIGN: Final = [
    {"Origin": "null"},
    {"Origin": "http://evil.example"},
    {"Origin": "http://127.0.0.1:1"},
    {"Origin": "http://127.0.0.1"},
    {"Origin": "http://127.0.0.1:{port}.evil.example"},
    {"Origin": "http://127.0.0.1.evil.example:{port}"},
    {"Origin": "https://127.0.0.1:{port}"},
    {"Origin": "http://localhost:{port}"},
    {"Origin": "http://127.0.0.1:{port}/"},
    {"Origin": ""},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "http://127.0.0.1:{port}", "Sec-Fetch-Site": "cross-site"},
]


@over(CHANGING)
def test_pages_of_others_change_nothing(server: Secured, operation: Operation[Any, Any]) -> None:
    for headers in FOREIGN:
        filled = {name: value.format(port=server.port) for name, value in headers.items()}
        answer = ask(server, operation, {}, **filled)
        assert (answer.status, answer.code) == (403, "forbidden"), filled


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_pages_of_the_server_itself_may_ask(server: Secured, site: str) -> None:
    headers = {"Origin": server.url, "Sec-Fetch-Site": site}
    answer = server.ask("POST", EXPERIMENTS, {"name": "own"}, token=server.admin, headers=headers)
    assert answer.status == 200


def test_no_other_site_may_read_an_answer(server: Secured) -> None:
    headers = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
    for method in ("GET", "OPTIONS"):
        answer = server.ask(method, EXPERIMENTS, token=server.admin, headers=headers)
        assert not [name for name in answer.headers if name.startswith("access-control")]


def test_an_upgrade_to_a_web_socket_is_not_made(server: Secured) -> None:
    headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    answer = server.ask("GET", "/api/v1/me", token=server.admin, headers=headers)
    assert answer.status == 200


# ---------------------------------------------------------------- behind a proxy


def test_only_a_trusted_proxy_says_for_whom_it_asks(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    wrong = "hw_0123456789_" + "A" * 43
    forwarded = {"X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": "https"}
    rules = GuardRules(hosts=LOOPBACK_NAMES, proxies=trusted_networks(["127.0.0.1"]))
    for number, (rule, trusted) in enumerate([(rules, True), (GuardRules(), False)]):
        with secured(tmp_path_factory.mktemp(f"proxied{number}"), rule) as server:
            answers = [
                server.ask("GET", "/api/v1/me", token=wrong, headers=forwarded) for _ in range(22)
            ]
            assert answers[-1].status == 429
            assert ("198.51.100.7" in answers[-1].body.decode()) is trusted
            assert ("strict-transport-security" in answers[-1].headers) is trusted
            assert server.ask("GET", "/api/v1/me", token=wrong).status == (401 if trusted else 429)


# ---------------------------------------------------------------- paths


TRAVERSALS: Final = [
    "../../../../etc/passwd",
    "..%2f..%2f..%2fetc%2fpasswd",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "%2e%2e",
    "%252e%252e%252fetc%252fpasswd",
    "..%5c..%5cetc%5cpasswd",
    "..\\..\\etc\\passwd",
    "%2fetc%2fpasswd",
    "//etc/passwd",
    "a%00b",
    "%00",
    "%0d%0aX-Injected:%201",
    "%c0%ae%c0%ae%c0%af",
    "%ff",
    "%",
    "%zz",
    ".",
    "%ef%bc%8e%ef%bc%8e%ef%bc%8f",
    "~root",
    "CON",
    "a" * 5000,
    "%f0%9f%92%a9" * 100,
]
WITH_IDS: Final = [one for one in OPERATIONS if "{" in one.path]


@over(WITH_IDS)
def test_a_hostile_id_names_nothing(server: Secured, operation: Operation[Any, Any]) -> None:
    before = tree(server.root)
    for hostile in TRAVERSALS:
        answer = server.send(with_id(operation, hostile, server.admin))
        assert answer.status < 500, (hostile, answer.body)
        if operation.name not in QUIET:
            assert answer.status in {400, 404, 405, 414}, (hostile, answer.body)
        assert b"root:" not in answer.body
        assert "x-injected" not in answer.headers
    assert tree(server.root) == before


def with_id(operation: Operation[Any, Any], hostile: str, token: str) -> bytes:
    """A request whose path has these very characters in the place of an id."""
    names = re.findall(r"{(\w+)}", operation.path)
    sent = sample(operation, dict.fromkeys(names, "MARK"), OURS)
    path = sent.path.replace("MARK", hostile)
    path = f"{path}?{urlencode(sent.query)}" if sent.query else path
    body = sent.body or b""
    head = f"{operation.method} {path} HTTP/1.1\r\nHost: localhost\r\n"
    head += f"Authorization: Bearer {token}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


QUIET: Final = {"uploads.abandon", "metrics.offset", "runners.assigned", "runners.beat"} | {
    "runners.release",
    "runners.wait",
}
"""These answer alike for ids that there are not: nothing was taken in yet, nothing is assigned."""


@pytest.mark.parametrize(
    "hostile", ["../x", "/etc/passwd", "a\\b", "a\0b", "a" * 5000, "..", "", "a\nb"]
)
@over([one for one in OPERATIONS if one.name in {"files.put", "files.append", "files.open"}])
def test_a_hostile_file_name_is_refused(
    server: Secured, operation: Operation[Any, Any], hostile: str
) -> None:
    run_id = made_run(server)
    before = tree(server.root)
    query = urlencode({"path": hostile, "offset": 0})
    if operation.name == "files.put":
        query = urlencode({"path": hostile, "upload_id": "u1"})
    path = operation.template.format(workspace=OURS, run_id=run_id)
    answer = server.ask(operation.method, f"{path}?{query}", b"x", token=server.admin)
    assert answer.status in {400, 404}, answer.body
    assert tree(server.root) == before


def made_run(server: Secured) -> str:
    base = f"/api/v1/workspaces/{OURS}"
    experiment = server.ask("POST", EXPERIMENTS, {"name": "e"}, token=server.admin).json["id"]
    run = {"id": f"run-{os.urandom(6).hex()}", "experiment_id": experiment}
    answer = server.ask("POST", f"{base}/runs", {"runs": [run]}, token=server.admin)
    return answer.json[0]["id"]


@pytest.mark.parametrize("name", ["..", "%2e%2e", "..%2f..", "%2fetc", "a" * 5000, "%00", "A"])
def test_a_hostile_name_of_a_workspace_opens_nothing(server: Secured, name: str) -> None:
    before = tree(server.root.parent)
    head = f"GET /api/v1/workspaces/{name} HTTP/1.1\r\nHost: localhost\r\n"
    answer = server.send(f"{head}Authorization: Bearer {server.admin}\r\n\r\n".encode())
    assert answer.status in {400, 404}
    assert tree(server.root.parent) == before


# ---------------------------------------------------------------- headers


def test_too_many_headers_are_refused(server: Secured) -> None:
    headers = {f"X-{i}": "x" for i in range(200)}
    assert server.ask("GET", "/health", headers=headers).status == 431


def test_headers_that_are_too_long_are_refused(server: Secured) -> None:
    try:
        answer = server.ask("GET", "/health", headers={"X-Long": "x" * 1_000_000})
    except ConnectionError:  # closed before all of them were sent
        pass
    else:
        assert 400 <= answer.status < 500
    assert server.ask("GET", "/health").status == 200


@pytest.mark.parametrize("request_id", ["abc-1.2_3", "A" * 64])
def test_a_plain_request_id_comes_back(server: Secured, request_id: str) -> None:
    answer = server.ask("GET", "/nothing", headers={"X-Request-Id": request_id})
    assert answer.headers["x-request-id"] == request_id
    assert answer.json["request_id"] == request_id


@pytest.mark.parametrize("request_id", ["a b", "<b>", "A" * 65, '"', "-a", "a\x7f", "\xe9"])
def test_another_request_id_is_replaced(server: Secured, request_id: str) -> None:
    answer = server.ask("GET", "/nothing", headers={"X-Request-Id": request_id})
    assert answer.headers["x-request-id"] != request_id
    assert answer.status == 404


@pytest.mark.parametrize(
    "ranges", [",".join(f"{i}-{i}" for i in range(1_000)), "0-0,1-1", "0-0, -1"]
)
def test_many_ranges_are_refused(server: Secured, ranges: str) -> None:
    headers = {"Range": f"bytes={ranges}"}
    assert server.ask("GET", "/health", headers=headers).status == 416


def test_every_answer_tells_browsers_to_leave_it_alone(server: Secured) -> None:
    for path, status in (("/health", 200), ("/api/v1/me", 401), ("/x", 404), ("/%zz", 400)):
        answer = server.ask("GET", path)
        assert answer.status == status
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"
        assert "server" not in answer.headers


def test_files_of_users_are_never_shown_as_pages(server: Secured, tmp_path: Path) -> None:
    run_id = made_run(server)
    page = tmp_path / "page.html"
    page.write_text("<script>alert(1)</script>")
    server.api(OURS).files.put(run_id, "page.html", page)
    path = f"/api/v1/workspaces/{OURS}/runs/{run_id}/file?path=page.html"
    answer = server.ask("GET", path, token=server.reader)
    assert answer.body == page.read_bytes()
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["content-security-policy"].startswith("sandbox")


# ---------------------------------------------------------------- bodies


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "gzip, gzip", "x" * 500])
def test_packed_bodies_are_refused(server: Secured, encoding: str) -> None:
    headers = {"Content-Encoding": encoding}
    answer = server.ask("POST", EXPERIMENTS, b"x", token=server.admin, headers=headers)
    assert answer.status == 415


HOSTILE_JSON: Final = [
    b"[",
    b"nul",
    b"NaN",
    b'{"name": NaN}',
    b'{"name": "a", "x": Infinity}',
    b'{"name": 1e999}',
    b'{"name": "\\ud800"}',
    b'{"name": "\\udc00\\ud800"}',
    b'{"name": "\xff"}',
    b'{"name": "\xed\xa0\x80"}',
    b"\xff\xfe{\x00}\x00",
    b"[" * 100_000 + b"]" * 100_000,
    b'{"name":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001,
    b'{"name":' + b"[" * 900 + b"]" * 900 + b"}",
    b'{"name":' + b"9" * 100_000 + b"}",
    b'{"unknown": "field"}',
    b'{"name": "a"} trailing',
    b"[]",
    b"7",
    b"null",
]


@over(WITH_JSON)
def test_hostile_json_is_refused(server: Secured, operation: Operation[Any, Any]) -> None:
    path = sample(operation, {}, OURS).path
    for body in HOSTILE_JSON:
        answer = server.ask(operation.method, path, body, token=server.admin)
        assert (answer.status, answer.code) == (400, "invalid_value"), (body[:40], answer.body)


@pytest.mark.parametrize(
    "name", ["a\nb", "a\0b", "a\x1b[31mb", "\u2028", "", " ", "x" * 5000, "\x85"]
)
def test_control_characters_in_names_are_refused(server: Secured, name: str) -> None:
    answer = server.ask("POST", EXPERIMENTS, {"name": name}, token=server.admin)
    assert (answer.status, answer.code) == (400, "invalid_value")


@pytest.mark.parametrize("field", ["name", "tags", "properties"])
@pytest.mark.parametrize("text", ["a\nb: c", "a\0b", "a\x1b]0;b\x07", "a\rb"])
def test_control_characters_in_a_run_are_refused(server: Secured, field: str, text: str) -> None:
    value = text if field == "name" else {"key": text}
    path = f"/api/v1/workspaces/{OURS}/runs/{made_run(server)}"
    change = {
        (
            "set_tags" if field == "tags" else "add_properties" if field == "properties" else field
        ): value
    }
    answer = server.ask("PATCH", path, {"change": change}, token=server.admin)
    assert (answer.status, answer.code) == (400, "invalid_value")


@pytest.mark.parametrize(
    "query",
    [
        {"filter": "name = 'x' or 1 = 1"},
        {"filter": "name = ''; drop table runs; --'"},
        {"filter": "(" * 10_000},
        {"filter": "not " * 10_000 + "name = 'a'"},
        {"filter": "name = 'a' and " * 10_000 + "name = 'a'"},
        {"filter": "tags.`a\0b` = 'x'"},
        {"filter": "metrics.x < 9" + "9" * 5_000},
        {"filter": "name like '" + "%" * 10_000 + "'"},
        {"filter": "x" * 100_000},
        {"order_by": "created_at; drop table runs"},
        {"order_by": "(select 1)"},
        {"order_by": "id desc, 1"},
        {"order_by": "metrics.`" + "x" * 100_000 + "`"},
        {"cursor": "'; drop table runs; --"},
        {"cursor": "A" * 100_000},
        {"cursor": "eyJhIjogMX0="},
        {"limit": 10**9},
        {"limit": -1},
        {"limit": 2**63},
        {"since": 2**70},
        {"statuses": ["Nope"]},
        {"tags": {"a' or '1'='1": "x"}},
        {"tags": {f"k{i}": "x" for i in range(5_000)}},
        {"has_tags": ["x"] * 200_000},
        {"has_properties": ["x"] * 101},
        {"statuses": ["Running"] * 300_000},
    ],
    ids=lambda query: str(query)[:40],
)
def test_filters_orders_and_cursors_are_no_way_into_the_database(
    server: Secured, query: dict[str, object]
) -> None:
    made_run(server)
    path = f"/api/v1/workspaces/{OURS}/runs:search"
    answer = server.ask("POST", path, query, token=server.reader)
    assert answer.status in {200, 400}, answer.body
    if answer.status == 200:
        assert len(answer.json["runs"]) == 0 or "tags" not in query
    assert server.ask("POST", path, {}, token=server.reader).json["runs"]


# ---------------------------------------------------------------- the bound on levels


def test_levels_are_counted_outside_of_texts() -> None:
    check_json(b'{"a": "' + b"[" * 10_000 + b'"}')
    check_json(b"[" + b"[]," * 10_000 + b"[]]")
    check_json(b"[" * MOST_LEVELS + b"]" * MOST_LEVELS)
    for body in (b"[" * (MOST_LEVELS + 1) + b"]" * (MOST_LEVELS + 1), b"[" * 100_000):
        with pytest.raises(InvalidValueError, match="levels"):
            check_json(body)


@given(
    st.recursive(
        st.none() | st.text(alphabet='[]{}"\\a') | st.integers(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=40,
    )
)
def test_documents_of_few_levels_pass(document: object) -> None:
    many = [document] * (MOST_LEVELS + 1)  # so that the brackets are looked at
    if levels(many) <= MOST_LEVELS:
        check_json(json.dumps(many).encode())
        check_json(json.dumps(many, ensure_ascii=False).encode())


def levels(document: object) -> int:
    if isinstance(document, dict):
        document = list(cast("dict[str, object]", document).values())
    if not isinstance(document, list):
        return 0
    return 1 + max(map(levels, cast("list[object]", document)), default=0)


def test_quoted_words_in_paths_are_only_words(server: Secured) -> None:
    word = quote("a%2e%2e/b c+d;e=f?g#h", safe="")
    path = f"/api/v1/workspaces/{OURS}/runs/{word}"
    assert server.ask("GET", path, token=server.reader).code == "run_not_found"
