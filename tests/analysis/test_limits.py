"""The rate-limit audit against a gateway whose clock is the test's:

no request, no sleep. The program decides each phase as in a run; a model gateway with the
simulator's meters answers; and the rows give the result.
"""

import heapq
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from analysis.numbers.rate_limit_audit import Audit, audit
from analysis.page import markdown
from analysis.reading.load import load
from analysis.report import report
from loadshapes import modes
from loadshapes.finding import Finding
from loadshapes.modes import limits
from loadshapes.phase import Phase
from recording.errors import OperatorError
from recording.record import RequestRecord
from settings.options import Options
from simulator.limits import Limits
from tests.analysis.runs import make, phase, record
from tests.builders import phase_of

OPTIONS = Options(mode="limits", model="m", budget=1.0, task_id_prefix="p")
PROMPT = {"marker": 12, "padded": 4000}
ANSWER = 6


@dataclass
class Gateway:
    """Answers phases on a clock of its own; `headers` says whether it states its limits."""

    rpm: int | None = None
    tpm: int | None = None
    kind: str = "bucket"
    lie: float = 1.0
    began: float = 1_795_000_000.0
    latency_s: float = 0.5
    headers: bool = True
    waits: bool = True
    now: float = field(init=False)
    begun: dict[str, float] = field(default_factory=dict)
    rows: list[RequestRecord] = field(default_factory=list)
    phases: list[Phase] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.now = self.began
        self.limits = Limits(self.rpm, self.tpm, lambda: self.now, self.lie, self.kind)

    def run(self, options: Options = OPTIONS) -> "Gateway":
        """Runs the whole audit."""
        unfold = modes.plan(options).unfold
        assert unfold is not None
        program = unfold()
        block = next(program)
        while True:
            try:
                block = program.send(self.answer(block))
            except StopIteration:
                return self

    def answer(self, block: Phase) -> Finding:
        """Run one phase: users that send as soon as they are free, or at their due times."""
        t0 = max(self.now + 0.6, block.not_before_unix_s or 0.0)
        self.begun[block.name], rows = t0, []
        self.phases.append(block)
        free = [t0 + i * 1e-4 for i in range(block.users)]
        most = block.schedule.most or 10**6
        stop_at = t0 + block.duration_s if block.count is None and block.duration_s else 1e18
        settle, ends = list[tuple[float, int, int]](), 0
        for index in range(most):
            due = block.due_s(index)
            sent = max(heapq.heappop(free), t0 + due if due is not None else 0.0)
            while settle and settle[0][0] <= sent:
                self._settle(heapq.heappop(settle))
            if sent >= stop_at:
                break
            self.now = sent
            row = self._row(block, index, sent - t0)
            done_unix_s = t0 + (row.done_offset_s or 0.0)
            if row.success:
                charged = PROMPT[block.request] + (block.max_tokens or 0)
                heapq.heappush(settle, (done_unix_s, charged, row.total_tokens or 0))
            elif row.outcome == block.ends_on and (ends := ends + 1) == block.ends_after:
                stop_at = min(stop_at, done_unix_s)
            heapq.heappush(free, done_unix_s)
            rows.append(row)
        while settle:
            self._settle(heapq.heappop(settle))
        self.now = max([t0, *(t0 + (row.done_offset_s or 0.0) for row in rows)])
        self.rows += rows
        return Finding(block, tuple(rows), t0_unix_s=t0)

    def _settle(self, due: tuple[float, int, int]) -> None:
        self.now = max(self.now, due[0])
        self.limits.settle("k", due[1], due[2])

    def _row(self, block: Phase, index: int, sent_s: float) -> RequestRecord:
        prompt = PROMPT[block.request]
        refusal = self.limits.admit("k", prompt + (block.max_tokens or 0))
        known: dict[str, Any] = {}
        if self.headers:
            stated = {k.decode(): int(v) for k, v in self.limits.headers("k") if v.isdigit()}
            known = {
                f"ratelimit_{which}_{unit}": stated.get(f"x-ratelimit-{which}-{unit}")
                for which in ("limit", "remaining")
                for unit in ("requests", "tokens")
            }
        if refusal is not None:
            wait_s = refusal.wait_s * self.lie if self.waits else None
            known |= {
                "outcome": "rate_limited", "success": False, "http_status": 429, "api_cost": None,
                "total_tokens": None, "retry_after_s": wait_s, "cost_source": "unknown",
            }  # fmt: skip
        else:
            known["total_tokens"] = prompt + ANSWER
        took_s = 0.01 if refusal is not None else self.latency_s
        return record(
            index, phase=block.name, mode="limits", scenario=block.scenario, target=None,
            model_requested=block.model, scheduled_offset_s=None, send_lag_s=None,
            duration_s=block.duration_s, sent_offset_s=sent_s, done_offset_s=sent_s + took_s,
            elapsed_sec=took_s, max_tokens=block.max_tokens, task_id=block.task_id(index),
            prompt_tokens=prompt, **known,
        )  # fmt: skip

    def audit(self) -> Audit:
        return audit("m", [asdict(row) for row in self.rows], self.begun)


