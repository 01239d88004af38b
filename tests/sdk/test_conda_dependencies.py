from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway import CondaDependencies
from headway.errors import InvalidValueError

NAMES = st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True).filter(
    lambda name: name not in {"python", "pip"}
)


def test_lists_are_begun_and_changed() -> None:
    made = CondaDependencies.create(
        pip_packages=["six", "scikit-learn==1.4"],
        conda_packages=["numpy=1.26"],
        python_version="3.11",
    )
    made.add_pip_package("Scikit_Learn==1.5")
    made.add_pip_package("attrs")
    made.remove_pip_package("six")
    made.add_conda_package("conda-forge::libgcc")
    made.remove_conda_package("numpy")
    made.add_channel("conda-forge")
    made.add_channel("conda-forge")
    made.set_pip_option("--pre")
    made.set_pip_index_url("https://one.example/simple")
    made.set_pip_index_url("--index-url https://two.example/simple")
    assert made.pip_packages == ["Scikit_Learn==1.5", "attrs"]
    assert made.conda_packages == ["conda-forge::libgcc"]
    assert made.conda_channels == ["conda-forge"]
    assert made.pip_options == ["--pre", "--index-url https://two.example/simple"]
    assert made.get_python_version() == "3.11"
    made.remove_pip_option("--index-url")
    made.remove_pip_option("--pre")
    made.remove_channel("conda-forge")
    assert (made.pip_options, made.conda_channels) == ([], [])
    assert made.get_default_number_of_packages() == 0
    assert made.sdk_origin_url() == ""


def test_python_may_stand_among_the_conda_packages() -> None:
    made = CondaDependencies.create(conda_packages=["python=3.6.2", "python=3.10"])
    assert made.get_python_version() == "3.10"
    assert made.conda_packages == []
    made.set_python_version(">=3.9,<3.12")
    assert made.get_python_version() == ">=3.9,<3.12"
    spec = made.specification()
    assert spec is not None
    assert spec.python == ">=3.9,<3.12"
    made.set_python_version(None)
    assert made.get_python_version() is None
    assert made.specification() is None


@given(
    pip=st.lists(NAMES, unique=True, max_size=5),
    conda=st.lists(NAMES, unique=True, max_size=5),
    channels=st.lists(NAMES, unique=True, max_size=3),
    python=st.sampled_from([None, "3.8", "3.10", "3.11.7", ">=3.9,<3.12"]),
)
def test_what_is_written_is_read_again(
    pip: list[str], conda: list[str], channels: list[str], python: str | None
) -> None:
    made = CondaDependencies.create(None, pip, conda, python)
    for channel in channels:
        made.add_channel(channel)
    again = CondaDependencies(_underlying_structure=made.as_dict())
    assert again.as_dict() == made.as_dict()
    assert again.serialize_to_string() == made.serialize_to_string()


def test_a_file_is_written_and_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made = CondaDependencies.create(pip_packages=["six==1.17.0"], python_version="3.10")
    assert made.serialize_to_string() == (
        "name: project_environment\ndependencies:\n- python=3.10\n- pip:\n  - six==1.17.0\n"
    )
    assert made.save() == "conda_dependencies.yml"
    (tmp_path / "sub").mkdir()
    assert made.save_to_file("sub", "mine.yml") == "mine.yml"
    for path in ("conda_dependencies.yml", "sub/mine.yml"):
        assert CondaDependencies(path).as_dict() == made.as_dict()
    with pytest.raises(InvalidValueError, match="name a file"):
        made.save("sub")
    with pytest.raises(InvalidValueError, match=r"nowhere\.yml"):
        CondaDependencies("nowhere.yml")


def test_requirements_replace_all_pip_packages() -> None:
    made = CondaDependencies.create(pip_packages=["six"])
    made.set_pip_option("--pre")
    made.set_pip_requirements(["--no-index", "attrs"])
    assert (made.pip_packages, made.pip_options) == (["attrs"], ["--no-index"])


def test_requirements_of_one_package_are_put_together() -> None:
    merged = CondaDependencies.merge_requirements(["a>=1", "b", "A <2", "c==3", "b", "c==3"])
    assert merged == ["a>=1,<2", "b", "c==3"]


def test_tensorflow_is_named_as_it_is_today() -> None:
    made = CondaDependencies()
    made.add_tensorflow_pip_package("gpu", "1.15")
    made.add_tensorflow_pip_package("gpu", "2.16")
    made.add_tensorflow_conda_package()
    assert made.pip_packages == ["tensorflow-gpu==1.15", "tensorflow==2.16"]
    assert made.conda_packages == ["tensorflow"]
    with pytest.raises(InvalidValueError, match="cpu and gpu"):
        made.add_tensorflow_pip_package("tpu")
    with pytest.raises(InvalidValueError, match="CNTK"):
        made.add_cntk_package()


@pytest.mark.parametrize("wrong", [None, 3, "", " ", "a\nb"])
def test_a_package_is_one_line_of_text(wrong: Any) -> None:
    with pytest.raises(InvalidValueError):
        CondaDependencies().add_pip_package(wrong)


@pytest.mark.parametrize("wrong", ["six", 3, [3]])
def test_packages_are_a_list_of_texts(wrong: Any) -> None:
    with pytest.raises(InvalidValueError):
        CondaDependencies.create(pip_packages=wrong)
