"""Rate-limit refusals in mode billing:

provoked only on request, bounded, and their charges judged.
"""

import re
from typing import Any

import pytest

from analysis.numbers.billing import judge
from analysis.numbers.billing_findings import Kind
from analysis.page.words import Words
from analysis.report.sections import billing
from engine.estimate import estimate
from loadshapes.finding import Finding
from loadshapes.modes import plan
from loadshapes.phase import Phase
from recording.errors import OperatorError
from settings.options import Options
from tests.analysis.runs import record
from tests.analysis.test_billing import MODEL, PRICES, rows


def limited(refused: int, answered: int, **facts: Any) -> list[dict[str, Any]]:
    """Rows of the case: how many were refused, and how many answered."""
    (model,) = [row for row in rows() if row["scenario"] == "plain"][:1]
    none = dict.fromkeys(("prompt_tokens", "completion_tokens", "cached_tokens", "api_cost"))
    no = none | {"success": False, "outcome": "rate_limited", "cost_source": "unknown"}
    return [
        {**model, "scenario": "limited", "request_index": index}
        | (no if index < refused else {})
        | facts
        for index in range(refused + answered)
    ]


def remark_texts(more: list[dict[str, Any]]) -> list[str]:
    bill = judge(MODEL, [*rows(), *more], PRICES)
    return [str(getattr(one, "text", "")) for one in billing.remarks(Words("en", "CNY"), bill)]


def test_the_case_is_sent_only_on_request_and_last_and_ends_after_three_refusals() -> None:
    assert "limited" not in {p.scenario for p in plan(Options(mode="billing", model="m")).phases}
    phases = plan(Options(mode="billing", model="m,n", provoke_429=40)).phases
    assert [p.scenario for p in phases[-2:]] == ["limited", "limited"]
    assert sum(p.scenario == "limited" for p in phases) == 2
    last = phases[-1]
    assert (last.count, last.users, last.max_tokens) == (40, 40, 16)
    assert (last.ends_on, last.ends_after, last.stop_rule) == ("rate_limited", 3, False)


def burst(most: int, workers: int = 1000, **stated: int) -> Phase:
    """The burst after a run whose last plain answers state these headers."""
    options = Options(mode="billing", model="m", provoke_429=most, max_workers=workers)
    unfold = plan(options).unfold
    assert unfold is not None
    program = unfold()
    phase = next(program)
    while phase.scenario != "limited":
        answers = [record(0, model_requested="m", **stated)] if phase.watched else []
        phase = program.send(Finding(phase, answers))
    return phase


@pytest.mark.parametrize(
    ("most", "limit", "sent"),
    [(1000, 60, 70), (1000, 5000, 1000), (40, 60, 40), (1000, None, 1000), (1000, 0, 1000)],
)
def test_a_burst_is_no_larger_than_the_stated_limit_needs_nor_than_allowed(
    most: int, limit: int | None, sent: int
) -> None:
    stated = {} if limit is None else {"ratelimit_limit_requests": limit}
    at_once = burst(most, **stated)
    assert (at_once.count, at_once.users) == (sent, sent)
    by_few = burst(most, 20, **stated)
    assert (by_few.count, by_few.users) == (sent, 20)


def test_a_dry_run_says_what_the_burst_may_cost() -> None:
    """Output tokens at 4 a million, prompt tokens at 1, and each charge rounded up by 1e-6."""
    options = Options(mode="billing", model=MODEL, provoke_429=60)
    said = estimate(plan(options), options, PRICES)
    of_burst = said.partition("; of these --provoke-429: at most 60 requests, ")[2]
    prompts, outputs, cost = re.findall(r"[\d,]*\d(?:\.\d+)?", of_burst)[:3]
    tokens = int(prompts.replace(",", ""))
    assert outputs == "960" and 60 * 100 < tokens < 60 * 250
    assert float(cost) == pytest.approx((tokens + 4 * 960 + 60) / 1e6, rel=1e-5)
    without = Options(mode="billing", model=MODEL)
    assert "--provoke-429" not in estimate(plan(without), without)


def test_more_than_1000_requests_for_the_case_are_an_operator_error() -> None:
    with pytest.raises(OperatorError, match="--provoke-429"):
        plan(Options(mode="billing", model="m", provoke_429=1001))


def test_charged_rate_limit_refusals_are_a_finding_of_their_own() -> None:
    paid = limited(3, 20, api_cost=0.0002, cost_source="body")[:3]
    (finding,) = judge(MODEL, [*rows(), *paid], PRICES).findings
    assert (finding.kind, finding.case, finding.rows) == (Kind.REFUSED_CHARGED, "limited", 3)
    assert finding.amount == pytest.approx(0.0006) and finding.grave


def test_a_missing_429_is_reported_with_the_option_to_set() -> None:
    (remark,) = [
        one for one in remark_texts(limited(0, 20, ratelimit_limit_requests=60)) if "429" in one
    ]
    assert remark.endswith("The gateway states a limit of 60: --provoke-429 70.")
    (remark,) = [one for one in remark_texts(limited(0, 20)) if "429" in one]
    assert remark.endswith("was refused for a rate limit (429): not provoked.")
    assert not [one for one in remark_texts(limited(3, 20)) if "429" in one]
