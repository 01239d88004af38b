"""Registered assets of a workspace on a server."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO

from headway.assets import (
    Asset,
    AssetChange,
    AssetKind,
    AssetQuery,
    NewAsset,
    RunSource,
    UploadSource,
)
from headway.client.connection import Connection
from headway.client.downloads import opened
from headway.client.sending import send_files
from headway.client.uploads import RemoteUploads
from headway.files.folders import named_files
from headway.model import FileEntry
from headway.wire import assets as row


class RemoteAssets:
    """Implements ``headway.api.Assets``."""

    def __init__(self, connection: Connection, uploads: RemoteUploads) -> None:
        self._connection = connection
        self._uploads = uploads

    def register(
        self, new: NewAsset, source: Path | RunSource | UploadSource | None = None
    ) -> Asset:
        """Make the next version of an asset, with the files of a source."""
        if isinstance(source, Path):
            source = UploadSource(send_files(self._uploads, dict(named_files(source))))
        ask = row.RegisterAsset(
            new,
            of_run=source if isinstance(source, RunSource) else None,
            uploads=source.files if isinstance(source, UploadSource) else None,
        )
        return self._connection.call(row.REGISTER, ask)

    def get(self, kind: AssetKind, name: str, version: int | None = None) -> Asset:
        """One version of a name; None for the latest."""
        return self._connection.call(row.GET, row.NamedAsset(kind, name, version))

    def find(self, asset_id: str) -> Asset:
        """One version by its id."""
        return self._connection.call(row.FIND, row.AssetRequest(asset_id))

    def change(self, asset_id: str, change: AssetChange) -> Asset:
        """Apply a change as a whole and return the asset after it."""
        return self._connection.call(row.CHANGE, row.ChangeAsset(asset_id, change))

    def delete(self, asset_id: str) -> None:
        """Remove one version, and the bytes that no other asset holds."""
        self._connection.call(row.DELETE, row.AssetRequest(asset_id))

    def files(self, asset_id: str) -> list[FileEntry]:
        """The files of a version by name."""
        return self._connection.call(row.FILES, row.AssetRequest(asset_id))

    def open(self, asset_id: str, path: str) -> AbstractContextManager[BinaryIO]:
        """The bytes of a file, to be read in order."""
        return opened(self._connection, row.OPEN, row.OpenAssetFile(asset_id, path))

    def list(  # the last of the class: its name is that of the type
        self, query: AssetQuery
    ) -> list[Asset]:
        """Assets by name, the newest version of each first."""
        return self._connection.call(row.LIST, query)
