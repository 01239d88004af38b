"""``headway logout``: forget the token for a server."""

from contextlib import closing

import click

from headway.cli.administering import remote_accounts
from headway.cli.call import Call, shared_options
from headway.cli.opening import place_of, settings_of
from headway.cli.output import say, write_json
from headway.client.credentials import Credentials, server_of
from headway.errors import AccessError, InvalidValueError, ServerUnavailableError
from headway.settings import Settings


@click.command(name="logout")
@click.argument("url", required=False)
@click.option("--keep-valid", is_flag=True, help="Do not revoke it: other machines use it too.")
@shared_options
@click.pass_obj
def command(call: Call, url: str | None, keep_valid: bool) -> int:
    """Forget the token for the server at URL, and have the server revoke it.

    Without URL it is the server of HEADWAY_WORKSPACE.
    """
    settings = settings_of(call)
    credentials = Credentials(environment={})  # HEADWAY_TOKEN is not kept here
    server = server_of(url or _current(settings))
    token = credentials.token(server)
    revoked = bool(token) and not keep_valid and _revoke(server, token, settings)
    forgotten = credentials.forget(server)
    if call.json:
        write_json({"server": server, "forgotten": forgotten, "revoked": revoked})
    elif not forgotten:
        say(f"headway: no token was kept for {server}")
    else:
        say(f"headway: signed out of {server}" + ("" if revoked else "; the token stays valid"))
    return 0


def _current(settings: Settings) -> str:
    url = place_of(settings).url
    if not url:
        raise InvalidValueError("no server is named: give its URL, or set HEADWAY_WORKSPACE")
    return url


def _revoke(server: str, token: str, settings: Settings) -> bool:
    try:
        with closing(remote_accounts(server, settings, token)) as accounts:
            accounts.revoke_own()
    except AccessError:  # it is not valid any more as it is
        return True
    except ServerUnavailableError as error:
        say(f"headway: warning: the token could not be revoked: {error.message}")
        return False
    return True
