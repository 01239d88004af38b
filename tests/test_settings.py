"""Where a setting comes from, and what is said of one that cannot be read."""

from pathlib import Path

import pytest

from headway.errors import ConfigurationError
from headway.settings import SETTINGS, Settings, default_home, load_settings, user_config_file


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def test_every_setting_is_a_field_and_every_field_a_setting() -> None:
    assert [setting.name for setting in SETTINGS] == list(Settings.__struct_fields__)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_a_row_of_the_table_is_whole(setting: object) -> None:
    assert setting in SETTINGS
    row = SETTINGS[SETTINGS.index(setting)]  # pyright: ignore[reportArgumentType]
    assert type(row.default) is row.type
    assert row.help.endswith(".")
    assert row.variable == row.variable.upper()


def test_without_any_source_the_defaults_hold(config: Path) -> None:
    settings = load_settings({"LOGNAME": "ada"}, config)
    expected = {setting.name: setting.default for setting in SETTINGS}
    expected |= {"home": default_home(), "user": "ada"}
    assert {name: getattr(settings, name) for name in expected} == expected


def test_the_file_beats_the_default_and_the_environment_the_file(config: Path) -> None:
    config.write_text("cancel_grace_s = 3.5\nmax_labels = 7\nuser = 'file'\n")
    settings = load_settings({"HEADWAY_MAX_LABELS": "9", "LOGNAME": "login"}, config)
    assert settings.cancel_grace_s == 3.5
    assert settings.max_labels == 9
    assert settings.user == "file"


def test_an_empty_variable_counts_as_not_set(config: Path) -> None:
    config.write_text("max_labels = 7\n")
    assert load_settings({"HEADWAY_MAX_LABELS": ""}, config).max_labels == 7


def test_without_arguments_the_process_and_the_user_are_asked(
    monkeypatch: pytest.MonkeyPatch, own_environment: Path
) -> None:
    path = user_config_file()
    assert path.is_relative_to(own_environment)
    path.parent.mkdir(parents=True)
    path.write_text("max_labels = 7\nmax_snapshot_files = 8\n")
    monkeypatch.setenv("HEADWAY_MAX_LABELS", "9")
    settings = load_settings()
    assert (settings.max_labels, settings.max_snapshot_files) == (9, 8)
    assert settings.home == own_environment / "headway"


def test_a_tilde_in_home_is_the_users_home(config: Path, own_environment: Path) -> None:
    assert load_settings({"HEADWAY_HOME": "~/runs"}, config).home == own_environment / "runs"


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("HEADWAY_MAX_LABELS", "many"),
        ("HEADWAY_MAX_LABELS", "1.5"),
        ("HEADWAY_MAX_LABELS", "-1"),
        ("HEADWAY_MAX_LABELS", "9" * 5000),
        ("HEADWAY_CANCEL_GRACE_S", "soon"),
        ("HEADWAY_CANCEL_GRACE_S", "-0.5"),
        ("HEADWAY_CANCEL_GRACE_S", "nan"),
        ("HEADWAY_CANCEL_GRACE_S", "inf"),
    ],
)
def test_a_variable_that_cannot_be_read_is_named_with_what_is_accepted(
    variable: str, text: str, config: Path
) -> None:
    with pytest.raises(ConfigurationError, match=rf"{variable}.*accepted is a \w*\s?number"):
        load_settings({variable: text}, config)


@pytest.mark.parametrize("given", ["'", "ünï", "a b", "試験"])
def test_a_text_is_kept_as_it_was_given(given: str, config: Path) -> None:
    assert load_settings({"HEADWAY_USER": given}, config).user == given


def test_a_variable_that_is_no_utf8_is_refused(config: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"HEADWAY_USER sets user.*UTF-8 text"):
        load_settings({"HEADWAY_USER": b"\xff".decode("utf-8", "surrogateescape")}, config)


def test_a_list_in_the_file_is_no_text(config: Path) -> None:
    config.write_text("user = ['ada']")
    with pytest.raises(ConfigurationError, match="UTF-8 text"):
        load_settings({}, config)


@pytest.mark.parametrize("line", ["max_labels = 'many'", "max_labels = -1", "max_labels = [1]"])
def test_a_value_in_the_file_that_cannot_be_read_is_named_with_the_file(
    line: str, config: Path
) -> None:
    config.write_text(line)
    with pytest.raises(ConfigurationError, match=r"config\.toml sets max_labels.*whole number"):
        load_settings({}, config)


def test_a_name_in_the_file_that_is_no_setting_is_refused_with_those_that_are(
    config: Path,
) -> None:
    config.write_text("max_label = 7\nzzz = 1\n")
    with pytest.raises(ConfigurationError, match="names max_label, zzz, which is no setting") as e:
        load_settings({}, config)
    assert all(setting.name in e.value.message for setting in SETTINGS)


@pytest.mark.parametrize("content", [b"not toml", b"\xff\xfe", b"a = 1\na = 2", b"a = \x00"])
def test_a_file_that_is_no_toml_is_refused_with_its_path(content: bytes, config: Path) -> None:
    config.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"config\.toml cannot be read as TOML") as caught:
        load_settings({}, config)
    assert caught.value.__cause__ is not None


def test_a_folder_in_place_of_the_file_is_refused(config: Path) -> None:
    config.mkdir()
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_settings({}, config)


@pytest.mark.parametrize("variable", ["LOGNAME", "USER", "LNAME", "USERNAME"])
def test_the_user_is_the_login_name_unless_set(variable: str, config: Path) -> None:
    assert load_settings({variable: "ada"}, config).user == "ada"
    assert load_settings({variable: "ada", "HEADWAY_USER": "bob"}, config).user == "bob"


def test_without_a_login_name_the_user_is_still_somebody(config: Path) -> None:
    assert load_settings({}, config).user
