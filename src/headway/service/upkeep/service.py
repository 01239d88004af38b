"""The upkeep of an embedded workspace, as the ``Api`` has it."""

import math
from collections.abc import Callable, Sequence
from typing import Final

from headway.checks import check_name
from headway.errors import InvalidValueError
from headway.hosting.layout import Layout
from headway.service.assets import AssetService
from headway.service.creation import RunMaker
from headway.service.storage import Storage
from headway.service.upkeep.adopting import Adopter
from headway.service.upkeep.collecting import Collector
from headway.service.upkeep.purging import Purger
from headway.service.upkeep.trash import Trash
from headway.service.uploads import UploadService
from headway.store import retention
from headway.store.base import Database
from headway.upkeep import Garbage, Purged, PurgeOrder, RetentionRule, RunRecord

_MOST_CHARS: Final = 1000


class UpkeepService:
    """Implements ``headway.api.Upkeep``."""

    def __init__(
        self, database: Database, purger: Purger, collector: Collector, adopter: Adopter
    ) -> None:
        self._database = database
        self._purger = purger
        self._collector = collector
        self._adopter = adopter

    def purge(self, order: PurgeOrder) -> Purged:
        """Remove runs of the trash for good, with their points and files."""
        _check_age("older_than_s", order.older_than_s)
        return self._purger.purge(order)

    def collect(self, *, dry_run: bool = False) -> list[Garbage]:
        """Apply the retention rules, and remove what no run and no asset needs."""
        return self._collector.collect(dry_run=dry_run)

    def rules(self) -> list[RetentionRule]:
        """The retention rules by experiment."""
        with self._database.read() as tx:
            return retention.rules(tx)

    def set_rule(self, rule: RetentionRule) -> None:
        """Set the rule of an experiment, in place of the one that it had."""
        if rule.keep_last is None and rule.older_than_s is None:
            raise InvalidValueError(
                "the retention rule has no bound and would delete every run: give how many of the "
                "newest runs to keep, an age, or both"
            )
        if rule.experiment:
            check_name("experiment name", rule.experiment, _MOST_CHARS)
        if rule.keep_last is not None and not 0 <= rule.keep_last < 1 << 63:
            raise InvalidValueError(
                f"the retention rule keeps the last {rule.keep_last} runs: give 0 or more"
            )
        if rule.older_than_s is not None:
            _check_age("the age in the retention rule", rule.older_than_s)
        with self._database.write() as tx:
            retention.put(tx, rule)

    def remove_rule(self, experiment: str) -> None:
        """Remove the rule of an experiment."""
        with self._database.write() as tx:
            retention.remove(tx, experiment)

    def adopt(self, records: Sequence[RunRecord]) -> list[str]:
        """Take in runs that ended elsewhere; the ids of those that were not there."""
        return self._adopter.adopt(records)


def upkeep_of(
    database: Database,
    layout: Layout,
    storage: Storage,
    assets: AssetService,
    uploads: UploadService,
    trash: Trash,
    maker: RunMaker,
    clock: Callable[[], int],
) -> UpkeepService:
    """The upkeep of a workspace, of the parts that it has."""
    purger = Purger(database, layout, storage, clock)
    collector = Collector(database, layout, storage, assets, uploads, trash, purger, clock)
    return UpkeepService(database, purger, collector, Adopter(database, maker))


def _check_age(what: str, given: float) -> None:
    if not (math.isfinite(given) and 0 <= given <= 1e11):
        raise InvalidValueError(f"{what} was given as {given!r}: give seconds, 0 or more")
