"""What all addresses have in common: copies that are kept, and errors told alike."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from headway.data.places import being_made
from headway.errors import MissingPackageError, StorageError

_T = TypeVar("_T")
_INSTALL: Final = "pip install 'headway[data]'"


def fetch(target: Path, key: str, download: Callable[[Path], None], url: str) -> None:
    """Have a copy of what stands at an address, unless there is one of its present state.

    Args:
        target: Where the copy is.
        key: What changes when the original does; empty where nobody knows.
        download: Writes the original to a path.
        url: The address, for the message of an error.
    """
    mark = target.with_name(f".{target.name[:200]}.key")
    if key and target.is_file() and mark.is_file() and mark.read_text("utf-8") == key:
        return
    with being_made(target) as part:
        Told(url)(lambda: download(part))
    mark.write_text(key, "utf-8")


class Told:
    """Calls what reaches out, and tells what goes wrong as an error of Headway."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __call__(self, act: Callable[[], _T]) -> _T:
        """What it returns."""
        try:
            return act()
        except ImportError as error:
            raise missing(self._url, error) from error
        except OSError as error:  # also what botocore's and adlfs's file systems make of refusals
            raise unreachable(self._url, error) from error


def missing(url: str, error: ImportError) -> MissingPackageError:
    """The error that says which package an address needs."""
    return MissingPackageError(
        f"reading {url} needs a package that is missing: {error}. Install fsspec with "
        f"{_INSTALL}, and beside it what it needs for this kind of address (s3fs, gcsfs, adlfs)"
    )


def unreachable(url: str, error: OSError) -> StorageError:
    """The error that says that an address did not answer as it should."""
    return StorageError(f"{url} cannot be read or written: {error or type(error).__name__}")


def digest(url: str) -> str:
    """The name of the folder with the copies of what is at an address."""
    return hashlib.sha256(url.encode()).hexdigest()[:32]
