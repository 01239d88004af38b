"""Registered assets as plain, frozen values: models, environments, datasets and datastores.

What they have in common is a name, versions that count up from 1 and never come again, labels of
their own, a definition and files. What a definition holds is the business of the SDK's class for
the kind.
"""

from typing import Final, Literal

import msgspec

AssetKind = Literal["model", "environment", "dataset", "datastore"]

ANONYMOUS: Final = "anonymous/"
"""Names that begin so were made up, for what had to be kept without being registered."""


class Asset(msgspec.Struct, frozen=True):
    """One version of an asset as it stood when it was read."""

    id: str
    kind: AssetKind
    name: str
    version: int
    """Counts up from 1 within the name; that of a deleted one is not given again."""
    created_at: int
    created_by: str = ""
    description: str | None = None
    definition: dict[str, object] = {}
    tags: dict[str, str | None] = {}
    properties: dict[str, str | None] = {}
    labels: list[str] = []
    """Words for this version; a word stands for one version of a name at a time."""
    run_id: str | None = None
    """The run that it came from."""
    experiment_name: str | None = None
    """The experiment of that run."""
    size_bytes: int = 0
    """Of its files together."""


class NewAsset(msgspec.Struct, frozen=True):
    """The next version of an asset, to be made. The caller chooses the id."""

    id: str
    kind: AssetKind
    name: str
    description: str | None = None
    definition: dict[str, object] = {}
    tags: dict[str, str | None] = {}
    properties: dict[str, str | None] = {}
    run_id: str | None = None
    reuse: bool = False
    """Whether the latest version will do, where its definition is the same."""


class RunSource(msgspec.Struct, frozen=True):
    """A file of a run, or all its files below a folder, as the files of an asset."""

    run_id: str
    path: str


class UploadSource(msgspec.Struct, frozen=True):
    """Uploads as the files of an asset: their ids by the names that they shall have."""

    files: dict[str, str]


class AssetQuery(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which assets to list. All conditions hold together."""

    kind: AssetKind
    name: str | None = None
    run_id: str | None = None
    tags: dict[str, str | None] = {}
    has_tags: list[str] = []
    properties: dict[str, str | None] = {}
    has_properties: list[str] = []
    version: int | None = None
    latest: bool = False
    """Only the last version of each name."""


class AssetChange(msgspec.Struct, frozen=True, omit_defaults=True):
    """What to change of an asset; what is left out stays."""

    set_tags: dict[str, str | None] = {}
    remove_tags: list[str] = []
    add_properties: dict[str, str | None] = {}
    add_labels: list[str] = []
    """Other versions of the name lose them."""
    description: str | msgspec.UnsetType | None = msgspec.UNSET
    definition: dict[str, object] | msgspec.UnsetType = msgspec.UNSET
