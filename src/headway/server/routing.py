"""From a method and a path to an operation and the values in the path."""

from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import unquote

from headway.wire.operation import Operation

_LONGEST_PATH: Final = 8_192


class Route:
    """A place in the tree of paths."""

    def __init__(self) -> None:
        self.words: dict[str, Route] = {}
        self.value: Route | None = None
        self.methods: dict[str, Operation[Any, Any]] = {}
        self.names: list[str] = []


class Routes:
    """All operations by method and path.

    A path is split where it has slashes of its own, and decoded afterwards: an encoded slash is
    part of a value.
    """

    def __init__(self, operations: Iterable[Operation[Any, Any]]) -> None:
        self._root = Route()
        for operation in operations:
            self._add(operation)

    def find(self, raw_path: bytes) -> tuple[Route, dict[str, str]] | None:
        """The place that a path leads to and the values in it; None where there is none."""
        if len(raw_path) > _LONGEST_PATH:
            return None
        try:
            parts = [unquote(part, errors="strict") for part in raw_path.decode("ascii").split("/")]
        except UnicodeDecodeError:
            return None
        values: list[str] = []
        at = self._root
        for part in parts[1:]:
            step = at.words.get(part)
            if step is None:
                step = at.value
                values.append(part)
            if step is None:
                return None
            at = step
        if not at.methods:
            return None
        return at, dict(zip(at.names, values, strict=True))

    def _add(self, operation: Operation[Any, Any]) -> None:
        at = self._root
        names: list[str] = []
        for part in operation.template.split("/")[1:]:
            if part.startswith("{"):
                names.append(part[1:-1])
                at.value = at.value or Route()
                at = at.value
            else:
                at = at.words.setdefault(part, Route())
        if operation.method in at.methods or (at.names and at.names != names):
            raise ValueError(f"{operation.name}: {operation.template} has two meanings")
        at.methods[operation.method] = operation
        at.names = names
