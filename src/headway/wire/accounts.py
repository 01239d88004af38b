"""Operations about who may do what: tokens, users, workspaces and their members."""

from typing import Final

import msgspec

from headway.accounts import (
    HostedWorkspace,
    IssuedToken,
    Member,
    NewToken,
    Scope,
    Token,
    User,
)
from headway.wire.operation import Done, Operation, Place
from headway.wire.workspace import Nothing


class Me(msgspec.Struct, frozen=True):
    """Who asks, and what they may do."""

    user: str
    admin: bool
    """Whether they administer the server."""
    token_id: str
    workspaces: dict[str, Scope]
    """What this token may do in each workspace that it opens."""
    expires_at: int | None = None
    """When the token expires, in microseconds since the epoch; None: never."""


class Login(msgspec.Struct, frozen=True):
    """A one-time code for a token."""

    code: str
    note: str = ""
    """What the token is for."""


class ListTokens(msgspec.Struct, frozen=True):
    """Tokens, newest first."""

    user: str | None = None
    """Only those of this user."""


class TokenRequest(msgspec.Struct, frozen=True):
    """One token."""

    token_id: str


class NewUser(msgspec.Struct, frozen=True):
    """A user to be made."""

    name: str
    admin: bool = False


class UserRequest(msgspec.Struct, frozen=True):
    """One user."""

    user: str


class NewWorkspace(msgspec.Struct, frozen=True):
    """A workspace to be made."""

    name: str


class SetMember(msgspec.Struct, frozen=True):
    """Let a user in, or change what they may do."""

    user: str
    scope: Scope


ME: Final = Operation(
    name="me",
    method="GET",
    path="/me",
    request=Nothing,
    answer=Me,
    scope=Scope.READ,
    place=Place.SERVER,
    help="Who asks, and what they may do.",
)
LOGIN: Final = Operation(
    name="login",
    method="POST",
    path="/login",
    request=Login,
    answer=IssuedToken,
    scope=None,
    place=Place.SERVER,
    repeatable=False,
    help="A token for a one-time code, which is then used up.",
)
LOGOUT: Final = Operation(
    name="logout",
    method="POST",
    path="/logout",
    request=Nothing,
    answer=Done,
    scope=Scope.READ,
    place=Place.SERVER,
    help="Revoke the token that this request is made with.",
)
ISSUE_TOKEN: Final = Operation(
    name="tokens.issue",
    method="POST",
    path="/tokens",
    request=NewToken,
    answer=IssuedToken,
    scope=Scope.ADMIN,
    place=Place.SERVER,
    repeatable=False,
    help="Make a token. Its secret is in this answer and nowhere else.",
)
LIST_TOKENS: Final = Operation(
    name="tokens.list",
    method="GET",
    path="/tokens",
    request=ListTokens,
    answer=list[Token],
    scope=Scope.ADMIN,
    place=Place.SERVER,
    help="Tokens without their secrets, newest first.",
)
REVOKE_TOKEN: Final = Operation(
    name="tokens.revoke",
    method="DELETE",
    path="/tokens/{token_id}",
    request=TokenRequest,
    answer=Token,
    scope=Scope.ADMIN,
    place=Place.SERVER,
    help="Make a token useless at once.",
)
ADD_USER: Final = Operation(
    name="users.add",
    method="POST",
    path="/users",
    request=NewUser,
    answer=User,
    scope=Scope.ADMIN,
    place=Place.SERVER,
    repeatable=False,
    help="Make a user.",
)
LIST_USERS: Final = Operation(
    name="users.list",
    method="GET",
    path="/users",
    request=Nothing,
    answer=list[User],
    scope=Scope.ADMIN,
    place=Place.SERVER,
    help="Every user, by name.",
)
REMOVE_USER: Final = Operation(
    name="users.remove",
    method="DELETE",
    path="/users/{user}",
    request=UserRequest,
    answer=Done,
    scope=Scope.ADMIN,
    place=Place.SERVER,
    removes=True,
    help="Remove a user with all tokens and memberships. Their runs stay.",
)
CREATE_WORKSPACE: Final = Operation(
    name="workspaces.create",
    method="POST",
    path="/workspaces",
    request=NewWorkspace,
    answer=HostedWorkspace,
    scope=Scope.ADMIN,
    place=Place.SERVER,
    help="Make a workspace; one that exists is returned as it is.",
)
LIST_WORKSPACES: Final = Operation(
    name="workspaces.list",
    method="GET",
    path="/workspaces",
    request=Nothing,
    answer=list[HostedWorkspace],
    scope=Scope.READ,
    place=Place.SERVER,
    help="The workspaces that this token opens, by name.",
)
SET_MEMBER: Final = Operation(
    name="members.set",
    method="PUT",
    path="/members/{user}",
    request=SetMember,
    answer=Member,
    scope=Scope.ADMIN,
    help="Let a user into the workspace, or change what they may do there.",
)
LIST_MEMBERS: Final = Operation(
    name="members.list",
    method="GET",
    path="/members",
    request=Nothing,
    answer=list[Member],
    scope=Scope.READ,
    help="The members of the workspace, by name.",
)
REMOVE_MEMBER: Final = Operation(
    name="members.remove",
    method="DELETE",
    path="/members/{user}",
    request=UserRequest,
    answer=Done,
    scope=Scope.ADMIN,
    removes=True,
    help="Shut a user out of the workspace.",
)

OPERATIONS: Final = (
    ME,
    LOGIN,
    LOGOUT,
    ISSUE_TOKEN,
    LIST_TOKENS,
    REVOKE_TOKEN,
    ADD_USER,
    LIST_USERS,
    REMOVE_USER,
    CREATE_WORKSPACE,
    LIST_WORKSPACES,
    SET_MEMBER,
    LIST_MEMBERS,
    REMOVE_MEMBER,
)
