"""Secrets: from environment variables and the system's keyring."""

from types import SimpleNamespace

import pytest

from headway import ConfigurationError, InvalidValueError, Keyvault, MissingPackageError, Workspace
from headway.client.keyrings import system_keyring
from headway.sdk.workspaces.secrets import variable_of


class FakeKeyringError(Exception):
    pass


class FakeKeyring:
    """A keyring in memory, which can be locked."""

    errors = SimpleNamespace(KeyringError=FakeKeyringError)

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service_name: str, username: str, /) -> str | None:
        self.look()
        return self.kept.get((service_name, username))

    def set_password(self, service_name: str, username: str, password: str, /) -> None:
        self.look()
        self.kept[service_name, username] = password

    def delete_password(self, service_name: str, username: str, /) -> None:
        self.look()
        del self.kept[service_name, username]

    def look(self) -> None:
        if self.locked:
            raise FakeKeyringError("it is locked")


@pytest.fixture
def keyring() -> FakeKeyring:
    return FakeKeyring()


def vault(keyring: FakeKeyring | None, **variables: str) -> Keyvault:
    return Keyvault("mine", variables, lambda: keyring)  # pyright: ignore[reportArgumentType]


def test_a_name_becomes_a_variable() -> None:
    assert variable_of("db-password.1") == "HEADWAY_SECRET_DB_PASSWORD_1"


def test_a_variable_goes_before_the_keyring(keyring: FakeKeyring) -> None:
    vault(keyring).set_secret("a-b", "from keyring")
    assert vault(keyring).get_secret("a-b") == "from keyring"
    assert vault(keyring, HEADWAY_SECRET_A_B="").get_secret("a-b") == "from keyring"
    assert vault(keyring, HEADWAY_SECRET_A_B="x").get_secret("a-b") == "x"
    assert vault(None, HEADWAY_SECRET_A_B="x").get_secrets(["a-b", "c"]) == {"a-b": "x", "c": None}


def test_the_keyring_is_written_listed_and_emptied(keyring: FakeKeyring) -> None:
    kept = vault(keyring, HEADWAY_SECRET_C="3")
    kept.set_secrets({"b": "2", "a": "1"})
    kept.set_secret("b", "new")
    assert kept.list_secrets() == [
        {"name": "C", "source": "environment"},
        {"name": "a", "source": "keyring"},
        {"name": "b", "source": "keyring"},
    ]
    kept.delete_secrets(["a", "absent"])
    assert (kept.get_secret("a"), kept.get_secret("b")) == (None, "new")
    assert Keyvault("other", {}, lambda: keyring).get_secret("b") is None  # pyright: ignore[reportArgumentType]


def test_without_a_keyring_secrets_are_read_but_not_kept() -> None:
    with pytest.raises(MissingPackageError, match=r"pip install keyring.*HEADWAY_SECRET_X"):
        vault(None).set_secret("x", "1")
    with pytest.raises(MissingPackageError):
        vault(None).delete_secret("x")
    assert vault(None).get_secret("x") is None
    assert vault(None).list_secrets() == []


def test_a_keyring_that_is_locked_says_so(keyring: FakeKeyring) -> None:
    keyring.locked = True
    with pytest.raises(ConfigurationError, match="it is locked"):
        vault(keyring).get_secret("x")
    assert vault(keyring, HEADWAY_SECRET_X="1").get_secret("x") == "1"


def test_what_is_no_secret_is_refused(keyring: FakeKeyring) -> None:
    for name in ("", 3, "a\nb", "headway:names"):
        with pytest.raises(InvalidValueError, match="secret name"):
            vault(keyring).get_secret(name)  # pyright: ignore[reportArgumentType]
    with pytest.raises(InvalidValueError, match="give a string"):
        vault(keyring).set_secret("x", 3)  # pyright: ignore[reportArgumentType]
    with pytest.raises(InvalidValueError, match="list of names"):
        vault(keyring).get_secrets("x")


def test_the_workspace_has_the_keyvault(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADWAY_SECRET_TOKEN", "42")
    assert workspace.get_default_keyvault().get_secret("token") == "42"
    monkeypatch.setitem(__import__("sys").modules, "keyring", None)
    assert system_keyring() is None
