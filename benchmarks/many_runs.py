"""A workspace's database filled with many ended runs, in SQL alone: a million in a minute or two.

Run ``i`` has five metrics and three tags whose values are known, so that a query can be chosen by
how many runs it finds and by whether those are the new ones or the old ones.
"""

from typing import Final

import msgspec

from headway.model import NewRun, Submission
from headway.store.base import Database

EXPERIMENT: Final = "experiment-0"
"""Half of the runs are in it, the other half in nine others. Every fifth run is a child."""
_EXPERIMENTS: Final = 10
_FIRST_AT: Final = 1_700_000_000_000_000
_BETWEEN_US: Final = 60_000_000
_PART: Final = 100_000

# Numbers that look random and are the same every time: the fraction of i times an irrational one.
_NOISE: Final = "(i * {factor} - floor(i * {factor}))"
_NUMBERS: Final = """
with recursive numbers (i) as (
    select cast(:first as bigint) union all select i + 1 from numbers where i + 1 < :end
)
"""
_IN: Final = "case when i % 2 = 0 then 0 else i / 2 % 9 + 1 end"
_RUNS: Final = f"""
insert into runs (rid, id, experiment_id, number, name, status, type, parent_id, root_id,
    created_at, started_at, ended_at, target, host, created_by, request, definition)
{_NUMBERS} select i + 1, 'run-' || i, 'experiment-' || ({_IN}), i + 1,
    'run_run-' || i, case i % 100 when 7 then 'Failed' when 8 then 'Canceled' else 'Completed' end,
    'azureml.scriptrun', case when i % 5 = 4 then 'run-' || (i - 4) end,
    'run-' || (case when i % 5 = 4 then i - 4 else i end), :at + i * :between,
    :at + i * :between + 1000000,
    :at + i * :between + 2000000 + cast({_NOISE.format(factor=0.7548776662)} * 3.6e9 as bigint),
    'local', 'host', 'somebody', :request, :definition
from numbers"""
_TAGS: Final = f"""
insert into labels (rid, kind, key, value)
{_NUMBERS} select i + 1, 't', 'half', cast(i % 2 as text) from numbers union all
select i + 1, 't', 'hundredth', cast(i / 8 % 100 as text) from numbers union all
select i + 1, 't', 'note', 'note ' || i from numbers"""
_SERIES: Final = """
insert into series (rid, name, col, form, count, last_value, last_number, first_step, last_step,
    minimum, maximum)
{numbers} select i + 1, :name, '', 'float', 1000, :last, {value}, 0, 999, {value}, {value} + 1
from numbers where {where}"""
_VALUES: Final = {
    "loss": (_NOISE.format(factor=0.6180339887), "true"),
    # The age grows with i, from 0 to 1: what is small is old.
    "age": ("i / cast(:count as double precision)", "true"),
    "accuracy": ("i / 8 % 5 / 4.0", "true"),
    "epoch": ("100.0", "true"),
    "rare": ("i / 100 / 1000.0", "i % 100 = 3"),
}


def fill(database: Database, count: int) -> None:
    """Make so many runs in a new database."""
    with database.write() as tx:
        tx.many(
            "insert into experiments (id, name, created_at) values (:id, :id, 0)",
            [{"id": f"experiment-{i}"} for i in range(_EXPERIMENTS)],
        )
    for first in range(0, count, _PART):
        part = {"first": first, "end": min(first + _PART, count)}
        with database.write() as tx:
            tx.run(_RUNS, {**part, **_documents(), "at": _FIRST_AT, "between": _BETWEEN_US})
            tx.run(_TAGS, part)
            for name, (value, where) in _VALUES.items():
                statement = _SERIES.format(numbers=_NUMBERS, value=value, where=where)
                last = msgspec.msgpack.encode(0.5)
                tx.run(statement, {**part, "name": name, "last": last, "count": count})


def _documents() -> dict[str, bytes]:
    """What a run was made from, in a usual length; the same for all."""
    new = NewRun(id="run", experiment_id=EXPERIMENT, tags={"note": "x" * 100})
    submission = Submission(
        command=["python", "train.py"],
        source_directory="/home/somebody/project",
        arguments=[f"--option-{i}={i}" for i in range(20)],
    )
    encode = msgspec.msgpack.encode
    return {"request": encode(new), "definition": encode(submission)}
