"""What an experiment is by itself: its name, its tags, and what it asks for to have runs made."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from headway.api import Api
from headway.errors import InvalidValueError
from headway.model import Experiment as ExperimentRecord
from headway.model import ExperimentChange, NewRun
from headway.model import Run as RunRecord
from headway.sdk.arguments import checked, optional_text, start_arguments
from headway.sdk.data.inputs import with_inputs
from headway.sdk.display import Displayed
from headway.sdk.labels import as_keys, as_texts
from headway.sdk.runs import run_ids
from headway.sdk.submission.configuration import ScriptRunConfig, submission
from headway.sdk.workspaces.workspace import WorkspaceBase

SCRIPT_RUN_TYPE: Final = "azureml.scriptrun"
_NAME: Final = re.compile(r"[^\W_][\w-]{0,254}")
_WANTED: Final = (
    "Experiment name must be between 1 and 255 characters long. Its first character has to be "
    "alphanumeric, and the rest may contain hyphens and underscores. No whitespace is allowed."
)


def ensured(api: Api, name: str, *, lenient: bool) -> ExperimentRecord:
    """The experiment of this name, made now if there is none.

    Args:
        api: The verbs of the workspace.
        name: Its name.
        lenient: Whether any name will do that the workspace takes. One that stands there already
            will always do.

    Raises:
        InvalidValueError: It is no name for a new experiment.
    """
    text = checked(name, str, "experiment name")
    if lenient or not text.strip() or _NAME.fullmatch(text):
        return api.experiments.ensure(name)
    known = api.experiments.list(name=name)
    if not known:
        raise InvalidValueError(f"{_WANTED} It was given as {name!r}")
    return known[0]


class ExperimentBase(Displayed):
    """Everything of ``Experiment`` that needs no handle of a run."""

    _inner = frozenset(
        {
            "api",
            "create_records",
            "create_runs",
            "new_run",
            "run_of",
            "runs_of",
            "start_request",
            "submit_record",
        }
    )
    _home: WorkspaceBase
    _record: ExperimentRecord

    @property
    def api(self) -> Api:
        """The verbs of its workspace. For Headway's own use."""
        return self._home.api

    @property
    def id(self) -> str:
        """The experiment's id."""
        return self._record.id

    @property
    def name(self) -> str:
        """The experiment's name."""
        return self._record.name

    @property
    def archived_time(self) -> datetime | None:
        """When it was archived, in UTC; None while it is active."""
        at = self._record.archived_at
        return None if at is None else datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)

    @property
    def tags(self) -> dict[str, str | None]:
        """Its tags as they were read last; ``refresh`` reads again."""
        return dict(self._record.tags)

    def tag(self, key: str, value: str | None = None) -> None:
        """Set one tag."""
        self.set_tags({key: value})

    def set_tags(self, tags: dict[str, str | None]) -> None:
        """Set tags; others stay."""
        self._change(ExperimentChange(set_tags=as_texts("tag", tags)))

    def remove_tags(self, tags: list[str]) -> None:
        """Remove tags by their keys; keys that are not there are no error."""
        self._change(ExperimentChange(remove_tags=as_keys("tag", tags)))

    def archive(self) -> None:
        """Leave it out of lists. Its runs stay, and its name is free for a new experiment."""
        self._change(ExperimentChange(archived=True))

    def reactivate(self, new_name: str | None = None) -> None:
        """Make an archived experiment active again.

        Raises:
            ConflictError: An active experiment has its name.
            InvalidValueError: A new name was given; experiments are not renamed.
        """
        if new_name is not None:
            raise InvalidValueError(
                f"new_name was given as {new_name!r}: experiments are not renamed; leave it out"
            )
        self._change(ExperimentChange(archived=False))

    @staticmethod
    def delete(workspace: WorkspaceBase, experiment_id: str) -> None:
        """Remove an experiment that has no runs.

        Raises:
            ConflictError: It has runs; ``archive`` takes it out of lists.
            ExperimentNotFoundError: There is none with this id.
        """
        api = checked(workspace, WorkspaceBase, "workspace").api
        api.experiments.delete(checked(experiment_id, str, "experiment_id"))

    def refresh(self) -> None:
        """Read again what may have changed."""
        self._record = self.api.experiments.get(self.id)

    def get_portal_url(self) -> str:
        """Where a person can look at the experiment."""
        return f"{self._home.uri}#/experiments/{self.id}"

    # ------------------------------------------------------------ requests for runs

    def start_request(self, args: tuple[object, ...], kwargs: dict[str, object]) -> NewRun:
        """What ``start_logging`` asks for. For Headway's own use."""
        given = start_arguments(args, kwargs)
        tags, properties = given.get("tags"), given.get("properties")
        return self.new_run(
            optional_text(given.get("run_id"), "run_id") or run_ids.new_run_id(),
            name=optional_text(given.get("display_name", given.get("name")), "name"),
            description=optional_text(given.get("description"), "description"),
            tags=None if tags is None else as_texts("tag", tags),
            properties=None if properties is None else as_texts("property", properties),
        )

    def new_run(
        self,
        run_id: str,
        *,
        name: str | None = None,
        description: str | None = None,
        tags: dict[str, str | None] | None = None,
        properties: dict[str, str | None] | None = None,
        parent_id: str | None = None,
    ) -> NewRun:
        """The request for an interactive run of this process. For Headway's own use."""
        return NewRun(
            id=run_id,
            experiment_id=self.id,
            name=name,
            description=description,
            parent_id=parent_id,
            owner_id=self._home.session.owner_id(),
            started=True,
            tags=tags or {},
            properties=properties or {},
        )

    def create_records(self, new: list[NewRun]) -> list[RunRecord]:
        """Make interactive runs of this process. For Headway's own use."""
        records = self.api.runs.create(new)
        self._home.session.adopt(record.id for record in records)
        return records

    def submit_record(self, config: object, tags: object, kwargs: dict[str, object]) -> RunRecord:
        """Start a program as a run. For Headway's own use."""
        run_id = optional_text(kwargs.pop("run_id", None), "run_id")
        parent_id = optional_text(kwargs.pop("_parent_run_id", None), "_parent_run_id")
        kwargs.pop("credential_passthrough", None)
        if kwargs:
            raise InvalidValueError(
                f"submit does not take {', '.join(sorted(kwargs))}: accepted are config, tags and "
                "run_id; wait_for_completion(show_output=True) shows the output"
            )
        run_id = run_id or run_ids.submitted_run_id(self.name)
        resolved = with_inputs(self._home, checked(config, ScriptRunConfig, "config"), run_id)
        what = submission(resolved, self._home.session.settings)
        new = NewRun(
            id=run_id,
            experiment_id=self.id,
            type=SCRIPT_RUN_TYPE,
            parent_id=parent_id,
            target=what.target,
            tags={} if tags is None else as_texts("tag", tags),
        )
        return self.api.runs.submit(new, what)

    # ------------------------------------------------------------

    def _change(self, change: ExperimentChange) -> None:
        self._record = self.api.experiments.change(self.id, change)

    def _shown(self) -> dict[str, object]:
        return {
            "Name": self.name,
            "Workspace": self._home.name,
            "Report Page": self.get_portal_url(),
            "Docs Page": self.get_docs_url(),
        }

    def __repr__(self) -> str:
        return f"{type(self).__name__}(Name: {self.name},\nWorkspace: {self._home.name})"

    def __str__(self) -> str:
        return repr(self)
