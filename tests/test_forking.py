"""A child that is forked while a thread of ours imports can import."""

import os
import sys
import threading

import pytest

from headway.forking import whole


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_who_forks_waits_for_an_import_to_end() -> None:
    begun, may_end, seen = threading.Event(), threading.Event(), list[str]()

    def import_something() -> None:
        with whole:
            begun.set()
            may_end.wait()
            seen.append("imported")

    importing = threading.Thread(target=import_something)
    importing.start()
    begun.wait()
    forking = threading.Thread(target=lambda: seen.append(_answer_of_a_child(seen)))
    forking.start()
    assert seen == []
    may_end.set()
    importing.join()
    forking.join()
    assert seen == ["imported", "imported"]


def _answer_of_a_child(seen: list[str]) -> str:
    """What was done before the fork; the child takes the lock as well."""
    inward, outward = os.pipe()
    child = os.fork()
    if child == 0:
        with whole:
            os.write(outward, ",".join(seen).encode())
        os._exit(0)
    os.close(outward)
    os.waitpid(child, 0)
    with open(inward, encoding=sys.getdefaultencoding()) as answer:
        return answer.read()
