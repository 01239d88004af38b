"""Scripts and notebooks as people have them: found, read, and never a reason to fall over."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import hypothesis.strategies as st
import pytest
from hypothesis import given

from headway.errors import InvalidValueError, NotFoundError
from headway.migration import sources
from headway.migration.magics import without_magics
from headway.migration.report import Report, check

USING: Final = "from azureml.core import Workspace\n"


def notebook(*cells: str | list[str], **more: Any) -> str:
    made = [{"cell_type": "code", "source": cell, "outputs": [{"any": 1}]} for cell in cells]
    return json.dumps({"cells": made, "metadata": {}, "nbformat": 4} | more)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "code"
    made.mkdir()
    return made


def places(report: Report) -> dict[str, list[str]]:
    return {one.name: [place.where for place in one.places] for one in report.findings}


# ---------------------------------------------------------------- files


def test_scripts_and_notebooks_are_found_at_any_depth(folder: Path) -> None:
    (folder / "a" / "b").mkdir(parents=True)
    (folder / "a" / "b" / "train.py").write_text(USING)
    (folder / "look.ipynb").write_text(notebook(USING))
    (folder / "notes.txt").write_text(USING)
    (folder / "other.py").write_text("import numpy\n")
    report = check(folder)
    assert places(report) == {"Workspace": ["look.ipynb:cell 1:1", "a/b/train.py:1"]}
    assert (report.files, report.using) == (3, 2)
    assert report.ready


@pytest.mark.parametrize(
    "hidden", [".git/x.py", ".ipynb_checkpoints/x.py", "node_modules/x.py", "env/lib/x.py"]
)
def test_what_is_nobodys_code_is_passed_over(folder: Path, hidden: str) -> None:
    (folder / hidden).parent.mkdir(parents=True)
    (folder / hidden).write_text(USING)
    (folder / "env").mkdir(exist_ok=True)
    (folder / "env" / "pyvenv.cfg").touch()
    assert check(folder).files == 0


def test_links_neither_loop_nor_count_twice(folder: Path) -> None:
    (folder / "train.py").write_text(USING)
    (folder / "again.py").symlink_to("train.py")
    (folder / "loop.py").symlink_to("loop.py")
    (folder / "gone.py").symlink_to("nowhere.py")
    (folder / "round").symlink_to(folder)
    os.mkfifo(folder / "pipe.py")
    report = check(folder)
    assert places(report) == {"Workspace": ["again.py:1"]}
    assert report.files == 1


def test_one_script_or_notebook_can_be_named(folder: Path) -> None:
    (folder / "train.py").write_text(USING)
    assert places(check(folder / "train.py")) == {"Workspace": ["train.py:1"]}


def test_what_is_not_there_or_nothing_to_read_is_an_error(folder: Path) -> None:
    with pytest.raises(NotFoundError, match="give a folder, a script or a notebook"):
        check(folder / "nowhere")
    (folder / "data.csv").write_text("azureml")
    with pytest.raises(InvalidValueError, match=r"neither a folder nor a \.py"):
        check(folder / "data.csv")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_named(folder: Path) -> None:
    (folder / "train.py").write_text(USING)
    (folder / "train.py").chmod(0)
    [problem] = check(folder).problems
    assert problem.where == "train.py"


def test_a_huge_file_is_named_and_not_parsed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "_MOST_SCRIPT_BYTES", 1 << 20)
    (folder / "data.py").write_text(f"{USING}x = {'1,' * (1 << 19)}")
    (folder / "other.py").write_text(f"x = {'1,' * (1 << 19)}")
    [problem] = check(folder).problems
    assert (problem.where, problem.message) == ("data.py", "not read: it has more than 1 MiB")


# ---------------------------------------------------------------- texts


@pytest.mark.parametrize(
    "data",
    [
        pytest.param("# größe\n".encode("latin-1"), id="no encoding given"),
        pytest.param("# -*- coding: latin-1 -*-\n# größe\n".encode("latin-1"), id="latin-1"),
        pytest.param(b"\xef\xbb\xbf\n", id="byte order mark"),
        pytest.param(b"\r\n", id="line ends of Windows"),
    ],
)
def test_a_script_is_read_in_the_encoding_it_has(folder: Path, data: bytes) -> None:
    (folder / "train.py").write_bytes(data + USING.encode())
    report = check(folder)
    assert list(places(report)) == ["Workspace"]
    assert not report.problems


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("import azureml\nprint 'of Python 2'\n", "old.py:2"),
        ("import azureml\n\0\n", "old.py:1"),
        ("import azureml\nx = " + "(" * 500 + ")" * 500, "old.py:2"),
    ],
)
def test_what_is_no_python_is_named_and_the_rest_is_read(
    folder: Path, text: str, where: str
) -> None:
    (folder / "old.py").write_text(text)
    (folder / "train.py").write_text(USING)
    report = check(folder)
    [problem] = report.problems
    assert problem.where.split(":")[0] == "old.py"
    assert problem.message.startswith("not valid Python: ")
    if "\0" not in text:
        assert problem.where == where
    assert places(report) == {"Workspace": ["train.py:1"]}
    assert not report.ready


def test_an_expression_of_hundreds_of_terms_is_no_problem(folder: Path) -> None:
    (folder / "made.py").write_text(f"{USING}x = {' + '.join(['1'] * 500)}\n")
    assert "Workspace" in places(check(folder))


def test_a_warning_about_the_style_of_a_script_is_not_ours_to_give(folder: Path) -> None:
    (folder / "train.py").write_text(f"{USING}x = '\\d'\nassert (1, 'always true')\n")
    assert check(folder).ready


# ---------------------------------------------------------------- notebooks


def test_the_cells_of_a_notebook_know_each_other(folder: Path) -> None:
    cells = [
        ["from azureml.core import Workspace\n", "ws = Workspace.from_config()"],
        "",
        "ws.name",
    ]
    (folder / "a.ipynb").write_text(notebook(*cells))
    assert places(check(folder)) == {
        "Workspace": ["a.ipynb:cell 1:1"],
        "Workspace.from_config": ["a.ipynb:cell 1:2"],
        "Workspace.name": ["a.ipynb:cell 3:1"],
    }


@pytest.mark.parametrize(
    "cell",
    [
        "%matplotlib inline\n{}",
        "%%time\n{}",
        "!pip install a \\\n   b\n{}",
        "files = !ls\n{}",
        "x = %sql select 1\n{}",
        "if True:\n    !ls\n{}",
        "dict?\n{}",
        "?dict\n{}",
    ],
)
def test_what_ipython_adds_to_python_is_left_out(folder: Path, cell: str) -> None:
    (folder / "a.ipynb").write_text(notebook(cell.format(USING)))
    report = check(folder)
    line = cell.count("\n") + 1
    assert places(report) == {"Workspace": [f"a.ipynb:cell 1:{line}"]}
    assert not report.problems


def test_a_percent_sign_within_a_text_is_no_magic(folder: Path) -> None:
    (folder / "a.ipynb").write_text(notebook(f'x = """\n%time {USING}"""\n{USING}'))
    assert places(check(folder)) == {"Workspace": ["a.ipynb:cell 1:4"]}


def test_a_cell_that_writes_a_script_is_read_as_one(folder: Path) -> None:
    cells = ["import azureml", f"%%writefile train.py\n{USING}ws = Workspace.from_config()", "ws.x"]
    (folder / "a.ipynb").write_text(notebook(*cells))
    report = check(folder)
    assert places(report)["Workspace.from_config"] == ["a.ipynb:cell 2:3"]
    assert not report.problems
    assert report.ready, "ws of another cell is not that of the script"


def test_cells_in_other_languages_are_left_out(folder: Path) -> None:
    (folder / "a.ipynb").write_text(notebook("%%bash\npip install azureml-core", "%%html\n<b>"))
    report = check(folder)
    assert not report.findings
    assert not report.problems


def test_a_notebook_in_another_language_is_left_out(folder: Path) -> None:
    more = {"metadata": {"language_info": {"name": "R"}, "kernelspec": {"any": "thing"}}}
    (folder / "a.ipynb").write_text(notebook("library(azuremlsdk) %>% f", **more))
    report = check(folder)
    assert (report.files, report.problems) == (1, [])


def test_a_script_saved_from_a_notebook_may_have_magics(folder: Path) -> None:
    (folder / "a.py").write_text(f"# coding: utf-8\n%matplotlib inline\n!ls\n{USING}")
    assert places(check(folder)) == {"Workspace": ["a.py:4"]}


def test_one_broken_cell_does_not_hide_the_others(folder: Path) -> None:
    (folder / "a.ipynb").write_text(notebook("import azureml\nprint 'x'", USING))
    report = check(folder)
    assert places(report) == {"Workspace": ["a.ipynb:cell 2:1"]}
    [problem] = report.problems
    assert problem.where == "a.ipynb:cell 1:2"


def test_a_notebook_of_an_old_format_is_read(folder: Path) -> None:
    cell = {"cell_type": "code", "input": [USING], "language": "python"}
    (folder / "a.ipynb").write_text(json.dumps({"worksheets": [{"cells": [cell]}], "nbformat": 3}))
    assert places(check(folder)) == {"Workspace": ["a.ipynb:cell 1:1"]}


@pytest.mark.parametrize("text", ["azureml", '{"azureml": ', '["azureml"]', '{"cells": "azureml"}'])
def test_what_is_no_notebook_is_named(folder: Path, text: str) -> None:
    (folder / "a.ipynb").write_text(text)
    [problem] = check(folder).problems
    assert problem.where == "a.ipynb"
    assert problem.message.startswith("not a notebook: ")


def test_an_empty_notebook_is_nothing(folder: Path) -> None:
    (folder / "a.ipynb").touch()
    assert not check(folder).problems


@given(st.text(alphabet="%!?= \n\\xa.'\"#()", max_size=80))
def test_leaving_magics_out_keeps_every_line_where_it_was(text: str) -> None:
    assert without_magics(text).count("\n") == text.count("\n")


@given(
    st.recursive(
        st.none() | st.text() | st.integers(),
        lambda s: (
            st.lists(s)
            | st.dictionaries(st.sampled_from(["cells", "source", "cell_type", "worksheets"]), s)
        ),
    )
)
def test_no_json_makes_it_fall_over(tmp_path_factory: Any, document: Any) -> None:
    file = tmp_path_factory.mktemp("json") / "a.ipynb"
    file.write_text(json.dumps({"azureml": 1, "cells": document}))
    check(file)


@given(st.binary(max_size=60))
def test_no_bytes_make_it_fall_over(tmp_path_factory: Any, data: bytes) -> None:
    file = tmp_path_factory.mktemp("bytes") / "a.py"
    file.write_bytes(b"azureml\n" + data)
    check(file)


def test_nothing_is_executed(folder: Path, capsys: Callable[[], Any]) -> None:
    (folder / "train.py").write_text(f"{USING}open({str(folder / 'executed')!r}, 'w')\n")
    check(folder)
    assert not (folder / "executed").exists()
