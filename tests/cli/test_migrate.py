"""``headway migrate check``."""

from tests.cli.conftest import Cli

READY = "from azureml.core import Run\nrun = Run.get_context()\nrun.log('loss', 0.1)\n"
NOT_READY = (
    "from azureml.core import Workspace\n"
    "ws = Workspace.from_config()\n"
    "ws.sync_keys\n"
    "print(ws.sync_keys)\n"
    "env = ws.environments['e']\n"
    "env.docker\n"
)


def test_code_that_is_supported_whole_exits_with_0(cli: Cli) -> None:
    cli.script(READY)
    result = cli("migrate", "check", ".")
    assert "Not supported" not in result.stdout
    assert "  Run.log  train.py:3\n" in result.stdout
    assert "1 file looked at, 1 with azureml" in result.stderr
    assert "3 supported, 0 partly, 0 not supported" in result.stderr


def test_what_is_not_supported_comes_first_with_every_place(cli: Cli) -> None:
    cli.script(NOT_READY)
    lines = cli("migrate", "check", ".", code=1).stdout.splitlines()
    assert lines[0] == "Not supported:"
    assert lines[1].startswith("  Workspace.sync_keys: it manages an Azure resource")
    assert lines[2:4] == ["      train.py:3", "      train.py:4"]
    assert "Partly:" in lines
    assert any(line.startswith("  Environment.docker: ignored") for line in lines)


def test_the_document_has_every_place(cli: Cli) -> None:
    cli.script(NOT_READY)
    document = cli.json("migrate", "check", ".", code=1)
    assert (document["files"], document["using"], document["ready"]) == (1, 1, False)
    assert document["problems"] == []
    first = document["findings"][0]
    assert (first["name"], first["support"]) == ("Workspace.sync_keys", "not supported")
    assert [place["where"] for place in first["places"]] == ["train.py:3", "train.py:4"]


def test_a_place_that_rests_on_a_name_says_so(cli: Cli) -> None:
    cli.script("import azureml.core\ndef train(run):\n    run.log('a', 1)\n")
    assert "train.py:3 (by its name)" in cli("migrate", "check", ".").stdout
    [finding] = cli.json("migrate", "check", ".")["findings"]
    assert finding["places"] == [{"where": "train.py:3", "guessed": True}]


def test_what_could_not_be_read_is_not_ready(cli: Cli) -> None:
    cli.script("import azureml\nprint 'old'\n", "\x1bold.py")
    result = cli("migrate", "check", ".", code=1)
    assert "\\x1bold.py:2: not valid Python" in result.stdout
    assert "1 not read" in result.stderr


def test_of_many_places_the_first_are_shown(cli: Cli) -> None:
    cli.script(READY + "run.log('a', 1)\n" * 9)
    assert "train.py:3, train.py:4, train.py:5 and 7 more" in cli("migrate", "check", ".").stdout


def test_nothing_to_do_is_said(cli: Cli) -> None:
    assert "no scripts or notebooks in ." in cli("migrate", "check", ".").stderr
    cli.script("print(1)")
    assert "1 file looked at; none uses azureml" in cli("migrate", "check", ".").stderr


def test_a_path_that_is_not_there_is_an_error(cli: Cli) -> None:
    result = cli("migrate", "check", "nowhere", code=4)
    assert result.stderr == "error: there is no nowhere: give a folder, a script or a notebook\n"
