"""Our pages, the downloads, the login, and a master with workers."""

import csv
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from recording.record import COLUMNS
from tests.locust_run import ROOT, environment
from tests.simulated import Simulator
from tests.webui.conftest import Serve
from tests.webui.server import FORM, WebServer, free_port

LOGIN = """
from flask import redirect
from flask_login import UserMixin, login_user
from locust import events

class Person(UserMixin):
    id = "1"

@events.init.add_listener
def on_init(environment, web_ui=None, **_):
    if web_ui:
        web_ui.app.secret_key = "a test's"
        web_ui.login_manager.user_loader(lambda name: Person())
        web_ui.app.add_url_rule("/enter", view_func=enter)

def enter():
    login_user(Person())
    return redirect("/")
"""
OURS = ("/gateway", "/gateway/state", "/gateway/requests.csv", "/gateway/requests.jsonl",
        "/gateway/report.html", "/gateway/static/live.js", "/locust", "/gateway/runs",
        "/gateway/compare")  # fmt: skip


def test_before_the_first_run_there_is_nothing_to_download(serve: Serve) -> None:
    server = serve()
    for name in ("requests.csv", "requests.jsonl", "report.html"):
        answer = server.open(f"/gateway/{name}")
        assert answer.status == 404
        assert answer.headers["Content-Type"].startswith("text/plain")
    assert server.gateway() == []


def test_the_downloads_hold_the_runs_rows_and_report(server: WebServer) -> None:
    server.start(mode="rpm", model="m", target=600, duration=1)
    result = server.ended()
    assert result.folder is not None
    table = list(csv.reader(io.StringIO(server.open("/gateway/requests.csv").read().decode())))
    lines = server.open("/gateway/requests.jsonl").read().decode().splitlines()
    report = server.open("/gateway/report.html")
    assert tuple(table[0]) == COLUMNS
    assert len(table) == 1 + len(result.rows()) == 11
    assert [json.loads(line)["record_type"] for line in lines] == ["request"] * 10 + ["summary"]
    assert report.read() == (result.folder / "report.html").read_bytes()
    assert "attachment" in report.headers["Content-Disposition"]


def test_the_rows_can_be_downloaded_while_the_run_goes_on(server: WebServer) -> None:
    server.start(mode="rpm", model="m", target=600, duration=20)
    server.wait(lambda: sum(row["ok"] for row in server.gateway()) > 3, "some requests")
    assert server.open("/gateway/report.html").status == 404
    table = server.open("/gateway/requests.csv").read().decode().splitlines()
    server.stop()
    server.ended()
    assert len(table) > 3


def test_the_tab_and_the_report_show_the_same_numbers(server: WebServer) -> None:
    server.start(mode="rpm", model="m", target=1200, duration=2, stream="true")
    result = server.ended()
    assert result.folder is not None
    row = server.gateway()[0]
    summary = json.loads((result.folder / "summary.json").read_text("utf-8"))
    phase = summary["phases"][0]
    assert (row["planned"], row["sent"], row["ok"]) == (40, 40, phase["success"])
    assert row["rpm"] == pytest.approx(phase["observed_rpm"], abs=0.06)
    assert row["tpm"] == pytest.approx(phase["observed_tpm"], abs=0.6)
    assert row["cost"] == pytest.approx(phase["cost_sum"], abs=1e-6)
    for percent in (50, 95, 99):
        exact = phase[f"latency_p{percent}_s"]
        assert row[f"p{percent}"] == pytest.approx(exact, rel=0.002, abs=1e-4)
        exact = phase[f"ttft_p{percent}_s"]
        assert row[f"ttft{percent}"] == pytest.approx(exact, rel=0.002, abs=1e-4)


def test_our_pages_run_only_our_own_scripts(server: WebServer) -> None:
    policy = server.open("/gateway").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    for path in ("/locust", "/stats/report"):
        policy = server.open(path).headers["Content-Security-Policy"]
        assert "script-src 'self' 'nonce-" in policy


def test_our_pages_are_below_locusts_base_path(gateway: Simulator, serve: Serve) -> None:
    server = serve("-H", gateway.url, "--web-base-path", "/load", base="/load")
    for path in ("", "/state", "/runs", "/static/live.js"):
        assert server.open(f"/gateway{path}").status == 200


def test_with_web_login_our_pages_require_the_login(
    gateway: Simulator, serve: Serve, tmp_path: Path
) -> None:
    (tmp_path / "login.py").write_text(LOGIN)
    server = serve("-H", gateway.url, "--web-login", also=tmp_path / "login.py")
    for path in OURS:
        assert server.open(path).url.startswith(server.url + "/login"), path
    server.open("/swarm", {"mode": "smoke", "model": "m"})
    assert server.folders() == []
    cookie = {"Cookie": server.cookie("/enter")}
    entered = server.open("/swarm", {**FORM, "mode": "smoke", "model": "m"}, cookie)
    assert json.load(entered)["success"]
    server.wait(lambda: server.folders() != [], "the run of the one who entered")
    for path in ("/", "/gateway", "/gateway/state"):
        answer = server.open(path, headers=cookie)
        assert answer.url == server.url + path
        assert answer.status == 200


@contextmanager
def workers(port: int, count: int) -> Iterator[None]:
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "locust", "-f", str(ROOT / "locustfile.py"), "--worker",
             "--master-port", str(port)],
            cwd=ROOT, env=environment(), stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        for _ in range(count)
    ]  # fmt: skip
    yield
    for process in started:
        process.kill()
        process.wait()


@pytest.mark.long
def test_a_master_refuses_without_workers_and_shows_what_they_send(
    gateway: Simulator, serve: Serve
) -> None:
    port = free_port()
    server = serve("-H", gateway.url, "--master", "--master-bind-host", "127.0.0.1",
                   "--master-bind-port", port)  # fmt: skip
    assert "No worker is connected" in server.swarm(mode="smoke", model="m")["message"]
    with workers(port, 2):
        server.wait(lambda: server.json("/worker-count")["worker_count"] == 2, "two workers")
        server.start(mode="rpm", model="m", target=600, duration=3)
        result = server.ended()
        rows = {(row.worker, row.request_index) for row in result.rows()}
        assert {worker for worker, _ in rows} == {"worker-0", "worker-1"}
        assert len(rows) == 30
        row = server.gateway()[0]
        assert (row["sent"], row["ok"], row["flight"]) == (30, 30, 0)
        table = server.open("/gateway/requests.csv").read().decode().splitlines()
        assert len(table) == 31
        server.wait(lambda: server.state in ("ready", "stopped"), "the workers are ready")

        server.start(mode="interactive", model="m", user_count=4, spawn_rate=10)
        server.wait(lambda: sum(r["flight"] for r in server.gateway()) == 4, "four in flight")
        assert server.swarm(user_count=2, spawn_rate=10)["success"]
        server.wait(lambda: sum(r["flight"] for r in server.gateway()) == 2, "two in flight")
        server.stop()
        outcomes = [row.outcome for row in server.ended().rows()]
        assert outcomes.count("ok") > 50
        assert set(outcomes) <= {"ok", "cancelled", "dropped"}
