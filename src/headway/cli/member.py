"""``headway member``: who may do what in a workspace of a server."""

import click
import msgspec

from headway.accounts import Member, Scope
from headway.cli.administering import Where, open_accounts, server_options, workspace_of
from headway.cli.call import Call, shared_options
from headway.cli.output import say, write_json
from headway.cli.tables import Column, print_table
from headway.cli.token import SCOPES


@click.group(name="member")
@shared_options
def command() -> None:
    """Say who may do what in a workspace of a server. Administrators may everything everywhere."""


@command.command(name="set")
@click.argument("user")
@click.option("--scope", type=SCOPES, default="write", show_default=True, help="What they may do.")
@click.option("--in", "name", metavar="NAME", help="The workspace. Default: the one in use.")
@server_options
@shared_options
@click.pass_obj
def set_member(call: Call, where: Where, user: str, scope: str, name: str | None) -> int:
    """Let USER into a workspace, or change what they may do there."""
    member = Member(workspace_of(call, name), user, Scope(scope))
    with open_accounts(call, where) as accounts:
        member = accounts.set_member(member)
    if call.json:
        write_json(msgspec.to_builtins(member))
    else:
        say(f"headway: {user!r} may {scope} in workspace {member.workspace!r}")
    return 0


@command.command(name="list")
@click.option("--in", "name", metavar="NAME", help="The workspace. Default: the one in use.")
@server_options
@shared_options
@click.pass_obj
def list_members(call: Call, where: Where, name: str | None) -> int:
    """List the members of a workspace."""
    with open_accounts(call, where) as accounts:
        members = accounts.members(workspace_of(call, name))
    if call.json:
        write_json(msgspec.to_builtins(members))
    else:
        rows = [[member.user, member.scope.value] for member in members]
        print_table([Column("USER"), Column("SCOPE")], rows)
    return 0


@command.command(name="remove")
@click.argument("user")
@click.option("--in", "name", metavar="NAME", help="The workspace. Default: the one in use.")
@server_options
@shared_options
@click.pass_obj
def remove(call: Call, where: Where, user: str, name: str | None) -> int:
    """Shut USER out of a workspace."""
    workspace = workspace_of(call, name)
    with open_accounts(call, where) as accounts:
        accounts.remove_member(workspace, user)
    if call.json:
        write_json({"workspace": workspace, "user": user, "removed": True})
    else:
        say(f"headway: {user!r} is no member of workspace {workspace!r} any more")
    return 0
