"""``OutputFileDatasetConfig``: a folder of a datastore that a program writes to."""

import itertools
from pathlib import Path
from typing import Final

from headway.sdk.data.datastore import Datastore, target_of
from headway.sdk.unsupported import refuse
from headway.sdk.workspaces.workspace import WorkspaceBase

_DEFAULT: Final = "dataset/{run-id}/{output-name}"
_count: Final = itertools.count(1)


class OutputFileDatasetConfig:
    """A folder of a datastore that a program writes to, given to it as an argument.

    Args:
        name: Its name in ``run.output_datasets``; None to have one made.
        destination: The datastore, or the pair ``(datastore, path)``, in which ``{run-id}`` and
            ``{output-name}`` are replaced; None for a folder of the run's own in the default
            datastore. Datastores in a folder only.
        source: Accepted and ignored: the program is given the folder to write to.
    """

    def __init__(
        self, name: str | None = None, destination: object = None, source: str | None = None
    ) -> None:
        self.name = name or f"output_{next(_count)}"
        self.destination = destination
        self.source = source

    def as_mount(self, disable_metadata_cache: bool = False) -> "OutputFileDatasetConfig":
        """Itself: the program writes into the datastore."""
        return self

    def as_upload(
        self, overwrite: bool = False, source_globs: object = None
    ) -> "OutputFileDatasetConfig":
        """Itself: the program writes into the datastore."""
        return self

    def register_on_complete(self, name: str, *args: object, **kwargs: object) -> None:
        """Not supported; register the files when the run has ended."""
        refuse(
            "OutputFileDatasetConfig.register_on_complete",
            "after the run, use Dataset.File.from_files((datastore, path)).register(workspace, "
            f"{name!r})",
        )

    def resolve(self, home: WorkspaceBase, run_id: str) -> Path:
        """The folder, made. For Headway's own use."""
        store, path = (Datastore(home), None)
        if self.destination is not None:
            store, path = target_of(self.destination)
        path = (path or _DEFAULT).replace("{run-id}", run_id).replace("{output-name}", self.name)
        return store.resolve(path, for_writing=True)

    def __repr__(self) -> str:
        return f"OutputFileDatasetConfig({self.name!r}, destination={self.destination!r})"
