"""Rate-limit refusals in mode billing:

provoked only on request, bounded, and their charges judged.
"""

from typing import Any

import pytest

from analysis.numbers.billing import judge
from analysis.numbers.billing_findings import Kind
from analysis.page.words import Words
from analysis.report.sections import billing
from loadshapes.modes import plan
from recording.errors import OperatorError
from settings.options import Options
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
    assert remark.endswith("was refused for the rate limit (429): not provoked.")
    assert not [one for one in remark_texts(limited(3, 20)) if "429" in one]
