"""What tables and files as datasets have in common: a definition, a name, a place in a run."""

import hashlib
import random
import uuid
from collections.abc import Mapping
from typing import ClassVar, Literal, Self, cast

import msgspec

from headway.assets import ANONYMOUS, Asset, NewAsset
from headway.data.tables import Options, Step, TableFormat
from headway.errors import AssetNotFoundError, ConflictError, InvalidValueError
from headway.sdk.data.dataset_sources import Source, Sources
from headway.sdk.display import Displayed
from headway.sdk.labels import as_texts
from headway.sdk.workspaces.workspace import WorkspaceBase


class Definition(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a dataset is, as it is written down."""

    type: Literal["files", "table"]
    sources: list[Source]
    format: TableFormat | None = None
    options: Options = msgspec.field(default_factory=Options)
    steps: list[Step] = []
    is_file: bool = False
    """Of files: whether the path of its one file is wanted, rather than that of a folder."""


class AbstractDataset(Displayed):
    """A dataset: where its data is, and what is taken of it. Nothing is read before it is needed.

    Attributes:
        name: Its name, if it is registered.
        version: Its version, if it is registered.
        description: A text about it.
        tags: Its tags.
    """

    _inner = frozenset({"folder", "has_files", "saved"})
    has_files: ClassVar[bool]
    """Whether it has a path that a program can be given."""

    def __init__(
        self,
        definition: Definition,
        workspace: WorkspaceBase | None = None,
        record: Asset | None = None,
    ) -> None:
        self._definition = definition
        self._sources = Sources(definition.sources, workspace)
        self._record = record
        named = record if record and not record.name.startswith(ANONYMOUS) else None
        self.name = named.name if named else None
        self.version = named.version if named else None
        self.description = named.description if named else None
        self.tags = dict(named.tags) if named else {}

    @property
    def id(self) -> str | None:
        """What ``Dataset.get_by_id`` finds it by; None as long as it is kept nowhere."""
        return self._record.id if self._record else None

    def register(
        self,
        workspace: WorkspaceBase,
        name: str,
        description: str | None = None,
        tags: Mapping[str, object] | None = None,
        create_new_version: bool = False,
    ) -> Self:
        """Keep the definition, not the data, under a name.

        Args:
            workspace: The workspace.
            name: The name.
            description: A text about it.
            tags: Labels that may change.
            create_new_version: Whether another definition of that name becomes its next version.

        Raises:
            ConflictError: The name stands for another definition.
        """
        if name.startswith(ANONYMOUS):
            raise InvalidValueError(f"dataset name {name!r} is not accepted: leave {ANONYMOUS!r}")
        definition = self._written()
        if not create_new_version:
            _check_free(workspace, name, definition)
        return self._kept(
            workspace,
            NewAsset(
                id=str(uuid.uuid4()),
                kind="dataset",
                name=name,
                description=description,
                definition=definition,
                tags=as_texts("tag", tags or {}),
                reuse=True,
            ),
        )

    def saved(self, workspace: WorkspaceBase) -> Self:
        """The same with an id, kept without a name if need be. For Headway's own use."""
        if self._record is not None:
            return self
        written = self._written()
        digest = hashlib.sha256(msgspec.json.encode(written)).hexdigest()
        new = NewAsset(str(uuid.uuid4()), "dataset", ANONYMOUS + digest, definition=written)
        return self._kept(workspace, msgspec.structs.replace(new, reuse=True))

    def take(self, count: int) -> Self:
        """The first rows or files."""
        return self._with(Step("take", count=_count(count)))

    def skip(self, count: int) -> Self:
        """All rows or files but the first."""
        return self._with(Step("skip", count=_count(count)))

    def take_sample(self, probability: float, seed: int | None = None) -> Self:
        """Rows or files chosen at random, each with a probability."""
        return self._with(Step("sample", high=_share(probability), seed=_seed(seed)))

    def random_split(self, percentage: float, seed: int | None = None) -> tuple[Self, Self]:
        """Two parts chosen at random; the first has about this share of the rows or files.

        Args:
            percentage: Between 0 and 1.
            seed: The same seed gives the same parts; None for another one each time.
        """
        share, drawn = _share(percentage), _seed(seed)
        # Numbers are drawn below 1, so that nothing is left out where the share is 0 or 1.
        first = Step("sample", high=share, seed=drawn)
        second = Step("sample", low=share, seed=drawn)
        return self._with(first), self._with(second)

    def _with(self, step: Step) -> Self:
        steps = [*self._definition.steps, step]
        return type(self)(
            msgspec.structs.replace(self._definition, steps=steps), self._sources.workspace
        )

    def _written(self) -> dict[str, object]:
        return cast("dict[str, object]", msgspec.to_builtins(self._definition))

    def _kept(self, workspace: WorkspaceBase, new: NewAsset) -> Self:
        known = self._sources.workspace
        is_elsewhere = known is not None and known.folder != workspace.folder
        if is_elsewhere and any(source.datastore for source in self._definition.sources):
            raise InvalidValueError(
                f"the dataset is on a datastore of another workspace than {workspace.name!r} and "
                "cannot be kept in this one: give paths instead of that datastore"
            )
        return type(self)(self._definition, workspace, workspace.api.assets.register(new))

    def _shown(self) -> dict[str, object]:
        paths = [source.path for source in self._definition.sources]
        return {"Name": self.name, "Version": self.version, "Paths": paths, "Tags": self.tags}

    def __repr__(self) -> str:
        named = f"name={self.name!r}, version={self.version}, " if self.name else ""
        paths = [source.path for source in self._definition.sources]
        return f"{type(self).__name__}({named}paths={paths!r})"


def _check_free(workspace: WorkspaceBase, name: str, definition: dict[str, object]) -> None:
    try:
        known = workspace.api.assets.get("dataset", name)
    except AssetNotFoundError:
        return
    if known.definition != definition:
        raise ConflictError(
            f"there is already a dataset {name!r}, version {known.version}, with another "
            "definition: give create_new_version=True, or another name"
        )


def _count(count: object) -> int:
    if isinstance(count, int) and not isinstance(count, bool) and count >= 0:
        return count
    raise InvalidValueError(f"count was given as {count!r}: give a whole number, 0 or more")


def _share(percentage: object) -> float:
    if isinstance(percentage, int | float) and 0 <= percentage <= 1:
        return float(percentage)
    raise InvalidValueError(f"the share was given as {percentage!r}: give a number from 0 to 1")


def _seed(seed: int | None) -> int:
    return random.randrange(1 << 31) if seed is None else seed  # noqa: S311
