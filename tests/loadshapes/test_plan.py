"""The plan's arithmetic, against the seed's own lines and exact fractions."""

import argparse
import math
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadshapes.one_by_one import one_by_one
from loadshapes.phase import Phase, rpm_count, stripe, tpm_count
from loadshapes.plan import Plan
from settings.options import Options
from tests.builders import changed, phase_of


def phase(**changes: Any) -> Phase:
    """A window of 4 requests in 2 s, with changes."""
    base = phase_of(
        name="rpm/m/120",
        mode="rpm",
        scenario="chat",
        model="m",
        kind="arrivals",
        request="marker",
        users=4,
        count=4,
        duration_s=2.0,
        task_prefix="p-",
    )
    return changed(base, **changes)


def compute_plan(args: argparse.Namespace) -> None:
    """The seed's `compute_plan`, copied as it stands in the article."""
    if args.mode == "rpm":
        planned = max(1, math.floor(args.target * args.duration / 60))
    else:
        planned = max(1, math.ceil(args.target * args.duration / 60 / args.approx_prompt_tokens))
    args.planned_requests = planned
    args.interval_s = args.duration / planned


def seed_plan(mode: str, target: int, duration: int, tokens: int = 4000) -> argparse.Namespace:
    args = argparse.Namespace(
        mode=mode, target=target, duration=duration, approx_prompt_tokens=tokens
    )
    compute_plan(args)
    return args


targets = st.integers(1, 2_000_000)
durations = st.integers(1, 7200)
tokens = st.integers(1, 200_000)


@pytest.mark.parametrize(
    ("mode", "target", "duration", "planned"),
    [
        ("rpm", 600, 60, 600),
        ("rpm", 300, 60, 300),
        ("rpm", 1, 60, 1),
        ("rpm", 1, 1, 1),  # floor gives 0: at least 1
        ("rpm", 59, 61, 59),  # 59.98: floor
        ("tpm", 50_000, 60, 13),  # 12.5: ceil
        ("tpm", 100_000, 60, 25),
        ("tpm", 1, 1, 1),
    ],
)
def test_the_articles_targets_plan_the_numbers_worked_by_hand(
    mode: str, target: int, duration: int, planned: int
) -> None:
    count = rpm_count(target, duration) if mode == "rpm" else tpm_count(target, duration, 4000)
    assert count == planned == seed_plan(mode, target, duration).planned_requests


@given(targets, durations, tokens)
def test_counts_equal_the_seeds_compute_plan(target: int, duration: int, size: int) -> None:
    assert rpm_count(target, duration) == seed_plan("rpm", target, duration).planned_requests
    assert (
        tpm_count(target, duration, size)
        == seed_plan("tpm", target, duration, size).planned_requests
    )


@given(targets, durations)
def test_the_rpm_count_is_the_floor_of_the_exact_quotient(target: int, duration: int) -> None:
    assert rpm_count(target, duration) == max(1, math.floor(Fraction(target * duration, 60)))


@given(targets, durations, tokens)
def test_the_tpm_count_is_the_exact_ceiling_or_one_more(
    target: int, duration: int, size: int
) -> None:
    """The seed's `x / 60 / tokens` rounds twice: on a whole number it may plan one request more."""
    exact = Fraction(target * duration, 60 * size)
    count = tpm_count(target, duration, size)
    if exact.denominator == 1:
        assert count in (exact, exact + 1)
    else:
        assert count == max(1, math.ceil(exact))


def test_due_times_of_a_window_are_multiples_of_the_interval() -> None:
    assert [phase().due_s(i) for i in range(4)] == [0.0, 0.5, 1.0, 1.5]


def test_a_burst_is_due_at_once() -> None:
    assert [phase(kind="burst").due_s(i) for i in range(4)] == [0.0] * 4


def test_a_steady_phase_has_no_due_times() -> None:
    assert phase(kind="steady").due_s(3) is None


