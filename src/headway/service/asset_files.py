"""The files of an asset: found at their source, kept by their content, each once."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, Final

from headway.assets import RunSource, UploadSource
from headway.checks import check_file_path
from headway.errors import RunFileNotFoundError
from headway.files.base import KeptFile
from headway.files.checking import checked_stream
from headway.files.folders import named_files
from headway.service.files import FileService
from headway.service.storage import Storage
from headway.service.uploads import UploadService
from headway.store.assets import AssetFileRow

_HOLDER: Final = "content"
"""All assets share one place, so that equal files are kept once whatever holds them."""
_MOST_NAMED: Final = 20
_MAX_PATH_CHARS: Final = 1_000

Source = Path | RunSource | UploadSource


class AssetFiles:
    """Keeps the bytes of assets' files.

    Attributes:
        is_shared: Whether processes that no lock holds keep theirs there too.
    """

    def __init__(
        self,
        storage: Storage,
        files: FileService,
        uploads: UploadService,
    ) -> None:
        self._storage = storage.assets
        self._of_runs = storage.files
        self.is_shared = storage.shared
        self._files = files
        self._uploads = uploads

    def keep(self, source: Source) -> list[AssetFileRow]:
        """Keep a file, or all files below a folder, under names that begin with its own.

        Raises:
            InvalidValueError: There is nothing to keep, or it cannot be read.
            RunFileNotFoundError: The run has no such file or folder.
            NotFoundError: There is no such upload.
        """
        if isinstance(source, UploadSource):
            for name in source.files:
                check_file_path(name, _MAX_PATH_CHARS)
            return [self._keep_upload(*one) for one in sorted(source.files.items())]
        if isinstance(source, RunSource):
            found = sorted(self._of_run(source))
            return [self._keep_of_run(source.run_id, name, path) for name, path in found]
        return [self._keep(name, path) for name, path in named_files(source)]

    def release(self, source: Source | None) -> None:
        """Remove what was uploaded, once it is kept."""
        if isinstance(source, UploadSource):
            self._uploads.release(source.files.values())

    def open(self, row: AssetFileRow, what: str) -> AbstractContextManager[BinaryIO]:
        """The bytes of a file, which are checked as they are read.

        Args:
            row: The file.
            what: What it is, for the message of an error.
        """
        return checked_stream(self._storage.open(_HOLDER, row.storage_key), row.blake3, what)

    def remove(self, storage_key: str) -> None:
        """Delete bytes that no asset holds."""
        self._storage.remove(_HOLDER, storage_key)

    def found(self) -> list[KeptFile]:
        """All bytes that are kept."""
        return list(self._storage.found(_HOLDER))

    def _keep_upload(self, name: str, upload_id: str) -> AssetFileRow:
        stored = self._uploads.keep(upload_id, self._storage, _HOLDER)
        return AssetFileRow(name, stored.size_bytes, stored.blake3, stored.key)

    def _keep(self, name: str, source: Path | BinaryIO) -> AssetFileRow:
        stored = self._storage.write(_HOLDER, source)
        return AssetFileRow(name, stored.size_bytes, stored.blake3, stored.key)

    def _keep_of_run(self, run_id: str, name: str, path: str) -> AssetFileRow:
        kept = self._files.kept(run_id, path)
        if kept is not None and kept.entry.blake3 is not None:
            key, entry = kept.storage_key, kept.entry
            if self._storage.link(_HOLDER, key, self._of_runs, run_id):
                return AssetFileRow(name, entry.size_bytes, kept.entry.blake3, key)
        with self._files.open(run_id, path) as stream:
            return self._keep(name, stream)

    def _of_run(self, source: RunSource) -> Iterator[tuple[str, str]]:
        """Names in the asset, and in the run."""
        run_id, wanted = source.run_id, source.path.strip("/")
        names = [entry.path for entry in self._files.list(run_id)]
        name = wanted.rpartition("/")[2]
        below = [one for one in names if one.startswith(f"{wanted}/")]
        if wanted in names:
            below = [wanted]
        elif not below:
            shown = ", ".join(names[:_MOST_NAMED]) or "none"
            raise RunFileNotFoundError(
                f"Could not locate the provided model_path {source.path} in the set of files "
                f"uploaded to run {run_id}: {shown}; give one of them, or a folder of them"
            )
        for one in below:
            yield name + one[len(wanted) :], one
