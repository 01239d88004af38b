"""What users may give, and what they are told otherwise."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.checks import (
    check_file_path,
    check_labels,
    check_name,
    check_run_id,
    check_text,
    check_value,
    path_below,
)
from headway.errors import InvalidValueError

BROKEN = ["a\nb", "a\x00b", "\x1b[31mred", "a\u2028b", "a\u2029b", "a\x85b", "half \ud800 pair"]
NOT_TEXT = [None, 1, 1.5, True, b"bytes", ["list"], {"a": 1}]


def name(value: object) -> str:
    return check_name("experiment name", value, 20)


def value(value: object) -> str:
    return check_value("value of tag 'a'", value, 20)


def text(value: object) -> str:
    return check_text("description", value, 20)


def path(value: object) -> str:
    return check_file_path(value, 20)


CHECKS: list[Callable[[object], str]] = [name, value, text, path, check_run_id]


def labels(given: object) -> dict[str, str | None]:
    return check_labels("tag", given, key_limit=5, value_limit=10)


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("given", NOT_TEXT, ids=repr)
def test_what_is_no_string_is_refused_by_its_type(
    check: Callable[[object], str], given: object
) -> None:
    with pytest.raises(InvalidValueError, match=f"given as {type(given).__name__}.*give a string"):
        check(given)


@pytest.mark.parametrize("check", [name, value, path, check_run_id])
@pytest.mark.parametrize("given", BROKEN, ids=ascii)
def test_control_characters_and_half_pairs_are_refused(
    check: Callable[[object], str], given: str
) -> None:
    with pytest.raises(InvalidValueError) as caught:
        check(given)
    caught.value.message.encode()  # what is shown is itself printable


@pytest.mark.parametrize("given", ["", " ", "\t", "\u3000"], ids=ascii)
def test_a_name_that_is_empty_or_blank_is_refused(given: str) -> None:
    with pytest.raises(InvalidValueError, match="experiment name is empty: give 1 to 20"):
        name(given)


@pytest.mark.parametrize("given", ["x", "explore runs", "naïve", "試験", "🚀", "a" * 20, "'; --"])
def test_a_name_is_kept_as_it_was_given(given: str) -> None:
    assert name(given) == given


@pytest.mark.parametrize("check", [name, value, text, path])
def test_too_long_is_refused_with_both_lengths(check: Callable[[object], str]) -> None:
    assert check("a" * 20)
    with pytest.raises(InvalidValueError, match=r"21 characters.*at most 20") as caught:
        check("a" * 21)
    assert len(caught.value.message) < 200


def test_a_long_refused_value_does_not_flood_the_message() -> None:
    with pytest.raises(InvalidValueError) as caught:
        name("a" * 10_000_000)
    assert len(caught.value.message) < 200


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=20))
def test_any_printable_line_is_a_name(given: str) -> None:
    if given.strip():
        assert name(given) == given


@given(st.text(st.characters(), max_size=30))
def test_a_name_that_is_accepted_is_one_line_of_utf8(given: str) -> None:
    try:
        accepted = name(given)
    except InvalidValueError:
        return
    assert accepted.encode()
    assert len(accepted.splitlines()) == 1


def test_a_text_may_have_lines_and_may_be_empty() -> None:
    assert text("two\nlines\t!") == "two\nlines\t!"
    assert text("") == ""


@pytest.mark.parametrize("given", ["a\0b", "\udfff"], ids=ascii)
def test_a_text_that_cannot_be_stored_is_refused(given: str) -> None:
    with pytest.raises(InvalidValueError, match="cannot be stored"):
        text(given)


def test_labels_are_names_to_texts_or_none() -> None:
    given = {"a": "b", "empty": "", "none": None}
    assert labels(given) == given
    assert labels(given) is not given


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("text", "tags were given as str"),
        ([("a", "b")], "tags were given as list"),
        (None, "tags were given as NoneType"),
        ({1: "b"}, "tag key was given as int"),
        ({"": "b"}, "tag key is empty"),
        ({"toolong": "b"}, "tag key has 7 characters"),
        ({"a": 1}, "value of tag 'a' was given as int"),
        ({"a": "b" * 11}, "value of tag 'a' has 11 characters"),
        ({"a": "b\nc"}, "value of tag 'a' 'b\\\\nc' holds a control character"),
    ],
)
def test_labels_are_refused_by_the_part_that_is_wrong(given: object, message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        labels(given)


@pytest.mark.parametrize("given", ["a", "0", "explore_1-2.b", "A" * 200])
def test_a_run_id_is_letters_digits_and_three_signs(given: str) -> None:
    assert check_run_id(given) == given


@pytest.mark.parametrize(
    "given",
    ["", ".", "..", "-a", "_a", "a/b", "a b", "a\n", "é", "A" * 201, "a;rm", "..\\a", "%2e"],
)
def test_any_other_run_id_is_refused(given: str) -> None:
    with pytest.raises(InvalidValueError, match="1 to 200 ASCII letters"):
        check_run_id(given)


@pytest.mark.parametrize("given", ["a", "outputs/m.pkl", "a b/c", "...", ".hidden", "a/..b", "é"])
def test_a_file_name_is_a_relative_path(given: str) -> None:
    assert path(given) == given


@pytest.mark.parametrize(
    "given",
    ["/etc/passwd", "..", "../a", "a/../b", "a/./b", ".", "a//b", "a/", "..\\a", "C:\\a", "/"],
)
def test_a_file_name_that_leads_elsewhere_is_refused(given: str) -> None:
    with pytest.raises(InvalidValueError, match="relative path with forward slashes"):
        path(given)


@pytest.mark.parametrize(
    "name", ["../a", "a/../../b", "/etc/passwd", "a//b", "", ".", "a/", "a\0b", ".." + "/.." * 1000]
)
def test_a_name_that_leads_out_of_a_folder_is_not_written(name: str) -> None:
    with pytest.raises(InvalidValueError, match="leads out of the folder"):
        path_below(Path("folder"), name)


def test_a_name_of_a_file_is_a_path_below_the_folder() -> None:
    assert path_below(Path("folder"), "outputs/..a/b\nc") == Path("folder/outputs/..a/b\nc")
