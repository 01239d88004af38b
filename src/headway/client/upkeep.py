"""Upkeep of a workspace on a server."""

from collections.abc import Sequence

from msgspec.structs import replace

from headway.client.connection import Connection
from headway.client.metrics import RemoteMetrics
from headway.upkeep import Garbage, Purged, PurgeOrder, RetentionRule, RunRecord
from headway.wire import upkeep as row
from headway.wire.workspace import Nothing


class RemoteUpkeep:
    """Implements ``headway.api.Upkeep``."""

    def __init__(self, connection: Connection, metrics: RemoteMetrics) -> None:
        self._connection = connection
        self._metrics = metrics

    def purge(self, order: PurgeOrder) -> Purged:
        """Remove runs of the trash for good, with their points and files."""
        self._metrics.drain_all()
        spare = sorted({*order.spare, *self._metrics.written_here()})
        return self._connection.call(row.PURGE, replace(order, spare=spare))

    def collect(self, *, dry_run: bool = False) -> list[Garbage]:
        """Apply the retention rules, and remove what no run and no asset needs."""
        return self._connection.call(row.COLLECT, row.CollectGarbage(dry_run))

    def rules(self) -> list[RetentionRule]:
        """The retention rules by experiment."""
        return self._connection.call(row.RULES, Nothing())

    def set_rule(self, rule: RetentionRule) -> None:
        """Set the rule of an experiment, in place of the one that it had."""
        self._connection.call(row.SET_RULE, row.SetRule(rule))

    def remove_rule(self, experiment: str) -> None:
        """Remove the rule of an experiment; one that is not there is no error."""
        self._connection.call(row.REMOVE_RULE, row.RemoveRule(experiment))

    def adopt(self, records: Sequence[RunRecord]) -> list[str]:
        """Take in runs that ended elsewhere, with their ids, times, labels and events."""
        return self._connection.call(row.ADOPT, row.AdoptRuns([*records]))
