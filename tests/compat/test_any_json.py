"""Whatever a gateway sends, a judge gives a verdict: none raises, and none takes nonsense for works
because its types happen to fit."""

import copy
import json
from random import Random
from typing import Any

import pytest

from compat.check import Ask, Setting
from compat.evidence import Evidence, Outcome
from compat.registry import CHECKS
from compat.trial import Trial, learn
from tests.compat import wire

ODD: list[Any] = [
    None, 0, -1, 2**70, 1.5, True, "", "x", "[DONE]", [], {}, [None], [[]], {"error": None}, ["x"],
    {"message": 3}, [{"index": "0"}], {"type": "text", "text": 3}, "\ud800", "\u0000", 1e308,
]  # fmt: skip
SETTINGS = (
    Setting("m", forced_token=(32, "A"), context_tokens=20_000, responses=True),
    Setting("m", reasons=True, forced_token=(32, "A")), Setting("m", embeds=True),
)  # fmt: skip
RESPONSE = {
    "id": "r", "object": "response", "status": "completed",
    "output": [{"type": "message", "content": [{"type": "output_text", "text": "x"}]},
               {"type": "function_call", "name": "look_up", "call_id": "c", "arguments": "{}"}],
    "usage": {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2},
}  # fmt: skip
ENTRY = {"token": "x", "logprob": -0.1, "bytes": [120],
         "top_logprobs": [{"token": "x", "logprob": -0.1}]}  # fmt: skip


def bodies(ask: Ask) -> list[Any]:
    """Healthy bodies of all kinds: one JSON object, or a stream's chunks."""
    tool = wire.call("look_up", '{"key":"x"}', index=0)
    whole = wire.message("x", calls=[tool])
    whole["choices"][0]["logprobs"] = {"content": [ENTRY]}
    whole["data"] = [{"id": "m", "embedding": [0.1, 0.2], "index": 0}]
    chunk = wire.chunk({"content": "x", "tool_calls": [tool]}, "stop", usage=wire.USAGE)
    events = [{"type": "response.created"}, {"type": "response.output_text.delta", "delta": "x"},
              {"type": "response.completed", "response": RESPONSE}]  # fmt: skip
    return [whole, whole | RESPONSE, [chunk, chunk], events]


def spoilt(value: Any, dice: Random) -> Any:
    """The value with one node, at any depth, replaced by an odd value or left out."""
    if not isinstance(value, dict | list) or not value or dice.random() < 0.15:
        return dice.choice(ODD)
    changed = copy.copy(value)
    key: Any = dice.choice([*value]) if isinstance(value, dict) else dice.randrange(len(value))
    if dice.random() < 0.1:
        del changed[key]
    else:
        changed[key] = spoilt(value[key], dice)
    return changed


def answer(ask: Ask, dice: Random) -> Evidence:
    body = spoilt(dice.choice(bodies(ask)), dice)
    outcome = dice.choice([*Outcome, *[Outcome.DONE] * 20])
    status = dice.choice([200] * 12 + [400, 404, 500, 302, 401, None])
    parts = body if isinstance(body, list) else [body]
    lines = [b"data: " + json.dumps(part).encode() + b"\n\n" for part in parts]
    raw = b"".join(lines) if isinstance(body, list) else json.dumps(body).encode()
    if dice.random() < 0.05:
        raw = raw[: dice.randrange(len(raw) + 1)]
    return Evidence(ask.body, status, {"content-type": "text/event-stream"}, ((0.1, raw),), outcome)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_no_judge_raises(check: Any) -> None:
    for setting in SETTINGS:
        for seed in range(60):
            dice = Random(f"{check.id}/{seed}")
            trial = Trial(check, setting)
            for _ in range(40):
                asks = trial.asks()
                if not asks:
                    break
                answers = [answer(ask, dice) for ask in asks]
                learn(setting, answers)
                trial.add(answers)
            assert len(trial.finding.fact) <= 200
