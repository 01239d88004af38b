"""Leases, the runs that hang on them, and what one process alone may do: statements."""

from typing import Final

import msgspec

from headway.model import Status
from headway.runners import Assignment, EndRequest
from headway.store.base import Transaction
from headway.store.runs import SELECT, StoredRun, decode

_LEASE: Final = """
select owner_id, host, expires_at, missed_at, signals from leases where owner_id = :owner_id"""
_BEAT: Final = """
insert into leases (owner_id, host, expires_at, signals) values (:owner_id, :host, :expires_at, 0)
on conflict (owner_id) do update
    set host = excluded.host, expires_at = excluded.expires_at, missed_at = null"""
_SIGNAL: Final = "update leases set signals = signals + 1 where owner_id = :owner_id"
_MISSED: Final = "update leases set missed_at = :at where owner_id = :owner_id"
_REMOVE: Final = "delete from leases where owner_id = :owner_id"
_OVERDUE: Final = """
select owner_id, host, expires_at, missed_at, signals from leases where expires_at < :at
order by owner_id"""

_ADD: Final = """
insert into remote_runs (rid, runner_id, sequence) values (:rid, :runner_id, 0)
on conflict (rid) do nothing"""
_REMOTE: Final = """
select runner_id, sequence, wanted, place from remote_runs where rid = :rid"""
_WANT: Final = "update remote_runs set wanted = :wanted where rid = :rid"
_TAKE: Final = """
update remote_runs set sequence = :sequence, place = :place
where rid = :rid and sequence < :sequence"""
_ASSIGNED: Final = """
select r.id, r.status, m.sequence, m.wanted from remote_runs m join runs r on r.rid = m.rid
where m.runner_id = :runner_id and r.ended_at is null order by m.rid"""
_EXECUTED: Final = f"""{SELECT} where r.ended_at is null and r.rid in
    (select m.rid from remote_runs m where m.runner_id = :owner_id) order by r.rid"""
_OWNED: Final = f"{SELECT} where r.ended_at is null and r.owner_id = :owner_id order by r.rid"
_HERE: Final = """
select r.id, r.owner_id from runs r where r.ended_at is null
    and not exists (select 1 from remote_runs m where m.rid = r.rid)
    and not exists (select 1 from leases l where l.owner_id = r.owner_id)
order by r.rid"""
_ANYTHING: Final = """
select 1 where exists (select 1 from runs where ended_at is null)
    or exists (select 1 from leases)"""

_GUARD: Final = """
insert into guards (name, holder, token, expires_at) values (:name, :holder, 1, :expires_at)
on conflict (name) do update
    set holder = excluded.holder, expires_at = excluded.expires_at,
        token = guards.token + case when guards.holder = excluded.holder then 0 else 1 end
    where guards.holder = excluded.holder or guards.expires_at < :now
returning token"""
_GUARDED: Final = """
update guards set token = token where name = :name and holder = :holder and token = :token"""
_UNGUARD: Final = """
update guards set expires_at = 0 where name = :name and holder = :holder and token = :token"""


class Lease(msgspec.Struct, frozen=True):
    """A lease as it stands."""

    owner_id: str
    host: str
    expires_at: int
    missed_at: int | None
    """Since when nothing was heard of its owner, as far as somebody looked."""
    signals: int


class RemoteRun(msgspec.Struct, frozen=True):
    """What is known of a run that is executed elsewhere."""

    runner_id: str
    sequence: int
    """Of the last report that was taken."""
    wanted: EndRequest | None
    place: str | None
    """Its place in line, where it waits."""


# ---------------------------------------------------------------- leases


def find(tx: Transaction, owner_id: str) -> Lease | None:
    """One lease."""
    row = tx.one(_LEASE, {"owner_id": owner_id})
    return Lease(*row) if row else None


def beat(tx: Transaction, owner_id: str, *, host: str, expires_at: int) -> None:
    """Make a lease, or make it longer."""
    tx.run(_BEAT, {"owner_id": owner_id, "host": host, "expires_at": expires_at})


