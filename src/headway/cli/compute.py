"""``headway compute``: what there is to run on, and how many runs may have it at a time."""

from typing import Any, Final

import click
import msgspec

from headway.cli.call import Call, shared_options
from headway.cli.opening import settings_of
from headway.cli.output import say, write_json
from headway.cli.tables import Column, print_table
from headway.sdk.submission.compute import ComputeStatus, LocalCompute

_NONE: Final = "none"


@click.group(name="compute", invoke_without_command=False)
@shared_options
def command() -> None:
    """Show compute targets, and set how many runs may use one at a time."""


@command.command(name="list")
@shared_options
@click.pass_obj
def list_targets(call: Call) -> int:
    """List the compute targets: their slots, who has them, how many runs wait."""
    _show(call, LocalCompute(settings_of(call)))
    return 0


@command.command(name="set")
@click.argument("target", type=click.Choice(["local"]))
@click.option("--cpus", metavar="N", type=click.IntRange(min=0), help="How many CPU slots.")
@click.option(
    "--gpus", metavar="ID,...", help="Index or UUID of each GPU to hand out, or none for none."
)
@click.option("--unlimited", is_flag=True, help="No slots: every run starts at once.")
@shared_options
@click.pass_obj
def set_slots(call: Call, target: str, cpus: int | None, gpus: str | None, unlimited: bool) -> int:
    """Set the slots of TARGET, for runs that start from now on.

    A run waits, Queued, until as many slots are free as its resources ask for: 1 CPU and no GPU if
    it does not say. What is not given stays as it is. A kind of slot that was never given is not
    limited.
    """
    if unlimited == (cpus is not None or gpus is not None):
        raise click.UsageError("give --cpus, --gpus or both, or --unlimited")
    compute = LocalCompute(settings_of(call))
    if unlimited:
        compute.remove_slots()
    else:
        given: dict[str, Any] = {"cpus": cpus, "gpus": None if gpus is None else _ids(gpus)}
        compute.set_slots(**{name: value for name, value in given.items() if value is not None})
    say(f"headway: the slots of {target!r} are set")
    _show(call, compute)
    return 0


def _ids(given: str) -> list[str]:
    if given.strip().lower() == _NONE:
        return []
    ids = [one.strip() for one in given.split(",")]
    if "" in ids:
        raise click.BadParameter("give indexes or UUIDs with commas between, such as 0,1")
    return ids


def _show(call: Call, compute: LocalCompute) -> None:
    status = compute.get_status()
    if call.json:
        target = {"name": compute.name, "type": compute.type, **msgspec.to_builtins(status)}
        write_json([target])
        return
    columns = [
        Column("NAME"),
        Column("TYPE"),
        Column("CPUS", right=True),
        Column("GPUS", right=True),
        Column("QUEUED", right=True),
    ]
    cells = [_taken(status, "cpu"), _taken(status, "gpu"), str(status.queued)]
    print_table(columns, [[compute.name, compute.type, *cells]])
    if held := [slot for slot in status.slots if slot.run_id is not None]:
        say("")
        rows = [[f"{slot.kind} {slot.name}", slot.run_id or ""] for slot in held]
        print_table([Column("SLOT"), Column("RUN")], rows)


def _taken(status: ComputeStatus, kind: str) -> str:
    """Such as ``1 of 2 taken``."""
    if (status.cpus if kind == "cpu" else status.gpus) is None:
        return "no limit"
    slots = [slot for slot in status.slots if slot.kind == kind]
    return f"{sum(slot.run_id is not None for slot in slots)} of {len(slots)} taken"
