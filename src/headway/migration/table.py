"""What of the ``azureml`` API there is on Headway: the one table, and its words.

``headway migrate check``, the table in the guide "Moving from azureml.core" and the messages of the
package ``azureml`` of ``headway-azureml`` are all made from it. Names are written as people write
them: ``Run.log`` for a member of a class, ``Run`` for the class, ``azureml.core.image`` for a
module.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Final

import msgspec

from headway.migration.assets import ASSETS
from headway.migration.modules import ELSEWHERE, IGNORED, MODULES, UNSUPPORTED_MODULES, WORDS
from headway.migration.runs import RUNS

ROOT: Final = "azureml"


class Support(StrEnum):
    """How much of a name there is."""

    YES = "supported"
    PARTLY = "partly"
    NO = "not supported"


class Row(msgspec.Struct, frozen=True):
    """One name of the API."""

    name: str
    """As in ``Run.log``."""
    support: Support
    note: str = ""
    """What is better or different, or what to do instead; empty where it works as it was."""
    returns: str = ""
    """The class of what a call or an attribute gives; ``*Run`` for many of them."""
    arguments: "Mapping[str, tuple[Support, str]]" = msgspec.field(
        default_factory=dict[str, tuple[Support, str]]
    )
    """Arguments that are not supported where the rest of the call is, or differ, and how."""
    called: str = ""
    """How a call differs; empty where it does not."""


def _rows() -> dict[str, Row]:
    found: dict[str, Row] = {}
    for known in (*RUNS, *ASSETS):
        support = Support.NO if known.instead else Support.YES
        arguments = {
            **{name: (Support.NO, why) for name, why in known.arguments.items()},
            **{name: (Support.PARTLY, why) for name, why in known.ignored_arguments.items()},
        }
        gives = known.gives or known.name
        rows = [Row(known.name, support, known.instead, gives, arguments, known.called)]
        for support, names in (
            (Support.YES, {**dict.fromkeys(known.supported.split(), ""), **known.better}),
            (Support.PARTLY, known.partly),
            (Support.NO, known.unsupported),
        ):
            rows += [
                Row(f"{known.name}.{name}", support, note, known.returns.get(name, ""))
                for name, note in names.items()
            ]
        found |= {row.name: row for row in rows}
    found |= {name: Row(name, Support.YES) for name in WORDS.split()}
    found |= {name: Row(name, Support.YES, note) for name, note in IGNORED.items()}
    found |= {name: Row(name, Support.NO, note) for name, note in ELSEWHERE.items()}
    found |= {name: Row(name, Support.NO, note) for name, note in UNSUPPORTED_MODULES.items()}
    return found


ROWS: Final[Mapping[str, Row]] = _rows()
"""Every name that is known, by name."""

EXPORTS: Final[Mapping[str, Mapping[str, str]]] = {
    module: {
        exported: key or exported
        for exported, _, key in (word.partition("=") for word in names.split())
    }
    for module, names in MODULES.items()
}
"""What each module exports: the name in the module, and its row."""


def instead_of(name: str) -> str:
    """What to do without a name that there is not."""
    return ROWS[name].note


def _parents(name: str) -> Iterator[str]:
    while name:
        yield name
        name = name.rpartition(".")[0]


def is_module(name: str) -> bool:
    """Whether the API has a module of this name, supported or not."""
    return name in ROWS or any(
        known == name or known.startswith(f"{name}.")
        for known in (*EXPORTS, *(row for row in ROWS if row.startswith(f"{ROOT}.")))
    )


def unsupported_module(name: str) -> Row | None:
    """The row of the module that there is not, if the name is that or below it."""
    return next((ROWS[parent] for parent in _parents(name) if parent in ROWS), None)
