"""Tokens, users, workspaces and members."""

import itertools
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import pytest

from headway.accounts import Member, NewToken, Scope
from headway.errors import (
    ConflictError,
    InvalidValueError,
    NotFoundError,
    WorkspaceNotFoundError,
)
from headway.server.backends import Backends
from headway.server.registry import CODE_LIFETIME_S, FIRST_USER, Registry
from headway.store.base import Database
from headway.store.postgres import PostgresServer
from headway.store.registry import STEPS

NUMBERS: Final = itertools.count()


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now_s = 1_700_000_000.0

    def __call__(self) -> int:
        return int(self.now_s * 1e6)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        yield Backends(tmp_path / "root", patience_s=10).registry()
        return
    server = PostgresServer(request.getfixturevalue("postgres_cluster").url, patience_s=10)
    schema = f"registry_{next(NUMBERS)}"
    yield server.database(schema, steps=STEPS)
    server.drop(schema)
    server.close()


@pytest.fixture
def registry(database: Database, clock: Clock) -> Iterator[Registry]:
    made = Registry(database, clock)
    made.add_user("ada")
    made.create_workspace("team")
    yield made
    made.close()


def test_a_token_opens_what_its_user_may_enter(registry: Registry) -> None:
    registry.set_member(Member("team", "ada", Scope.ADMIN))
    secret = registry.issue(NewToken(user="ada", scope=Scope.WRITE)).secret
    access = registry.access(secret)
    assert access is not None
    assert access.principal.user == "ada"
    assert access.scope_in("team") is Scope.WRITE
    assert access.scope_in("other") is None


@pytest.mark.parametrize(
    ("member", "token", "least"),
    [
        (Scope.READ, Scope.ADMIN, Scope.READ),
        (Scope.WRITE, Scope.READ, Scope.READ),
        (Scope.ADMIN, Scope.ADMIN, Scope.ADMIN),
    ],
)
def test_the_least_of_token_and_member_counts(
    registry: Registry, member: Scope, token: Scope, least: Scope
) -> None:
    registry.set_member(Member("team", "ada", member))
    access = registry.access(registry.issue(NewToken(user="ada", scope=token)).secret)
    assert access is not None
    assert access.scope_in("team") is least


def test_a_token_for_one_workspace_opens_no_other(registry: Registry) -> None:
    registry.create_workspace("other")
    for name in ("team", "other"):
        registry.set_member(Member(name, "ada", Scope.WRITE))
    issued = registry.issue(NewToken(user="ada", workspace="other"))
    access = registry.access(issued.secret)
    assert access is not None
    assert access.scope_in("other") is Scope.WRITE
    assert access.scope_in("team") is None
    assert registry.opened_by(access.principal) == {"other": Scope.WRITE}


def test_an_administrator_may_enter_every_workspace_that_there_is(registry: Registry) -> None:
    registry.add_user("root", admin=True)
    access = registry.access(registry.issue(NewToken(user="root", scope=Scope.ADMIN)).secret)
    assert access is not None
    assert access.scope_in("team") is Scope.ADMIN
    assert access.scope_in("..") is None
    assert access.principal.administers


@pytest.mark.parametrize(
    "change", [{"scope": Scope.WRITE}, {"workspace": "team"}, {"user": "ada"}], ids=str
)
def test_only_a_full_token_of_an_administrator_administers(
    registry: Registry, change: dict[str, str]
) -> None:
    registry.add_user("root", admin=True)
    new = NewToken(**{"user": "root", "scope": Scope.ADMIN, **change})  # pyright: ignore[reportArgumentType]
    access = registry.access(registry.issue(new).secret)
    assert access is not None
    assert not access.principal.administers


def test_a_revoked_token_opens_nothing(registry: Registry) -> None:
    issued = registry.issue(NewToken(user="ada"))
    revoked = registry.revoke(issued.token.id)
    assert revoked.revoked_at is not None
    assert registry.access(issued.secret) is None
    assert registry.revoke(issued.token.id) == revoked


def test_a_token_expires(registry: Registry, clock: Clock) -> None:
    secret = registry.issue(NewToken(user="ada", lifetime_s=60)).secret
    assert registry.access(secret) is not None
    clock.now_s += 60
    assert registry.access(secret) is None


def test_the_tokens_of_a_removed_user_open_nothing(registry: Registry) -> None:
    secret = registry.issue(NewToken(user="ada")).secret
    registry.remove_user("ada")
    assert registry.access(secret) is None
    assert registry.tokens() == []


@pytest.mark.parametrize("wrong", ["", "hw_", "ada", "hw_0123456789_" + "x" * 43, "\ud800", "é"])
def test_what_is_no_token_opens_nothing(registry: Registry, wrong: str) -> None:
    assert registry.access(wrong) is None


