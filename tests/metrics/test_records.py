"""Decoding stretches of slots, whole, cut, damaged and hostile."""

import json
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from headway.metrics.drain import journals, read
from headway.metrics.records import NameTable, Stretch, decode
from headway.metrics.slots import (
    FLOAT_BODY,
    HAS_STEP,
    INT_BODY,
    PART_BODY,
    REFERENCE_BODY,
    SLOT,
    SLOT_BYTES,
    Kind,
    used_bytes,
)
from headway.model import Scalar
from headway.testing.journals import SetClock, open_journal, points_of

EMPTY = bytes(SLOT_BYTES)


def slot(body: bytes) -> bytes:
    return SLOT.pack(zlib.crc32(body), body)


def parts(text_id: int, text: bytes) -> list[bytes]:
    return [
        slot(PART_BODY.pack(text_id << 8 | Kind.PART, text[at : at + 24]))
        for at in range(0, len(text), 24)
    ]


def refer(kind: Kind, name_id: int, text_id: int, length: int) -> bytes:
    return slot(REFERENCE_BODY.pack(name_id << 8 | kind, 5, 0, text_id | length << 24))


def name(name_id: int, text: bytes, text_id: int = 0xFFFFFF) -> bytes:
    return b"".join([*parts(text_id, text), refer(Kind.NAME, name_id, text_id, len(text))])


def number(name_id: int, value: float, step: int | None = None) -> bytes:
    head = name_id << 8 | Kind.FLOAT | (0 if step is None else HAS_STEP)
    return slot(FLOAT_BODY.pack(head, 5, step or 0, value))


def values(stretch: Stretch) -> dict[str, list[Scalar]]:
    return {column.name: [value for _, value in points_of(column)] for column in stretch.columns}


def read_all(data: bytes, *, torn: bool) -> Stretch:
    return decode(data, NameTable(), torn=torn)


def journal_bytes(folder: Path, points: int = 40) -> bytes:
    journal = open_journal(folder, clock=SetClock())
    for i in range(points):
        journal.log("loss", i * 0.25, step=i)
        if i % 7 == 0:
            journal.log("text", f"number {i}, of some length")
    data = read(folder, journals(folder)[0], 0, 1 << 20)
    journal.close()
    return data


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return journal_bytes(tmp_path_factory.mktemp("journals"))


def test_nothing_is_nothing() -> None:
    for torn in (True, False):
        stretch = read_all(b"", torn=torn)
        assert (stretch.consumed, stretch.lost, stretch.columns) == (0, 0, [])


