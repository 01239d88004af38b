"""Who may do what: every row of the table, and every kind of who."""

from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlencode

import pytest
from tests.server.samples import sample
from tests.server.secured import OURS, THEIRS, Answer, Secured, secured

from headway.accounts import NewToken, Scope
from headway.model import NewRun
from headway.server.access import ATTEMPTS, WINDOW_S, Attempts, cookie_name, token_in
from headway.wire.operation import Operation, Place
from headway.wire.operations import OPERATIONS

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

GUARDED: Final = [one for one in OPERATIONS if one.scope is not None]
OF_A_WORKSPACE: Final = [one for one in GUARDED if one.place is Place.WORKSPACE]
OPEN: Final = {"describe", "login"}
"""What nobody needs a token for."""
ABSENT: Final = {"run_id": "absent", "data": "x"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    with secured(tmp_path_factory.mktemp("root")) as made:
        yield made


def ask(
    server: Secured,
    operation: Operation[Any, Any],
    token: str | None,
    workspace: str = OURS,
    texts: dict[str, str] | None = None,
    **headers: str,
) -> Answer:
    sent = sample(operation, texts or ABSENT, workspace)
    path = f"{sent.path}?{urlencode(sent.query)}" if sent.query else sent.path
    return server.ask(operation.method, path, sent.body, token=token, headers=headers)


def over(operations: list[Operation[Any, Any]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("operation", operations, ids=lambda one: one.name)


def test_what_is_open_to_everybody_is_known() -> None:
    assert {one.name for one in OPERATIONS if one.scope is None} == OPEN


def test_what_changes_something_needs_more_than_to_read() -> None:
    reading = {one.name for one in OF_A_WORKSPACE if one.scope is Scope.READ}
    changing = {one.name for one in OF_A_WORKSPACE if one.method in {"PUT", "PATCH", "DELETE"}}
    assert not reading & changing
    assert all(one.scope is not Scope.WRITE for one in GUARDED if one.place is Place.SERVER)


@over(GUARDED)
def test_without_a_token_nothing_is_done(server: Secured, operation: Operation[Any, Any]) -> None:
    answer = ask(server, operation, None)
    assert (answer.status, answer.code) == (401, "unauthorized")
    assert answer.headers["www-authenticate"].startswith("Bearer")


@over([one for one in OF_A_WORKSPACE if one.scope is not Scope.READ])
def test_a_reader_changes_nothing(server: Secured, operation: Operation[Any, Any]) -> None:
    answer = ask(server, operation, server.reader)
    assert (answer.status, answer.code) == (403, "forbidden")


@over([one for one in GUARDED if one.scope is Scope.ADMIN])
def test_what_is_for_administrators_a_writer_may_not(
    server: Secured, operation: Operation[Any, Any]
) -> None:
    assert ask(server, operation, server.writer).status == 403


@over(OF_A_WORKSPACE)
def test_a_workspace_of_others_is_as_one_that_is_not_there(
    server: Secured, operation: Operation[Any, Any]
) -> None:
    theirs = ask(server, operation, server.writer, THEIRS)
    absent = ask(server, operation, server.writer, "absent")
    assert (theirs.status, theirs.code) == (absent.status, absent.code)
    assert (theirs.status, theirs.code) == (404, "workspace_not_found")
    message, expected = (one.json["error"]["message"] for one in (theirs, absent))
    assert message.replace(THEIRS, "absent") == expected


@over(OF_A_WORKSPACE)
def test_who_is_no_member_anywhere_finds_nothing(
    server: Secured, operation: Operation[Any, Any]
) -> None:
    assert ask(server, operation, server.outsider).status == 404


NAMED: Final = ("run_id", "experiment_id", "asset_id", "snapshot_id", "upload_id")
NAMES_SOMETHING_NEW: Final = {"uploads.abandon", "uploads.append"}
"""The ids of uploads are made by whoever sends them: here it is another upload."""


@pytest.fixture(scope="module")
def foreign(server: Secured) -> dict[str, str]:
    """Ids of what is there in the workspace of others."""
    api = server.api(THEIRS)
    experiment = api.experiments.ensure("theirs")
    [run] = api.runs.create([NewRun(id="their-run", experiment_id=experiment.id)])
    texts = {"experiment_id": experiment.id, "run_id": run.id, "status": "Completed"}
    return {**dict.fromkeys(NAMED, "their-thing"), **texts, "path": "logs/x.txt", "log": "logs/x"}


@over([one for one in OF_A_WORKSPACE if any(f"{{{name}}}" in one.path for name in NAMED)])
def test_ids_of_another_workspace_name_nothing_here(
    server: Secured, foreign: dict[str, str], operation: Operation[Any, Any]
) -> None:
    answer = ask(server, operation, server.admin, OURS, foreign)
    if operation.name in NAMES_SOMETHING_NEW:
        assert answer.status in {200, 404}
    else:
        assert answer.status == 404, answer.body
        assert answer.code != "workspace_not_found"


@pytest.mark.parametrize(
    "given",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic aHc6aHc=",
        "Bearer null",
        "Bearer hw_0123456789_" + "A" * 43,
        "Bearer " + "A" * 5000,
        "Bearer hw_\xe9",
    ],
)
def test_what_is_no_token_is_nobody(tmp_path: Any, server: Secured, given: str) -> None:
    answer = server.ask("GET", "/api/v1/me", headers={"Authorization": given})
    assert answer.status in {401, 429}


def test_a_token_says_who_it_is(server: Secured) -> None:
    answer = server.ask("GET", "/api/v1/me", token=server.reader)
    assert answer.json["user"] == "reader"
    assert answer.json["admin"] is False
    assert answer.json["workspaces"] == {OURS: "read"}


def test_where_the_server_keeps_things_is_not_said(server: Secured) -> None:
    answer = server.ask("GET", f"/api/v1/workspaces/{OURS}", token=server.reader)
    assert answer.json["location"] == OURS
    assert str(server.root) not in answer.body.decode()


def test_everybody_sees_the_workspaces_that_they_may_enter(server: Secured) -> None:
    for token, names in ((server.admin, [OURS, THEIRS]), (server.reader, [OURS])):
        listed = server.ask("GET", "/api/v1/workspaces", token=token).json
        assert [one["name"] for one in listed] == names


def test_a_revoked_token_is_refused_at_once(server: Secured) -> None:
    issued = server.hub.accounts.issue(NewToken(user="reader"))
    assert server.ask("GET", "/api/v1/me", token=issued.secret).status == 200
    path = f"/api/v1/tokens/{issued.token.id}"
    assert server.ask("DELETE", path, token=server.admin).status == 200
    assert server.ask("GET", "/api/v1/me", token=issued.secret).status == 401


def test_logout_revokes_the_token_that_asks(server: Secured) -> None:
    secret = server.hub.accounts.issue(NewToken(user="reader")).secret
    assert server.ask("POST", "/api/v1/logout", {}, token=secret).status == 200
    assert server.ask("GET", "/api/v1/me", token=secret).status == 401


def test_a_new_member_enters_at_once(server: Secured) -> None:
    server.hub.accounts.add_user("newcomer")
    token = server.hub.accounts.issue(NewToken(user="newcomer")).secret
    path = f"/api/v1/workspaces/{THEIRS}"
    assert server.ask("GET", path, token=token).status == 404
    body = {"scope": "read"}
    assert server.ask("PUT", f"{path}/members/newcomer", body, token=server.admin).status == 200
    assert server.ask("GET", path, token=token).status == 200
    assert server.ask("DELETE", f"{path}/members/newcomer", token=server.admin).status == 200
    assert server.ask("GET", path, token=token).status == 404


def test_secrets_are_shown_once(server: Secured) -> None:
    issued = server.ask("POST", "/api/v1/tokens", {"user": "reader"}, token=server.admin).json
    listed = server.ask("GET", "/api/v1/tokens", token=server.admin)
    assert issued["token"]["id"] in listed.body.decode()
    assert issued["secret"][-43:] not in listed.body.decode()


# ---------------------------------------------------------------- browsers


def test_the_one_time_link_becomes_a_cookie(server: Secured) -> None:
    code = server.hub.accounts.code("reader")
    page = server.ask("GET", f"/login?code={code}")
    assert page.status == 200
    assert code in page.body.decode()
    form = {"Content-Type": "application/x-www-form-urlencoded", "Origin": server.url}
    signed_in = server.ask("POST", "/login", f"code={code}".encode(), headers=form)
    assert signed_in.status == 200
    assert b"Signed in as reader" in signed_in.body
    cookie, _, attributes = signed_in.headers["set-cookie"].partition("; ")
    assert cookie.startswith(f"headway-{server.port}=hw_")
    assert {"httponly", "samesite=strict", "path=/"} <= set(attributes.lower().split("; "))
    assert server.ask("GET", "/api/v1/me", headers={"Cookie": cookie}).json["user"] == "reader"
    again = server.ask("POST", "/login", f"code={code}".encode(), headers=form)
    assert again.status == 400
    assert "set-cookie" not in again.headers


def test_opening_the_link_alone_uses_nothing_up(server: Secured) -> None:
    code = server.hub.accounts.code("reader")
    for _ in range(2):
        server.ask("GET", f"/login?code={code}")
    assert server.ask("POST", "/api/v1/login", {"code": code}).status == 200


def test_what_a_link_holds_is_text_in_the_page(server: Secured) -> None:
    page = server.ask("GET", "/login?code=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
    assert b"<script" not in page.body
    assert "default-src 'none'" in page.headers["content-security-policy"]


@pytest.mark.parametrize("body", [b"", b"code=", b"code=\xff", b"a" * 5000, b"&" * 100, b"code=x"])
def test_a_form_without_a_code_signs_nobody_in(server: Secured, body: bytes) -> None:
    answer = server.ask("POST", "/login", body)
    assert answer.status == 400
    assert "set-cookie" not in answer.headers


def test_a_cookie_is_looked_for_under_the_port() -> None:
    assert cookie_name("localhost:8850") == "headway-8850"
    assert cookie_name("headway.example.org") == "headway"
    cookies = {"host": "localhost:8850", "cookie": "headway-8851=hw_b; headway-8850=hw_a"}
    assert token_in(cookies) == "hw_a"
    assert token_in({**cookies, "host": "localhost:1"}) is None
    assert token_in({"host": "localhost", "cookie": "\x00;;=;"}) is None


# ---------------------------------------------------------------- guessing


def test_wrong_tokens_are_counted_by_address_for_a_while() -> None:
    now_s = 0.0
    attempts = Attempts(lambda: now_s)
    assert all(attempts.note("192.0.2.1") for _ in range(ATTEMPTS))
    assert not attempts.note("192.0.2.1")
    assert attempts.note("192.0.2.2")
    now_s = WINDOW_S
    assert attempts.note("192.0.2.1")


def test_addresses_of_one_network_count_together() -> None:
    attempts = Attempts(lambda: 0.0)
    for i in range(ATTEMPTS):
        assert attempts.note(f"2001:db8::{i:x}")
    assert not attempts.note("2001:db8::ffff")
    assert attempts.note("2001:db8:0:1::1")


def test_guessing_is_slowed_down_and_keeps_nobody_else_out(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with secured(tmp_path_factory.mktemp("guessed")) as server:
        wrong = "hw_0123456789_" + "A" * 43
        statuses = [
            server.ask("GET", "/api/v1/me", token=wrong).status for _ in range(ATTEMPTS + 2)
        ]
        assert statuses == [401] * ATTEMPTS + [429] * 2
        assert server.ask("GET", "/api/v1/me", token=wrong).headers["retry-after"]
        assert server.ask("GET", "/api/v1/me", token=server.reader).status == 200
