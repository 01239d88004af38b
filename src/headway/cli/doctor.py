"""``headway doctor``: look at everything that a workspace stands on, and mend what can be."""

from typing import Final

import click
from rich.text import Text

from headway.cli import examinations
from headway.cli.call import Call, shared_options
from headway.cli.examinations import Finding, State
from headway.cli.opening import is_there, place_of, settings_of
from headway.cli.output import printable, write_json
from headway.cli.tables import console
from headway.hosting.layout import Layout

_STYLES: Final = {State.OK: "green", State.WARN: "yellow", State.FAIL: "bold red"}


@click.command(name="doctor")
@click.option("--fix", is_flag=True, help="Mend what can be mended.")
@shared_options
@click.pass_obj
def command(call: Call, fix: bool) -> int:
    """Look for what is wrong with this machine and the workspace, and say what to do.

    With --fix, runs whose process is gone are brought to their end, leftover metrics are taken in,
    and stale files are removed. The exit code is 1 if something is wrong that stops Headway.
    """
    settings = settings_of(call)
    place = place_of(settings)
    layout = Layout(place.folder)
    findings = [examinations.python(), examinations.sqlite(), examinations.cgroups()]
    if is_there(place):
        findings += examinations.workspace(layout, settings, fix=fix)
    else:
        findings += examinations.future_workspace(layout)
    if call.json:
        write_json([finding._asdict() for finding in findings])
    else:
        for finding in findings:
            _print(finding)
    return 1 if any(finding.state is State.FAIL for finding in findings) else 0


def _print(finding: Finding) -> None:
    line = Text(f"{finding.state:<4}", style=_STYLES[finding.state])
    line.append(f"  {finding.name:<13}  ", style="not bold default")
    line.append(printable(finding.text), style="not bold default")
    out = console()
    out.print(line)
    if finding.advice:
        out.print(Text(f"{'':<21}{finding.advice}"))
