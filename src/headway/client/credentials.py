"""The tokens of a user, one for each server, where nobody else can read them.

A token is looked for in the environment variable ``HEADWAY_TOKEN``, then in ``credentials.json``
beside the user's ``config.toml``. That file is made with mode 0600, and not used when others may
read it. Where a token was put into the system's keyring instead, the file says so.
"""

import json
import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec

from headway.client.keyrings import Keyring, system_keyring
from headway.errors import ConfigurationError, InvalidValueError, MissingPackageError
from headway.settings import user_config_file

VARIABLE: Final = "HEADWAY_TOKEN"

_SERVICE: Final = "headway/tokens"
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


class _Kept(msgspec.Struct, frozen=True, omit_defaults=True):
    token: str = ""
    in_keyring: bool = False


_Servers = dict[str, _Kept]


class Credentials:
    """The tokens of this user.

    Args:
        file: Where they are kept; None for the user's own.
        environment: Where ``HEADWAY_TOKEN`` is looked up.
        keyring: How the keyring is found when it is needed.
    """

    def __init__(
        self,
        file: Path | None = None,
        environment: Mapping[str, str] = os.environ,
        keyring: Callable[[], Keyring | None] = system_keyring,
    ) -> None:
        self.file = file or user_config_file().with_name("credentials.json")
        self._environment = environment
        self._keyring = keyring

    def token(self, url: str) -> str:
        """The token for a server; empty where there is none.

        Raises:
            ConfigurationError: The file can be read by others, or not be read at all.
        """
        if given := self._environment.get(VARIABLE, ""):
            return given.strip()
        server = server_of(url)
        kept = self._read().get(server)
        if kept is None or not kept.in_keyring:
            return kept.token if kept else ""
        keyring = self._keyring()
        return (self._ask(keyring, server) if keyring else None) or ""

    def keep(self, url: str, token: str, *, in_keyring: bool = False) -> None:
        """Keep the token for a server, in place of the one before.

        Raises:
            MissingPackageError: The package ``keyring`` is wanted and not installed.
            ConfigurationError: It cannot be written.
        """
        server = server_of(url)
        if in_keyring:
            keyring = self._keyring()
            if keyring is None:
                raise MissingPackageError(
                    "the system's keyring needs a package: pip install keyring; or leave "
                    f"--keyring out to keep the token in {self.file}"
                )
            self._used(keyring, lambda: keyring.set_password(_SERVICE, server, token))
        kept = _Kept(in_keyring=True) if in_keyring else _Kept(token)
        self._write({**self._read(), server: kept})

    def forget(self, url: str) -> bool:
        """Forget the token for a server, and say whether there was one."""
        server, kept = server_of(url), self._read()
        found = kept.pop(server, None)
        if found is None:
            return False
        keyring = self._keyring() if found.in_keyring else None
        if keyring is not None:
            self._used(keyring, lambda: keyring.delete_password(_SERVICE, server))
        self._write(kept)
        return True

    # ------------------------------------------------------------

    def _ask(self, keyring: Keyring, server: str) -> str | None:
        found: list[str | None] = []
        self._used(keyring, lambda: found.append(keyring.get_password(_SERVICE, server)))
        return found[0]

    def _used(self, keyring: Keyring, act: Callable[[], None]) -> None:
        try:
            act()
        except (keyring.errors.KeyringError, RuntimeError, OSError) as error:
            raise ConfigurationError(
                f"the system's keyring cannot be used: {error}; unlock it, or set {VARIABLE}"
            ) from error

    def _read(self) -> _Servers:
        try:
            fd = os.open(self.file, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise self._unreadable(error.strerror or str(error)) from error
        with os.fdopen(fd, "rb") as file:
            self._check_owner(os.fstat(fd))
            content = file.read()
        try:
            return msgspec.json.decode(content, type=_Servers)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise self._unreadable(str(error)) from error

    def _check_owner(self, status: os.stat_result) -> None:
        if not stat.S_ISREG(status.st_mode):
            raise self._unreadable("it is no ordinary file")
        if status.st_uid not in {os.geteuid(), 0}:
            raise self._unreadable("it belongs to another user")
        if status.st_mode & 0o077:
            raise ConfigurationError(
                f"{self.file} holds tokens, and others can read it: run 'chmod 600 {self.file}', "
                "and have tokens revoked that somebody may have seen"
            )

    def _write(self, kept: _Servers) -> None:
        content = json.dumps(msgspec.to_builtins(kept), indent=2).encode() + b"\n"
        beside = self.file.with_name(f".{self.file.name}.{os.urandom(6).hex()}")
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(fd, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(fd)
            beside.replace(self.file)
        except OSError as error:
            beside.unlink(missing_ok=True)
            raise ConfigurationError(
                f"the token cannot be kept in {self.file}: {error.strerror}; set {VARIABLE} instead"
            ) from error

    def _unreadable(self, why: str) -> ConfigurationError:
        return ConfigurationError(
            f"the tokens in {self.file} cannot be read: {why}; correct or remove it, then run "
            "'headway login URL'"
        )


def server_of(url: str) -> str:
    """A server as tokens are kept for it: scheme, host and port.

    Raises:
        InvalidValueError: It is no URL of a server.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise InvalidValueError(
            f"{url!r} is no URL of a server: give one such as https://headway.example.org"
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}:{port or _DEFAULT_PORTS[parts.scheme]}"
