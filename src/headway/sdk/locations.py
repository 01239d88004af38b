"""Where the workspace is that a program means.

Looked at in this order: the setting ``workspace`` (``HEADWAY_WORKSPACE``), a config file, the
default embedded workspace. Nothing is opened here.
"""

import hashlib
import json
import re
from pathlib import Path
from typing import Final, NamedTuple, cast

from msgspec.structs import replace

from headway.errors import ConfigurationError, InvalidValueError
from headway.settings import Settings

LOCAL: Final = "local"
"""Subscription, resource group and location of a workspace that belongs to no cloud."""
DEFAULT_NAME: Final = "default"

_CONFIG_FOLDERS: Final = (".azureml", "aml_config", "")
_CONFIG_NAMES: Final = ("config.json", "project.json")
_MARKS: Final = frozenset({"subscription_id", "resource_group", "workspace_name", "Scope"})
"""One of these keys makes a ``config.json`` in a plain folder one of ours: other tools (Hugging
Face's models, for one) keep files of that name too."""
_SCOPE: Final = re.compile(
    r"/?subscriptions/(?P<subscription_id>[^/]+)/resource[gG]roups/(?P<resource_group>[^/]+)"
    r"/providers/[^/]+/workspaces/(?P<workspace_name>[^/]+)(?:/.*)?"
)
_SERVER: Final = re.compile(
    r"(?P<server>https?://(?:[\w.-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?)/*"
    r"(?:(?P<name>[^\W_][\w.-]{0,63})/*)?",
    re.ASCII | re.IGNORECASE,
)
_WORKSPACE_NAME: Final = re.compile(r"[^\W_][\w.-]{0,63}")


class Location(NamedTuple):
    """A workspace: the folder it is in and the words that name it."""

    folder: Path
    name: str
    subscription_id: str = LOCAL
    resource_group: str = LOCAL
    defaulted: bool = False
    """Whether nothing named it."""
    url: str = ""
    """The server that it is on, the folder being this machine's part; empty: it is embedded."""

    @property
    def shown(self) -> str:
        """Where it is, for people."""
        return f"{self.url}/{self.name}" if self.url else str(self.folder)


def find(settings: Settings, path: object = None, file_name: object = None) -> Location:
    """The workspace meant by the settings, a config file or, failing both, nobody.

    Args:
        settings: The settings that hold.
        path: A config file, or the folder where the search for one begins; None for the current
            folder, where finding none is no error.
        file_name: The only name to look for; None for ``config.json`` and ``project.json``.

    Raises:
        ConfigurationError: What was named cannot be found or read.
    """
    if settings.workspace:
        return _of_setting(settings.workspace, settings)
    start = Path(_path_text("path", path)) if path is not None else Path()
    names = _CONFIG_NAMES if file_name is None else (_path_text("file name", file_name),)
    if start.is_file():
        return _of_config(start, _read_config(start), settings)
    if not start.is_dir():
        raise ConfigurationError(
            f"there is no config file or folder {str(start)!r} (looked at {start.absolute()}): "
            "give one that exists, or leave the path out to search from the current folder"
        )
    start = start.resolve()
    found = _search(start, names)
    if found is not None:
        return _of_config(*found, settings)
    if path is not None or file_name is not None:
        raise ConfigurationError(
            f"the workspace configuration file {' or '.join(names)} could not be found in {start} "
            f"or its parent directories (nor in {' or '.join(_CONFIG_FOLDERS[:2])} there): write "
            "one with Workspace.write_config, or leave path and file name out to use the default "
            "workspace"
        )
    return named(DEFAULT_NAME, settings)._replace(defaulted=True)


def named(
    name: object, settings: Settings, subscription_id: str = LOCAL, resource_group: str = LOCAL
) -> Location:
    """The workspace of this name: of the server that is set, else an embedded one."""
    if not isinstance(name, str) or not _WORKSPACE_NAME.fullmatch(name):
        raise InvalidValueError(
            f"workspace name {name!r} is not accepted: give 1 to 64 letters, digits, '_', '-' or "
            "'.', beginning with a letter or digit"
        )
    server = server_of(settings)
    if server:
        found = on_server(f"{server}/{name}", settings, "the workspace")
        return found._replace(subscription_id=subscription_id, resource_group=resource_group)
    return Location(settings.home / "workspaces" / name, name, subscription_id, resource_group)


def server_of(settings: Settings) -> str:
    """The server that the setting ``workspace`` names; empty where it names none."""
    return _of_setting(settings.workspace, settings).url if settings.workspace else ""


def on_server(url: object, settings: Settings, source: str) -> Location:
    """The workspace that a URL names: ``https://host``, or ``https://host/<workspace>``.

    Args:
        url: What was given.
        settings: The settings that hold.
        source: Who gave it, for messages.

    Raises:
        ConfigurationError: It is no such URL.
    """
    match = _SERVER.fullmatch(url) if isinstance(url, str) else None
    if match is None:
        raise ConfigurationError(
            f"{source} is {url!r}: give the URL of a server such as https://headway.example, with "
            "/<workspace> behind it for another workspace than 'default', or the path of a folder"
        )
    server, name = match["server"].lower(), match["name"] or DEFAULT_NAME
    place = "_".join(re.findall(r"[\w.-]+", server.partition("://")[2]))
    digest = hashlib.sha256(f"{server}/{name}".encode()).hexdigest()[:12]
    return Location(settings.home / "remote" / f"{place}_{name}-{digest}", name, url=server)


