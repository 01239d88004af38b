"""Locks: what uv printed, with the hashes that were asked for held against it."""

import pytest

from headway.environments.lock import every_file_hashed, make_lock, pins
from headway.errors import SubmissionError

COMPILED = """\
my-tool==1.0 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
six==1.17.0 \\
    --hash=sha256:cc
"""
COMMIT = "tool @ git+https://host.example/tool@" + "0" * 40


def test_a_lock_is_what_uv_printed_below_the_options() -> None:
    lock = make_lock(COMPILED, ["--index-url https://host.example", "--pre"], ["my_tool", "six"])
    assert lock == f"--index-url https://host.example\n{COMPILED}"
    assert [pin.requirement for pin in pins(lock)] == ["my-tool==1.0", "six==1.17.0"]
    assert every_file_hashed(lock)


def test_of_a_package_asked_for_by_hash_only_those_files_are_kept() -> None:
    lock = make_lock(COMPILED, [], ["My.Tool[extra]>=1 --hash=sha256:bb --hash=sha256:ff"])
    assert [pin.hashes for pin in pins(lock)] == [["sha256:bb"], ["sha256:cc"]]


def test_a_package_that_has_none_of_the_hashes_asked_for_is_refused() -> None:
    with pytest.raises(SubmissionError, match=r"my-tool==1\.0 has a hash .*sha256:ff"):
        make_lock(COMPILED, [], ["my_tool==1.0 --hash=sha256:ff"])


def test_a_commit_needs_no_hash_but_anything_else_does() -> None:
    lock = make_lock(f"{COMPILED}{COMMIT}\n", [], [])
    assert not every_file_hashed(lock)
    with pytest.raises(SubmissionError, match="cannot be pinned"):
        make_lock("tool @ file:///somewhere/tool\n", [], [])


def test_what_is_installed_already_is_left_out() -> None:
    lock = make_lock(COMPILED, [], [], installed=["six==1.17.0"])
    assert [pin.requirement for pin in pins(lock)] == ["my-tool==1.0"]
