"""``headway workspace``: the workspaces of a server."""

import click
import msgspec

from headway.cli.administering import Where, open_accounts, server_options
from headway.cli.call import Call, shared_options
from headway.cli.output import say, write_json
from headway.cli.tables import Column, print_table
from headway.cli.times import age, dated, now


@click.group(name="workspace")
@shared_options
def command() -> None:
    """Make and list the workspaces of a server."""


@command.command(name="create")
@click.argument("name")
@server_options
@shared_options
@click.pass_obj
def create(call: Call, where: Where, name: str) -> int:
    """Make the workspace NAME. Its address is that of the server with /NAME behind it."""
    with open_accounts(call, where) as accounts:
        made = accounts.create_workspace(name)
    if call.json:
        write_json(dated(msgspec.to_builtins(made)))
    else:
        say(f"headway: workspace {name!r} is there; 'headway member set' lets users in")
    return 0


@command.command(name="list")
@server_options
@shared_options
@click.pass_obj
def list_workspaces(call: Call, where: Where) -> int:
    """List the workspaces that you may enter; on the server's machine, all."""
    with open_accounts(call, where) as accounts:
        found = accounts.workspaces()
    if call.json:
        write_json(dated(msgspec.to_builtins(found)))
        return 0
    at = now()
    print_table(
        [Column("NAME"), Column("CREATED")], [[w.name, age(w.created_at, at)] for w in found]
    )
    return 0
