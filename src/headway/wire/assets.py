"""Operations about registered models, environments, datasets and datastores."""

from typing import Final

import msgspec

from headway.accounts import Scope
from headway.assets import Asset, AssetChange, AssetKind, AssetQuery, NewAsset, RunSource
from headway.model import FileEntry
from headway.wire.operation import Body, Done, Operation, Stream


class RegisterAsset(msgspec.Struct, frozen=True):
    """The next version of an asset, and where its files are: in one place, or none."""

    new: NewAsset
    of_run: RunSource | None = None
    """Among the files of a run."""
    uploads: dict[str, str] | None = None
    """Uploads: their ids by the names that they shall have."""


class NamedAsset(msgspec.Struct, frozen=True):
    """One version of a name."""

    kind: AssetKind
    name: str
    version: int | None = None
    """None for the latest."""


class AssetRequest(msgspec.Struct, frozen=True):
    """One version by its id."""

    asset_id: str


class ChangeAsset(msgspec.Struct, frozen=True):
    """What to change of an asset."""

    asset_id: str
    change: AssetChange


class OpenAssetFile(msgspec.Struct, frozen=True):
    """The bytes of a file of an asset."""

    asset_id: str
    path: str
    offset: int = 0


REGISTER: Final = Operation(
    name="assets.register",
    method="POST",
    path="/assets",
    request=RegisterAsset,
    answer=Asset,
    scope=Scope.WRITE,
    help="Make the next version of an asset, with the files of a source.",
)
GET: Final = Operation(
    name="assets.get",
    method="GET",
    path="/assets",
    request=NamedAsset,
    answer=Asset,
    scope=Scope.READ,
    help="One version of a name, the latest where none is given.",
)
FIND: Final = Operation(
    name="assets.find",
    method="GET",
    path="/assets/{asset_id}",
    request=AssetRequest,
    answer=Asset,
    scope=Scope.READ,
    help="One version by its id.",
)
CHANGE: Final = Operation(
    name="assets.change",
    method="PATCH",
    path="/assets/{asset_id}",
    request=ChangeAsset,
    answer=Asset,
    scope=Scope.WRITE,
    help="Apply a change as a whole and return the asset after it.",
)
DELETE: Final = Operation(
    name="assets.delete",
    method="DELETE",
    path="/assets/{asset_id}",
    request=AssetRequest,
    answer=Done,
    scope=Scope.WRITE,
    removes=True,
    help="Remove one version, and the bytes that no other asset holds.",
)
FILES: Final = Operation(
    name="assets.files",
    method="GET",
    path="/assets/{asset_id}/files",
    request=AssetRequest,
    answer=list[FileEntry],
    scope=Scope.READ,
    help="The files of a version by name.",
)
OPEN: Final = Operation(
    name="assets.open",
    method="GET",
    path="/assets/{asset_id}/file",
    request=OpenAssetFile,
    answer=Stream,
    scope=Scope.READ,
    gives=Body.BYTES,
    help="The bytes of a file of an asset.",
)
LIST: Final = Operation(
    name="assets.list",
    method="POST",
    path="/assets:search",
    request=AssetQuery,
    answer=list[Asset],
    scope=Scope.READ,
    help="Assets by name, the newest version of each first.",
)

OPERATIONS: Final = (
    REGISTER,
    GET,
    FIND,
    CHANGE,
    DELETE,
    FILES,
    OPEN,
    LIST,
)
