"""``api.info`` and ``api.change``."""

import pytest

from headway.api import Api
from headway.errors import InvalidValueError
from headway.model import WorkspaceChange


class WorkspaceContract:
    """``api.info`` and ``api.change``."""

    def test_a_workspace_says_what_was_said_of_it(self, api: Api) -> None:
        before = api.info()
        assert (before.tags, before.description, before.default_datastore) == ({}, "", "")
        changed = api.change(WorkspaceChange(friendly_name="Mine", tags={"a": "1", "b": None}))
        assert (changed.friendly_name, changed.tags) == ("Mine", {"a": "1", "b": None})
        after = api.change(WorkspaceChange(description="text", default_datastore="d", tags={}))
        assert api.info() == after
        assert (after.friendly_name, after.description, after.tags) == ("Mine", "text", {})
        assert (after.name, after.created_at) == (before.name, before.created_at)

    def test_a_tag_that_is_not_accepted_changes_nothing(self, api: Api) -> None:
        before = api.info()
        with pytest.raises(InvalidValueError, match="tag"):
            api.change(WorkspaceChange(description="text", tags={"a\n": "1"}))
        assert api.info() == before
