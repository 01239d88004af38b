"""What a run was given to read and to write, as it stands in the environment of its program.

The variables ``HEADWAY_INPUTS`` and ``HEADWAY_OUTPUTS`` are JSON objects with a name for each input
or output, and for that an object with a ``path`` or the id of a ``dataset``.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

INPUTS_VARIABLE: Final = "HEADWAY_INPUTS"
OUTPUTS_VARIABLE: Final = "HEADWAY_OUTPUTS"


class Given(msgspec.Struct, frozen=True, omit_defaults=True):
    """One input or output of a run."""

    path: str = ""
    dataset: str = ""
    """The id of a dataset that the program gets itself."""
    made_of: str = ""
    """The id of the dataset whose files are at the path."""
    mechanism: str = ""
    """How an input is given: ``direct``, ``mount`` or ``download``; empty where nobody said."""


Names = dict[str, Given]


def read_given(environment: Mapping[str, str], variable: str) -> Names:
    """The inputs or outputs that a variable holds, by name."""
    text = environment.get(variable)
    return msgspec.json.decode(text, type=Names) if text else {}


def written_given(names: Names) -> str:
    """The value of the variable."""
    return msgspec.json.encode(names).decode()
