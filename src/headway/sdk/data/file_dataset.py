"""``FileDataset``: files, wherever they are, as one folder."""

import hashlib
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from headway.data.places import copy_whole
from headway.data.tables import kept
from headway.errors import ConflictError, InvalidValueError
from headway.sdk.data.dataset_base import AbstractDataset, Definition
from headway.sdk.data.dataset_inputs import DatasetConsumptionConfig, unnamed
from headway.sdk.data.dataset_sources import Found, PathLike, Sources
from headway.sdk.data.datastore import target_of
from headway.sdk.missing import Telling
from headway.settings import load_settings


class FileDataset(AbstractDataset):
    """Files of this machine, of datastores and of addresses, by their names.

    Made by ``Dataset.File.from_files``.
    """

    has_files: ClassVar[bool] = True

    def to_path(self) -> list[str]:
        """The names of the files, each beginning with ``/``."""
        return [f"/{found.name}" for found in self._files()]

    def download(
        self,
        target_path: str | Path | None = None,
        overwrite: bool = False,
        ignore_not_found: bool = False,
    ) -> list[str]:
        """Copy the files to a folder, and return their paths.

        Args:
            target_path: The folder; None for a new one among the temporary files.
            overwrite: Whether files that are there are replaced.
            ignore_not_found: Whether it is no error that there is none.

        Raises:
            ConflictError: One is there; nothing was copied.
        """
        folder = Path(target_path or tempfile.mkdtemp(prefix="headway-")).expanduser().absolute()
        try:
            files = self._files()
        except InvalidValueError:
            if not ignore_not_found:
                raise
            files = []
        targets = [folder / found.name for found in files]
        there = [str(target) for target in targets if target.exists()]
        if there and not overwrite:
            raise ConflictError(
                f"{', '.join(there[:3])}{' ...' * (len(there) > 3)} exists already: give another "
                "target_path, or overwrite=True"
            )
        for found, target in zip(files, targets, strict=True):
            copy_whole(found.local(), target)
        return [str(target) for target in targets]

    def mount(self, mount_point: str | Path | None = None) -> "MountContext":
        """The files as a folder of this machine, inside of a ``with`` block.

        A dataset that is one folder of this machine is that folder; of others the folder holds
        links.

        Args:
            mount_point: Where the folder is made; None for one that is there or among the
                temporary files.
        """
        return MountContext(self, None if mount_point is None else Path(mount_point))

    def as_named_input(self, name: str) -> DatasetConsumptionConfig:
        """An input of a run, which the program finds as ``run.input_datasets[name]``."""
        return DatasetConsumptionConfig(name, self)

    def as_mount(self, path_on_compute: str | None = None) -> DatasetConsumptionConfig:
        """An argument of a program: the path of the files."""
        return unnamed(self, "mount")

    def as_download(self, path_on_compute: str | None = None) -> DatasetConsumptionConfig:
        """An argument of a program: the path of the files."""
        return unnamed(self, "download")

    def folder(self, at: Path | None = None) -> Path:
        """The folder with the files, or the one file where that is asked for.

        For Headway's own use.

        Args:
            at: Where to make it; None for a place of Headway's, by what is in it.
        """
        whole = None if self._definition.steps or at else self._sources.folder()
        if whole is not None:
            return whole
        files = [(found.name, found.local()) for found in self._files()]
        if self._definition.is_file and len(files) == 1 and at is None:
            return files[0][1]
        digest = hashlib.sha256(repr(files).encode()).hexdigest()[:32]
        folder = at or load_settings().home / "data" / "sets" / digest
        for name, target in files:
            _link(folder / name, target)
        return folder

    def _files(self) -> list[Found]:
        files = self._sources.files()
        for step in self._definition.steps:
            files = [files[place] for place in kept(len(files), step)]
        return files


class MountContext:
    """A folder that is there inside of a ``with`` block, or from ``start`` to ``stop``.

    Attributes:
        mount_point: Its path.
    """

    def __init__(self, dataset: FileDataset, at: Path | None) -> None:
        self._dataset = dataset
        self._at = at
        self.mount_point = "" if at is None else str(at)

    def start(self) -> None:
        """Have it there."""
        self.mount_point = str(self._dataset.folder(self._at))

    def stop(self) -> None:
        """Remove the links again, where a mount point was given."""
        if self._at is None or not self._at.is_dir():
            return
        for at, folders, names in os.walk(self._at, topdown=False):
            for name in names:
                if Path(at, name).is_symlink():
                    Path(at, name).unlink()
            for name in folders:
                with suppress(OSError):  # what somebody put there stays
                    Path(at, name).rmdir()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


class FileDatasetFactory(metaclass=Telling):
    """``Dataset.File``: makes datasets of files."""

    @staticmethod
    def from_files(
        path: PathLike,
        validate: bool = True,
        partition_format: str | None = None,
        is_file: bool = False,
    ) -> FileDataset:
        """Files as a dataset.

        Args:
            path: A path, a URL, a pattern (``*``, ``**``), ``(datastore, path)``, or a list.
            validate: Whether to look now that there are files.
            partition_format: Not supported for files.
            is_file: Whether a program gets the path of the one file, rather than of its folder.

        Raises:
            InvalidValueError: There is no such file.
        """
        if partition_format is not None:
            raise InvalidValueError(
                f"partition_format was given as {partition_format!r}, which is not supported: "
                "leave it out; to_path() has the names to take apart"
            )
        sources = Sources.given(path)
        if validate:
            sources.files()
        definition = Definition("files", sources.sources, is_file=is_file)
        return FileDataset(definition, sources.workspace)

    @staticmethod
    def upload_directory(
        src_dir: str | Path,
        target: object,
        pattern: str | None = None,
        overwrite: bool = False,
        show_progress: bool = True,
    ) -> FileDataset:
        """Copy a folder into a datastore, and have it as a dataset.

        Args:
            src_dir: The folder.
            target: The datastore, or the pair ``(datastore, path)``.
            pattern: Not supported.
            overwrite: Whether files that are there are replaced.
            show_progress: Whether to say on standard error how many files were copied.
        """
        if pattern is not None:
            raise InvalidValueError(
                f"pattern was given as {pattern!r}, which is not supported: leave it out, or use "
                "datastore.upload_files"
            )
        datastore, path = target_of(target)
        datastore.upload(src_dir, path, overwrite, show_progress)
        return FileDatasetFactory.from_files((datastore, path))


def _link(link: Path, target: Path) -> None:
    link.parent.mkdir(parents=True, exist_ok=True)
    try:
        link.symlink_to(target)
    except FileExistsError:
        if not link.is_symlink() or link.readlink() != target:
            raise ConflictError(
                f"{link} exists already: give another mount point, or files with other names"
            ) from None
