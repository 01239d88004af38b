"""The snapshot of a run: the source directory that it was made from."""

import tempfile
from pathlib import Path

from headway.errors import NotFoundError
from headway.sdk.runs.state import RunState


class RunSnapshots(RunState):
    """The part of ``Run`` about its source."""

    def get_snapshot_id(self) -> str | None:
        """The id of its snapshot; None where none was taken."""
        return self._refresh().snapshot_id

    def take_snapshot(self, file_or_folder_path: str | Path) -> str:
        """Keep a directory, or a file, as what this run was made from.

        Args:
            file_or_folder_path: What to keep; ``.amlignore`` or ``.gitignore`` says what of it.

        Returns:
            The id of the snapshot. Equal trees have equal ids and take space once.

        Raises:
            ConflictError: The run has a snapshot already.
            SnapshotError: The directory is too large or cannot be read.
        """
        return self._api.snapshots.take(self.id, Path(file_or_folder_path))

    def restore_snapshot(
        self, snapshot_id: str | None = None, path: str | Path | None = None
    ) -> str:
        """Write a snapshot as a zip file, and return where that is.

        Args:
            snapshot_id: Which; None for this run's own.
            path: The folder to write to; None for the system's folder for temporary files.

        Raises:
            NotFoundError: There is no such snapshot.
        """
        wanted = snapshot_id or self.get_snapshot_id()
        if wanted is None:
            raise NotFoundError(
                f"run {self.id} has no snapshot to restore: give snapshot_id, or take one with "
                "take_snapshot()"
            )
        folder = Path(tempfile.gettempdir() if path is None else path).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / f"{wanted}.zip"
        self._api.snapshots.write_zip(wanted, target)
        return str(target)
