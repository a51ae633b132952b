"""Several runs in one server process: any mode, one after another, stopped, ramped by hand."""

import json
import signal
import time
from pathlib import Path

import pytest

from recording.outcome import Outcome
from tests.locust_run import LocustRun, run
from tests.simulated import Simulator
from tests.webui.conftest import Serve
from tests.webui.server import WebServer


def sent(gateway: Simulator, run_id: str) -> int:
    """How many requests of a run the gateway has answered."""
    return sum(row["task_id"].startswith(run_id + "-") for row in gateway.rows())


def users(server: WebServer, count: int) -> None:
    server.wait(lambda: server.json("/stats/requests")["user_count"] == count, f"{count} users")


@pytest.mark.long
def test_modes_run_one_after_another_each_in_its_own_folder(
    server: WebServer, gateway: Simulator
) -> None:
    before = set(server.folders())
    server.start(mode="rpm", model="m", target=600, duration=1, max_tokens=4)
    first = server.ended()
    server.start(mode="ladder", model="a,b", steps="1,4", step_pause=0.1, stream="true")
    second = server.ended()
    assert len(set(server.folders()) - before) == 2
    assert (len(first.rows()), len(second.rows())) == (10, 10)
    assert {row.phase for row in second.rows()} == {f"ladder/{m}/{n}" for m in "ab" for n in (1, 4)}
    assert all(row.stream and row.ttft_s for row in second.rows())
    assert first.manifest()["options"]["max_tokens"] == 4
    assert first.events("run_end")[0]["completed"] and second.events("run_end")[0]["completed"]


def test_stop_keeps_the_rows_writes_the_report_and_lets_the_next_run_start(
    server: WebServer,
) -> None:
    server.start(mode="rpm", model="m", target=600, duration=20, budget=0.5)
    server.wait(lambda: sum(row["ok"] for row in server.gateway()) > 5, "some requests")
    server.stop()
    stopped = server.ended()
    (accounts,) = stopped.events("accounts")
    charged = sum(row.api_cost or 0.0 for row in stopped.rows())
    assert accounts["money"]["spent"] == pytest.approx(charged) and charged > 0
    outcomes = [row.outcome for row in stopped.rows() if row.phase == "rpm/m/600"]
    assert len(outcomes) == 200  # and one beforehand: what such a request uses
    assert outcomes.count("ok") > 5
    assert set(outcomes) == {"ok", "dropped"}
    assert stopped.events("stopped")[0]["phase"] == "rpm/m/600"
    assert stopped.events("run_end")[0]["completed"] is False
    server.start(mode="smoke", model="m")
    assert len(server.ended().rows()) == 2


def test_a_second_start_is_refused_and_leaves_the_run_alone(server: WebServer) -> None:
    server.start(mode="rpm", model="m", target=300, duration=2)
    answer = server.swarm(mode="smoke", model="other", user_count=5)
    assert not answer["success"]
    assert "A run is in progress" in answer["message"]
    result = server.ended()
    assert result.manifest()["options"]["mode"] == "rpm"
    assert {row.outcome for row in result.rows()} == {"ok"}


def test_reset_clears_locusts_tables_but_none_of_our_rows(server: WebServer) -> None:
    server.start(mode="rpm", model="m", target=600, duration=2)
    server.wait(lambda: sum(row["ok"] for row in server.gateway()) > 3, "some requests")
    server.open("/stats/reset", {})
    assert len(server.ended().rows()) == 20
    assert server.gateway()[0]["ok"] == 20


def test_interactive_users_are_ramped_up_and_down_by_hand(
    server: WebServer, gateway: Simulator
) -> None:
    """Every request is recorded once; a user stopped during a request leaves a `cancelled` row."""
    server.start(mode="interactive", model="m", user_count=2, spawn_rate=10)
    users(server, 2)
    assert server.swarm(user_count=8, spawn_rate=20)["success"]
    users(server, 8)
    assert server.swarm(user_count=3, spawn_rate=20)["success"]
    users(server, 3)
    before = server.gateway()[0]["ok"]
    server.wait(lambda: server.gateway()[0]["ok"] > before + 20, "the others go on")
    for form in ({"user_count": 0}, {"user_count": 2, "mode": "smoke"}, {"max_tokens": 5}):
        assert not server.swarm(**form)["success"]
    server.stop()
    result = server.ended()
    rows = result.rows()
    outcomes = [row.outcome for row in rows]
    assert set(outcomes) <= {"ok", "cancelled", "dropped"}
    assert 1 <= outcomes.count("cancelled") <= 5  # a user may be stopped between two requests
    assert [row.request_index for row in rows] == list(range(len(rows)))
    run_id = rows[0].run_id
    gateway_saw = sent(gateway, run_id)
    assert outcomes.count("ok") <= gateway_saw <= len(rows)
    assert max(row.in_flight or 0 for row in rows) == 8
    assert result.events("run_end")[0]["completed"] is True


def test_with_a_stop_timeout_a_stopped_user_finishes_its_request(
    gateway: Simulator, serve: Serve
) -> None:
    server = serve("-H", gateway.url, "--stop-timeout", "5")
    server.start(mode="interactive", model="m", user_count=6, spawn_rate=50)
    users(server, 6)
    assert server.swarm(user_count=1, spawn_rate=50)["success"]
    users(server, 1)
    server.stop()
    assert {row.outcome for row in server.ended().rows()} <= {"ok", "dropped"}


def test_a_run_time_ends_an_interactive_run(server: WebServer) -> None:
    server.start(mode="interactive", model="m", user_count=2, spawn_rate=5, run_time="2s")
    result = server.ended()
    assert 15 < len(result.rows()) < 80
    assert result.events("run_end")[0]["completed"] is True


