"""A member of the matched API that there is not says so where it is looked for."""

import pytest

from headway import Dataset, Datastore, Environment, Run
from headway.errors import UnsupportedError
from headway.sdk.missing import Telling, Tells


def test_a_method_that_there_is_not_says_what_to_do() -> None:
    with pytest.raises(UnsupportedError, match=r"from_sql_query is not there .*: query the"):
        getattr(Dataset.Tabular, "from_sql_query")  # noqa: B009  (the type checker knows better)
    with pytest.raises(UnsupportedError, match=r"^Datastore.register_dbfs is not there"):
        getattr(Datastore, "register_dbfs")  # noqa: B009
    with pytest.raises(UnsupportedError, match=r"^Environment.spark is not there"):
        getattr(Environment("e"), "spark")  # noqa: B009


def test_it_is_not_there_for_who_asks_first() -> None:
    assert not hasattr(Dataset.Tabular, "from_sql_query")
    assert getattr(Environment("e"), "spark", None) is None


def test_any_other_name_is_missing_as_usual_with_what_was_meant() -> None:
    with pytest.raises(AttributeError, match="type object 'Run' has no attribute 'log_'") as caught:
        getattr(Run, "log_")  # noqa: B009
    assert not isinstance(caught.value, UnsupportedError)
    assert (caught.value.name, caught.value.obj) == ("log_", Run)
    with pytest.raises(AttributeError, match="'Environment' object has no attribute 'pyhton'"):
        getattr(Environment("e"), "pyhton")  # noqa: B009


def test_an_error_within_a_property_stays_what_it_was() -> None:
    class Faulty(Tells):
        @property
        def value(self) -> int:
            raise AttributeError("deep inside")

    with pytest.raises(AttributeError, match="deep inside"):
        _ = Faulty().value
    assert type(Faulty) is Telling
