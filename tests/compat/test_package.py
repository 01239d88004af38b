"""The package ``azureml`` is what Headway's table of the API says, and mixes with nothing."""

import importlib
import inspect
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any, Final, cast

import pytest

import azureml.core
import headway
from azureml._restclient.constants import RunStatus
from azureml.core import Experiment, Run, Webservice, Workspace
from azureml.core.compute import AksCompute
from azureml.core.run import RUNNING_STATES
from azureml.core.run import Run as RunOfModule
from azureml.core.run import _OfflineRun as OfflineRun  # pyright: ignore[reportPrivateUsage]
from azureml.core.run import _SubmittedRun as SubmittedRun  # pyright: ignore[reportPrivateUsage]
from headway.errors import UnsupportedError
from headway.migration.assets import ASSETS
from headway.migration.modules import UNSUPPORTED_MODULES
from headway.migration.runs import RUNS
from headway.migration.table import EXPORTS, ROWS, Support

ROOT: Final = Path(__file__).resolve().parents[2]
COMPAT: Final = ROOT / "compat" / "azureml"
SOURCES: Final = sorted((COMPAT / "src").rglob("*.py"))
WORKING: Final = {Support.YES, Support.PARTLY}
CLASSES: Final = {
    key: getattr(importlib.import_module(module), name)
    for module, names in EXPORTS.items()
    for name, key in names.items()
    if ROWS[key].support in WORKING
}
MEMBERS: Final = [
    (known.name, member)
    for known in (*RUNS, *ASSETS)
    for member in (*known.supported.split(), *known.better, *known.partly)
]


def module_name(path: Path) -> str:
    name = path.relative_to(COMPAT / "src").with_suffix("").as_posix().replace("/", ".")
    return name.removesuffix(".__init__")


def private(module: str) -> bool:
    return module.rpartition(".")[2].startswith("_")


