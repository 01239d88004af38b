"""``headway login``: keep a token for a server."""

import os
import shlex
import sys
from contextlib import closing
from typing import Final
from urllib.parse import parse_qs, urlsplit

import click

from headway.cli.administering import remote_accounts
from headway.cli.call import Call, shared_options
from headway.cli.opening import settings_of
from headway.cli.output import say, write_json
from headway.client.credentials import VARIABLE, Credentials, server_of
from headway.errors import InvalidValueError
from headway.settings import Settings

_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_LONGEST_TOKEN: Final = 1_000


@click.command(name="login")
@click.argument("url")
@click.option("--token-stdin", is_flag=True, help="Read the token from standard input.")
@click.option("--keyring", is_flag=True, help="Keep it in the system's keyring, not in a file.")
@shared_options
@click.pass_obj
def command(call: Call, url: str, token_stdin: bool, keyring: bool) -> int:
    """Keep a token for the server at URL, for all programs of this user.

    URL is its address, and the token is asked for; or it is the one-time link that 'headway server'
    or 'headway token link' printed.
    """
    settings, credentials = settings_of(call), Credentials()
    server = server_of(url)
    token = _token(url, server, settings, from_stdin=token_stdin)
    with closing(remote_accounts(server, settings, token)) as accounts:
        me = accounts.me()
    credentials.keep(server, token, in_keyring=keyring)
    if call.json:
        write_json({"server": server, "user": me.user, "workspaces": me.workspaces})
        return 0
    opened = ", ".join(f"{name} ({scope})" for name, scope in me.workspaces.items()) or "none yet"
    say(f"headway: signed in to {server} as {me.user!r}; workspaces: {opened}")
    say(f"headway: the token is kept in {'the keyring' if keyring else credentials.file}")
    if not settings.workspace:
        say(f"headway: to work with this server: export HEADWAY_WORKSPACE={shlex.quote(server)}")
    _warn(server)
    return 0


def _token(url: str, server: str, settings: Settings, *, from_stdin: bool) -> str:
    code = parse_qs(urlsplit(url).query).get("code", [""])[0]
    if code:
        if from_stdin:
            raise click.UsageError("the link brings a token: leave --token-stdin out")
        with closing(remote_accounts(server, settings, "")) as accounts:
            return accounts.redeem(code, note=f"headway login on {os.uname().nodename}").secret
    if from_stdin:
        given = sys.stdin.read(_LONGEST_TOKEN)
    else:
        given = click.prompt("Token", hide_input=True, err=True)
    token = str(given).strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise InvalidValueError("what was given is no token: give the text that begins with hw_")
    return token


def _warn(server: str) -> None:
    parts = urlsplit(server)
    if parts.scheme == "http" and parts.hostname not in _LOCAL:
        say("headway: warning: without TLS (https) everybody on the way can read the token")
    if os.environ.get(VARIABLE):
        say(f"headway: warning: {VARIABLE} is set, and is used in place of the token kept")
