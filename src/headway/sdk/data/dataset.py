"""``Dataset``: data by name, as tables or as files."""

from typing import ClassVar

import msgspec

from headway.assets import ANONYMOUS, Asset, AssetQuery
from headway.errors import AssetNotFoundError, InvalidValueError
from headway.sdk.data.dataset_base import Definition
from headway.sdk.data.file_dataset import FileDataset, FileDatasetFactory
from headway.sdk.data.tabular_dataset import TabularDataset, TabularDatasetFactory
from headway.sdk.missing import Telling
from headway.sdk.models.model_paths import version_number
from headway.sdk.workspaces.workspace import WorkspaceBase


class Dataset(metaclass=Telling):
    """Datasets are made by ``Dataset.Tabular`` and ``Dataset.File``, and found again by name."""

    Tabular: ClassVar[type[TabularDatasetFactory]] = TabularDatasetFactory
    File: ClassVar[type[FileDatasetFactory]] = FileDatasetFactory

    @staticmethod
    def get_by_name(
        workspace: WorkspaceBase, name: str, version: int | str = "latest"
    ) -> TabularDataset | FileDataset:
        """A registered dataset.

        Args:
            workspace: The workspace.
            name: Its name.
            version: Its version, or ``latest``.

        Raises:
            AssetNotFoundError: There is none.
        """
        number = None if version in {"latest", None} else version_number(version)
        return dataset_of(workspace, workspace.api.assets.get("dataset", name, number))

    @staticmethod
    def get_by_id(workspace: WorkspaceBase, id: str) -> TabularDataset | FileDataset:
        """A dataset by its id, registered or given to a run.

        Raises:
            AssetNotFoundError: There is none.
        """
        record = workspace.api.assets.find(id)
        if record.kind != "dataset":
            raise AssetNotFoundError(f"{id!r} is the id of a {record.kind}: give that of a dataset")
        return dataset_of(workspace, record)

    @staticmethod
    def get_all(workspace: WorkspaceBase) -> dict[str, TabularDataset | FileDataset]:
        """The latest version of each registered dataset, by name."""
        records = workspace.api.assets.list(AssetQuery("dataset", latest=True))
        return {
            one.name: dataset_of(workspace, one)
            for one in records
            if not one.name.startswith(ANONYMOUS)
        }

    @staticmethod
    def get(workspace: WorkspaceBase, name: str) -> TabularDataset | FileDataset:
        """The same as ``get_by_name``, by its old name."""
        return Dataset.get_by_name(workspace, name)


def dataset_of(workspace: WorkspaceBase, record: Asset) -> TabularDataset | FileDataset:
    """The dataset that a record describes."""
    try:
        definition = msgspec.convert(record.definition, Definition)
    except msgspec.ValidationError as error:
        raise InvalidValueError(
            f"dataset {record.name!r} cannot be read: {error}; was it made by a newer Headway?"
        ) from error
    cls = TabularDataset if definition.type == "table" else FileDataset
    return cls(definition, workspace, record)
