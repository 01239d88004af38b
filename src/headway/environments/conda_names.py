"""conda packages that pip knows by a name, for machines without conda."""

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from headway.environments.conda_file import split_dependency
from headway.environments.programs import CONDA_PROGRAMS
from headway.errors import InvalidValueError
from headway.model import EnvironmentSpec

_SAME: Final = (
    "accelerate altair beautifulsoup4 bokeh boto3 catboost category_encoders click cloudpickle "
    "cython dask datasets distributed fastapi fastparquet flask fsspec gensim h5py "
    "imbalanced-learn interpret ipykernel ipython ipywidgets jinja2 joblib jsonschema jupyter "
    "jupyterlab keras lightgbm lime lxml matplotlib mlxtend nbconvert networkx nltk notebook "
    "numba numpy openpyxl optuna packaging pandas patsy pillow plotly polars prophet protobuf "
    "psutil pyarrow pydantic pytest python-dateutil python-dotenv pytorch-lightning pytz pyyaml "
    "requests s3fs scikit-image scikit-learn scipy seaborn sentence-transformers setuptools "
    "shap six spacy sqlalchemy statsmodels sympy tensorboard tensorflow textblob "
    "tokenizers torchmetrics torchvision tqdm transformers ujson urllib3 wheel xgboost xlrd"
)
"""Names that are those of the same project to conda and to pip."""
_SAME_NAMES: Final = frozenset(_SAME.split())

_RENAMED: Final = {
    "dask-core": "dask",
    "matplotlib-base": "matplotlib",
    "msgpack-python": "msgpack",
    "py-xgboost": "xgboost",
    "pytables": "tables",
    "pytorch": "torch",
}
"""What pip calls the projects that conda calls otherwise."""

_CLAUSE: Final = re.compile(r"(?:==|!=|<=|>=|~=|<|>)\d[\w.*+!]*")
_VERSION: Final = re.compile(r"\d[\w.+!]*?(?P<any>\.?\*)?")


def by_pip(spec: EnvironmentSpec) -> EnvironmentSpec:
    """The same environment with pip's packages in place of conda's.

    Raises:
        InvalidValueError: pip does not know all of them, which are named.
    """
    requirements = {one: _requirement(one) for one in spec.conda_dependencies}
    unknown = [package for package, known in requirements.items() if known is None]
    if unknown:
        raise InvalidValueError(needs_conda(unknown))
    known = [one for one in requirements.values() if one is not None]
    return msgspec.structs.replace(
        spec, conda_dependencies=[], pip_requirements=[*known, *spec.pip_requirements]
    )


def needs_conda(packages: Sequence[str]) -> str:
    """What is said where there is no conda."""
    return (
        f"the conda packages {', '.join(packages)} need {', '.join(CONDA_PROGRAMS[:-1])} or "
        f"{CONDA_PROGRAMS[-1]}, and none of them is on the PATH: move the packages to the pip "
        "list, under the names that pip knows them by, or install micromamba"
    )


def _requirement(dependency: str) -> str | None:
    try:
        package, version = split_dependency(dependency, "conda packages")
    except InvalidValueError:
        return None
    name = package if package in _SAME_NAMES else _RENAMED.get(package)
    wanted = _wanted(version)
    return None if name is None or wanted is None else name + wanted


def _wanted(version: str) -> str | None:
    """What conda's way of naming a version is in pip's; None where there is no such thing."""
    text = re.sub(r"\s*([=<>!~,])\s*", r"\1", version).strip()
    if text in {"", "*"}:
        return ""
    if re.match(r"==?\d", text) and "," not in text:
        # =1.2 stands for all of 1.2, ==1.2 for itself; a build may come behind either
        exact, text = text.startswith("=="), text.lstrip("=").split("=")[0]
        return _one(text, exact=exact)
    if text[0].isdigit():
        return _one(text.split()[0], exact=True)
    clauses = text.split(",")
    return text if all(_CLAUSE.fullmatch(clause) for clause in clauses) else None


def _one(version: str, *, exact: bool) -> str | None:
    found = _VERSION.fullmatch(version)
    if found is None:
        return None
    plain = version.removesuffix(found["any"] or "")
    return f"=={plain}" if exact and not found["any"] else f"=={plain}.*"
