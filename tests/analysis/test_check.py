"""Runs judged by conditions, against hand-worked tables."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from analysis.reading.load import load
from analysis.report import report
from analysis.report.check import Check, judge, sentence
from analysis.report.summary import Summary
from analysis.report.verdicts import verdicts
from loadshapes import modes
from recording.record import RequestRecord
from rules.conditions import JUDGED, MARKED, METRICS, Where, parse
from rules.prices import Price, Prices
from settings.options import Options
from tasks.builders import BUILDERS
from tests.analysis.runs import PHASE, dropped, failed, make, phase, probe, record


def checks(folder: Path, text: str, *records: RequestRecord, **made: Any) -> list[Check]:
    """What a run of these records is judged to be; the check of its completeness comes first."""
    return judge(report.look(load(make(folder, *records, **made))), parse(text))


def judged(folder: Path, text: str, *records: RequestRecord, **made: Any) -> list[tuple[str, str]]:
    """Each condition's verdict and what was found."""
    _, *found = checks(folder, text, *records, **made)
    return [(check.verdict, str(check)) for check in found]


TEN = [record(i, elapsed_sec=float(i + 1), done_offset_s=120.0) for i in range(8)] + [
    failed(8, "rate_limited", done_offset_s=10.0),
    dropped(9),
]
"""Eight successes of 1 to 8 s in 120 s, one failure, one request never sent."""


SLOWEST_95 = "p95_s cannot be judged from 8 (a P95 takes 20): the slowest took 8 s"
SLOWEST_99 = "p99_s cannot be judged from 8 (a P99 takes 100): the slowest took 8 s"


@pytest.mark.parametrize(
    ("condition", "verdict", "found"),
    [
        ("success_rate<0.8", "passed", "success_rate is 0.8 (fails if <0.8)"),
        ("success_rate<0.81", "failed", "success_rate is 0.8 (fails if <0.81)"),
        ("success_rate<=0.8", "failed", "success_rate is 0.8 (fails if <=0.8)"),
        ("p50_s>3.9", "failed", "p50_s is 4 s (fails if >3.9)"),
        ("p95_s>8", "passed", f"{SLOWEST_95} (fails if >8)"),
        ("p95_s>=8", "failed", f"{SLOWEST_95} (fails if >=8)"),
        ("p99_s>7.5", "failed", f"{SLOWEST_99} (fails if >7.5)"),
        ("cost_per_success>0.00006", "failed", "cost_per_success is 6.9e-05 CNY (fails if >6e-05)"),
        ("observed_rpm<4", "passed", "observed_rpm is 4 per minute (fails if <4)"),
        ("observed_tpm<72.5", "failed", "observed_tpm is 72 per minute (fails if <72.5)"),
        ("dropped>0", "failed", "dropped is 1 (fails if >0)"),
        ("failures>0", "failed", "failures is 1 (fails if >0)"),
        ("failures>1", "passed", "failures is 1 (fails if >1)"),
        ("unknown_costs>0", "failed", "unknown_costs is 1 (fails if >0)"),
        ("send_lag_p99_s>0.001", "passed", "send_lag_p99_s is 0.001 s (fails if >0.001)"),
        ("marker_rate<1", "passed", "marker_rate is 1 (fails if <1)"),
    ],
)
def test_a_hand_worked_window(tmp_path: Path, condition: str, verdict: str, found: str) -> None:
    """Each number is the summary's, and the limit itself is still good for < and >."""
    assert judged(tmp_path / "r", condition, *TEN) == [(verdict, f"{PHASE}: {found}")]


