"""``headway user``: the users of a server."""

import click
import msgspec

from headway.cli.administering import Where, open_accounts, server_options
from headway.cli.call import Call, shared_options
from headway.cli.output import say, write_json
from headway.cli.tables import Column, print_table
from headway.cli.times import age, dated, now


@click.group(name="user")
@shared_options
def command() -> None:
    """Make, list and remove the users of a server."""


@command.command(name="add")
@click.argument("name")
@click.option("--admin", is_flag=True, help="Who administers the server and all workspaces.")
@server_options
@shared_options
@click.pass_obj
def add(call: Call, where: Where, name: str, admin: bool) -> int:
    """Make the user NAME. Let them in with 'headway member set' and 'headway token create'."""
    with open_accounts(call, where) as accounts:
        user = accounts.add_user(name, admin=admin)
    if call.json:
        write_json(dated(msgspec.to_builtins(user)))
    else:
        say(f"headway: user {name!r} is made")
    return 0


@command.command(name="list")
@server_options
@shared_options
@click.pass_obj
def list_users(call: Call, where: Where) -> int:
    """List the users."""
    with open_accounts(call, where) as accounts:
        users = accounts.users()
    if call.json:
        write_json(dated(msgspec.to_builtins(users)))
        return 0
    at = now()
    rows = [[user.name, "yes" if user.admin else "", age(user.created_at, at)] for user in users]
    print_table([Column("NAME"), Column("ADMIN"), Column("CREATED")], rows)
    return 0


@command.command(name="remove")
@click.argument("name")
@server_options
@shared_options
@click.pass_obj
def remove(call: Call, where: Where, name: str) -> int:
    """Remove the user NAME with all tokens. Runs stay."""
    with open_accounts(call, where) as accounts:
        accounts.remove_user(name)
    if call.json:
        write_json({"name": name, "removed": True})
    else:
        say(f"headway: user {name!r} is removed")
    return 0
