"""What of the API a program is found to use."""

import ast

import pytest

from headway.migration.expressions import Use
from headway.migration.flow import uses_of
from headway.migration.sources import Source, parsed
from headway.migration.table import Support

IMPORTS = "from azureml.core import Workspace, Experiment, Run, ScriptRunConfig\n"


def uses(program: str) -> list[Use]:
    return uses_of(Source("a.py", parsed(program)))


def names(program: str) -> set[str]:
    """The members that a program uses, what it imports left out."""
    return {use.row.name for use in uses(IMPORTS + program) if "." in use.row.name}


@pytest.mark.parametrize(
    "program",
    [
        "run = Run.get_context()\nrun.log('a', 1)",
        "run: Run = anything()\nrun.log('a', 1)",
        "with Run.get_context() as run:\n    run.log('a', 1)",
        "(run := Run.get_context()).log('a', 1)",
        "run = None\nrun = run or Run.get_context()\nrun.log('a', 1)",
        "run = Run.get_context() if True else None\nrun.log('a', 1)",
        "def f(r: Run): r.log('a', 1)",
        "def f(r: 'Run | None' = None): r.log('a', 1)",
        "from typing import Optional\ndef f(r: Optional[Run]): r.log('a', 1)",
        "def f(): return Run.get_context()\nf().log('a', 1)",
        "def f() -> Run: ...\nf().log('a', 1)",
        "f().log('a', 1)\ndef f(): return Run.get_context()",
        "class A:\n  def __init__(self): self.run = Run.get_context()\n"
        "  def go(self): self.run.log('a', 1)",
        "class A:\n  def go(self): self.get().log('a', 1)\n"
        "  def get(self): return Run.get_context()",
        "exp = Experiment(Workspace.from_config(), 'e')\nexp.submit(1).log('a', 1)",
        "for r in Workspace.from_config().experiments['e'].get_runs(): r.log('a', 1)",
        "for i, r in enumerate(Experiment(w, 'e').get_runs()): r.log('a', 1)",
        "for name, e in Workspace.from_config().experiments.items(): e.start_logging().log('a', 1)",
        "[r.log('a', 1) for r in Experiment(w, 'e').get_runs()]",
        "next(Experiment(w, 'e').get_runs()).log('a', 1)",
        "list(Experiment(w, 'e').get_runs())[0].log('a', 1)",
        "a, b = Run.get_context().create_children(2)\na.log('a', 1)",
        "Run.get_context().parent.log('a', 1)",
        "runs = [Run.get_context()]\nruns[0].log('a', 1)",
        "import azureml.core\nazureml.core.Run.get_context().log('a', 1)",
        "import azureml.core as aml\naml.run.Run.get_context().log('a', 1)",
        "from azureml import core\ncore.Run.get_context().log('a', 1)",
        "from azureml.core.run import *\nget_run(e, 'id').log('a', 1)",
        "from azureml.core.run import Run as R\nR.get_context().log('a', 1)",
        "f = lambda: Run.get_context().log('a', 1)",
        "async def f():\n    (await g(Run.get_context().log('a', 1)))",
        "print(f'{Run.get_context().log}')",
        "try:\n    r = Run.get_context()\nexcept E:\n    r.log('a', 1)",
    ],
)
def test_what_a_name_holds_is_followed(program: str) -> None:
    assert "Run.log" in names(program)


@pytest.mark.parametrize(
    "program",
    [
        "import subprocess\nsubprocess.run('x').log",
        "run = subprocess.run('x')\nrun.log('a', 1)",
        "def f(other): other.log('a', 1)",
        "from mlflow import run\nrun.log('a', 1)",
        "run = Run.get_context()\nrun = 3\nrun.log('a', 1)",
    ],
)
def test_what_is_something_else_is_left_alone(program: str) -> None:
    assert "Run.log" not in names(program)


def test_a_parameter_with_a_usual_name_is_taken_for_what_it_says() -> None:
    [use] = [use for use in uses(f"{IMPORTS}def f(run): run.log('a', 1)") if "." in use.row.name]
    assert use.guessed
    assert not names("def f(run): run.whatever()"), "nothing is made of what is not known"


def test_a_place_is_the_line_of_the_use() -> None:
    found = uses("import azureml.core\n\nx = azureml.core.Workspace.get(\n  name='n')\n")
    assert [(use.row.name, use.where) for use in found] == [
        ("Workspace", "a.py:3"),
        ("Workspace.get", "a.py:3"),
    ]


