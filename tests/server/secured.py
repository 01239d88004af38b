"""A server with users and tokens, and requests byte by byte."""

import http.client
import json
import socket
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from headway.accounts import Member, NewToken, Scope
from headway.api import Api
from headway.server.access import TokenGate
from headway.server.app import make_app
from headway.server.backends import Backends
from headway.server.guard import GuardRules
from headway.server.listening import Listener, in_thread
from headway.server.workspaces import Hub
from headway.settings import load_settings

OURS: Final = "default"
THEIRS: Final = "theirs"
"""A workspace that only administrators may enter."""


class Answer:
    """What came back."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return self.json["error"]["code"]


class Secured:
    """A server, the tokens of its users, and ways to ask it."""

    def __init__(self, url: str, hub: Hub, root: Path) -> None:
        self.url = url
        self.hub = hub
        self.root = root
        self.port = urlsplit(url).port or 0
        for name in ("writer", "reader", "outsider"):
            hub.accounts.add_user(name)
        hub.accounts.create_workspace(THEIRS)
        hub.accounts.set_member(Member(OURS, "writer", Scope.WRITE))
        hub.accounts.set_member(Member(OURS, "reader", Scope.READ))
        self.admin = hub.accounts.redeem(hub.accounts.first_code() or "", note="test").secret
        self.writer, self.reader, self.outsider = (
            hub.accounts.issue(NewToken(user=name, scope=Scope.ADMIN)).secret
            for name in ("writer", "reader", "outsider")
        )

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request."""
        sent = dict(headers or {})
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, data, sent)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def api(self, workspace: str) -> Api:
        """A workspace itself, for its administrator."""
        access = self.hub.accounts.access(self.admin)
        assert access is not None
        return self.hub.context(workspace, access.principal, {}, "127.0.0.1").api

    def send(self, request: bytes) -> Answer:
        """Send these very bytes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as plain:
            plain.sendall(request)
            response = http.client.HTTPResponse(plain)
            response.begin()
            return Answer(response)


@contextmanager
def secured(
    root: Path, rules: GuardRules | None = None, *, database: str = ""
) -> Generator[Secured]:
    """A server for the while of a block."""
    hub = Hub(Backends(root, database, patience_s=10.0), load_settings({}))
    app = make_app(hub, TokenGate(hub.accounts), rules=rules)
    with in_thread(Listener(app, host="127.0.0.1", port=0)) as url:
        yield Secured(url, hub, root)