def test_zeros_at_the_end_are_no_records(data: bytes) -> None:
    padded = data + bytes(100_000 // 32 * 32)
    stretch = read_all(padded, torn=False)
    assert stretch.consumed == len(data)
    assert stretch.lost == 0
    assert read_all(padded, torn=True).lost == 0


@given(st.integers(0, 3), st.integers(0, 100_000), st.sampled_from([b"", b"\x01"]))
@example(1, 0, b"")
def test_the_used_part_ends_with_the_last_slot_that_is_not_zero(
    slots: int, zeros: int, last: bytes
) -> None:
    begin = b"\x01" * slots * 32
    whole = begin + bytes(zeros // 32 * 32) + (last.rjust(32, b"\0") if last else b"")
    assert used_bytes(whole) == (len(whole) if last else len(begin))


def test_columns_are_arrays_where_all_values_are_of_one_type(data: bytes) -> None:
    loss, text = read_all(data, torn=False).columns
    assert isinstance(loss.values, np.ndarray)
    assert loss.values.dtype == np.float64
    assert loss.steps.tolist() == list(range(40))
    assert loss.has_step.all()
    assert set(loss.times.tolist()) == {1_700_000_000_000_000}
    assert isinstance(text.values, list)
    assert not text.has_step.any()


def test_many_series_come_apart_in_their_own_order() -> None:
    defined = b"".join(name(i, b"scalar\nm%d\n" % i) for i in range(300))
    rows = b"".join(number(i % 300, i) for i in range(3000))
    stretch = read_all(defined + rows, torn=False)
    assert values(stretch) == {f"m{i}": [float(j) for j in range(i, 3000, 300)] for i in range(300)}


def test_a_name_defined_twice_is_one_series() -> None:
    text = b"scalar\nm\n"
    stretch = read_all(
        name(0, text) + number(0, 1) + name(1, text, 7) + number(1, 2) + number(0, 3), torn=False
    )
    assert values(stretch) == {"m": [1.0, 2.0, 3.0]}


def test_a_stretch_that_defines_nothing_keeps_the_same_table() -> None:
    table = read_all(name(0, b"scalar\nm\n"), torn=False).names
    assert decode(number(0, 1), table, torn=False).names is table
    assert NameTable.from_bytes(table.to_bytes()) == table
    assert NameTable.from_bytes(b"") == NameTable()


def test_a_table_is_put_together_of_what_was_added() -> None:
    empty = NameTable()
    first = read_all(name(0, b"scalar\nm\n") + parts(5, b"begun")[0], torn=False).names
    second = decode(name(1, b"scalar\nn\n"), first, torn=False).names
    third = decode(refer(Kind.TEXT, 0, 5, 5), second, torn=False).names
    kept = [first.names_since(empty), second.names_since(first)]
    assert third.names_since(second) == b""
    assert NameTable.joined([*kept, second.pending_since(first)]) == second
    assert NameTable.joined([*kept, third.pending_since(second)]) == third
    assert third.pending == {}
    assert empty.pending_since(empty) == b""


def test_a_text_goes_on_in_the_next_stretch_between_those_of_others() -> None:
    one, two = b"first text " * 20, b"second text " * 20
    a, b = parts(1, one), parts(2, two)
    mixed = [record for pair in zip(a, b, strict=False) for record in pair]
    mixed += [*a[len(b) :], *b[len(a) :]]
    ends = [refer(Kind.TEXT, 0, 2, len(two)), refer(Kind.TEXT, 0, 1, len(one))]
    slots = [name(0, b"scalar\nm\n"), *mixed, *ends]
    for cut in range(len(slots) + 1):
        first = read_all(b"".join(slots[:cut]), torn=False)
        second = decode(b"".join(slots[cut:]), first.names, torn=False)
        found = values(first).get("m", []) + values(second).get("m", [])
        assert found == [two.decode(), one.decode()]
        assert first.lost == second.lost == 0
        assert second.names.pending == {}


def test_parts_of_a_text_that_was_given_up_do_not_spoil_the_next_of_its_id() -> None:
    slots = [
        name(0, b"scalar\nm\n"),
        *parts(1, b"given up " * 10),
        *parts(1, b"whole"),
        refer(Kind.TEXT, 0, 1, 5),
    ]
    assert values(read_all(b"".join(slots), torn=False)) == {"m": ["whole"]}


def test_texts_of_one_id_one_after_the_other() -> None:
    slots = [name(0, b"scalar\nm\n")]
    for text in (b"one" * 20, b"", b"two" * 9):
        slots += [*parts(1, text), refer(Kind.TEXT, 0, 1, len(text))]
    assert values(read_all(b"".join(slots), torn=False)) == {"m": ["one" * 20, "", "two" * 9]}


def test_a_text_with_a_missing_part_is_one_lost_point() -> None:
    pieces = parts(1, b"x" * 60)
    slots = [name(0, b"scalar\nm\n"), pieces[0], EMPTY, pieces[2], refer(Kind.TEXT, 0, 1, 60)]
    stretch = read_all(b"".join([*slots, number(0, 1)]), torn=True)
    assert values(stretch) == {"m": [1.0]}
    assert stretch.lost == 2  # the slot and the point


@pytest.mark.parametrize("digits", [b"", b"-", b"0x1", b"1_0", b"zz", b"f" * 1025, b"\xff"])
def test_an_integer_that_cannot_be_read_is_a_lost_point(digits: bytes) -> None:
    slots = [name(0, b"scalar\nm\n"), *parts(1, digits), refer(Kind.BIGINT, 0, 1, len(digits))]
    stretch = read_all(b"".join(slots), torn=False)
    assert (values(stretch), stretch.lost) == ({"m": []}, 1)


@pytest.mark.parametrize(
    "text",
    [
        *(b"", b"scalar\nm", b"\n\n", b"other\nm\n", b"scalar\n\n", b"\xff"),
        *(b"scalar\n  \n", b"scalar\na\tb\n", b"table\nm\nc\0", b"scalar\n\xe2\x80\xa8\n"),
        b"scalar\n" + b"m" * 100_000 + b"\n",
    ],
    ids=lambda text: repr(text[:20]),
)
def test_a_name_that_cannot_be_read_makes_its_points_lost(text: bytes) -> None:
    stretch = read_all(name(0, text) + number(0, 1), torn=False)
    assert (values(stretch), stretch.lost) == ({}, 1)


def test_points_of_an_unknown_name_are_lost() -> None:
    stretch = read_all(name(0, b"scalar\nm\n") + number(0, 1) + number(5, 2), torn=False)
    assert (values(stretch), stretch.lost) == ({"m": [1.0]}, 1)


def test_what_the_writer_lost_is_counted() -> None:
    record = slot(INT_BODY.pack(Kind.LOST, 5, 0, 42))
    assert read_all(record, torn=False).lost == 42


@pytest.mark.parametrize("hole", [EMPTY, b"\x01" * SLOT_BYTES])
def test_a_bad_slot_stops_a_living_stretch_and_is_skipped_in_a_dead_one(hole: bytes) -> None:
    before = name(0, b"scalar\nm\n") + number(0, 1)
    whole = before + hole + number(0, 2)
    alive = read_all(whole, torn=False)
    assert (alive.consumed, alive.lost, values(alive)) == (len(before), 0, {"m": [1.0]})
    dead = read_all(whole, torn=True)
    assert (dead.consumed, dead.lost, values(dead)) == (len(whole), 1, {"m": [1.0, 2.0]})


def test_a_tail_torn_at_any_byte_leaves_all_that_was_before(data: bytes) -> None:
    whole = [point for column in read_all(data, torn=True).columns for point in points_of(column)]
    for cut in range(len(data) - 3 * SLOT_BYTES, len(data)):
        torn = data[:cut].ljust(len(data), b"\0")  # as the file is then
        stretch = read_all(torn, torn=True)
        kept = [point for column in stretch.columns for point in points_of(column)]
        assert stretch.lost <= 1
        assert len(whole) - 3 <= len(kept) <= len(whole)
        assert [point for point in whole if point in kept] == kept
        assert stretch.consumed == len(data)
        assert read_all(data[:cut], torn=True).consumed == cut // SLOT_BYTES * SLOT_BYTES


@given(st.integers(0, 60 * SLOT_BYTES * 8 - 1))
def test_a_flipped_bit_is_found_and_counted(data: bytes, bit: int) -> None:
    damaged = bytearray(data)
    damaged[bit // 8] ^= 1 << bit % 8
    whole, stretch = read_all(data, torn=True), read_all(bytes(damaged), torn=True)
    assert stretch.lost >= 1
    assert read_all(bytes(damaged), torn=False).consumed == bit // 8 // SLOT_BYTES * SLOT_BYTES
    good = {(column.name, point) for column in whole.columns for point in points_of(column)}
    kept = {(column.name, point) for column in stretch.columns for point in points_of(column)}
    assert kept <= good


_BODIES = st.one_of(
    st.binary(min_size=28, max_size=28),
    st.builds(
        INT_BODY.pack,
        st.integers(0, 4).flatmap(lambda i: st.integers(0, 11).map(lambda k: i << 8 | k)),
        st.integers(-(2**63), 2**63 - 1),
        st.integers(-(2**63), 2**63 - 1),
        st.integers(0, 4).flatmap(lambda i: st.integers(0, 99).map(lambda n: i | n << 24))
        | st.integers(-(2**63), 2**63 - 1),
    ),
)


@given(st.lists(_BODIES.map(slot), max_size=40), st.booleans())
def test_hostile_records_with_true_checksums_never_break_the_reader(
    slots: list[bytes], torn: bool
) -> None:
    defined = name(0, b"scalar\nm\n") + name(1, b"other\nm\n") + name(2, b"\xff\xff")
    stretch = read_all(defined + b"".join(slots), torn=torn)
    assert stretch.consumed == len(defined) + len(slots) * SLOT_BYTES
    assert set(values(stretch)) == {"m"}
    json.dumps([repr(column) for column in stretch.columns])
    NameTable.from_bytes(stretch.names.to_bytes())


def test_texts_that_never_end_do_not_grow_without_bound() -> None:
    piece = parts(0, b"x" * 24)[0]
    table = NameTable(pending={i: bytes(24 << 15) for i in range(100)})
    stretch = decode(piece, table, torn=False)
    assert sum(map(len, stretch.names.pending.values())) <= 64 << 20
