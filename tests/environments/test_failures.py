"""What programs said, recorded, and the errors made of it."""

import pytest

from headway.environments.failures import failure
from headway.errors import StorageFullError, SubmissionError

FULL = """\
error: Failed to install: numpy-2.4.6-cp311-cp311-manylinux_2_28_x86_64.whl (numpy==2.4.6)
  cause: Failed to copy to `/e/lib/python3.11/site-packages/numpy.libs/libscipy_openblas64_.so`
  cause: failed to copy file from /c/x to /e/y: No space left on device (os error 28)
"""
NO_NETWORK = """\
error: Request failed after 3 retries in 7.3s
  cause: Failed to fetch: http://someone:secret@127.0.0.1:9/abc/simple/six/
  cause: client error (Connect)
  cause: tcp connect error
  cause: Connection refused (os error 111)
"""
MISMATCH = """\
error: Failed to download `six==1.17.0`
  cause: Hash mismatch for `six==1.17.0`

         Expected:
           sha256:0000

         Computed:
           sha256:4721
"""
NO_PYTHON = "error: No interpreter found for Python 3.99 in managed installations or search path"
NO_PACKAGE = """\
error: No solution found when resolving dependencies
  cause: Because there is no version of six==99 and you require six==99, we can conclude that \
your requirements are unsatisfiable.
"""


@pytest.mark.parametrize(
    ("said", "advice", "transient"),
    [
        (NO_NETWORK, "check the network", True),
        (MISMATCH, "not what was locked", False),
        (NO_PYTHON, "version of Python that is installed", False),
        (NO_PACKAGE, "correct the names and versions", False),
        ("error: something new", "see what was said", False),
        ("", "it said nothing", False),
    ],
)
def test_each_cause_has_its_advice(said: str, advice: str, transient: bool) -> None:
    error = failure("make environment 'x'", said, "/e")
    assert type(error) is SubmissionError
    assert error.message.startswith("cannot make environment 'x': ")
    assert advice in error.message
    assert error.transient is transient
    assert "secret" not in error.message


def test_a_full_disk_is_an_error_of_the_storage() -> None:
    assert isinstance(failure("make environment 'x'", FULL, "/e"), StorageFullError)


def test_the_last_lines_are_shown_however_many_there_are() -> None:
    said = "\n".join(f"line {number}" for number in range(1000))
    message = failure("make it", said, "/e").message
    assert "line 999" in message
    assert len(message.splitlines()) < 20
