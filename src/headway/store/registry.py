"""The registry of a server: its schema, and the statements over it.

It stands in a database of its own, beside those of the workspaces. Of tokens and one-time codes it
has hashes only.
"""

from typing import Any, Final

from headway.accounts import HostedWorkspace, Member, Scope, Token, User
from headway.store.base import Transaction
from headway.store.migrations import Migration

_FIRST: Final = (
    """create table users (
        name {text} primary key,
        admin bigint not null,
        created_at bigint not null
    )""",
    """create table tokens (
        id {text} primary key,
        hash {blob} not null,
        user_name {text} not null references users (name) on delete cascade,
        scope {text} not null,
        created_at bigint not null,
        workspace {text},
        note {text} not null,
        expires_at bigint,
        last_used_at bigint,
        revoked_at bigint
    )""",
    "create index tokens_user on tokens (user_name)",
    """create table workspaces (
        name {text} primary key,
        created_at bigint not null
    )""",
    """create table members (
        workspace {text} not null references workspaces (name) on delete cascade,
        user_name {text} not null references users (name) on delete cascade,
        scope {text} not null,
        primary key (workspace, user_name)
    )""",
    "create index members_user on members (user_name)",
    """create table codes (
        hash {blob} primary key,
        user_name {text} not null references users (name) on delete cascade,
        expires_at bigint not null
    )""",
)
STEPS: Final = (Migration(1, "users, tokens, workspaces, members", _FIRST),)

_SELECT: Final = """
select id, user_name, scope, created_at, workspace, note, expires_at, last_used_at, revoked_at,
       hash
from tokens"""
_INSERT: Final = """
insert into tokens (id, hash, user_name, scope, created_at, workspace, note, expires_at)
values (:id, :hash, :user, :scope, :created_at, :workspace, :note, :expires_at)"""
_SET_MEMBER: Final = """
insert into members (workspace, user_name, scope) values (:workspace, :user, :scope)
on conflict (workspace, user_name) do update set scope = excluded.scope"""


# ---------------------------------------------------------------- users


def add_user(tx: Transaction, user: User) -> bool:
    """Write a user; False where one of that name exists."""
    statement = (
        "insert into users (name, admin, created_at) values (:name, :admin, :at) "
        "on conflict do nothing"
    )
    values: dict[str, str | int] = {
        "name": user.name,
        "admin": int(user.admin),
        "at": user.created_at,
    }
    return tx.run(statement, values) > 0


def user(tx: Transaction, name: str) -> User | None:
    """One user."""
    row = tx.one("select name, admin, created_at from users where name = :name", {"name": name})
    return _user(row) if row else None


def users(tx: Transaction) -> list[User]:
    """Every user, by name."""
    return [_user(row) for row in tx.all("select name, admin, created_at from users order by name")]


def remove_user(tx: Transaction, name: str) -> bool:
    """Remove a user with all tokens and memberships; False where there is none."""
    return tx.one("delete from users where name = :name returning name", {"name": name}) is not None


# ---------------------------------------------------------------- tokens


def add_token(tx: Transaction, token: Token, digest: bytes) -> None:
    """Write a token with the hash of its secret."""
    tx.run(
        _INSERT,
        {
            "id": token.id,
            "hash": digest,
            "user": token.user,
            "scope": token.scope.value,
            "created_at": token.created_at,
            "workspace": token.workspace,
            "note": token.note,
            "expires_at": token.expires_at,
        },
    )


def token(tx: Transaction, token_id: str) -> tuple[Token, bytes] | None:
    """One token and the hash of its secret."""
    row = tx.one(f"{_SELECT} where id = :id", {"id": token_id})
    return (_token(row), bytes(row[-1])) if row else None


def tokens(tx: Transaction, user_name: str | None = None) -> list[Token]:
    """Tokens, newest first; of one user, or all."""
    where = "" if user_name is None else " where user_name = :user"
    parameters = {} if user_name is None else {"user": user_name}
    return [
        _token(row) for row in tx.all(f"{_SELECT}{where} order by created_at desc, id", parameters)
    ]


