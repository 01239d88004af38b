"""``headway migrate``: what becomes of code that was written for ``azureml.core``."""

from pathlib import Path
from typing import Final

import click
import msgspec

from headway.cli.call import Call, shared_options
from headway.cli.output import printable, say, write, write_json
from headway.migration.report import Finding, Place, Report, check
from headway.migration.table import Support

_PLACES_SHOWN: Final = 3
"""Of a name that is supported; of one that is not, all are."""
_NOT_ALL: Final = 1


@click.group(name="migrate", invoke_without_command=False)
@shared_options
def command() -> None:
    """Find out what becomes of code written for azureml.core."""


@command.command(name="check")
@click.argument("path", type=click.Path(path_type=Path))
@shared_options
@click.pass_obj
def check_path(call: Call, path: Path) -> int:
    """List what of the azureml API the scripts and notebooks under PATH use.

    Each name comes with where it is used, and whether it is supported, partly (how) or not (what
    to do instead). Nothing of them is executed. The exit code is 0 where all is supported.
    """
    report = check(path)
    if call.json:
        write_json({**msgspec.to_builtins(report), "ready": report.ready})
    else:
        _show(report, path)
    return 0 if report.ready else _NOT_ALL


def _show(report: Report, path: Path) -> None:
    for support in (Support.NO, Support.PARTLY, Support.YES):
        found = [one for one in report.findings if one.support is support]
        if found:
            write(f"{support.capitalize()}:")
            for one in found:
                _show_finding(one)
            write()
    if report.problems:
        write("Not read:")
        for problem in report.problems:
            write(printable(f"  {problem.where}: {problem.message}"))
        write()
    say(f"headway: {_summary(report, path)}")


def _show_finding(finding: Finding) -> None:
    if finding.support is Support.YES:
        shown, more = finding.places[:_PLACES_SHOWN], len(finding.places) - _PLACES_SHOWN
        places = ", ".join(_place(place) for place in shown)
        write(printable(f"  {finding.name}  {places}" + (f" and {more} more" * (more > 0))))
        return
    write(printable(f"  {finding.name}: {finding.note}"))
    for place in finding.places:
        write(printable(f"      {_place(place)}"))


def _place(place: Place) -> str:
    return f"{place.where} (by its name)" if place.guessed else place.where


def _summary(report: Report, path: Path) -> str:
    looked = f"{report.files} {'file' if report.files == 1 else 'files'} looked at"
    if not report.files:
        return f"there are no scripts or notebooks in {path}"
    if not report.findings and not report.problems:
        return f"{looked}; none uses azureml"
    words = ", ".join(f"{report.count(s)} {s}" for s in (Support.YES, Support.PARTLY, Support.NO))
    unread = f", {len(report.problems)} not read" if report.problems else ""
    return f"{looked}, {report.using} with azureml; of the names they use: {words}{unread}"
