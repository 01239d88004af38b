"""What uv and conda say when they fail, and what is to be done about it."""

import re
from typing import Final, NamedTuple

from headway.environments.requirement import masked
from headway.errors import HeadwayError, StorageFullError, SubmissionError

_LAST_LINES: Final = 12


class _Cause(NamedTuple):
    words: re.Pattern[str]
    advice: str
    transient: bool = False


_FULL: Final = re.compile(r"No space left on device|Disk quota exceeded", re.IGNORECASE)
_CAUSES: Final = (
    _Cause(
        re.compile(r"Hash mismatch"),
        "what was downloaded is not what was locked; if a local archive was made anew, submit with "
        "the environment resolved again, otherwise do not trust where it comes from",
    ),
    _Cause(
        re.compile(
            r"failed to fetch|error sending request|dns error|network was disabled|timed out"
            r"|ConnectionError|Could not resolve host|Download error",
            re.IGNORECASE,
        ),
        "check the network, the proxy and the package index that is configured, then submit again",
        transient=True,
    ),
    _Cause(
        re.compile(r"No interpreter found|No download found|Failed to inspect Python"),
        "ask for a version of Python that is installed ('uv python list' names them), or give the "
        "path of an interpreter",
    ),
    _Cause(
        re.compile(r"No solution found"),
        "correct the names and versions that it mentions",
    ),
    _Cause(
        re.compile(r"Failed to build|build backend"),
        "the package is built on this machine, which lacks something: ask for a version that has a "
        "wheel, or install what it needs",
    ),
    _Cause(
        re.compile(r"Couldn't parse|Expected|Unsupported"), "correct the requirement that it names"
    ),
)


def failure(doing: str, output: str, place: str) -> HeadwayError:
    """The error for a program that failed.

    Args:
        doing: What it was to do, as in "resolve the requirements of environment 'x'".
        output: What it printed.
        place: The folder that it wrote to.
    """
    lines = [line.rstrip() for line in masked(output).splitlines() if line.strip()]
    said = "\n".join(f"  {line}" for line in lines[-_LAST_LINES:]) or "  (it said nothing)"
    if _FULL.search(output):
        return StorageFullError(
            f"no space is left to {doing} under {place}: free some, then submit again; nothing "
            f"half-made was left behind\n{said}"
        )
    for cause in _CAUSES:
        if cause.words.search(output):
            error = SubmissionError(f"cannot {doing}: {cause.advice}\n{said}")
            error.transient = cause.transient
            return error
    return SubmissionError(
        f"cannot {doing}: see what was said, correct it and submit again\n{said}"
    )
