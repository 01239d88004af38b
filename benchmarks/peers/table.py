"""The peers: how each is started, and what keeps it on this machine."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

HERE: Final = Path(__file__).resolve().parent


class Peer(msgspec.Struct, frozen=True):
    """One that does the work. ``{folder}`` and ``{port}`` are filled in."""

    name: str
    title: str
    package: str = ""
    """The distribution whose version counts; empty for what runs in our own environment."""
    statement: str = ""
    """What a program imports to log."""
    environment: Mapping[str, str] = {}
    server: tuple[str, ...] = ()
    """The arguments of the program, in the peer's environment, that serves its store."""
    adapter: str = ""
    """Whose folder the adapter and the requirements are in, where it is not its own."""

    @property
    def home(self) -> str:
        """The folder, beside this file, of its adapter and its requirements."""
        return self.adapter or self.name


_OFFLINE: Final = {"HF_HUB_OFFLINE": "1", "DO_NOT_TRACK": "1", "NO_COLOR": "1"}
_MLFLOW: Final = {
    **_OFFLINE,
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "GIT_PYTHON_REFRESH": "quiet",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
}

SUBJECT: Final = Peer(
    "headway",
    "headway",
    statement="from headway import Workspace, Experiment",
    environment={"HEADWAY_HOME": "{folder}"},
)
SERVED: Final = msgspec.structs.replace(
    SUBJECT,
    environment={**SUBJECT.environment, "HEADWAY_WORKSPACE": "http://127.0.0.1:{port}"},
    server=("python", "-m", "benchmarks.peers.headway.server", "{folder}", "{port}"),
)
"""The subject with a server between it and its store."""
PEERS: Final = (
    SUBJECT,
    Peer("plain", "plain Python", statement="import json, os"),
    Peer("sacred", "sacred", "sacred", "import sacred", _OFFLINE),
    Peer("tensorboardx", "tensorboardX", "tensorboardx", "import tensorboardX", _OFFLINE),
    Peer(
        "trackio", "trackio", "trackio", "import trackio", {**_OFFLINE, "TRACKIO_DIR": "{folder}"}
    ),
    Peer("swanlab", "swanlab offline", "swanlab", "import swanlab", _OFFLINE),
    Peer(
        "aim",
        "aim",
        "aim",
        "import aim",
        {**_OFFLINE, "__AIM_DISABLE_TELEMETRY__": "1", "AIM_UI_TELEMETRY_ENABLED": "0"},
    ),
    Peer(
        "wandb",
        "wandb offline",
        "wandb",
        "import wandb",
        {**_OFFLINE, "WANDB_MODE": "offline", "WANDB_ERROR_REPORTING": "false"},
    ),
    Peer(
        "neptune",
        "neptune-scale offline",
        "neptune-scale",
        "import neptune_scale",
        {**_OFFLINE, "NEPTUNE_MODE": "offline", "NEPTUNE_LOGGER_LEVEL": "critical"},
    ),
    Peer(
        "mlflow",
        "mlflow, SQLite",
        "mlflow",
        "import mlflow",
        {**_MLFLOW, "MLFLOW_TRACKING_URI": "sqlite:///{folder}/mlflow.db"},
    ),
    Peer(
        "mlflow-server",
        "mlflow, server",
        "mlflow",
        "import mlflow",
        {**_MLFLOW, "MLFLOW_TRACKING_URI": "http://127.0.0.1:{port}"},
        (
            *("mlflow", "server", "--host", "127.0.0.1", "--port", "{port}"),
            *("--backend-store-uri", "sqlite:///{folder}/mlflow.db"),
            *("--default-artifact-root", "{folder}/artifacts"),
        ),
        adapter="mlflow",
    ),
)
BY_NAME: Final = {peer.name: peer for peer in PEERS}
