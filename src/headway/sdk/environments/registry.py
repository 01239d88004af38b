"""Environments as a workspace keeps them."""

import filecmp
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from headway.assets import Asset, AssetChange, AssetQuery, NewAsset
from headway.data.places import copy_whole
from headway.errors import AssetNotFoundError, ConflictError, InvalidValueError
from headway.sdk.labels import as_keys
from headway.sdk.models.model_paths import version_number
from headway.sdk.workspaces.workspace import WorkspaceBase

_CURATED: Final = "azureml-"
"""The names of Azure's own environments begin so."""
_LATEST: Final = "latest"
_WHEELS: Final = "wheels"


def register(workspace: WorkspaceBase, name: str, definition: dict[str, object]) -> Asset:
    """Keep a definition as the next version of a name, unless it is that of the latest one."""
    new = NewAsset(str(uuid.uuid4()), "environment", name, definition=definition, reuse=True)
    return workspace.api.assets.register(new)


def find(
    workspace: WorkspaceBase, name: str, version: int | str | None, label: str | None
) -> Asset | None:
    """One version; None where it is one of Azure's that nobody registered.

    Raises:
        AssetNotFoundError: There is none.
    """
    assets = workspace.api.assets
    if label is not None and label.lower() != _LATEST:
        labeled = assets.list(AssetQuery("environment", name=name))
        found = next((one for one in labeled if label in one.labels), None)
        if found is None:
            labels = sorted({word for one in labeled for word in one.labels})
            raise AssetNotFoundError(
                f"no version of environment {name!r} is labeled {label!r}; its labels are: "
                f"{', '.join(map(repr, labels)) or 'none'}"
            )
        return found
    try:
        number = None if version is None else version_number(version)
        return assets.get("environment", name, number)
    except AssetNotFoundError:
        if name.lower().startswith(_CURATED):
            return None
        raise


def label(workspace: WorkspaceBase, name: str, version: int | str, labels: Sequence[str]) -> None:
    """Label a version; other versions of the name lose these labels."""
    assets = workspace.api.assets
    one = assets.get("environment", name, version_number(version))
    assets.change(one.id, AssetChange(add_labels=as_keys("label", labels)))


def latest(workspace: WorkspaceBase) -> list[Asset]:
    """The latest version of each name."""
    return workspace.api.assets.list(AssetQuery("environment", latest=True))


def keep_wheel(workspace: WorkspaceBase, wheel: Path, exist_ok: bool) -> Path:
    """Copy a wheel into the workspace, and return its path there.

    Raises:
        InvalidValueError: There is no such wheel.
        ConflictError: The workspace has another one of that name.
    """
    if not wheel.is_file() or wheel.suffix != ".whl":
        raise InvalidValueError(f"there is no wheel {str(wheel)!r}: give the path of a .whl file")
    target = workspace.folder / _WHEELS / wheel.name
    is_other = target.is_file() and not filecmp.cmp(wheel, target, shallow=False)
    if is_other and not exist_ok:
        raise ConflictError(
            f"the workspace has another wheel {wheel.name}: give it another version, or "
            "exist_ok=True to replace it"
        )
    copy_whole(wheel, target)
    return target
