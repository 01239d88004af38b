"""A dataset as an input of a run, under a name."""

import re
import uuid
from typing import TYPE_CHECKING, Final, Literal

from headway.errors import InvalidValueError

if TYPE_CHECKING:
    from headway.sdk.data.dataset_base import AbstractDataset

Mode = Literal["direct", "mount", "download"]
_NAME: Final = re.compile(r"[^\W\d]\w*", re.ASCII)


class DatasetConsumptionConfig:
    """A dataset under the name by which a program finds it.

    Args:
        name: Letters, digits and ``_``, not beginning with a digit.
        dataset: The dataset.
        mode: ``direct``: the program gets the dataset; ``mount`` and ``download``: the path of
            its files.
        path_on_compute: Accepted and kept.
    """

    def __init__(
        self,
        name: str,
        dataset: "AbstractDataset",
        mode: Mode = "direct",
        path_on_compute: str | None = None,
    ) -> None:
        if not _NAME.fullmatch(name):
            raise InvalidValueError(
                f"input name {name!r} is not accepted: give letters, digits and '_', not beginning "
                "with a digit; it becomes the name of an environment variable"
            )
        self.name = name
        self.dataset = dataset
        self.mode: Mode = mode
        self.path_on_compute = path_on_compute

    def as_mount(self, path_on_compute: str | None = None) -> "DatasetConsumptionConfig":
        """The same, so that the program gets the path of the files. Of a file dataset only."""
        return self._as("mount", path_on_compute)

    def as_download(self, path_on_compute: str | None = None) -> "DatasetConsumptionConfig":
        """The same, so that the program gets the path of the files. Of a file dataset only."""
        return self._as("download", path_on_compute)

    def as_direct(self) -> "DatasetConsumptionConfig":
        """The same, so that the program gets the dataset."""
        return self._as("direct", None)

    def _as(self, mode: Mode, path_on_compute: str | None) -> "DatasetConsumptionConfig":
        if mode != "direct" and not self.dataset.has_files:
            raise InvalidValueError(
                f"input {self.name!r} is a table, which has no path: leave as_{mode}() out, and "
                f"read it with run.input_datasets[{self.name!r}].to_pandas_dataframe()"
            )
        return DatasetConsumptionConfig(self.name, self.dataset, mode, path_on_compute)

    def __repr__(self) -> str:
        return f"DatasetConsumptionConfig({self.name!r}, {self.dataset!r}, mode={self.mode!r})"


def unnamed(dataset: "AbstractDataset", mode: Mode) -> DatasetConsumptionConfig:
    """An input with a name that was made up."""
    return DatasetConsumptionConfig(f"input_{uuid.uuid4().hex[:8]}", dataset, mode)
