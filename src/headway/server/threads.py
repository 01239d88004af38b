"""The threads in which requests are worked on: so many and no more, whatever arrives."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")


class Threads:
    """A pool of threads.

    Args:
        count: How many requests are worked on at a time; the others wait for their turn.
    """

    def __init__(self, count: int) -> None:
        self._pool = ThreadPoolExecutor(count, "headway-request")

    async def run(self, function: Callable[[], Result]) -> Result:
        """Call a function in one of them."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, function)

    def close(self) -> None:
        """Let what runs finish, and end the threads."""
        self._pool.shutdown()
