"""What changed between two snapshots: which files, and which lines of them."""

import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from headway.snapshots.base import Contents, SnapshotStorage
from headway.snapshots.lines import hunks
from headway.snapshots.plan import size_text
from headway.snapshots.tree import Entry, Manifest, unescape

ChangeKind = Literal["added", "removed", "changed", "mode changed", "renamed"]

_MAX_BYTES: Final = 1 << 20
_BINARY_LOOK_BYTES: Final = 8_000
"""As far as Git looks for a zero byte."""
_NOWHERE: Final = "/dev/null"


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file or symbolic link that is not the same in two snapshots."""

    kind: ChangeKind
    before: Entry | None
    """None where it was added."""
    after: Entry | None
    """None where it was removed."""

    @property
    def path(self) -> str:
        """Where it is now, or was, as the manifest writes it."""
        entry = self.after or self.before
        return entry.path if entry else ""


def diff(before: Manifest, after: Manifest) -> list[FileChange]:
    """What changed, by path. Folders are seen in what they hold only.

    A file of the same content under another path is renamed, unless it is empty. Where a file
    became a link, or a link a file, one was removed and the other added.
    """
    old = {entry.path: entry for entry in before.entries if entry.kind != "folder"}
    new = {entry.path: entry for entry in after.entries if entry.kind != "folder"}
    changes: list[FileChange] = []
    for path in old.keys() & new.keys():
        changes += _compare(old[path], new[path])
    gone = [entry for path, entry in old.items() if path not in new]
    come = [entry for path, entry in new.items() if path not in old]
    moved = _renames(gone, come)
    changes += [FileChange("renamed", was, entry) for was, entry in moved]
    left = {was.path for was, _ in moved} | {entry.path for _, entry in moved}
    changes += [FileChange("removed", entry, None) for entry in gone if entry.path not in left]
    changes += [FileChange("added", None, entry) for entry in come if entry.path not in left]
    return sorted(changes, key=lambda change: (change.path, change.kind != "removed"))


def unified(
    changes: Iterable[FileChange],
    store: SnapshotStorage,
    *,
    context: int = 3,
    max_bytes: int = _MAX_BYTES,
) -> Iterator[str]:
    r"""The changes as ``git diff`` writes them, line by line, without line ends.

    Safe to print: control characters and such that turn the direction of the text are shown as
    ``\x1b``. Of binary and of very large files only that they differ is said.

    Args:
        changes: What ``diff`` found.
        store: Where both snapshots are kept.
        context: How many unchanged lines to show around a change.
        max_bytes: The largest file whose lines are compared.

    Raises:
        StorageCorruptError: A file of a snapshot is damaged.
    """
    with store.contents() as blobs:
        for change in changes:
            yield from _heading(change)
            yield from _body(change, blobs, context, max_bytes)


# ---------------------------------------------------------------- which files


def _compare(was: Entry, now: Entry) -> list[FileChange]:
    if was == now:
        return []
    if was.kind != now.kind:
        return [FileChange("removed", was, None), FileChange("added", None, now)]
    same = (was.blake3, was.target) == (now.blake3, now.target)
    return [FileChange("mode changed" if same else "changed", was, now)]


def _renames(gone: Iterable[Entry], come: Iterable[Entry]) -> list[tuple[Entry, Entry]]:
    by_content: dict[str, list[Entry]] = {}
    for entry in come:
        if entry.size_bytes:
            by_content.setdefault(entry.blake3, []).append(entry)
    pairs: list[tuple[Entry, Entry]] = []
    for was in gone:
        candidates = by_content.get(was.blake3)
        if candidates:
            name = posixpath.basename(was.path)
            same_name = (now for now in candidates if posixpath.basename(now.path) == name)
            now = next(same_name, candidates[0])
            candidates.remove(now)
            pairs.append((was, now))
    return pairs


# ---------------------------------------------------------------- as text


def _heading(change: FileChange) -> Iterator[str]:
    was, now = change.before, change.after
    yield f"diff --git {_name('a/', was or now)} {_name('b/', now or was)}"
    if was is None:
        yield f"new file mode {_mode(now)}"
    elif now is None:
        yield f"deleted file mode {_mode(was)}"
    elif _mode(was) != _mode(now):
        yield f"old mode {_mode(was)}"
        yield f"new mode {_mode(now)}"
    if change.kind == "renamed":
        yield "similarity index 100%"
        yield f"rename from {_name('', was)}"
        yield f"rename to {_name('', now)}"


def _body(change: FileChange, blobs: Contents, context: int, max_bytes: int) -> Iterator[str]:
    was, now = change.before, change.after
    if change.kind in {"renamed", "mode changed"}:
        return
    names = f"{_name('a/', was)} and {_name('b/', now)}"
    sizes = [entry.size_bytes for entry in (was, now) if entry]
    if max(sizes) > max_bytes:
        shown = " and ".join(size_text(size) for size in sizes)
        yield f"Files {names} differ, too large to compare ({shown})"
        return
    old, new = _content(was, blobs), _content(now, blobs)
    if b"\0" in old[:_BINARY_LOOK_BYTES] or b"\0" in new[:_BINARY_LOOK_BYTES]:
        yield f"Binary files {names} differ"
    elif old != new:
        yield f"--- {_name('a/', was)}"
        yield f"+++ {_name('b/', now)}"
        for line in hunks(_lines(old), _lines(new), context):
            yield _UNSAFE.sub(_visible, line)


def _content(entry: Entry | None, blobs: Contents) -> bytes:
    if entry is None:
        return b""
    if entry.kind == "link":
        return unescape(entry.target).encode(errors="surrogateescape")
    return blobs.read(entry)


def _lines(content: bytes) -> list[str]:
    """The lines with their ends; a carriage return alone is no end."""
    lines = content.decode(errors="surrogateescape").split("\n")
    return [line + "\n" for line in lines[:-1]] + [line for line in lines[-1:] if line]


def _mode(entry: Entry | None) -> str:
    """What Git knows of modes."""
    if entry is not None and entry.kind == "link":
        return "120000"
    return "100755" if entry is not None and entry.mode & 0o100 else "100644"


# What moves the cursor, colours, or turns the direction of text; a tab and what ends a line do not.
_UNSAFE: Final = re.compile(
    r"\r(?!$)|[\x00-\x08\x0a-\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_UNSAFE_NAME: Final = re.compile(r"[\t\r\"\\]|" + _UNSAFE.pattern)
_SHORT: Final = {
    "\a": "a", "\b": "b", "\t": "t", "\n": "n", "\v": "v", "\f": "f", "\r": "r",
    '"': '"', "\\": "\\",
}  # fmt: skip


def _visible(match: re.Match[str]) -> str:
    code = ord(match.group())
    if 0xDC80 <= code <= 0xDCFF:
        code -= 0xDC00  # a byte that is no UTF-8
    elif code >= 0x80:
        return f"\\u{code:04x}"
    return f"\\x{code:02x}"


def _name(prefix: str, entry: Entry | None) -> str:
    """A path as Git writes it: in quotes where it holds what could be taken for something else."""
    if entry is None:
        return _NOWHERE
    name = unescape(entry.path)
    quoted = _UNSAFE_NAME.sub(_quote, name)
    return f"{prefix}{name}" if quoted == name else f'"{prefix}{quoted}"'


def _quote(match: re.Match[str]) -> str:
    character = match.group()
    if character in _SHORT:
        return "\\" + _SHORT[character]
    return "".join(f"\\{byte:03o}" for byte in character.encode(errors="surrogateescape"))
