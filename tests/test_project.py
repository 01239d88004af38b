"""What keeps the project readable and its documentation true, held by machine."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest

import headway.errors

ROOT: Final = Path(__file__).resolve().parent.parent
PACKAGE: Final = ROOT / "src" / "headway"
SOURCES: Final = sorted(PACKAGE.rglob("*.py"))
PAGES: Final = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
PROJECT: Final[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))

MOST_LINES_OF_A_FILE: Final = 500
MOST_LINES_OF_A_FUNCTION: Final = 60
MOST_PUBLIC_METHODS: Final = 20
GIVEN_BY_THE_MATCHED_API: Final = ("Run", "Workspace")  # and the parts that they are made of
REFUSED_NAMES: Final = {"utils", "helpers", "common", "manager", "core"}

# The only modules that may import a third-party package. msgspec is the language of all of them,
# and the contract suites look at all that they hold others to.
OWNERS: Final[dict[str, set[str]]] = {
    "apsw": {"store"},
    "blake3": {"files", "snapshots"},
    "click": {"cli"},
    "fsspec": {"data"},
    "msgspec": set(),
    "numpy": {"examples", "metrics", "service"},
    "pcodec": {"metrics"},
    "platformdirs": {"settings"},
    "plotext": {"cli"},
    "pyyaml": {"environments"},
    "rich": {"cli"},
    "tsdownsample": {"metrics"},
    "urllib3": {"client"},
    "uv": {"environments"},
    "yaml": {"environments"},  # as pyyaml is imported
    # Of the extra `server`.
    "h11": {"server"},
    "obstore": {"files"},
    "prometheus_client": {"server"},
    "psycopg": {"store"},
    "psycopg_pool": {"store"},
    "starlette": {"server"},
    "uvicorn": {"server"},
    # Of the extra `testing`: the contract suites are shipped, and run by whoever writes a backend.
    "hypothesis": {"testing"},
    "pytest": {"testing"},
}
ANYWHERE: Final = {"msgspec"}

# What must work when everything else is broken, whatever it reaches included.
BARE: Final = {
    "headway.runner.shim",
    "headway.runner.dispatcher",
    "headway.engines.folder",
    "headway.engines.processes",
}
BARE_MAY_REACH: Final = {
    "headway",
    "headway.errors",
    "headway.locks",
    "headway.engines",
    "headway.runner",
}


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def for_type_checkers_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def imports(path: Path) -> set[str]:
    """Every module that a file imports when it runs, wherever in it the import stands."""
    found: set[str] = set()
    waiting: list[ast.AST] = [ast.parse(path.read_text("utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            named = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {node.module} | {name for name in named if module_path(name).exists()}
        elif not for_type_checkers_only(node):
            waiting += ast.iter_child_nodes(node)
    return found


def module_path(name: str) -> Path:
    path = PACKAGE.parent / name.replace(".", "/")
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


source = pytest.mark.parametrize("path", SOURCES, ids=relative)
page = pytest.mark.parametrize("path", PAGES, ids=relative)


# ---------------------------------------------------------------- sizes and names


@source
def test_a_file_can_be_read_in_one_sitting(path: Path) -> None:
    lines = path.read_text("utf-8").count("\n")
    assert lines <= MOST_LINES_OF_A_FILE


@source
def test_functions_and_classes_stay_small(path: Path) -> None:
    in_sdk = path.is_relative_to(PACKAGE / "sdk")
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            assert lines <= MOST_LINES_OF_A_FUNCTION, f"{node.name} has {lines} lines"
        elif isinstance(node, ast.ClassDef) and not (
            in_sdk and node.name.startswith(GIVEN_BY_THE_MATCHED_API)
        ):
            public = public_methods(node)
            assert len(public) <= MOST_PUBLIC_METHODS, f"{node.name} has {len(public)}: {public}"


def public_methods(node: ast.ClassDef) -> set[str]:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    names = {child.name for child in node.body if isinstance(child, functions)}
    return {name for name in names if not name.startswith(("_", "test_"))}


@source
def test_a_module_is_named_for_what_it_holds(path: Path) -> None:
    assert not REFUSED_NAMES & set(module_name(path).replace("_", ".").split("."))


# ---------------------------------------------------------------- imports


@source
def test_third_party_packages_stay_where_they_belong(path: Path) -> None:
    top = [*module_name(path).split("."), ""][1]
    for imported in imports(path):
        package = imported.partition(".")[0]
        if package in sys.stdlib_module_names or package == "headway":
            continue
        assert package in OWNERS, f"{imported} is no dependency in pyproject.toml"
        if package not in ANYWHERE and top != "testing":
            assert top in OWNERS[package], f"{imported} belongs in {sorted(OWNERS[package])}"


@pytest.mark.parametrize("module", sorted(BARE))
def test_what_must_not_fail_needs_the_standard_library_alone(module: str) -> None:
    if not module_path(module).exists():
        pytest.skip(f"{module} is not written yet")
    reached: set[str] = set()
    waiting = {module}
    while waiting:
        name = waiting.pop()
        reached.add(name)
        parents = {name.rpartition(".")[0]} - {""}
        for imported in imports(module_path(name)) | parents:
            if imported.partition(".")[0] == "headway":
                assert ".".join(imported.split(".")[:2]) in BARE_MAY_REACH, f"{name}: {imported}"
                waiting |= {imported} - reached
            else:
                assert imported.partition(".")[0] in sys.stdlib_module_names, f"{name}: {imported}"


def test_the_code_under_test_is_that_of_this_checkout() -> None:
    assert Path(headway.errors.__file__).parent == PACKAGE, "run: make clean test"


# ---------------------------------------------------------------- dependencies


def declared(requirements: list[Any]) -> set[str]:
    """Names in a list of requirements, those of the groups it includes among them."""
    names: set[str] = set()
    for requirement in requirements:
        if isinstance(requirement, str):
            names.add(re.split(r"[^\w-]", requirement, maxsplit=1)[0])
        else:
            names |= declared(PROJECT["dependency-groups"][requirement["include-group"]])
    return names


@pytest.mark.parametrize(("file", "group"), [("runtime.txt", "build"), ("dev.txt", "dev")])
def test_everything_declared_is_pinned_with_a_hash(file: str, group: str) -> None:
    text = (ROOT / "requirements" / file).read_text("utf-8")
    pins = {
        pin[1]: pin[2]
        for pin in re.finditer(r"^([\w-]+)==\S+(.*(?:\n    .*)*)", text, re.MULTILINE)
    }
    wanted = declared([*PROJECT["project"]["dependencies"], {"include-group": group}])
    assert wanted <= set(pins), "run: make lock"
    assert all("--hash=sha256:" in rest for rest in pins.values())


def test_both_requirements_files_pin_the_same_versions() -> None:
    runtime, dev = (
        set(re.findall(r"^([\w-]+==[\w.]+)", text, re.MULTILINE))
        for text in (
            (ROOT / "requirements" / name).read_text("utf-8") for name in ("runtime.txt", "dev.txt")
        )
    )
    assert runtime <= dev


def test_the_table_of_dependencies_is_that_of_the_project() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    table = text.partition("## Dependencies")[2].partition("\n## ")[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in table.splitlines()
        if re.match(r"\| \w+ \d", line)
    ]
    pins = (ROOT / "requirements" / "runtime.txt").read_text("utf-8")
    assert {row[0].split()[0] for row in rows} == declared(PROJECT["project"]["dependencies"])
    for row in rows:
        name, version = row[0].split()
        assert f"\n{name}=={version} " in f"\n{pins}", f"{name} has another version by now"
        assert name in ANYWHERE or set(re.findall(r"`(\w+)`", row[3])) == OWNERS[name]


def project_files() -> list[Path]:
    """What is tracked, and what would be if it were added."""
    if not (ROOT / ".git").exists():
        pytest.skip("this is no git checkout")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def test_no_file_names_where_packages_come_from() -> None:
    registry = re.compile(rb"https?://[a-z0-9.-]*(pypi|pythonhosted|npmjs|debian)")
    files = project_files()
    assert not [relative(path) for path in files if registry.search(path.read_bytes())]
    assert ROOT / "uv.lock" not in files


# ---------------------------------------------------------------- documentation that cannot lie


def prose(path: Path) -> str:
    """A page without its code blocks."""
    return re.sub(r"^```.*?^```$", "", path.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)


def anchors(path: Path) -> set[str]:
    """The names that headings get, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", prose(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@page
def test_links_between_pages_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(path)):
        if re.match(r"\w+:", target):
            continue
        file, _, anchor = target.partition("#")
        linked = (path.parent / file).resolve() if file else path
        assert linked.exists(), f"{target} does not exist"
        assert not anchor or anchor in anchors(linked), f"{target} names no heading"


@page
def test_paths_that_a_page_names_exist(path: Path) -> None:
    folders = "src|tests|docs|benchmarks|examples|requirements|compat|[.]ci"
    for named in re.findall(rf"`((?:{folders})/[^`\s]*)`", prose(path)):
        if "<" not in named and "{" not in named:
            assert list(ROOT.glob(named.rstrip("/"))), f"{named} does not exist"


@page
def test_commands_that_a_page_names_exist(path: Path) -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = re.findall(r"(?:^|`)make (\w+)", path.read_text("utf-8"), re.MULTILINE)
    assert set(named) <= targets


def test_generated_pages_are_what_the_code_says() -> None:
    made = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "generate.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
