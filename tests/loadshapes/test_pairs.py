"""Pairs of a phase: two routes with one schedule each, whichever generator sends them."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadshapes import modes
from loadshapes.phase import Phase
from recording.arms import GATEWAY, REFERENCE
from recording.errors import OperatorError
from settings.options import Options
from tests.builders import phase_of

BASE = {"name": "p", "mode": "rpm", "scenario": "chat", "model": "m", "request": "marker",
        "users": 3, "pairs": "7/p"}  # fmt: skip


def window(count: int, **facts: object) -> Phase:
    return phase_of(**BASE, kind="arrivals", count=count, duration_s=10.0, **facts)


counts, slots = st.integers(1, 60), st.integers(1, 5)


@given(counts, slots)
def test_generators_divide_a_phase_into_whole_pairs(count: int, of: int) -> None:
    phase = window(count)
    shares = [list(phase.indices(slot, of)) for slot in range(of)]
    assert sorted(index for share in shares for index in share) == list(range(2 * count))
    assert all(len({index // 2 for index in share}) * 2 == len(share) for share in shares)
    planned = [[i for own in phase.stripes(slot, of) for i in own] for slot in range(of)]
    assert [sorted(share) for share in planned] == [sorted(share) for share in shares]


@given(counts, st.sampled_from(["", "seed"]))
def test_each_route_gets_one_of_each_pair_and_no_two_are_due_at_once(
    count: int, poisson: str
) -> None:
    phase = window(count, poisson=poisson)
    arms = Counter((index // 2, phase.arm(index)) for index in range(2 * count))
    assert set(arms.values()) == {1}
    dues = phase.dues_s()
    assert dues == sorted(dues) and len(set(dues)) == len(dues)
    assert dues[::2] == [phase.schedule.due_s(i) for i in range(count)]


def test_evenly_paced_pairs_give_each_route_the_rate_of_the_schedule() -> None:
    phase = window(1000)
    for arm in (GATEWAY, REFERENCE):
        mine = [phase.due_s(i) or 0.0 for i in range(2000) if phase.arm(i) == arm]
        assert len(mine) == 1000
        assert all(abs(due - 0.01 * place) <= 0.005 + 1e-9 for place, due in enumerate(mine))


def test_which_route_goes_first_is_drawn_for_each_pair() -> None:
    first = [window(2000).arm(2 * pair) for pair in range(2000)]
    assert 900 < first.count(GATEWAY) < 1100
    again = [window(2000).arm(2 * pair) for pair in range(2000)]
    other = [phase_of(**{**BASE, "pairs": "8/p"}, kind="arrivals", count=2000, duration_s=10.0)
             .arm(2 * pair) for pair in range(2000)]  # fmt: skip
    assert first == again != other


def test_both_requests_of_a_pair_have_the_same_task_id_and_prompt() -> None:
    phase = window(5, task_prefix="t-")
    assert [phase.task_id(i) for i in range(4)] == ["t-0", "t-0", "t-1", "t-1"]
    assert [phase.number(i) for i in range(4)] == [0, 0, 1, 1]


@pytest.mark.parametrize("kind", ["burst", "steady"])
def test_in_closed_loops_and_bursts_one_user_sends_the_whole_pair(kind: str) -> None:
    phase = phase_of(**BASE, kind=kind, count=3)
    assert list(phase.handed_out(0, 1)) == [(0, 1), (2, 3), (4, 5)]
    assert [phase.due_s(1), phase.due_s(3)] == [None, None]


def test_in_a_window_each_request_of_a_pair_has_its_own_user() -> None:
    assert list(window(2).handed_out(0, 1)) == [(0,), (1,), (2,), (3,)]


def test_requests_that_an_earlier_attempt_finished_are_not_sent_again() -> None:
    phase = phase_of(**BASE, kind="steady", count=3, skip=[0, 2, 3])
    assert list(phase.handed_out(0, 1)) == [(1,), (4, 5)]


def test_a_phase_with_pairs_is_read_back_from_the_manifest() -> None:
    phase = window(5)
    assert Phase.of(phase.as_dict()) == phase


@pytest.mark.parametrize("mode", ["ladder", "rpm", "soak", "tpm"])
def test_every_load_mode_with_a_plan_accepts_a_reference(mode: str) -> None:
    options = Options(mode=mode, model="m", target="60", steps="1,2", against="ref")
    phases = modes.plan(options).phases
    assert {bool(p.pairs) for p in phases if "calibration" not in p.scenario} == {True}


def test_conversations_cannot_be_paired(tmp_path: Path) -> None:
    turns = [("human", "a"), ("gpt", "A"), ("human", "b"), ("gpt", "B")]
    line = {"conversations": [{"from": who, "value": words} for who, words in turns]}
    (file := tmp_path / "talks.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")
    options = Options(mode="ladder", model="m", steps="2", hold=5.0, prompts=str(file))
    traffic = modes.plan(options).traffic
    assert traffic is not None and traffic.conversations
    with pytest.raises(OperatorError, match="conversations"):
        modes.plan(replace(options, against="ref"))
