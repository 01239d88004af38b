"""Make the pages and blocks under docs/ that come from the code. Run by ``make docs``.

``settings.md``, ``errors.md`` and the pages of ``reference/`` are made whole. In other pages the
lines between ``<!-- made: NAME -->`` and ``<!-- end -->`` are. With ``--check`` nothing is written,
and the exit status is 1 where something would change.
"""

import ast
import inspect
import re
import sys
import textwrap
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, get_args, get_origin

import click
import msgspec

from headway.cli.call import Call, shared_options
from headway.cli.program import COMMANDS, EXIT_CODES, program
from headway.errors import ERROR_CODES
from headway.filters.tree import COLUMNS, ValueType
from headway.migration.table import ROWS, Row, Support
from headway.settings import SETTINGS, Setting
from headway.wire.forms import form_of
from headway.wire.operation import API, Body, Operation
from headway.wire.operations import OPERATIONS

ROOT: Final = Path(__file__).resolve().parent.parent
DOCS: Final = ROOT / "docs"
PACKAGE: Final = ROOT / "src" / "headway"
_NOTE: Final = "<!-- Made by `make docs` from {source}. Edit that instead. -->"
_BLOCK: Final = re.compile(
    r"(?P<begin><!-- made: (?P<name>\S+) -->\n).*?(?P<end><!-- end -->)", re.DOTALL
)
_HTTP: Final = (
    f"All paths begin with `{API}`. A request names itself by `Authorization: Bearer TOKEN`. What "
    "does not stand in the path is sent in the query, with GET, DELETE and bodies of bytes; "
    'else as one JSON object. Errors are JSON: `{"error": {"code", "message", "details"}, '
    '"request_id"}`, with the codes of [errors](../errors.md). A server describes itself at '
    f"`{API}/openapi.json`, as OpenAPI 3.1. Outside of that stand `/health` (the process lives), "
    "`/ready` (the databases answer) and `/metrics` (for Prometheus, with a token)."
)
_TABLE: Final = re.compile(
    r"^(?P<rule>=+( +=+)+)\n(?P<head>.*)\n(?P=rule)\n(?P<rows>(?:.*\n)*?)(?P=rule)$", re.MULTILINE
)
_TYPE_WORDS: Final[dict[type, str]] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
}


def pages() -> Iterator[tuple[Path, str]]:
    """Every page that is made, whole or in part, and what it should hold."""
    yield DOCS / "settings.md", settings_page()
    yield DOCS / "errors.md", errors_page()
    yield DOCS / "reference" / "commands.md", commands_page()
    yield DOCS / "reference" / "http.md", http_page()
    for path in sorted(DOCS.rglob("*.md")):
        text = path.read_text(encoding="utf-8")
        if _BLOCK.search(text):
            yield path, _BLOCK.sub(_filled, text)


def settings_page() -> str:
    """The table of settings, and an example of each way to set one."""
    example = next(setting for setting in SETTINGS if setting.name == "cancel_grace_s")
    return "\n".join(
        [
            "# Settings",
            "",
            _NOTE.format(source="`src/headway/settings.py`"),
            "",
            "A setting is looked up in this order:",
            "",
            f"1. the environment variable, as in `{example.variable}=30`;",
            f"2. the user's config file, by name, as in `{example.name} = 30.0`. On Linux this is",
            "   `~/.config/headway/config.toml`, or `headway/config.toml` under `XDG_CONFIG_HOME`.",
            "   It need not exist;",
            "3. the default.",
            "",
            "An empty variable counts as not set. A value that cannot be read, and a name in the",
            "file that is no setting, are errors that say what is accepted.",
            "",
            "| Setting | Variable | Kind | Default | Meaning |",
            "| --- | --- | --- | --- | --- |",
            *(_settings_row(setting) for setting in SETTINGS),
            "",
        ]
    )


def _settings_row(setting: Setting) -> str:
    default = "" if setting.default == "" else f"`{setting.default}`"
    kind = _TYPE_WORDS[setting.type]
    return f"| `{setting.name}` | `{setting.variable}` | {kind} | {default} | {setting.help} |"


def errors_page() -> str:
    """The tree of errors, and how each looks from outside the process."""
    rows = [
        f"| `{cls.__name__}` | `{code.code}` | {code.http_status} | {code.exit_code} "
        f"| {'yes' if cls.transient else ''} | {_first_line(inspect.getdoc(cls))} |"
        for cls, code in ERROR_CODES.items()
    ]
    return "\n".join(
        [
            "# Errors",
            "",
            _NOTE.format(source="`src/headway/errors.py`"),
            "",
            "Every error that Headway raises on purpose is a `HeadwayError`. Its message says what",
            "was given, what is accepted and what to do next. Codes are stable. Where an error is",
            "transient, the same call may succeed when it is made again unchanged.",
            "",
            "| Class | Code | HTTP status | Exit code | Transient | When |",
            "| --- | --- | --- | --- | --- | --- |",
            *rows,
            "",
        ]
    )


# ---------------------------------------------------------------- commands


