"""``headway compute``: what there is to run on, and how many runs may have it at a time."""

from typing import Any, Final

import click
import msgspec

from headway.cli.call import Call, shared_options
from headway.cli.opening import settings_of
from headway.cli.output import say, write_json
from headway.cli.tables import Column, print_table
from headway.engines.queueing import local_compute
from headway.engines.targets import Target, Targets
from headway.errors import ComputeTargetNotFoundError
from headway.sdk.submission.compute import TARGET_NAME, ComputeStatus, LocalCompute

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
    _show(call)
    return 0


@command.command(name="create")
@click.argument("name")
@click.option(
    "--nodes",
    metavar="N",
    type=click.IntRange(min=1),
    default=4,
    show_default=True,
    help="How many of its runs go on at a time.",
)
@shared_options
@click.pass_obj
def create(call: Call, name: str, nodes: int) -> int:
    """Let NAME stand for this machine, for scripts that submit to it.

    What has that name already is changed, for runs that start from now on.
    """
    _targets(call).write(name, Target(nodes=nodes))
    say(f"headway: {name!r} stands for this machine; {nodes} of its runs go on at a time")
    _show(call)
    return 0


@command.command(name="delete")
@click.argument("name")
@shared_options
@click.pass_obj
def delete(call: Call, name: str) -> int:
    """Remove the compute target NAME. Its runs go on, and those that wait begin."""
    targets = _targets(call)
    if name not in targets.read():
        known = ", ".join(map(repr, targets.read())) or "none"
        raise ComputeTargetNotFoundError(
            f"there is no compute target {name!r} that could be removed; there is {known}"
        )
    targets.remove(name)
    LocalCompute(settings_of(call)).wake()
    say(f"headway: the compute target {name!r} is removed")
    _show(call)
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
    _show(call)
    return 0


def _ids(given: str) -> list[str]:
    if given.strip().lower() == _NONE:
        return []
    ids = [one.strip() for one in given.split(",")]
    if "" in ids:
        raise click.BadParameter("give indexes or UUIDs with commas between, such as 0,1")
    return ids


def _targets(call: Call) -> Targets:
    return Targets(local_compute(settings_of(call).home))


def _show(call: Call) -> None:
    settings = settings_of(call)
    names = [TARGET_NAME, *_targets(call).read()]
    found = [(name, LocalCompute(settings, name).get_status()) for name in names]
    if call.json:
        write_json(
            [
                {"name": name, "type": LocalCompute.type, **msgspec.to_builtins(status)}
                for name, status in found
            ]
        )
        return
    columns = [
        Column("NAME"),
        Column("TYPE"),
        Column("CPUS", right=True),
        Column("GPUS", right=True),
        Column("NODES", right=True),
        Column("QUEUED", right=True),
    ]
    print_table(columns, [[name, LocalCompute.type, *_cells(status)] for name, status in found])
    if held := [
        [f"{name} {slot.kind} {slot.name}", slot.run_id]
        for name, status in found
        for slot in status.slots
        if slot.run_id is not None
    ]:
        say("")
        print_table([Column("SLOT"), Column("RUN")], held)


def _cells(status: ComputeStatus) -> list[str]:
    if status.nodes is not None:
        return ["", "", _taken(status, "node"), str(status.queued)]
    cpus = "no limit" if status.cpus is None else _taken(status, "cpu")
    gpus = "no limit" if status.gpus is None else _taken(status, "gpu")
    return [cpus, gpus, "", str(status.queued)]


def _taken(status: ComputeStatus, kind: str) -> str:
    """Such as ``1 of 2 taken``."""
    slots = [slot for slot in status.slots if slot.kind == kind]
    return f"{sum(slot.run_id is not None for slot in slots)} of {len(slots)} taken"
