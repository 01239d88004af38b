"""``python -m benchmarks``: measure, print, and keep a record."""

import argparse
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Final

from benchmarks.comparison import CONTESTS, Comparison, cache_folder
from benchmarks.harness import Effort, Finding
from benchmarks.isolation import TOPICS, TopicFailedError, measure
from benchmarks.page import write_page
from benchmarks.peers.table import PEERS, SUBJECT
from benchmarks.record import Topic, merged, read, record_of, topic_of, write
from benchmarks.report import show

if TYPE_CHECKING:
    from benchmarks.contests.field import Cells

ALL: Final = tuple(dict.fromkeys([*CONTESTS, *TOPICS]))
NOBODY: Final = "none"
_PEERS: Final = [peer.name for peer in PEERS if peer is not SUBJECT]
_ROOT: Final = Path(__file__).resolve().parent.parent
_RECORD: Final = _ROOT / "benchmarks" / "record.json"
_DOCS: Final = _ROOT / "docs"


def main() -> int:
    """Run what was asked for; the exit status says whether every topic gave Headway's figures."""
    asked = _parser().parse_args()
    signal.signal(signal.SIGTERM, _leave)
    if asked.render:
        write_page(read(asked.render), _DOCS)
        return 0
    names = asked.only or ALL
    started = time.monotonic()
    topics = _measure(names, asked.peers, Effort(asked.quick, asked.scale))
    complete = set(names) == set(ALL) and asked.peers == _PEERS and not asked.quick
    if asked.json:
        write(asked.json, merged(asked.json, dict(topics)))
    if asked.record or complete:
        record = merged(_RECORD, dict(topics))
        write(_RECORD, record)
        write_page(record, _DOCS)
    show(record_of(topics), time.monotonic() - started)
    return 1 if any(topic.failure for topic in topics.values()) else 0


def _measure(names: Sequence[str], peers: Sequence[str], effort: Effort) -> dict[str, Topic]:
    comparison = Comparison(peers, _say) if peers else None
    topics: dict[str, Topic] = {}
    kept = cache_folder() / "last.json"
    kept.parent.mkdir(parents=True, exist_ok=True)
    _say(f"kept topic by topic: {kept}")
    for name in names:
        began = time.monotonic()
        _say(f"measuring: {name} ...")
        found: list[Finding] = []
        failure = ""
        try:
            found = measure(name, effort) if name in TOPICS else []
        except TopicFailedError as error:
            failure = str(error)
            _say(failure)
        cells: Cells = {}
        try:
            cells = comparison.measure(name, effort) if comparison else {}
        except Exception as error:  # noqa: BLE001  (the other topics go on; it is said and kept)
            traceback.print_exc()
            failure = f"{name}, beside peers: {error}"
        topics[name] = topic_of(effort.quick, found, cells, failure)
        write(kept, record_of(topics))
        _say(f"measured: {name} in {time.monotonic() - began:.0f} s")
    return topics


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _leave(number: int, frame: FrameType | None) -> None:
    """Let what was started be ended before this process is."""
    sys.exit(1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--only",
        type=_words(ALL),
        metavar="NAMES",
        help=f"only these topics, separated by commas: {', '.join(ALL)}",
    )
    parser.add_argument(
        "--peers",
        type=_words([*_PEERS, NOBODY]),
        default=_PEERS,
        metavar="NAMES",
        help=f"only these peers, separated by commas: {', '.join(_PEERS)}; or {NOBODY}",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="merge the figures into a file")
    parser.add_argument("--quick", action="store_true", help="measure less often, and less")
    parser.add_argument(
        "--record",
        action="store_true",
        help=f"merge the figures into {_RECORD.relative_to(_ROOT)} and write docs/benchmarks.md,"
        " as a complete run does",
    )
    parser.add_argument(
        "--render",
        type=Path,
        metavar="FILE",
        help="measure nothing: write docs/benchmarks.md from the figures in a file",
    )
    parser.add_argument(
        "--scale",
        type=int,
        default=1,
        metavar="N",
        help="N times as many runs, children and points in Headway's own topics",
    )
    return parser


def _words(known: Sequence[str]) -> Callable[[str], list[str]]:
    """A list of words that are known, as an argument; the word for nobody is an empty list."""

    def parse(text: str) -> list[str]:
        words = [word.strip() for word in text.split(",")]
        for word in words:
            if word not in known:
                raise argparse.ArgumentTypeError(
                    f"{word!r} is not among them: choose from {', '.join(known)}"
                )
        return [word for word in words if word != NOBODY]

    return parse


if __name__ == "__main__":
    sys.exit(main())
