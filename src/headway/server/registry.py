"""The users, tokens, workspaces and members of a server: made, checked, looked up.

A token is ``hw_<id>_<secret>``: ten letters and digits that name it in lists, and 256 random bits.
Of what is secret only the SHA-256 is kept. A one-time code, ``hc_<secret>``, gives whoever brings
it first a token of its user.
"""

import hmac
import re
import secrets
import time
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Final

import msgspec

from headway.accounts import (
    HostedWorkspace,
    IssuedToken,
    Member,
    NewToken,
    Principal,
    Scope,
    Token,
    User,
)
from headway.checks import check_text
from headway.errors import ConflictError, InvalidValueError, NotFoundError, WorkspaceNotFoundError
from headway.store import registry as rows
from headway.store.base import Database, Transaction

CODE_LIFETIME_S: Final = 15 * 60.0
"""How long a one-time code can be used, in seconds."""
FIRST_USER: Final = "admin"
"""The administrator that a new server has."""

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@\-]{0,63}")
_WORKSPACE: Final = re.compile(r"[a-z0-9][a-z0-9_\-]{0,39}")
_TOKEN: Final = re.compile(r"hw_([a-z0-9]{10})_[A-Za-z0-9_\-]{43}")
_CODE: Final = re.compile(r"hc_[A-Za-z0-9_\-]{43}")
_ID_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz0123456789"
_LONGEST_NOTE: Final = 200
_LONGEST_LIFETIME_S: Final = 10 * 366 * 86_400.0


class Access(msgspec.Struct, frozen=True):
    """Whose token it is, and which workspaces its user may enter."""

    principal: Principal
    memberships: Mapping[str, Scope]
    last_used_at: int | None

    def scope_in(self, workspace: str) -> Scope | None:
        """What the token may do in a workspace; None where its user is no member of it."""
        principal = self.principal
        if principal.workspace not in (None, workspace):
            return None
        mine = self.memberships.get(workspace)
        return None if mine is None else mine.least(principal.scope)


def _now() -> int:
    return time.time_ns() // 1000


