"""How points are put together, and how they are read for a chart.

They are arguments, so that tests reach every path with few points.
"""

import msgspec


class Sizes(msgspec.Struct, frozen=True):
    """All count points but ``tail_bytes``."""

    tail: int = 64
    """From so many on, points leave the tail of a series for a chunk."""
    tail_bytes: int = 2048
    steps: tuple[int, ...] = (1024, 16_384, 65_536)
    """The sizes of chunks; one of the last size is sealed."""
    largest: int = 131_072
    looked_at: int = 64
    """The most chunks that are put together at once."""
    fine: int = 256
    """The unit of the overview for charts of some million points."""
    medium: int = 2048
    """The unit of that for more; a multiple of the fine one."""
    coarse: int = 16_384
    """The unit of that for very many; a multiple of the medium one."""
    exact: int = 1 << 21
    """Up to so many points a chart reads all of them."""
    read_whole: int = 1 << 18
    """Up to so many points all of them are read to choose some."""
    units: int = 4
    """Of an overview, so many are needed for a bucket."""
    ratio: int = 4
    """To choose some points out of many, so many times as many are looked at."""
