"""Headway made importable in environments that it is not installed in.

    <folder>/<key>/way/headway.py    on the path of the program: checks the Python, then steps aside
    <folder>/<key>/way/azureml       the package of headway-azureml, where that is installed
    <folder>/<key>/links/            Headway, and the few packages that logging needs

The links come behind everything that the environment has itself, and only once Headway is
imported: no package of the submitter takes the place of one that the user asked for.
"""

import hashlib
import json
import secrets
import shutil
import sys
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from headway.environments.writing import storage_errors

# Neither numpy nor pcodec: points that were logged are taken into the workspace by a reader.
_MODULES: Final = ("headway", "msgspec", "apsw", "blake3", "platformdirs", "typing_extensions")

# Runs in the user's program, before its Python is known to be one that Headway can run in.
_PROGRAM: Final = """\
\"\"\"Leads to the Headway that started this run. Written by it.\"\"\"
import sys
if (sys.implementation.name, sys.version_info[:2]) != ({implementation!r}, {version!r}):
    raise ImportError(
        "headway cannot be imported here: this is Python %d.%d, and the run was submitted from "
        "Python {version[0]}.{version[1]}; add headway to the requirements of the environment, "
        "or ask for Python {version[0]}.{version[1]}" % sys.version_info[:2])
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
if {links!r} not in sys.path:
    sys.path.append({links!r})
_spec = PathFinder.find_spec("headway", [{links!r}])
if _spec is None or _spec.loader is None:
    raise ImportError("headway was removed from the Python that submitted this run")
_module = module_from_spec(_spec)
sys.modules["headway"] = _module
_spec.loader.exec_module(_module)
"""


def way_to_headway(folder: Path) -> Path:
    """The folder to put on a program's path, made once for this Python and this Headway.

    Raises:
        StorageError: It cannot be made.
    """
    links = _links()
    azureml = _azureml()
    version = tuple(sys.version_info[:2])
    asked = [_PROGRAM, sys.implementation.name, version, sorted(links.items()), azureml]
    key = hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:24]
    made = folder.absolute() / key
    if made.is_dir():
        return made / "way"
    program = _PROGRAM.format(
        implementation=sys.implementation.name, version=version, links=str(made / "links")
    )
    with storage_errors(folder):
        part = folder / f".part-{secrets.token_hex(8)}"
        (part / "links").mkdir(parents=True)
        (part / "way").mkdir()
        (part / "way" / "headway.py").write_text(program, encoding="utf-8")
        if azureml is not None:
            (part / "way" / "azureml").symlink_to(azureml)
        for name, target in links.items():
            (part / "links" / name).symlink_to(target)
        try:
            part.rename(made)
        except OSError:
            shutil.rmtree(part)
            if not made.is_dir():  # else another made it meanwhile
                raise
    return made / "way"


def _azureml() -> str | None:
    """Where the package ``azureml`` of headway-azureml is.

    It has no ``__init__.py``, so it adds to a package of that name rather than taking its place.
    """
    spec = find_spec("azureml")
    for folder in (spec and spec.submodule_search_locations) or ():
        if Path(folder, "core", "_absent.py").exists():  # not in the original
            return str(Path(folder).absolute())
    return None


def _links() -> dict[str, str]:
    """What is linked to, by the name that it has in the folder of links."""
    found: dict[str, str] = {}
    for module in _MODULES:
        spec = find_spec(module)
        if spec is None or spec.origin is None:
            continue  # the first import that misses it says so
        origin = Path(spec.origin).absolute()
        target = origin.parent if spec.submodule_search_locations else origin
        found[target.name] = str(target)
    try:
        record = metadata.distribution("headway")
    except metadata.PackageNotFoundError:
        return found
    for path in Path(str(record.locate_file(""))).glob("headway-*.dist-info"):
        found[path.name] = str(path)  # what headway.__version__ is read from
    return found