class Registry:
    """Implements ``headway.accounts.Accounts`` over a database."""

    def __init__(self, database: Database, clock: Callable[[], int] = _now) -> None:
        """Stand on an open database.

        Args:
            database: With the schema ``headway.store.registry.STEPS``.
            clock: The time now, in microseconds since the epoch.
        """
        self._database = database
        self._clock = clock
        self.changes = 0
        """Counts what this process changed of who may do what."""

    # ------------------------------------------------------------ tokens

    def access(self, secret: str) -> Access | None:
        """What a token opens; None where it is not one, or not valid any more."""
        match = _TOKEN.fullmatch(secret)
        if match is None:
            return None
        with self._database.read() as tx:
            found = rows.token(tx, match[1])
            user = rows.user(tx, found[0].user) if found else None
            memberships = _memberships(tx, user) if user else {}
        if found is None or user is None:
            return None
        token, digest = found
        if not hmac.compare_digest(digest, _digest(secret)) or not self._is_valid(token):
            return None
        return Access(
            principal=Principal(
                user=user.name,
                admin=user.admin,
                scope=token.scope,
                token_id=token.id,
                workspace=token.workspace,
            ),
            memberships=memberships,
            last_used_at=token.last_used_at,
        )

    def now(self) -> int:
        """The time by the registry's clock, in microseconds since the epoch."""
        return self._clock()

    def touch(self, token_id: str) -> None:
        """Note that a token was used now."""
        with self._database.write() as tx:
            rows.touch(tx, token_id, at=self._clock())

    def issue(self, new: NewToken) -> IssuedToken:
        """Make a token. Nobody can find out its secret later."""
        with self._database.write() as tx:
            return self._issue(tx, new)

    def opened_by(self, principal: Principal) -> dict[str, Scope]:
        """What somebody may do in each workspace that their token opens, by name."""
        with self._database.read() as tx:
            user = rows.user(tx, principal.user)
            memberships = _memberships(tx, user) if user else {}
        access = Access(principal, memberships, last_used_at=None)
        scopes = {name: access.scope_in(name) for name in memberships}
        return {name: scope for name, scope in scopes.items() if scope is not None}

    def tokens(self, user: str | None = None) -> list[Token]:
        """Tokens of one user, or all, newest first; those that are not valid any more too."""
        with self._database.read() as tx:
            return rows.tokens(tx, user)

    def revoke(self, token_id: str) -> Token:
        """Make a token useless at once, and return it; again does nothing."""
        with self._database.write() as tx:
            rows.revoke(tx, token_id, at=self._clock())
            found = rows.token(tx, token_id)
        self.changes += 1
        if found is None:
            raise NotFoundError(
                f"there is no token {token_id!r}: give the id that 'headway token list' shows"
            )
        return found[0]

    # ------------------------------------------------------------ one-time codes

    def first_code(self) -> str | None:
        """A code for the administrator of a server that nobody can use yet; else None."""
        with self._database.write() as tx:
            admins = {user.name for user in rows.users(tx) if user.admin}
            for token in rows.tokens(tx):
                if token.user in admins and token.scope is Scope.ADMIN and self._is_valid(token):
                    return None
            if not admins:
                rows.add_user(tx, User(name=FIRST_USER, admin=True, created_at=self._clock()))
            return self._code(tx, min(admins, default=FIRST_USER))

    def code(self, user: str) -> str:
        """A code that gives a token of this user, once, within ``CODE_LIFETIME_S`` seconds."""
        with self._database.write() as tx:
            _find_user(tx, user)
            return self._code(tx, user)

    def redeem(self, code: str, *, note: str, lifetime_s: float | None = None) -> IssuedToken:
        """A token with all rights of the code's user. The code is used up.

        Raises:
            InvalidValueError: It is no code, was used, or is too old.
        """
        issued = None
        if _CODE.fullmatch(code):
            with self._database.write() as tx:
                user = rows.take_code(tx, _digest(code), at=self._clock())
                if user is not None:
                    new = NewToken(user=user, scope=Scope.ADMIN, note=note, lifetime_s=lifetime_s)
                    issued = self._issue(tx, new)
        if issued is None:
            raise InvalidValueError(
                "this one-time code is not valid: it was used, is older than "
                f"{CODE_LIFETIME_S / 60:g} minutes, or is not whole. Run 'headway token link' on "
                "the server's machine for a new one"
            )
        return issued

    # ------------------------------------------------------------ users

    def add_user(self, name: str, *, admin: bool = False) -> User:
        """Make a user."""
        user = User(name=_checked_name(name), admin=admin, created_at=self._clock())
        with self._database.write() as tx:
            if not rows.add_user(tx, user):
                raise ConflictError(f"there is a user {name!r} already: choose another name")
        return user

    def users(self) -> list[User]:
        """Every user, by name."""
        with self._database.read() as tx:
            return rows.users(tx)

    def remove_user(self, name: str) -> None:
        """Remove a user; their tokens are useless at once. Their runs stay."""
        with self._database.write() as tx:
            user = _find_user(tx, name)
            if user.admin and not any(u.admin for u in rows.users(tx) if u.name != name):
                raise ConflictError(
                    f"{name!r} is the only administrator: make another one first, with 'headway "
                    "user add NAME --admin'"
                )
            rows.remove_user(tx, name)
        self.changes += 1

    # ------------------------------------------------------------ workspaces and members

    def create_workspace(self, name: str) -> HostedWorkspace:
        """Make a workspace; one that exists is returned as it is."""
        if not _WORKSPACE.fullmatch(name):
            raise InvalidValueError(
                f"workspace name {name!r} is not accepted on a server: give 1 to 40 of a-z, 0-9, "
                "'_' and '-', beginning with a letter or digit"
            )
        new = HostedWorkspace(name=name, created_at=self._clock())
        with self._database.write() as tx:
            rows.add_workspace(tx, new)
            return rows.workspace(tx, name) or new

    def workspaces(self) -> list[HostedWorkspace]:
        """Every workspace, by name."""
        with self._database.read() as tx:
            return rows.workspaces(tx)

    def set_member(self, member: Member) -> Member:
        """Let a user into a workspace, or change what they may do there."""
        with self._database.write() as tx:
            _find_workspace(tx, member.workspace)
            _find_user(tx, member.user)
            rows.set_member(tx, member)
        self.changes += 1
        return member

    def members(self, workspace: str) -> list[Member]:
        """The members of a workspace by name; administrators of the server are not listed."""
        with self._database.read() as tx:
            _find_workspace(tx, workspace)
            return rows.members(tx, workspace_name=workspace)

    def remove_member(self, workspace: str, user: str) -> None:
        """Shut a user out of a workspace."""
        with self._database.write() as tx:
            if not rows.remove_member(tx, workspace, user):
                raise NotFoundError(f"{user!r} is no member of the workspace {workspace!r}")
        self.changes += 1

    def close(self) -> None:
        """Release what is held."""
        self._database.close()

    # ------------------------------------------------------------

    def _is_valid(self, token: Token) -> bool:
        fresh = token.expires_at is None or token.expires_at > self._clock()
        return fresh and token.revoked_at is None

    def _issue(self, tx: Transaction, new: NewToken) -> IssuedToken:
        _find_user(tx, new.user)
        if new.workspace is not None:
            _find_workspace(tx, new.workspace)
        now = self._clock()
        token = Token(
            id="".join(secrets.choice(_ID_LETTERS) for _ in range(10)),
            user=new.user,
            scope=new.scope,
            created_at=now,
            workspace=new.workspace,
            note=check_text("note", new.note, _LONGEST_NOTE),
            expires_at=_end(now, new.lifetime_s),
        )
        secret = f"hw_{token.id}_{secrets.token_urlsafe(32)}"
        rows.add_token(tx, token, _digest(secret))
        return IssuedToken(token, secret)

    def _code(self, tx: Transaction, user: str) -> str:
        code = f"hc_{secrets.token_urlsafe(32)}"
        expires_at = self._clock() + int(CODE_LIFETIME_S * 1e6)
        rows.add_code(tx, _digest(code), user, expires_at=expires_at)
        return code


