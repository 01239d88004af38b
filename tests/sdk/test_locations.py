import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from headway.errors import ConfigurationError, InvalidValueError
from headway.sdk.locations import (
    Location,
    config_target,
    config_text,
    find,
    named,
    server_of,
)
from headway.settings import Settings, load_settings

KEYS = {"subscription_id": "s", "resource_group": "g", "workspace_name": "mine"}
SCOPE = (
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/mine"
)


@pytest.fixture
def settings() -> Settings:
    return load_settings()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project" / "deep" / "down"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


def write(path: Path, content: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_without_any_word_it_is_the_default_workspace(settings: Settings, here: Path) -> None:
    found = find(settings)
    assert found.folder == settings.home / "workspaces" / "default"
    assert found.defaulted


@pytest.mark.parametrize("content", [KEYS, {"Id": "1", "Scope": SCOPE}])
@pytest.mark.parametrize(
    "name", [".azureml/config.json", "aml_config/project.json", "config.json", "project.json"]
)
def test_a_config_file_is_found_from_below(
    settings: Settings, here: Path, name: str, content: dict[str, str]
) -> None:
    write(here.parent.parent / name, content)
    assert find(settings) == Location(settings.home / "workspaces" / "mine", "mine", "s", "g")


def test_a_hidden_file_above_beats_a_plain_one_here(settings: Settings, here: Path) -> None:
    write(here / "config.json", {**KEYS, "workspace_name": "plain"})
    write(here.parent / ".azureml" / "config.json", {**KEYS, "workspace_name": "hidden"})
    assert find(settings).name == "hidden"


@pytest.mark.parametrize("content", [{"model_type": "bert"}, "{ // a comment\n}", "[1]", ""])
def test_a_plain_file_of_another_tool_is_skipped(
    settings: Settings, here: Path, content: object
) -> None:
    write(here / "config.json", content)
    assert find(settings).defaulted
    write(here.parent / "config.json", KEYS)
    assert find(settings).name == "mine"


def test_a_plain_file_that_is_half_ours_is_refused(settings: Settings, here: Path) -> None:
    file = write(here / "config.json", {"workspace_name": "mine"})
    with pytest.raises(ConfigurationError, match="lacks subscription_id, resource_group") as caught:
        find(settings)
    assert str(file) in str(caught.value)


@pytest.mark.parametrize("content", [{"model_type": "bert"}, "{", "[1]", {}])
def test_a_hidden_file_without_our_keys_is_refused(
    settings: Settings, here: Path, content: object
) -> None:
    file = write(here / ".azureml" / "config.json", content)
    with pytest.raises(ConfigurationError) as caught:
        find(settings)
    assert str(file) in str(caught.value)


def test_a_path_key_names_a_folder_beside_the_project(settings: Settings, here: Path) -> None:
    write(here / ".azureml" / "config.json", {"path": "runs-here"})
    assert find(settings).folder == here / "runs-here"
    write(here / "other.json", {**KEYS, "path": "/somewhere/else"})
    found = find(settings, "other.json")
    assert (found.folder, found.name) == (Path("/somewhere/else"), "mine")


@pytest.mark.parametrize(
    ("url", "server", "name"),
    [
        ("https://host", "https://host", "default"),
        ("https://Host:8850/", "https://host:8850", "default"),
        ("http://127.0.0.1:8850/team", "http://127.0.0.1:8850", "team"),
        ("http://[::1]:8850/team/", "http://[::1]:8850", "team"),
    ],
)
def test_a_url_names_a_workspace_on_a_server(
    settings: Settings, url: str, server: str, name: str
) -> None:
    found = find(replace(settings, workspace=url))
    assert (found.url, found.name, found.shown) == (server, name, f"{server}/{name}")
    assert found.folder.parent == settings.home / "remote"


@pytest.mark.parametrize(
    "url", ["https://", "ftp://host", "https://host/a/b", "https://u:p@host", "https://host?x", 5]
)
def test_what_is_no_url_of_a_server_is_refused(settings: Settings, here: Path, url: object) -> None:
    write(here / ".azureml" / "config.json", {**KEYS, "url": url})
    with pytest.raises(ConfigurationError, match=r"config\.json is .*: give the URL of a server"):
        find(settings)


def test_a_config_file_names_a_server_and_what_was_written_finds_it_again(
    settings: Settings, here: Path
) -> None:
    write(here / ".azureml" / "config.json", {**KEYS, "url": "https://host"})
    found = find(settings)
    assert (found.url, found.name) == ("https://host", KEYS["workspace_name"])
    (here / ".azureml" / "config.json").write_text(config_text(found, settings))
    assert find(settings) == found


def test_names_are_those_of_the_server_that_is_set(settings: Settings) -> None:
    on_server = replace(settings, workspace="https://host/other")
    assert named("team", on_server).shown == "https://host/team"
    assert server_of(on_server) == "https://host"
    assert server_of(settings) == server_of(replace(settings, workspace="/a/folder")) == ""


def test_places_of_two_servers_on_one_machine_are_apart(settings: Settings) -> None:
    urls = ("https://host", "http://host", "https://host:1", "https://host/b", "https://host.b")
    folders = {find(replace(settings, workspace=url)).folder for url in urls}
    assert len(folders) == len(urls)


def test_the_setting_beats_every_file(settings: Settings, here: Path) -> None:
    write(here / ".azureml" / "config.json", KEYS)
    chosen = replace(settings, workspace="over/here")
    assert find(chosen) == Location(here / "over" / "here", "here")
    assert find(chosen, "no-such-file").name == "here"


def test_an_explicit_path_must_lead_somewhere(settings: Settings, here: Path) -> None:
    with pytest.raises(ConfigurationError, match="missing") as caught:
        find(settings, "missing/config.json")
    assert str(here) in str(caught.value)
    with pytest.raises(ConfigurationError, match="could not be found in"):
        find(settings, here)
    with pytest.raises(ConfigurationError, match="special\\.json"):
        find(settings, file_name="special.json")


def test_only_the_given_file_name_is_looked_for(settings: Settings, here: Path) -> None:
    write(here / ".azureml" / "config.json", KEYS)
    write(here / "special.json", {**KEYS, "workspace_name": "special"})
    assert find(settings, file_name="special.json").name == "special"


@pytest.mark.parametrize("wrong", [3, "", "\0", []])
def test_a_path_of_another_type_is_refused(settings: Settings, wrong: object) -> None:
    with pytest.raises(InvalidValueError, match="path was given as"):
        find(settings, wrong)


@pytest.mark.parametrize("wrong", ["", "a/b", "..", ".hidden", "x" * 65, "a b", "a\n", None, 3])
def test_a_workspace_name_is_one_part_of_a_path(settings: Settings, wrong: object) -> None:
    with pytest.raises(InvalidValueError, match="workspace name"):
        named(wrong, settings)


def test_a_config_file_with_a_dangerous_name_is_refused(settings: Settings, here: Path) -> None:
    write(here / ".azureml" / "config.json", {**KEYS, "workspace_name": "../../etc"})
    with pytest.raises(ConfigurationError, match="workspace name"):
        find(settings)


def test_what_is_written_is_found_again(settings: Settings, here: Path) -> None:
    for place in (
        Location(settings.home / "workspaces" / "mine", "mine", "s", "g"),
        Location(here / "elsewhere", "other"),
    ):
        write(config_target(None, None), config_text(place, settings))
        assert find(settings) == place
    assert config_target(None, None) == Path(".azureml/config.json")


def test_a_config_is_written_where_one_is_already(here: Path) -> None:
    (here / "aml_config").mkdir()
    assert config_target(here, None) == here / "aml_config" / "config.json"
    write(here / "aml_config" / "project.json", KEYS)
    assert config_target(here, None) == here / "aml_config" / "project.json"
    assert config_target(here, "x.json") == here / "aml_config" / "x.json"
