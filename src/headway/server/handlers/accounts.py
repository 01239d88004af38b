"""Tokens, users, workspaces and their members."""

from typing import Final

from headway.accounts import HostedWorkspace, IssuedToken, Member
from headway.server.context import Context
from headway.server.handlers.binding import bind
from headway.wire import accounts as table
from headway.wire.operation import Done
from headway.wire.workspace import Nothing


def _me(context: Context, _: Nothing) -> table.Me:
    me = context.principal
    tokens = context.accounts.tokens(me.user)
    return table.Me(
        user=me.user,
        admin=me.administers,
        token_id=me.token_id,
        workspaces=context.accounts.opened_by(me),
        expires_at=next((one.expires_at for one in tokens if one.id == me.token_id), None),
    )


def _login(context: Context, ask: table.Login) -> IssuedToken:
    return context.accounts.redeem(ask.code, note=ask.note)


def _logout(context: Context, _: Nothing) -> Done:
    context.accounts.revoke(context.principal.token_id)
    return Done()


def _remove_user(context: Context, ask: table.UserRequest) -> Done:
    context.accounts.remove_user(ask.user)
    return Done()


def _workspaces(context: Context, _: Nothing) -> list[HostedWorkspace]:
    opened = context.accounts.opened_by(context.principal)
    return [one for one in context.accounts.workspaces() if one.name in opened]


def _set_member(context: Context, ask: table.SetMember) -> Member:
    return context.accounts.set_member(Member(context.workspace or "", ask.user, ask.scope))


def _remove_member(context: Context, ask: table.UserRequest) -> Done:
    context.accounts.remove_member(context.workspace or "", ask.user)
    return Done()


HANDLERS: Final = (
    bind(table.ME, _me),
    bind(table.LOGIN, _login),
    bind(table.LOGOUT, _logout),
    bind(table.ISSUE_TOKEN, lambda c, ask: c.accounts.issue(ask)),
    bind(table.LIST_TOKENS, lambda c, ask: c.accounts.tokens(ask.user)),
    bind(table.REVOKE_TOKEN, lambda c, ask: c.accounts.revoke(ask.token_id)),
    bind(table.ADD_USER, lambda c, ask: c.accounts.add_user(ask.name, admin=ask.admin)),
    bind(table.LIST_USERS, lambda c, _: c.accounts.users()),
    bind(table.REMOVE_USER, _remove_user),
    bind(table.CREATE_WORKSPACE, lambda c, ask: c.accounts.create_workspace(ask.name)),
    bind(table.LIST_WORKSPACES, _workspaces),
    bind(table.SET_MEMBER, _set_member),
    bind(table.LIST_MEMBERS, lambda c, _: c.accounts.members(c.workspace or "")),
    bind(table.REMOVE_MEMBER, _remove_member),
)
