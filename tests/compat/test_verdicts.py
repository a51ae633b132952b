"""How rounds become a verdict, what softens it, and whose fault it is."""

import itertools

import pytest

from compat.attribution import Cause, cause, sent_directly
from compat.verdict import (
    MOST_ROUNDS,
    Finding,
    Verdict,
    agreeing,
    combine,
    every,
    ignored,
    softened,
    unsure,
    works,
    wrong,
)

ALL = [
    Verdict.WORKS,
    Verdict.IGNORED,
    Verdict.REFUSED,
    Verdict.WRONG,
    Verdict.BROKEN,
    Verdict.UNSURE,
]


@pytest.mark.parametrize("rounds", [*itertools.product(ALL, repeat=MOST_ROUNDS)])
@pytest.mark.parametrize("guarantee", [False, True])
def test_one_sample_never_accuses(rounds: tuple[Verdict, ...], guarantee: bool) -> None:
    """Every sequence of three rounds ends, and an accusation was seen at least twice."""
    so_far: list[Finding] = []
    decided = None
    for verdict in rounds:
        so_far.append(Finding(verdict, f"fact of {verdict}"))
        decided = combine(so_far, guarantee)
        if decided is not None:
            break
    assert decided is not None
    verdicts_so_far = [f.verdict for f in so_far]
    if decided.verdict.accuses:
        assert verdicts_so_far.count(decided.verdict) >= 2
    if decided.verdict is Verdict.WORKS:
        assert verdicts_so_far[0] is Verdict.WORKS or (
            not guarantee and verdicts_so_far.count(Verdict.WORKS) == 2
        )
    assert len(so_far) == 1 or verdicts_so_far[0] is not Verdict.WORKS


def test_works_at_once_is_not_sent_again() -> None:
    assert combine([works()]) == works()
    assert combine([ignored("x")]) is None and combine([]) is None
    assert combine([ignored("x"), ignored("y")]) == ignored("y")
    assert combine([ignored("x"), wrong("y")]) is None


def test_a_round_of_several_requests_has_the_gravest_verdict() -> None:
    """An accusation takes precedence over unsure; a mixture of works and ignored is unsure."""
    assert every([works, lambda: unsure("a"), lambda: wrong("b")]).verdict == "wrong"
    assert every([works, lambda: wrong("b")], ("plain", "streamed")).fact == "streamed: b"
    assert every([works, lambda: wrong("b")]).seen_in == 1
    assert agreeing([works, lambda: ignored("x")]).verdict == "unsure"
    assert agreeing([lambda: ignored("x"), lambda: ignored("x")]).verdict == "ignored"
    assert agreeing([lambda: ignored("x"), lambda: wrong("y")]).verdict == "ignored"


def test_a_prerequisite_that_does_not_work_at_all_softens_an_accusation_only() -> None:
    below = [("chat.stream", Verdict.BROKEN)]
    assert softened(wrong("x"), below).verdict == "unsure"
    assert "chat.stream is broken" in softened(wrong("x"), below).fact
    assert softened(works(), below) == works()
    assert softened(wrong("x"), [("chat.stream", Verdict.WRONG)]) == wrong("x")


def test_a_fact_is_one_line_of_at_most_200_characters() -> None:
    fact = wrong("a\nb\x1b[31m" + "c" * 900).fact
    assert len(fact) == 200 and "\n" not in fact and "\x1b" not in fact


@pytest.mark.parametrize(("here", "direct", "told"), [
    ("ignored", "ignored", Cause.MODEL), ("ignored", "works", Cause.GATEWAY),
    ("ignored", "refused", Cause.GATEWAY), ("broken", "unsure", Cause.UNKNOWN),
    ("broken", None, Cause.UNKNOWN), ("works", "ignored", Cause.UNKNOWN),
    ("unsure", "works", Cause.UNKNOWN), ("wrong", "not tried", Cause.UNKNOWN),
])  # fmt: skip
def test_the_cause_follows_from_both_routes_verdicts(
    here: str, direct: str | None, told: Cause
) -> None:
    assert cause(Verdict(here), Verdict(direct) if direct else None) is told


def test_checks_that_do_not_work_are_also_sent_directly() -> None:
    assert [v for v in Verdict if not sent_directly(v)] == [Verdict.WORKS, Verdict.NOT_TRIED]
