"""``Model``: files that are kept under a name, in versions."""

import os
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar, Protocol, cast

from msgspec import UNSET

from headway.assets import Asset, AssetChange, RunSource
from headway.checks import path_below
from headway.data.places import being_made
from headway.errors import (
    ConflictError,
    ModelNotFoundError,
    ModelPathNotFoundError,
    RunFileNotFoundError,
)
from headway.sdk.display import Displayed
from headway.sdk.labels import as_keys, as_texts
from headway.sdk.models import model_paths
from headway.sdk.models.labels import LabelList
from headway.sdk.models.model_paths import CACHE_FOLDER, version_number
from headway.sdk.models.records import (
    datasets_of,
    definition_of,
    is_of,
    model_query,
    new_model,
    plain,
)
from headway.sdk.models.serving import Serving
from headway.sdk.workspaces.workspace import WorkspaceBase


class _Runs(Protocol):
    """Where a run is found by its id."""

    def get_run(self, run_id: str) -> object: ...


class Model(Displayed, Serving):
    """A version of a registered model; ``Model(ws, name)`` is the latest one.

    Args:
        workspace: The workspace.
        name: Its name.
        id: Its name and version instead, as ``name:version``.
        tags: Only a version with these: a key, or a list of keys and of pairs ``[key, value]``.
        properties: The same for properties.
        version: Which version; None for the latest that fits.
        run_id: Only one that came from this run.
        model_framework: Only one of this framework.
        expand: Accepted and ignored.
        **kwargs: Accepted and ignored.

    Raises:
        ModelNotFoundError: There is none.

    Attributes:
        workspace: The workspace.
    """

    _inner = frozenset({"fetched"})

    class Framework:
        """Names of frameworks."""

        CUSTOM: ClassVar[str] = "Custom"
        TENSORFLOW: ClassVar[str] = "TensorFlow"
        SCIKITLEARN: ClassVar[str] = "ScikitLearn"
        ONNX: ClassVar[str] = "Onnx"
        KERAS: ClassVar[str] = "Keras"
        PYTORCH: ClassVar[str] = "PyTorch"
        MULTI: ClassVar[str] = "Multi"

    def __init__(
        self,
        workspace: WorkspaceBase,
        name: str | None = None,
        id: str | None = None,
        tags: LabelList = None,
        properties: LabelList = None,
        version: int | str | None = None,
        run_id: str | None = None,
        model_framework: str | None = None,
        expand: bool = True,
        **kwargs: object,
    ) -> None:
        self.workspace = workspace
        record = kwargs.get("_record")
        if isinstance(record, Asset):
            self._set(record)
            return
        if id is not None:
            name, _, number = id.partition(":")
            version = number or None
        number = None if version is None else version_number(version)
        # The last version of all does only where nothing else is asked for.
        is_latest = not (number or tags or properties or run_id or model_framework)
        query = model_query(name, tags, properties, run_id, latest=is_latest, version=number)
        found = workspace.api.assets.list(query)
        fitting = next((one for one in found if is_of(one, model_framework)), None)
        if fitting is None:
            raise _not_found(workspace, id or name, version)
        self._set(fitting)

    def _set(self, record: Asset) -> None:
        definition = record.definition
        self._record = record
        self.name = record.name
        self.version = record.version
        self.id = f"{record.name}:{record.version}"
        self.created_by = record.created_by
        self.created_time = datetime.fromtimestamp(record.created_at / 1e6, UTC)
        self.description = record.description
        self.tags = dict(record.tags)
        self.properties = dict(record.properties)
        self.run_id = record.run_id
        self.experiment_name = record.experiment_name
        self.model_framework = cast("str | None", definition.get("framework"))
        self.model_framework_version = cast("str | None", definition.get("framework_version"))
        self.resource_configuration = definition.get("resource_configuration")
        self.sample_input_dataset = definition.get("sample_input_dataset")
        self.sample_output_dataset = definition.get("sample_output_dataset")
        self.datasets = datasets_of(definition)
        self.mime_type = "application/octet-stream"
        self.unpack = False
        self.url = f"{self.workspace.uri}#/models/{self.name}/{self.version}"

    @property
    def run(self) -> object | None:
        """The run that it came from; None where it was registered from files."""
        if self.run_id is None:
            return None
        return cast("_Runs", self.workspace).get_run(self.run_id)

    # ------------------------------------------------------------ making

    @staticmethod
    def register(
        workspace: WorkspaceBase,
        model_path: str | Path,
        model_name: str,
        tags: Mapping[str, object] | None = None,
        properties: Mapping[str, object] | None = None,
        description: str | None = None,
        datasets: Sequence[tuple[str, object]] | None = None,
        model_framework: str | None = None,
        model_framework_version: str | None = None,
        child_paths: Sequence[str] | None = None,
        sample_input_dataset: object = None,
        sample_output_dataset: object = None,
        resource_configuration: object = None,
    ) -> "Model":
        """Keep a file, or all files of a folder, as the next version of a model.

        Args:
            workspace: The workspace.
            model_path: The file or folder on this machine.
            model_name: Letters, digits, ``.``, ``_`` and ``-``.
            tags: Labels that may change.
            properties: Labels that are set once.
            description: A text about it.
            datasets: What it was trained on: pairs of a purpose and a dataset.
            model_framework: Such as ``Model.Framework.SCIKITLEARN``.
            model_framework_version: The version of that.
            child_paths: Of a folder, only these files.
            sample_input_dataset: Kept by its name.
            sample_output_dataset: Kept by its name.
            resource_configuration: Kept as it is shown.

        Raises:
            ModelPathNotFoundError: There is no such file or folder.
        """
        path = model_paths.existing(model_path)
        new = new_model(
            model_name,
            tags,
            properties,
            description,
            {
                "framework": model_framework,
                "framework_version": model_framework_version,
                "datasets": datasets,
                "sample_input_dataset": sample_input_dataset,
                "sample_output_dataset": sample_output_dataset,
                "resource_configuration": resource_configuration,
            },
        )
        with model_paths.only_children(path, child_paths) as source:
            record = workspace.api.assets.register(new, source)
        return Model(workspace, _record=record)

    # ------------------------------------------------------------ changing

    def add_tags(self, tags: Mapping[str, object]) -> None:
        """Set tags; others stay."""
        self._change(AssetChange(set_tags=as_texts("tag", tags)))

    def remove_tags(self, tags: Sequence[str] | str) -> None:
        """Remove tags by their keys; keys that are not there are no error."""
        self._change(AssetChange(remove_tags=as_keys("tag", tags)))

    def add_properties(self, properties: Mapping[str, object]) -> None:
        """Set properties; one that exists cannot be changed."""
        self._change(AssetChange(add_properties=as_texts("property", properties)))

    def update_tags_properties(
        self,
        add_tags: Mapping[str, object] | None = None,
        remove_tags: Sequence[str] | str | None = None,
        add_properties: Mapping[str, object] | None = None,
    ) -> None:
        """Set and remove tags and set properties, all at once."""
        self._change(
            AssetChange(
                set_tags=as_texts("tag", add_tags or {}),
                remove_tags=as_keys("tag", remove_tags or []),
                add_properties=as_texts("property", add_properties or {}),
            )
        )

    def update(
        self,
        tags: Mapping[str, object] | None = None,
        description: str | None = None,
        sample_input_dataset: object = None,
        sample_output_dataset: object = None,
        resource_configuration: object = None,
    ) -> None:
        """Replace the tags, the description and so on, where they are given."""
        given = {
            "sample_input_dataset": sample_input_dataset,
            "sample_output_dataset": sample_output_dataset,
            "resource_configuration": resource_configuration,
        }
        gone = [] if tags is None else [key for key in self.tags if key not in tags]
        self._change(
            AssetChange(
                set_tags=as_texts("tag", tags or {}),
                remove_tags=gone,
                description=UNSET if description is None else description,
                definition={**self._record.definition, **definition_of(given)},
            )
        )

    def add_dataset_references(self, datasets: Sequence[tuple[str, object]]) -> None:
        """Add pairs of a purpose and a dataset."""
        known = cast("list[object]", self._record.definition.get("datasets") or [])
        pairs = [*known, *cast("list[object]", plain(datasets))]
        definition = {**self._record.definition, "datasets": pairs}
        self._change(AssetChange(definition=definition))

    def delete(self) -> None:
        """Remove this version and its files. Its number is not given again."""
        self.workspace.api.assets.delete(self._record.id)

    def _change(self, change: AssetChange) -> None:
        self._set(self.workspace.api.assets.change(self._record.id, change))

    # ------------------------------------------------------------ files

    def download(
        self, target_dir: str | Path = ".", exist_ok: bool = False, exists_ok: bool | None = None
    ) -> str:
        """Bring its files to this machine, and return the path of the file or folder.

        Args:
            target_dir: The folder to write in; made where there is none.
            exist_ok: Whether files that are there are replaced.
            exists_ok: The same, by its old name.

        Raises:
            ConflictError: A file of that name is there.
        """
        assets, folder = self.workspace.api.assets, Path(target_dir).expanduser()
        files = assets.files(self._record.id)
        places = {one.path: path_below(folder, one.path) for one in files}
        there = [str(place) for place in places.values() if os.path.lexists(place)]
        if there and not (exist_ok or exists_ok):
            raise ConflictError(
                f"{', '.join(there[:3])}{' ...' * (len(there) > 3)} exists already: give another "
                "target_dir, or exist_ok=True"
            )
        for one in files:
            with (
                assets.open(self._record.id, one.path) as source,
                being_made(places[one.path]) as part,
                part.open("wb") as out,
            ):
                shutil.copyfileobj(source, out, 1 << 20)
        return str(folder / files[0].path.partition("/")[0])

    def fetched(self, folder: Path) -> str:
        """The path of its file or folder below a folder of its own. For Headway's own use."""
        files = self.workspace.api.assets.files(self._record.id)
        paths = [(path_below(folder, one.path), one.size_bytes) for one in files]
        if all(path.is_file() and path.stat().st_size == size for path, size in paths):
            return str(folder / files[0].path.partition("/")[0])
        return self.download(folder, exist_ok=True)

    @staticmethod
    def get_model_path(
        model_name: str,
        version: int | str | None = None,
        _workspace: WorkspaceBase | None = None,
    ) -> str:
        """The path of a model's file or folder on this machine.

        Looked for in this order: the folder that ``AZUREML_MODEL_DIR`` names, with or without
        ``<name>/<version>`` in it; ``azureml-models/<name>/<version>`` in the current folder; the
        workspace, from which it is then downloaded into the latter.

        Args:
            model_name: Its name.
            version: Its version; None for the latest.
            _workspace: The workspace; None for that of ``Workspace.from_config()``, which is also
                that of the run around this process.

        Raises:
            ModelNotFoundError: It is in none of them.
        """
        number = None if version is None else version_number(version)
        cache = Path.cwd() / CACHE_FOLDER
        found = model_paths.deployed(model_name, os.environ)
        if found is None and number is not None:
            found = model_paths.downloaded(cache, model_name, number)
        if found is not None:
            return str(found)
        try:
            model = Model(_workspace or WorkspaceBase.from_config(), model_name, version=number)
        except ModelNotFoundError:
            found = model_paths.downloaded(cache, model_name, number)
            if found is None:
                raise
            return str(found)
        return model.fetched(cache / model.name / str(model.version))

    def serialize(self) -> dict[str, object]:
        """What is known of it, as a dict that JSON can hold."""
        return {
            "id": self.id,
            "name": self.name,
            "version": self.version,
            "createdBy": self.created_by,
            "createdTime": self.created_time.isoformat(),
            "description": self.description,
            "framework": self.model_framework,
            "frameworkVersion": self.model_framework_version,
            "tags": dict(self.tags),
            "properties": dict(self.properties),
            "experimentName": self.experiment_name,
            "runId": self.run_id,
            "url": self.url,
            "sizeBytes": self._record.size_bytes,
        }

    @staticmethod
    def deserialize(workspace: WorkspaceBase, model_payload: Mapping[str, object]) -> "Model":
        """The model that ``serialize`` described, as it is now."""
        return Model(workspace, id=str(model_payload.get("id")))

    def _shown(self) -> dict[str, object]:
        return {
            "Name": self.name,
            "Version": self.version,
            "Created": self.created_time.isoformat(timespec="seconds"),
            "Run": self.run_id,
            "Tags": self.tags,
            "Properties": self.properties,
        }

    def __repr__(self) -> str:
        return (
            f"Model(workspace={self.workspace!r}, name={self.name}, id={self.id}, "
            f"version={self.version}, tags={self.tags}, properties={self.properties})"
        )

    @staticmethod
    def list(  # the last of the class: its name is that of the type
        workspace: WorkspaceBase,
        name: str | None = None,
        tags: LabelList = None,
        properties: LabelList = None,
        run_id: str | None = None,
        latest: bool = False,
        dataset_id: str | None = None,
        expand: bool = True,
        page_count: int = 255,
        model_framework: str | None = None,
    ) -> "list[Model]":
        """The models that fit, by name, the newest version of each first.

        Args:
            workspace: The workspace.
            name: Only those of this name.
            tags: Only those with these: a key, or a list of keys and of pairs ``[key, value]``.
            properties: The same for properties.
            run_id: Only those that came from this run.
            latest: Only the last version of each name.
            dataset_id: Only those trained on this dataset.
            expand: Accepted and ignored.
            page_count: Accepted and ignored.
            model_framework: Only those of this framework.
        """
        query = model_query(name, tags, properties, run_id, latest=latest)
        return [
            Model(workspace, _record=one)
            for one in workspace.api.assets.list(query)
            if is_of(one, model_framework)
            and (dataset_id is None or dataset_id in str(one.definition.get("datasets")))
        ]


