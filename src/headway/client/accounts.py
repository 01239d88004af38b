"""Users, tokens, workspaces and members of a server, over HTTP."""

from collections.abc import Callable

from headway.accounts import HostedWorkspace, IssuedToken, Member, NewToken, Token, User
from headway.client.connection import Connection
from headway.wire import accounts as table
from headway.wire.workspace import Nothing


class RemoteAccounts:
    """Implements ``headway.accounts.Accounts``.

    Args:
        connect: Makes the way to a workspace of the server; with an empty name, to itself.
    """

    def __init__(self, connect: Callable[[str], Connection]) -> None:
        self._connect = connect
        self._connections: dict[str, Connection] = {}

    def me(self) -> table.Me:
        """Who asks, and what they may do."""
        return self._to().call(table.ME, Nothing())

    def redeem(self, code: str, *, note: str) -> IssuedToken:
        """A token for a one-time code, which is then used up."""
        return self._to().call(table.LOGIN, table.Login(code, note))

    def revoke_own(self) -> None:
        """Revoke the token with which this is asked."""
        self._to().call(table.LOGOUT, Nothing())

    def issue(self, new: NewToken) -> IssuedToken:
        """Make a token. Nobody can find out its secret later."""
        return self._to().call(table.ISSUE_TOKEN, new)

    def tokens(self, user: str | None = None) -> list[Token]:
        """Tokens of one user, or all, newest first; those that are not valid any more too."""
        return self._to().call(table.LIST_TOKENS, table.ListTokens(user))

    def revoke(self, token_id: str) -> Token:
        """Make a token useless at once, and return it; again does nothing."""
        return self._to().call(table.REVOKE_TOKEN, table.TokenRequest(token_id))

    def add_user(self, name: str, *, admin: bool = False) -> User:
        """Make a user."""
        return self._to().call(table.ADD_USER, table.NewUser(name, admin))

    def users(self) -> list[User]:
        """Every user, by name."""
        return self._to().call(table.LIST_USERS, Nothing())

    def remove_user(self, name: str) -> None:
        """Remove a user; their tokens are useless at once. Their runs stay."""
        self._to().call(table.REMOVE_USER, table.UserRequest(name))

    def create_workspace(self, name: str) -> HostedWorkspace:
        """Make a workspace; one that exists is returned as it is."""
        return self._to().call(table.CREATE_WORKSPACE, table.NewWorkspace(name))

    def workspaces(self) -> list[HostedWorkspace]:
        """The workspaces that whoever asks may enter, by name."""
        return self._to().call(table.LIST_WORKSPACES, Nothing())

    def set_member(self, member: Member) -> Member:
        """Let a user into a workspace, or change what they may do there."""
        request = table.SetMember(member.user, member.scope)
        return self._to(member.workspace).call(table.SET_MEMBER, request)

    def members(self, workspace: str) -> list[Member]:
        """The members of a workspace by name; administrators of the server are not listed."""
        return self._to(workspace).call(table.LIST_MEMBERS, Nothing())

    def remove_member(self, workspace: str, user: str) -> None:
        """Shut a user out of a workspace."""
        self._to(workspace).call(table.REMOVE_MEMBER, table.UserRequest(user))

    def close(self) -> None:
        """Release what is held."""
        while self._connections:
            self._connections.popitem()[1].close()

    def _to(self, workspace: str = "") -> Connection:
        if workspace not in self._connections:
            self._connections[workspace] = self._connect(workspace)
        return self._connections[workspace]