def test_what_is_not_supported_says_what_instead() -> None:
    program = (
        "from azureml.core.webservice import AciWebservice\n"
        "from azureml.train.hyperdrive import HyperDriveConfig\n"
        "from azureml.core import Webservice\n"
        "import azureml.pipeline.core\n"
        "from azureml.train import automl\n"
        "from azureml.core import nonsense\n"
        "import azureml.nonsense\n"
    )
    found = {use.row.name: use.row for use in uses(program)}
    assert set(found) == {
        "AciWebservice",
        "azureml.train.hyperdrive.HyperDriveConfig",
        "Webservice",
        "azureml.pipeline.core",
        "azureml.train.automl",
        "azureml.core.nonsense",
        "azureml.nonsense",
    }
    assert all(row.support is Support.NO and row.note for row in found.values())


def test_members_that_there_are_not_are_named() -> None:
    found = names(
        "ws = Workspace.from_config()\nws.sync_keys\nws._auth\nws.nonsense()\nws.__class__"
    )
    assert found == {
        "Workspace.from_config",
        "Workspace.sync_keys",
        "Workspace._auth",
        "Workspace.nonsense",
    }


def test_of_an_import_of_everything_what_is_used_counts() -> None:
    program = (
        "from azureml.core import *\n"
        "from azureml.core.compute import *\n"
        "ws = Workspace.from_config()\n"
        "ContainerRegistry = 3\n"
        "print(ContainerRegistry)\n"
        "config = AmlCompute.provisioning_configuration()\n"
    )
    found = [(use.row.name, use.where, use.row.support) for use in uses(program)]
    assert found == [
        ("Workspace", "a.py:3", Support.YES),
        ("Workspace.from_config", "a.py:3", Support.YES),
        ("AmlCompute", "a.py:6", Support.YES),
        ("AmlCompute.provisioning_configuration", "a.py:6", Support.PARTLY),
    ]
    [absent] = uses("from azureml.train.hyperdrive import *")
    assert (absent.row.name, absent.row.support) == ("azureml.train.hyperdrive", Support.NO)


def test_an_argument_that_is_ignored_is_named() -> None:
    [*_, use] = uses(f"{IMPORTS}ScriptRunConfig('.', script='a.py', docker_runtime_config=x)")
    assert use.row.name == "ScriptRunConfig(docker_runtime_config=...)"
    assert use.row.support is Support.PARTLY


def test_a_compute_target_other_than_this_machine_is_named() -> None:
    program = (
        f"{IMPORTS}from azureml.core.compute import ComputeTarget\n"
        "ScriptRunConfig('.', 'a.py', compute_target='local')\n"
        "ScriptRunConfig('.', 'a.py', compute_target='gpu-cluster')\n"
        "ComputeTarget(ws, 'gpu-cluster')\n"
    )
    differing = {use.row.name: use.where for use in uses(program) if use.row.note}
    assert differing == {
        "ScriptRunConfig(compute_target=...)": "a.py:4",
        "ComputeTarget(...)": "a.py:5",
    }


def test_an_argument_that_is_not_supported_is_named() -> None:
    found = uses(f"{IMPORTS}ScriptRunConfig('.', script='a.py',\n  resume_from=x)")
    [use] = [use for use in found if "resume_from" in use.row.name]
    assert (use.row.support, use.where) == (Support.NO, "a.py:3")


def test_attributes_of_a_configuration_are_noted_when_they_are_set() -> None:
    program = (
        "from azureml.core.runconfig import RunConfiguration\n"
        "rc = RunConfiguration()\nrc.spark = 1\nrc.environment.python.interpreter_path = 'p'\n"
    )
    assert names(program) >= {
        "RunConfiguration.spark",
        "RunConfiguration.environment",
        "Environment.python",
        "PythonSection.interpreter_path",
    }


def test_every_kind_of_statement_is_looked_into() -> None:
    inside = "Run.get_context()"
    program = f"""
while {inside}: break
if x: pass
else: {inside}
match {inside}:
    case 1: {inside}
try: {inside}
finally: {inside}
x = {{1: {inside}, **{inside}}}
x[{inside}] += {inside}
del x[{inside}]
assert {inside}, {inside}
@f({inside})
class A({inside}):
    x = {inside}
def f(a={inside}, *, b={inside}):
    yield {inside}
    return {inside}
x = {{k: v for k, v in {inside} if {inside}}}
x = {{k for k in {inside}}}
x = (k for k in {inside})
lambda: {inside}
x = {inside} if {inside} else {inside}
x = a and {inside}
x = f(*{inside}, k={inside})
x = [{inside}, *{inside}]
x = a[{inside}:{inside}]
raise {inside} from {inside}
"""
    lines = {use.where for use in uses(IMPORTS + program) if use.row.name == "Run.get_context"}
    wanted = {
        f"a.py:{number}"
        for number, line in enumerate((IMPORTS + program).splitlines(), 1)
        if inside in line
    }
    assert lines == wanted
    assert ast.parse(program)
