"""Where a workspace keeps its bytes: its own folder, or an object store that servers share."""

from dataclasses import dataclass

from headway.checks import check_name
from headway.files.base import FileStorage, Logs
from headway.files.local import LocalFiles
from headway.files.log_folder import FolderLogs
from headway.files.log_reading import TIMES
from headway.hosting.layout import Layout
from headway.snapshots import SnapshotStore
from headway.snapshots.base import SnapshotStorage

_LOG_FOLDERS = ("logs", "user_logs", "system_logs", TIMES)
_MAX_NAME_CHARS = 255
_CHECK_S = 5.0


@dataclass(frozen=True, slots=True)
class Storage:
    """Where the bytes of one workspace are."""

    files: FileStorage
    """Of runs."""
    assets: FileStorage
    logs: Logs
    """Of runs, as they are sent in."""
    uploads: Logs
    """What has come of files that are not whole yet."""
    snapshots: SnapshotStorage
    shared: bool = False
    """Whether processes of other machines write there too, whom no lock of this one holds."""


def folder_storage(layout: Layout) -> Storage:
    """All in the workspace's folder."""
    return Storage(
        files=LocalFiles(layout.runs),
        assets=LocalFiles(layout.assets),
        logs=FolderLogs(layout.runs, only=_LOG_FOLDERS),
        uploads=FolderLogs(layout.uploads, durable=True),
        snapshots=SnapshotStore(layout.snapshots),
    )


def check_object_storage(address: str) -> None:
    """Find out whether an object store can be used, before it is relied upon.

    Raises:
        ConfigurationError: It is no such address.
        MissingPackageError: obstore is not installed.
        StorageError: It cannot be written, or read; the message says why.
    """
    from headway.files.object_store import open_store  # noqa: PLC0415  (brings obstore)

    open_store(address, patience_s=_CHECK_S).check()


def object_storage(address: str, workspace: str) -> Storage:
    """All in an object store, below an address and the name of the workspace.

    Args:
        address: ``s3://BUCKET/PATH``, ``az://CONTAINER/PATH``, ``gs://BUCKET/PATH`` ...
        workspace: The name.

    Raises:
        ConfigurationError: It is no such address.
        MissingPackageError: obstore is not installed.
    """
    # Together they bring obstore, which a workspace in a folder can do without.
    from headway.files.log_objects import ObjectLogs  # noqa: PLC0415
    from headway.files.object_files import ObjectFiles  # noqa: PLC0415
    from headway.files.object_store import open_store  # noqa: PLC0415
    from headway.snapshots.objects import KeptSnapshots  # noqa: PLC0415

    name = check_name("workspace name", workspace, _MAX_NAME_CHARS)
    store = open_store(address)
    root = f"workspaces/{name}"
    return Storage(
        files=ObjectFiles(store, f"{root}/runs"),
        assets=ObjectFiles(store, f"{root}/assets"),
        logs=ObjectLogs(store, f"{root}/logs"),
        uploads=ObjectLogs(store, f"{root}/uploads"),
        snapshots=KeptSnapshots(ObjectFiles(store, f"{root}/snapshots")),
        shared=True,
    )