@pytest.mark.parametrize(
    ("condition", "records", "verdict", "found"),
    [
        ("p99_s>1", [(180, {}), (20, {"outcome": "timeout_first_byte", "elapsed_sec": 3.0})],
         "failed", "p99_s is more than 3 s, 20 of 200 had no answer"),
        ("p99_s>1", [(199, {}), (1, {"outcome": "timeout_total", "elapsed_sec": 3.0})],
         "passed", "p99_s is 0.05 s, 1 of 200 had no answer"),
        ("p99_s>1", [(190, {}), (10, {"outcome": "connection_reset", "elapsed_sec": 0.2})],
         "unknown", "p99_s is not known, it is more than 0.2 s, 10 of 200 had no answer"),
        ("p50_s>1", [(120, {}), (80, {"outcome": "timeout_total", "elapsed_sec": 3.0})],
         "passed", "p50_s is 0.05 s, 80 of 200 had no answer"),
        ("p99_s>1", [(100, {}), (100, {"outcome": "rate_limited", "elapsed_sec": 3.0})],
         "passed", "p99_s is 0.05 s"),
        ("p99_s>1", [(100, {}), (100, {"outcome": "server_error", "elapsed_sec": 9.0,
                                       "http_status": 504})],
         "failed", "p99_s is more than 9 s, 100 of 200 had no answer"),
        ("p95_s>1", [(5, {}), (5, {"outcome": "timeout_total", "elapsed_sec": 3.0})],
         "failed", "p95_s cannot be judged from 10 (a P95 takes 20): the slowest took more than "
         "3 s, 5 of 10 had no answer"),
    ],
)  # fmt: skip
def test_who_got_no_answer_is_in_the_tail(
    tmp_path: Path,
    condition: str,
    records: list[tuple[int, dict[str, Any]]],
    verdict: str,
    found: str,
) -> None:
    """Judged where it is certain, either way; refusals are no times, a proxy's timeout is one."""
    made = []
    for count, known in records:
        end = {"outcome": "ok", "elapsed_sec": 0.05} | known
        for _ in range(count):
            index = len(made)
            good = end["outcome"] == "ok"
            made.append(record(index, **end) if good else failed(index, **end))
    limit = condition.split(">")[1]
    assert judged(tmp_path / "r", condition, *made) == [
        (verdict, f"{PHASE}: {found} (fails if >{limit})")
    ]


def test_the_cost_is_the_whole_runs(tmp_path: Path) -> None:
    """0.1 in one phase and 0.2 in another are 0.3: not above it, and not below it."""
    records = [record(0, api_cost=0.1), record(0, phase="b", api_cost=0.2)]
    found = judged(tmp_path / "r", "cost>0.3,cost<0.3,cost>=0.3", *records)
    assert [verdict for verdict, _ in found] == ["passed", "passed", "failed"]
    assert found[2][1] == "the run: cost is 0.3 CNY (fails if >=0.3)"


@pytest.mark.parametrize(
    ("condition", "records", "found"),
    [
        ("cost>9", [record(0, api_cost=None)], "the run: cost is unknown, no request states one"),
        (
            "cost>9",
            [record(0), record(1, api_cost=None)],
            "the run: cost is unknown, 1 of 2 successes state none",
        ),
        (
            "cost_per_success>9",
            [record(0), record(1, api_cost=None)],
            f"{PHASE}: cost_per_success is unknown, 1 of 2 successes state none",
        ),
        ("p95_s>9", [failed(0, "dns")], f"{PHASE}: p95_s is unknown, no request succeeded"),
        ("marker_rate<0.5", [failed(0)], f"{PHASE}: marker_rate is unknown, no request succeeded"),
        ("cost>9", [dropped(0)], "the run: cost is unknown, no request states one"),
    ],
)
def test_what_is_not_known_fails(
    tmp_path: Path, condition: str, records: list[RequestRecord], found: str
) -> None:
    """Unknown is not 0, and not good enough; the text says so, and why."""
    plan = [phase(request="marker")]
    ((verdict, text),) = judged(tmp_path / "r", condition, *records, plan=plan)
    assert verdict == "unknown"
    assert text.startswith(found)


def test_a_failure_that_states_no_cost_leaves_the_cost_known(tmp_path: Path) -> None:
    """Nobody bills a 429; `unknown_costs` counts it for who would rather know."""
    records = [record(0, api_cost=0.25), failed(1, "rate_limited", http_status=429)]
    found = judged(tmp_path / "r", "cost>0.25,unknown_costs>0", *records)
    assert [verdict for verdict, _ in found] == ["passed", "failed"]


def test_a_phase_that_was_not_run_fails(tmp_path: Path) -> None:
    """What the stop rule skipped was planned, and nobody knows its numbers."""
    plan = [phase(), phase("rpm/m/900")]
    found = judged(tmp_path / "r", "failures>5", record(0), plan=plan)
    assert found == [
        ("passed", f"{PHASE}: failures is 0 (fails if >5)"),
        ("unknown", "rpm/m/900: failures is unknown, it was not run (fails if >5)"),
    ]


