"""Operations that free space, and that bring runs in from elsewhere."""

from typing import Final

import msgspec

from headway.accounts import Scope
from headway.upkeep import Garbage, Purged, PurgeOrder, RetentionRule, RunRecord
from headway.wire.operation import Done, Operation
from headway.wire.workspace import Nothing


class CollectGarbage(msgspec.Struct, frozen=True):
    """Whether to do it, or only to say what would go."""

    dry_run: bool = False


class SetRule(msgspec.Struct, frozen=True):
    """The rule of an experiment."""

    rule: RetentionRule


class RemoveRule(msgspec.Struct, frozen=True):
    """The experiment whose rule is removed."""

    experiment: str = ""


class AdoptRuns(msgspec.Struct, frozen=True):
    """Runs that ended elsewhere."""

    records: list[RunRecord]


PURGE: Final = Operation(
    name="upkeep.purge",
    method="POST",
    path="/trash:purge",
    request=PurgeOrder,
    answer=Purged,
    scope=Scope.ADMIN,
    help="Remove runs of the trash for good, with their points and files.",
)
COLLECT: Final = Operation(
    name="upkeep.collect",
    method="POST",
    path="/garbage:collect",
    request=CollectGarbage,
    answer=list[Garbage],
    scope=Scope.ADMIN,
    help="Apply the retention rules, and remove what no run and no asset needs.",
)
RULES: Final = Operation(
    name="upkeep.rules",
    method="GET",
    path="/retention-rules",
    request=Nothing,
    answer=list[RetentionRule],
    scope=Scope.READ,
    help="The retention rules by experiment.",
)
SET_RULE: Final = Operation(
    name="upkeep.set_rule",
    method="PUT",
    path="/retention-rules",
    request=SetRule,
    answer=Done,
    scope=Scope.ADMIN,
    help="Set the rule of an experiment, in place of the one that it had.",
)
REMOVE_RULE: Final = Operation(
    name="upkeep.remove_rule",
    method="DELETE",
    path="/retention-rules",
    request=RemoveRule,
    answer=Done,
    scope=Scope.ADMIN,
    help="Remove the rule of an experiment; one that is not there is no error.",
)
ADOPT: Final = Operation(
    name="upkeep.adopt",
    method="POST",
    path="/runs:adopt",
    request=AdoptRuns,
    answer=list[str],
    scope=Scope.WRITE,
    help="Take in runs that ended elsewhere, with their ids, times, labels and events.",
)

OPERATIONS: Final = (PURGE, COLLECT, RULES, SET_RULE, REMOVE_RULE, ADOPT)
