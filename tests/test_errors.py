"""The table of errors, the tree in the docstring and the classes say the same."""

import inspect
import pickle
import re

import pytest

from headway import errors
from headway.errors import ERROR_CODES, FilterError, HeadwayError, code_of


def defined() -> set[type[HeadwayError]]:
    return {
        value
        for value in vars(errors).values()
        if inspect.isclass(value) and issubclass(value, HeadwayError)
    }


def test_every_error_has_a_row_in_the_table_and_every_row_an_error() -> None:
    assert set(ERROR_CODES) == defined()


def test_codes_are_unique() -> None:
    codes = [row.code for row in ERROR_CODES.values()]
    assert len(codes) == len(set(codes))


def test_the_tree_in_the_docstring_is_the_tree_of_classes() -> None:
    drawn: dict[str, str] = {}
    above: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        if found := re.match(r"    ([│├└─ ]*)(\w+Error)\b", line):
            depth = len(found[1]) // 4
            above[depth:] = [found[2]]
            assert found[2] not in drawn
            drawn[found[2]] = above[depth - 1] if depth else ""
    assert drawn == {
        cls.__name__: "" if cls is HeadwayError else cls.__bases__[0].__name__ for cls in defined()
    }


@pytest.mark.parametrize("cls", list(ERROR_CODES))
def test_an_error_looks_like_an_error_from_outside(cls: type[HeadwayError]) -> None:
    row = ERROR_CODES[cls]
    assert 400 <= row.http_status < 600
    assert 1 <= row.exit_code < 64
    assert row.code == row.code.lower()
    assert row.code.isidentifier()
    if cls.transient:
        assert row.http_status >= 500


@pytest.mark.parametrize("cls", list(ERROR_CODES))
def test_an_error_survives_a_trip_to_another_process(cls: type[HeadwayError]) -> None:
    error = pickle.loads(pickle.dumps(cls("what, which, next")))
    assert type(error) is cls
    assert error.message == str(error) == "what, which, next"


def test_an_error_without_a_row_looks_like_its_nearest_ancestor() -> None:
    class HomemadeError(errors.RunNotFoundError):
        pass

    assert code_of(HomemadeError("gone")) == ERROR_CODES[errors.RunNotFoundError]


def test_lookups_and_refused_values_can_be_caught_as_builtins() -> None:
    assert issubclass(errors.NotFoundError, LookupError)
    assert issubclass(errors.InvalidValueError, ValueError)


def test_an_error_knows_what_it_was_raised_from() -> None:
    cause = ValueError("deep inside")
    assert errors.UserError("x", inner_exception=cause).inner_exception is cause
    assert errors.UserError("x").inner_exception is None
    with pytest.raises(HeadwayError) as caught:
        raise HeadwayError("x") from cause
    assert caught.value.inner_exception is cause


def test_an_error_raised_while_another_is_handled_still_shows_both() -> None:
    def raise_within() -> None:
        try:
            raise ValueError("first")
        except ValueError:
            raise HeadwayError("second")  # noqa: B904  (what is tested)

    with pytest.raises(HeadwayError) as caught:
        raise_within()
    assert not caught.value.__suppress_context__


def test_an_error_has_the_status_that_a_server_answers_it_with() -> None:
    assert errors.RunNotFoundError("gone").status_code == 404
    assert errors.PropertyConflictError("set already").status_code == 409


def test_a_filter_error_says_where() -> None:
    assert FilterError("unexpected ')'", 7).position == 7
