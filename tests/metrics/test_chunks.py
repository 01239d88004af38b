"""Blocks of values: they come back bit for bit, and damage is found."""

import contextlib
import math
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from headway.errors import StorageCorruptError
from headway.metrics.chunks import (
    Numbers,
    decode,
    decode_into,
    decode_list,
    decode_tail,
    decode_tail_values,
    dtype_of,
    encode,
    encode_numbers,
    encode_scalars,
    encode_tail,
)
from headway.metrics.overviews import FIELDS, decode_columns, decode_records
from headway.model import Scalar

_SHAPES = st.integers(0, 200)
_ARRAYS = st.one_of(
    npst.arrays(np.float64, _SHAPES),
    npst.arrays(np.int64, _SHAPES),
    npst.arrays(np.bool_, _SHAPES),
)
_SCALARS = st.one_of(st.floats(), st.integers(), st.booleans(), st.none(), st.text(max_size=20))


def bits(values: Numbers) -> bytes:
    return values.tobytes()


@given(_ARRAYS)
def test_numbers_come_back_bit_for_bit(values: Numbers) -> None:
    found = decode(encode(values))
    assert isinstance(found, np.ndarray)
    assert found.dtype == values.dtype
    assert bits(found) == bits(values)
    assert repr(decode_list(encode(values))) == repr(values.tolist())


@given(st.lists(_SCALARS, max_size=100))
def test_values_of_any_types_come_back(values: list[Scalar]) -> None:
    found = decode_list(encode(values))
    assert repr(found) == repr(values)
    assert list(map(type, found)) == list(map(type, values))


@pytest.mark.parametrize("count", [0, 1, 63, 64, 65, 5000])
@pytest.mark.parametrize(
    "value", [0.5, math.nan, -0.0, math.inf, 7, True, None, "text", 2**63, -(2**63) - 1, 10**40]
)
def test_a_list_of_one_value(value: Scalar, count: int) -> None:
    values = [value] * count
    assert repr(decode_list(encode_scalars(values))) == repr(values)


def test_a_list_of_numbers_is_the_block_of_the_array() -> None:
    assert encode_scalars([1.0, 2.0]) == encode_numbers(np.array([1.0, 2.0]))
    assert encode_scalars([1, 2]) == encode_numbers(np.array([1, 2]))
    assert encode_scalars([True]) == encode_numbers(np.array([True]))


def test_steps_take_next_to_nothing() -> None:
    assert len(encode(np.arange(1_000_000))) < 1000


def test_views_with_strides_are_taken_too() -> None:
    values = np.arange(400.0)[::2]
    assert decode_list(encode(values)) == values.tolist()
    assert decode_list(encode(values[:20][::2])) == values[:20][::2].tolist()


def test_other_arrays_are_refused() -> None:
    with pytest.raises(TypeError, match="float64, int64 or bool, not float32"):
        encode(np.zeros(3, np.float32))  # pyright: ignore[reportArgumentType]


_TEXTS: list[Scalar] = ["text", None]
_BLOCKS = [
    encode(np.arange(3.0)),
    encode(np.arange(3)),
    encode(np.array([True, False])),
    encode(np.arange(100.0)),
    encode(np.arange(100)),
    encode(np.arange(100) % 3 == 0),
    encode(_TEXTS),
    encode(_TEXTS * 100),
]


@pytest.mark.parametrize("block", _BLOCKS, ids=lambda block: f"codec-{block[0]:#04x}")
def test_damage_is_found(block: bytes) -> None:
    for decoder in (decode, decode_list):
        for cut in range(len(block)):
            with pytest.raises(StorageCorruptError):
                decoder(block[:cut])
        for at in range(1, len(block)):
            damaged = bytearray(block)
            damaged[at] ^= 4
            with pytest.raises(StorageCorruptError):
                decoder(bytes(damaged))
        with pytest.raises(StorageCorruptError, match="0x7f is unknown; a newer Headway"):
            decoder(b"\x7f" + block[1:])


@given(st.sampled_from([1, 2, 3, 0x11, 0x12, 0x13, 0x21, 0x22]), st.binary(max_size=80))
def test_nonsense_with_a_true_checksum_never_breaks_the_reader(code: int, body: bytes) -> None:
    block = bytes([code]) + zlib.crc32(body).to_bytes(4, "little") + body
    for decoder in (decode, decode_list):
        with contextlib.suppress(StorageCorruptError):
            decoder(block)


@pytest.mark.parametrize("block", _BLOCKS[:6], ids=lambda block: f"codec-{block[0]:#04x}")
def test_arrays_can_be_given_to_any_library(block: bytes) -> None:
    values = decode(block)
    assert isinstance(values, np.ndarray)
    assert values.flags.aligned
    assert values.flags.c_contiguous


@pytest.mark.parametrize("count", [5, 100])
def test_numbers_are_decoded_in_place(count: int) -> None:
    arrays: list[Numbers] = [np.arange(count), np.arange(count) / 3]
    for values in arrays:
        block = encode(values)
        assert dtype_of(block) == values.dtype.type
        target = np.zeros_like(values)
        decode_into(block, target)
        assert target.tolist() == values.tolist()
        with pytest.raises(StorageCorruptError, match=f"does not hold {count - 1} numbers"):
            decode_into(block, target[:-1])
    with pytest.raises(StorageCorruptError, match="does not hold 200 numbers"):
        decode_into(encode(np.arange(count)), np.empty(200, np.int64))
    assert dtype_of(encode(_TEXTS)) is None
    assert dtype_of(b"") is None
    with pytest.raises(StorageCorruptError):
        decode_into(encode(np.arange(100)), np.empty(100))
    with pytest.raises(StorageCorruptError, match="does not hold 2 numbers"):
        decode_into(encode(_TEXTS), np.empty(2))


@given(st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), _SCALARS), max_size=70))
def test_a_tail_comes_back_as_it_was(points: list[tuple[int, Scalar]]) -> None:
    steps, values = [step for step, _ in points], [value for _, value in points]
    block = encode_tail(steps, steps, values)
    assert repr(decode_tail(block)) == repr((steps, steps, values))
    assert repr(decode_tail_values(block)) == repr(values)


def test_damage_of_a_tail_is_found() -> None:
    block = encode_tail([1], [2], ["text"])
    damaged = [block[:cut] for cut in range(len(block))]
    damaged += [block[:at] + bytes([block[at] ^ 1]) + block[at + 1 :] for at in range(len(block))]
    damaged.append(encode(np.arange(3)))
    for decoder in (decode_tail, decode_tail_values):
        for data in damaged:
            with pytest.raises(StorageCorruptError):
                decoder(data)


@given(st.sampled_from([0x31, 0x32, 0x41]), st.binary(max_size=120))
def test_nonsense_never_breaks_who_reads_tails_and_overviews(code: int, body: bytes) -> None:
    block = bytes([code]) + zlib.crc32(body).to_bytes(4, "little") + body
    with contextlib.suppress(StorageCorruptError):
        decode_tail(block)
    with contextlib.suppress(StorageCorruptError):
        decode_tail_values(block)
    with contextlib.suppress(StorageCorruptError):
        decode_records([block])
    with contextlib.suppress(StorageCorruptError):
        decode_columns(block, FIELDS)
