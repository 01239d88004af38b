import os
import sys
from pathlib import Path

import pytest
from tests.cli.conftest import Cli

pytestmark = pytest.mark.usefixtures("real_uv")

SAY = "import sys, six; print(six.__version__, sys.version_info[:2] >= (3, 11))"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("requirements.txt", "six==1.17.0\n"),
        ("environment.yml", "dependencies: [{pip: [six==1.17.0]}]"),
    ],
)
def test_a_script_runs_with_the_packages_of_a_file(cli: Cli, name: str, text: str) -> None:
    (cli.folder / name).write_text(text)
    result = cli("submit", "--follow", "--environment", name, cli.script(SAY))
    assert result.stdout == "1.17.0 True\n"
    assert f"headway: Making environment '{Path(name).stem}'" in result.stderr


def test_a_python_is_used_as_it_is_or_built_upon(cli: Cli) -> None:
    script = cli.script("import sys; print(sys.executable)")
    link = cli.folder / "my-python"
    link.symlink_to(os.path.realpath(sys.executable))
    assert cli("submit", "--follow", "--python", str(link), script).stdout == f"{link}\n"
    (cli.folder / "requirements.txt").write_text("six")
    options = ("--environment", "requirements.txt", "--python", str(link))
    built = Path(cli("submit", "--follow", *options, script).stdout.strip())
    assert built.parents[2].name == "environments"
    assert os.path.realpath(built) == os.path.realpath(link)


def test_dry_run_names_the_environment_and_makes_none(cli: Cli, own_environment: Path) -> None:
    script = cli.script("")
    (cli.folder / "requirements.txt").write_text("--index-url https://u:hunter2@x.invalid/\nsix")
    shown = cli("submit", "--dry-run", "--environment", "requirements.txt", script).stdout
    assert "environment  'requirements': 1 packages asked for, Python of the submitter" in shown
    assert "hunter2" not in shown
    shown = cli("submit", "--dry-run", "--python", "/usr/bin/python3", script).stdout
    assert "environment  /usr/bin/python3\n" in shown
    assert not (own_environment / "headway").exists()


def test_packages_that_headway_takes_the_place_of_are_said(cli: Cli) -> None:
    (cli.folder / "requirements.txt").write_text("azureml-defaults\nsix")
    options = ("--dry-run", "--environment", "requirements.txt")
    result = cli("submit", *options, cli.script(""))
    assert "headway: note: azureml-defaults of environment 'requirements'" in result.stderr


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (["--environment", "nowhere.txt"], 2, "nowhere.txt"),
        (["--environment", "wrong.txt"], 2, "wrong.txt:2"),
        (["--environment", "wrong.yml"], 2, "wrong.yml"),
        (["--environment", "python.yml", "--python", "/usr/bin/python3"], 2, "give one of them"),
        (["--environment", "conda.yml"], 2, "libgcc"),
        (["--python", "nowhere/python"], 2, "no program"),
        (["--python", "/bin/false"], 6, "cannot say what it has installed"),
    ],
)
def test_mistakes_are_said_and_leave_no_run(
    cli: Cli, options: list[str], code: int, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    (cli.folder / "wrong.txt").write_text("six\nno requirement at all")
    (cli.folder / "wrong.yml").write_text("{")
    (cli.folder / "python.yml").write_text("dependencies: [python=3.9]")
    (cli.folder / "conda.yml").write_text("dependencies: [libgcc]")
    result = cli("submit", *options, cli.script(""), code=code)
    assert says in result.stderr
    assert result.stdout == ""
    if cli.workspace_folder.exists():
        assert cli.json("list") == []
