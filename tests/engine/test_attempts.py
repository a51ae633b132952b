"""Nothing that is finished is sent or paid for again, of whatever kind and however often it is cut
off. Judged by the gateway's own list: a name is in it twice only if it was in flight when the run
was cut off. The report's sum is what the gateway was paid for its answers.
"""

import json
import os
from pathlib import Path
from random import Random
from typing import Any

import pytest

from analysis.reading.load import load
from engine import conductor, session
from loadshapes.modes import limits
from recording.errors import OperatorError
from settings.options import Options
from tests.engine.attempts import COST, Attempt, Gateway, attempts

KINDS: dict[str, dict[str, Any]] = {
    "burst": {"mode": "ladder", "steps": "3,20,8", "step_pause": 0.0},
    "burst under a budget": {"mode": "ladder", "steps": "3,20,8", "step_pause": 0.0, "budget": 9.0},
    "arrivals": {"mode": "rpm", "target": "6000,12000", "duration": 0.3},
    "poisson": {"mode": "rpm", "target": "6000,12000", "duration": 0.3, "arrivals": "poisson"},
    "held": {"mode": "ladder", "steps": "2,6", "hold": 0.3, "step_pause": 0.0},
    "soak": {"mode": "soak", "target": "12000", "duration": 0.5},
    "soak by concurrency": {"mode": "soak", "target": "4,8", "search": "concurrency",
                            "duration": 0.3},
    "one after another": {"mode": "tools", "repeat": 12},
    "cache gaps": {"mode": "cache", "repeat": 4, "cache_gaps": "1", "cache_pairs": 3},
    "token windows": {"mode": "tpm", "target": "2000000", "duration": 0.3,
                      "approx_prompt_tokens": 1000},
    "replay": {"mode": "replay", "trace": "trace"},
    "conversations": {"mode": "ladder", "steps": "2,4", "hold": 0.3, "step_pause": 0.0,
                      "prompts": "talks"},
    "capacity": {"mode": "capacity", "slo": "slo", "duration": 0.2, "step_pause": 0.0,
                 "trials": 4, "target": "600,1200,4800"},
    "capacity by concurrency": {"mode": "capacity", "slo": "slo", "duration": 0.2, "trials": 4,
                                "step_pause": 0.0, "search": "concurrency", "target": "1,2,8"},
    "limits": {"mode": "limits", "limits_most": 20, "budget": 9.0},
}  # fmt: skip

COUNTED = ("burst", "burst under a budget", "one after another", "cache gaps")
CASES = [(k, w) for k in KINDS for w in (False, True) if w or k not in COUNTED]
"""`--resume-windows` changes nothing of what is measured by count."""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Phases begin at once; for real connections they wait some seconds."""
    for room in (conductor, session):
        monkeypatch.setattr(room, "start_lead_s", lambda phase: 0.02)
    monkeypatch.setattr(session, "STOP_WAIT_S", 0.05)
    for name in ("CLEAN_S", "AGAIN_S", "LAST_S", "LONGEST_WAIT_S"):
        monkeypatch.setattr(limits, name, 0.05)


def asked(kind: str, folder: Path, **more: Any) -> Options:
    files = {
        "trace": "".join(
            json.dumps({"timestamp": f"2026-01-01T00:00:00.{i:02}0Z", "prompt_tokens": 30}) + "\n"
            for i in range(40)
        ),
        "talks": "".join(
            json.dumps({"turns": [{"role": "user", "content": f"{i} {t}"} for t in "abc"]}) + "\n"
            for i in range(5)
        ),
        "slo": "success_rate = 0.9\n",
    }
    known: dict[str, Any] = {"model": "m", "timeout": 1.0, "grace": 0.2, "max_tokens": 4}
    for name, value in KINDS[kind].items():
        if value in files and name in ("trace", "prompts", "slo"):
            (path := folder / value).write_text(files[value])
            value = str(path)
        known[name] = value
    return Options(**(known | more))


@pytest.mark.parametrize("trial", range(int(os.environ.get("WEIGHBRIDGE_KILLS", "1"))))
@pytest.mark.parametrize(("kind", "windows"), CASES)
def test_no_finished_request_is_sent_or_paid_for_again(
    tmp_path: Path, kind: str, windows: bool, trial: int
) -> None:
    dice, gateway = Random(f"{kind}{windows}{trial}"), Gateway()
    folder = tmp_path / "results" / "run"
    options = asked(kind, tmp_path, resume_windows=windows)
    loose = attempts(folder, options, gateway, dice, cuts=2, most_s=0.5)
    before = list(gateway.received)
    for again in (False, windows):
        with pytest.raises(OperatorError, match="nothing of it is left"):
            Attempt(gateway, folder, asked(kind, tmp_path, resume_windows=again), resumes=True)
    assert gateway.received == before
    known = [name for name in before if name not in loose]
    frame = load(folder).requests.set_index("task_id")
    assert frame["api_cost"].reindex(known).sum() == pytest.approx(COST * len(known))
    assert set(frame[frame["api_cost"].notna()].index) <= set(before)
    assert frame["api_cost"].sum() <= COST * len(before) + 1e-9
