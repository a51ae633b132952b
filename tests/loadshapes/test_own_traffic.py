"""Plans of own traffic: a trace's window, and which modes can carry what."""

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
    rows = [{"at_s": 1, "prompt_tokens": 5, "model": one} for one in lines]
    if sent is None:
        with pytest.raises(OperatorError, match="one model at a time"):
            planned(tmp_path, *rows, mode="replay", model=model)
    else:
        (phase,) = planned(tmp_path, *rows, mode="replay", model=model).phases
        assert phase.model == sent


@pytest.mark.parametrize(
    "options",
    [{"mode": "interactive"}, {"mode": "ladder", "hold": 2.0}, {"mode": "soak", **HELD}],
    ids=lambda options: options["mode"],
)
def test_a_closed_loop_carries_conversations(tmp_path: Path, options: dict[str, Any]) -> None:
    made = planned(tmp_path, TALK, **options)
    assert {phase.request for phase in made.phases} == {"traffic"}


@pytest.mark.parametrize(
    "options",
    [{"mode": "rpm"}, {"mode": "ladder"}, {"mode": "soak"}],
    ids=lambda options: options["mode"],
)
def test_the_clock_carries_none(tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(OperatorError, match="line 2: a conversation waits"):
        planned(tmp_path, PLAIN, TALK, **options)


def test_a_search_sends_own_traffic_in_every_trial(tmp_path: Path) -> None:
    slo = tmp_path / "slo.toml"
    slo.write_text("success_rate = 0.9\n", encoding="utf-8")
    made = planned(tmp_path, PLAIN, mode="capacity", slo=str(slo), trials=3)
    assert made.unfold is not None and made.traffic is not None
    program = made.unfold()
    phase = next(program)
    for _ in range(2):
        assert (phase.request, phase.traffic) == ("traffic", made.traffic.digest)
        phase = program.send(Finding(phase))


def test_a_budget_needs_the_most_that_a_line_may_use(tmp_path: Path) -> None:
    open_ended = {"messages": PLAIN["messages"]}
    with pytest.raises(
        OperatorError, match=r"line 2 .* no max_tokens: give --max-tokens"
    ) as caught:
        planned(tmp_path, PLAIN, open_ended, budget_tokens=10**6)
    assert str(caught.value).startswith("--budget-tokens needs")
    with pytest.raises(OperatorError, match="^--budget needs"):
        planned(tmp_path, PLAIN, open_ended, budget=1.0)
    planned(tmp_path, PLAIN, open_ended, budget_tokens=10**6, max_tokens=5)


def test_the_estimate_is_of_the_lines(tmp_path: Path) -> None:
    """60 requests of 400 characters, 10 tokens of output each; unlimited where a line is."""
    made = planned(tmp_path, PLAIN)
    told = estimate(made, BASE)
    assert "60 requests, about 6,060 prompt tokens" in told
    assert "at most 600 output tokens" in told
    assert "unlimited output" in estimate(planned(tmp_path, {**PLAIN, "max_tokens": None}), BASE)


def test_a_trace_of_years_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="over a year"):
        planned(tmp_path, {"at_s": 10**7, "prompt_tokens": 5}, mode="replay", speed=0.01)