def revoke(tx: Transaction, token_id: str, *, at: int) -> None:
    """Note that a token is not valid any more; once revoked, the time stays."""
    tx.run(
        "update tokens set revoked_at = :at where id = :id and revoked_at is null",
        {"id": token_id, "at": at},
    )


def touch(tx: Transaction, token_id: str, *, at: int) -> None:
    """Note when a token was used."""
    tx.run("update tokens set last_used_at = :at where id = :id", {"id": token_id, "at": at})


# ---------------------------------------------------------------- one-time codes


def add_code(tx: Transaction, digest: bytes, user_name: str, *, expires_at: int) -> None:
    """Write the hash of a code that gives a token of this user."""
    tx.run(
        "insert into codes (hash, user_name, expires_at) values (:hash, :user, :at)",
        {"hash": digest, "user": user_name, "at": expires_at},
    )


def take_code(tx: Transaction, digest: bytes, *, at: int) -> str | None:
    """The user of a code, which is then used up; None where it is unknown, used or too old."""
    row = tx.one(
        "delete from codes where hash = :hash returning user_name, expires_at", {"hash": digest}
    )
    tx.run("delete from codes where expires_at <= :at", {"at": at})
    return row[0] if row and row[1] > at else None


# ---------------------------------------------------------------- workspaces and members


def add_workspace(tx: Transaction, workspace: HostedWorkspace) -> bool:
    """Write a workspace; False where one of that name exists."""
    statement = (
        "insert into workspaces (name, created_at) values (:name, :at) on conflict do nothing"
    )
    return tx.run(statement, {"name": workspace.name, "at": workspace.created_at}) > 0


def workspace(tx: Transaction, name: str) -> HostedWorkspace | None:
    """One workspace."""
    row = tx.one("select name, created_at from workspaces where name = :name", {"name": name})
    return HostedWorkspace(*row) if row else None


def workspaces(tx: Transaction) -> list[HostedWorkspace]:
    """Every workspace, by name."""
    rows = tx.all("select name, created_at from workspaces order by name")
    return [HostedWorkspace(*row) for row in rows]


def set_member(tx: Transaction, member: Member) -> None:
    """Write what a user may do in a workspace, over what it was."""
    tx.run(
        _SET_MEMBER,
        {"workspace": member.workspace, "user": member.user, "scope": member.scope.value},
    )


def members(
    tx: Transaction, *, workspace_name: str | None = None, user_name: str | None = None
) -> list[Member]:
    """Members by workspace and user: of one workspace, of one user, or all."""
    conditions = [
        condition
        for condition, given in (
            ("workspace = :workspace", workspace_name),
            ("user_name = :user", user_name),
        )
        if given is not None
    ]
    given = {"workspace": workspace_name, "user": user_name}
    rows = tx.all(
        "select workspace, user_name, scope from members"
        + (f" where {' and '.join(conditions)}" if conditions else "")
        + " order by workspace, user_name",
        {name: value for name, value in given.items() if value is not None},
    )
    return [Member(row[0], row[1], Scope(row[2])) for row in rows]


def remove_member(tx: Transaction, workspace_name: str, user_name: str) -> bool:
    """Remove a member; False where there is none."""
    statement = (
        "delete from members where workspace = :workspace and user_name = :user returning user_name"
    )
    return tx.one(statement, {"workspace": workspace_name, "user": user_name}) is not None


def _user(row: tuple[Any, ...]) -> User:
    return User(name=row[0], admin=bool(row[1]), created_at=row[2])


def _token(row: tuple[Any, ...]) -> Token:
    return Token(
        id=row[0],
        user=row[1],
        scope=Scope(row[2]),
        created_at=row[3],
        workspace=row[4],
        note=row[5],
        expires_at=row[6],
        last_used_at=row[7],
        revoked_at=row[8],
    )
