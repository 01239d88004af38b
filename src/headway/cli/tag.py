"""``headway tag``: set and remove tags of a run."""

import click

from headway.cli.call import Call, shared_options
from headway.cli.opening import find_run, labels, open_workspace
from headway.cli.output import one_line, say, write, write_json
from headway.model import RunChange


@click.command(name="tag")
@click.argument("run")
@click.argument("tags", metavar="[KEY[=VALUE]]...", nargs=-1)
@click.option("--remove", "-d", multiple=True, metavar="KEY", help="Remove; may be repeated.")
@click.option("--experiment", "-e", help="Where @N and latest look.")
@shared_options
@click.pass_obj
def command(
    call: Call, run: str, tags: tuple[str, ...], remove: tuple[str, ...], experiment: str | None
) -> int:
    """Set tags of RUN, remove others, and print those that it has then.

    Without any, only prints them. Works also after the end of the run.
    """
    api = open_workspace(call).api
    found = find_run(api, run, experiment)
    if tags or remove:
        change = RunChange(set_tags=labels("tag", tags), remove_tags=list(remove))
        found = api.runs.change(found.id, change)
    if call.json:
        write_json(found.tags)
    elif not found.tags:
        say(f"headway: run {found.id} has no tags")
    else:
        for key, value in found.tags.items():
            write(one_line(key if value is None else f"{key}={value}"))
    return 0