def signal(tx: Transaction, owner_id: str) -> None:
    """Have an owner look what is wanted; nothing happens where it holds no lease."""
    if tx.run(_SIGNAL, {"owner_id": owner_id}):
        tx.ring(bell(owner_id))


def bell(owner_id: str) -> str:
    """The topic that rings with a signal."""
    return f"lease:{owner_id}"


def overdue(tx: Transaction, at: int) -> list[Lease]:
    """Leases that had expired at a time."""
    return [Lease(*row) for row in tx.all(_OVERDUE, {"at": at})]


def miss(tx: Transaction, owner_id: str, *, at: int) -> None:
    """Note since when nothing was heard of an owner."""
    tx.run(_MISSED, {"owner_id": owner_id, "at": at})


def remove(tx: Transaction, owner_id: str) -> bool:
    """Remove a lease; whether there was one."""
    return tx.run(_REMOVE, {"owner_id": owner_id}) > 0


# ---------------------------------------------------------------- runs


def add(tx: Transaction, rid: int, runner_id: str) -> None:
    """Say that a run is executed elsewhere."""
    tx.run(_ADD, {"rid": rid, "runner_id": runner_id})


def remote(tx: Transaction, rid: int) -> RemoteRun | None:
    """What is known of a run that is executed elsewhere; None for one of this machine."""
    row = tx.one(_REMOTE, {"rid": rid})
    return RemoteRun(row[0], row[1], _wanted(row[2]), row[3]) if row else None


def want(tx: Transaction, rid: int, wanted: EndRequest) -> None:
    """Note that a run shall end, in place of what was wanted before."""
    tx.run(_WANT, {"rid": rid, "wanted": msgspec.msgpack.encode(wanted)})


def take(tx: Transaction, rid: int, sequence: int, *, place: str | None) -> bool:
    """Note that a report was taken in; False where that one, or a later one, was before."""
    return tx.run(_TAKE, {"rid": rid, "sequence": sequence, "place": place}) > 0


def assigned(tx: Transaction, runner_id: str) -> list[Assignment]:
    """The runs of a runner that have not ended, oldest first."""
    return [
        Assignment(row[0], Status(row[1]), row[2], _wanted(row[3]))
        for row in tx.all(_ASSIGNED, {"runner_id": runner_id})
    ]


def of_owner(tx: Transaction, owner_id: str) -> list[StoredRun]:
    """The runs that hang on a lease and have not ended; runs above others come first."""
    executed = decode(tx, tx.all(_EXECUTED, {"owner_id": owner_id}))
    return executed + decode(tx, tx.all(_OWNED, {"owner_id": owner_id}))


def live_here(tx: Transaction) -> list[tuple[str, str | None]]:
    """The id and the owner of runs that have not ended and hang on no lease, oldest first."""
    return [(row[0], row[1]) for row in tx.all(_HERE)]


def _wanted(data: bytes | None) -> EndRequest | None:
    return None if data is None else msgspec.msgpack.decode(data, type=EndRequest)


def anything(tx: Transaction) -> bool:
    """Whether there is a run that has not ended, or a lease."""
    return tx.one(_ANYTHING) is not None


# ---------------------------------------------------------------- guards


def acquire(tx: Transaction, name: str, holder: str, *, now: int, expires_at: int) -> int | None:
    """Be the one who does something, for a while: a token, or None where another one is.

    Who was it before keeps the token, unless another one was in between.
    """
    row = tx.one(_GUARD, {"name": name, "holder": holder, "now": now, "expires_at": expires_at})
    return int(row[0]) if row else None


def holds(tx: Transaction, name: str, holder: str, token: int) -> bool:
    """Whether nobody has come after a holder; nobody comes before the transaction has ended."""
    return tx.run(_GUARDED, {"name": name, "holder": holder, "token": token}) > 0


def resign(tx: Transaction, name: str, holder: str, token: int) -> None:
    """Let the next one in at once."""
    tx.run(_UNGUARD, {"name": name, "holder": holder, "token": token})
