"""What a run leads to: models made of its files, its inputs, and secrets that it needs."""

from headway.sdk.data import inputs
from headway.sdk.models.model import Model, register_from_run
from headway.sdk.runs.state import RunState
from headway.sdk.workspaces.secrets import Keyvault


class RunAssets(RunState):
    """The part of ``Run`` about models, inputs and secrets."""

    def register_model(
        self,
        model_name: str,
        model_path: str | None = None,
        tags: dict[str, str] | None = None,
        properties: dict[str, str] | None = None,
        model_framework: str | None = None,
        model_framework_version: str | None = None,
        description: str | None = None,
        datasets: list[tuple[str, object]] | None = None,
        sample_input_dataset: object = None,
        sample_output_dataset: object = None,
        resource_configuration: object = None,
        **kwargs: object,
    ) -> Model:
        """Keep a file of this run, or all its files below a folder, as a version of a model.

        Args:
            model_name: Letters, digits, ``.``, ``_`` and ``-``.
            model_path: The file or folder among the run's files; None where that is the model's
                name.
            tags: Labels of the model that may change.
            properties: Labels of the model that are set once.
            model_framework: A word such as ``ScikitLearn``.
            model_framework_version: Its version.
            description: A text about the model.
            datasets: Pairs of a purpose and a dataset.
            sample_input_dataset: A dataset that shows what goes in.
            sample_output_dataset: A dataset that shows what comes out.
            resource_configuration: Kept as it is.
            **kwargs: Ignored.

        Raises:
            ModelPathNotFoundError: The run has no such file.
        """
        given = {
            "framework": model_framework,
            "framework_version": model_framework_version,
            "datasets": datasets,
            "sample_input_dataset": sample_input_dataset,
            "sample_output_dataset": sample_output_dataset,
            "resource_configuration": resource_configuration,
        }
        return register_from_run(
            self._home,
            self.id,
            model_name,
            model_path,
            tags,
            properties,
            description,
            {key: value for key, value in given.items() if value is not None},
        )

    @property
    def input_datasets(self) -> dict[str, object]:
        """The inputs by name, in the program of the run: paths, and datasets to be read."""
        return inputs.input_datasets(self._home)

    @property
    def output_datasets(self) -> dict[str, str]:
        """The folders by name that the program of the run may write to."""
        return inputs.output_datasets()

    def get_secret(self, name: str) -> str | None:
        """The value of a secret, from an environment variable or the system's keyring.

        A secret ``db-password`` is looked for in ``HEADWAY_SECRET_DB_PASSWORD`` first.

        Args:
            name: The secret.

        Returns:
            Its value; None where there is none.
        """
        return self._keyvault().get_secret(name)

    def get_secrets(self, secrets: list[str]) -> dict[str, str | None]:
        """The values of several secrets by name; None for those that there are not."""
        return self._keyvault().get_secrets(secrets)

    def _keyvault(self) -> Keyvault:
        return Keyvault(self._home.name)
