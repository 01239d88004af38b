"""``api.experiments``."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from headway.api import Api
from headway.errors import (
    ConflictError,
    ExperimentNotFoundError,
    InvalidValueError,
)
from headway.model import (
    ExperimentChange,
)
from headway.testing.api.requests import new_run


class ExperimentContract:
    """``api.experiments``."""

    def test_an_experiment_is_made_once(self, api: Api) -> None:
        with ThreadPoolExecutor(8) as pool:
            ids = {e.id for e in pool.map(api.experiments.ensure, ["same"] * 8)}
        assert len(ids) == 1
        assert [e.name for e in api.experiments.list()] == ["same"]

    @pytest.mark.parametrize("name", ["", "  ", "a\nb", "a\x00b", "\ud800", "x" * 256, 7, None])
    def test_a_bad_experiment_name_is_refused(self, api: Api, name: str) -> None:
        with pytest.raises(InvalidValueError, match="experiment name"):
            api.experiments.ensure(name)
        assert api.experiments.list(archived=None) == []

    @pytest.mark.parametrize(
        "name", ["ünïcode", "実験 1", "with space", "a/b", "🚀", "-", "x" * 255]
    )
    def test_any_printable_name_is_accepted(self, api: Api, name: str) -> None:
        assert api.experiments.get(api.experiments.ensure(name).id).name == name

    def test_an_archived_experiment_gives_its_name_free(self, api: Api) -> None:
        old = api.experiments.ensure("x")
        api.experiments.change(old.id, ExperimentChange(archived=True))
        new = api.experiments.ensure("x")
        assert new.id != old.id
        assert [e.id for e in api.experiments.list(archived=True)] == [old.id]
        with pytest.raises(ConflictError, match="reactivated"):
            api.experiments.change(old.id, ExperimentChange(archived=False))

    def test_experiment_tags_are_set_and_removed(self, api: Api) -> None:
        made = api.experiments.ensure("x")
        api.experiments.change(made.id, ExperimentChange(set_tags={"a": "1", "b": None}))
        changed = api.experiments.change(
            made.id, ExperimentChange(set_tags={"c": "3"}, remove_tags=["a", "absent"])
        )
        assert changed.tags == {"b": None, "c": "3"}
        assert api.experiments.get(made.id) == changed

    def test_an_experiment_without_runs_is_deleted(self, api: Api) -> None:
        empty, full = api.experiments.ensure("empty"), api.experiments.ensure("full")
        api.runs.create([new_run(full.id)])
        api.experiments.delete(empty.id)
        with pytest.raises(ExperimentNotFoundError):
            api.experiments.delete(empty.id)
        with pytest.raises(ConflictError, match=r"archive\(\)"):
            api.experiments.delete(full.id)
        assert [e.name for e in api.experiments.list()] == ["full"]
        assert api.experiments.ensure("empty").id != empty.id

    def test_an_absent_experiment_is_an_error(self, api: Api) -> None:
        with pytest.raises(ExperimentNotFoundError, match="nope"):
            api.experiments.get("nope")