@pytest.mark.parametrize(
    ("metric", "phases"),
    [
        ("observed_rpm", ["rpm", "hold", "manual"]),
        ("send_lag_p99_s", ["rpm", "burst"]),
        ("ttft_p95_s", ["hold"]),
        ("marker_rate", ["rpm", "burst", "hold", "cache", "manual"]),
        ("checks_failed", ["tools"]),
        ("p95_s", ["rpm", "burst", "hold", "cache", "tools", "smoke", "manual"]),
    ],
)
def test_a_metric_is_judged_where_it_makes_sense(
    tmp_path: Path, metric: str, phases: list[str]
) -> None:
    """A condition on TTFT asks nothing of phases that do not stream, and so on."""
    kinds: dict[str, dict[str, Any]] = {
        "rpm": {"request": "marker"},
        "burst": {"kind": "burst", "duration_s": None, "request": "marker"},
        "hold": {"kind": "steady", "request": "marker", "stream": True},
        "cache": {"kind": "steady", "duration_s": None, "request": "cache"},
        "tools": {"kind": "steady", "duration_s": None, "request": "tools"},
        "smoke": {"kind": "steady", "duration_s": None, "request": "greeting"},
        "manual": {"kind": "manual", "duration_s": None, "request": "marker"},
    }
    bare = {"send_lag_s": None, "marker_ok": None}
    records = [record(0, phase=name, **bare) for name in kinds]
    plan = [phase(name, **known) for name, known in kinds.items()]
    _, *found = checks(tmp_path / "r", f"{metric}>1", *records, plan=plan)
    assert [check.subject for check in found] == phases


def test_a_metric_that_no_phase_has_is_unknown(tmp_path: Path) -> None:
    """A limit on TTFT of a run without streams is a mistake, and does not pass in silence."""
    ((verdict, text),) = judged(tmp_path / "r", "ttft_p95_s>2", record(0))
    assert verdict == "unknown"
    assert text == "the run: ttft_p95_s is unknown, no phase has one (fails if >2)"


def test_wrong_answers_are_counted(tmp_path: Path) -> None:
    """Only what was judged wrong, of what was judged: a flag is no judgement."""
    said = ["pass", "fail", "fail", None, "model_mismatch"]
    told = [probe("tools", "m", i, check=c) for i, c in enumerate(said)]
    assert judged(tmp_path / "r", "checks_failed>1", *told) == [
        ("failed", "tools/m: checks_failed is 2 (fails if >1)")
    ]


def test_the_requests_that_are_marked_or_judged_are_the_catalogues(tmp_path: Path) -> None:
    """What the judge knows of the requests is what their builders do."""
    options = Options(mode="full", run_id="r", task_id_prefix="p")
    (any_phase, *_) = modes.plan(options).phases
    built = {
        name: build(replace(any_phase, request=name), 0, options)
        for name, build in BUILDERS.items()
        if name != "compat"  # whose requests follow from its answers, and are judged by its checks
    }
    assert {name for name, request in built.items() if request.marker is not None} == MARKED
    assert {name for name, request in built.items() if request.judge is not None} == JUDGED


def test_every_metric_is_a_number_of_the_summary(tmp_path: Path) -> None:
    """`Metric.number` names a field of summary.json, but for what is worked out for the judge."""
    (phase,) = Summary.of(report.look(load(make(tmp_path / "r", record(0))))).phases
    numbers = phase.as_dict()
    worked_out = {"flagged", "price_difference", "budget_used", "budget_tokens_used",
                  "billing_findings", "billing_overcharge", "identity_differs"}  # fmt: skip
    one_route = [metric for metric in METRICS.values() if metric.where is not Where.PAIRS]
    assert {metric.number for metric in one_route} - set(numbers) == worked_out


END = {"event": "run_end"}


