"""The system's keyring, through the package ``keyring`` where it is installed."""

import importlib
from typing import Protocol, cast


class KeyringErrors(Protocol):
    """The errors of the package ``keyring``."""

    KeyringError: type[Exception]


class Keyring(Protocol):
    """The part of the package ``keyring`` that is used."""

    errors: KeyringErrors

    def get_password(self, service_name: str, username: str, /) -> str | None:
        """One password, or None."""
        ...

    def set_password(self, service_name: str, username: str, password: str, /) -> None:
        """Keep a password."""
        ...

    def delete_password(self, service_name: str, username: str, /) -> None:
        """Forget a password."""
        ...


def system_keyring() -> Keyring | None:
    """The system's keyring; None where the package for it is not installed."""
    try:
        return cast("Keyring", importlib.import_module("keyring"))
    except ImportError:
        return None
