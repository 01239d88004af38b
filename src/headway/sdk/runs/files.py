"""The files of a run: kept and brought back."""

from pathlib import Path
from typing import BinaryIO, TextIO

from headway.checks import path_below
from headway.errors import InvalidValueError
from headway.model import FileEntry
from headway.sdk.runs import transfers
from headway.sdk.runs.state import RunState


class RunFiles(RunState):
    """The part of ``Run`` about files."""

    def get_file_names(self) -> list[str]:
        """The names of all files and logs."""
        return [entry.path for entry in self._api.files.list(self.id)]

    def upload_file(
        self,
        name: str,
        path_or_stream: str | Path | BinaryIO | TextIO,
        datastore_name: str | None = None,
        *,
        overwrite: bool = False,
    ) -> FileEntry:
        """Keep a file with the run.

        Args:
            name: What it is called in the run, such as ``outputs/model.pkl``.
            path_or_stream: The file, or an open stream.
            datastore_name: Accepted and ignored.
            overwrite: Whether a file of that name is replaced.

        Raises:
            RunFileExistsError: The run has a file of that name, and ``overwrite`` is not set.
        """
        return transfers.upload_file(
            self._api.files, self.id, name, path_or_stream, overwrite=overwrite
        )

    def upload_files(
        self,
        names: list[str],
        paths: list[str],
        return_artifacts: bool = False,
        timeout_seconds: float | None = None,
        datastore_name: str | None = None,
        *,
        overwrite: bool = False,
    ) -> list[FileEntry] | None:
        """Keep several files with the run, all or none.

        Args:
            names: What they are called in the run.
            paths: The files, as many.
            return_artifacts: Whether to return what was kept.
            timeout_seconds: Accepted and ignored.
            datastore_name: Accepted and ignored.
            overwrite: Whether files of these names are replaced.

        Raises:
            RunFileExistsError: The run has one of them, and ``overwrite`` is not set.
        """
        if len(names) != len(paths):
            raise InvalidValueError(
                f"{len(names)} names were given for {len(paths)} paths: give as many"
            )
        sources = dict(zip(names, paths, strict=True))
        kept = transfers.upload_files(self._api.files, self.id, sources, overwrite=overwrite)
        return kept if return_artifacts else None

    def upload_folder(
        self,
        name: str,
        path: str | Path,
        datastore_name: str | None = None,
        *,
        overwrite: bool = False,
    ) -> list[FileEntry]:
        """Keep every file below a folder, with its structure, under a prefix, all or none.

        Links to folders are not followed; pipes, sockets and devices are left out.

        Args:
            name: The prefix.
            path: The folder.
            datastore_name: Accepted and ignored.
            overwrite: Whether files of these names are replaced.

        Raises:
            RunFileExistsError: The run has one of them, and ``overwrite`` is not set.
        """
        return transfers.upload_folder(self._api.files, self.id, name, path, overwrite=overwrite)

    def download_file(
        self,
        name: str,
        output_file_path: str | Path | None = None,
        _validate_checksum: bool = False,
    ) -> None:
        """Bring a file to this machine.

        Args:
            name: The file's name in the run.
            output_file_path: The file to write, or a folder; None for the current folder.
            _validate_checksum: Accepted; the hash of what was uploaded or collected is always
                compared.

        Raises:
            RunFileNotFoundError: The run has no such file; the message lists those it has.
            StorageCorruptError: What is stored is damaged; nothing is written.
        """
        transfers.download_file(self._api.files, self.id, name, output_file_path)

    def download_files(
        self,
        prefix: str | None = None,
        output_directory: str | Path | None = None,
        output_paths: list[str] | None = None,
        batch_size: int = 100,
        append_prefix: bool = True,
        timeout_seconds: float | None = None,
    ) -> None:
        """Bring all files below a prefix to this machine.

        Args:
            prefix: A folder among the run's files; None for all.
            output_directory: Where to write them; None for the current folder.
            output_paths: Where to write each instead, in the order of the names.
            batch_size: Accepted and ignored.
            append_prefix: Whether the prefix is kept in the paths written.
            timeout_seconds: Accepted and ignored.
        """
        transfers.download_files(
            self._api.files,
            self.id,
            prefix,
            output_directory,
            output_paths,
            append_prefix=append_prefix,
        )

    def clean(self) -> list[str]:
        """Remove the copy of the source in which the run was executed, after its end.

        What belongs to the run stays: its files, outputs, logs and snapshot.

        Returns:
            The names of what was removed.

        Raises:
            RunStateError: It has not ended.
        """
        return self._api.files.clean(self.id)

    def get_all_logs(self, destination: str | Path | None = None) -> list[str]:
        """Bring all logs to this machine and return where they are.

        Args:
            destination: The folder to write in; None for ``assets/<run id>``.
        """
        folder = Path("assets", self.id) if destination is None else Path(destination)
        return [
            str(
                transfers.download_file(
                    self._api.files, self.id, e.path, path_below(folder, e.path)
                )
            )
            for e in self._logs()
        ]
