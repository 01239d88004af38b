"""The group of commands, and the outermost edge: here every error becomes a message and a code."""

import importlib
import io
import os
import sys
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import click

import headway
from headway.cli.call import Call, shared_options
from headway.errors import HeadwayError, code_of


class Listed(NamedTuple):
    """One command, known without being loaded."""

    name: str
    module: str
    help: str


COMMANDS: Final = (
    Listed("submit", "submit", "Start a script as a run and return."),
    Listed("run", "foreground", "Run any command as a run, in the foreground."),
    Listed("list", "listing", "List runs."),
    Listed("show", "show", "Show all about one run."),
    Listed("logs", "logs", "Print or follow what a run writes."),
    Listed("metrics", "metrics", "Print or plot what a run logged."),
    Listed("cancel", "cancel", "Cancel runs, with all their processes."),
    Listed("wait", "wait", "Wait until runs have ended."),
    Listed("tag", "tag", "Set and remove tags of a run."),
    Listed("diff", "diff", "Show what code changed between two runs."),
    Listed("sync", "sync", "Send servers what waits for them on this machine."),
    Listed("delete", "delete", "Put runs into the trash."),
    Listed("restore", "restore", "Take runs out of the trash."),
    Listed("trash", "trash", "List the runs in the trash, newest first."),
    Listed("purge", "purge", "Remove runs of the trash for good."),
    Listed("retention", "retention", "Set which runs go to the trash by themselves."),
    Listed("gc", "gc", "Apply the rules, and remove what nobody needs."),
    Listed("backup", "backup", "Copy the workspace while it is used, or check a copy."),
    Listed("restore-backup", "restore_backup", "Make a workspace of a backup."),
    Listed("export", "export", "Write runs and their metrics as Parquet, CSV or JSON Lines."),
    Listed("import", "importing", "Take in an export."),
    Listed("move", "move", "Copy a workspace's database to another kind."),
    Listed("compute", "compute", "Show and set the slots of this machine."),
    Listed("server", "server", "Serve workspaces to a team."),
    Listed("login", "login", "Keep a token for a server."),
    Listed("logout", "logout", "Forget and revoke the token for a server."),
    Listed("token", "token", "Make, list and revoke the tokens of a server."),
    Listed("user", "user", "Make, list and remove the users of a server."),
    Listed("member", "member", "Say who may do what in a workspace of a server."),
    Listed("workspace", "hosted", "Make and list the workspaces of a server."),
    Listed("migrate", "migrate", "See what becomes of code for azureml.core."),
    Listed("demo", "demo", "See what Headway does, in half a minute."),
    Listed("doctor", "doctor", "Look for what is wrong, and mend it."),
)

EXIT_CODES: Final = {
    0: "done; for wait: every run completed",
    1: "unexpected error; for doctor: something is wrong",
    2: "a value or an option is not accepted",
    3: "a setting or a config file is wrong",
    4: "there is no such run, experiment, file or workspace",
    5: "it exists already, or the run's status does not allow it",
    6: "the run could not be started",
    7: "a run that was waited for failed or was canceled",
    8: "the workspace cannot be read or written",
    9: "the server refuses: no token, one that is not valid, or one of too small a scope",
    124: "the time given for waiting is over",
    130: "interrupted by Ctrl-C",
    141: "whoever read the output is gone",
}
"""Also the exit code of the command itself, from ``headway run``."""

INTERRUPTED: Final = 130
READER_GONE: Final = 141

_EPILOG: Final = (
    "\b\nRUN is a run's id, the beginning of one (4 characters or more), latest,\n"
    "or @N for number N within --experiment.\n\n"
    "\b\nExit codes:\n"
    + "\n".join(f"  {code:>3}  {meaning}" for code, meaning in EXIT_CODES.items())
    + "\n\nheadway run ends with the exit code of what it ran."
)


class Program(click.Group):
    """A group whose commands are loaded when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of a run's life."""
        return [listed.name for listed in COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one command."""
        listed = next((listed for listed in COMMANDS if listed.name == cmd_name), None)
        if listed is None:
            return None
        command: click.Command = importlib.import_module(f"headway.cli.{listed.module}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without loading any."""
        with formatter.section("Commands"):
            formatter.write_dl([(listed.name, listed.help) for listed in COMMANDS])

    def invoke(self, ctx: click.Context) -> object:
        """Run the command, and see to it that what it wrote has left this process."""
        try:
            result: object = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:  # before click makes another code of it
            _discard_output()
            return READER_GONE
        return result

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,  # noqa: ANN401  (as click has it)
    ) -> Any:  # noqa: ANN401
        """Run the command that the arguments name, and exit with its code."""
        arguments = list(sys.argv[1:] if args is None else args)
        call = Call()
        code = self._guarded(arguments, complete_var, call, extra)
        if standalone_mode:
            sys.exit(code)
        return code

    def _guarded(
        self, arguments: list[str], complete_var: str | None, call: Call, extra: dict[str, Any]
    ) -> int:
        try:
            result = super().main(
                arguments, "headway", complete_var, standalone_mode=False, obj=call, **extra
            )
        except click.UsageError as error:
            call.json = call.json or "--json" in _before_dashes(arguments)  # not read to the end
            where = error.ctx.command_path if error.ctx else "headway"
            return _fail(
                call, "usage", f"{error.format_message().rstrip('.')} (see '{where} --help')", 2
            )
        except click.ClickException as error:
            return _fail(call, "error", error.format_message(), error.exit_code)
        except click.Abort:
            return _fail(call, "interrupted", "interrupted", INTERRUPTED)
        except HeadwayError as error:
            code = code_of(error)
            return _fail(call, code.code, error.message, code.exit_code)
        except OSError as error:
            what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
            return _fail(call, "error", what, 1)
        except Exception as error:  # noqa: BLE001  (the outermost edge)
            return _bug(call, error)
        return result if isinstance(result, int) else 0


def _before_dashes(arguments: list[str]) -> list[str]:
    return arguments[: arguments.index("--")] if "--" in arguments else arguments


def _fail(call: Call, code: str, message: str, exit_code: int) -> int:
    if call.json:
        output = importlib.import_module("headway.cli.output")
        click.echo(output.json_text({"error": {"code": code, "message": message}}), err=True)
    else:
        click.echo(f"error: {message}", err=True)
    return exit_code


def _bug(call: Call, error: Exception) -> int:
    if _debug():
        sys.__excepthook__(type(error), error, error.__traceback__)
    what = f"{type(error).__name__}: {error}".rstrip(": ")
    advice = "this is a bug in Headway; HEADWAY_DEBUG=true shows where, please report it"
    return _fail(call, "error", f"{what} ({advice})", 1)


def _debug() -> bool:
    from headway.settings import load_settings  # noqa: PLC0415  (--help must not pay for it)

    try:
        return load_settings().debug
    except HeadwayError:
        return False


def _discard_output() -> None:
    """Let the interpreter's last flush go nowhere instead of complaining."""
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
    except (OSError, io.UnsupportedOperation):
        return  # standard output is not a file of this process


def _print_version(context: click.Context, _: click.Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        click.echo(f"headway {headway.__version__}")
        context.exit()


@click.group(
    cls=Program,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@shared_options
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_print_version,
    help="Show the version and exit.",
)
def program() -> None:
    """Start, monitor and cancel training runs."""


def main() -> None:
    """The command ``headway``."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal may not know every character
            stream.reconfigure(errors="backslashreplace")
    program.main()
