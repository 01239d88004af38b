"""The workspaces of a server: which there are, and new ones."""

from contextlib import contextmanager
from typing import TYPE_CHECKING

from headway.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Generator

    from headway.client.accounts import RemoteAccounts


def names_on(url: str, settings: Settings) -> list[str]:
    """The workspaces that this user may enter, by name."""
    with _accounts(url, settings) as accounts:
        return sorted(one.name for one in accounts.workspaces())


def make_on(url: str, name: str, settings: Settings) -> None:
    """Make a workspace; that is for administrators."""
    with _accounts(url, settings) as accounts:
        accounts.create_workspace(name)


@contextmanager
def _accounts(url: str, settings: Settings) -> "Generator[RemoteAccounts]":
    # They bring urllib3, which a workspace in a folder does not need.
    from headway.client.accounts import RemoteAccounts  # noqa: PLC0415
    from headway.client.connection import Connection  # noqa: PLC0415
    from headway.client.credentials import Credentials  # noqa: PLC0415

    token = Credentials().token(url)

    def connect(workspace: str) -> Connection:
        return Connection(url, workspace, token=token, timeout_s=settings.server_timeout_s)

    accounts = RemoteAccounts(connect)
    try:
        yield accounts
    finally:
        accounts.close()
