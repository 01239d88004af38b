"""Text of the filter language to tokens, and the error that points into the text."""

import math
import re
from enum import Enum
from typing import Final

import msgspec

from headway.errors import FilterError

MAX_CHARS: Final = 10_000
_SHOWN_BEFORE: Final = 50
_SHOWN_AFTER: Final = 30
_INT64: Final = range(-(2**63), 2**63)
_MAX_DIGITS: Final = 1_000  # Python itself converts no more than 4,300
_UNSTORABLE: Final = re.compile("[\0\ud800-\udfff]")

_QUOTED: Final = r'"[^"]*(?:""[^"]*)*"|`[^`]*(?:``[^`]*)*`'
_TOKEN: Final = re.compile(
    rf"""
    (?P<space>\s+)
  | (?P<number>[+-]?(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|inf(?:inity)?|nan)
               (?![\w.]))
  | (?P<path>[^\W\d]\w*\.(?:{_QUOTED}|\w[\w.\-/:@]*))
  | (?P<word>[^\W\d]\w*)
  | (?P<text>'[^']*(?:''[^']*)*'|"[^"]*(?:""[^"]*)*")
  | (?P<symbol>==|!=|<=|>=|[=<>(),])
    """,
    re.VERBOSE | re.IGNORECASE,
)


class Kind(Enum):
    """What a token is."""

    NUMBER = "number"
    PATH = "path"
    WORD = "word"
    TEXT = "text"
    SYMBOL = "symbol"
    END = "end"


class Token(msgspec.Struct, frozen=True):
    """One word of the language and where it stands."""

    kind: Kind
    text: str
    """As written; words in lower case."""
    position: int


def tokenize(text: str, subject: str) -> list[Token]:
    """All tokens, closed by one of kind END.

    Args:
        text: What to read.
        subject: What it is called in messages: "filter" or "order".
    """
    if len(text) > MAX_CHARS:
        raise FilterError(
            f"the {subject} has {len(text)} characters: at most {MAX_CHARS} are accepted", MAX_CHARS
        )
    unstorable = _UNSTORABLE.search(text)
    if unstorable:
        problem = f"{unstorable.group()!r} cannot be part of any stored text"
        raise error_at(text, unstorable.start(), problem, subject)
    tokens: list[Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise error_at(text, position, _why_unreadable(text, position), subject)
        group = str(match.lastgroup)
        if group != "space":
            written = match.group()
            tokens.append(
                Token(Kind(group), written.lower() if group == "word" else written, position)
            )
        position = match.end()
    return [*tokens, Token(Kind.END, "", len(text))]


def error_at(text: str, position: int, problem: str, subject: str) -> FilterError:
    """The error that names a problem and shows where in the text it is."""
    start = max(0, position - _SHOWN_BEFORE)
    stop = position + _SHOWN_AFTER
    before, after = ("..." if start else ""), ("..." if stop < len(text) else "")
    # One column a character, so that the caret stands below its place.
    shown = "".join(c if c.isprintable() else " " for c in text[start:stop])
    pointer = " " * (len(before) + position - start) + "^"
    return FilterError(
        f"the {subject} cannot be read at character {position + 1}: {problem}\n"
        f"  {before}{shown}{after}\n  {pointer}",
        position,
    )


def text_value(token: Token) -> str:
    """What stands between the quotes."""
    return unquote(token.text)


def unquote(written: str) -> str:
    """Take the quotes off and halve the doubled ones; unquoted text stays."""
    quote = written[:1]
    if quote not in {"'", '"', "`"}:
        return written
    return written[1:-1].replace(quote * 2, quote)


def number_value(token: Token) -> int | float | None:
    """The number; None for a whole one that 64 bits do not hold."""
    digits = token.text.lstrip("+-")
    if not digits.isdigit():
        number = float(token.text)
        # A single NaN object, so that trees with it compare equal.
        return math.nan if math.isnan(number) else number
    if len(digits) > _MAX_DIGITS:
        return None
    value = int(token.text)
    return value if value in _INT64 else None


def _why_unreadable(text: str, position: int) -> str:
    character = text[position]
    if character in {"'", '"'}:
        return f"the text that begins here has no closing {character}"
    if character == "." and not text[position + 1 : position + 2].isdigit():
        return "the key of metrics., tags. or properties. stands right behind the dot"
    if character.isdigit() or character in "+-.":
        return "this is no number; accepted are 3, -0.5, 1e-4, inf and nan, and text in quotes"
    if character == "`":
        return "a key in backticks stands behind metrics., tags. or properties."
    return f"{character!r} is no part of the language; text stands in single quotes"