def _memberships(tx: Transaction, user: User) -> dict[str, Scope]:
    if user.admin:
        return {workspace.name: Scope.ADMIN for workspace in rows.workspaces(tx)}
    return {member.workspace: member.scope for member in rows.members(tx, user_name=user.name)}


def _digest(secret: str) -> bytes:
    return sha256(secret.encode()).digest()


def _end(now: int, lifetime_s: float | None) -> int | None:
    if lifetime_s is None:
        return None
    if not 0 < lifetime_s <= _LONGEST_LIFETIME_S:
        raise InvalidValueError(
            f"a lifetime of {lifetime_s:g} s is not accepted: give more than 0 s and at most ten "
            "years, or none for a token that never expires"
        )
    return now + int(lifetime_s * 1e6)


def _checked_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise InvalidValueError(
            f"user name {name!r} is not accepted: give 1 to 64 ASCII letters, digits, '_', '.', "
            "'@' or '-', beginning with a letter or digit"
        )
    return name


def _find_user(tx: Transaction, name: str) -> User:
    user = rows.user(tx, name)
    if user is None:
        known = ", ".join(one.name for one in rows.users(tx)[:20]) or "none yet"
        raise NotFoundError(f"there is no user {name!r}; there are: {known}")
    return user


def _find_workspace(tx: Transaction, name: str) -> HostedWorkspace:
    workspace = rows.workspace(tx, name)
    if workspace is None:
        raise WorkspaceNotFoundError(f"there is no workspace {name!r} on this server")
    return workspace
