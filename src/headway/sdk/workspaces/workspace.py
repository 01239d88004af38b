"""What a workspace is by itself: found, opened, named, written down."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, NoReturn, Self

from headway.api import Api
from headway.errors import (
    ConflictError,
    InvalidValueError,
    UnsupportedError,
    WorkspaceNotFoundError,
)
from headway.model import WorkspaceChange
from headway.sdk import locations
from headway.sdk.arguments import optional_text
from headway.sdk.display import Displayed
from headway.sdk.interactive.process import say, session_for
from headway.sdk.interactive.session import Session
from headway.sdk.labels import as_texts
from headway.sdk.locations import Location
from headway.sdk.times import iso_time
from headway.sdk.workspaces.hosted import make_on, names_on
from headway.settings import Settings, load_settings


class WorkspaceBase(Displayed):
    """Everything of ``Workspace`` that leads to no experiment or run."""

    _said: ClassVar[set[Path]] = set()
    DEFAULT_CPU_CLUSTER_NAME: ClassVar[str] = "cpu-cluster"
    DEFAULT_GPU_CLUSTER_NAME: ClassVar[str] = "gpu-cluster"

    _inner = frozenset({"api", "at", "data_cache", "experiment_of", "folder", "session", "uri"})

    def __init__(
        self,
        subscription_id: str,
        resource_group: str,
        workspace_name: str,
        auth: object = None,
        _location: str | None = None,
        _disable_service_check: bool = False,
        _workspace_id: str | None = None,
        sku: str = "basic",
        tags: Mapping[str, str] | None = None,
        _cloud: str = "AzureCloud",
    ) -> None:
        settings = load_settings()
        words = _words(subscription_id, resource_group)
        self._open(locations.named(workspace_name, settings, **words), settings)

    def _open(self, place: Location, settings: Settings) -> None:
        self._place = place._replace(folder=place.folder.resolve())
        self._settings = settings
        self._name = self.session.info.name
        if place.defaulted and place.folder not in self._said:
            self._said.add(place.folder)
            say(
                f"using the embedded workspace at {place.folder} (set HEADWAY_WORKSPACE or write "
                "a config.json to choose another)"
            )

    @classmethod
    def at(cls, place: Location, settings: Settings) -> Self:
        """The workspace at a place; made there if there is none. For Headway's own use."""
        workspace = cls.__new__(cls)
        workspace._open(place, settings)
        return workspace

    @classmethod
    def from_config(
        cls,
        path: str | Path | None = None,
        auth: object = None,
        _logger: object = None,
        _file_name: str | None = None,
    ) -> Self:
        """The workspace that ``HEADWAY_WORKSPACE``, else a config file, else nobody names.

        Args:
            path: A config file, or the folder where the search for one begins; None for the
                current folder.
            auth: Ignored.
            _logger: Ignored.
            _file_name: The only file name to look for.

        The search goes up to the root for ``.azureml/config.json``, then for ``aml_config/`` and
        for a plain file (``project.json`` too). Where nobody names a workspace, the default
        embedded one is opened, and a line on standard error says once where it is.

        Raises:
            ConfigurationError: What was named cannot be found or read.
        """
        settings = load_settings()
        return cls.at(locations.find(settings, path, _file_name), settings)

    @classmethod
    def create(
        cls,
        name: str,
        auth: object = None,
        subscription_id: str | None = None,
        resource_group: str | None = None,
        location: str | None = None,
        create_resource_group: bool = True,
        sku: str = "basic",
        tags: Mapping[str, str] | None = None,
        friendly_name: str | None = None,
        storage_account: str | None = None,
        key_vault: str | None = None,
        app_insights: str | None = None,
        container_registry: str | None = None,
        adb_workspace: str | None = None,
        primary_user_assigned_identity: str | None = None,
        cmk_keyvault: str | None = None,
        resource_cmk_uri: str | None = None,
        hbi_workspace: bool = False,
        default_cpu_compute_target: object = None,
        default_gpu_compute_target: object = None,
        private_endpoint_config: object = None,
        private_endpoint_auto_approval: bool = True,
        exist_ok: bool = False,
        show_output: bool = True,
        user_assigned_identity_for_cmk_encryption: str | None = None,
        system_datastores_auth_mode: str = "accessKey",
        v1_legacy_mode: bool | None = None,
    ) -> Self:
        """Make a workspace of this name: on the server that is set, else an embedded one.

        Only ``name``, ``subscription_id``, ``resource_group``, ``tags``, ``friendly_name`` and
        ``exist_ok`` mean something outside Azure; the rest is accepted and ignored.

        Raises:
            ConflictError: There is one, and ``exist_ok`` is not set.
        """
        settings = load_settings()
        words = _words(subscription_id, resource_group)
        place = locations.named(name, settings, **words)
        known = _is_workspace(place, settings)
        if known and not exist_ok:
            raise ConflictError(
                f"there is a workspace {name!r} at {place.shown}: open it with Workspace.get("
                f"{name!r}), or give exist_ok=True"
            )
        if place.url and not known:
            make_on(place.url, place.name, settings)
        made = cls.at(place, settings)
        if not known and (tags or friendly_name):
            made.update(friendly_name=friendly_name, tags=tags)
        return made

    @classmethod
    def get(
        cls,
        name: str,
        auth: object = None,
        subscription_id: str | None = None,
        resource_group: str | None = None,
        location: str | None = None,
        cloud: str = "AzureCloud",
        id: str | None = None,
    ) -> Self:
        """The workspace of this name, which must exist: on the server that is set, or embedded.

        Raises:
            WorkspaceNotFoundError: There is none.
        """
        settings = load_settings()
        place = locations.named(name, settings, **_words(subscription_id, resource_group))
        if not _is_workspace(place, settings):
            raise WorkspaceNotFoundError(
                f"there is no workspace {name!r} in {place.url or place.folder.parent}: make it "
                f"with Workspace.create({name!r})"
            )
        return cls.at(place, settings)

    def write_config(self, path: str | Path | None = None, file_name: str | None = None) -> None:
        """Write a config file by which ``from_config`` finds this workspace.

        Args:
            path: The folder to write ``.azureml/config.json`` in; None for the current one.
            file_name: Another name for the file.
        """
        target = locations.config_target(path, file_name)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(locations.config_text(self._place, self._settings), encoding="utf-8")

    @classmethod
    def setup(cls) -> Self:
        """The workspace that ``from_config`` finds; there is nothing to be asked or made."""
        return cls.from_config()

    def update(
        self,
        friendly_name: str | None = None,
        description: str | None = None,
        tags: Mapping[str, object] | None = None,
        image_build_compute: str | None = None,
        service_managed_resources_settings: object = None,
        primary_user_assigned_identity: str | None = None,
        allow_public_access_when_behind_vnet: bool | None = None,
        v1_legacy_mode: bool | None = None,
    ) -> dict[str, object]:
        """Change its friendly name, description or tags, and return ``get_details()``.

        Args:
            friendly_name: A name for people.
            description: A text about it.
            tags: All tags that it has from now on.
            image_build_compute: Accepted and ignored.
            service_managed_resources_settings: Accepted and ignored.
            primary_user_assigned_identity: Accepted and ignored.
            allow_public_access_when_behind_vnet: Accepted and ignored.
            v1_legacy_mode: Accepted and ignored.
        """
        self.api.change(
            WorkspaceChange(
                friendly_name=optional_text(friendly_name, "friendly_name"),
                description=optional_text(description, "description"),
                tags=None if tags is None else as_texts("tag", tags),
            )
        )
        return self.get_details()

    def delete(self, delete_dependent_resources: bool = False, no_wait: bool = False) -> NoReturn:
        """Not supported: what a workspace holds goes with its folder, and only a person says so.

        Raises:
            UnsupportedError: Always; the message names the folder.
        """
        what = "ask the server's administrator" if self._place.url else f"remove {self.folder}"
        raise UnsupportedError(
            f"a workspace is not deleted by a program: {what} when nothing in it is needed and no "
            "run of it is going on"
        )

    def get_details(self) -> dict[str, object]:
        """What the workspace is: id, name, location, creationTime and the words that name it."""
        info = self.api.info()
        return {
            "id": self.uri,
            "name": self.name,
            "friendlyName": info.friendly_name or self.name,
            "description": info.description,
            "tags": dict(info.tags),
            "sku": self.sku,
            "location": self.location,
            "type": "headway",
            "creationTime": iso_time(info.created_at),
            "subscriptionId": self.subscription_id,
            "resourceGroup": self.resource_group,
            "folder": info.location,
        }

    @property
    def name(self) -> str:
        """The workspace's name."""
        return self._name

    @property
    def subscription_id(self) -> str:
        """What the config file or the caller said; ``local`` where nobody did."""
        return self._place.subscription_id

    @property
    def resource_group(self) -> str:
        """What the config file or the caller said; ``local`` where nobody did."""
        return self._place.resource_group

    @property
    def location(self) -> str:
        """``local``: no region of a cloud."""
        return locations.LOCAL

    @property
    def sku(self) -> str:
        """``basic``: there are no editions."""
        return "basic"

    @property
    def tags(self) -> dict[str, str | None]:
        """Its tags, as they are now."""
        return dict(self.api.info().tags)

    @property
    def discovery_url(self) -> str:
        """Where it is; there is nothing to discover."""
        return self.uri

    @property
    def session(self) -> Session:
        """This process's way into the workspace. For Headway's own use."""
        return session_for(self._place, self._settings)

    @property
    def api(self) -> Api:
        """The workspace's verbs. For Headway's own use."""
        return self.session.api

    @property
    def folder(self) -> Path:
        """Where it is kept."""
        return self._place.folder

    @property
    def data_cache(self) -> Path:
        """Where copies of data from elsewhere are. For Headway's own use."""
        return self._settings.home / "data"

    @property
    def uri(self) -> str:
        """Where a person can look at it."""
        place = self._place
        return place.shown if place.url else place.folder.as_uri()

    def _shown(self) -> dict[str, object]:
        return {"Name": self.name, "Folder": str(self.folder), "Docs Page": self.get_docs_url()}

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}.create(name={self.name!r}, "
            f"subscription_id={self.subscription_id!r}, resource_group={self.resource_group!r})"
        )

    @classmethod
    def list(  # the last of the class: its name is that of the type
        cls, subscription_id: str, auth: object = None, resource_group: str | None = None
    ) -> "dict[str, list[Self]]":
        """The workspaces of this user by name, each in a list of one.

        They are those of the server that is set, else the embedded ones.

        Args:
            subscription_id: Any text; outside Azure a workspace belongs to no subscription.
            auth: Ignored.
            resource_group: Any text.
        """
        settings = load_settings()
        words = _words(subscription_id, resource_group)
        server = locations.server_of(settings)
        if server:
            names = names_on(server, settings)
            places = [locations.named(name, settings, **words) for name in names]
        else:
            found = locations.embedded(settings, **words)
            places = [place for place in found if _is_workspace(place, settings)]
        return {place.name: [cls.at(place, settings)] for place in places}


def _words(subscription_id: object, resource_group: object) -> dict[str, str]:
    words: dict[str, str] = {}
    for key, value in (("subscription_id", subscription_id), ("resource_group", resource_group)):
        if value is None:
            continue
        if not isinstance(value, str):
            raise InvalidValueError(
                f"{key} was given as {type(value).__name__} {value!r}: give a string, any will do"
            )
        words[key] = value
    return words


def _is_workspace(place: Location, settings: Settings) -> bool:
    if place.url:
        return place.name in names_on(place.url, settings)
    return place.folder.is_dir() and any(place.folder.iterdir())
