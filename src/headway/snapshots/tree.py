"""What a snapshot is once it is kept, and how it is written down."""

import re
from operator import attrgetter
from typing import Final, Literal

import msgspec
from blake3 import blake3

from headway.errors import StorageCorruptError, StorageVersionError

HASH: Final = re.compile(r"[0-9a-f]{64}")
_ESCAPE: Final = re.compile(r"\\(?:\\|x[0-9a-f]{2})")


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One file, folder or symbolic link."""

    path: str
    """Relative to the source, with forward slashes, as ``escape`` writes it."""
    kind: Literal["file", "folder", "link"] = "file"
    mode: int = 0
    """Permission bits of a file or folder."""
    size_bytes: int = 0
    blake3: str = ""
    """Of a file: the hash of its content."""
    target: str = ""
    """Of a link: where it points to, as ``escape`` writes it."""


class Manifest(msgspec.Struct, frozen=True):
    """One snapshot."""

    id: str
    """The hash of everything in it: equal trees have equal ids."""
    entries: tuple[Entry, ...]
    """By path, ascending; a folder comes before what is in it."""

    @property
    def size_bytes(self) -> int:
        """The size of its files together."""
        return sum(entry.size_bytes for entry in self.entries)


class _Written(msgspec.Struct, frozen=True):
    format: Literal[1]
    entries: tuple[Entry, ...]


def encode(entries: list[Entry]) -> tuple[Manifest, bytes]:
    """The manifest of these entries, and the bytes that its id is the hash of."""
    ordered = tuple(sorted(entries, key=attrgetter("path")))
    content = msgspec.json.encode(_Written(1, ordered))
    return Manifest(identify(content), ordered), content


def identify(content: bytes) -> str:
    """The id of the snapshot that these bytes list."""
    return blake3(content).hexdigest()


def decode(snapshot_id: str, content: bytes) -> Manifest:
    """The manifest that was encoded, checked against its id."""
    if identify(content) != snapshot_id:
        raise StorageCorruptError(
            f"the list of files of snapshot {snapshot_id} is damaged: submit the run again from "
            "its source directory"
        )
    try:
        entries = msgspec.json.decode(content, type=_Written).entries
    except msgspec.ValidationError as error:
        raise StorageVersionError(
            f"snapshot {snapshot_id} was written by a newer Headway ({error}): update this one"
        ) from error
    for entry in entries:
        # The folder to write to is the caller's; nothing may be written beside it.
        if any(part in {"", ".", ".."} for part in unescape(entry.path).split("/")):
            raise StorageCorruptError(
                f"snapshot {snapshot_id} holds the path {entry.path!r}, which leaves its folder"
            )
    return Manifest(snapshot_id, entries)


def escape(name: str) -> str:
    r"""A name from the file system as valid text: ``\xNN`` for bytes that are no UTF-8."""
    if name.isascii() and "\\" not in name:
        return name
    doubled = name.replace("\\", "\\\\")
    return doubled.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def unescape(text: str) -> str:
    """The name in the file system that ``escape`` wrote."""
    if "\\" not in text:
        return text
    return _ESCAPE.sub(_unescape_one, text)


def _unescape_one(match: re.Match[str]) -> str:
    escaped = match.group()
    if escaped == "\\\\":
        return "\\"
    return bytes([int(escaped[2:], 16)]).decode("utf-8", "surrogateescape")
