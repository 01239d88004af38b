"""One file on the web, read without further packages."""

import shutil
import urllib.error
import urllib.request
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import urlsplit

from headway.data.copies import digest, fetch, unreachable
from headway.errors import InvalidValueError

_TIMEOUT_S: Final = 60.0


class Web:
    """A ``Place`` that is one file on the web."""

    def __init__(self, url: str, cache: Path) -> None:
        self._url = url
        self._cache = cache
        self._name = PurePosixPath(urlsplit(url).path).name or "index"

    def files(self, pattern: str = "") -> list[str]:
        """See ``Place.files``."""
        return [self._name]

    def has(self, name: str) -> bool:
        """See ``Place.has``."""
        return name == self._name

    def put(self, source: Path, name: str) -> None:
        """Refused: nobody can write there.

        Raises:
            InvalidValueError: Always.
        """
        raise InvalidValueError(
            f"nothing can be written to {self._url}: give the URL of an object store, or a folder"
        )

    def local(self, name: str) -> Path:
        """See ``Place.local``."""
        target = self._cache / digest(self._url) / self._name
        request = urllib.request.Request(self._url, method="HEAD")  # noqa: S310  (http or https)
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
                key = f"{answer.headers.get('ETag')}{answer.headers.get('Last-Modified')}"
        except urllib.error.HTTPError:  # a server that does not answer to HEAD
            key = ""
        except OSError as error:
            if target.is_file():
                return target
            raise unreachable(self._url, error) from error
        fetch(target, key, self._download, self._url)
        return target

    def _download(self, part: Path) -> None:
        with (
            urllib.request.urlopen(self._url, timeout=_TIMEOUT_S) as answer,  # noqa: S310
            part.open("wb") as out,
        ):
            shutil.copyfileobj(answer, out, 1 << 20)

    def __repr__(self) -> str:
        return self._url
