"""A bound on how deeply a JSON document is nested, held before it is decoded."""

import re
from typing import Final

from headway.errors import InvalidValueError

MOST_LEVELS: Final = 64

_STRING: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_NO_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))


def check_json(body: bytes) -> None:
    """Refuse a document of more than ``MOST_LEVELS`` levels.

    What is no JSON at all may pass: decoding finds that out.

    Raises:
        InvalidValueError: It is nested more deeply.
    """
    if body.count(b"[") + body.count(b"{") <= MOST_LEVELS:
        return
    brackets = _STRING.sub(b"", body).translate(None, _NO_BRACKETS)
    for _ in range(MOST_LEVELS):  # each time the innermost level goes
        before = len(brackets)
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
        if len(brackets) in (0, before):
            break
    if brackets:
        raise InvalidValueError(
            f"the JSON document is not closed, or has more than {MOST_LEVELS} levels of brackets: "
            "send a flatter one"
        )
