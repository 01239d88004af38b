"""Whether the package whose place this one takes is installed beside it."""

from importlib.metadata import PackageNotFoundError, version
from typing import Final

_ORIGINAL: Final = "azureml-core"


def refuse_the_original() -> None:
    """Refuse to be mixed with the original: both put their files into the same folders.

    Raises:
        ImportError: It is installed.
    """
    try:
        found = version(_ORIGINAL)
    except PackageNotFoundError:
        return
    raise ImportError(
        f"{_ORIGINAL} {found} is installed, and headway-azureml takes its place: the two cannot be "
        f"mixed. Remove one of them: pip uninstall {_ORIGINAL}, then pip install --force-reinstall "
        "--no-deps headway-azureml; or pip uninstall headway-azureml, to go on with Azure"
    )
