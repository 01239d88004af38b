"""What a server does beside its operations: it says how it is, waits, streams, and stops."""

import json
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.server.secured import Secured, secured
from tests.server.started import started

from headway.errors import ConfigurationError
from headway.model import NewRun, Status
from headway.server.app import make_app
from headway.server.listening import Certificate, Listener

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
BASE = "/api/v1/workspaces/default"
PATIENCE_S = 10.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    with secured(tmp_path_factory.mktemp("server")) as server:
        yield server


def make_run(server: Secured, run_id: str) -> str:
    api = server.api("default")
    experiment = api.experiments.ensure("explore")
    return api.runs.create([NewRun(run_id, experiment.id, started=True)])[0].id


def test_probes_answer_without_a_token(server: Secured) -> None:
    assert (server.ask("GET", "/health").status, server.ask("GET", "/health").json) == (
        200,
        {"status": "ok"},
    )
    assert (server.ask("GET", "/ready").status, server.ask("GET", "/ready").json) == (
        200,
        {"status": "ready"},
    )


def test_the_counters_are_for_whoever_has_a_token(server: Secured) -> None:
    assert server.ask("GET", "/metrics").status == 401
    server.ask("GET", BASE, token=server.reader)
    found = server.ask("GET", "/metrics", token=server.reader)
    assert found.headers["content-type"].startswith("text/plain")
    text = found.body.decode()
    assert 'headway_requests_total{operation="info",status="200"}' in text
    assert 'headway_request_seconds_count{operation="info"}' in text
    assert "process_resident_memory_bytes" in text


def test_an_unknown_path_or_method_is_told_in_json(server: Secured) -> None:
    absent = server.ask("GET", f"{BASE}/nothing", token=server.reader)
    assert (absent.status, absent.code) == (404, "not_found")
    wrong = server.ask("PUT", f"{BASE}/experiments", token=server.reader)
    assert (wrong.status, wrong.headers["allow"]) == (405, "GET, POST")
    assert wrong.json["request_id"] == wrong.headers["x-request-id"]


def test_the_server_describes_itself(server: Secured) -> None:
    found = server.ask("GET", "/api/v1/openapi.json").json
    assert found["openapi"] == "3.1.0"
    described = found["paths"]["/api/v1/workspaces/{workspace}/runs/{run_id}"]["get"]
    assert described["operationId"] == "runs.get"


def test_who_made_a_run_stands_with_it(server: Secured) -> None:
    experiment = server.ask("POST", f"{BASE}/experiments", {"name": "x"}, token=server.writer).json
    body = {"runs": [{"id": "made-by-writer", "experiment_id": experiment["id"]}]}
    headers = {"Headway-Host": "their-machine"}
    [run] = server.ask("POST", f"{BASE}/runs", body, token=server.writer, headers=headers).json
    assert (run["created_by"], run["host"]) == ("writer@their-machine", "their-machine")


def test_a_request_that_waits_is_answered_when_it_happens(server: Secured) -> None:
    run_id = make_run(server, "watched")
    path = f"{BASE}/runs/{run_id}/watch?log=logs/a.txt&offset=0&timeout_s=20"
    seen: list[bytes] = []
    thread = threading.Thread(
        target=lambda: seen.append(server.ask("GET", path, token=server.reader).body)
    )
    began = time.monotonic()
    thread.start()
    server.api("default").files.append(run_id, "logs/a.txt", 0, b"hello")
    thread.join(PATIENCE_S)
    assert b"hello" in seen[0]
    assert time.monotonic() - began < PATIENCE_S


def test_who_waits_holds_no_thread(server: Secured) -> None:
    run_id = make_run(server, "watched-by-many")
    path = f"{BASE}/runs/{run_id}/watch?log=logs/a.txt&offset=0&timeout_s=20"
    threads = [
        threading.Thread(target=lambda: server.ask("GET", path, token=server.reader))
        for _ in range(40)  # more than the server has threads
    ]
    for thread in threads:
        thread.start()
    assert server.ask("GET", f"{BASE}/runs/{run_id}", token=server.reader).status == 200
    server.api("default").runs.end(run_id, Status.COMPLETED)
    for thread in threads:
        thread.join(PATIENCE_S)
    assert not any(thread.is_alive() for thread in threads)


