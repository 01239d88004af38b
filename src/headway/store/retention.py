"""Retention rules, and the runs that they no longer keep: statements."""

from typing import Final

from headway.store.base import Transaction
from headway.upkeep import RetentionRule

KEEP: Final = "keep"
"""The tag that keeps a run whatever the rules say."""

_LIST: Final = """
select experiment, keep_last, older_than_s from retention_rules order by experiment"""
_SET: Final = """
insert into retention_rules (experiment, keep_last, older_than_s)
values (:experiment, :keep_last, :older_than_s)
on conflict (experiment) do update set keep_last = excluded.keep_last,
    older_than_s = excluded.older_than_s"""
_REMOVE: Final = "delete from retention_rules where experiment = :experiment"
_EXPERIMENTS: Final = """
select id from experiments
where name = :name or (:name = '' and name not in (select experiment from retention_rules))
order by created_at, id"""
_NEWEST_OUT: Final = """
select max(rid) from (
    select r.rid as rid from runs r
    where r.experiment_id = :id and r.parent_id is null
      and not exists (select 1 from trash x where x.rid = r.rid)
    order by r.rid desc limit 1 offset :keep_last
) y"""
_OUT: Final = """
select r.id from runs r
where r.experiment_id = :id and r.parent_id is null and r.rid <= :newest
  and r.ended_at is not null and r.ended_at <= :before
  and not exists (select 1 from trash x where x.rid = r.rid)
  and not exists (select 1 from runs c where c.root_id = r.id and (
    c.ended_at is null
    or exists (select 1 from labels l where l.rid = c.rid and l.kind = 't' and l.key = :keep)
    or exists (select 1 from assets a where a.run_id = c.id)))
order by r.rid"""


def rules(tx: Transaction) -> list[RetentionRule]:
    """All rules, by experiment."""
    return [RetentionRule(row[0], row[1], row[2]) for row in tx.all(_LIST)]


def put(tx: Transaction, rule: RetentionRule) -> None:
    """Set the rule of an experiment."""
    tx.run(
        _SET,
        {
            "experiment": rule.experiment,
            "keep_last": rule.keep_last,
            "older_than_s": rule.older_than_s,
        },
    )


def remove(tx: Transaction, experiment: str) -> None:
    """Remove the rule of an experiment, if it has one."""
    tx.run(_REMOVE, {"experiment": experiment})


def outside(tx: Transaction, rule: RetentionRule, *, now: int) -> list[str]:
    """The runs at the top that a rule does not keep with all below them, oldest first.

    Args:
        tx: Reads.
        rule: The rule.
        now: The time, in microseconds.
    """
    before = now - int((rule.older_than_s or 0.0) * 1e6)
    found: list[str] = []
    for (experiment_id,) in tx.all(_EXPERIMENTS, {"name": rule.experiment}):
        row = tx.one(_NEWEST_OUT, {"id": experiment_id, "keep_last": rule.keep_last or 0})
        if row is None or row[0] is None:
            continue
        parameters = {"id": experiment_id, "newest": row[0], "before": before, "keep": KEEP}
        found += [row[0] for row in tx.all(_OUT, parameters)]
    return found
