"""Warnings name the line that a user can change."""

from pathlib import Path

import pytest

from headway import Experiment, Model, ScriptRunConfig
from headway.sdk.environments.docker_configuration import DockerConfiguration


def test_a_value_that_becomes_a_text_is_warned_of_where_it_was_given(
    experiment: Experiment, tmp_path: Path
) -> None:
    run = experiment.start_logging()
    file = tmp_path / "model.pkl"
    file.write_bytes(b"x")
    labels = {"mse": 0.5}
    with pytest.warns(UserWarning, match=r"kept as the text '0\.5'") as warned:
        run.tag("mse", 0.5)  # pyright: ignore[reportArgumentType]
    assert warned[0].filename == __file__
    with pytest.warns(UserWarning, match=r"kept as the text '0\.5'") as warned:
        Model.register(experiment.workspace, str(file), "m", properties=labels)
    assert warned[0].filename == __file__


def test_what_is_ignored_is_warned_of_where_it_was_given() -> None:
    with pytest.warns(UserWarning, match="docker_runtime_config is ignored") as warned:
        ScriptRunConfig(".", "t.py", docker_runtime_config=DockerConfiguration(use_docker=True))
    assert warned[0].filename == __file__