@given(st.integers(1, 1_000_000), durations)
def test_due_times_are_the_seeds_and_those_of_exact_fractions(count: int, duration: int) -> None:
    interval_s = duration / count  # the seed's
    window = phase(count=count, duration_s=float(duration))
    for index in {0, 1, count // 3, count // 2, count - 1} & set(range(count)):
        due_s = window.due_s(index)
        assert due_s is not None
        assert due_s == index * interval_s
        assert abs(Fraction(due_s) - Fraction(index * duration, count)) < Fraction(1, 10**9)


@given(st.integers(1, 1_000_000), durations)
def test_the_last_request_is_due_before_the_window_ends(count: int, duration: int) -> None:
    last = phase(count=count, duration_s=float(duration)).due_s(count - 1)
    assert last is not None
    assert last < duration


@settings(max_examples=50)
@given(st.integers(2, 3000), st.floats(0.001, 1e6))
def test_due_times_never_decrease(count: int, duration: float) -> None:
    window = phase(count=count, duration_s=duration)
    times = [window.due_s(index) or 0.0 for index in range(count)]
    assert times == sorted(times)


@given(st.integers(0, 5000), st.integers(1, 40))
def test_the_stripes_of_all_generators_hold_every_index_exactly_once(
    count: int, slots: int
) -> None:
    owned = [index for slot in range(slots) for index in stripe(count, slot, slots)]
    assert sorted(owned) == list(range(count))


@given(st.integers(0, 5000), st.integers(1, 40))
def test_stripes_differ_by_at_most_one_request(count: int, slots: int) -> None:
    sizes = [len(stripe(count, slot, slots)) for slot in range(slots)]
    assert max(sizes) - min(sizes) <= 1


def test_a_stripe_is_that_worked_by_hand() -> None:
    assert list(stripe(10, 1, 4)) == [1, 5, 9]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"users": 0}, "at least one user"),
        ({"count": 0}, "plans 0 requests"),
        ({"kind": "burst", "users": 3}, "a burst of 4 needs as many users"),
        ({"kind": "steady", "count": None, "duration_s": None}, "would never end"),
        ({"duration_s": 0.0}, "not above 0"),
        ({"duration_s": -1.0}, "not above 0"),
        ({"duration_s": math.nan}, "not above 0"),
    ],
)
def test_a_fault_of_a_phase_is_named(changes: dict[str, Any], says: str) -> None:
    faults = phase(**changes).faults()
    assert any(says in fault for fault in faults), faults
    assert all(fault.startswith("phase rpm/m/120") and fault.endswith(".") for fault in faults)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"count": None}, "arrivals need a count and a duration"),
        ({"duration_s": None}, "arrivals need a count and a duration"),
        ({"kind": "burst", "count": None}, "a burst needs a count"),
        ({"kind": "now and then"}, "'now and then' is not a kind of schedule"),
        ({"kind": None}, "None is not a kind of schedule"),
    ],
)
def test_an_impossible_schedule_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        phase(**changes)


def test_a_sound_phase_has_no_fault() -> None:
    assert phase().faults() == []
    assert phase(kind="burst").faults() == []
    assert phase(kind="steady", count=None).faults() == []


def test_validate_lists_every_fault() -> None:
    broken = phase(users=0, count=0, duration_s=-1.0)
    faults = Plan((broken, broken, phase(name="other", users=0))).validate()
    assert sum("at least one user" in fault for fault in faults) == 3
    assert sum("not above 0" in fault for fault in faults) == 2
    assert sum("plans 0 requests" in fault for fault in faults) == 2
    assert sum("planned twice" in fault for fault in faults) == 1


def test_an_empty_plan_is_a_fault() -> None:
    assert Plan(()).validate() == ["the plan is empty: no request would be sent."]


def test_a_plan_needs_the_users_of_its_largest_phase_and_sums_the_requests() -> None:
    plan = Plan((phase(), phase(name="b", kind="burst", users=9, count=9)))
    assert (plan.users, plan.requests) == (9, 13)


def test_a_plan_with_an_open_end_has_no_request_count() -> None:
    endless = phase(name="b", kind="steady", count=None)
    assert Plan((phase(), endless)).requests is None
    assert "unbounded" in Plan((endless,)).describe()


def test_the_description_names_every_phase_and_the_greatest_output() -> None:
    description = Plan((phase(max_tokens=16), phase(name="b", max_tokens=100))).describe()
    assert "rpm/m/120, arrivals, 4 requests, 4 at once, 2 s, 16 tokens" in description
    assert description.endswith("in all: 8 requests")


def test_task_ids_count_from_the_first_number() -> None:
    assert [phase().task_id(i) for i in (0, 7)] == ["p-0", "p-7"]
    assert phase(first_number=1).task_id(0) == "p-1"


def test_two_scenarios_of_one_mode_name_their_requests_apart() -> None:
    """As a contributor's probe has them; and a plan in which they do not is refused."""
    low, high = (
        one_by_one(Options(mode="smoke", task_id_prefix="r"), "mine", "m", 16, scenario=scenario)
        for scenario in ("low", "high")
    )
    assert low.task_id(0) != high.task_id(0)
    assert Plan((low, high)).validate() == []
    same = replace(high, task_prefix=low.task_prefix)
    assert any("needs its own prefix" in fault for fault in Plan((low, same)).validate())
