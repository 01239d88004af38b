"""What a run is by itself: its record, its tags and properties, where it stands."""

import os

from headway.api import Api
from headway.model import FileEntry, RunChange, Status
from headway.model import Run as RunRecord
from headway.sdk.arguments import checked, optional_text
from headway.sdk.display import Displayed
from headway.sdk.interactive.block import Block
from headway.sdk.interactive.session import Session
from headway.sdk.labels import as_keys, as_texts
from headway.sdk.runs.details import details_of
from headway.sdk.runs.transfers import LOG_PREFIXES
from headway.sdk.workspaces.workspace import WorkspaceBase

_FINAL = frozenset({Status.FAILED, Status.CANCELED})


class RunState(Displayed):
    """The part of ``Run`` about its own record."""

    _home: WorkspaceBase
    _record: RunRecord
    _pid: int
    _blocks: list[Block]

    def _attach(self, home: WorkspaceBase, record: RunRecord) -> None:
        self._blocks = []
        self._home = home
        self._record = record
        self._pid = os.getpid()

    def __getstate__(self) -> dict[str, object]:
        """For another process: which run it is. That process logs to a journal of its own."""
        bound = {"_journal", "_pen", "_rows", "_blocks"}
        state = {name: value for name, value in vars(self).items() if name not in bound}
        return {**state, "_blocks": []}

    @property
    def _session(self) -> Session:
        return self._home.session

    @property
    def _api(self) -> Api:
        return self._home.session.api

    # ------------------------------------------------------------ identity

    @property
    def id(self) -> str:
        """The run's id, one in the whole workspace."""
        return self._record.id

    @property
    def number(self) -> int:
        """Counts up from 1 within the experiment."""
        return self._record.number

    @property
    def type(self) -> str | None:
        """``azureml.scriptrun`` for a submitted script, None for an interactive run."""
        return self._record.type

    @property
    def name(self) -> str:
        """The run's name; the same as ``display_name``."""
        return self._record.name

    @property
    def display_name(self) -> str:
        """The name shown to people; may be set at any time."""
        return self._record.name

    @display_name.setter
    def display_name(self, display_name: str) -> None:
        self._change(RunChange(name=checked(display_name, str, "display_name")))

    @property
    def description(self) -> str | None:
        """A text about the run; may be set at any time, to None too."""
        return self._record.description

    @description.setter
    def description(self, description: str | None) -> None:
        self._change(RunChange(description=optional_text(description, "description")))

    # ------------------------------------------------------------ tags and properties

    @property
    def tags(self) -> dict[str, str | None]:
        """The tags as they were read last."""
        return dict(self._record.tags)

    @property
    def properties(self) -> dict[str, str | None]:
        """The properties as they were read last."""
        return dict(self._record.properties)

    def get_tags(self) -> dict[str, str | None]:
        """The tags as they are now."""
        return dict(self._refresh().tags)

    def get_properties(self) -> dict[str, str | None]:
        """The properties as they are now."""
        return dict(self._refresh().properties)

    def tag(self, key: str, value: str | None = None) -> None:
        """Set one tag, also after the end of the run."""
        self.set_tags({key: value})

    def set_tags(self, tags: dict[str, str | None]) -> None:
        """Set tags; others stay. What is neither a text nor None is kept as its text."""
        self._change(RunChange(set_tags=as_texts("tag", tags)))

    def remove_tags(self, tags: list[str]) -> None:
        """Remove tags by their keys; keys that are not there are no error."""
        self._change(RunChange(remove_tags=as_keys("tag", tags)))

    def add_properties(self, properties: dict[str, str | None]) -> None:
        """Add properties, all or none. The same value again is no error.

        Raises:
            PropertyConflictError: One has another value: properties cannot be changed.
        """
        self._change(RunChange(add_properties=as_texts("property", properties)))

    # ------------------------------------------------------------ where it stands

    @property
    def status(self) -> str:
        """The status as it was read last; ``get_status`` reads again."""
        return str(self._record.status)

    def get_status(self) -> str:
        """The status now."""
        if self._record.status not in _FINAL:
            self._refresh()
        return self.status

    def get_detailed_status(self) -> dict[str, str | None]:
        """The status now, and the reason of the last change if one was given."""
        status = self.get_status()
        events = self._api.runs.events(self.id)
        return {"status": status, "details": (events[-1].reason or None) if events else None}

    def get_details(self) -> dict[str, object]:
        """What is known of the run: runId, target, status, times, properties, logFiles ..."""
        run = self._refresh()
        logs = {e.path: f"{self.get_portal_url()}/{e.path}" for e in self._logs()}
        return details_of(run, logs)

    def get_details_with_logs(self) -> dict[str, object]:
        """``get_details`` with the contents of the logs in place of their URLs."""
        texts: dict[str, str] = {}
        for entry in self._logs():
            with self._api.files.open(self.id, entry.path) as log:
                texts[entry.path] = log.read().decode("utf-8", "replace")
        return details_of(self._refresh(), texts)

    def get_portal_url(self) -> str:
        """Where a person can look at the run."""
        return f"{self._home.uri}#/runs/{self.id}"

    # ------------------------------------------------------------

    def _logs(self) -> list[FileEntry]:
        return [one for prefix in LOG_PREFIXES for one in self._api.files.list(self.id, prefix)]

    def _refresh(self) -> RunRecord:
        self._record = self._api.runs.get(self.id)
        return self._record

    def _change(self, change: RunChange) -> None:
        self._record = self._api.runs.change(self.id, change)

    def _shown(self) -> dict[str, object]:
        return {
            "Experiment": self._record.experiment_name,
            "Id": self.id,
            "Type": self.type,
            "Status": self.status,
            "Details Page": self.get_portal_url(),
            "Docs Page": self.get_docs_url(),
        }

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(Experiment: {self._record.experiment_name},\nId: {self.id},\n"
            f"Type: {self.type},\nStatus: {self.status})"
        )