def http_page() -> str:
    """The operations of a server: what each takes, gives and needs."""
    parts = [
        "# HTTP operations",
        "",
        _NOTE.format(source="src/headway/wire"),
        "",
        *textwrap.wrap(_HTTP, 100),
        "",
    ]
    for area in dict.fromkeys(_area(operation) for operation in OPERATIONS):
        rows = [operation for operation in OPERATIONS if _area(operation) == area]
        parts += [f"## {area}", "", "| Operation | Request | Takes | Gives | Scope |"]
        parts += ["| --- | --- | --- | --- | --- |"]
        parts += [_operation_row(operation) for operation in rows]
        parts.append("")
    return "\n".join(parts)


def _area(operation: Operation[Any, Any]) -> str:
    area, _, verb = operation.name.partition(".")
    return area if verb else operation.place.value


def _operation_row(operation: Operation[Any, Any]) -> str:
    form = form_of(operation)
    path = operation.template.removeprefix(API)
    names = [f"`{name}`" for name in form.rest_names] + (["the bytes"] if form.has_data else [])
    takes = ", ".join(names) or "nothing"
    if not operation.in_query and operation.sends is Body.PACKED:
        takes += " (MessagePack)"
    gives = "bytes" if operation.gives is Body.BYTES else _type_name(operation.answer)
    if operation.gives is Body.PACKED:
        gives += " (MessagePack)"
    scope = "none" if operation.scope is None else operation.scope.value
    what = f"`{operation.name}`: {operation.help.rstrip('.')}"
    return f"| {what} | `{operation.method} {path}` | {takes} | {gives} | {scope} |"


def _type_name(kind: Any) -> str:  # noqa: ANN401  (a type, or a list of one)
    if get_origin(kind) is list:
        return f"list of {_type_name(get_args(kind)[0])}"
    return "text" if kind is str else "JSON" if kind is msgspec.Raw else f"`{kind.__name__}`"


def commands_page() -> str:
    """Every command as its ``--help`` has it, and the exit codes."""
    context = click.Context(program, info_name="headway", obj=Call())
    lines = [
        "# Commands",
        "",
        _NOTE.format(source="`src/headway/cli/`"),
        "",
        "`headway COMMAND --help` shows the same in a terminal.",
        "",
        "| Command | What it does |",
        "| --- | --- |",
        *(f"| [`{one.name}`](#headway-{one.name}) | {one.help} |" for one in COMMANDS),
        "",
        "RUN is a run's id, the beginning of one (4 characters or more), `latest`, or `@N` for",
        "number N within `--experiment`.",
        "",
        "Every command also takes these:",
        "",
        *_options_table(_shared()),
        "## Exit codes",
        "",
        "| Code | Meaning |",
        "| --- | --- |",
        *(f"| {code} | {meaning} |" for code, meaning in EXIT_CODES.items()),
        "",
        "`headway run` ends with the exit code of what it ran.",
        "",
    ]
    for one in COMMANDS:
        command = program.get_command(context, one.name)
        if command is not None:
            lines += _command_section(command, click.Context(command, context, one.name))
    return "\n".join(lines)


def _command_section(command: click.Command, context: click.Context) -> list[str]:
    own = [
        parameter
        for parameter in command.params
        if isinstance(parameter, click.Option) and parameter.name not in _SHARED_NAMES
    ]
    section = [
        f"## {context.command_path}",
        "",
        "```",
        " ".join([context.command_path, *command.collect_usage_pieces(context)]),
        "```",
        "",
        *_help_text(command.help or ""),
        *(_options_table(own) if own else []),
    ]
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            section += _command_section(below, click.Context(below, context, name))
    return section


def _help_text(text: str) -> Iterator[str]:
    r"""Paragraphs; one that begins with ``\b`` is shown as it stands."""
    for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(text)):
        kept = re.fullmatch(r"(?:\x08|\\b)\n(.*)", paragraph, re.DOTALL)
        if kept:
            yield from ["```", textwrap.dedent(kept[1]), "```", ""]
        else:
            yield from [re.sub(r"(?<![\w`-])(--[a-z-]+)", r"`\1`", paragraph), ""]


def _options_table(options: list[click.Option]) -> list[str]:
    rows = [f"| {_option_name(option)} | {_cell(option.help)} |" for option in options]
    return ["| Option | |", "| --- | --- |", *rows, ""]


def _option_name(option: click.Option) -> str:
    names = ", ".join(f"`{name}`" for name in sorted(option.opts, key=len, reverse=True))
    if option.is_flag:
        return names
    return f"{names} {_cell(option.metavar or option.type.name.split()[0].upper())}"


def _shared() -> list[click.Option]:
    """The options that every command takes."""

    def nothing() -> None:
        """Take the options."""

    command = click.command()(shared_options(nothing))
    return [parameter for parameter in command.params if isinstance(parameter, click.Option)]


_SHARED_NAMES: Final = {option.name for option in _shared()}


def _cell(text: str | None) -> str:
    return _one_line(text).replace("|", "\\|")


