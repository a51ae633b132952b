"""The phases of each mode: how many requests of what, how many at once, and their names."""

from dataclasses import replace
from typing import Any

import pytest

from loadshapes import modes
from loadshapes.modes import MODES, PARTS, smoke
from loadshapes.phase import Phase
from recording.errors import OperatorError
from settings.options import Options
from tasks.builders import BUILDERS

UNFOLDED = {"capacity", "compat", "identity", "limits"}  # their phases are known in their turn
UNFED = [mode for mode in MODES if mode not in {"replay", *UNFOLDED}]  # need no file
BASE = Options(mode="rpm", run_id="r", task_id_prefix="pre")


def planned(mode: str, **options: Any) -> tuple[Phase, ...]:
    return modes.plan(replace(BASE, mode=mode, **options)).phases


def shape(phases: tuple[Phase, ...]) -> list[tuple[str, str, int, int | None]]:
    return [(phase.name, phase.kind, phase.users, phase.count) for phase in phases]


def test_rpm_plans_a_window_for_each_model_and_target() -> None:
    assert shape(planned("rpm", model="a,b", target="60,600", duration=30.0)) == [
        ("rpm/a/60", "arrivals", 30, 30),
        ("rpm/a/600", "arrivals", 200, 300),
        ("rpm/b/60", "arrivals", 30, 30),
        ("rpm/b/600", "arrivals", 200, 300),
    ]


def test_a_window_has_at_most_max_workers_users() -> None:
    (window,) = planned("rpm", model="a", target="600", max_workers=7)
    assert window.users == 7


def test_tpm_plans_as_many_requests_as_the_seed() -> None:
    (window,) = planned("tpm", model="a", target="100000", tpm_plan="seed")
    assert (window.count, window.duration_s, window.request) == (25, 60.0, "padded")


@pytest.mark.parametrize("mode", ["rpm", "tpm"])
def test_task_ids_of_a_window_are_those_of_the_seed(mode: str) -> None:
    (window,) = planned(mode, model="gpt-5.4-nano", target="600", tpm_plan="seed")
    assert window.task_id(0) == f"pre-{mode}-gpt-5.4-nano-target-600-req-0"
    assert window.task_id(12) == f"pre-{mode}-gpt-5.4-nano-target-600-req-12"


def test_a_ladder_step_is_a_burst_of_as_many_requests_as_users() -> None:
    assert shape(planned("ladder", model="a", steps="1,7,33")) == [
        ("ladder/a/1", "burst", 1, 1),
        ("ladder/a/7", "burst", 7, 7),
        ("ladder/a/33", "burst", 33, 33),
    ]


def test_a_ladder_step_with_hold_is_a_closed_loop_for_that_time() -> None:
    (step,) = planned("ladder", model="a", steps="5", hold=2.5)
    assert (step.kind, step.users, step.count, step.duration_s) == ("steady", 5, None, 2.5)


def test_task_ids_of_a_ladder_name_the_step() -> None:
    (step,) = planned("ladder", model="m", steps="20")
    assert step.task_id(3) == "pre-ladder-m-c20-req-3"


def test_the_steps_of_each_model_are_one_climb() -> None:
    steps = planned("ladder", model="a,b", steps="1,5")
    assert [step.climb for step in steps] == ["ladder/a"] * 2 + ["ladder/b"] * 2


def test_smoke_sends_a_chat_to_every_model_and_one_stream_through_the_typed_surface() -> None:
    phases = planned("smoke", model="a,b")
    assert [(p.model, p.stream) for p in phases] == [("a", False), ("b", False), ("a", True)]
    assert all(p.typed and p.count == 1 and p.users == 1 for p in phases)


def test_smoke_asks_the_articles_models_when_none_is_named() -> None:
    assert {p.model for p in planned("smoke")} == set(smoke.MODELS)


@pytest.mark.parametrize("mode", ["cache", "tools"])
def test_a_probe_sends_its_repeats_one_at_a_time(mode: str) -> None:
    (probe,) = planned(mode, model="m", repeat=4)
    assert (probe.kind, probe.users, probe.count) == ("steady", 1, 4)
    assert [probe.task_id(i) for i in (0, 3)] == [f"pre-{mode}-m-run-1", f"pre-{mode}-m-run-4"]


def test_reasoning_asks_each_model_plain_and_streamed() -> None:
    phases = planned("reasoning", model="a,b")
    assert [(p.model, p.stream, p.count) for p in phases] == [
        ("a", False, 1),
        ("a", True, 1),
        ("b", False, 1),
        ("b", True, 1),
    ]


def test_vision_asks_at_a_small_and_a_large_budget_unless_one_is_given() -> None:
    assert [p.max_tokens for p in planned("vision", model="m")] == [64, 512]
    assert [p.max_tokens for p in planned("vision", model="m", max_tokens=99)] == [99]


@pytest.mark.parametrize("mode", [mode for mode in UNFED if mode != "full"])
def test_max_tokens_is_sent_in_every_mode_when_given(mode: str) -> None:
    phases = planned(mode, model="m", target="60", max_tokens=77)
    # Mode billing counts prompts, is refused, and has one reply cut by its budget: small ones.
    small = {f"billing/{case}/m" for case in ("count", "cut", "refused")}
    assert {p.max_tokens for p in phases if p.name not in small} == {77}