def test_another_secret_behind_a_known_id_opens_nothing(registry: Registry) -> None:
    secret = registry.issue(NewToken(user="ada")).secret
    last = "A" if secret[-1] != "A" else "B"
    assert registry.access(secret[:-1] + last) is None


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_secrets_stand_in_no_file(registry: Registry, tmp_path: Path) -> None:
    issued = registry.issue(NewToken(user="ada"))
    code = registry.code("ada")
    files = b"".join(path.read_bytes() for path in (tmp_path / "root").iterdir())
    assert issued.token.id.encode() in files
    for secret in (issued.secret, code):
        assert secret[-43:].encode() not in files
    assert not any(issued.secret in repr(token) for token in registry.tokens())


def test_a_new_server_gives_a_code_once_somebody_used_it_no_more(registry: Registry) -> None:
    code = registry.first_code()
    assert code is not None
    issued = registry.redeem(code, note="first")
    access = registry.access(issued.secret)
    assert access is not None
    assert access.principal.user == FIRST_USER
    assert access.principal.administers
    assert registry.first_code() is None


def test_a_server_whose_last_administrator_lost_the_token_gives_a_code_again(
    registry: Registry,
) -> None:
    issued = registry.redeem(registry.first_code() or "", note="")
    registry.revoke(issued.token.id)
    assert registry.first_code() is not None
    assert [user.name for user in registry.users() if user.admin] == [FIRST_USER]


def test_a_code_is_good_once(registry: Registry) -> None:
    code = registry.code("ada")
    registry.redeem(code, note="")
    with pytest.raises(InvalidValueError, match="it was used"):
        registry.redeem(code, note="")


def test_a_code_is_good_for_a_quarter_of_an_hour(registry: Registry, clock: Clock) -> None:
    code = registry.code("ada")
    clock.now_s += CODE_LIFETIME_S
    with pytest.raises(InvalidValueError, match="15 minutes"):
        registry.redeem(code, note="")


def test_the_last_administrator_stays(registry: Registry) -> None:
    registry.add_user("root", admin=True)
    with pytest.raises(ConflictError, match="only administrator"):
        registry.remove_user("root")
    registry.add_user("second", admin=True)
    registry.remove_user("root")
    assert [user.name for user in registry.users()] == ["ada", "second"]


def test_members_are_set_listed_and_removed(registry: Registry) -> None:
    registry.set_member(Member("team", "ada", Scope.READ))
    registry.set_member(Member("team", "ada", Scope.WRITE))
    assert registry.members("team") == [Member("team", "ada", Scope.WRITE)]
    registry.remove_member("team", "ada")
    assert registry.members("team") == []
    with pytest.raises(NotFoundError, match="no member"):
        registry.remove_member("team", "ada")


def test_what_names_nobody_and_nothing_is_refused(registry: Registry) -> None:
    with pytest.raises(NotFoundError, match="there are: ada"):
        registry.issue(NewToken(user="eve"))
    with pytest.raises(WorkspaceNotFoundError):
        registry.issue(NewToken(user="ada", workspace="absent"))
    with pytest.raises(WorkspaceNotFoundError):
        registry.set_member(Member("absent", "ada", Scope.READ))
    with pytest.raises(NotFoundError):
        registry.revoke("absent")
    with pytest.raises(ConflictError):
        registry.add_user("ada")


@pytest.mark.parametrize("name", ["", "..", "a/b", "A", "ä", "a" * 41, "-a", "a\n", "a b"])
def test_workspace_names_are_plain(registry: Registry, name: str) -> None:
    with pytest.raises(InvalidValueError):
        registry.create_workspace(name)


@pytest.mark.parametrize("name", ["", "..", "a/b", "a\n", "a\x00", "<b>", "a" * 65])
def test_user_names_are_plain(registry: Registry, name: str) -> None:
    with pytest.raises(InvalidValueError):
        registry.add_user(name)


@pytest.mark.parametrize("lifetime_s", [0, -1, float("nan"), float("inf"), 1e12])
def test_a_lifetime_is_positive_and_bounded(registry: Registry, lifetime_s: float) -> None:
    with pytest.raises(InvalidValueError, match="ten years"):
        registry.issue(NewToken(user="ada", lifetime_s=lifetime_s))


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_registry_is_for_its_owner_alone(registry: Registry, tmp_path: Path) -> None:
    assert (tmp_path / "root").stat().st_mode & 0o077 == 0
    with sqlite3.connect(tmp_path / "root" / "registry.db") as plain:
        names = {row[0] for row in plain.execute("select name from sqlite_master")}
    plain.close()
    assert {"users", "tokens", "members"} <= names
    assert "runs" not in names


def test_of_many_who_bring_a_code_at_once_one_gets_a_token(registry: Registry) -> None:
    code = registry.code("ada")
    together = threading.Barrier(6)

    def redeem(_: int) -> bool:
        together.wait()
        try:
            registry.redeem(code, note="")
        except InvalidValueError:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(redeem, range(6))) == 1
    assert len(registry.tokens("ada")) == 1
