"""What the matched API has about serving models, which Headway does not do."""

from typing import Final, NoReturn

from headway.sdk.unsupported import refuse

_INSTEAD: Final = (
    "download the model with Model.download(target_dir), and serve its files with the server of "
    "your choice"
)


class Serving:
    """The part of ``Model`` about serving: each call raises ``UnsupportedError``."""

    def get_sas_urls(self) -> NoReturn:
        """Not supported: there are no links to files."""
        refuse("Model.get_sas_urls", "use Model.download(target_dir)")

    @staticmethod
    def deploy(
        workspace: object,
        name: str,
        models: object,
        inference_config: object = None,
        deployment_config: object = None,
        deployment_target: object = None,
        overwrite: bool = False,
        show_output: bool = False,
    ) -> NoReturn:
        """Not supported: Headway serves no models."""
        refuse("Model.deploy", _INSTEAD)

    @staticmethod
    def package(
        workspace: object,
        models: object,
        inference_config: object = None,
        generate_dockerfile: bool = False,
        image_name: str | None = None,
        image_label: str | None = None,
    ) -> NoReturn:
        """Not supported: Headway makes no images."""
        refuse("Model.package", _INSTEAD)

    @staticmethod
    def profile(
        workspace: object,
        profile_name: str,
        models: object,
        inference_config: object,
        input_dataset: object,
        cpu: float | None = None,
        memory_in_gb: float | None = None,
        description: str | None = None,
    ) -> NoReturn:
        """Not supported: Headway serves no models."""
        refuse("Model.profile", _INSTEAD)

    @staticmethod
    def print_configuration(
        models: object,
        inference_config: object,
        deployment_config: object,
        deployment_target: object,
    ) -> NoReturn:
        """Not supported: Headway serves no models."""
        refuse("Model.print_configuration", _INSTEAD)
