"""Cells of notebooks as the Python in them: IPython's own lines left out, line by line."""

import re
from typing import Final, NamedTuple

_TRANSPARENT: Final = frozenset({"time", "timeit", "capture", "prun", "python", "python3", "debug"})
"""Magics whose cell is Python all the same."""
_ASSIGNED: Final = re.compile(r"^(\s*)([\w.,\[\]'\" ]+?)\s*=\s*[!%]")
_INDENT: Final = re.compile(r"\s*")


class Cell(NamedTuple):
    """What of a cell is Python."""

    text: str
    """With as many lines as the cell has."""
    file: str = ""
    """The script that the cell is written to; empty where it is executed."""


def python_cell(text: str) -> Cell | None:
    """The Python of a cell; None where it is something else."""
    head, newline, rest = text.partition("\n")
    if not head.lstrip().startswith("%%"):
        return Cell(text)
    magic, *words = head.strip()[2:].split() or [""]
    if magic in _TRANSPARENT:
        return Cell(newline + rest)
    if magic in {"writefile", "file"} and words and words[-1].endswith(".py"):
        return Cell(newline + rest, words[-1])
    return None


def without_magics(text: str) -> str:
    """The text with lines for IPython or the shell replaced by lines that do nothing."""
    kept: list[str] = []
    continued = False
    for line in text.split("\n"):
        stripped = line.strip()
        if continued:
            kept.append("")
        elif stripped.startswith(("%", "!", "?")) or re.search(r"\w\?{1,2}$", stripped):
            kept.append(f"{_indent(line)}pass")
        elif found := _ASSIGNED.match(line):
            kept.append(f"{found[1]}{found[2]} = None")
        else:
            kept.append(line)
            continue
        continued = stripped.endswith("\\")
    return "\n".join(kept)


def _indent(line: str) -> str:
    found = _INDENT.match(line)
    return found[0] if found else ""
