"""``headway server``: serve workspaces to a team."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import click

import headway
from headway.cli.call import Call, shared_options
from headway.cli.opening import settings_of
from headway.cli.output import say, write, write_json_line
from headway.errors import ConfigurationError, MissingPackageError
from headway.settings import Settings

if TYPE_CHECKING:
    from headway.server.listening import Certificate

_PORT: Final = 8850
_FOLDER: Final = "server"


class _Options(NamedTuple):
    host: str
    port: int
    root: Path | None
    database: str
    files: str
    certificate: Path | None
    key: Path | None
    trusted_proxy: tuple[str, ...]
    allowed_host: tuple[str, ...]
    insecure_http: bool
    threads: int


@click.command(name="server")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    default=_PORT,
    show_default=True,
    type=click.IntRange(0, 65_535),
    help="Port to listen on; 0 for one that is free.",
)
@click.option(
    "--root",
    metavar="FOLDER",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where everything is kept. Default: server in Headway's home.",
)
@click.option(
    "--database",
    metavar="URL",
    default="",
    help="postgresql://..., in place of SQLite files in the folder. Without a password in it: "
    "PGPASSWORD and ~/.pgpass are read.",
)
@click.option(
    "--files",
    metavar="URL",
    default="",
    help="s3://..., az://... or gs://... for files, in place of the folder.",
)
@click.option(
    "--certificate", metavar="FILE", type=click.Path(path_type=Path), help="For TLS, in PEM form."
)
@click.option(
    "--key", metavar="FILE", type=click.Path(path_type=Path), help="The key of the certificate."
)
@click.option(
    "--trusted-proxy",
    metavar="ADDRESS",
    multiple=True,
    help="Address or network of a proxy before the server, which does TLS and whose X-Forwarded "
    "headers are believed. May be repeated.",
)
@click.option(
    "--allowed-host",
    metavar="NAME",
    multiple=True,
    help="A further name that the server is reached by. May be repeated.",
)
@click.option(
    "--insecure-http", is_flag=True, help="Listen beyond this machine without TLS all the same."
)
@click.option(
    "--threads",
    metavar="N",
    default=16,
    show_default=True,
    type=click.IntRange(1, 256),
    help="How many requests are worked on at a time.",
)
@shared_options
@click.pass_obj
def command(call: Call, **given: object) -> int:
    """Serve workspaces to a team, until it is stopped by SIGTERM or Ctrl-C.

    Every request needs a token. The first start prints a link, valid once and for 15 minutes: give
    it to 'headway login', or open it in a browser. Several servers may share one PostgreSQL
    database and one object store.
    """
    options = _Options(**given)  # pyright: ignore[reportArgumentType]  (click has checked them)
    settings = settings_of(call)
    try:
        _serve(call, options, settings)
    except ModuleNotFoundError as error:
        raise MissingPackageError(
            f"the server needs the package {error.name!r}, which {sys.executable} lacks: install "
            "headway[server] there"
        ) from error
    return 0


def _serve(call: Call, options: _Options, settings: Settings) -> None:
    # An extra, and nothing that other commands should wait for.
    from headway.server import hosts, logs  # noqa: PLC0415
    from headway.server.access import TokenGate  # noqa: PLC0415
    from headway.server.app import make_app  # noqa: PLC0415
    from headway.server.backends import Backends  # noqa: PLC0415
    from headway.server.guard import GuardRules  # noqa: PLC0415
    from headway.server.listening import Listener  # noqa: PLC0415
    from headway.server.stopping import Stopping  # noqa: PLC0415
    from headway.server.workspaces import Hub  # noqa: PLC0415

    certificate = _certificate(options)
    proxies = hosts.trusted_networks(options.trusted_proxy)
    hosts.check_exposure(
        options.host,
        encrypted=certificate is not None,
        networks=proxies,
        insecure_http=options.insecure_http,
    )
    names = hosts.allowed_names(options.host, options.allowed_host, os.uname().nodename)
    root = (options.root or settings.home / _FOLDER).expanduser().absolute()
    logs.configure(sys.stderr, as_json=call.json)
    stopping = Stopping()
    backends = Backends(root, options.database, options.files, patience_s=settings.busy_timeout_s)
    hub = Hub(backends, settings)
    app = make_app(
        hub,
        TokenGate(hub.accounts),
        rules=GuardRules(hosts=names, proxies=proxies),
        stopping=stopping,
        threads=options.threads,
    )
    listener = Listener(
        app, host=options.host, port=options.port, certificate=certificate, stopping=stopping
    )
    _announce(call, listener.url, str(root), hub.accounts.first_code())
    listener.run()


def _certificate(options: _Options) -> "Certificate | None":
    from headway.server.listening import Certificate  # noqa: PLC0415  (an extra)

    if options.certificate is None:
        if options.key is not None:
            raise ConfigurationError("--key was given without --certificate: give both")
        return None
    return Certificate(options.certificate, options.key)


def _announce(call: Call, url: str, root: str, code: str | None) -> None:
    """Say where the server is, and at its first start how to get in."""
    link = f"{url}/login?code={code}" if code else None
    if call.json:
        write_json_line({"url": url, "root": root, "link": link, "version": headway.__version__})
        return
    write(f"headway server at {url}")
    say(f"headway: everything is kept in {root}")
    if link:
        write(f"sign in once, within 15 minutes: headway login '{link}'")
