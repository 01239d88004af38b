"""What the matched API has about images, which Headway does not make."""

from pathlib import Path
from typing import NoReturn

from headway.errors import UnsupportedError
from headway.sdk.missing import Tells


class Images(Tells):
    """The part of ``Environment`` about images: each call raises ``UnsupportedError``."""

    @staticmethod
    def from_docker_image(
        name: str,
        image: str,
        container_registry: object = None,
        conda_specification: str | Path | None = None,
        pip_requirements: str | Path | None = None,
    ) -> NoReturn:
        """Not supported: programs run on the machine itself.

        Raises:
            UnsupportedError: Always; the message names what to use.
        """
        _refuse(f"the image {image!r}")

    @staticmethod
    def from_dockerfile(
        name: str,
        dockerfile: str | Path,
        conda_specification: str | Path | None = None,
        pip_requirements: str | Path | None = None,
    ) -> NoReturn:
        """Not supported: programs run on the machine itself.

        Raises:
            UnsupportedError: Always; the message names what to use.
        """
        _refuse("a Dockerfile")

    @staticmethod
    def from_docker_build_context(name: str, docker_build_context: object) -> NoReturn:
        """Not supported: programs run on the machine itself.

        Raises:
            UnsupportedError: Always; the message names what to use.
        """
        _refuse("a Docker build context")

    def build(self, workspace: object, image_build_compute: str | None = None) -> NoReturn:
        """Not supported: there is no image; the environment is made when it is first needed.

        Raises:
            UnsupportedError: Always.
        """
        _refuse("build()")

    def build_local(self, workspace: object, platform: object = None, **kwargs: object) -> NoReturn:
        """Not supported: there is no image; the environment is made when it is first needed.

        Raises:
            UnsupportedError: Always.
        """
        _refuse("build_local()")

    def get_image_details(self, workspace: object) -> NoReturn:
        """Not supported: there is no image.

        Raises:
            UnsupportedError: Always.
        """
        _refuse("get_image_details()")


def _refuse(what: str) -> NoReturn:
    raise UnsupportedError(
        f"{what} is not supported: Headway makes no images, for programs run on the machine "
        "itself; use Environment.from_pip_requirements or Environment.from_conda_specification, "
        "whose packages are installed when the first run needs them"
    )
