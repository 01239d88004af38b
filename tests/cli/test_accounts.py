"""``headway login``, ``token``, ``user``, ``member``, ``workspace``: here and remotely."""

import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.cli.conftest import Cli
from tests.server.secured import Secured, secured

from headway.cli.program import program
from headway.client.credentials import Credentials
from headway.sdk.interactive.process import close_sessions

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


@pytest.fixture
def server(tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Iterator[Secured]:
    monkeypatch.delenv("HEADWAY_WORKSPACE", raising=False)
    with secured(tmp_path / "server") as made:
        yield made
        close_sessions()


def where(server: Secured, *, remote: bool, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """What names the server on a command line."""
    if not remote:
        return ("--root", str(server.root))
    monkeypatch.setenv("HEADWAY_TOKEN", server.admin)
    return ("--workspace", server.url)


@pytest.mark.parametrize("remote", [False, True], ids=["on its machine", "remotely"])
def test_a_user_is_let_in_and_shut_out(
    cli: Cli, server: Secured, monkeypatch: pytest.MonkeyPatch, remote: bool
) -> None:
    at = where(server, remote=remote, monkeypatch=monkeypatch)
    cli("workspace", "create", "team", *at)
    assert [one["name"] for one in cli.json("workspace", "list", *at)] == [
        "default",
        "team",
        "theirs",
    ]
    cli("user", "add", "ada", *at)
    assert {"name": "ada", "admin": False} in [
        {key: one[key] for key in ("name", "admin")} for one in cli.json("user", "list", *at)
    ]
    cli("member", "set", "ada", "--scope", "read", "--in", "team", *at)
    assert cli.json("member", "list", "--in", "team", *at) == [
        {"workspace": "team", "user": "ada", "scope": "read"}
    ]
    secret = cli("token", "create", "--user", "ada", "--expires", "30d", *at).stdout.strip()
    assert server.ask("GET", "/api/v1/me", token=secret).json["workspaces"] == {"team": "read"}
    [listed] = cli.json("token", "list", "--user", "ada", *at)
    assert listed["scope"] == "write"
    lifetime = datetime.fromisoformat(listed["expires_at"]) - datetime.fromisoformat(
        listed["created_at"]
    )
    assert lifetime == timedelta(days=30)
    assert secret not in cli("token", "list", *at).output
    cli("token", "revoke", listed["id"], *at)
    assert cli.json("token", "list", "--user", "ada", *at) == []
    assert "revoked" in cli("token", "list", "--all", *at).stdout
    cli("member", "remove", "ada", "--in", "team", *at)
    assert cli.json("member", "list", "--in", "team", *at) == []
    cli("user", "remove", "ada", *at)
    assert "ada" not in cli("user", "list", *at).stdout


def test_the_link_of_the_first_start_signs_in(cli: Cli, server: Secured) -> None:
    link = f"{server.url}/login?code={server.hub.accounts.code('writer')}"
    assert cli.json("login", link) == {
        "server": server.url,
        "user": "writer",
        "workspaces": {"default": "write"},
    }
    token = Credentials().token(server.url)
    assert server.ask("GET", "/api/v1/me", token=token).json["user"] == "writer"
    message = cli.error("login", link, code=2)
    assert "headway token link" in message
    assert Credentials().token(server.url) == token


def test_a_link_is_made_on_the_machine_of_the_server(
    cli: Cli, server: Secured, monkeypatch: pytest.MonkeyPatch
) -> None:
    local = ("token", "link", "--user", "reader", "--url", server.url)
    link = cli(*local, "--root", str(server.root)).stdout.strip()
    assert cli.json("login", link)["user"] == "reader"
    at = where(server, remote=True, monkeypatch=monkeypatch)
    assert "on the server's machine" in cli.error(*local, *at, code=3)


def test_a_token_is_read_from_standard_input_and_checked(cli: Cli, server: Secured) -> None:
    def login(token: str) -> tuple[int, str]:
        arguments = ["login", server.url, "--token-stdin"]
        result = CliRunner().invoke(program, arguments, input=token)
        return result.exit_code, result.output

    for wrong, code in (("hw_0123456789_" + "A" * 43, 9), ("", 2), ("a b", 2), ("é", 2)):
        assert login(wrong)[0] == code
        assert Credentials().token(server.url) == ""
    code, output = login(f"{server.reader}\n")
    assert code == 0
    assert server.reader not in output
    assert f"export HEADWAY_WORKSPACE={server.url}" in output
    assert Credentials().token(server.url) == server.reader


def test_logout_forgets_and_revokes(cli: Cli, server: Secured) -> None:
    Credentials().keep(server.url, server.reader)
    assert cli.json("logout", server.url)["revoked"] is True
    assert server.ask("GET", "/api/v1/me", token=server.reader).status == 401
    assert cli.json("logout", server.url) == {
        "server": server.url,
        "forgotten": False,
        "revoked": False,
    }


def test_logout_can_leave_the_token_valid(cli: Cli, server: Secured) -> None:
    Credentials().keep(server.url, server.reader)
    cli("logout", server.url, "--keep-valid")
    assert server.ask("GET", "/api/v1/me", token=server.reader).status == 200
    assert Credentials().token(server.url) == ""


def test_commands_work_with_the_token_that_is_kept(
    cli: Cli, server: Secured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADWAY_WORKSPACE", server.url)
    assert "headway login" in cli.error("list", code=9)
    Credentials().keep(server.url, server.reader)
    assert cli.json("list") == []
    message = cli.error("run", "-e", "x", "--", "true", code=9)
    assert "needs the scope write" in message
    assert "administrators" in cli.error("token", "list", code=9)


def test_where_no_server_is_named_it_is_said(cli: Cli, tmp_path: Path) -> None:
    assert "--root" in cli.error("user", "list", "--workspace", str(tmp_path / "w"), code=3)
    message = cli.error("user", "list", "--root", str(tmp_path / "absent"), code=3)
    assert "there is no server in" in message
    assert not os.path.lexists(tmp_path / "absent")


def test_the_first_administrator_comes_without_a_server_that_runs(
    cli: Cli, server: Secured
) -> None:
    cli("user", "add", "second", "--admin", "--root", str(server.root))
    secret = cli(
        "token", "create", "--user", "second", "--scope", "admin", "--root", str(server.root)
    ).stdout.strip()
    assert server.ask("GET", "/api/v1/me", token=secret).json["admin"] is True


def test_a_server_that_others_reach_without_tls_does_not_start(cli: Cli, tmp_path: Path) -> None:
    root = tmp_path / "unsafe"
    message = cli.error("server", "--host", "0.0.0.0", "--root", str(root), code=3)
    for way_out in ("--certificate", "--trusted-proxy", "--insecure-http"):
        assert way_out in message
    assert not root.exists()
