"""The capacity program: what it sends, and what it finds of gateways with a known limit."""

from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from loadshapes import modes
from loadshapes.finding import Finding
from loadshapes.phase import Phase
from loadshapes.program import Past, Program, resumed
from recording.errors import OperatorError
from recording.record import RequestRecord
from rules.bracket import Trial, bracket
from settings.options import Options
from tests.recording.rows import row


def options(folder: Path, slo: str = "success_rate = 0.95", **known: Any) -> Options:
    path = folder / "slo.toml"
    path.write_text(slo, encoding="utf-8")
    values = {"mode": "capacity", "model": "m", "slo": str(path), "task_id_prefix": "p"}
    return Options(**(values | known))


def limited(phase: Phase, rpm: int, dice: Random) -> list[RequestRecord]:
    """The rows of a gateway that refuses what exceeds a rate, each request by chance."""
    assert phase.count is not None and phase.target is not None
    refused = max(0.0, 1 - rpm / phase.target)
    bad = {"outcome": "rate_limited", "success": False}
    return [
        row(request_index=i, elapsed_sec=1.0, **(bad if dice.random() < refused else {}))
        for i in range(phase.count)
    ]


def searched(search_options: Options, rpm: int) -> list[Phase]:
    """The phases that the program sends to such a gateway."""
    dice, sent = Random(rpm), list[Phase]()
    unfold = modes.plan(search_options).unfold
    assert unfold is not None
    program = unfold()
    phase = next(program)
    while True:
        assert phase.faults() == []
        sent.append(phase)
        try:
            phase = program.send(Finding(phase, limited(phase, rpm, dice)))
        except StopIteration:
            return sent


@pytest.mark.parametrize("rpm", [30, 100, 480, 2000])
def test_a_known_limit_is_bracketed(tmp_path: Path, rpm: int) -> None:
    """5 % of failures are allowed, so that the edge is at limit / 0.95; names and task ids are
    unique.
    """
    sent = searched(options(tmp_path), rpm)
    last = sorted({phase.target or 0 for phase in sent[-2:]})
    assert last[0] / 1.15 <= rpm / 0.95 <= last[-1] * 1.15
    assert len(sent) <= 20
    assert len({phase.name for phase in sent}) == len(sent)
    ids = [phase.task_id(0) for phase in sent]
    assert len(set(ids)) == len(ids)


def test_a_search_ends_at_its_own_edges_where_the_limit_is_beyond(tmp_path: Path) -> None:
    assert searched(options(tmp_path, target="10,60,240"), 10_000)[-1].target == 240
    assert searched(options(tmp_path, target="10,60,240"), 1)[-1].target == 10


def test_each_model_is_searched_separately(tmp_path: Path) -> None:
    sent = searched(options(tmp_path, model="a,b", trials=4), 480)
    assert [phase.model for phase in sent] == ["a"] * 4 + ["b"] * 4


def test_a_search_for_concurrency_uses_closed_loops(tmp_path: Path) -> None:
    plan = modes.plan(options(tmp_path, search="concurrency", target="8"))
    assert plan.unfold is not None and plan.users == 200
    first = next(plan.unfold())
    assert (first.kind, first.users, first.count, first.target) == ("steady", 8, None, 8)


def test_a_level_tried_by_a_late_generator_is_tried_again_twice(tmp_path: Path) -> None:
    """The third time in a row, our own limit is the answer, and the level falls."""
    unfold = modes.plan(options(tmp_path, target="60")).unfold
    assert unfold is not None
    program = unfold()
    phase = next(program)
    levels = []
    for _ in range(4):
        levels.append(phase.target)
        late = [row(request_index=i, elapsed_sec=1.0, send_lag_s=0.2) for i in range(60)]
        phase = program.send(Finding(phase, late))
    assert levels == [60, 60, 60, 30]


def test_requests_of_the_warmup_do_not_decide_a_trial(tmp_path: Path) -> None:
    """A gateway that refuses everything in the first half of a window meets the objectives."""
    unfold = modes.plan(options(tmp_path, warmup=30.0, target="60,60,60")).unfold
    assert unfold is not None
    program = unfold()
    phase = next(program)
    bad = {"outcome": "rate_limited", "success": False}
    rows = [
        row(
            request_index=i, scheduled_offset_s=float(i), elapsed_sec=1.0, **(bad if i < 30 else {})
        )
        for i in range(60)
    ]
    again = program.send(Finding(phase, rows))  # met, but not surely: it is asked again
    with pytest.raises(StopIteration):
        program.send(Finding(again, rows))


def test_trials_can_have_poisson_arrivals(tmp_path: Path) -> None:
    plan = modes.plan(options(tmp_path, arrivals="poisson"))
    assert plan.unfold is not None
    first = next(plan.unfold())
    dues = first.dues_s()
    assert len({round(b - a, 9) for a, b in zip(dues, dues[1:], strict=False)}) > 1


