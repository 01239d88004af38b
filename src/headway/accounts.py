"""Who may do what on a server: users, their tokens, workspaces and their members.

A request is made with a token. What it may do in a workspace is the least of two: the scope of the
token, and what its user is there, a member of some scope. Users who are administrators are members
of every workspace, with all rights. What belongs to no workspace (users, tokens, workspaces) is for
administrators with a token of scope ``admin`` that is not for one workspace alone.
"""

from enum import StrEnum
from typing import Final, Protocol

import msgspec


class Scope(StrEnum):
    """What a token or a member may do; each includes those before it."""

    READ = "read"
    """See everything in a workspace."""
    WRITE = "write"
    """Make, change and cancel runs, register models, upload files."""
    ADMIN = "admin"
    """Decide who is a member, and remove what cannot be brought back."""

    def includes(self, needed: "Scope") -> bool:
        """Whether this scope is enough where ``needed`` is asked for."""
        return _RANK[self] >= _RANK[needed]

    def least(self, other: "Scope") -> "Scope":
        """The smaller one of two."""
        return min(self, other, key=_RANK.__getitem__)


_RANK: Final = {Scope.READ: 0, Scope.WRITE: 1, Scope.ADMIN: 2}


class User(msgspec.Struct, frozen=True):
    """Somebody, or some service, that has tokens."""

    name: str
    admin: bool
    """Whether every workspace and all that belongs to the server is open to this user."""
    created_at: int


class Token(msgspec.Struct, frozen=True):
    """A token without its secret, which only its holder knows."""

    id: str
    """Public, to name it in lists and to revoke it; the token begins with ``hw_<id>_``."""
    user: str
    scope: Scope
    created_at: int
    workspace: str | None = None
    """The only workspace that it opens; None for all of its user's."""
    note: str = ""
    """What it is for."""
    expires_at: int | None = None
    """None: never."""
    last_used_at: int | None = None
    """To within a minute; None: never used."""
    revoked_at: int | None = None


class NewToken(msgspec.Struct, frozen=True, omit_defaults=True):
    """A token to be made."""

    user: str
    scope: Scope = Scope.WRITE
    workspace: str | None = None
    note: str = ""
    lifetime_s: float | None = None
    """Seconds until it expires; None: never."""


class IssuedToken(msgspec.Struct, frozen=True):
    """A new token. Its secret is known now and never again."""

    token: Token
    secret: str
    """The whole text that a client sends."""


class Member(msgspec.Struct, frozen=True):
    """What a user may do in a workspace."""

    workspace: str
    user: str
    scope: Scope


class HostedWorkspace(msgspec.Struct, frozen=True):
    """A workspace of a server."""

    name: str
    created_at: int


class Principal(msgspec.Struct, frozen=True):
    """Who makes a request, as their token says."""

    user: str
    admin: bool
    scope: Scope
    """That of the token."""
    token_id: str
    workspace: str | None = None
    """The only workspace that the token opens; None for all."""

    @property
    def administers(self) -> bool:
        """Whether what belongs to no workspace is open."""
        return self.admin and self.scope is Scope.ADMIN and self.workspace is None


class Accounts(Protocol):
    """Users, tokens, workspaces and members of a server.

    ``headway.server.registry`` implements it on the server's machine, ``headway.client.accounts``
    over HTTP. What is named and does not exist raises ``NotFoundError``.
    """

    def issue(self, new: NewToken) -> IssuedToken:
        """Make a token. Nobody can find out its secret later."""
        ...

    def tokens(self, user: str | None = None) -> list[Token]:
        """Tokens of one user, or all, newest first; those that are not valid any more too."""
        ...

    def revoke(self, token_id: str) -> Token:
        """Make a token useless at once, and return it; again does nothing."""
        ...

    def add_user(self, name: str, *, admin: bool = False) -> User:
        """Make a user. A name that is taken raises ``ConflictError``."""
        ...

    def users(self) -> list[User]:
        """Every user, by name."""
        ...

    def remove_user(self, name: str) -> None:
        """Remove a user; their tokens are useless at once. Their runs stay.

        The last administrator stays: ``ConflictError``.
        """
        ...

    def create_workspace(self, name: str) -> HostedWorkspace:
        """Make a workspace; one that exists is returned as it is."""
        ...

    def workspaces(self) -> list[HostedWorkspace]:
        """The workspaces that whoever asks may enter, by name."""
        ...

    def set_member(self, member: Member) -> Member:
        """Let a user into a workspace, or change what they may do there."""
        ...

    def members(self, workspace: str) -> list[Member]:
        """The members of a workspace by name; administrators of the server are not listed."""
        ...

    def remove_member(self, workspace: str, user: str) -> None:
        """Shut a user out of a workspace."""
        ...

    def close(self) -> None:
        """Release what is held."""
        ...