def _one_line(text: str | None) -> str:
    """The text in one line."""
    return " ".join((text or "").split())


# ---------------------------------------------------------------- layers


def layers() -> list[str]:
    """The layers in ``pyproject.toml``, lowest first."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = config["tool"]["importlinter"]["contracts"]
    contract = next(contract for contract in contracts if contract["id"] == "layers")
    return [re.sub(r"[()]", "", layer) for layer in reversed(contract["layers"])]


def layers_block() -> str:
    """The layers as one line of arrows, and what each module is for by its own words."""
    lines = ["```", " <- ".join(layers()), "```", "", "| Module | What it is |", "| --- | --- |"]
    for layer in layers():
        for name in layer.split(" | "):
            path = PACKAGE / name / "__init__.py"
            path = path if path.exists() else PACKAGE / f"{name}.py"
            if path.exists():
                shown = path.parent if path.name == "__init__.py" else path
                link = f"[`headway.{name}`](../{shown.relative_to(ROOT).as_posix()})"
                lines.append(f"| {link} | {_first_line(_docstring(path))} |")
    return "\n".join(lines)


def docstring_block(path: Path) -> str:
    """What a module says of itself."""
    if not path.exists():
        return f"`{path.name}` is not written yet."
    return _markdown(_docstring(path))


def filter_columns_block() -> str:
    """The columns of the filter language by what they hold."""
    names: dict[ValueType, list[str]] = {}
    for column, kind in COLUMNS.items():
        names.setdefault(kind, []).append(f"`{column}`")
    rows = [f"| {', '.join(columns)} | {kind} |" for kind, columns in names.items()]
    return "\n".join(["| Column | Holds |", "| --- | --- |", *rows])


# ---------------------------------------------------------------- the API of azureml.core


def migration_block(wanted: Callable[[Row], bool], head: str) -> str:
    """Names of the API with what is said of them; those of which the same is said in one row."""
    names: dict[str, list[str]] = {}
    for row in ROWS.values():
        if wanted(row):
            names.setdefault(row.note, []).append(f"`{row.name}`")
    rows = [f"| {', '.join(found)} | {_cell(note)} |" for note, found in names.items()]
    return "\n".join([f"| Name | {head} |", "| --- | --- |", *rows])


def migration_same_block() -> str:
    """What works as it was: classes and their members."""
    members: dict[str, list[str]] = {}
    for row in ROWS.values():
        owner, _, member = row.name.rpartition(".")
        if row.support is Support.YES and not row.note and owner in ROWS:
            members.setdefault(owner, []).append(f"`{member}`")
    rows = [f"| `{owner}` | {', '.join(sorted(found))} |" for owner, found in members.items()]
    return "\n".join(["| Class | Members |", "| --- | --- |", *rows])


BLOCKS: Final[dict[str, Callable[[], str]]] = {
    "layers": layers_block,
    "journal-records": lambda: docstring_block(PACKAGE / "metrics" / "slots.py"),
    "chunks": lambda: docstring_block(PACKAGE / "metrics" / "chunks.py"),
    "overviews": lambda: docstring_block(PACKAGE / "metrics" / "overviews.py"),
    "filter-columns": filter_columns_block,
    "migration-same": migration_same_block,
    "migration-better": lambda: migration_block(
        lambda row: row.support is Support.YES and bool(row.note), "How"
    ),
    "migration-differs": lambda: migration_block(lambda row: row.support is Support.PARTLY, "How"),
    "migration-absent": lambda: migration_block(
        lambda row: row.support is Support.NO, "What to do instead"
    ),
    "run-folder": lambda: docstring_block(PACKAGE / "engines" / "folder.py"),
}


def _filled(block: re.Match[str]) -> str:
    return f"{block['begin']}\n{BLOCKS[block['name']]()}\n\n{block['end']}"


def _docstring(path: Path) -> str:
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""


def _first_line(docstring: str | None) -> str:
    return _markdown((docstring or "").partition("\n")[0]).replace("|", "\\|")


def _markdown(docstring: str) -> str:
    text = _TABLE.sub(_markdown_table, docstring)
    return re.sub(r"::$", ":", text, flags=re.MULTILINE).replace("``", "`")


def _markdown_table(table: re.Match[str]) -> str:
    starts = [column.start() for column in re.finditer("=+", table["rule"])]
    ends = [*starts[1:], None]
    lines = [table["head"], *table["rows"].splitlines()]
    head, *rows = [
        [line[start:end].strip() for start, end in zip(starts, ends, strict=True)] for line in lines
    ]
    rule = ["---"] * len(starts)
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, rule, *rows])


def main(arguments: list[str]) -> int:
    """Write what changed, or with ``--check`` only name it."""
    stale = [
        (path, text)
        for path, text in pages()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    if "--check" in arguments:
        for path, _ in stale:
            sys.stderr.write(f"{path.relative_to(ROOT)} is not what the code says: run make docs\n")
        return 1 if stale else 0
    for path, text in stale:
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{path.relative_to(ROOT)} written\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
