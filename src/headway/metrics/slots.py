"""The journal format, version 1: what a segment file and each of its slots hold.

A journal is what one writer logged for one run: the files ``<run>/<writer>.<number>.hwj``, its
segments, all of one size, numbered from 0. A segment is a header of 4096 bytes (a line
``headway-journal <version> <CRC-32 of the next line>``, a line of JSON, zeros) and then slots of
32 bytes. An offset into a journal counts the bytes of slots over all its segments, headers left
out. All numbers are little endian.

Every slot is a record with a checksum of its own::

    0   4   crc      CRC-32 of the other 28 bytes
    4   4   head     id << 8 | has_step << 7 | kind
    8   8   time     int64, microseconds since 1970-01-01 UTC
    16  8   step     int64, 0 where has_step is not set: the store then counts on
    24  8   value    by kind

A slot of zeros is not written yet. The kinds:

====== ======= ========== =====================================================================
number kind    id         value
====== ======= ========== =====================================================================
1      FLOAT   of a name  float64
2      INT     of a name  int64
3      BOOL    of a name  int64, 0 or 1
4      NONE    of a name  0
5      TEXT    of a name  reference to a text
6      BIGINT  of a name  reference to a text: hexadecimal digits, for integers beyond int64
7      NAME    it defines reference to a text of three lines: form, name, column
8      PART    of a text  the 24 bytes from ``time`` on are the next piece of the text
9      LOST    0          int64: so many points could not be kept
====== ======= ========== =====================================================================

A text is stored first, as as many PARTs as it needs, the last one filled up with zeros, and then
referred to once: ``text id | length in bytes << 24``. Its parts are in order, but records of other
threads may lie between them, and a text may go on in the next segment. The ids of names are never
used twice in a journal. Those of texts wrap around after 2**24, so a reader takes the last parts
before the reference: older ones of the same id belong to a text that was never finished.
"""

import struct
from enum import IntEnum
from typing import Final

FORMAT_VERSION: Final = 1
SUFFIX: Final = ".hwj"
HEADER_BYTES: Final = 4096
SLOT_BYTES: Final = 32
PART_BYTES: Final = 24
HAS_STEP: Final = 0x80
MAX_ID: Final = (1 << 24) - 1
MIN_INT: Final = -(1 << 63)
MAX_INT: Final = (1 << 63) - 1
MAX_INTEGER_BITS: Final = 4096
"""Of integers beyond int64. Python itself refuses to print those of more than 4300 digits."""

SLOT: Final = struct.Struct("<I28s")
FLOAT_BODY: Final = struct.Struct("<Iqqd")
INT_BODY: Final = struct.Struct("<Iqqq")
REFERENCE_BODY: Final = struct.Struct("<IqqQ")
PART_BODY: Final = struct.Struct("<I24s")

_BLOCK: Final = bytes(1 << 14)


class Kind(IntEnum):
    """What a record is."""

    FLOAT = 1
    INT = 2
    BOOL = 3
    NONE = 4
    TEXT = 5
    BIGINT = 6
    NAME = 7
    PART = 8
    LOST = 9


def used_bytes(slots: bytes) -> int:
    """Where the zeros at the end of these slots begin, in whole slots."""
    end = len(slots)
    while end and slots[max(0, end - len(_BLOCK)) : end] == _BLOCK[: min(end, len(_BLOCK))]:
        end = max(0, end - len(_BLOCK))
    end = len(slots[max(0, end - len(_BLOCK)) : end].rstrip(b"\0")) + max(0, end - len(_BLOCK))
    return -(-end // SLOT_BYTES) * SLOT_BYTES
