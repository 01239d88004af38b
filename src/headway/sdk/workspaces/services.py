"""What the matched API has in a workspace about Azure's services."""

from typing import NoReturn

from headway.sdk.unsupported import refuse


class WorkspaceServices:
    """The part of ``Workspace`` that Headway has not: lists are empty, calls raise an error.

    Every call raises ``UnsupportedError`` and names what to do instead.
    """

    @property
    def webservices(self) -> dict[str, object]:
        """None: Headway serves no models."""
        return {}

    @property
    def images(self) -> dict[str, object]:
        """None: Headway makes no images."""
        return {}

    @property
    def linked_services(self) -> list[object]:
        """None."""
        return []

    @property
    def private_endpoints(self) -> dict[str, object]:
        """None."""
        return {}

    @property
    def service_context(self) -> NoReturn:
        """Not supported: there are no services with addresses."""
        refuse("workspace.service_context", "nothing needs it here; workspace.api has the verbs")

    def get_mlflow_tracking_uri(self, _with_auth: bool = False) -> NoReturn:
        """Not supported yet: it comes with the server."""
        refuse(
            "workspace.get_mlflow_tracking_uri()",
            "log with run.log, or leave MLflow its own tracking address",
        )

    def list_keys(self) -> NoReturn:
        """Not supported: there are no keys."""
        refuse("workspace.list_keys()", "leave it out; a folder of this machine needs no key")

    def sync_keys(self, no_wait: bool = False) -> NoReturn:
        """Not supported: there are no keys."""
        refuse("workspace.sync_keys()", "leave it out; a folder of this machine needs no key")

    def update_dependencies(
        self, container_registry: object = None, force: bool = False
    ) -> NoReturn:
        """Not supported: there are no services that the workspace is made of."""
        refuse("workspace.update_dependencies()", "leave it out")

    def diagnose_workspace(self, diagnose_parameters: object) -> NoReturn:
        """Not supported; there is a command for this."""
        refuse("workspace.diagnose_workspace()", "run the command 'headway doctor'")

    def add_private_endpoint(
        self,
        private_endpoint_config: object,
        private_endpoint_auto_approval: bool = True,
        location: str | None = None,
        show_output: bool = True,
        tags: object = None,
    ) -> NoReturn:
        """Not supported: there is no network between a program and its workspace."""
        refuse("workspace.add_private_endpoint()", "leave it out")

    def delete_private_endpoint_connection(self, private_endpoint_connection_name: str) -> NoReturn:
        """Not supported: there is no network between a program and its workspace."""
        refuse("workspace.delete_private_endpoint_connection()", "leave it out")

    def set_connection(
        self,
        name: str,
        category: object,
        target: object,
        authType: object,  # noqa: N803  (its name in the matched API)
        value: object,
    ) -> NoReturn:
        """Not supported; secrets have a place of their own."""
        refuse("workspace.set_connection()", _SECRETS)

    def get_connection(self, name: str) -> NoReturn:
        """Not supported; secrets have a place of their own."""
        refuse("workspace.get_connection()", _SECRETS)

    def list_connections(self, category: object = None, target: object = None) -> NoReturn:
        """Not supported; secrets have a place of their own."""
        refuse("workspace.list_connections()", _SECRETS)

    def delete_connection(self, name: str) -> NoReturn:
        """Not supported; secrets have a place of their own."""
        refuse("workspace.delete_connection()", _SECRETS)


_SECRETS = "keep what is secret with workspace.get_default_keyvault().set_secret(name, value)"
