import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from headway.snapshots.git import git_properties, mask_credentials

PATIENT_S = 20.0


class Repository:
    def __init__(self, folder: Path, git: str, home: Path) -> None:
        self.folder = folder
        self.program = git
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        folder.mkdir(parents=True)
        self.run("init", "-q", "-b", "trunk")
        self.run("config", "user.name", "A")
        self.run("config", "user.email", "a@example.org")

    def run(self, *arguments: str) -> str:
        return subprocess.run(
            [self.program, "-C", self.folder, *arguments],
            check=True,
            capture_output=True,
            text=True,
            env=self.environment,
        ).stdout.strip()

    def commit(self, **files: str) -> str:
        for name, content in files.items():
            (self.folder / name).write_text(content)
        self.run("add", "-A")
        self.run("commit", "-q", "--allow-empty", "-m", "x")
        return self.run("rev-parse", "HEAD")

    def properties(self, **environment: str) -> dict[str, str]:
        return git_properties(
            self.folder, self.environment | environment, dirty_timeout_s=PATIENT_S
        )

    def dirty(self) -> str | None:
        return self.properties().get("azureml.git.dirty")


@pytest.fixture
def repository(
    tmp_path: Path, own_environment: Path, require_program: Callable[[str], str]
) -> Repository:
    return Repository(tmp_path / "code", require_program("git"), own_environment)


