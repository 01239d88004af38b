"""What tests of the server and of the client stand on."""

from collections.abc import Mapping
from typing import Any, Final

from headway.accounts import Principal, Scope
from headway.wire.operation import Operation

ADMIN: Final = Principal(user="tester", admin=True, scope=Scope.ADMIN, token_id="test")


class Everyone:
    """A gate that takes every request for one of the same principal."""

    def __init__(self, principal: Principal) -> None:
        self._principal = principal

    def admit(
        self,
        operation: Operation[Any, Any],
        workspace: str | None,
        headers: Mapping[str, str],
        address: str,
    ) -> Principal:
        return self._principal

    def authenticate(self, headers: Mapping[str, str], address: str) -> Principal:
        return self._principal