def python(
    program: str, *more: Path, code: int = 0, folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Execute a program with more folders to import from."""
    path = os.pathsep.join(map(str, more))
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert done.returncode == code, done.stderr
    return done


# ---------------------------------------------------------------- what is there


@pytest.mark.parametrize("module", sorted(EXPORTS))
def test_a_module_exports_what_the_table_says(module: str) -> None:
    found = importlib.import_module(module)
    for name, key in EXPORTS[module].items():
        value = getattr(found, name)
        absent = type(value).__name__ == "Absent"
        assert absent == (ROWS[key].support is Support.NO), name


def test_the_table_leaves_no_module_out() -> None:
    public = {name for path in SOURCES if not private(name := module_name(path))}
    assert public == {*EXPORTS, *UNSUPPORTED_MODULES} & public
    assert set(EXPORTS) <= public


@pytest.mark.parametrize(("known", "member"), MEMBERS, ids=lambda text: text)
def test_a_member_that_the_table_promises_is_there(known: str, member: str) -> None:
    cls = CLASSES.get(known)
    assert cls is not None, f"no module exports {known}"
    here = [cls, *SAME_ROW.get(known, [])]
    assert any(has(one, member) for one in here), f"{known}.{member} is promised by the table"


def has(cls: Any, member: str) -> bool:
    if hasattr(cls, member):
        return True
    bases = [base for base in inspect.getmro(cls) if base.__module__.startswith("headway.")]
    return any(re.search(rf"\bself\.{member}\b[^(]", inspect.getsource(base)) for base in bases)


def same_row() -> dict[str, list[Any]]:
    """Classes that share a row: tables and files are both datasets."""
    found: dict[str, list[Any]] = {}
    for module, names in EXPORTS.items():
        for name, key in names.items():
            if ROWS[key].support in WORKING:
                found.setdefault(key, []).append(getattr(importlib.import_module(module), name))
    return found


SAME_ROW: Final = same_row()


def test_what_is_not_supported_comes_with_what_to_do_instead() -> None:
    for row in ROWS.values():
        assert bool(row.note) or row.support is Support.YES, row.name
        assert not row.note.endswith("."), row.name


def test_the_classes_are_those_of_headway() -> None:
    assert Run is RunOfModule is headway.Run
    assert Experiment is headway.Experiment
    assert Workspace is headway.Workspace
    assert issubclass(OfflineRun, Run)
    assert issubclass(SubmittedRun, Run)


def test_the_version_is_that_of_the_api_followed_by_that_of_headway() -> None:
    version = azureml.core.VERSION
    assert version == azureml.core.__version__ == f"1.61.0+headway.{headway.__version__}"
    assert {"VERSION", "Workspace", "get_run"} <= set(dir(azureml.core))
    with pytest.raises(AttributeError, match="no attribute 'Wokspace'"):
        getattr(azureml.core, "Wokspace")  # noqa: B009  (the type checker knows the names)


def test_statuses_compare_with_those_of_a_run() -> None:
    assert RunStatus.COMPLETED == headway.Status.COMPLETED == "Completed"
    assert len(RunStatus.list()) == 15
    assert set(RunStatus.list()) - set(RUNNING_STATES) == {
        "Completed",
        "Failed",
        "Canceled",
        "CancelRequested",
        "Finalizing",
    }
    assert all(type(word) is str for word in RunStatus.list())


# ---------------------------------------------------------------- what is not there


def test_a_name_that_is_not_there_says_what_to_do_when_it_is_used() -> None:
    with pytest.raises(UnsupportedError, match=r"Webservice.*model\.download"):
        Webservice("ws", "name")
    with pytest.raises(UnsupportedError, match=r"provisioning_configuration is not there.*'local'"):
        AksCompute.provisioning_configuration(vm_size="STANDARD_D2_V2")
    with pytest.raises(UnsupportedError, match="made from Webservice"):
        type("Mine", Webservice.__mro_entries__(()), {})
    assert not isinstance(object(), cast("Any", Webservice))
    assert "not there on Headway" in repr(Webservice)
    assert not hasattr(Webservice, "__wrapped__")


@pytest.mark.parametrize(
    "module",
    ["azureml.pipeline.core", "azureml.train.hyperdrive", "azureml.opendatasets"],
)
def test_a_module_that_is_not_there_says_what_to_do_when_it_is_imported(module: str) -> None:
    with pytest.raises(ImportError, match="is not there on Headway: ") as caught:
        importlib.import_module(module)
    assert isinstance(caught.value, UnsupportedError)


def test_logins_are_ignored_with_one_note() -> None:
    program = (
        "import warnings; warnings.simplefilter('always')\n"
        "from azureml.core.authentication import *\n"
        "InteractiveLoginAuthentication(tenant_id='t')\n"
        "auth = ServicePrincipalAuthentication('t', 'id', service_principal_password='secret')\n"
        "assert 'secret' not in str(vars(auth))\n"
        "try: auth.get_authentication_header()\n"
        "except Exception as error: print(error)"
    )
    done = python(program)
    assert done.stderr.count("Headway asks for no login") == 1
    assert "azure-identity" in done.stdout


# ---------------------------------------------------------------- beside others


def test_beside_the_original_it_refuses_to_be_imported(tmp_path: Path) -> None:
    information = tmp_path / "azureml_core-1.61.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: azureml-core\nVersion: 1.61.0\n"
    )
    said = python("import azureml.core", tmp_path, code=1).stderr.splitlines()[-1]
    assert said.startswith("ImportError: azureml-core 1.61.0 is installed")
    assert "pip uninstall azureml-core" in said


@pytest.mark.parametrize(
    "init", [None, "__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n"]
)
def test_other_distributions_can_add_to_the_package(tmp_path: Path, init: str | None) -> None:
    other = tmp_path / "azureml"
    other.mkdir()
    (other / "another.py").write_text("there = True")
    if init:
        (other / "__init__.py").write_text(init)
    python("import azureml.another, azureml.core.run; assert azureml.another.there", tmp_path)


def test_importing_it_loads_nothing_heavy() -> None:
    loaded = python("import azureml.core, sys; print(*sys.modules)").stdout.split()
    assert not {name for name in loaded if name.startswith("headway")}
    loaded = python("import azureml.core.run, azureml.exceptions, sys; print(*sys.modules)").stdout
    assert not {"numpy", "pandas", "apsw", "click"} & set(loaded.split())


# ---------------------------------------------------------------- the distribution


def test_both_distributions_have_one_version() -> None:
    ours, theirs = (
        tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]
        for folder in (ROOT, COMPAT)
    )
    assert theirs["version"] == ours["version"]
    assert theirs["dependencies"] == [f"headway=={ours['version']}"]
    assert (COMPAT / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_a_wheel_can_be_built(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", str(tmp_path), str(COMPAT)], check=True)
    [wheel] = tmp_path.glob("headway_azureml-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {"azureml/core/__init__.py", "azureml/core/py.typed", "azureml/exceptions.py"} <= names
    assert "azureml/__init__.py" not in names, "others could not add to the package"
