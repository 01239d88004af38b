"""``headway retention``: which runs go to the trash by themselves."""

import click
import msgspec

from headway.cli.ages import Age, words
from headway.cli.call import Call, shared_options
from headway.cli.opening import open_workspace
from headway.cli.output import say, write_json
from headway.cli.tables import Column, print_table
from headway.upkeep import RetentionRule


@click.group(name="retention", invoke_without_command=False)
@shared_options
def command() -> None:
    """Set which runs go to the trash when 'headway gc' is called.

    Runs that have not ended, runs with the tag 'keep' and runs of which a model was registered
    stay whatever the rules say.
    """


@command.command(name="list")
@shared_options
@click.pass_obj
def list_rules(call: Call) -> int:
    """List the rules."""
    rules = open_workspace(call).api.upkeep.rules()
    if call.json:
        write_json([msgspec.structs.asdict(rule) for rule in rules])
    elif rules:
        columns = [Column("EXPERIMENT"), Column("KEEP LAST", right=True), Column("OLDER THAN")]
        print_table(columns, [_row(rule) for rule in rules])
    else:
        say("headway: no rules: every run stays until it is deleted")
    return 0


@command.command(name="set")
@click.option("--experiment", "-e", default="", help="Default: all that have no rule.")
@click.option("--keep-last", metavar="N", type=click.IntRange(min=0), help="Newest runs that stay.")
@click.option("--older-than", "older_than_s", type=Age(), help="Only runs that ended so long ago.")
@shared_options
@click.pass_obj
def set_rule(call: Call, experiment: str, keep_last: int | None, older_than_s: float | None) -> int:
    """Set the rule of an experiment, in place of the one that it has. Both bounds hold together.

    'headway gc --dry-run' shows what it comes to.
    """
    rule = RetentionRule(experiment, keep_last, older_than_s)
    open_workspace(call).api.upkeep.set_rule(rule)
    if call.json:
        write_json(msgspec.structs.asdict(rule))
    else:
        say("headway: the rule is set; 'headway gc --dry-run' shows which runs it would delete")
    return 0


@command.command(name="remove")
@click.option("--experiment", "-e", default="", help="Default: the rule for all others.")
@shared_options
@click.pass_obj
def remove_rule(call: Call, experiment: str) -> int:
    """Remove the rule of an experiment."""
    open_workspace(call).api.upkeep.remove_rule(experiment)
    if call.json:
        write_json({"experiment": experiment})
    else:
        say("headway: the rule is removed")
    return 0


def _row(rule: RetentionRule) -> list[str]:
    return [
        rule.experiment or "(all others)",
        "-" if rule.keep_last is None else str(rule.keep_last),
        "-" if rule.older_than_s is None else words(rule.older_than_s),
    ]
