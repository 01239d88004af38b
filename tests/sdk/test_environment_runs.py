"""Submitted runs in environments that the real uv makes."""

import os
import re
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from headway import CondaDependencies, Environment, Experiment, Run, ScriptRunConfig, Status
from headway.environments.store import EnvironmentStore
from headway.errors import InvalidValueError, NotFoundError, SubmissionError
from headway.sdk.environments.environment import DEFAULT_NAME

PATIENCE_S: Final = 20.0
RECORD: Final = "system_logs/environment.txt"
LOCK: Final = "system_logs/environment.lock.txt"

pytestmark = pytest.mark.usefixtures("real_uv")

Submit = Callable[..., Run]


@pytest.fixture
def submit(experiment: Experiment, tmp_path: Path) -> Submit:
    source = tmp_path / "source"
    source.mkdir()

    def start(text: str, environment: Environment | None, *, command: str | None = None) -> Run:
        (source / "train.py").write_text(text)
        script = "train.py" if command is None else None
        config = ScriptRunConfig(source, script, command=command, environment=environment)
        return experiment.submit(config)

    return start


def with_packages(*packages: str) -> Environment:
    environment = Environment("mine")
    environment.python.conda_dependencies = CondaDependencies.create(pip_packages=packages)
    return environment


def used_as_it_is(interpreter: str) -> Environment:
    environment = Environment("mine")
    environment.python.user_managed_dependencies = True
    environment.python.interpreter_path = interpreter
    return environment


def text_of(run: Run, name: str, tmp_path: Path) -> str:
    run.download_file(name, tmp_path / "downloaded")
    return (tmp_path / "downloaded").read_text()


def output_of(run: Run, tmp_path: Path) -> str:
    run.wait_for_completion()
    return text_of(run, "user_logs/std_log.txt", tmp_path)


SAY_WHERE: Final = """
import os, shutil, sys, six
print(sys.executable, six.__version__, shutil.which("python"), os.environ["VIRTUAL_ENV"])
print(os.environ["A"], os.environ["B"])
"""


