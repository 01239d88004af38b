"""What is named in the matched API and needs a service that Headway does not have."""

from typing import NoReturn

from headway.errors import UnsupportedError


def refuse(what: str, instead: str) -> NoReturn:
    """Say that something needs Azure, and what to do here.

    Args:
        what: The call as a user writes it.
        instead: What to do, as an imperative.

    Raises:
        UnsupportedError: Always.
    """
    raise UnsupportedError(f"{what} needs a service of Azure that Headway has not: {instead}")
