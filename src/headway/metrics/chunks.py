"""Blocks of a stored column: how numbers and other values become bytes and come back.

A block is one byte for the codec, four for the CRC-32 of what follows (little endian), and then:

====== ===== ==================================================================================
byte   name  content
====== ===== ==================================================================================
0x01   f64   the numbers as they are, float64 little endian
0x02   i64   the same for int64
0x03   bool  one byte each, 0 or 1
0x11   f64   pcodec standalone format
0x12   i64   pcodec standalone format
0x13   bool  count as uint32, then zlib of the bits, the first one in the highest bit of a byte
0x21   any   MessagePack array; an integer beyond 64 bits is extension 1, hexadecimal digits
0x22   any   zlib of the same
0x31   units records of an overview, one behind the other (``headway.metrics.overviews``)
0x32   units the same column by column
0x41   tail  MessagePack array of three: values as in 0x21, steps, times
====== ===== ==================================================================================

A new format of a block gets a new first byte, so old blocks stay readable. Numbers come back bit
for bit; which codec is taken depends on the number of values only.
"""

import struct
import zlib
from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from typing import Any, Final, Protocol, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from headway.errors import StorageCorruptError
from headway.model import Scalar

Numbers = NDArray[np.float64] | NDArray[np.int64] | NDArray[np.bool_]

_RAW_FLOAT: Final = 0x01
_RAW_INT: Final = 0x02
_RAW_BOOL: Final = 0x03
_PCO_FLOAT: Final = 0x11
_PCO_INT: Final = 0x12
_BITS: Final = 0x13
_PACKED: Final = 0x21
_PACKED_ZLIB: Final = 0x22
_TAIL: Final = 0x41

_HEAD: Final = struct.Struct("<BI")
_COUNT: Final = struct.Struct("<I")
_SMALL: Final = 64
"""Fewer numbers than this are not worth compressing."""
_SMALL_BYTES: Final = 256
_BIG_INTEGER: Final = 1
_MAX_INFLATED: Final = 1 << 30


class _Pcodec(Protocol):
    """What is used of the package ``pcodec.standalone``, which comes without types."""

    def simple_compress(self, src: NDArray[Any], config: object, /) -> bytes: ...

    def simple_decompress(self, src: bytes, /) -> Numbers | None: ...

    def simple_decompress_into(self, src: bytes, dst: Numbers, /) -> "_Progress": ...


class _Progress(Protocol):
    n_processed: int
    finished: bool


_pcodec: Final = import_module("pcodec")
_pco: Final = cast("_Pcodec", _pcodec.standalone)
_CONFIG: Final[object] = _pcodec.ChunkConfig()


def encode(values: Numbers | list[Scalar]) -> bytes:
    """A block of any values that a metric can have."""
    return encode_scalars(values) if isinstance(values, list) else encode_numbers(values)


def encode_numbers(values: Numbers) -> bytes:
    """A block of an array of float64, int64 or bool."""
    small = len(values) < _SMALL
    if values.dtype == np.bool_:
        if small:
            return block(_RAW_BOOL, values.astype(np.uint8).tobytes())
        bits = zlib.compress(np.packbits(values != 0).tobytes(), 1)
        return block(_BITS, _COUNT.pack(len(values)) + bits)
    if values.dtype == np.float64:
        raw, compressed, kind = _RAW_FLOAT, _PCO_FLOAT, "<f8"
    elif values.dtype == np.int64:
        raw, compressed, kind = _RAW_INT, _PCO_INT, "<i8"
    else:
        raise TypeError(f"a block holds float64, int64 or bool, not {values.dtype}")
    if small:
        return block(raw, values.astype(kind, copy=False).tobytes())
    return block(compressed, _pco.simple_compress(np.ascontiguousarray(values), _CONFIG))


