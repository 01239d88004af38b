"""Where things are in the folder of an embedded workspace."""

from pathlib import Path

import msgspec


class Layout(msgspec.Struct, frozen=True):
    """The paths inside a workspace's folder."""

    root: Path

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.root / "headway.db"

    @property
    def journals(self) -> Path:
        """What was logged and not yet taken into the database."""
        return self.root / "journals"

    @property
    def runs(self) -> Path:
        """A folder for each run that has files or is executed."""
        return self.root / "runs"

    @property
    def owners(self) -> Path:
        """A lock file for each process that owns runs."""
        return self.root / "owners"

    @property
    def snapshots(self) -> Path:
        """Kept source directories."""
        return self.root / "snapshots"

    @property
    def assets(self) -> Path:
        """Files of registered models."""
        return self.root / "assets"

    @property
    def uploads(self) -> Path:
        """What has come of files that are brought in by parts."""
        return self.root / "uploads"

    def run(self, run_id: str) -> Path:
        """The folder of one run. Ids are checked, so they cannot lead elsewhere."""
        return self.runs / run_id

    def create(self) -> None:
        """Make the folders, for this user alone where they are new."""
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        for folder in (self.journals, self.runs, self.owners, self.snapshots, self.assets):
            folder.mkdir(exist_ok=True, mode=0o700)
