"""``DataReference``: a path of a datastore, to be given to a program."""

import re
from typing import TYPE_CHECKING, Final, Protocol

from headway.checks import check_name
from headway.errors import InvalidValueError

if TYPE_CHECKING:
    from pathlib import Path

    from headway.sdk.workspaces.workspace import WorkspaceBase

VARIABLE_PREFIX: Final = "AZUREML_DATAREFERENCE_"
"""Of the environment variable in which a program finds the path of a reference."""

_MODES: Final = ("mount", "download", "upload")
_NAME: Final = re.compile(r"\w+")
_MAX_NAME_CHARS: Final = 255


class Referred(Protocol):
    """What a reference needs of a datastore."""

    workspace: "WorkspaceBase"
    name: str

    def resolve(self, path: str, *, for_writing: bool = False) -> "Path":
        """The path on this machine of a file or folder."""
        ...


class DataReference:
    """A path of a datastore, to be given to a program as an argument or an input.

    When a run is submitted it becomes a path of this machine: of a datastore in a folder the files
    themselves, whatever the mode; of one at an address a copy, made first.

    Args:
        datastore: The datastore.
        data_reference_name: Its name, of letters, digits and ``_``; None for that of the datastore.
        path_on_datastore: A file or folder; None for all of the datastore.
        mode: ``mount``, ``download`` or ``upload``; kept as given.
        path_on_compute: Accepted and kept.
        overwrite: Accepted and kept.
    """

    def __init__(
        self,
        datastore: Referred,
        data_reference_name: str | None = None,
        path_on_datastore: str | None = None,
        mode: str = "mount",
        path_on_compute: str | None = None,
        overwrite: bool = False,
    ) -> None:
        if mode not in _MODES:
            raise InvalidValueError(f"mode was given as {mode!r}: give one of {', '.join(_MODES)}")
        name = data_reference_name or re.sub(r"\W", "_", datastore.name)
        if not _NAME.fullmatch(check_name("data reference name", name, _MAX_NAME_CHARS)):
            raise InvalidValueError(
                f"data reference name {name!r} is not accepted: give letters, digits and '_'"
            )
        self.datastore = datastore
        self.data_reference_name = name
        self.path_on_datastore = path_on_datastore
        self.mode = mode
        self.path_on_compute = path_on_compute
        self.overwrite = overwrite

    def path(
        self, path: str | None = None, data_reference_name: str | None = None
    ) -> "DataReference":
        """A reference to a path below this one."""
        parts = [part.strip("/") for part in (self.path_on_datastore, path) if part]
        name = data_reference_name or self.data_reference_name
        return DataReference(self.datastore, name, "/".join(parts) or None, self.mode)

    def as_mount(self) -> "DataReference":
        """The same, to be used where it is."""
        return self._as("mount", None, overwrite=False)

    def as_download(
        self, path_on_compute: str | None = None, overwrite: bool = False
    ) -> "DataReference":
        """The same, to be read by the program."""
        return self._as("download", path_on_compute, overwrite=overwrite)

    def as_upload(
        self, path_on_compute: str | None = None, overwrite: bool = False
    ) -> "DataReference":
        """The same, to be written to by the program. Datastores in a folder only."""
        return self._as("upload", path_on_compute, overwrite=overwrite)

    def to_config(self) -> "DataReference":
        """Itself, as ``RunConfiguration.data_references`` takes it."""
        return self

    def resolve(self) -> "Path":
        """The path on this machine; what is at an address is fetched first.

        Raises:
            InvalidValueError: There is nothing there, or it cannot be written to.
        """
        return self.datastore.resolve(self.path_on_datastore or "", for_writing=self._is_written)

    @property
    def _is_written(self) -> bool:
        return self.mode == "upload"

    def _as(self, mode: str, path_on_compute: str | None, *, overwrite: bool) -> "DataReference":
        return DataReference(
            self.datastore,
            self.data_reference_name,
            self.path_on_datastore,
            mode,
            path_on_compute,
            overwrite,
        )

    def __str__(self) -> str:
        return f"${VARIABLE_PREFIX}{self.data_reference_name}"

    def __repr__(self) -> str:
        return (
            f"DataReference(datastore={self.datastore.name!r}, "
            f"data_reference_name={self.data_reference_name!r}, "
            f"path_on_datastore={self.path_on_datastore!r}, mode={self.mode!r})"
        )


class DataReferenceConfiguration:
    """A path of a datastore that is named, for ``RunConfiguration.data_references``.

    Args:
        datastore_name: The datastore.
        mode: ``mount``, ``download`` or ``upload``; kept as given.
        path_on_datastore: A file or folder; None for all of the datastore.
        path_on_compute: Accepted and kept.
        overwrite: Accepted and kept.
    """

    def __init__(
        self,
        datastore_name: str,
        mode: str = "mount",
        path_on_datastore: str | None = None,
        path_on_compute: str | None = None,
        overwrite: bool = False,
    ) -> None:
        self.datastore_name = datastore_name
        self.mode = mode
        self.path_on_datastore = path_on_datastore
        self.path_on_compute = path_on_compute
        self.overwrite = overwrite

    def reference(self, datastore: Referred, name: str) -> DataReference:
        """The reference that it stands for. For Headway's own use.

        Args:
            datastore: The datastore of its name.
            name: What the reference is called.
        """
        return DataReference(
            datastore,
            name,
            self.path_on_datastore,
            self.mode,
            self.path_on_compute,
            self.overwrite,
        )

    def __repr__(self) -> str:
        return (
            f"DataReferenceConfiguration(datastore_name={self.datastore_name!r}, "
            f"path_on_datastore={self.path_on_datastore!r}, mode={self.mode!r})"
        )
