"""``python -m benchmarks``: measure, and print one table."""

import argparse
import signal
import sys
import time
from pathlib import Path
from types import FrameType

import msgspec

from benchmarks.harness import Effort, Line
from benchmarks.isolation import TOPICS, TopicFailedError, measure
from benchmarks.report import Report, console, report_of, table


def main() -> int:
    """Run what was asked for; the exit status says whether every topic gave figures."""
    asked = _parser().parse_args()
    signal.signal(signal.SIGTERM, _leave)
    effort = Effort(asked.quick, asked.scale)
    started = time.monotonic()
    lines: dict[str, list[Line]] = {}
    for topic in asked.only or TOPICS:
        print(f"measuring: {topic} ...", file=sys.stderr, flush=True)
        try:
            lines[topic] = measure(topic, effort)
        except TopicFailedError as error:
            print(error, file=sys.stderr)
    report = report_of(lines)
    _show(report, time.monotonic() - started)
    if asked.json:
        asked.json.write_bytes(msgspec.json.format(msgspec.json.encode(report)))
    return 0 if len(lines) == len(asked.only or TOPICS) else 1


def _leave(number: int, frame: FrameType | None) -> None:
    """Let what was started be ended before this process is."""
    sys.exit(1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--only",
        action="append",
        choices=TOPICS,
        metavar="NAME",
        help=f"only this topic, may be given again: {', '.join(TOPICS)}",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument("--quick", action="store_true", help="measure less often")
    parser.add_argument(
        "--scale",
        type=int,
        default=1,
        metavar="N",
        help="N times as many runs, children and points",
    )
    return parser


def _show(report: Report, took_s: float) -> None:
    out = console()
    out.print(
        f"headway {report.headway}, Python {report.python}, {report.machine}", highlight=False
    )
    out.print(table([line for lines in report.lines.values() for line in lines]))
    out.print(f"Measured in {took_s:.0f} s. Aims are for a quiet machine.", highlight=False)


if __name__ == "__main__":
    sys.exit(main())
