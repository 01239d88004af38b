"""Data given to a program: paths in its arguments and variables, made when it is submitted.

A program finds them

* in its arguments, where a reference or a dataset stood: a path, or the id of a dataset;
* in environment variables: ``AZUREML_DATAREFERENCE_<name>``, and for a dataset also ``<name>``;
* as ``run.input_datasets[name]`` and ``run.output_datasets[name]``, from the variables that
  ``headway.sdk.data.given_data`` describes.
"""

import copy
import os
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, cast

from headway.errors import InvalidValueError
from headway.sdk.data.data_reference import (
    VARIABLE_PREFIX,
    DataReference,
    DataReferenceConfiguration,
)
from headway.sdk.data.dataset_inputs import DatasetConsumptionConfig
from headway.sdk.data.datastore import Datastore
from headway.sdk.data.given_data import (
    INPUTS_VARIABLE,
    OUTPUTS_VARIABLE,
    Given,
    Names,
    read_given,
    written_given,
)
from headway.sdk.data.output_dataset import OutputFileDatasetConfig
from headway.sdk.submission.configuration import ScriptRunConfig
from headway.sdk.workspaces.workspace import WorkspaceBase

if TYPE_CHECKING:
    from headway.sdk.data.dataset_base import AbstractDataset
    from headway.sdk.data.file_dataset import FileDataset

_REFERENCE: Final = re.compile(re.escape("$" + VARIABLE_PREFIX) + r"(\w+)")


def with_inputs(home: WorkspaceBase, config: ScriptRunConfig, run_id: str) -> ScriptRunConfig:
    """The same configuration, with paths in place of references and datasets.

    What is at an address is fetched now.

    Args:
        home: The workspace.
        config: What to run.
        run_id: The run that it will be.

    Raises:
        InvalidValueError: There is no such data.
    """
    resolver = _Resolver(home, run_id)
    run_config = copy.copy(config.run_config)
    for name, reference in {**run_config.data_references, **run_config.data}.items():
        resolver.named(name, reference)
    resolved = copy.copy(config)
    resolved.arguments = cast("Sequence[object]", resolver.replaced(config.arguments))
    resolved.command = cast("str | list[str] | None", resolver.replaced(config.command))
    run_config.environment_variables = {
        **resolver.variables(),
        **run_config.environment_variables,
    }
    resolved.run_config = run_config
    return resolved


def input_datasets(
    workspace: WorkspaceBase, environment: Mapping[str, str] = os.environ
) -> dict[str, object]:
    """The inputs of the run around this process by name: paths, and datasets.

    Args:
        workspace: The workspace of the run.
        environment: Variables to read.
    """
    found = read_given(environment, INPUTS_VARIABLE)
    if not any(one.dataset for one in found.values()):
        return {name: one.path for name, one in found.items()}
    from headway.sdk.data.dataset import Dataset  # noqa: PLC0415  (brings the readers of tables)

    return {
        name: Dataset.get_by_id(workspace, one.dataset) if one.dataset else one.path
        for name, one in found.items()
    }


def output_datasets(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The paths that the run around this process may write to, by name."""
    return {name: one.path for name, one in read_given(environment, OUTPUTS_VARIABLE).items()}


class _Resolver:
    """Makes paths of what a configuration names, and keeps what it made by name."""

    def __init__(self, home: WorkspaceBase, run_id: str) -> None:
        self._home = home
        self._run_id = run_id
        self._references: dict[str, str] = {}
        self._inputs: Names = {}
        self._outputs: Names = {}

    def replaced(self, given: object) -> object:
        """Arguments or a command with everything replaced in it."""
        if isinstance(given, list | tuple):
            return [self.replaced(one) for one in cast("Sequence[object]", given)]
        if isinstance(given, str):
            return _REFERENCE.sub(lambda m: self._references.get(m[1], m[0]), given)
        if isinstance(given, DataReference):
            return self._reference(given.data_reference_name, given)
        if isinstance(given, DatasetConsumptionConfig):
            return self._input(given)
        if isinstance(given, OutputFileDatasetConfig):
            return self._output(given)
        if hasattr(given, "as_named_input"):
            raise InvalidValueError(
                f"arguments hold {given!r}: give it a name, with .as_named_input('name'), or for "
                "files .as_mount()"
            )
        return given

    def named(self, name: str, given: object) -> None:
        """One of ``RunConfiguration.data_references`` or ``RunConfiguration.data``."""
        if isinstance(given, DataReferenceConfiguration):
            given = given.reference(Datastore(self._home, given.datastore_name), name)
        if isinstance(given, DataReference):
            self._reference(name, given)
        elif isinstance(given, DatasetConsumptionConfig):
            self._input(given)
        else:
            raise InvalidValueError(
                f"data reference {name!r} was given as {type(given).__name__} {given!r}: give "
                "datastore.path(...).as_mount(), or dataset.as_named_input(...)"
            )

    def variables(self) -> dict[str, str]:
        """What the program finds in its environment."""
        named = {VARIABLE_PREFIX + name: path for name, path in self._references.items()}
        for name, given in {**self._inputs, **self._outputs}.items():
            named[name] = given.path or given.dataset
            if given.path:
                named[VARIABLE_PREFIX + name] = given.path
        for variable, names in (
            (INPUTS_VARIABLE, self._inputs),
            (OUTPUTS_VARIABLE, self._outputs),
        ):
            if names:
                named[variable] = written_given(names)
        return named

    def _reference(self, name: str, reference: DataReference) -> str:
        path = str(reference.resolve())
        if self._references.setdefault(name, path) != path:
            raise InvalidValueError(
                f"two data references are called {name!r}: give one of them another name, with "
                "datastore.path(path, data_reference_name)"
            )
        return path

    def _input(self, config: DatasetConsumptionConfig) -> str:
        dataset: AbstractDataset = config.dataset
        known = dataset.saved(self._home).id or ""
        if config.mode == "direct":
            given = Given(dataset=known, mechanism=config.mode)
        else:
            path = str(cast("FileDataset", dataset).folder())
            given = Given(path, made_of=known, mechanism=config.mode)
        if self._inputs.setdefault(config.name, given) != given:
            raise InvalidValueError(f"two inputs are called {config.name!r}: rename one of them")
        return given.path or given.dataset

    def _output(self, config: OutputFileDatasetConfig) -> str:
        path = str(config.resolve(self._home, self._run_id))
        self._outputs[config.name] = Given(path=path)
        return path