def embedded(
    settings: Settings, subscription_id: str = LOCAL, resource_group: str = LOCAL
) -> list[Location]:
    """Where embedded workspaces are that have a name, by name."""
    root = settings.home / "workspaces"
    settings = replace(settings, workspace="")
    names = sorted(one.name for one in root.iterdir()) if root.is_dir() else []
    return [
        named(name, settings, subscription_id, resource_group)
        for name in names
        if _WORKSPACE_NAME.fullmatch(name)
    ]


def config_text(location: Location, settings: Settings) -> str:
    """What a config file says that names this workspace."""
    content = {
        "subscription_id": location.subscription_id,
        "resource_group": location.resource_group,
        "workspace_name": location.name,
    }
    if location.url:
        content["url"] = location.url
    elif location.folder != settings.home / "workspaces" / location.name:
        content["path"] = str(location.folder.absolute())
    return json.dumps(content, indent=4) + "\n"


def config_target(path: object, file_name: object) -> Path:
    """The file that ``write_config`` writes."""
    folder = Path(_path_text("path", path)) if path is not None else Path()
    for sub in _CONFIG_FOLDERS[:2]:
        if (folder / sub).is_dir():
            break
    else:
        sub = _CONFIG_FOLDERS[0]
    if file_name is not None:
        name = _path_text("file name", file_name)
    else:
        name = next((n for n in _CONFIG_NAMES if (folder / sub / n).is_file()), _CONFIG_NAMES[0])
    return folder / sub / name


def _of_setting(text: str, settings: Settings) -> Location:
    if "://" in text:
        return on_server(text, settings, "HEADWAY_WORKSPACE (setting 'workspace')")
    folder = Path(text).expanduser().absolute()
    return Location(folder, folder.name or DEFAULT_NAME)


def _search(start: Path, names: tuple[str, ...]) -> tuple[Path, dict[str, object]] | None:
    for sub in _CONFIG_FOLDERS:
        for name in names:
            for folder in (start, *start.parents):
                content = _look(folder / sub / name, plain=not sub)
                if content is not None:
                    return folder / sub / name, content
    return None


def _look(file: Path, *, plain: bool) -> dict[str, object] | None:
    """The content of a config file; None where there is none, or it is some other tool's."""
    try:
        if not file.is_file():
            return None
        content = _read_config(file)
    except (PermissionError, ConfigurationError):
        if plain:
            return None
        raise
    return None if plain and not _MARKS & set(content) else content


def _read_config(file: Path) -> dict[str, object]:
    try:
        content: object = json.loads(file.read_text(encoding="utf-8"))
    except PermissionError:
        raise
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"the config file {file} cannot be read as JSON: {error}; correct or remove it"
        ) from error
    if not isinstance(content, dict):
        raise ConfigurationError(
            f"the config file {file} holds {type(content).__name__}: give an object with the key "
            "workspace_name"
        )
    return cast("dict[str, object]", content)


def _of_config(file: Path, content: dict[str, object], settings: Settings) -> Location:
    url = content.get("url")
    if url is not None:
        return _of_url(file, url, content, settings)
    words = _words(file, content)
    try:
        location = named(words.pop("workspace_name"), settings, **words)
    except InvalidValueError as error:
        raise ConfigurationError(f"the config file {file}: {error}") from error
    path = content.get("path")
    if path is None:
        return location
    if not isinstance(path, str) or not path:
        raise ConfigurationError(
            f"the config file {file} has the path {path!r}: give the folder of the workspace"
        )
    base = file.absolute().parent
    base = base.parent if base.name in _CONFIG_FOLDERS[:2] else base
    return location._replace(folder=base / Path(path).expanduser())


def _of_url(file: Path, url: object, content: dict[str, object], settings: Settings) -> Location:
    """A workspace on a server; ``workspace_name`` counts where the URL names none."""
    location = on_server(url, settings, f"the url of the config file {file}")
    name = content.get("workspace_name")
    if name is not None and location.name == DEFAULT_NAME:
        location = on_server(f"{location.url}/{name}", settings, f"the config file {file}")
    return location._replace(
        subscription_id=str(content.get("subscription_id", LOCAL)),
        resource_group=str(content.get("resource_group", LOCAL)),
    )


def _words(file: Path, content: dict[str, object]) -> dict[str, str]:
    """The three words of a workspace, from either form of the file."""
    scope = content.get("Scope")
    if isinstance(scope, str) and "workspace_name" not in content:
        match = _SCOPE.fullmatch(scope)
        if match is None:
            raise ConfigurationError(
                f"the config file {file} has the Scope {scope!r}: expected is "
                "'/subscriptions/.../resourceGroups/.../providers/.../workspaces/...'"
            )
        return match.groupdict()
    wanted = ["workspace_name"]
    if "path" not in content:
        wanted = ["subscription_id", "resource_group", *wanted]
    missing = [key for key in wanted if not isinstance(content.get(key), str)]
    if missing and wanted != ["workspace_name"]:
        raise ConfigurationError(
            f"the config file {file} lacks {', '.join(missing)}: it needs subscription_id, "
            "resource_group and workspace_name (any text for the first two, outside Azure), or "
            "a path"
        )
    name = content.get("workspace_name", DEFAULT_NAME)
    return {
        "workspace_name": str(name),
        "subscription_id": str(content.get("subscription_id", LOCAL)),
        "resource_group": str(content.get("resource_group", LOCAL)),
    }


def _path_text(kind: str, value: object) -> str:
    if isinstance(value, str | Path) and str(value) and "\0" not in str(value):
        return str(value)
    raise InvalidValueError(
        f"{kind} was given as {type(value).__name__} {value!r}: give the path of a config file or "
        "folder"
    )