def test_a_file_is_sent_from_where_it_is_asked_for(server: Secured) -> None:
    run_id = make_run(server, "with-a-file")
    content = bytes(range(256)) * 4096
    path = f"{BASE}/runs/{run_id}/file?path=data.bin"
    put = server.ask("PUT", f"{path}&upload_id=u1", content, token=server.writer)
    assert (put.status, put.json["size_bytes"]) == (200, len(content))
    assert server.ask("GET", path, token=server.reader).body == content
    for offset in (1, 300_000, len(content), len(content) + 5):
        found = server.ask("GET", f"{path}&offset={offset}", token=server.reader)
        assert found.body == content[offset:]
    assert server.ask("GET", f"{path}&offset=-1", token=server.reader).status == 400


def test_a_put_that_is_repeated_is_done_once(server: Secured) -> None:
    run_id = make_run(server, "with-a-repeated-file")
    path = f"{BASE}/runs/{run_id}/file?path=a&upload_id=u2"
    first, second = (server.ask("PUT", path, b"text", token=server.writer) for _ in range(2))
    assert (first.status, second.status) == (200, 200)
    assert first.json["blake3"] == second.json["blake3"]


# ---------------------------------------------------------------- a process of its own


def test_it_stops_when_it_is_told_to_and_answers_who_waits(tmp_path: Path) -> None:
    with started(tmp_path / "root") as server:
        token = b"Authorization: Bearer " + server.token.encode()
        line = b"POST /api/v1/workspaces/default/experiments HTTP/1.1"
        _, body = server.send(line, b'{"name": "x"}', token)
        run = {"id": "r", "experiment_id": json.loads(body)["id"], "started": True}
        line = b"POST /api/v1/workspaces/default/runs HTTP/1.1"
        status, body = server.send(line, json.dumps({"runs": [run]}).encode(), token)
        assert status == 200, body
        watch = (
            b"GET /api/v1/workspaces/default/runs/r/watch?log=logs/l&offset=0&timeout_s=25 HTTP/1.1"
        )
        answers: list[tuple[int, bytes]] = []
        waiting = threading.Thread(target=lambda: answers.append(server.send(watch, b"", token)))
        waiting.start()
        deadline = time.monotonic() + PATIENCE_S
        counters = b"GET /metrics HTTP/1.1"
        while b"headway_requests_active 2.0" not in server.send(counters, b"", token)[1]:
            assert time.monotonic() < deadline
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(20) == 0
        waiting.join(PATIENCE_S)
    assert [status for status, _ in answers] == [200], answers
    assert time.monotonic() - began < 9  # it did not wait for the request's own end
    lines = [json.loads(one) for one in server.log.read_text().splitlines()]
    watched = [one for one in lines if one.get("operation") == "runs.watch"]
    assert [one["status"] for one in watched] == [200]
    assert {"request_id", "method", "route", "milliseconds", "user"} <= watched[0].keys()
    assert server.token not in server.log.read_text()


def test_what_was_acknowledged_is_there_after_a_restart(tmp_path: Path) -> None:
    root = tmp_path / "root"
    with started(root) as server:
        token = b"Authorization: Bearer " + server.token.encode()
        line = b"POST /api/v1/workspaces/default/experiments HTTP/1.1"
        _, before = server.send(line, b'{"name": "x"}', token)
        secret = server.token
    with started(root, token=secret) as server:
        assert server.link == ""
        assert server.send(line, b'{"name": "x"}', token) == (200, before)


def test_an_address_that_is_taken_is_told(server: Secured, tmp_path: Path) -> None:
    app = make_app(server.hub, None)  # pyright: ignore[reportArgumentType]  (it never answers)
    with pytest.raises(ConfigurationError, match=r"cannot listen at 127\.0\.0\.1.*--port"):
        Listener(app, host="127.0.0.1", port=server.port)
    absent = Certificate(tmp_path / "absent.pem", None)
    with pytest.raises(ConfigurationError, match="certificate cannot be used"):
        Listener(app, host="127.0.0.1", port=0, certificate=absent)
