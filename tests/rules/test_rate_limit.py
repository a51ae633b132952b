"""A limit is told from what it lets through, judged by the simulator's own meters."""

from random import Random

import pytest

from rules.rate_limit import Attempt, Fit, at_once, fits, peak, told, truth_of_wait
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
    found = []
    for at_s in times:
        admitted = meter.wait_s(1, began + at_s) == 0
        if admitted:
            meter.take(1, began + at_s)
        found.append(Attempt(at_s, 1, admitted))
    return found


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize(
    ("limit", "began"), [(20, 0.0), (20, 41.5), (60, 17.0), (60, 58.9), (300, 30.0)]
)
def test_the_kind_and_the_size_of_a_limit_are_told(kind: str, limit: int, began: float) -> None:
    """Wherever in the minute the audit begins."""
    found = fits(attempts(kind, limit, schedule(limit, Random(3)), began))
    fit = told(found)
    assert fit is not None and fit.kind == kind, found
    assert fit.low <= limit <= fit.high or abs(fit.low - limit) <= max(1, limit // 50)
    assert fit.high - fit.low <= max(2, limit // 10)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_requests_that_overtake_each_other_do_not_hide_the_kind(kind: str) -> None:
    """Sent within 0.1 s of each other, they may arrive in any order."""
    dice = Random(8)
    exact = attempts(kind, 100, schedule(100, dice), 23.0)
    shaken = [Attempt(a.at_s + dice.uniform(-0.05, 0.05), 1, a.admitted) for a in exact]
    fit = told(fits(shaken))
    assert fit is not None and fit.kind == kind


def test_one_fill_does_not_tell_the_kinds_apart() -> None:
    """At the first refusal every kind looks the same: the answer is that it cannot be told."""
    times = [i / 100 for i in range(80)]
    assert told(fits(attempts("sliding", 60, times, 0.0))) is None


def test_refusals_by_chance_are_no_limit() -> None:
    """A gateway that refuses a third at random is explained by no kind."""
    dice = Random(1)
    found = [Attempt(t, 1, dice.random() > 0.33) for t in schedule(60, dice)]
    assert told(fits(found)) is None


def test_without_a_refusal_there_is_nothing_to_tell() -> None:
    assert fits([Attempt(i / 10, 1, True) for i in range(50)]) == []
    assert fits([]) == [] and told([]) is None


def test_tokens_are_told_as_requests_are() -> None:
    """Of 4,000 each, 25 fill 100,000 a minute."""
    meter = KINDS["sliding"](100_000, 0.0)
    found = []
    for at_s in (n + i / 5 for n in (0, 70, 85, 132) for i in range(12 if n == 70 else 33)):
        admitted = meter.wait_s(4000, at_s) == 0
        if admitted:
            meter.take(4000, at_s)
        found.append(Attempt(at_s, 4000, admitted))
    fit = told(fits(found))
    assert fit is not None and fit.kind == "sliding"
    assert fit.low <= 100_000 <= fit.high + 4000


def test_the_peak_is_of_any_sixty_seconds() -> None:
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
def test_a_stated_wait_is_judged_by_two_requests(
    before: bool | None, after: bool | None, truth: str
) -> None:
    assert truth_of_wait(before, after) == truth


def test_a_fit_that_is_often_wrong_is_not_believed() -> None:
    good, bad = Fit("bucket", 60, 60, 2, 100), Fit("sliding", 60, 60, 30, 100)
    assert told([good, bad]) == good
    assert told([Fit("bucket", 60, 60, 9, 100), bad]) is None
    assert told([good, Fit("fixed", 60, 60, 3, 100)]) is None


def test_a_limit_of_requests_in_flight_is_replayed() -> None:
    """Forty waves of ten at a gateway that takes four at once: the size, and no decision wrong."""
    decided, under_way = list[tuple[float, float, bool]](), list[float]()
    for wave in range(40):
        for place in range(10):
            sent = wave * 0.3 + place * 0.001
            under_way = [done for done in under_way if done > sent]
            let = len(under_way) < 4
            under_way += [sent + 0.5] * let
            decided.append((sent, sent + (0.5 if let else 0.01), let))
    found = at_once(decided)
    assert found is not None and (found.size, found.wrong, found.attempts) == (4, 0, 400)
    assert at_once([(0.0, 1.0, True), (0.1, 1.1, True)]) is None
