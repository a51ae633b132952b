"""Why a run ended, as the page shows it, in both languages."""

from pathlib import Path
from typing import Any

import pytest

from recording.events import (
    BudgetSpent,
    Ended,
    Event,
    Failed,
    PhaseStart,
    Refused,
    RunEnd,
    Stopped,
    StopRule,
    WorkerBack,
    WorkerLost,
)
from recording.reasons import Reason
from tests.simulated import Simulator
from tests.webui.conftest import Serve
from tests.webui.server import WebServer
from tests.webui.test_live import PHASE, record
from webui.ending import Ending

NO = RunEnd(completed=False)
LOST = WorkerLost(worker="w1", reason=Reason.HEARTBEATS_STOPPED)
RULE = StopRule(phase=PHASE.name, counted=9, completed=10, outcomes={"server_error": 9})
HOPELESS = Refused(phase="rpm/m/60", ends="run", which="first", counted=5, outcome="auth",
                   http_status=401, words="Invalid token \x1b[31m<b>")  # fmt: skip


def ending(*events: Event, words: tuple[str, ...] = ()) -> Ending:
    ended = Ending()
    for text in words:
        ended.add(record(outcome="server_error", success=False, error_message=text))
    for event in events:
        ended.note(event)
    return ended


@pytest.mark.parametrize(("events", "en", "zh"), [
    ((RunEnd(completed=True),), "finished its plan", "已按计划完成"),
    ((Stopped(reason=Reason.STOPPED_BY_HAND), NO),
     "ended before its plan was done; the run was stopped by hand",
     "在计划完成前结束；人工停止"),
    ((RULE, NO), "ended before its plan was done; the stop rule ended rpm/m/60: 9 of the last 10 "
     'completed requests failed (9 server_error), most of them "upstream is down"',
     "在计划完成前结束；停止规则终止了 rpm/m/60：最近 10 个完成的请求中 9 个失败"
     "（9 server_error），多数为“upstream is down”"),
    ((HOPELESS, Ended(cause=Reason.REFUSED, reason="told twice"), NO),
     "ended before its plan was done; rpm/m/60 was ended: the first 5 requests all ended in the "
     'same refusal (auth, HTTP 401, "Invalid token \\x1b[31m<b>"), as all others would: '
     "the run ended", None),
    ((BudgetSpent(phase="rpm/m/60"), Ended(cause=Reason.BUDGET, reason="the budget is spent: 0"),
      NO), "ended before its plan was done; the budget is spent: 0",
     "在计划完成前结束；预算已用尽"),
    ((Ended(cause=Reason.PAYMENT_REQUIRED, reason="the gateway wants payment (HTTP 402)"), NO),
     "ended before its plan was done; the gateway wants payment (HTTP 402): "
     '"upstream is down"', None),
    ((LOST, RunEnd(completed=True)), "finished its plan; w1: its heartbeats stopped: what it may "
     "have sent since its last message is lost",
     "已按计划完成；w1：心跳中断，自其最后一条消息以来可能已发出的请求记为 lost"),
    ((LOST, WorkerBack(worker="w1"), RunEnd(completed=True)), "finished its plan", None),
    ((LOST, Failed(error="RuntimeError: no generator is left to run the plan"), NO),
     "ended before its plan was done; a fault of the load generator (RuntimeError: no generator is "
     "left to run the plan); w1: its heartbeats stopped: what it may have sent since its last "
     "message is lost", None),
    ((PhaseStart(phase="rpm/m/60"),), "", ""),
    ((NO,), "ended before its plan was done", "在计划完成前结束"),
])  # fmt: skip
def test_each_end_has_its_reason(events: tuple[Event, ...], en: str, zh: str | None) -> None:
    ended = ending(*events, words=("slow", "upstream is down", "upstream is down"))
    assert ended.text("en") == en
    assert zh is None or ended.text("zh") == zh
    assert ended.text("zh") != ended.text("en") or not en


def test_events_are_reported_while_the_run_is_live() -> None:
    assert ending(LOST).text("en").startswith("w1: its heartbeats stopped")
    assert ending(RULE).text("en").startswith("the stop rule ended rpm/m/60")


def test_messages_of_a_hostile_gateway_are_bounded() -> None:
    """A million different messages of a megabyte each: a few are kept, cut to one line."""
    ended = ending(words=tuple(f"{i} " + "x" * 10_000 for i in range(500)))
    for i in range(500):
        ended.note(StopRule(phase=f"{PHASE.name}{i}", counted=9, completed=10))
    ended.note(RULE)
    assert len(ended.text("en")) < 2000 and "\n" not in ended.text("en")


def seen(server: WebServer) -> str:
    return str(server.json("/gateway/state")["ending"])


def test_the_page_says_finished_and_stopped_by_hand(server: WebServer) -> None:
    server.start(mode="smoke", model="m")
    server.ended()
    assert seen(server) == "finished its plan"
    server.start(mode="rpm", model="m", target=600, duration=20)
    server.wait(lambda: sum(row["ok"] for row in server.gateway()) > 3, "some requests")
    assert seen(server) == ""
    server.stop()
    server.ended()
    assert seen(server) == "ended before its plan was done; the run was stopped by hand"


@pytest.mark.parametrize(("fault", "form", "says"), [
    ("error_401", {}, "before its plan was done; rpm/m/600 was ended: the first 5 requests all "
     "ended in the same refusal (auth, HTTP 401"),
    ("error_402", {}, "the gateway wants payment (HTTP 402)"),
    ("error_500", {}, "the stop rule ended rpm/m/600: "),
])  # fmt: skip
def test_the_page_says_what_the_gateway_did(
    tmp_path: Path, serve: Serve, fault: str, form: dict[str, Any], says: str
) -> None:
    gateway = Simulator(tmp_path / "log.csv", "--profile", "fast", "--fault", f"{fault}=1.0")
    try:
        server = serve("-H", gateway.url)
        server.start(mode="rpm", model="m", target=600, duration=3, **form)
        server.ended()
        assert says in seen(server)
    finally:
        gateway.stop()