def encode_scalars(values: list[Scalar]) -> bytes:
    """A block of a list; one of numbers of one type is the block of that array."""
    types = {type(value) for value in values}
    if types == {float}:
        return encode_numbers(np.array(values, np.float64))
    if types == {bool}:
        return encode_numbers(np.array(values, np.bool_))
    if types == {int} and all(-(1 << 63) <= cast("int", value) < 1 << 63 for value in values):
        return encode_numbers(np.array(values, np.int64))
    packed = msgspec.msgpack.encode([_to_packable(value) for value in values])
    if len(packed) < _SMALL_BYTES:
        return block(_PACKED, packed)
    return block(_PACKED_ZLIB, zlib.compress(packed))


def encode_tail(steps: list[int], times: list[int], values: list[Scalar]) -> bytes:
    """A block of a few points, as quick to make as to read."""
    try:
        body = msgspec.msgpack.encode((values, steps, times))
    except OverflowError:  # an integer beyond 64 bits
        body = msgspec.msgpack.encode(([_to_packable(value) for value in values], steps, times))
    return block(_TAIL, body)


def decode_tail(data: bytes) -> tuple[list[int], list[int], list[Scalar]]:
    """The steps, times and values of a few points.

    Raises:
        StorageCorruptError: The block is damaged, or of a newer Headway.
    """
    try:
        values, steps, times = _tails.decode(content(data, _TAIL))
    except _FAULTS as error:
        raise damaged(str(error)) from error
    if not len(steps) == len(times) == len(values):
        raise damaged(f"it holds {len(steps)} steps, {len(times)} times, {len(values)} values")
    return steps, times, cast("list[Scalar]", values)


def decode_tail_values(data: bytes) -> list[Scalar]:
    """Only the values of a few points.

    Raises:
        StorageCorruptError: The block is damaged, or of a newer Headway.
    """
    try:
        return cast("list[Scalar]", _tail_values.decode(content(data, _TAIL))[0])
    except _FAULTS as error:
        raise damaged(str(error)) from error


def decode(data: bytes) -> Numbers | list[Scalar]:
    """The values of a block: an array for numbers, a list for anything else.

    Raises:
        StorageCorruptError: The block is damaged, or of a newer Headway.
    """
    code = _check(data)
    try:
        if code == _RAW_FLOAT:
            return np.frombuffer(data, "<f8", offset=_HEAD.size).astype(np.float64)
        if code == _RAW_INT:  # copied, for a view would be out of alignment
            return np.frombuffer(data, "<i8", offset=_HEAD.size).astype(np.int64)
        return _DECODERS[code](data[_HEAD.size :])
    except _FAULTS as error:
        raise damaged(str(error)) from error


def dtype_of(data: bytes) -> type[np.float64] | type[np.int64] | None:
    """The type of the numbers in a block; None where it holds something else."""
    return _DTYPES.get(data[0]) if data else None


def decode_into(data: bytes, target: Numbers) -> None:
    """Write the numbers of a block into an array that they just fill, of the type of the block.

    Raises:
        StorageCorruptError: The block is damaged, or holds more, less or other numbers.
    """
    code = _check(data)
    if code in {_PCO_FLOAT, _PCO_INT}:
        try:
            progress = _pco.simple_decompress_into(data[_HEAD.size :], target)
        except _FAULTS as error:
            raise damaged(str(error)) from error
        if not progress.finished or progress.n_processed != len(target):
            raise damaged(f"it does not hold {len(target)} numbers")
        return
    values = decode(data)
    if not isinstance(values, np.ndarray) or values.shape != target.shape:
        raise damaged(f"it does not hold {len(target)} numbers")
    target[:] = values


def decode_list(data: bytes) -> list[Scalar]:
    """The values of a block as a list; for a few numbers it takes about a microsecond.

    Raises:
        StorageCorruptError: The block is damaged, or of a newer Headway.
    """
    code = data[0] if data else 0
    if code in {_RAW_FLOAT, _RAW_INT} and len(data) % 8 == _HEAD.size:
        _check(data)
        return list(_layout(code, len(data) >> 3).unpack_from(data, _HEAD.size))
    if code == _RAW_BOOL:
        _check(data)
        return [byte != 0 for byte in data[_HEAD.size :]]
    values = decode(data)
    return values if isinstance(values, list) else cast("list[Scalar]", values.tolist())


