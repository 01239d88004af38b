import sys
from pathlib import Path
from typing import Any

import pytest

from headway import RunConfiguration, ScriptRunConfig
from headway.errors import InvalidValueError, SubmissionError
from headway.sdk.submission.configuration import submission
from headway.settings import load_settings


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "sub").mkdir(parents=True)
    (folder / "train.py").write_text("print()")
    (folder / "sub" / "deep.py").write_text("print()")
    (tmp_path / "outside.py").write_text("print()")
    return folder


def submitted(config: ScriptRunConfig) -> Any:
    return submission(config, load_settings())


def test_a_script_is_run_by_this_python(source: Path) -> None:
    what = submitted(ScriptRunConfig(source, "train.py", ["--lr", 0.1, 3, Path("x"), True]))
    assert what.command == [sys.executable, "train.py", "--lr", "0.1", "3", "x", "True"]
    assert what.source_directory == str(source)
    assert (what.script, what.target) == ("train.py", "local")
    assert what.max_run_duration_s == 2592000
    assert what.grace_s == 10.0


def test_paths_are_relative_to_the_current_folder(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(source.parent)
    assert submitted(ScriptRunConfig("source/../source", "./sub/deep.py")).script == "sub/deep.py"
    monkeypatch.chdir(source)
    assert submitted(ScriptRunConfig(".", source / "train.py")).script == "train.py"
    assert submitted(ScriptRunConfig(None, "train.py")).source_directory == str(source)


def test_a_command_is_run_by_the_shell(source: Path) -> None:
    assert submitted(ScriptRunConfig(source, command="echo $HOME | cat")).command == [
        "/bin/sh",
        "-c",
        "echo $HOME | cat",
    ]
    joined = submitted(ScriptRunConfig(source, command=["python", "train.py", "--lr", "0.1"]))
    assert joined.command[-1] == "python train.py --lr 0.1"
    assert joined.script is None


def test_a_missing_script_is_named_with_where_it_was_looked_for(source: Path) -> None:
    with pytest.raises(SubmissionError) as caught:
        submitted(ScriptRunConfig(source, "trian.py"))
    assert str(caught.value) == (
        f"{source}/trian.py script path doesn't exist. The script should be inside the project "
        "folder"
    )


@pytest.mark.parametrize("script", ["../outside.py", "sub/../../outside.py"])
def test_a_script_outside_its_folder_is_refused(source: Path, script: str) -> None:
    with pytest.raises(SubmissionError, match="outside the source directory"):
        submitted(ScriptRunConfig(source, script))
    with pytest.raises(SubmissionError, match="should be inside the project folder"):
        submitted(ScriptRunConfig(source, "sub"))


def test_a_missing_source_directory_is_refused(source: Path) -> None:
    with pytest.raises(SubmissionError, match="doesn't exist"):
        submitted(ScriptRunConfig(source / "no", "train.py"))
    with pytest.raises(SubmissionError, match="is no folder"):
        submitted(ScriptRunConfig(source / "train.py", "train.py"))


def test_script_and_command_exclude_each_other(source: Path) -> None:
    with pytest.raises(InvalidValueError, match="both given"):
        submitted(ScriptRunConfig(source, "train.py", command="true"))
    with pytest.raises(InvalidValueError, match="neither a script nor a command"):
        submitted(ScriptRunConfig(source))
    with pytest.raises(InvalidValueError, match="go with a script"):
        submitted(ScriptRunConfig(source, command="true", arguments=["--lr"]))


@pytest.mark.parametrize("wrong", ["--lr 0.1", 3, [None], [["--lr"]], ["a\0b"], [b"x"], {"a": 1}])
def test_arguments_are_a_list_of_plain_values(source: Path, wrong: Any) -> None:
    with pytest.raises(InvalidValueError, match="arguments"):
        submitted(ScriptRunConfig(source, "train.py", wrong))


class Target:
    def __init__(self, name: str) -> None:
        self.name = name


@pytest.mark.parametrize("target", [None, "local", Target("local")])
def test_the_local_target_is_given_by_name_or_as_an_object(source: Path, target: object) -> None:
    assert submitted(ScriptRunConfig(source, "train.py", compute_target=target)).target == "local"


@pytest.mark.parametrize("target", [3, "", Target("")])
def test_what_names_no_target_is_refused_with_what_does(source: Path, target: object) -> None:
    with pytest.raises(InvalidValueError, match=r"such as 'local', or one of workspace\."):
        ScriptRunConfig(source, "train.py", compute_target=target)


def test_what_is_given_beside_a_run_config_is_ignored_with_a_warning(source: Path) -> None:
    run_config = RunConfiguration(script="other.py", arguments=["a"])
    run_config.max_run_duration_seconds = 60
    run_config.environment_variables = {"A": "1"}
    with pytest.warns(UserWarning, match="compute_target is ignored"):
        config = ScriptRunConfig(source, run_config=run_config, compute_target="gpu")
    assert (config.script, config.arguments) == ("other.py", ["a"])
    config = ScriptRunConfig(source, "train.py", ["b"], run_config=run_config)
    what = submitted(config)
    assert (what.script, what.arguments) == ("train.py", ["b"])
    assert what.max_run_duration_s == 60
    assert what.environment_variables == {"A": "1"}
    with pytest.warns(UserWarning, match="max_run_duration_seconds is ignored"):
        ScriptRunConfig(source, run_config=run_config, max_run_duration_seconds=5)


def test_environment_variables_are_texts(source: Path) -> None:
    config = ScriptRunConfig(source, "train.py")
    config.run_config.environment_variables["N"] = "1"
    assert submitted(config).environment_variables == {"N": "1"}
    numbers: Any = {"EPOCHS": 3}
    config.run_config.environment_variables = numbers
    assert submitted(config).environment_variables == {"EPOCHS": "3"}
    for wrong in ({"A=B": "1"}, {"": "1"}, {"A": "a\0"}, {"A": None}, ["A=1"], {3: "1"}):
        given: Any = wrong
        config.run_config.environment_variables = given
        with pytest.raises(InvalidValueError, match="environment"):
            submitted(config)


@pytest.mark.parametrize("wrong", [0, -1, "60", True])
def test_a_time_limit_is_above_zero(source: Path, wrong: Any) -> None:
    with pytest.raises(InvalidValueError, match="max_run_duration_seconds"):
        submitted(ScriptRunConfig(source, "train.py", max_run_duration_seconds=wrong))


def test_what_is_not_done_yet_is_said(source: Path) -> None:
    with pytest.warns(UserWarning, match="docker_runtime_config is ignored"):
        ScriptRunConfig(source, "train.py", docker_runtime_config=object())
    with pytest.raises(InvalidValueError, match="distributed_job_config"):
        ScriptRunConfig(source, "train.py", distributed_job_config=object())
    config = ScriptRunConfig(source, "train.py")
    config.run_config.node_count = 2
    with pytest.raises(InvalidValueError, match="node_count"):
        submitted(config)


def test_a_run_config_of_another_type_is_refused(source: Path) -> None:
    wrong: Any = {"target": "local"}
    with pytest.raises(InvalidValueError, match="give a RunConfiguration"):
        ScriptRunConfig(source, "train.py", run_config=wrong)


def test_configurations_show_what_they_are(source: Path) -> None:
    assert "script='train.py'" in repr(ScriptRunConfig(source, "train.py"))
    assert "command='true'" in repr(ScriptRunConfig(source, command="true"))
    assert "target='local'" in repr(RunConfiguration())


def test_the_values_of_variables_are_not_shown() -> None:
    config = RunConfiguration()
    config.environment_variables = {"TOKEN": "secret"}
    assert "secret" not in repr(config)