@pytest.mark.parametrize(
    ("events", "found"),
    [
        ([], "the run was interrupted and never recorded its end"),
        (
            [{"event": "stopped", "reason": "the run was stopped by hand"},
             {**END, "completed": False}],
            "the run ended before its plan was done (the run was stopped by hand)",
        ),
        (
            [{"event": "failed", "error": "RuntimeError: no generator is left to run the plan"},
             {**END, "completed": False}],
            "the run ended before its plan was done (error: RuntimeError: no generator is "
            "left to run the plan)",
        ),
        ([{**END, "completed": False}, {**END, "completed": True}], ""),  # it was resumed
        ([END], ""),
    ],
)  # fmt: skip
def test_an_incomplete_run_fails_without_any_condition(
    tmp_path: Path, events: list[dict[str, Any]], found: str
) -> None:
    """Interrupted, stopped or broken: the sentence says which."""
    told = sentence(checks(tmp_path / "r", "", record(0), events=events))
    assert told == (f"{found}." if found else "")


def test_the_sentence_names_the_first_failures_and_counts_the_rest(tmp_path: Path) -> None:
    """Five are named, on one line whatever a phase is called."""
    records = [failed(0, phase=f"p\n{n}") for n in range(7)]
    told = sentence(checks(tmp_path / "r", "failures>0,dropped>0", *records))
    assert told.startswith("7 of 15 checks failed: p 0: failures is 1 (fails if >0); p 1: ")
    assert told.endswith("; and 2 more.")
    assert "\n" not in told


def test_a_value_never_looks_as_if_it_met_its_limit(tmp_path: Path) -> None:
    """0.98999999 is not shown as 0.99 when it fails for being below that."""
    two = (*(record(i, elapsed_sec=0.98999999) for i in range(2)),)
    ((verdict, text),) = judged(tmp_path / "r", "p50_s<0.99", *two)
    assert (verdict, text) == ("failed", f"{PHASE}: p50_s is 0.98999999 s (fails if <0.99)")


def test_counts_by_name_flags_and_prices_fail_a_run(tmp_path: Path) -> None:
    """A refusal by its status and its outcome, an answer by its flag, costs against the table."""
    odd = record(1, check="usage_sum")
    rows = [record(0), odd, failed(2, "rate_limited", http_status=429)]
    wanted = "http_429>0,rate_limited>0,usage_sum>0,flagged>1,flagged>0,http_5xx>0"
    found = judged(tmp_path / "r", wanted, *rows)
    assert [text.split(": ")[1] for verdict, text in found if verdict == "failed"] == [
        "http_429 is 1 (fails if >0)",
        "rate_limited is 1 (fails if >0)",
        "usage_sum is 1 (fails if >0)",
        "flagged is 1 (fails if >0)",
    ]
    ((verdict, text),) = judged(tmp_path / "s", "price_difference>0.05", *rows)
    assert verdict == "unknown" and "no price table" in text
    table = Prices({"gpt-5.4-nano": Price(input=2.0, output=6.0)}).as_dict()
    ((verdict, text),) = judged(tmp_path / "t", "price_difference>0.05", *rows, prices=table)
    # 12 in at 2 and 6 out at 6 a million are 0.000060; 0.000069 was stated, twice.
    assert (verdict, text) == ("failed", "the run: price_difference is 0.15 (fails if >0.05)")


def test_what_was_used_of_a_budget_is_a_share_of_it(tmp_path: Path) -> None:
    money = {"limit": 2.0, "spent": 1.5, "largest_underestimate": 0.0, "unstated": 0}
    events = [{"event": "accounts", "money": money}, {"event": "run_end"}]
    found = judged(tmp_path / "r", "budget_used>0.7,budget_tokens_used>0", record(0), events=events)
    assert found == [
        ("failed", "the run: budget_used is 0.75 (fails if >0.7)"),
        (
            "unknown",
            "the run: budget_tokens_used is unknown, the run has no such budget (fails if >0)",
        ),
    ]


def test_a_fault_of_ours_fails_a_run_and_is_said_on_page_one(tmp_path: Path) -> None:
    broken = record(1, success=False, outcome="internal_error", error_type="TypeError")
    found = checks(tmp_path / "r", "", record(0), broken)
    assert [one.verdict for one in found].count("failed") == 1
    assert "fault in Weighbridge itself" in sentence(found)
    told = verdicts(report.look(load(tmp_path / "r")))
    assert any("fault in Weighbridge itself" in one.text for one in told if one.level == "bad")
    assert not sentence(checks(tmp_path / "s", "", record(0)))