def register_from_run(
    workspace: WorkspaceBase,
    run_id: str,
    model_name: str,
    model_path: str | None = None,
    tags: Mapping[str, object] | None = None,
    properties: Mapping[str, object] | None = None,
    description: str | None = None,
    definition: Mapping[str, object] | None = None,
) -> Model:
    """Keep a file of a run, or all its files below a folder, as the next version of a model.

    Args:
        workspace: The workspace.
        run_id: The run.
        model_name: Letters, digits, ``.``, ``_`` and ``-``.
        model_path: The file or folder among the run's files; None where that is the model's name.
        tags: Labels that may change.
        properties: Labels that are set once.
        description: A text about it.
        definition: ``framework``, ``framework_version``, ``datasets``, ``sample_input_dataset``,
            ``sample_output_dataset``, ``resource_configuration``, where they are known.

    Raises:
        ModelPathNotFoundError: The run has no such file.
    """
    new = new_model(model_name, tags, properties, description, definition or {}, run_id)
    try:
        record = workspace.api.assets.register(new, RunSource(run_id, model_path or model_name))
    except RunFileNotFoundError as error:
        raise ModelPathNotFoundError(error.message) from error
    return Model(workspace, _record=record)


def models_of(workspace: WorkspaceBase) -> dict[str, Model]:
    """The latest version of each model, by name."""
    return {one.name: one for one in Model.list(workspace, latest=True)}


def _not_found(
    workspace: WorkspaceBase, name: str | None, version: int | str | None
) -> ModelNotFoundError:
    if name is None:
        return ModelNotFoundError("no model fits: give the name or the id of one that is there")
    names = [*models_of(workspace)]
    shown = ", ".join(map(repr, names[:10])) or "none"
    which = "" if version is None else f", version {version},"
    return ModelNotFoundError(
        f"ModelNotFound: there is no model {name!r}{which} with what was asked for in workspace "
        f"{workspace.name!r}; models there are: {shown}"
    )
