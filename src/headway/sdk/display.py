"""What notebooks show of a run, an experiment and a workspace, and offer for completion."""

from collections.abc import Iterable, Mapping
from html import escape
from typing import ClassVar, Final

from headway.sdk.missing import Telling, Tells

DOCS: Final = "docs/index.md"
"""Where the documentation begins, in Headway's repository."""
_LINKED: Final = ("http://", "https://", "file://")


class _Tidy(Telling):
    """Classes that name what users may call: IPython looks at the class of an object too."""

    def __dir__(cls) -> list[str]:  # noqa: N805  (a method of classes)
        return _offered(type.__dir__(cls), cls)


class Displayed(Tells, metaclass=_Tidy):
    """Shown as a table, with only what users may call among its names."""

    _inner: ClassVar[frozenset[str]] = frozenset()
    """Public names that are for Headway's own use."""

    def _shown(self) -> Mapping[str, object]:
        """What the table says, in order."""
        return {}

    @classmethod
    def get_docs_url(cls) -> str:
        """Where the documentation begins, in Headway's repository."""
        return DOCS

    def _repr_html_(self) -> str:
        fields = self._shown()
        head = "".join(f"<th>{escape(name)}</th>" for name in fields)
        row = "".join(f"<td>{_cell(value)}</td>" for value in fields.values())
        return f"<table><tr>{head}</tr><tr>{row}</tr></table>"

    def __dir__(self) -> list[str]:
        return _offered(object.__dir__(self), type(self))


def _offered(names: Iterable[str], cls: type) -> list[str]:
    hidden = {name for base in cls.__mro__ for name in base.__dict__.get("_inner", ())}
    return [
        name
        for name in names
        if name not in hidden and (not name.startswith("_") or name.startswith("__"))
    ]


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    if not text.startswith(_LINKED):
        return escape(text)
    return f'<a href="{escape(text)}" target="_blank" rel="noopener">{escape(text)}</a>'
