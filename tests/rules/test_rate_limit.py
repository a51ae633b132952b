"""A limit is inferred from what it admits, judged by the simulator's own meters."""

from random import Random

import pytest

from rules.rate_limit import Attempt, Fit, concurrency_limit, credible, fits, peak, truth_of_wait
from simulator.limits import KINDS


def schedule(limit: int, dice: Random) -> list[float]:
    """The audit's: fill at once, then half a minute's worth, fill after 15 s, fill after 62 s."""
    rate = dice.uniform(20, 200)  # how fast a fill goes, a second
    times: list[float] = []
    for begin, count in ((0.0, 1.3), (70.0, 0.5), (85.0, 1.3), (132.0, 1.3)):
        times += [begin + i / rate for i in range(int(count * limit))]
    return times


def attempts(kind: str, limit: int, times: list[float], began: float) -> list[Attempt]:
    """What the simulator's meter of that kind does with requests sent at these times."""
    meter = KINDS[kind](limit, began)
    decided = []
    for at_s in times:
        admitted = meter.wait_s(1, began + at_s) == 0
        if admitted:
            meter.take(1, began + at_s)
        decided.append(Attempt(at_s, 1, admitted))
    return decided


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize(
    ("limit", "began"), [(20, 0.0), (20, 41.5), (60, 17.0), (60, 58.9), (300, 30.0)]
)
def test_kind_and_size_of_a_limit_are_inferred(kind: str, limit: int, began: float) -> None:
    """Wherever in the minute the audit begins."""
    fitted = fits(attempts(kind, limit, schedule(limit, Random(3)), began))
    fit = credible(fitted)
    assert fit is not None and fit.kind == kind, fitted
    assert fit.low <= limit <= fit.high or abs(fit.low - limit) <= max(1, limit // 50)
    assert fit.high - fit.low <= max(2, limit // 10)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_requests_that_overtake_one_another_do_not_hide_the_kind(kind: str) -> None:
    """Sent within 0.1 s, they may arrive in any order."""
    dice = Random(8)
    exact = attempts(kind, 100, schedule(100, dice), 23.0)
    shaken = [Attempt(a.at_s + dice.uniform(-0.05, 0.05), 1, a.admitted) for a in exact]
    fit = credible(fits(shaken))
    assert fit is not None and fit.kind == kind


def test_one_fill_is_not_enough_to_infer_the_kind() -> None:
    """Up to the first refusal every kind looks the same."""
    times = [i / 100 for i in range(80)]
    assert credible(fits(attempts("sliding", 60, times, 0.0))) is None


def test_random_refusals_fit_no_kind() -> None:
    """The gateway refuses a third at random."""
    dice = Random(1)
    decided = [Attempt(t, 1, dice.random() > 0.33) for t in schedule(60, dice)]
    assert credible(fits(decided)) is None


def test_no_limit_is_inferred_without_a_refusal() -> None:
    assert fits([Attempt(i / 10, 1, True) for i in range(50)]) == []
    assert fits([]) == [] and credible([]) is None


def test_a_token_limit_is_inferred_as_a_request_limit_is() -> None:
    """Of 4,000 each, 25 fill 100,000 a minute."""
    meter = KINDS["sliding"](100_000, 0.0)
    decided = []
    for at_s in (n + i / 5 for n in (0, 70, 85, 132) for i in range(12 if n == 70 else 33)):
        admitted = meter.wait_s(4000, at_s) == 0
        if admitted:
            meter.take(4000, at_s)
        decided.append(Attempt(at_s, 4000, admitted))
    fit = credible(fits(decided))
    assert fit is not None and fit.kind == "sliding"
    assert fit.low <= 100_000 <= fit.high + 4000


def test_the_peak_is_the_most_in_any_sixty_seconds() -> None:
    times = [0.0, 1.0, 30.0, 59.9, 60.5, 61.0]
    assert peak([Attempt(t, 1, True) for t in times]) == 4
    assert peak([Attempt(t, 1, t != 30.0) for t in times]) == 3


@pytest.mark.parametrize(
    ("before", "after", "truth"),
    [
        (False, True, "true"),
        (True, True, "too long"),
        (True, False, "too long"),
        (False, False, "too short"),
        (None, False, "too short"),
        (None, True, "unknown"),
        (False, None, "unknown"),
        (None, None, "unknown"),
    ],
)
def test_a_retry_after_is_judged_by_a_request_before_and_one_after(
    before: bool | None, after: bool | None, truth: str
) -> None:
    assert truth_of_wait(before, after) == truth


def test_a_fit_that_is_often_wrong_is_discarded() -> None:
    good, bad = Fit("bucket", 60, 60, 2, 100), Fit("sliding", 60, 60, 30, 100)
    assert credible([good, bad]) == good
    assert credible([Fit("bucket", 60, 60, 9, 100), bad]) is None
    assert credible([good, Fit("fixed", 60, 60, 3, 100)]) is None


def test_a_concurrency_limit_is_inferred_without_a_wrong_decision() -> None:
    """Forty waves of ten at a gateway that takes four at once."""
    decided, under_way = list[tuple[float, float, bool]](), list[float]()
    for wave in range(40):
        for place in range(10):
            sent = wave * 0.3 + place * 0.001
            under_way = [done for done in under_way if done > sent]
            let = len(under_way) < 4
            under_way += [sent + 0.5] * let
            decided.append((sent, sent + (0.5 if let else 0.01), let))
    best = concurrency_limit(decided)
    assert best is not None and (best.size, best.wrong, best.attempts) == (4, 0, 400)
    assert concurrency_limit([(0.0, 1.0, True), (0.1, 1.1, True)]) is None
