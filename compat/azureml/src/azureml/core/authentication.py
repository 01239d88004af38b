"""Logins of the original: accepted and ignored, because a workspace asks for none."""

import warnings
from typing import NoReturn

from headway.errors import UnsupportedError

_NOTE = "azureml.core.authentication: Headway asks for no login, so what is given here is ignored"
_noted: set[str] = set()  # said once a process, however many logins are made


class AbstractAuthentication:
    """A login, which nobody asks for. Takes whatever the original takes."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        _note()

    def get_authentication_header(self) -> NoReturn:
        """Refused: there is no service of Azure to call.

        Raises:
            UnsupportedError: Always.
        """
        raise UnsupportedError(
            f"{type(self).__name__}.get_authentication_header() is not there on Headway: call "
            "Azure with a credential of the package azure-identity"
        )


class InteractiveLoginAuthentication(AbstractAuthentication):
    """A login in the browser."""


class AzureCliAuthentication(AbstractAuthentication):
    """The login of ``az login``."""


class ServicePrincipalAuthentication(AbstractAuthentication):
    """The login of a service principal. Its password is not kept."""


class MsiAuthentication(AbstractAuthentication):
    """The login of a managed identity."""


class TokenAuthentication(AbstractAuthentication):
    """A login by token."""


class ArmTokenAuthentication(AbstractAuthentication):
    """A login by a token of the resource manager."""


def _note() -> None:
    if not _noted:
        _noted.add(_NOTE)
        warnings.warn(_NOTE, stacklevel=3)
