"""The tokens of a user, kept where nobody else can read them."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from headway.client.credentials import VARIABLE, Credentials, server_of
from headway.errors import ConfigurationError, InvalidValueError, MissingPackageError

if TYPE_CHECKING:
    from headway.client.keyrings import KeyringErrors

URL = "https://headway.example"


class LockedError(Exception):
    pass


class Errors:
    KeyringError: type[Exception] = LockedError


class MemoryKeyring:
    """A keyring that forgets everything in the end, and can be locked."""

    def __init__(self) -> None:
        self.errors: KeyringErrors = Errors()
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service_name: str, username: str, /) -> str | None:
        self._look()
        return self.kept.get((service_name, username))

    def set_password(self, service_name: str, username: str, password: str, /) -> None:
        self._look()
        self.kept[service_name, username] = password

    def delete_password(self, service_name: str, username: str, /) -> None:
        self._look()
        del self.kept[service_name, username]

    def _look(self) -> None:
        if self.locked:
            raise LockedError("locked")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config" / "credentials.json"


def test_a_token_is_kept_for_its_server_alone(file: Path) -> None:
    credentials = Credentials(file, {})
    assert credentials.token(URL) == ""
    credentials.keep(URL, "hw_one")
    credentials.keep("http://localhost:8850", "hw_two")
    credentials.keep(URL, "hw_three")
    assert credentials.token(f"{URL}/team") == "hw_three"
    assert credentials.token("https://headway.example:443") == "hw_three"
    assert credentials.token("http://LOCALHOST:8850/") == "hw_two"
    for other in ("http://headway.example", f"{URL}.evil.example", f"{URL}:8443"):
        assert credentials.token(other) == ""


def test_a_token_is_forgotten(file: Path) -> None:
    credentials = Credentials(file, {})
    credentials.keep(URL, "hw_one")
    assert credentials.forget(URL)
    assert not credentials.forget(URL)
    assert credentials.token(URL) == ""
    assert "hw_one" not in file.read_text()


def test_the_variable_goes_before_the_file(file: Path) -> None:
    Credentials(file, {}).keep(URL, "hw_kept")
    assert Credentials(file, {VARIABLE: " hw_given\n"}).token(URL) == "hw_given"
    assert Credentials(file, {VARIABLE: ""}).token(URL) == "hw_kept"


def test_nobody_else_can_read_the_file(file: Path) -> None:
    before = os.umask(0)
    try:
        Credentials(file, {}).keep(URL, "hw_one")
    finally:
        os.umask(before)
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in file.parent.iterdir()] == [file.name]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_that_others_can_read_is_not_used(file: Path, mode: int) -> None:
    credentials = Credentials(file, {})
    credentials.keep(URL, "hw_one")
    file.chmod(mode)
    for act in (lambda: credentials.token(URL), lambda: credentials.keep(URL, "hw_two")):
        with pytest.raises(ConfigurationError, match="chmod 600"):
            act()


def test_a_link_in_the_place_of_the_file_is_not_followed(file: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.json"
    elsewhere.write_text("{}")
    elsewhere.chmod(0o600)
    file.parent.mkdir()
    file.symlink_to(elsewhere)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        Credentials(file, {}).token(URL)


@pytest.mark.parametrize("content", ["", "[]", '{"x": 1}', '{"x": {"token": 7}}', "\udcff"])
def test_a_damaged_file_is_named(file: Path, content: str) -> None:
    file.parent.mkdir()
    file.write_bytes(content.encode(errors="surrogateescape"))
    file.chmod(0o600)
    with pytest.raises(ConfigurationError, match="headway login"):
        Credentials(file, {}).token(URL)


def test_a_token_in_the_keyring_stands_in_no_file(file: Path) -> None:
    keyring = MemoryKeyring()
    credentials = Credentials(file, {}, lambda: keyring)
    credentials.keep(URL, "hw_one", in_keyring=True)
    assert "hw_one" not in file.read_text()
    assert json.loads(file.read_text()) == {server_of(URL): {"in_keyring": True}}
    assert credentials.token(URL) == "hw_one"
    assert Credentials(file, {}, lambda: None).token(URL) == ""
    keyring.locked = True
    with pytest.raises(ConfigurationError, match="unlock it"):
        credentials.token(URL)
    keyring.locked = False
    credentials.forget(URL)
    assert keyring.kept == {}


def test_without_the_package_there_is_no_keyring(file: Path) -> None:
    with pytest.raises(MissingPackageError, match="pip install keyring"):
        Credentials(file, {}, lambda: None).keep(URL, "hw_one", in_keyring=True)


@pytest.mark.parametrize(
    "url", ["", "headway.example", "ftp://x", "https://", "http://[::1", "x:y"]
)
def test_what_is_no_url_of_a_server_is_refused(file: Path, url: str) -> None:
    with pytest.raises(InvalidValueError, match="no URL of a server"):
        Credentials(file, {}).token(url)
