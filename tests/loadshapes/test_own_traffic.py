"""Plans of own traffic: the window of a trace, and which modes can carry what."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.estimate import estimate
from loadshapes import modes
from loadshapes.finding import Finding
from loadshapes.phase import Phase
from loadshapes.plan import Plan
from recording.errors import OperatorError
from settings.options import Options

BASE = Options(mode="rpm", model="m", target="60", run_id="r", task_id_prefix="pre")
PLAIN = {"messages": [{"role": "user", "content": "x" * 400}], "max_tokens": 10}
TALK = {"turns": ["a", "b"], "max_tokens": 10}
HELD = {"search": "concurrency", "target": "2"}


def planned(tmp_path: Path, *rows: dict[str, Any], **options: Any) -> Plan:
    path = tmp_path / "own.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    name = "trace" if options.get("mode") == "replay" else "prompts"
    return modes.plan(replace(BASE, **{name: str(path)}, **options))


def test_a_replay_is_one_window_at_the_traces_times(tmp_path: Path) -> None:
    """Of 0, 2 and 4 s at twice the speed: due at 0, 1, 2 s in a window of 3 s, so 60 a minute."""
    rows = [{"at_s": at, "prompt_tokens": 5} for at in (4, 0, 2)]
    (phase,) = planned(tmp_path, *rows, mode="replay", speed=2.0).phases
    assert phase.dues_s() == [0.0, 1.0, 2.0]
    assert (phase.count, phase.duration_s, phase.target) == (3, 3.0, 60)
    assert Phase.of(json.loads(json.dumps(phase.as_dict()))) == phase, "it travels"


@pytest.mark.parametrize(
    ("model", "lines", "sent"),
    [("", "aa", "a"), ("b", "aa", "b"), ("b", "ac", "b"), ("", "ac", None), ("b,c", "aa", None)],
)
def test_a_replay_goes_to_one_model(
    tmp_path: Path, model: str, lines: str, sent: str | None
) -> None:
    trace_rows = [{"at_s": 1, "prompt_tokens": 5, "model": one} for one in lines]
    if sent is None:
        with pytest.raises(OperatorError, match="one model at a time"):
            planned(tmp_path, *trace_rows, mode="replay", model=model)
    else:
        (phase,) = planned(tmp_path, *trace_rows, mode="replay", model=model).phases
        assert phase.model == sent


@pytest.mark.parametrize(
    "options",
    [{"mode": "interactive"}, {"mode": "ladder", "hold": 2.0}, {"mode": "soak", **HELD}],
    ids=lambda options: options["mode"],
)
def test_a_closed_loop_can_carry_conversations(tmp_path: Path, options: dict[str, Any]) -> None:
    planned_run = planned(tmp_path, TALK, **options)
    assert {phase.request for phase in planned_run.phases} == {"traffic"}


@pytest.mark.parametrize(
    "options",
    [{"mode": "rpm"}, {"mode": "ladder"}, {"mode": "soak"}],
    ids=lambda options: options["mode"],
)
def test_a_schedule_cannot_carry_conversations(tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(OperatorError, match="line 2: a conversation waits"):
        planned(tmp_path, PLAIN, TALK, **options)


def test_a_search_sends_own_traffic_in_every_trial(tmp_path: Path) -> None:
    slo = tmp_path / "slo.toml"
    slo.write_text("success_rate = 0.9\n", encoding="utf-8")
    planned_run = planned(tmp_path, PLAIN, mode="capacity", slo=str(slo), trials=3)
    assert planned_run.unfold is not None and planned_run.traffic is not None
    program = planned_run.unfold()
    phase = next(program)
    for _ in range(2):
        assert (phase.request, phase.traffic) == ("traffic", planned_run.traffic.digest)
        phase = program.send(Finding(phase))


def test_a_budget_needs_a_max_tokens_for_every_line(tmp_path: Path) -> None:
    open_ended = {"messages": PLAIN["messages"]}
    with pytest.raises(
        OperatorError, match=r"line 2 .* no max_tokens: give --max-tokens"
    ) as caught:
        planned(tmp_path, PLAIN, open_ended, budget_tokens=10**6)
    assert str(caught.value).startswith("--budget-tokens needs")
    with pytest.raises(OperatorError, match="^--budget needs"):
        planned(tmp_path, PLAIN, open_ended, budget=1.0)
    planned(tmp_path, PLAIN, open_ended, budget_tokens=10**6, max_tokens=5)


def test_the_estimate_is_computed_from_the_lines(tmp_path: Path) -> None:
    """60 requests of 400 characters, 10 tokens of output each; unlimited where a line is."""
    planned_run = planned(tmp_path, PLAIN)
    estimated = estimate(planned_run, BASE)
    assert "60 requests, about 6,060 prompt tokens" in estimated
    assert "at most 600 output tokens" in estimated
    assert "unlimited output" in estimate(planned(tmp_path, {**PLAIN, "max_tokens": None}), BASE)


def test_a_trace_of_years_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="over a year"):
        planned(tmp_path, {"at_s": 10**7, "prompt_tokens": 5}, mode="replay", speed=0.01)