@lru_cache(4 * _SMALL)
def _layout(code: int, count: int) -> struct.Struct:
    return struct.Struct(f"<{count}{'d' if code == _RAW_FLOAT else 'q'}")


def block(code: int, body: bytes) -> bytes:
    """A block of any codec."""
    return _HEAD.pack(code, zlib.crc32(body)) + body


def content(data: bytes, code: int) -> memoryview:
    """What is in a block of this codec.

    Raises:
        StorageCorruptError: It is damaged, or another block.
    """
    found = _check(data, code)
    if found != code:
        raise damaged(f"its codec is {found:#04x} in place of {code:#04x}")
    return memoryview(data)[_HEAD.size :]


def _check(data: bytes, other: int = 0) -> int:
    if len(data) < _HEAD.size:
        raise damaged(f"it has {len(data)} bytes")
    code, crc = _HEAD.unpack_from(data)
    if zlib.crc32(memoryview(data)[_HEAD.size :]) != crc:
        raise damaged("its checksum does not match")
    if code not in _CODES and code != other:
        raise damaged(f"its codec {code:#04x} is unknown; a newer Headway may have written it")
    return code


def damaged(why: str) -> StorageCorruptError:
    """What is said of a block that cannot be read."""
    return StorageCorruptError(
        f"a block of stored metric values is damaged: {why}; restore the workspace from a backup"
    )


def _from_bools(body: bytes) -> Numbers:
    return np.frombuffer(body, np.uint8) != 0


def _from_bits(body: bytes) -> Numbers:
    (count,) = _COUNT.unpack_from(body)
    bits = np.frombuffer(_inflate(body[_COUNT.size :]), np.uint8)
    if not 0 <= 8 * len(bits) - count < 8:
        raise ValueError(f"it holds {len(bits)} bytes for {count} bits")
    return np.unpackbits(bits, count=count) != 0


def _from_pco(body: bytes) -> Numbers:
    numbers = _pco.simple_decompress(body)
    if numbers is None:
        raise ValueError("it holds no numbers")
    return numbers


def _from_packed(body: bytes) -> list[Scalar]:
    values = msgspec.msgpack.decode(body, type=list[object], ext_hook=_from_extension)
    return cast("list[Scalar]", values)


def _from_packed_zlib(body: bytes) -> list[Scalar]:
    return _from_packed(_inflate(body))


def _inflate(body: bytes) -> bytes:
    inflater = zlib.decompressobj()
    data = inflater.decompress(body, _MAX_INFLATED)
    if not inflater.eof:
        raise ValueError(f"it is cut short, or longer than {_MAX_INFLATED} bytes")
    return data


def _to_packable(value: Scalar) -> object:
    if isinstance(value, int) and not -(1 << 63) <= value < 1 << 64:
        return msgspec.msgpack.Ext(_BIG_INTEGER, f"{value:x}".encode())
    return value


def _from_extension(code: int, data: memoryview) -> int:
    if code != _BIG_INTEGER:
        raise ValueError(f"extension {code} is unknown")
    return int(data.tobytes(), 16)


_FAULTS: Final = (ValueError, RuntimeError, TypeError, zlib.error, struct.error)
_DECODERS: Final[dict[int, Callable[[bytes], Numbers | list[Scalar]]]] = {
    _RAW_BOOL: _from_bools,
    _PCO_FLOAT: _from_pco,
    _PCO_INT: _from_pco,
    _BITS: _from_bits,
    _PACKED: _from_packed,
    _PACKED_ZLIB: _from_packed_zlib,
}
_tails: Final = msgspec.msgpack.Decoder(
    tuple[list[object], list[int], list[int]], ext_hook=_from_extension
)
_tail_values: Final = msgspec.msgpack.Decoder(
    tuple[list[object], msgspec.Raw, msgspec.Raw], ext_hook=_from_extension
)
_DTYPES: Final[dict[int, type[np.float64] | type[np.int64]]] = {
    _RAW_FLOAT: np.float64,
    _PCO_FLOAT: np.float64,
    _RAW_INT: np.int64,
    _PCO_INT: np.int64,
}
_CODES: Final = frozenset({_RAW_FLOAT, _RAW_INT, *_DECODERS})
