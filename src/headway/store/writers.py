"""How far journals were taken in, and the names that their records refer to."""

from typing import Final

import msgspec

from headway.store.base import Parameters, Transaction

_FIND: Final = "select rid, taken from writers where writer_id = :writer_id"
_FIRST_NAMES: Final = "select names from writers where writer_id = :writer_id"
_NAMES: Final = """
select names from writer_names where writer_id = :writer_id order by taken < 0, taken"""
_INSERT: Final = """
insert into writers (writer_id, rid, taken, names) values (:writer_id, :rid, :taken, :names)
on conflict (writer_id) do nothing"""
_MOVE: Final = """
update writers set taken = :taken where writer_id = :writer_id and rid = :rid and taken = :before"""
_ADD_NAMES: Final = """
insert into writer_names (writer_id, taken, names) values (:writer_id, :taken, :names)"""
_PUT_PENDING: Final = """
insert into writer_names (writer_id, taken, names) values (:writer_id, -1, :pending)
on conflict (writer_id, taken) do update set names = excluded.names"""
_INLINE_BYTES: Final = 512
"""What is longer has a row of its own, so that moving the offset does not rewrite it."""


class Writer(msgspec.Struct, frozen=True):
    """A journal."""

    rid: int
    """Its run's."""
    taken: int
    """Bytes taken in so far."""


def find(tx: Transaction, writer_id: str) -> Writer | None:
    """How far a journal was taken in; None for one never seen."""
    row = tx.one(_FIND, {"writer_id": writer_id})
    return Writer(*row) if row else None


def names(tx: Transaction, writer_id: str) -> list[bytes]:
    """What a journal defined so far, as it was given to ``move``, and last what is pending."""
    rows = [
        *tx.all(_FIRST_NAMES, {"writer_id": writer_id}),
        *tx.all(_NAMES, {"writer_id": writer_id}),
    ]
    return [row[0] for row in rows if row[0]]


def move(
    tx: Transaction,
    rid: int,
    writer_id: str,
    *,
    before: int,
    taken: int,
    names: bytes = b"",
    pending: bytes = b"",
) -> bool:
    """Move a journal's offset on, if it still is what it was before; whether it was.

    Args:
        tx: A writing transaction.
        rid: The run's.
        writer_id: The journal.
        before: The offset now; 0 for a journal that was not there.
        taken: The new one.
        names: What the journal has defined in between; no bytes for nothing.
        pending: What is only begun there, in place of what was pending before; no bytes where that
            did not change.
    """
    at: Parameters = {"writer_id": writer_id, "rid": rid, "taken": taken}
    inline = b""
    if before:
        moved = tx.run(_MOVE, {**at, "before": before})
    else:
        inline = names if len(names) <= _INLINE_BYTES else b""
        moved = tx.run(_INSERT, {**at, "names": inline})
    if moved and names and not inline:
        tx.run(_ADD_NAMES, {"writer_id": writer_id, "taken": taken, "names": names})
    if moved and pending:
        tx.run(_PUT_PENDING, {"writer_id": writer_id, "pending": pending})
    return moved > 0
