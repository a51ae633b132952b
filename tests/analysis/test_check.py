"""Conditions of --fail-on and --slo judged on runs, against hand-worked tables."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from analysis.page.words import Words
from analysis.reading.load import load
from analysis.report import report
from analysis.report.check import Check, sentence
from analysis.report.run_checks import judge
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
    """The checks of a run of these records; the first is whether it is complete."""
    return judge(report.look(load(make(folder, *records, **made))), parse(text))


def judged(folder: Path, text: str, *records: RequestRecord, **made: Any) -> list[tuple[str, str]]:
    """Each condition's verdict and the value it was judged by."""
    _, *judgements = checks(folder, text, *records, **made)
    return [(check.verdict, str(check)) for check in judgements]


TEN = [record(i, elapsed_sec=float(i + 1), done_offset_s=120.0) for i in range(8)] + [
    failed(8, "rate_limited", done_offset_s=10.0),
    dropped(9),
]
"""Eight successes of 1 to 8 s in 120 s, one failure, one request never sent."""


SLOWEST_95 = "p95_s cannot be judged from 8 (a P95 takes 20): the slowest took 8 s"
SLOWEST_99 = "p99_s cannot be judged from 8 (a P99 takes 100): the slowest took 8 s"


@pytest.mark.parametrize(
    ("condition", "verdict", "expected"),
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
def test_each_condition_is_judged_by_the_summarys_number(
    tmp_path: Path, condition: str, verdict: str, expected: str
) -> None:
    """A value equal to the limit still passes < and >."""
    assert judged(tmp_path / "r", condition, *TEN) == [(verdict, f"{PHASE}: {expected}")]


@pytest.mark.parametrize(
    ("condition", "records", "verdict", "expected"),
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
def test_requests_without_an_answer_count_at_the_slow_end_of_a_percentile(
    tmp_path: Path,
    condition: str,
    records: list[tuple[int, dict[str, Any]]],
    verdict: str,
    expected: str,
) -> None:
    """Judged where the verdict is certain; a refusal has no time, a proxy's timeout has one."""
    records_of_run = []
    for count, known in records:
        end = {"outcome": "ok", "elapsed_sec": 0.05} | known
        for _ in range(count):
            index = len(records_of_run)
            good = end["outcome"] == "ok"
            records_of_run.append(record(index, **end) if good else failed(index, **end))
    limit = condition.split(">")[1]
    assert judged(tmp_path / "r", condition, *records_of_run) == [
        (verdict, f"{PHASE}: {expected} (fails if >{limit})")
    ]


def test_the_condition_cost_is_judged_on_the_whole_run(tmp_path: Path) -> None:
    """0.1 in one phase and 0.2 in another are exactly 0.3: neither above nor below it."""
    records = [record(0, api_cost=0.1), record(0, phase="b", api_cost=0.2)]
    judgements = judged(tmp_path / "r", "cost>0.3,cost<0.3,cost>=0.3", *records)
    assert [verdict for verdict, _ in judgements] == ["passed", "passed", "failed"]
    assert judgements[2][1] == "the run: cost is 0.3 CNY (fails if >=0.3)"


@pytest.mark.parametrize(
    ("condition", "records", "expected"),
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
def test_an_unknown_value_fails_its_condition_and_says_why(
    tmp_path: Path, condition: str, records: list[RequestRecord], expected: str
) -> None:
    plan = [phase(request="marker")]
    ((verdict, text),) = judged(tmp_path / "r", condition, *records, plan=plan)
    assert verdict == "unknown"
    assert text.startswith(expected)


def test_a_failure_that_states_no_cost_leaves_the_cost_known(tmp_path: Path) -> None:
    """Nobody bills a 429; the condition unknown_costs counts it nevertheless."""
    records = [record(0, api_cost=0.25), failed(1, "rate_limited", http_status=429)]
    judgements = judged(tmp_path / "r", "cost>0.25,unknown_costs>0", *records)
    assert [verdict for verdict, _ in judgements] == ["passed", "failed"]


def test_a_planned_phase_that_was_not_run_is_unknown(tmp_path: Path) -> None:
    """As a phase is that the stop rule skipped."""
    plan = [phase(), phase("rpm/m/900")]
    judgements = judged(tmp_path / "r", "failures>5", record(0), plan=plan)
    assert judgements == [
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
def test_a_metric_is_judged_only_on_phases_that_have_it(
    tmp_path: Path, metric: str, phases: list[str]
) -> None:
    """A condition on TTFT, for instance, asks nothing of phases that do not stream."""
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
    _, *judgements = checks(tmp_path / "r", f"{metric}>1", *records, plan=plan)
    assert [check.subject for check in judgements] == phases


def test_a_metric_that_no_phase_has_is_unknown(tmp_path: Path) -> None:
    """A limit on TTFT in a run without streams is a mistake, and must not pass silently."""
    ((verdict, text),) = judged(tmp_path / "r", "ttft_p95_s>2", record(0))
    assert verdict == "unknown"
    assert text == "the run: ttft_p95_s is unknown, no phase has one (fails if >2)"


def test_only_answers_judged_wrong_count_as_failed_checks(tmp_path: Path) -> None:
    """A flag is no judgement."""
    flags = ["pass", "fail", "fail", None, "model_mismatch"]
    answers = [probe("tools", "m", i, check=c) for i, c in enumerate(flags)]
    assert judged(tmp_path / "r", "checks_failed>1", *answers) == [
        ("failed", "tools/m: checks_failed is 2 (fails if >1)")
    ]


def test_marked_and_judged_requests_are_those_whose_builders_say_so(tmp_path: Path) -> None:
    options = Options(mode="full", run_id="r", task_id_prefix="p")
    (any_phase, *_) = modes.plan(options).phases
    built = {
        name: build(replace(any_phase, request=name), 0, options)
        for name, build in BUILDERS.items()
        if name != "compat"  # whose requests follow from its answers, and are judged by its checks
    }
    assert {name for name, request in built.items() if request.marker is not None} == MARKED
    assert {name for name, request in built.items() if request.judge is not None} == JUDGED


def test_every_metric_is_a_number_of_summary_json_or_computed_for_check(tmp_path: Path) -> None:
    (phase,) = Summary.of(report.look(load(make(tmp_path / "r", record(0))))).phases
    numbers = phase.as_dict()
    worked_out = {"flagged", "price_difference", "budget_used", "budget_tokens_used",
                  "billing_findings", "billing_overcharge", "identity_differs"}  # fmt: skip
    one_route = [metric for metric in METRICS.values() if metric.where is not Where.PAIRS]
    assert {metric.number for metric in one_route} - set(numbers) == worked_out


END = {"event": "run_end"}


@pytest.mark.parametrize(
    ("events", "expected"),
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
    tmp_path: Path, events: list[dict[str, Any]], expected: str
) -> None:
    """The sentence says whether it was interrupted, stopped or broken."""
    verdict = sentence(checks(tmp_path / "r", "", record(0), events=events), Words("en"))
    assert verdict == (f"{expected}." if expected else "")


def test_the_sentence_names_five_failures_and_counts_the_others(tmp_path: Path) -> None:
    """It is one line, even if a phase's name has a line break."""
    records = [failed(0, phase=f"p\n{n}") for n in range(7)]
    verdict = sentence(checks(tmp_path / "r", "failures>0,dropped>0", *records), Words("en"))
    assert verdict.startswith("7 of 15 checks failed: p 0: failures is 1 (fails if >0); p 1: ")
    assert verdict.endswith("; and 2 more.")
    assert "\n" not in verdict


def test_a_failed_value_is_not_rounded_to_its_limit(tmp_path: Path) -> None:
    """0.98999999 fails p50_s<0.99, and is not shown as 0.99."""
    two = (*(record(i, elapsed_sec=0.98999999) for i in range(2)),)
    ((verdict, text),) = judged(tmp_path / "r", "p50_s<0.99", *two)
    assert (verdict, text) == ("failed", f"{PHASE}: p50_s is 0.98999999 s (fails if <0.99)")


def test_statuses_outcomes_flags_and_price_differences_can_fail_a_run(tmp_path: Path) -> None:
    odd = record(1, check="usage_sum")
    rows = [record(0), odd, failed(2, "rate_limited", http_status=429)]
    wanted = "http_429>0,rate_limited>0,usage_sum>0,flagged>1,flagged>0,http_5xx>0"
    judgements = judged(tmp_path / "r", wanted, *rows)
    assert [text.split(": ")[1] for verdict, text in judgements if verdict == "failed"] == [
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


def test_budget_used_is_the_share_of_the_budget_that_was_spent(tmp_path: Path) -> None:
    money = {"limit": 2.0, "spent": 1.5, "largest_underestimate": 0.0, "unstated": 0}
    events = [{"event": "accounts", "money": money}, {"event": "run_end"}]
    judgements = judged(
        tmp_path / "r", "budget_used>0.7,budget_tokens_used>0", record(0), events=events
    )
    assert judgements == [
        ("failed", "the run: budget_used is 0.75 (fails if >0.7)"),
        (
            "unknown",
            "the run: budget_tokens_used is unknown, the run has no such budget (fails if >0)",
        ),
    ]


def test_an_internal_error_fails_the_run_and_is_bad_on_page_one(tmp_path: Path) -> None:
    broken = record(1, success=False, outcome="internal_error", error_type="TypeError")
    run_checks = checks(tmp_path / "r", "", record(0), broken)
    assert [one.verdict for one in run_checks].count("failed") == 1
    assert "fault in Weighbridge itself" in sentence(run_checks, Words("en"))
    remarks = verdicts(report.look(load(tmp_path / "r")))
    assert any("fault in Weighbridge itself" in one.text for one in remarks if one.level == "bad")
    assert not sentence(checks(tmp_path / "s", "", record(0)), Words("en"))


def test_checks_are_told_in_chinese_with_the_same_numbers(tmp_path: Path) -> None:
    """The subject, the value and what was wanted; unknown is not 0."""
    asked = "success_rate<0.81,p95_s>=8,cost>0.01,cost_per_success>1,tpot_p95_s>1"
    said = [check.text(Words("zh")) for check in checks(tmp_path / "r", asked, *TEN)]
    assert said == [
        "本次运行执行完全部计划",
        f"{PHASE}：success_rate 为 0.8（要求 ≥ 0.81）",
        f"{PHASE}：p95_s 为 max 8（n = 8）（要求 < 8）",
        "本次运行：cost 为 0.000552（要求 ≤ 0.01）",
        f"{PHASE}：cost_per_success 为 6.9e-05（要求 ≤ 1）",
        "本次运行：tpot_p95_s 未知（要求 ≤ 1）",
    ]
    events = [{"event": "stopped", "reason": "ctrl_c"}, {"event": "run_end", "completed": False}]
    run_checks = checks(tmp_path / "s", "dropped>=0", record(0), events=events)
    told = sentence(run_checks, Words("zh"))
    assert told.startswith("2 项检查中 2 项未通过：本次运行未执行完计划就结束") and told[-1] == "。"
    assert not re.search(r"[a-z]+ [a-z]+ [a-z]+", told), told
