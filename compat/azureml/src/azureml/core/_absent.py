"""Names that Headway has no counterpart of: they can be imported, and say so when they are used."""

from typing import NoReturn

from headway.errors import UnsupportedError
from headway.migration.table import instead_of


class UnsupportedModuleError(UnsupportedError, ImportError):
    """A module of the original that Headway has no counterpart of."""


class Absent:
    """Stands for a class or function that is not there.

    Args:
        name: Its row in Headway's table of the API, which says what to do instead.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def _refuse(self, used: str) -> NoReturn:
        raise UnsupportedError(f"{used} is not there on Headway: {instead_of(self._name)}")

    def __call__(self, *args: object, **kwargs: object) -> NoReturn:
        self._refuse(f"{self._name}()")

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("_"):  # what Python itself asks of every object
            raise AttributeError(f"{self._name} is not there on Headway")
        self._refuse(f"{self._name}.{name}")

    def __mro_entries__(self, bases: tuple[object, ...]) -> NoReturn:
        self._refuse(f"a class made from {self._name}")

    def __instancecheck__(self, instance: object) -> bool:
        return False

    def __repr__(self) -> str:
        return f"<{self._name}, which is not there on Headway: {instead_of(self._name)}>"


def absent_module(name: str) -> UnsupportedModuleError:
    """The error for who imports a module that is not there."""
    return UnsupportedModuleError(f"{name} is not there on Headway: {instead_of(name)}")
