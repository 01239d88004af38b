"""``headway token``: tokens of a server, made, listed, revoked."""

import click
import msgspec

from headway.accounts import NewToken, Scope, Token
from headway.cli.administering import Where, open_accounts, server_options
from headway.cli.ages import Age
from headway.cli.call import Call, shared_options
from headway.cli.output import say, write, write_json
from headway.cli.tables import Column, print_table
from headway.cli.times import age, dated, moment, now
from headway.errors import UnsupportedError

SCOPES = click.Choice([scope.value for scope in Scope])


@click.group(name="token")
@shared_options
def command() -> None:
    """Make, list and revoke the tokens of a server.

    On the server's machine, or from anywhere with a token of scope admin.
    """


@command.command(name="create")
@click.option("--user", default="admin", show_default=True, help="Whose token it is.")
@click.option("--scope", type=SCOPES, default="write", show_default=True, help="What it may do.")
@click.option("--expires", metavar="AGE", type=Age(), help="Such as 30d. Default: never.")
@click.option("--only", metavar="NAME", help="The only workspace that it opens.")
@click.option("--note", default="", help="What it is for.")
@server_options
@shared_options
@click.pass_obj
def create(
    call: Call,
    where: Where,
    user: str,
    scope: str,
    expires: float | None,
    only: str | None,
    note: str,
) -> int:
    """Make a token and print it. It is shown this once."""
    new = NewToken(user, Scope(scope), workspace=only, note=note, lifetime_s=expires)
    with open_accounts(call, where) as accounts:
        issued = accounts.issue(new)
    if call.json:
        write_json(dated({**msgspec.to_builtins(issued.token), "secret": issued.secret}))
        return 0
    write(issued.secret)
    say(f"headway: token {issued.token.id} of {user!r}, scope {scope}; it is not shown again")
    return 0


@command.command(name="list")
@click.option("--user", help="Only those of one user.")
@click.option("--all", "everything", is_flag=True, help="Also those that are not valid any more.")
@server_options
@shared_options
@click.pass_obj
def list_tokens(call: Call, where: Where, user: str | None, everything: bool) -> int:
    """List tokens, newest first, without their secrets."""
    with open_accounts(call, where) as accounts:
        found = accounts.tokens(user)
    at = now()
    shown = [token for token in found if everything or _state(token, at) == "valid"]
    if call.json:
        write_json(dated(msgspec.to_builtins(shown)))
        return 0
    titles = ("ID", "USER", "SCOPE", "WORKSPACE", "STATE", "EXPIRES", "LAST USED", "NOTE")
    rows = [
        [
            token.id,
            token.user,
            token.scope.value,
            token.workspace or "all",
            _state(token, at),
            moment(token.expires_at) if token.expires_at else "never",
            age(token.last_used_at, at),
            token.note,
        ]
        for token in shown
    ]
    print_table([Column(title, shorten=title == "NOTE") for title in titles], rows)
    return 0


@command.command(name="revoke")
@click.argument("token_id", metavar="ID")
@server_options
@shared_options
@click.pass_obj
def revoke(call: Call, where: Where, token_id: str) -> int:
    """Make the token with this ID useless at once."""
    with open_accounts(call, where) as accounts:
        revoked = accounts.revoke(token_id)
    if call.json:
        write_json(dated(msgspec.to_builtins(revoked)))
    else:
        say(f"headway: token {revoked.id} of {revoked.user!r} is revoked")
    return 0


@command.command(name="link")
@click.option("--user", default="admin", show_default=True, help="Who signs in with it.")
@click.option("--url", required=True, help="The address of the server, as its users write it.")
@server_options
@shared_options
@click.pass_obj
def link(call: Call, where: Where, user: str, url: str) -> int:
    """Print a link that signs a user in once, within 15 minutes; on the server's machine only."""
    with open_accounts(call, where) as accounts:
        make = getattr(accounts, "code", None)
        if make is None:
            raise UnsupportedError(
                "links are made on the server's machine: run this there, with --root FOLDER"
            )
        code: str = make(user)
    address = f"{url.rstrip('/')}/login?code={code}"
    if call.json:
        write_json({"user": user, "link": address})
    else:
        write(address)
    return 0


def _state(token: Token, at: int) -> str:
    if token.revoked_at is not None:
        return "revoked"
    return "expired" if token.expires_at is not None and token.expires_at <= at else "valid"