@pytest.mark.long
def test_interactive_runs_headless_with_locusts_own_options(
    gateway: Simulator, tmp_path: Path
) -> None:
    """`-u`, `-r` and `-t` work as Locust documents them."""
    results = tmp_path / "results"
    result = run("-H", gateway.url, "--mode", "interactive", "--model", "m", "-u", 4, "-r", 4,
               "-t", "3s", "--stream", results=results)  # fmt: skip
    assert result.code == 0, result.text
    assert {row.outcome for row in result.rows()} <= {"ok", "dropped"}
    assert max(row.in_flight or 0 for row in result.rows()) == 4
    assert all(row.ttft_s for row in result.rows() if row.success)
    assert "have no impact" not in result.text


def test_autostart_runs_the_plan_and_leaves_the_web_ui_ready(
    gateway: Simulator, serve: Serve
) -> None:
    server = serve("-H", gateway.url, "--autostart", "--mode", "smoke", "--model", "m")
    server.wait(lambda: server.json("/gateway/state")["run"], "the first run")
    assert len(server.ended().rows()) == 2
    server.start(mode="smoke", model="a,b")
    assert len(server.ended().rows()) == 3


def test_ending_the_server_during_a_run_keeps_every_row(serve: Serve) -> None:
    server = serve()
    server.start(mode="rpm", model="m", target=600, duration=30)
    server.wait(lambda: sum(row["ok"] for row in server.gateway()) > 5, "some requests")
    folder = server.newest()
    server.process.send_signal(signal.SIGINT)
    server.process.wait(120)
    assert (folder / "report.html").exists()
    events = [json.loads(x)["event"] for x in (folder / "events.jsonl").read_text().splitlines()]
    assert [event for event in events if event != "not_sent"][-2:] == ["stopped", "run_end"]
    outcomes = [row.outcome for row in LocustRun(0, "", "", folder).rows()]
    assert len(outcomes) == 300 and set(outcomes) == {"ok", "dropped"}
    assert "KeyboardInterrupt" not in server.text
    assert server.process.returncode == 1


def test_locusts_own_statistics_count_each_request_once_and_failures_as_failures(
    simulator: type[Simulator], serve: Serve
) -> None:
    faulty = simulator("--profile", "fast", "--fault", "error_500=0.4", "--seed", 3)
    server = serve("-H", faulty.url)
    server.start(mode="rpm", model="m", target=1200, duration=2, stop_rule="off")
    rows = server.ended().rows()
    time.sleep(2.1)  # Locust caches its statistics for two seconds
    stats = server.json("/stats/requests")
    total = stats["stats"][-1]
    failed = [row for row in rows if row.outcome == Outcome.SERVER_ERROR]
    assert (total["num_requests"], total["num_failures"]) == (40, len(failed))
    assert failed and [entry["name"] for entry in stats["stats"][:-1]] == ["rpm/m/1200"]
    longest_ms = max(row.elapsed_sec or 0 for row in rows) * 1000
    assert total["max_response_time"] == pytest.approx(longest_ms, abs=1)
    gateway_row = server.gateway()[0]
    assert (gateway_row["sent"], gateway_row["ok"]) == (40, 40 - len(failed))
    outcomes = set(
        gateway_row["outcomes"].split(", ")
    )  # the commonest first: twenty of each have no order
    assert outcomes == {f"{40 - len(failed)} ok", f"{len(failed)} server_error"}


@pytest.mark.long
def test_a_stopped_long_window_writes_nothing_into_later_runs(
    server: WebServer,
) -> None:
    """A million seconds at 600 per minute, stopped, then two runs: each folder has its own rows."""
    assert server.swarm(mode="rpm", model="m", target=600, duration=1_000_000)["success"]
    server.wait(lambda: sum(row["ok"] for row in server.gateway()) > 5, "some requests")
    server.stop()
    long = server.ended()
    for form in ({"mode": "smoke"}, {"mode": "ladder", "steps": "1,4"}):
        assert server.swarm(model="m", **form)["success"]
        result = server.ended()
        assert {row.mode for row in result.rows()} == {form["mode"]}
        assert {row.run_id for row in result.rows()} == {result.folder.name}  # type: ignore[union-attr]
        assert len(result.rows()) == {"smoke": 2, "ladder": 5}[str(form["mode"])]
    assert long.folder is not None
    (left,) = long.events("not_sent")
    answered = len((long.folder / "requests-local.csv").read_text("utf-8").splitlines()) - 1
    assert left["count"] + answered == 10_000_000
    assert sum(path.stat().st_size for path in long.folder.iterdir()) < 1_000_000


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"mode": "rpm", "target": "600", "duration": "1000000000"}, "10,000,000,000 requests"),
        ({"mode": "soak", "target": "6", "duration": "1e8"}, "would last 1,157 days"),
    ],
)
def test_an_impossible_plan_is_refused(server: WebServer, form: dict[str, str], says: str) -> None:
    answer = server.swarm(model="m", **form)
    assert not answer["success"] and says in answer["message"]


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"mode": "rpm", "target": "1000000", "duration": "10"}, "1,000,000 requests a minute"),
        ({"mode": "ladder", "steps": "1,1000000"}, "1,000,000 requests at once"),
    ],
)
def test_an_excessive_plan_is_shown_with_its_size_and_must_be_confirmed(
    server: WebServer, form: dict[str, str], says: str
) -> None:
    """Sending the same form again starts it; a different one in between cancels the question."""
    for _ in range(2):
        answer = server.swarm(model="m", **form)
        assert not answer["success"] and says in answer["message"]
        assert "output tokens" in answer["message"] and "press Start once more" in answer["message"]
        assert not server.swarm(mode="rpm", model="m", target="x")["success"]
        assert not server.swarm(mode="ladder", model="m", steps="1,20000")["success"]
