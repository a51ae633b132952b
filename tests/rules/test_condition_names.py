"""Conditions on what is counted by name: outcomes, statuses, flags."""

import inspect

import pytest

from recording.outcome import Outcome
from rules import condition_names
from rules.conditions import METRICS, ConditionError, Where, metric_of, parse
from tasks import answer_flags

NUMBERS = {
    "status_counts": {"200": 7, "401": 1, "429": 3, "500": 2, "503": 1, "None": 4},
    "outcomes": {"ok": 7, "rate_limited": 3, "budget_spent": 2},
    "checks": {"pass": 5, "usage_sum": 2, "budget_spent": 1},
}


@pytest.mark.parametrize(
    ("name", "count"),
    [("http_429", 3), ("http_401", 1), ("http_404", 0), ("http_5xx", 3), ("http_4xx", 4),
     ("http_2xx", 7), ("rate_limited", 3), ("auth", 0), ("usage_sum", 2), ("usage_missing", 0),
     ("budget_spent", 3)],
)  # fmt: skip
def test_a_name_counts_the_rows_that_it_means(name: str, count: int) -> None:
    assert condition_names.count(name, NUMBERS) == count
    (condition,) = parse(f"{name}>0")
    metric = metric_of(name)
    assert metric is not None and metric.where is Where.EVERY and metric.meaning
    assert condition.met(count) is (count > 0)


@pytest.mark.parametrize("name", ["http_42", "http_600", "http_6xx", "http_", "no_such", "pass"])
def test_an_unknown_name_is_refused(name: str) -> None:
    with pytest.raises(ConditionError, match="is unknown: use success_rate"):
        parse(f"{name}>0")


def test_every_outcome_and_flag_has_a_count_of_its_own() -> None:
    """The flags of tasks/answer_flags.py; no name means two different things."""
    listed = (inspect.getdoc(answer_flags) or "").split("\n\n")[1].splitlines()
    flags = {line.split()[0] for line in listed if not line.startswith(" ")}
    assert flags <= set(condition_names.FLAGS)
    for name in [*flags, *(outcome.value for outcome in Outcome)]:
        assert metric_of(name) is not None
    assert set(METRICS) & {*condition_names.FLAGS, *condition_names.OUTCOMES} == {"dropped"}