@pytest.mark.parametrize(
    ("slo", "known", "says"),
    [
        ("", {}, "holds no objective"),
        ("goodput_rps = 1", {}, "goodput_rps rises with the rate"),
        ("ttft_p95_s = 1", {}, "ttft_p95_s applies to streams: add --stream"),
        ("[model.other]\nsuccess_rate = 1", {}, "has no objective for m in mode capacity"),
        ("success_rate = 1", {"slo": ""}, "--slo is missing: mode capacity needs"),
        ("success_rate = 1", {"model": ""}, "--model is missing: mode capacity needs"),
        ("success_rate = 1", {"target": "1,2"}, "--target of mode capacity is the first level"),
        ("success_rate = 1", {"target": "9,5,7"}, "--target 9,5,7: the levels must not decrease"),
        ("success_rate = 1", {"target": "1,5,900", "search": "concurrency"}, "--max-workers, not"),
        (
            "e2e_p99_9_s = 1",
            {},
            "e2e_p99_9_s takes 1000 requests in a window, and the lowest level, "
            "6 RPM, sends 6 in 60 s: give --duration 10000, or three levels in --target of which "
            "the lowest is 1000 or more",
        ),
        ("success_rate = 1", {"precision": 0.0}, "--precision must be above 0"),
        ("success_rate = 1", {"trials": 0}, "--trials must be above 0"),
    ],
)
def test_an_operator_error_is_one_sentence(
    tmp_path: Path, slo: str, known: dict[str, Any], says: str
) -> None:
    with pytest.raises(OperatorError) as caught:
        modes.plan(replace(options(tmp_path, slo), **known))
    assert says in str(caught.value) and str(caught.value).endswith(".")


@pytest.mark.parametrize(
    "known", [{"target": "1000,2000,6000"}, {"target": "8", "search": "concurrency"}]
)
def test_a_window_with_enough_requests_for_the_percentile_is_planned(
    tmp_path: Path, known: dict[str, Any]
) -> None:
    plan = modes.plan(options(tmp_path, slo="e2e_p99_9_s = 1\ne2e_p90_s = 1", **known))
    assert plan.unfold is not None and next(plan.unfold()).target in (8, 2000)


def test_a_dry_run_states_the_most_that_a_search_may_send(tmp_path: Path) -> None:
    plan = modes.plan(options(tmp_path, duration=30.0))
    assert plan.describe() == "", "it is stated once: by the estimate"
    assert plan.outlook is not None and plan.outlook.en.startswith(
        "a search between 6 and 6000 requests a minute, from 60: at most 20 windows"
    )


def test_the_search_is_found_again_from_its_rows(tmp_path: Path) -> None:
    """The report has only the trials, in any order."""
    trials = [
        Trial(60, True),
        Trial(120, False),
        Trial(85, True),
        Trial(85, True),
        Trial(90, False),
    ]
    assert bracket(trials) == bracket(trials[::-1])


def test_a_resumed_search_tries_the_levels_of_an_uninterrupted_one(tmp_path: Path) -> None:
    """Cut off after each trial in turn; one that the stop rule ended is still missed (B2)."""
    search_options = options(tmp_path, slo="e2e_p95_s = 9", target="1,8,64", search="concurrency")
    unfold = modes.plan(search_options).unfold
    assert unfold is not None

    def found(phase: Phase) -> Finding:
        """Every request is quick; above 13 at once the gateway breaks, and the rule acts."""
        rows = [row(phase=phase.name, request_index=i, elapsed_sec=1.0) for i in range(20)]
        return Finding(phase, rows, "the stop rule ended it" if (phase.target or 0) > 13 else "")

    def run(program: Program, stop: int = 99) -> list[Finding]:
        findings: list[Finding] = []
        try:
            phase = next(program)
            while len(findings) < stop:
                findings.append(found(phase))
                phase = program.send(findings[-1])
        except StopIteration:
            pass
        return findings

    uninterrupted = run(unfold())
    names = [one.phase.name for one in uninterrupted]
    assert len(uninterrupted) > 4 and any(one.halted for one in uninterrupted)
    for cut in range(1, len(uninterrupted)):
        before = {one.phase.name: one for one in uninterrupted[:cut]}
        past = Past(
            {name: set(range(20)) for name in before},
            {name for name, one in before.items() if one.halted},
            lambda name, before=before: [*before[name].records] if name in before else [],  # type: ignore[misc]
            over=set(before),
        )
        assert [one.phase.name for one in run(resumed(unfold(), past))] == names[cut:]


def test_a_trial_that_was_cut_off_is_tried_again_in_a_new_window(tmp_path: Path) -> None:
    unfold = modes.plan(options(tmp_path)).unfold
    assert unfold is not None
    program = unfold()
    first = next(program)
    again = program.send(Finding(first, [row(elapsed_sec=1.0)], cut=True))
    assert (first.target, first.name[-2:]) == (again.target, "/1") and again.name[-2:] == "/2"


@pytest.mark.parametrize("most", [1, 2, 3, 4, 200])
def test_max_workers_bounds_the_first_level_too(tmp_path: Path, most: int) -> None:
    """`--search concurrency --max-workers 2` without a target searches from 1 to 2."""
    slo = tmp_path / "slo.toml"
    slo.write_text("success_rate = 0.9\n", encoding="utf-8")
    options = Options(
        mode="capacity", model="m", search="concurrency", max_workers=most, slo=str(slo)
    )
    assert modes.plan(options).most_users == most
