"""Secrets that were planted are found nowhere: not in the database, the logs, the answers."""

import os
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Final

import pytest
from tests.server.started import Started, started

from headway.client.credentials import Credentials
from headway.sdk.handles import Experiment, Workspace
from headway.sdk.interactive.process import close_sessions
from headway.sdk.submission.configuration import ScriptRunConfig

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

PLANTED: Final = "Pl4ntedS3cret"
PROGRAM: Final = """
import hashlib, os, sys
given = sys.argv[2] + os.environ["HF_TOKEN"]
print(hashlib.sha256(given.encode()).hexdigest())
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Started]:
    with started(tmp_path / "root") as made:
        yield made


def found_in(folder: Path) -> list[str]:
    """The files in which the secret stands."""
    needle = PLANTED.encode()
    return [
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and needle in path.read_bytes()
    ]


def test_secrets_in_requests_stand_in_no_log_and_no_answer(server: Started) -> None:
    admin = f"Authorization: Bearer {server.token}".encode()
    planted = PLANTED.encode()
    token = b"hw_0123456789_" + planted.ljust(43, b"A")
    experiments = b"/api/v1/workspaces/default/experiments"
    requests: list[tuple[bytes, bytes, list[bytes]]] = [
        (b"GET /api/v1/me?token=%s HTTP/1.1" % planted, b"", [admin]),
        (b"GET /login?code=hc_x HTTP/1.1", b"", [b"Referer: http://x/?code=%s" % planted]),
        (b"GET /api/v1/me HTTP/1.1", b"", [b"Authorization: Bearer " + token]),
        (b"GET /api/v1/me HTTP/1.1", b"", [b"Authorization: Basic " + planted]),
        (b"GET /api/v1/me HTTP/1.1", b"", [b"Cookie: headway=" + token]),
        (b"GET /api/v1/me HTTP/1.1", b"", [b"X-Api-Key: " + planted, b"User-Agent: " + planted]),
        (b"POST /api/v1/login HTTP/1.1", b'{"code": "hc_%s"}' % planted, []),
        (b"POST /login HTTP/1.1", b"code=hc_" + planted, []),
        (b"POST %s HTTP/1.1" % experiments, b'{"password": "%s"}' % planted, [admin]),
        (b"POST %s HTTP/1.1" % experiments, b'{"name": "%s' % planted, [admin]),
        (b"GET %s?name=x&key=%s HTTP/1.1" % (experiments, planted), b"", [admin]),
        (b"BREW /%s HTTP/1.1" % planted, b"", [admin]),
        (b"GET /api/v1/workspaces/%s HTTP/1.1" % planted, b"", [admin]),
        (b"GET /api/v1/workspaces/default/runs/%s HTTP/1.1" % planted, b"", [admin]),
        (b"GET /api/v1/workspaces/a%%20status=200%%20user=%s HTTP/1.1" % planted, b"", []),
    ]
    for line, body, headers in requests:
        status, answer = server.send(line, body, *headers)
        assert status < 500
        if line.startswith(b"POST") or b"?token=" in line:  # a path is said, and unknown names
            assert planted not in answer, line
    assert PLANTED not in server.log.read_text()
    assert server.token[-43:] not in server.log.read_text()
    assert server.link[-43:] not in server.log.read_text()
    assert found_in(server.root) == []


def test_secrets_of_a_submission_reach_the_program_and_nobody_else(
    server: Started, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "train.py").write_text(PROGRAM)
    remote = f"https://me:{PLANTED}@git.example/team/code.git"
    for arguments in (["init", "--quiet"], ["remote", "add", "origin", remote]):
        subprocess.run(["git", *arguments], cwd=source, check=True, capture_output=True)
    Credentials().keep(server.url, server.token)
    monkeypatch.setenv("HEADWAY_WORKSPACE", server.url)
    config = ScriptRunConfig(
        source_directory=str(source),
        script="train.py",
        arguments=["--token", PLANTED],
    )
    config.run_config.environment_variables = {"HF_TOKEN": PLANTED}
    run = Experiment(Workspace.from_config(), "planted").submit(config)
    run.wait_for_completion()
    log = tmp_path / "log.txt"
    run.download_file("user_logs/std_log.txt", str(log))
    assert log.read_text().strip() == sha256((PLANTED * 2).encode()).hexdigest()
    assert PLANTED not in repr(run.get_details())
    shown = subprocess.run(
        [sys.executable, "-c", "from headway.cli import main; main()", "show", "--json", run.id],
        env=dict(os.environ),
        capture_output=True,
        check=True,
    )
    assert PLANTED.encode() not in shown.stdout + shown.stderr
    close_sessions()
    assert found_in(server.root) == []
    assert PLANTED not in server.log.read_text()
