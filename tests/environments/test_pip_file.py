"""Requirements files: what is accepted, what is refused and how."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.environments.pip_file import from_pip_requirements, pip_requirements_file
from headway.errors import InvalidValueError
from headway.model import EnvironmentSpec

HASH = "--hash=sha256:" + "0" * 64


def test_comments_continuations_markers_hashes_and_options_are_read() -> None:
    spec = from_pip_requirements(
        "# what we need\n"
        "--index-url https://host.example/simple  # ours\n"
        "-f https://host.example/wheels\n"
        "--pre\n"
        "numpy>=1.26,<3   # numbers\r\n"
        "six==1.17.0 \\\n"
        f"    {HASH}\n"
        "tomli ; python_version < '3.11'\n"
        "httpx[http2]~=0.27\n"
        "tool @ git+https://host.example/tool.git@main#egg=tool\n",
        name="train",
    )
    assert spec == EnvironmentSpec(
        name="train",
        pip_options=[
            "--index-url https://host.example/simple",
            "--find-links https://host.example/wheels",
            "--pre",
        ],
        pip_requirements=[
            "numpy>=1.26,<3",
            f"six==1.17.0 {HASH}",
            "tomli ; python_version < '3.11'",
            "httpx[http2]~=0.27",
            "tool @ git+https://host.example/tool.git@main#egg=tool",
        ],
    )


def test_files_that_a_file_names_are_read_from_beside_it(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "base.txt").write_text("six\n-r more.txt\n-f wheels\n", encoding="utf-8")
    (tmp_path / "inner" / "more.txt").write_text("iniconfig\n", encoding="utf-8")
    (tmp_path / "limits.txt").write_text("six<2\n", encoding="utf-8")
    path = tmp_path / "requirements.txt"
    path.write_text("-r inner/base.txt\n--constraint=limits.txt\n", encoding="utf-8")
    spec = pip_requirements_file(path)
    assert spec.pip_requirements == ["six", "iniconfig"]
    assert spec.pip_constraints == ["six<2"]
    assert spec.pip_options == [f"--find-links {tmp_path / 'inner' / 'wheels'}"]


def test_a_line_of_a_file_that_another_names_is_named_by_its_own_file(tmp_path: Path) -> None:
    (tmp_path / "base.txt").write_text("six\nnumpy=1.26\n", encoding="utf-8")
    path = tmp_path / "requirements.txt"
    path.write_text("-rbase.txt\n", encoding="utf-8")
    with pytest.raises(InvalidValueError, match=r"base\.txt:2: 'numpy=1\.26'.*pinned with '=='"):
        pip_requirements_file(path)


def test_files_that_include_each_other_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "requirements.txt"
    path.write_text("-r requirements.txt\n", encoding="utf-8")
    with pytest.raises(InvalidValueError, match="include each other"):
        pip_requirements_file(path)


def test_another_file_cannot_be_named_where_there_is_no_file() -> None:
    with pytest.raises(InvalidValueError, match=r"requirements:2: '--requirement base\.txt'.*copy"):
        from_pip_requirements("six\n-r base.txt\n")


def test_local_archives_become_absolute(tmp_path: Path) -> None:
    wheel = tmp_path / "wheels" / "tool-1-py3-none-any.whl"
    wheel.parent.mkdir()
    wheel.touch()
    path = tmp_path / "requirements.txt"
    path.write_text(
        f"./wheels/{wheel.name} ; python_version > '3'\ntool @ {wheel.as_uri()} {HASH}\n"
        f"tool @ wheels/{wheel.name}\n",
        encoding="utf-8",
    )
    assert pip_requirements_file(path).pip_requirements == [
        f"{wheel} ; python_version > '3'",
        f"tool @ {wheel.as_uri()} {HASH}",
        f"tool @ {wheel.as_uri()}",
    ]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (".", "is a folder"),
        ("./nothing.whl", "there is no file"),
        ("tool @ ./nothing.whl", "there is no file"),
        ("-e .", "may change after the run"),
        ("--editable=git+https://host.example/x", "may change"),
        ("--trusted-host x", "accepted are --requirement"),
        ("--index-url", "accepted are"),
        ("--pre yes", "accepted are"),
        ("-r gone.txt", "does not exist"),
        ("-r https://host.example/r.txt", "cannot be found from here"),
        ("six foo", "is no requirement"),
        ("six --global-option=x", "accepted is --hash"),
        ("six==1 --hash=md5:00", "accepted is --hash"),
    ],
)
def test_what_is_not_accepted_is_refused_with_its_line(
    tmp_path: Path, line: str, says: str
) -> None:
    path = tmp_path / "requirements.txt"
    path.write_text(f"\n# first\n{line}\n", encoding="utf-8")
    with pytest.raises(InvalidValueError, match=says) as caught:
        pip_requirements_file(path)
    assert f"{path}:3: " in caught.value.message


@pytest.mark.parametrize("line", ["six = {}", "./{}", "six @ ./{}", "-e {}", "-x {}", "-r {}"])
def test_passwords_are_not_repeated_in_messages(line: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        from_pip_requirements(line.format("https://someone:secret@host.example/x"))
    assert "secret" not in caught.value.message


def test_a_relative_path_needs_a_file_to_start_from() -> None:
    with pytest.raises(InvalidValueError, match="give an absolute path"):
        from_pip_requirements("./tool.whl")


@pytest.mark.parametrize("content", [b"\xff\xfes\x00i\x00x\x00", b"six\n" * 400_000])
def test_a_file_that_is_no_list_of_packages_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "requirements.txt"
    path.write_bytes(content)
    with pytest.raises(InvalidValueError, match="requirements file"):
        pip_requirements_file(path)


def test_a_file_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match=r"gone\.txt' cannot be read: No such file"):
        pip_requirements_file(tmp_path / "gone.txt")


@given(st.text(alphabet=st.sampled_from("ab -=<>#\\\n\r\t\0;@[]/.:'\"~!1"), max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        spec = from_pip_requirements(text)
    except InvalidValueError:
        return
    assert all(line.strip() == line and "\n" not in line for line in spec.pip_requirements)
    again = from_pip_requirements("\n".join([*spec.pip_options, *spec.pip_requirements]))
    assert again == spec