def test_full_has_every_phase_of_the_articles_programme() -> None:
    phases = planned("full")
    assert {p.mode for p in phases} == set(PARTS) | {"calibration"}
    assert {p.target for p in phases if p.mode == "rpm"} == {300, 600}
    assert {p.target for p in phases if p.mode == "tpm"} == {50_000, 100_000}
    climbed: dict[str, list[int | None]] = {}
    for phase in phases:
        if phase.mode == "ladder":
            climbed.setdefault(phase.model, []).append(phase.target)
    assert climbed == {
        "gpt-5.4-nano": [1, 5, 10, 20, 50, 100],
        "gemini-3-flash-preview": [1, 5, 10, 20, 50, 100],
        "claude-sonnet-4.6": [1, 5, 10, 20],
    }


def test_each_model_is_calibrated_before_its_first_token_window() -> None:
    phases = planned("tpm", model="a,b", target="50000,100000")
    assert [(p.model, p.scenario, p.paced) for p in phases] == [
        ("a", "calibration", False),
        ("a", "chat", True),
        ("a", "chat", True),
        ("b", "calibration", False),
        ("b", "chat", True),
        ("b", "chat", True),
    ]


def test_poisson_windows_differ_within_a_run_and_are_fixed_by_the_seed() -> None:
    def dues(seed: int) -> list[list[float]]:
        windows = planned("rpm", model="m", target="60,600", arrivals="poisson", seed=seed)
        return [phase.dues_s() for phase in windows]

    first, second = dues(1)
    assert (len(first), len(second)) == (60, 600)
    assert dues(1) == [first, second] != dues(2)
    assert second[:60] != first


def test_full_has_unique_phase_names_whatever_the_models() -> None:
    for model in ("", "a", "a,b", "claude-sonnet-4.6"):
        names = [p.name for p in planned("full", model=model)]
        assert len(names) == len(set(names))


def test_full_with_a_model_sends_to_that_model_alone() -> None:
    assert {p.model for p in planned("full", model="mine")} == {"mine"}


def test_quick_shortens_the_windows_of_full() -> None:
    windows = [p for p in planned("full", quick=True) if p.mode in ("rpm", "tpm")]
    assert windows
    assert {p.duration_s for p in windows} == {10.0}


def test_stream_asks_for_streams_in_windows_and_ladders() -> None:
    for mode in ("rpm", "tpm", "ladder"):
        assert all(p.stream for p in planned(mode, model="m", target="60", stream=True))


@pytest.mark.parametrize("mode", UNFED)
def test_every_planned_request_has_a_builder(mode: str) -> None:
    assert {p.request for p in planned(mode, model="m", target="60")} <= set(BUILDERS)


@pytest.mark.parametrize("mode", [m for m in UNFED if m != "interactive"])
def test_task_ids_are_unique_within_a_run(mode: str) -> None:
    ids = [
        phase.task_id(index)
        for phase in planned(mode, model="a,b", target="60,120", duration=5.0)
        for index in range(phase.count or 0)
    ]
    assert len(ids) == len(set(ids))


def test_mode_cache_sends_the_articles_requests_by_default() -> None:
    assert shape(planned("cache", model="a")) == [("cache/a", "steady", 1, 3)]


def test_cache_pairs_are_streams_one_at_a_time() -> None:
    _, pairs = planned("cache", model="a", cache_pairs=4)
    assert (pairs.name, pairs.users, pairs.count, pairs.stream) == ("cache/pairs/a", 1, 8, True)


def test_a_marked_prefix_is_measured_beside_an_unmarked_one() -> None:
    phases = planned("cache", model="a", cache_pairs=4, cache_control="ephemeral")
    assert [(p.scenario, p.count) for p in phases] == [("cache", 3), ("pairs", 8), ("plain", 4)]


def test_each_cache_gap_is_a_pause_before_its_request() -> None:
    """The first request writes the entry; each pause is after the request before."""
    gaps = planned("cache", model="a,b", cache_gaps="1,60")[1:4]
    assert [(p.name, p.count, p.target, p.pause_after_s) for p in gaps] == [
        ("cache/gap-0/a", 1, 0, 1.0),
        ("cache/gap-1/a", 1, 1, 60.0),
        ("cache/gap-60/a", 1, 60, 0.0),
    ]


def test_all_requests_of_mode_cache_have_different_names() -> None:
    phases = planned(
        "cache", model="a,b", cache_pairs=2, cache_gaps="1,60", cache_control="ephemeral"
    )
    names = [phase.task_id(index) for phase in phases for index in range(phase.count or 0)]
    assert len(names) == len(set(names)) == 2 * (3 + 4 + 2 + 3)


def test_full_with_parts_keeps_the_phases_of_those_parts_in_order() -> None:
    all_parts = planned("full")
    some = planned("full", parts="vision,ladder")
    assert some == tuple(phase for phase in all_parts if phase.mode in ("ladder", "vision"))
    with pytest.raises(OperatorError, match="--parts soak is not a part: use some of smoke,ladder"):
        planned("full", parts="soak")
