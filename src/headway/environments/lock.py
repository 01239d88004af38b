"""The text of a lock: options, then every package pinned, with the hashes of its files."""

import re
from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

from headway.environments.requirement import hashes, masked, subject
from headway.errors import SubmissionError

_COMMIT: Final = re.compile(r"(?:git|hg|svn|bzr)\+\S+@[0-9a-f]{40}")


class Pin(NamedTuple):
    """One package of a lock."""

    requirement: str
    hashes: list[str]


def make_lock(
    compiled: str,
    options: Iterable[str],
    asked: Iterable[str],
    installed: Collection[str] = (),
) -> str:
    """A lock of what ``uv pip compile`` printed.

    uv leaves aside the hashes that a requirement names while it resolves, so they are compared
    here: of the files of such a package only those named are kept.

    Args:
        compiled: What uv printed.
        options: Where packages are from.
        asked: The requirements.
        installed: Packages to leave out, as ``name==version``.

    Raises:
        SubmissionError: A hash that was asked for is not among those of the package, or a
            package cannot be pinned.
    """
    wanted = {subject(line): hashes(line) for line in asked}
    blocks: list[str] = [option for option in options if option != "--pre"]
    for pin in pins(compiled):
        if pin.requirement in installed:
            continue
        kept = pin.hashes
        if named := wanted.get(subject(pin.requirement)):
            kept = [digest for digest in pin.hashes if digest in named]
            if not kept:
                raise SubmissionError(
                    f"no file of {masked(pin.requirement)} has a hash that its requirement names "
                    f"({', '.join(sorted(named))}): correct the hash or the version; if they are "
                    "right, do not trust where the package comes from"
                )
        if not kept and not _COMMIT.search(pin.requirement):
            raise SubmissionError(
                f"{masked(pin.requirement)} cannot be pinned: name a version, an archive or a "
                "commit, not something that changes in place"
            )
        lines = [pin.requirement, *(f"    --hash={digest}" for digest in kept)]
        blocks.append(" \\\n".join(lines))
    return "".join(f"{block}\n" for block in blocks)


def pins(text: str) -> list[Pin]:
    """The packages of a lock."""
    found: list[Pin] = []
    for line in re.sub(r"\\\n", " ", text).split("\n"):
        if line.strip() and not line.startswith(("#", "-", " ")):
            requirement = re.split(r"\s+(?=--hash)", line.strip())[0]
            found.append(Pin(requirement, re.findall(r"--hash=(\S+)", line)))
    return found


def every_file_hashed(text: str) -> bool:
    """Whether uv can be told to refuse what has no hash; a commit, which is one, has none."""
    return all(pin.hashes for pin in pins(text))