def names(phases: Sequence[Phase]) -> list[str]:
    return [block.scenario for block in phases]


@pytest.mark.parametrize("kind", ["bucket", "fixed", "sliding"])
@pytest.mark.parametrize(
    ("rpm", "second", "headers"),
    [(20, 0.0, True), (60, 47.0, True), (60, 13.0, False), (20, 30.0, False), (300, 59.0, True)],
)
def test_the_audit_finds_kind_size_and_unit_of_a_request_limit(
    kind: str, rpm: int, second: float, headers: bool
) -> None:
    """Whatever second of the minute it begins at, and whether or not the limit is stated."""
    gateway = Gateway(rpm=rpm, kind=kind, began=1_795_000_020.0 + second, headers=headers).run()
    result = gateway.audit()
    assert result.fit is not None and result.fit.kind == kind, result.fits
    assert result.fit.low - 2 <= rpm <= result.fit.high + max(2, rpm // 50)
    assert result.advertised_requests == (rpm if headers else None)
    assert result.unit == "requests"
    assert result.token_high is None
    assert sum(step.sent for step in result.steps.values()) < 6 * rpm + 600


@pytest.mark.parametrize("kind", ["bucket", "fixed", "sliding"])
@pytest.mark.parametrize(("lie", "truth"), [(1.0, "true"), (0.3, "too short"), (2.0, "too long")])
def test_a_false_retry_after_is_detected(kind: str, lie: float, truth: str) -> None:
    result = Gateway(rpm=6, kind=kind, lie=lie, began=1_795_000_025.0).run().audit()
    assert result.wait is not None and result.wait.truth == truth


@pytest.mark.parametrize("kind", ["bucket", "fixed", "sliding"])
def test_the_audit_does_not_wait_for_hours(kind: str) -> None:
    """A gateway that answers `Retry-After: 86400` must not hold the audit up for a day."""
    gateway = Gateway(rpm=20, kind=kind, lie=10_000.0, began=1_795_000_025.0).run()
    assert gateway.now - gateway.began < 10 * 60
    result = gateway.audit()
    assert result.wait is not None and result.wait.truth == "too long"
    assert result.fit is not None and result.fit.kind == kind


def test_a_wait_of_a_tenth_of_a_second_is_tried_only_after_it() -> None:
    """At 600 a minute no request can be sent before the wait is over."""
    gateway = Gateway(rpm=600).run()
    wait = gateway.audit().wait
    (sent,) = [block for block in gateway.phases if block.scenario == "wait"]
    assert sent.count == 1
    assert wait is not None and wait.before is None and wait.after and wait.truth == "unknown"


def test_without_a_retry_after_no_wait_is_tried() -> None:
    gateway = Gateway(rpm=20, waits=False).run()
    assert "wait" not in names(gateway.phases) and gateway.audit().wait is None


@pytest.mark.parametrize("kind", ["bucket", "fixed", "sliding"])
@pytest.mark.parametrize("headers", [True, False])
def test_the_audit_finds_a_token_limit_beside_a_request_limit(headers: bool, kind: str) -> None:
    """At 100,000 tokens a minute 24 prompts of 4,006 pass, whatever the limit of requests."""
    gateway = Gateway(rpm=600, tpm=100_000, kind=kind, headers=headers, latency_s=3.0).run()
    result = gateway.audit()
    assert result.unit == "requests"
    assert result.advertised_tokens == (100_000 if headers else None)
    assert result.token_low is not None and result.token_high is not None
    assert result.token_low - 4_100 <= 100_000 <= result.token_high + 4_100


@pytest.mark.parametrize("kind", ["bucket", "fixed", "sliding"])
@pytest.mark.parametrize(("tpm", "latency_s"), [(1_000, 0.05), (3_000, 2.0), (3_000, 0.5)])
def test_a_small_token_limit_is_bounded_from_short_requests(
    kind: str, tpm: int, latency_s: float
) -> None:
    """No long prompt fits: bounded by what the short ones used and what they may have reserved."""
    began = 1_795_000_025.0
    gateway = Gateway(rpm=5_000, tpm=tpm, kind=kind, latency_s=latency_s, began=began)
    result = gateway.run().audit()
    assert result.unit == "tokens"
    assert result.token_low is not None and result.token_high is not None
    assert result.token_low <= tpm <= result.token_high <= 2 * tpm


def test_a_gateway_without_limits_gets_no_further_phases() -> None:
    gateway = Gateway(headers=False, latency_s=0.2).run()
    result = gateway.audit()
    assert names(gateway.phases) == ["look", "fill", "long", "tokens"]
    assert result.fit is None and result.refused == 0 and result.token_high is None
    assert result.steps["fill"].sent == OPTIONS.limits_most


def test_no_phase_sends_more_than_limits_most() -> None:
    gateway = Gateway(rpm=600).run(Options(**(asdict(OPTIONS) | {"limits_most": 50})))
    assert all(step.sent <= 50 for step in gateway.audit().steps.values())


def test_each_model_is_audited_separately() -> None:
    gateway = Gateway(rpm=20).run(Options(**(asdict(OPTIONS) | {"model": "a,b"})))
    assert {block.model for block in gateway.phases} == {"a", "b"}
    assert len({block.name for block in gateway.phases}) == len(gateway.phases)


def test_an_audit_stops_after_an_interruption() -> None:
    """Windows have moved on, so that earlier rows say nothing about later ones."""
    program = limits._program(OPTIONS)
    sent = [next(program), program.send(Finding(OPTIONS_LOOK))]
    with pytest.raises(StopIteration):
        program.send(Finding(sent[1]))


OPTIONS_LOOK = phase_of(
    name="x", mode="limits", scenario="look", model="m", kind="steady", request="marker", users=1,
    count=1,
)  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"model": ""}, "--model is missing: mode limits"),
        ({"budget": 0.0}, "give --budget or --budget-tokens"),
        ({"limits_most": 0}, "--limits-most must be above 0"),
    ],
)
def test_an_operator_error_is_a_sentence(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(OperatorError, match=says):
        modes.plan(Options(**(asdict(OPTIONS) | changes)))


def section_text(folder: Path, gateway: Gateway, lang: Any = "en") -> str:
    events = [
        {"at": "2026-11-26T00:00:00+00:00", "event": "phase_start", "phase": name, "t0_unix_s": t0}
        for name, t0 in gateway.begun.items()
    ]
    planned = [phase(block.name, mode="limits", count=block.count) for block in gateway.phases]
    make(folder, *gateway.rows, plan=planned, events=events, mode="limits")
    view = report.look(load(folder), lang)
    report.write(view)
    text = markdown.render(report.compose(view))
    title = "## Rate limits" if lang == "en" else "## 限流"
    return text.partition(title)[2].partition("\n## ")[0]


def test_the_report_states_the_limit_with_its_evidence(tmp_path: Path) -> None:
    gateway = Gateway(rpm=60, tpm=100_000, kind="sliding", lie=0.5).run()
    text = section_text(tmp_path / "r", gateway)
    assert "⚠️ m: a sliding window of 60 requests a minute; its Retry-After: too short" in text
    assert "| Requests a minute | 60 | 60 |" in text
    assert "| How it counts | - | sliding window |" in text
    assert "| What runs out | - | requests |" in text
    assert "| Tokens a minute | 100,000 |" in text
    assert "s: refused; +" in text
    assert "滑动窗口" in section_text(tmp_path / "zh", gateway, "zh")
    (summary,) = json.loads((tmp_path / "r" / "summary.json").read_text("utf-8"))["limits"]
    assert (summary["kind"], summary["retry_after"], summary["unit"]) == (
        "sliding",
        "too short",
        "requests",
    )


def test_the_report_bounds_a_token_limit_that_short_requests_met(tmp_path: Path) -> None:
    text = section_text(tmp_path / "r", Gateway(rpm=5_000, tpm=3_000, began=1_795_000_025.0).run())
    assert "| Tokens a minute | 3,000 | " in text
    assert "short requests were refused after" in text


def test_a_limit_other_than_the_stated_one_is_reported(tmp_path: Path) -> None:
    """The gateway states 600 and admits 60."""
    gateway = Gateway(rpm=60, kind="fixed").run()
    gateway.rows = [
        RequestRecord(**(asdict(row) | {"ratelimit_limit_requests": 600})) for row in gateway.rows
    ]
    assert "⚠️ m: a fixed window of 60 requests" in section_text(tmp_path / "r", gateway)


class FewAtOnce(Gateway):
    """Refuses requests while `most` are in flight, however many a minute."""

    most = 4

    def _row(self, block: Phase, index: int, sent_s: float) -> RequestRecord:
        row = super()._row(block, index, sent_s)
        t0 = self.begun[block.name]
        self.under_way = [done for done in getattr(self, "under_way", []) if done > t0 + sent_s]
        if len(self.under_way) < self.most:
            self.under_way.append(t0 + (row.done_offset_s or 0.0))
            return row
        return replace(
            row, outcome="rate_limited", success=False, http_status=429, api_cost=None,
            total_tokens=None, done_offset_s=sent_s + 0.01, elapsed_sec=0.01,
        )  # fmt: skip


@pytest.mark.parametrize("most", [2, 4, 9])
def test_a_concurrency_limit_is_never_called_a_limit_per_minute(tmp_path: Path, most: int) -> None:
    """It is named or left open; it used to be called "about 5 a minute"."""
    gateway = FewAtOnce(rpm=100_000)
    gateway.most = most
    result = gateway.run().audit()
    assert result.fit is None and result.unit in ("concurrency", None)
    assert result.at_once in (most, None)


class Seconds(Gateway):
    """Refuses more than `most` in a few seconds: below that it looks like a concurrency limit."""

    most, window_s = 20, 5.0

    def _row(self, block: Phase, index: int, sent_s: float) -> RequestRecord:
        row, at = super()._row(block, index, sent_s), self.begun[block.name] + sent_s
        self.lately = [x for x in getattr(self, "lately", []) if x > at - self.window_s]
        if len(self.lately) < self.most:
            self.lately.append(at)
            return row
        return replace(
            row, outcome="rate_limited", success=False, http_status=429, api_cost=None,
            total_tokens=None, done_offset_s=sent_s + 0.01, elapsed_sec=0.01,
        )  # fmt: skip


@pytest.mark.parametrize("window_s", [1.0, 5.0, 10.0])
@pytest.mark.parametrize("latency_s", [0.3, 2.0, 6.0])
def test_a_window_of_seconds_is_not_called_concurrency(window_s: float, latency_s: float) -> None:
    """The two look alike: only the gateway's own words can name concurrency."""
    for most in (2, 5, 20):
        gateway = Seconds(rpm=100_000, headers=False, latency_s=latency_s)
        gateway.most, gateway.window_s = most, window_s
        result = gateway.run().audit()
        assert result.unit in (None, "requests")


@pytest.mark.parametrize("kind", ["bucket", "fixed", "sliding"])
@pytest.mark.parametrize(
    "tpm", [150, 500, 1_000, 3_000, pytest.param(20_000, marks=pytest.mark.long)]
)
def test_a_token_limit_alone_gets_no_kind_unit_or_concurrency(kind: str, tpm: int) -> None:
    """A sliding 500 a minute was once called a bucket: tokens that are given back hide the kind."""
    for second in range(0, 60, 20):
        for latency_s in (0.3, 6.0):
            began = 1_795_000_020.0 + second
            gateway = Gateway(tpm=tpm, kind=kind, headers=False, began=began, latency_s=latency_s)
            result = gateway.run().audit()
            assert (result.fit, result.unit, result.at_once) == (None, None, None)


@pytest.mark.parametrize(
    ("words", "unit"),
    [
        ("Max parallel request limit reached", "concurrency"),
        ("Too many concurrent requests", "concurrency"),
        ("并发请求数超过限制", "concurrency"),
        ("Rate limit reached on requests per min (RPM): Limit 3, Used 3", "requests"),
        ("Rate limit reached on tokens per min (TPM): Limit 10000, Used 9999", "tokens"),
        ("Crossed TPM / RPM / Max Parallel Request Limit", None),
        ("Too many requests", None),
    ],
)
def test_the_gateways_message_names_the_unit_of_its_limit(words: str, unit: str | None) -> None:
    """A message that names several units, or none, decides nothing."""
    gateway = FewAtOnce(rpm=100_000, headers=False)
    gateway.run()
    gateway.rows = [
        replace(row, error_message=words) if row.outcome == "rate_limited" else row
        for row in gateway.rows
    ]
    result = gateway.audit()
    assert result.unit == unit and (unit != "concurrency" or result.at_once == 4)


@pytest.mark.parametrize("kind", ["bucket", "fixed", "sliding"])
@pytest.mark.parametrize("tpm", [200, 1_000])
def test_a_token_limit_is_never_called_a_request_limit(kind: str, tpm: int) -> None:
    """Without headers short requests cannot tell, and no unit is claimed."""
    for headers in (True, False):
        result = Gateway(tpm=tpm, kind=kind, headers=headers, began=1_795_000_020.0).run().audit()
        assert result.unit in ("tokens", None) and result.at_once is None, result.unit


@pytest.mark.parametrize("second", [0.0, 20.0, 47.0])
def test_a_limit_of_three_a_minute_is_bounded_or_left_open(second: float) -> None:
    result = Gateway(rpm=3, kind="fixed", began=1_795_000_020.0 + second).run().audit()
    assert result.at_once is None
    assert result.fit is None or (result.fit.low <= 3 <= result.fit.high), result.fits


class SmallBucket(Gateway):
    """Lets `holds` through at once and then `rpm` a minute, as most gateways' buckets do."""

    holds = 20

    def _row(self, block: Phase, index: int, sent_s: float) -> RequestRecord:
        at, most = self.begun[block.name] + sent_s, self.holds
        level, since = getattr(self, "level", (float(most), at))
        level = min(float(most), level + (at - since) * (self.rpm or 0) / 60)
        self.limits = Limits(None, None, lambda: self.now)
        row = super()._row(block, index, sent_s)
        self.level = (level - 1, at) if level >= 1 else (level, at)
        row = replace(row, ratelimit_limit_requests=self.rpm)
        if level >= 1:
            return row
        return replace(
            row, outcome="rate_limited", success=False, http_status=429, api_cost=None,
            total_tokens=None, done_offset_s=sent_s + 0.01, elapsed_sec=0.01,
            ratelimit_remaining_requests=0, retry_after_s=1.0,
        )  # fmt: skip


def test_what_a_small_bucket_holds_is_not_reported_as_requests_a_minute(tmp_path: Path) -> None:
    """20 at once, refilled by 120 a minute: the table used to say "about 21" a minute."""
    text = section_text(tmp_path / "r", SmallBucket(rpm=120, latency_s=0.3).run())
    assert "| Requests a minute | 120 | unknown |" in text
    assert "requests go through at once, and then it refuses" in text
    assert "measure it with mode rpm --target 120." in text
    first = (tmp_path / "r" / "report.md").read_text("utf-8").partition("## ")[0]
    assert "requests go through at once, and then it refuses" in first


@pytest.mark.parametrize("most", [5, 20])
def test_what_a_window_of_seconds_admits_is_not_reported_as_requests_a_minute(
    tmp_path: Path, most: int
) -> None:
    gateway = Seconds(rpm=100_000, headers=False, latency_s=0.3)
    gateway.most = most
    text = section_text(tmp_path / "r", gateway.run())
    found = text.partition("| Requests a minute |")[2].partition("\n")[0].split("|")[1]
    assert found.strip() in ("unknown", "not reached"), text
    assert "short requests a minute" not in text
