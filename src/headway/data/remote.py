"""Files at an address: whatever fsspec reaches."""

from pathlib import Path
from typing import Final, Protocol, cast
from urllib.parse import urlsplit

from headway.data.copies import Told, digest, fetch, missing
from headway.data.places import Folder, Place, checked_name, has_magic
from headway.errors import InvalidValueError

_WEB: Final = frozenset({"http", "https"})


class FileSystem(Protocol):
    """The part of an fsspec file system that is used."""

    def glob(self, path: str) -> list[str]: ...  # noqa: D102  (fsspec's own)
    def find(self, path: str) -> list[str]: ...  # noqa: D102
    def isfile(self, path: str) -> bool: ...  # noqa: D102
    def ukey(self, path: str) -> str: ...  # noqa: D102
    def get_file(self, rpath: str, lpath: str) -> None: ...  # noqa: D102
    def put_file(self, lpath: str, rpath: str) -> None: ...  # noqa: D102
    def makedirs(self, path: str, exist_ok: bool = ...) -> None: ...  # noqa: D102


def is_url(text: str) -> bool:
    """Whether this is an address rather than a path."""
    return "://" in text


def is_web(text: str) -> bool:
    """Whether this is the address of one file on the web."""
    return urlsplit(text).scheme in _WEB


def open_place(address: str, cache: Path) -> Place:
    """The place at an address or in a folder.

    Args:
        address: A path of this machine, or a URL.
        cache: Where copies are kept.

    Raises:
        MissingPackageError: fsspec, or what it needs for this kind of address, is not installed.
        InvalidValueError: Nobody knows this kind of address.
    """
    if not is_url(address):
        return Folder(Path(address).expanduser().absolute())
    if urlsplit(address).scheme == "file":
        return Folder(Path(urlsplit(address).path))
    if is_web(address):
        from headway.data.web import Web  # noqa: PLC0415  (brings the standard library's client)

        return Web(address, cache)
    return Store(address, cache)


class Store:
    """A ``Place`` in an object store, or wherever else fsspec reaches."""

    def __init__(self, url: str, cache: Path) -> None:
        self._url = url
        self._fs, root = _file_system(url)
        self._root = root.rstrip("/")
        self._cache = cache

    def files(self, pattern: str = "") -> list[str]:
        """See ``Place.files``."""
        path = self._path(pattern)
        with_errors = Told(self._url)
        if has_magic(pattern):
            matched = with_errors(lambda: self._fs.glob(path))
            found = [name for one in matched for name in with_errors(lambda o=one: self._below(o))]
        else:
            found = with_errors(lambda: self._below(path))
        names = sorted({name.removeprefix(self._root).lstrip("/") for name in found})
        if not names:
            raise InvalidValueError(
                f"there is no file {pattern or '.'!r} at {self._url}: give a file, a folder that "
                "holds some, or a pattern that fits some"
            )
        return names

    def has(self, name: str) -> bool:
        """See ``Place.has``."""
        return Told(self._url)(lambda: self._fs.isfile(self._path(name)))

    def put(self, source: Path, name: str) -> None:
        """See ``Place.put``."""
        path = self._path(name)

        def write() -> None:
            self._fs.makedirs(path.rpartition("/")[0], exist_ok=True)
            self._fs.put_file(str(source), path)

        Told(self._url)(write)

    def local(self, name: str) -> Path:
        """See ``Place.local``."""
        folder = self._cache / digest(self._url)
        for one in self.files(name):
            self._fetch(one, folder / one)
        return folder / checked_name(name)

    def _fetch(self, name: str, target: Path) -> None:
        path = self._path(name)
        key = Told(self._url)(lambda: self._fs.ukey(path))
        fetch(target, key, lambda part: self._fs.get_file(path, str(part)), self._url)

    def _below(self, path: str) -> list[str]:
        return [path] if self._fs.isfile(path) else self._fs.find(path)

    def _path(self, name: str) -> str:
        below = checked_name(name)
        return f"{self._root}/{below}" if below else self._root

    def __repr__(self) -> str:
        return self._url


def _file_system(url: str) -> tuple[FileSystem, str]:
    try:
        import fsspec.core  # noqa: PLC0415  (of the extra `data`)  # pyright: ignore[reportMissingTypeStubs]

        found = cast("tuple[FileSystem, str]", fsspec.core.url_to_fs(url))  # pyright: ignore[reportUnknownMemberType]
    except ImportError as error:
        raise missing(url, error) from error
    except ValueError as error:
        raise InvalidValueError(
            f"the address {url!r} cannot be read: {error}; give a path, or a URL such as "
            "s3://bucket/folder"
        ) from error
    return found
