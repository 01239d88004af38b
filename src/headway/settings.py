"""Every setting in one table, and the only reader of environment variables and config files.

A setting is looked up in this order: the environment variable ``HEADWAY_<NAME>``, the user's
``config.toml``, the default. ``docs/settings.md`` is made from the table.
"""

import math
import os
import pwd
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import platformdirs

from headway.errors import ConfigurationError


class Setting(NamedTuple):
    """One row of the table."""

    name: str
    type: type[str] | type[int] | type[float] | type[bool]
    default: str | int | float | bool
    help: str

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return f"HEADWAY_{self.name.upper()}"


SETTINGS: Final = (
    Setting("workspace", str, "", "Workspace to open: a folder or a URL. Outranks config files."),
    Setting("home", str, "", "Folder of the embedded workspaces. Default: the user's data folder."),
    Setting("user", str, "", "Name written beside what you do. Default: the login name."),
    Setting("drain_interval_s", float, 1.0, "Seconds between two moves of logged points to store."),
    Setting("journal_segment_bytes", int, 1 << 18, "Size of one preallocated journal file."),
    Setting("busy_timeout_s", float, 30.0, "Patience with other writers of the database, seconds."),
    Setting("server_end_wait_s", float, 30.0, "At its end a run waits so long for a server away."),
    Setting("server_timeout_s", float, 30.0, "How long a server that is away is asked again."),
    Setting("missed_after_s", float, 30.0, "Silence of another host until NotResponding, seconds."),
    Setting("lost_after_s", float, 900.0, "How long it may stay so until its runs are Failed."),
    Setting("queue_tick_s", float, 0.2, "Seconds between looks at slots nobody reported free."),
    Setting("cancel_grace_s", float, 10.0, "Seconds between SIGTERM and SIGKILL, if not given."),
    Setting("system_metrics_interval_s", float, 10.0, "Seconds between samples of use; 0: none."),
    Setting("max_log_bytes", int, 1 << 30, "From here on a log's middle is cut out; 0: never."),
    Setting("max_experiment_name_chars", int, 255, "Longest name of an experiment."),
    Setting("max_run_name_chars", int, 255, "Longest display name of a run."),
    Setting("max_description_chars", int, 100_000, "Longest description of a run."),
    Setting("max_label_key_chars", int, 250, "Longest key of a tag or property."),
    Setting("max_label_value_chars", int, 8_000, "Longest value of a tag or property."),
    Setting("max_labels", int, 1_000, "Most tags, and most properties, of one run."),
    Setting("max_metric_name_chars", int, 255, "Longest name of a metric or of a table's column."),
    Setting("max_metric_text_bytes", int, 1 << 20, "Longest text value of a metric, in UTF-8."),
    Setting("max_file_path_chars", int, 1_000, "Longest name of a run's file."),
    Setting("max_snapshot_bytes", int, 1 << 30, "Largest source directory kept with a run."),
    Setting("max_snapshot_files", int, 50_000, "Most files of a source directory."),
    Setting("uv", str, "", "The uv that makes environments. Default: Headway's, else on the PATH."),
    Setting("debug", bool, False, "Whether the command shows where an unexpected error arose."),
)


class Settings(msgspec.Struct, frozen=True):
    """The settings as they hold for one workspace handle."""

    workspace: str
    home: Path
    user: str
    drain_interval_s: float
    journal_segment_bytes: int
    busy_timeout_s: float
    server_end_wait_s: float
    server_timeout_s: float
    missed_after_s: float
    lost_after_s: float
    queue_tick_s: float
    cancel_grace_s: float
    system_metrics_interval_s: float
    max_log_bytes: int
    max_experiment_name_chars: int
    max_run_name_chars: int
    max_description_chars: int
    max_label_key_chars: int
    max_label_value_chars: int
    max_labels: int
    max_metric_name_chars: int
    max_metric_text_bytes: int
    max_file_path_chars: int
    max_snapshot_bytes: int
    max_snapshot_files: int
    uv: str
    debug: bool


def load_settings(
    environment: Mapping[str, str] | None = None, config_file: Path | None = None
) -> Settings:
    """The settings that hold now.

    Args:
        environment: Variables to read; None for those of this process.
        config_file: TOML file with settings by name; None for the user's own, which need not exist.

    Raises:
        ConfigurationError: A value cannot be read, or the file names no setting of ours.
    """
    environment = os.environ if environment is None else environment
    path = config_file or user_config_file()
    in_file = _read_config_file(path)
    values: dict[str, str | int | float | bool] = {}
    for setting in SETTINGS:
        text = environment.get(setting.variable)
        if text:
            values[setting.name] = _convert(setting, text, f"the variable {setting.variable}")
        elif setting.name in in_file:
            values[setting.name] = _convert(setting, in_file[setting.name], str(path))
        else:
            values[setting.name] = setting.default
    home = str(values.pop("home"))
    values["user"] = values["user"] or _login_name(environment)
    return Settings(home=Path(home).expanduser() if home else default_home(), **values)  # pyright: ignore[reportArgumentType]


def default_home() -> Path:
    """Where embedded workspaces are when nothing else is said."""
    return platformdirs.user_data_path("headway")


def user_config_file() -> Path:
    """The user's own config file, which need not exist."""
    return platformdirs.user_config_path("headway") / "config.toml"


def _read_config_file(path: Path) -> dict[str, object]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"the config file {path} cannot be read as TOML: {error}; correct or remove it"
        ) from error
    known = {setting.name for setting in SETTINGS}
    unknown = sorted(set(content) - known)
    if unknown:
        raise ConfigurationError(
            f"the config file {path} names {', '.join(unknown)}, which is no setting; accepted are "
            f"{', '.join(sorted(known))}"
        )
    return content


def _convert(setting: Setting, given: object, source: str) -> str | int | float | bool:
    try:
        if setting.type is str:
            return _text(given)
        if setting.type is bool:
            return {"1": True, "true": True, "0": False, "false": False}[str(given).lower()]
        value = setting.type(str(given))
        if not 0 <= float(value) < math.inf:
            raise ValueError("negative or without bound")
    except (KeyError, ValueError, OverflowError) as error:
        raise ConfigurationError(
            f"{source} sets {setting.name} to {given!r}; accepted is "
            f"a {_TYPE_WORDS[setting.type]}: {setting.help}"
        ) from error
    return value


def _text(given: object) -> str:
    if not isinstance(given, str):
        raise ValueError("not a text")
    given.encode()  # a variable may hold bytes that are no UTF-8
    return given


_TYPE_WORDS: Final[dict[type, str]] = {
    str: "UTF-8 text",
    int: "whole number, not negative",
    float: "number, not negative",
    bool: "truth value (true or false)",
}


def _login_name(environment: Mapping[str, str]) -> str:
    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        if environment.get(variable):
            return environment[variable]
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # as in containers that run as a bare number
        return str(os.getuid())