def test_a_program_runs_in_its_environment(
    submit: Submit, own_environment: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environment = with_packages("six==1.17.0")
    environment.environment_variables = {"A": "theirs", "B": "kept"}
    run = submit(SAY_WHERE, environment)
    assert "Making environment 'mine'" in capsys.readouterr().err
    [where, variables] = output_of(run, tmp_path).splitlines()
    python, version, found, folder = where.split()
    store = own_environment / "headway" / "environments"
    assert Path(python).parents[2] == store
    assert (version, found, folder) == ("1.17.0", python, str(Path(python).parents[1]))
    assert variables == "theirs kept"
    assert run.get_file_names() == [LOCK, RECORD, "user_logs/std_log.txt"]
    record = text_of(run, RECORD, tmp_path)
    assert f"# {python}\n" in record
    assert [line for line in record.splitlines() if line[0] != "#"] == ["six==1.17.0"]
    assert re.match(r"six==1\.17\.0 \\\n +--hash=sha256:", text_of(run, LOCK, tmp_path))
    again = run.get_environment()
    assert (again.name, again.environment_variables) == ("mine", {"A": "theirs", "B": "kept"})
    assert again.python.conda_dependencies is not None
    assert again.python.conda_dependencies.pip_packages == ["six==1.17.0"]

    second = submit("import sys; print(sys.executable)", environment)
    assert "environment" not in capsys.readouterr().err
    assert output_of(second, tmp_path) == f"{python}\n"


def test_a_command_of_the_shell_finds_the_environment(submit: Submit, tmp_path: Path) -> None:
    command = "python -c 'import six; print(six.__version__)'"
    run = submit("", with_packages("six==1.17.0"), command=command)
    assert output_of(run, tmp_path) == "1.17.0\n"


LOG: Final = """
import os, signal, sys, time
from headway import Experiment, Run
run = Run.get_context()
for step in range(1000):
    run.log("loss", step / 2)
run.flush()
child = run.child_run("below")
child.log("accuracy", 1)
child.complete()
try:
    run.get_metrics()
except Exception as error:
    print(type(error).__name__)
print([name for name in ("numpy", "click", "uv") if name in sys.modules], flush=True)
time.sleep(1.2)  # longer than the time between two moves of metrics
run.log("loss", -1)
"""


def test_headway_logs_from_an_environment_that_holds_nothing_of_it(
    submit: Submit, tmp_path: Path
) -> None:
    run = submit(LOG, with_packages("six"))
    assert output_of(run, tmp_path) == "MissingPackageError\n[]\n"
    assert run.get_metrics()["loss"] == [*(step / 2 for step in range(1000)), -1]
    [child] = run.get_children()
    assert (child.status, child.get_metrics()) == (Status.COMPLETED, {"accuracy": 1})


def test_what_such_a_program_logged_survives_its_kill(submit: Submit) -> None:
    run = submit(f"{LOG}os.kill(os.getpid(), signal.SIGKILL)", with_packages("six"))
    run.wait_for_completion(raise_on_error=False)
    assert run.get_status() == Status.FAILED
    assert run.get_metrics()["loss"] == [*(step / 2 for step in range(1000)), -1]


def test_the_packages_of_the_submitter_stay_out_of_the_way(submit: Submit, tmp_path: Path) -> None:
    text = (
        "import importlib.util as u, sys\n"
        "seen = lambda: [n for n in ('msgspec', 'numpy', 'pytest') if u.find_spec(n)]\n"
        "print(seen()); import headway; print(seen(), headway.__version__)\n"
        "import typing_extensions; print(typing_extensions.__file__)"
    )
    run = submit(text, with_packages("typing-extensions"))
    before, after, theirs = output_of(run, tmp_path).splitlines()
    assert before == "[]"
    assert re.fullmatch(r"\['msgspec'\] \d.*", after)
    assert "/site-packages/" in theirs
    assert "/visible/" not in theirs


def test_an_interpreter_is_used_as_it_is(submit: Submit, tmp_path: Path) -> None:
    text = "import sys, headway; print(sys.executable)"
    run = submit(text, used_as_it_is(sys.executable))
    assert output_of(run, tmp_path) == f"{sys.executable}\n"
    assert run.get_file_names() == [RECORD, "user_logs/std_log.txt"]
    assert "msgspec==" in text_of(run, RECORD, tmp_path)
    assert run.get_environment().python.interpreter_path == sys.executable


def test_without_an_environment_the_packages_of_the_submitter_are_kept(
    submit: Submit, tmp_path: Path
) -> None:
    run = submit("", None)
    run.wait_for_completion()
    record = text_of(run, RECORD, tmp_path)
    assert f"# {sys.executable}\n" in record
    assert "\nheadway==" in record
    environment = run.get_environment()
    assert (environment.name, environment.python.user_managed_dependencies) == (DEFAULT_NAME, True)
    assert environment.python.interpreter_path == sys.executable


def test_an_interactive_run_has_no_environment(experiment: Experiment) -> None:
    with experiment.start_logging() as run, pytest.raises(NotFoundError, match="not submitted"):
        run.get_environment()


def test_an_environment_that_cannot_be_made_leaves_no_run(
    submit: Submit, experiment: Experiment, tmp_path: Path
) -> None:
    with pytest.raises(SubmissionError, match="six"):
        submit("", with_packages("six==0.0.0.1"))
    with pytest.raises(InvalidValueError, match="no program"):
        submit("", used_as_it_is(str(tmp_path / "no" / "python")))
    with pytest.raises(SubmissionError, match="cannot say what it has installed"):
        submit("", used_as_it_is("/bin/false"))
    assert list(experiment.get_runs()) == []
    assert list((tmp_path / "workspace" / "runs").iterdir()) == []


def test_another_version_of_python_is_told_how_to_get_headway(
    submit: Submit, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = tmp_path / "old-python"
    answer = (
        '{"python_version": "3.7.9", "implementation": "CPython", "platform": "Linux", "path": [],'
        ' "packages": []}'
    )
    old.write_text(f"#!/bin/sh\nif [ \"$1\" = -c ]; then echo '{answer}'; else echo ran $1; fi\n")
    old.chmod(0o755)
    run = submit("", used_as_it_is(str(old)))
    assert output_of(run, tmp_path) == "ran train.py\n"
    said = capsys.readouterr().err
    assert "environment 'mine' has Python 3.7.9" in said
    assert "add headway to its requirements" in said


def test_an_environment_stays_as_long_as_a_run_needs_it(
    submit: Submit, own_environment: Path, tmp_path: Path
) -> None:
    store = EnvironmentStore(own_environment / "headway" / "environments")
    run = submit("import time; print('up', flush=True); time.sleep(600)", with_packages("six"))
    log = tmp_path / "workspace" / "runs" / run.id / "user_logs" / "std_log.txt"
    wait_until(lambda: log.read_text() == "up\n")
    assert store.prune(0) == []
    [shim] = [int(word) for word in re.findall(r'"shim_pid": ?(\d+)', state_of(log))]
    os.kill(shim, signal.SIGKILL)
    wait_until(lambda: run.get_status() == Status.FAILED)
    assert len(store.prune(0)) == 1
    assert (
        output_of(submit("print('made again')", with_packages("six")), tmp_path) == "made again\n"
    )


def state_of(log: Path) -> str:
    return (log.parents[1] / "state.json").read_text()


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
