"""Phases asked in rounds: every request once, every case in every round, also after a restart."""

from collections import Counter
from random import Random

import pytest

from loadshapes.finding import Finding
from loadshapes.modes import plan
from loadshapes.phase import Phase
from loadshapes.program import Past, Program, resumed
from loadshapes.rounds import spread
from rules.billing_cases import CASES
from settings.options import Options

Sent = list[tuple[str, int]]


def options(**more: object) -> Options:
    return Options(mode="billing", model="m", **more)  # type: ignore[arg-type]


def program(asked: Options) -> Program:
    unfold = plan(asked).unfold
    assert unfold is not None
    return unfold()


def ran(asked: Program, halted: str = "") -> Sent:
    """The requests in the order of sending: phase and index. The phase `halted` is refused."""
    sent: Sent = []
    phase: Phase | None = next(asked, None)
    while phase is not None:
        sent += [(phase.name, index) for index in phase.indices(0, 1)]
        try:
            phase = asked.send(Finding(phase, halted="no" if phase.name == halted else ""))
        except StopIteration:
            phase = None
    return sent


@pytest.mark.parametrize("more", [{}, {"against": "ref"}, {"model": "a,b", "provoke_429": 20}])
@pytest.mark.parametrize("repeat", [1, 2, 3, 4, 7])
def test_every_request_of_the_plan_is_sent_once(repeat: int, more: dict[str, object]) -> None:
    asked = Options(mode="billing", **{"model": "m", "repeat": repeat} | more)  # type: ignore[arg-type]
    planned = {(p.name, index) for p in plan(asked).phases for index in range(p.count or 0)}
    assert Counter(ran(program(asked))) == Counter(planned)


def test_each_round_asks_every_case_between_two_plain_requests_in_an_order_by_the_seed() -> None:
    orders = set()
    for seed in range(5):
        cases = [name.split("/")[1] for name, _ in ran(program(options(seed=seed)))]
        begins = [place for place, case in enumerate(cases) if case == "plain"]
        rounds = [cases[a:b] for a, b in zip(begins, [*begins[1:], None], strict=True)]
        assert len(rounds) == 3
        assert all(asked[-1] == "plain_again" for asked in rounds)
        in_all = {case.name for case in CASES} - {"limited", "cached", "whole"}
        assert all(in_all <= {*asked} for asked in rounds)
        assert "whole" in rounds[0] and "whole" in rounds[-1]
        orders |= {tuple(dict.fromkeys(asked)) for asked in rounds}
    assert len(orders) == 15


@pytest.mark.parametrize("repeat", range(1, 8))
def test_a_long_prompt_is_sent_twice_in_a_row_so_that_the_cache_still_has_it(repeat: int) -> None:
    sent = ran(program(options(repeat=repeat)))
    places = [place for place, (name, _) in enumerate(sent) if "/cached/" in name]
    assert len(places) == repeat + 1
    assert sum(b == a + 1 for a, b in zip(places, places[1:], strict=False)) >= (repeat + 1) // 2


def test_a_restarted_run_sends_what_was_not_sent_and_nothing_twice() -> None:
    every = ran(program(options()))
    for trial in range(20):
        gone = Random(trial).sample(every, Random(trial).randrange(1, len(every)))
        finished: dict[str, set[int]] = {}
        for name, index in gone:
            finished.setdefault(name, set()).add(index)
        left = ran(resumed(program(options()), Past(finished)))
        assert left == [one for one in every if one not in gone]


def test_a_phase_that_was_ended_has_no_more_turns() -> None:
    sent = ran(program(options()), halted="billing/n/m")
    assert [index for name, index in sent if name == "billing/n/m"] == [0]
    assert len(sent) == 66 - 2


@pytest.mark.parametrize(("count", "rounds"), [(18, 3), (18, 4), (2, 3), (2, 5), (3, 3), (0, 2)])
def test_requests_are_spread_evenly_and_over_all_of_the_run(count: int, rounds: int) -> None:
    parts = spread(count, rounds)
    assert [index for part in parts for index in part] == list(range(count))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
    filled = [number for number, part in enumerate(parts) if part]
    assert not filled or (filled[0] < rounds / 2 and filled[-1] >= rounds / 2)


@pytest.mark.parametrize("mode", ["cache", "full"])
def test_pairs_of_mode_cache_and_unmarked_prompts_are_mixed_in_time(mode: str) -> None:
    """Their costs are compared, and a price may change meanwhile; each pair stays together."""
    asked = Options(mode=mode, model="m", cache_pairs=6, cache_control="ephemeral", cache_gaps="1")
    planned = [(p.name, index) for p in plan(asked).phases for index in range(p.count or 0)]
    sent = ran(program(asked))
    assert Counter(sent) == Counter(planned)
    kinds = [name.split("/")[1] for name, _ in sent if name in ("cache/pairs/m", "cache/plain/m")]
    rounds = [sorted(kinds[i : i + 3]) for i in range(0, len(kinds), 3)]
    assert rounds == [["pairs", "pairs", "plain"]] * 6
    indices = [index for name, index in sent if name == "cache/pairs/m"]
    assert indices == list(range(12))
    cases = [name.split("/")[1] for name, _ in sent if name.startswith("cache/")]
    assert cases[-2:] == ["gap-0", "gap-1"]
