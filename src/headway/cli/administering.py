"""Opening what a server knows of its users: on its machine, or from anywhere with a token."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import click

from headway.accounts import Accounts
from headway.cli.call import Call
from headway.cli.opening import place_of, settings_of
from headway.client.accounts import RemoteAccounts
from headway.client.connection import Connection
from headway.client.credentials import Credentials
from headway.errors import ConfigurationError, InvalidValueError
from headway.settings import Settings

_F = TypeVar("_F", bound=Callable[..., Any])

SERVER_FOLDER: Final = "server"
"""Where a server keeps everything by default, in Headway's home."""


class Where(NamedTuple):
    """Which server is meant, as it was given."""

    root: Path | None
    database: str


def server_options(function: _F) -> _F:
    """Add the options that say which server is meant; the function gets ``where``."""

    def with_where(*arguments: Any, root: Path | None, database: str, **given: Any) -> Any:  # noqa: ANN401
        return function(*arguments, where=Where(root, database), **given)

    with_where.__name__, with_where.__doc__ = function.__name__, function.__doc__
    with_where.__click_params__ = getattr(function, "__click_params__", [])  # pyright: ignore[reportFunctionMemberAccess]
    wrapped = click.option(
        "--database",
        metavar="URL",
        default="",
        help="On the server's machine: its postgresql:// URL, where it has one.",
    )(with_where)
    return click.option(  # pyright: ignore[reportReturnType]
        "--root",
        metavar="FOLDER",
        type=click.Path(file_okay=False, path_type=Path),
        help="On the server's machine: its folder. Default: the server of --workspace or "
        "HEADWAY_WORKSPACE, else the one that this user runs here.",
    )(wrapped)


def open_accounts(call: Call, where: Where) -> closing[Accounts]:
    """What the server that is meant knows, to be closed.

    Raises:
        ConfigurationError: No server is meant.
    """
    settings = settings_of(call)
    if where.root is None and not where.database:
        place = place_of(settings)
        if place.url:
            return closing(remote_accounts(place.url, settings))
        if not (settings.home / SERVER_FOLDER / "registry.db").exists():
            raise ConfigurationError(
                "no server is named: give --root FOLDER on its machine, or --workspace URL after "
                "'headway login URL'"
            )
    root = where.root or settings.home / SERVER_FOLDER
    return closing(_local_accounts(root.expanduser().absolute(), where.database, settings))


def remote_accounts(url: str, settings: Settings, token: str | None = None) -> RemoteAccounts:
    """What a server knows.

    Args:
        url: Of the server.
        settings: The settings that hold.
        token: Who asks; None for the token that this user keeps for it.
    """
    secret = Credentials().token(url) if token is None else token

    def connect(workspace: str) -> Connection:
        return Connection(url, workspace, token=secret, timeout_s=settings.server_timeout_s)

    return RemoteAccounts(connect)


def workspace_of(call: Call, given: str | None) -> str:
    """The name of the workspace on a server that is meant."""
    if given is not None:
        if not given.strip():
            raise InvalidValueError("the name of the workspace is empty")
        return given
    place = place_of(settings_of(call))
    return place.name if place.url else "default"


def _local_accounts(root: Path, database: str, settings: Settings) -> Accounts:
    # Only on the server's machine.
    from headway.server.backends import Backends  # noqa: PLC0415
    from headway.server.registry import Registry  # noqa: PLC0415

    if not database and not (root / "registry.db").exists():
        raise ConfigurationError(
            f"there is no server in {root}: give the --root that 'headway server' was given"
        )
    return Registry(Backends(root, database, patience_s=settings.busy_timeout_s).registry())
