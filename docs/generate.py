"""Make the pages and blocks under docs/ that come from the code. Run by ``make docs``.

``settings.md`` and ``errors.md`` are made whole. In other pages the lines between
``<!-- made: NAME -->`` and ``<!-- end -->`` are. With ``--check`` nothing is written, and the exit
status is 1 where something would change.
"""

import ast
import inspect
import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from headway.errors import ERROR_CODES
from headway.settings import SETTINGS, Setting

ROOT: Final = Path(__file__).resolve().parent.parent
DOCS: Final = ROOT / "docs"
PACKAGE: Final = ROOT / "src" / "headway"
_NOTE: Final = "<!-- Made by `make docs` from {source}. Edit that instead. -->"
_BLOCK: Final = re.compile(
    r"(?P<begin><!-- made: (?P<name>\S+) -->\n).*?(?P<end><!-- end -->)", re.DOTALL
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
    for path in sorted(DOCS.glob("*.md")):
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


BLOCKS: Final[dict[str, Callable[[], str]]] = {
    "layers": layers_block,
    "journal-records": lambda: docstring_block(PACKAGE / "metrics" / "slots.py"),
    "chunks": lambda: docstring_block(PACKAGE / "metrics" / "chunks.py"),
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
