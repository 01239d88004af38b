"""Secrets: looked up where the user keeps them, never kept in the workspace.

A secret ``db-password`` is looked for, in this order:

1. in the environment variable ``HEADWAY_SECRET_DB_PASSWORD``: the name in capitals, with ``_`` for
   every character that is no letter or digit. An empty variable counts as not set;
2. in the system's keyring, under the service ``headway/<workspace>``, where the package ``keyring``
   is installed.

A submitted program finds the variables of its submitter, and the same keyring.
"""

import os
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeVar, cast

from headway.checks import check_name
from headway.client.keyrings import Keyring, system_keyring
from headway.errors import ConfigurationError, InvalidValueError, MissingPackageError

_T = TypeVar("_T")

PREFIX: Final = "HEADWAY_SECRET_"

_MAX_NAME_CHARS: Final = 255
_INDEX: Final = "headway:names"
"""Under this name the keyring has the names of the others: keyrings cannot be listed."""
_INSTALL: Final = "pip install keyring"


def variable_of(name: str) -> str:
    """The environment variable in which a secret is looked for."""
    return PREFIX + re.sub(r"[^A-Z0-9]", "_", name.upper())


class Keyvault:
    """The secrets of a workspace: environment variables and the system's keyring.

    Args:
        workspace_name: Whose secrets they are.
        environment: Where variables are looked up.
        keyring: How the keyring is found when it is needed.
    """

    def __init__(
        self,
        workspace_name: str,
        environment: Mapping[str, str] = os.environ,
        keyring: Callable[[], Keyring | None] = system_keyring,
    ) -> None:
        self._service = f"headway/{workspace_name}"
        self._environment = environment
        self._keyring = keyring

    def get_secret(self, name: str) -> str | None:
        """The value of a secret; None where there is none.

        Raises:
            ConfigurationError: The keyring is there but cannot be read.
        """
        _checked(name)
        value = self._environment.get(variable_of(name))
        keyring = None if value else self._keyring()
        return value or (None if keyring is None else self._ask(keyring, name))

    def get_secrets(self, secrets: Iterable[str]) -> dict[str, str | None]:
        """The values of several secrets by name; None for those that there are not."""
        return {name: self.get_secret(name) for name in _names(secrets)}

    def set_secret(self, name: str, value: str) -> None:
        """Keep a secret in the system's keyring.

        Raises:
            MissingPackageError: The package ``keyring`` is not installed.
            ConfigurationError: The keyring cannot be written.
        """
        self.set_secrets({name: value})

    def set_secrets(self, secrets_dict: Mapping[str, str]) -> None:
        """Keep several secrets in the system's keyring."""
        for name, value in secrets_dict.items():
            if not isinstance(value, str):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise InvalidValueError(
                    f"the value of secret {name!r} was given as {type(value).__name__}: give a "
                    "string"
                )
            self._keep(_checked(name), value)

    def delete_secret(self, name: str) -> None:
        """Remove a secret from the keyring; one that is not there is no error."""
        keyring = self._needed(name)
        names = self._listed(keyring)
        if _checked(name) in names:
            _used(keyring, lambda: keyring.delete_password(self._service, name))
            self._write_index(keyring, [one for one in names if one != name])

    def delete_secrets(self, secrets: Iterable[str]) -> None:
        """Remove several secrets from the keyring."""
        for name in _names(secrets):
            self.delete_secret(name)

    def list_secrets(self) -> list[dict[str, str]]:
        """The names of the secrets, as dicts with the keys ``name`` and ``source``.

        Of environment variables the name is what stands behind ``HEADWAY_SECRET_``.
        """
        found = [
            {"name": variable.removeprefix(PREFIX), "source": "environment"}
            for variable in sorted(self._environment)
            if variable.startswith(PREFIX) and self._environment[variable]
        ]
        keyring = self._keyring()
        names = [] if keyring is None else self._listed(keyring)
        return found + [{"name": name, "source": "keyring"} for name in names]

    # ------------------------------------------------------------

    def _keep(self, name: str, value: str) -> None:
        keyring = self._needed(name)
        _used(keyring, lambda: keyring.set_password(self._service, name, value))
        names = self._listed(keyring)
        if name not in names:
            self._write_index(keyring, sorted([*names, name]))

    def _ask(self, keyring: Keyring, name: str) -> str | None:
        return _used(keyring, lambda: keyring.get_password(self._service, name))

    def _listed(self, keyring: Keyring) -> list[str]:
        text = self._ask(keyring, _INDEX)
        return text.split("\n") if text else []

    def _write_index(self, keyring: Keyring, names: list[str]) -> None:
        _used(keyring, lambda: keyring.set_password(self._service, _INDEX, "\n".join(names)))

    def _needed(self, name: str) -> Keyring:
        keyring = self._keyring()
        if keyring is None:
            raise MissingPackageError(
                f"secret {name!r} cannot be kept: secrets are never written into the workspace, "
                f"and the system's keyring needs a package ({_INSTALL}); or set the environment "
                f"variable {variable_of(name)} instead"
            )
        return keyring

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._service!r})"


def _checked(name: object) -> str:
    text = check_name("secret name", name, _MAX_NAME_CHARS)
    if text == _INDEX:
        raise InvalidValueError(f"secret name {text!r} is Headway's own: choose another one")
    return text


def _names(secrets: object) -> list[str]:
    if isinstance(secrets, str) or not isinstance(secrets, Iterable):
        raise InvalidValueError(
            f"secrets were given as {type(secrets).__name__} {secrets!r}: give a list of names"
        )
    return [_checked(name) for name in cast("Iterable[object]", secrets)]


def _used(keyring: Keyring, act: Callable[[], _T]) -> _T:
    try:
        return act()
    except (keyring.errors.KeyringError, RuntimeError, OSError) as error:
        raise ConfigurationError(
            f"the system's keyring cannot be used: {error}; unlock it, or set environment "
            f"variables {PREFIX}<NAME> instead"
        ) from error
