"""TLS by certificate files."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from headway.accounts import NewToken
from headway.client.connection import Connection
from headway.errors import ConfigurationError, HeadwayError
from headway.server.access import TokenGate
from headway.server.app import make_app
from headway.server.backends import Backends
from headway.server.listening import Certificate, Listener, in_thread
from headway.server.workspaces import Hub
from headway.settings import load_settings
from headway.wire import accounts as table
from headway.wire.workspace import Nothing

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "localhost", "::1"])


@pytest.fixture
def certificate(tmp_path: Path, require_program: Callable[[str], str]) -> Certificate:
    """One that this machine has signed for itself."""
    files = Certificate(tmp_path / "certificate.pem", tmp_path / "key.pem")
    subprocess.run(
        [
            *(require_program("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes"),
            *("-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
            *("-out", str(files.certificate), "-keyout", str(files.key)),
        ],
        check=True,
        capture_output=True,
    )
    return files


def test_a_client_that_knows_the_certificate_is_served(
    certificate: Certificate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = Hub(Backends(tmp_path / "root", patience_s=10.0), load_settings({}))
    hub.accounts.add_user("ada")
    token = hub.accounts.issue(NewToken("ada")).secret
    app = make_app(hub, TokenGate(hub.accounts))
    listener = Listener(app, host="127.0.0.1", port=0, certificate=certificate)
    with in_thread(listener) as url:
        assert url.startswith("https://")
        named = url.replace("127.0.0.1", "localhost")

        def ask() -> table.Me:
            connection = Connection(named, "", token=token, timeout_s=0.1)
            try:
                return connection.call(table.ME, Nothing())
            finally:
                connection.close()

        with pytest.raises(HeadwayError, match="SSL_CERT_FILE"):
            ask()
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate.certificate))
        assert ask().user == "ada"


def test_files_that_are_no_certificate_are_named(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("no certificate")
    hub = Hub(Backends(tmp_path / "root", patience_s=10.0), load_settings({}))
    app = make_app(hub, TokenGate(hub.accounts))
    for file in (wrong, tmp_path / "absent.pem"):
        with pytest.raises(ConfigurationError, match="PEM"):
            Listener(app, host="127.0.0.1", port=0, certificate=Certificate(file, None))
    hub.close()
