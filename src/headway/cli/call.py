"""What all commands share: the options that each takes, and what was given for them."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

_F = TypeVar("_F", bound=Callable[..., Any])


class Call:
    """One call of the command, as far as it is the same for all commands.

    Attributes:
        json: Whether one JSON document is wanted instead of text for people.
        workspace: The folder or URL given; None for what settings and config files say.
    """

    def __init__(self) -> None:
        self.json = False
        self.workspace: str | None = None


def _set_workspace(context: click.Context, _: click.Parameter, value: str | None) -> None:
    if value is not None:
        context.ensure_object(Call).workspace = value


def _set_json(context: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        context.ensure_object(Call).json = True


def shared_options(function: _F) -> _F:
    """Add the options that every command takes, and the group itself."""
    function = click.option(
        "--json",
        is_flag=True,
        expose_value=False,
        is_eager=True,
        callback=_set_json,
        help="Write JSON instead of text.",
    )(function)
    return click.option(
        "--workspace",
        metavar="PLACE",
        expose_value=False,
        is_eager=True,
        callback=_set_workspace,
        help="Folder or URL of the workspace. Default: HEADWAY_WORKSPACE, a config.json, yours.",
    )(function)