def script(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    path.chmod(0o755)
    return path


# ---------------------------------------------------------------- what is said


def test_a_clean_repository_is_told_whole(repository: Repository) -> None:
    commit = repository.commit(a="1")
    repository.run("remote", "add", "origin", "git@example.org:team/code.git")
    assert repository.properties() == {
        "azureml.git.repository_uri": "git@example.org:team/code.git",
        "mlflow.source.git.repoURL": "git@example.org:team/code.git",
        "azureml.git.branch": "trunk",
        "mlflow.source.git.branch": "trunk",
        "azureml.git.commit": commit,
        "mlflow.source.git.commit": commit,
        "azureml.git.dirty": "False",
    }


def test_changes_below_the_source_make_it_dirty(repository: Repository) -> None:
    (repository.folder / "sub").mkdir()
    repository.commit(a="1", **{"sub/b": "1", ".gitignore": "*.log"})
    (repository.folder / "out.log").write_text("ignored")
    assert repository.dirty() == "False"
    (repository.folder / "a").write_text("2")
    assert repository.dirty() == "True"
    below = git_properties(
        repository.folder / "sub", repository.environment, dirty_timeout_s=PATIENT_S
    )
    assert below["azureml.git.dirty"] == "False"
    assert below["azureml.git.branch"] == "trunk"
    repository.run("checkout", "-q", "a")
    (repository.folder / "new").write_text("untracked")
    assert repository.dirty() == "True"


def test_a_branch_with_a_hostile_name_is_told_as_it_is(repository: Repository) -> None:
    name = "feature/ü;$(touch$IFS.x)'\"&"
    repository.commit(a="1")
    repository.run("checkout", "-q", "-b", name)
    assert repository.properties()["azureml.git.branch"] == name


def test_before_the_first_commit_there_is_none(repository: Repository) -> None:
    found = repository.properties()
    assert found["azureml.git.branch"] == "trunk"
    assert "azureml.git.commit" not in found


def test_a_detached_head_has_no_branch(repository: Repository) -> None:
    commit = repository.commit(a="1")
    repository.run("checkout", "-q", "--detach")
    found = repository.properties()
    assert found["azureml.git.commit"] == commit
    assert "azureml.git.branch" not in found


def test_a_worktree_has_its_own_branch(repository: Repository, tmp_path: Path) -> None:
    commit = repository.commit(a="1")
    repository.run("worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    found = git_properties(tmp_path / "side", repository.environment, dirty_timeout_s=PATIENT_S)
    assert (found["azureml.git.branch"], found["azureml.git.commit"]) == ("side", commit)


@pytest.mark.parametrize(
    "settings",
    [
        {"remote.origin.url": "https://example.org/a"},
        {"remote.origin.url": "https://example.org/a", "remote.fork.url": "/srv/fork"},
        {
            "remote.origin.url": "https://example.org/a",
            "remote.fork.url": "/srv/fork",
            "branch.trunk.remote": "fork",
        },
        {"remote.origin.url": "https://example.org/a", "branch.trunk.remote": "."},
        {
            "remote.origin.url": "ex:a/b",
            "url.https://example.org/.insteadOf": "ex:",
            "url.https://other.example.org/x/.insteadOf": "ex:a/",
            "url.ssh://push.example.org/.pushInsteadOf": "ex:",
        },
    ],
)
def test_the_address_is_the_one_that_git_says(
    repository: Repository, settings: dict[str, str]
) -> None:
    for key, value in settings.items():
        repository.run("config", key, value)
    expected = repository.run("ls-remote", "--get-url")
    if settings.get("branch.trunk.remote") == ".":
        expected = "https://example.org/a"  # Git says ".", which tells nobody anything
    assert repository.properties()["azureml.git.repository_uri"] == expected


def test_without_a_remote_there_is_no_address(repository: Repository) -> None:
    repository.commit(a="1")
    assert "azureml.git.repository_uri" not in repository.properties()


def test_the_environment_outranks_what_is_found(repository: Repository) -> None:
    repository.commit(a="1")
    given = {
        "AZUREML_GIT_REPOSITORY_URI": "https://me:secret@example.org/b",
        "AZUREML_GIT_BRANCH": "main",
        "AZUREML_GIT_BUILD_ID": "17",
        "AZUREML_GIT_BUILD_URI": "https://ci.example.org/17?sig=secret",
        "AZUREML_GIT_COMMIT": " ",
    }
    found = repository.properties(**given)
    assert found["mlflow.source.git.repoURL"] == "https://***@example.org/b"
    assert found["azureml.git.branch"] == found["mlflow.source.git.branch"] == "main"
    assert found["azureml.git.build_id"] == "17"
    assert found["azureml.git.build_uri"] == "https://ci.example.org/17?sig=***"
    assert found["azureml.git.commit"] == repository.run("rev-parse", "HEAD")


def test_variables_of_another_repository_do_not_mislead(
    repository: Repository, tmp_path: Path
) -> None:
    other = Repository(tmp_path / "other", repository.program, Path(repository.environment["HOME"]))
    other.commit(b="1")
    commit = repository.commit(a="1")
    trace = tmp_path / "trace"
    found = repository.properties(
        GIT_DIR=str(other.folder / ".git"),
        GIT_WORK_TREE=str(other.folder),
        GIT_INDEX_FILE=str(tmp_path / "index"),
        GIT_TRACE=str(trace),
    )
    assert found["azureml.git.commit"] == commit
    assert found["azureml.git.dirty"] == "False"
    assert not trace.exists()


# ---------------------------------------------------------------- nothing


def test_without_a_repository_there_is_nothing_but_what_was_given(tmp_path: Path) -> None:
    assert git_properties(tmp_path, {"PATH": os.environ["PATH"]}) == {}
    assert git_properties(tmp_path, {"AZUREML_GIT_COMMIT": "abc"}) == {
        "azureml.git.commit": "abc",
        "mlflow.source.git.commit": "abc",
    }


def test_without_git_there_is_nothing(repository: Repository, tmp_path: Path) -> None:
    repository.commit(a="1")
    assert repository.properties(PATH=str(tmp_path)) == {}
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "git").write_bytes(b"\x7fnot a program")
    (tmp_path / "bin" / "git").chmod(0o755)
    assert repository.properties(PATH=str(tmp_path / "bin")) == {}


def test_what_is_no_repository_after_all_is_nothing(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("gitdir: /nowhere\n")
    assert git_properties(tmp_path, {"PATH": os.environ["PATH"]}) == {}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")
def test_the_repository_of_another_user_is_nothing(repository: Repository) -> None:
    repository.commit(a="1")
    for path in (repository.folder, repository.folder / ".git"):
        os.chown(path, 12_345, 12_345)
    assert repository.properties() == {}


# ---------------------------------------------------------------- what is not trusted


@pytest.mark.parametrize("name", ["evil", "e=vil", "E.vil"])
def test_nothing_that_the_repository_names_is_run(
    repository: Repository, tmp_path: Path, name: str
) -> None:
    mark = tmp_path / "ran"
    evil = script(tmp_path / "evil", f"echo $0 $* >> '{mark}'", "cat")
    repository.commit(a="1", **{".gitattributes": f"a filter={name}\n"})
    for key in (
        "core.fsmonitor",
        "core.sshCommand",
        "core.askPass",
        "core.pager",
        "core.alternateRefsCommand",
        f"filter.{name}.clean",
        f"filter.{name}.process",
        "diff.external",
        "credential.helper",
    ):
        repository.run("config", key, str(evil))
    repository.run("config", f"filter.{name}.required", "true")
    for hook in ("post-index-change", "fsmonitor-watchman", "reference-transaction"):
        script(repository.folder / ".git" / "hooks" / hook, f"echo hook >> '{mark}'")
    os.utime(repository.folder / "a", (1, 1))  # has to be read to see whether it changed
    found = repository.properties()
    assert found["azureml.git.branch"] == "trunk"
    assert found.get("azureml.git.dirty") == (None if name == "e=vil" else "False")
    assert not mark.exists()
    for setting in ("core.fsmonitor=", f"filter.{name}.clean="):  # the traps do work
        mark.unlink(missing_ok=True)
        command = [repository.program, "-C", repository.folder, "-c", setting, "status"]
        subprocess.run(command, env=repository.environment, check=False, capture_output=True)
        assert mark.exists()


def test_a_filter_of_the_repository_leaves_dirty_unsaid_where_it_would_matter(
    repository: Repository,
) -> None:
    repository.run("config", "filter.upper.clean", "tr a-z A-Z")
    repository.commit(a="abc", **{".gitattributes": "a filter=upper\n"})
    os.utime(repository.folder / "a", (1, 1))
    assert repository.dirty() is None


def test_a_folder_that_looks_like_a_bare_repository_is_none(
    repository: Repository, tmp_path: Path
) -> None:
    mark = tmp_path / "ran"
    bare = repository.folder / "bare"
    repository.run("init", "-q", "--bare", str(bare))
    evil = script(tmp_path / "evil", f"touch '{mark}'")
    for key, value in (("core.bare", "false"), ("core.worktree", "."), ("core.fsmonitor", evil)):
        repository.run("-C", str(bare), "config", key, str(value))
    assert git_properties(bare, repository.environment) == {}
    assert not mark.exists()


@pytest.mark.parametrize("slow", ["status", "config"])
def test_a_git_that_hangs_is_ended_with_all_it_started(
    repository: Repository, tmp_path: Path, slow: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headway.snapshots.git._TIMEOUT_S", 0.3)
    commit = repository.commit(a="1")
    pid = tmp_path / "pid"
    script(
        tmp_path / "bin" / "git",
        f'case " $* " in *" {slow} "*) sleep 600 & echo $! > "{pid}"; wait;; esac',
        f'exec {repository.program} "$@"',
    )
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    began = time.monotonic()
    found = git_properties(
        repository.folder, repository.environment | {"PATH": path}, dirty_timeout_s=0.3
    )
    assert time.monotonic() - began < 10
    assert found.get("azureml.git.commit") == (commit if slow == "status" else None)
    assert "azureml.git.dirty" not in found
    deadline = time.monotonic() + 10
    while _is_alive(int(pid.read_text())):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_what_is_missing_in_a_partial_clone_is_not_fetched(
    repository: Repository, tmp_path: Path
) -> None:
    mark = tmp_path / "ran"
    evil = script(tmp_path / "evil", f"touch '{mark}'")
    repository.commit(a="1")
    for key, value in (
        ("remote.origin.url", f"ext::{evil}"),
        ("remote.origin.promisor", "true"),
        ("extensions.partialClone", "origin"),
        ("core.repositoryFormatVersion", "1"),
        ("protocol.ext.allow", "always"),
    ):
        repository.run("config", key, value)
    shutil.rmtree(repository.folder / ".git" / "objects")
    (repository.folder / ".git" / "objects").mkdir()
    os.utime(repository.folder / "a", (1, 1))
    repository.properties()
    assert not mark.exists()


# ---------------------------------------------------------------- credentials


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://example.org/a.git", "https://example.org/a.git"),
        ("https://user:token@example.org/a.git", "https://***@example.org/a.git"),
        ("https://ghp_token@example.org/a.git", "https://***@example.org/a.git"),
        ("HTTPS://user:to@ken@example.org:8443/a", "HTTPS://***@example.org:8443/a"),
        ("https://user:to/ken@example.org/a", "https://***@example.org/a"),
        ("https://[::1]:80/a@b", "https://[::1]:80/a@b"),
        ("https://example.org:80/a@b", "https://example.org:80/a@b"),
        ("https::https://user:token@example.org/a", "https::https://***@example.org/a"),
        ("https://example.org/a?access_token=x&b=1", "https://example.org/a?access_token=***&b=1"),
        ("https://example.org/a?b=1&sig=x%3D#Key=y", "https://example.org/a?b=1&sig=***#Key=***"),
        ("https://example.org/a?path=x", "https://example.org/a?path=x"),
        ("https://u:p@example.org?private_token=x", "https://***@example.org?private_token=***"),
        ("ssh://git@example.org:22/a", "ssh://git@example.org:22/a"),
        ("ssh://git:secret@example.org/a", "ssh://git:***@example.org/a"),
        ("git+ssh://git@example.org/a", "git+ssh://git@example.org/a"),
        ("git@example.org:team/code.git", "git@example.org:team/code.git"),
        ("git@example.org:team/code@v1", "git@example.org:team/code@v1"),
        ("user:token@example.org:team/code", "user:***@example.org:team/code"),
        ("/srv/git/code.git", "/srv/git/code.git"),
        ("../code", "../code"),
        ("", ""),
    ],
)
def test_credentials_are_masked(address: str, shown: str) -> None:
    assert mask_credentials(address) == shown


def test_a_token_in_the_remote_never_gets_into_the_properties(repository: Repository) -> None:
    repository.run("config", "remote.origin.url", "hub:team/code")
    repository.run("config", "url.https://x-access-token:s3cr3t@example.org/.insteadOf", "hub:")
    found = repository.properties()
    assert found["azureml.git.repository_uri"] == "https://***@example.org/team/code"
    assert "s3cr3t" not in str(found)
