"""Plans with requests that are cancelled on purpose: which phases, and which requests."""

import json
from pathlib import Path

import pytest

from loadshapes import modes
from loadshapes.phase import Phase
from loadshapes.plan import Plan
from recording.errors import OperatorError
from recording.probe_place import is_probe
from settings.options import Options
from settings.options.load import CANCELLED


def planned(**known: object) -> Plan:
    options = {"mode": "rpm", "model": "m", "target": "60,120", "stream": True}
    return modes.plan(Options(**options | {"cancel_after": "3chunks"} | known))  # type: ignore[arg-type]


def test_every_phase_draws_its_own_requests_by_the_seed() -> None:
    first, second = planned(seed=1).phases
    assert first.cancel is not None and second.cancel is not None
    assert (first.cancel.after_chunks, first.cancel.share) == (3, 0.1)
    drawn = [
        [i for i in range(1000) if p.cancel and p.cancel.applies_to(i)] for p in (first, second)
    ]
    assert drawn[0] != drawn[1]
    assert planned(seed=1).phases == (first, second)
    (again, _) = planned(seed=2).phases
    assert again.cancel != first.cancel
    assert Phase.of(json.loads(json.dumps(first.as_dict()))) == first


def test_both_requests_of_a_pair_are_cancelled_or_neither() -> None:
    from tasks.job import Job

    (phase, *_) = planned(against="http://127.0.0.1:9/v1", cancel_share=0.5).phases
    jobs = [Job(phase, index, 0.0, None, lambda _: None) for index in range(200)]
    drawn = [job.cancel is not None for job in jobs]
    assert drawn[::2] == drawn[1::2] and 60 < sum(drawn) < 140


def test_no_probe_of_identity_is_cancelled() -> None:
    """Nor by a plan that is read again from its manifest; of the others the share is."""
    (phase, *_) = planned(cancel_share=0.5, identity_share=0.25).phases
    again = Phase.of(json.loads(json.dumps(phase.as_dict())))
    assert phase.cancel is not None and again.cancel == phase.cancel
    drawn = [n for n in range(1000) if phase.cancel.applies_to(n)]
    assert not any(is_probe(phase.probe_every, n) for n in drawn)
    assert 300 < len(drawn) < 450, "half of three quarters"


def test_a_capacity_search_cancels_in_every_trial(tmp_path: Path) -> None:
    (tmp_path / "slo.toml").write_text("success_rate = 0.9\n")
    unfold = planned(mode="capacity", target="60", slo=str(tmp_path / "slo.toml")).unfold
    assert unfold is not None
    assert next(unfold()).cancel is not None


@pytest.mark.parametrize(
    ("known", "sentence"),
    [
        ({"cancel_after": "soon"}, "write 3chunks, 500ms or 2s"),
        ({"stream": False}, "counts the chunks of a stream: give --stream"),
        ({"cancel_after": "", "cancel_share": 0.2}, "add --cancel-after"),
        ({"cancel_share": 0.95}, "--cancel-share must be above 0 and at most 0.9"),
    ],
)
def test_a_cancellation_that_cannot_be_done_is_an_operator_error(
    known: dict[str, object], sentence: str
) -> None:
    with pytest.raises(OperatorError, match=sentence):
        planned(**known)


def test_a_cancellation_after_a_time_needs_no_stream_and_a_load_mode() -> None:
    assert planned(stream=False, cancel_after="500ms").phases[0].cancel is not None
    assert "smoke" not in CANCELLED


def test_token_windows_are_cancelled_in_and_their_calibration_is_not() -> None:
    phases = planned(mode="tpm", target="60000").phases
    assert [phase.cancel is not None for phase in phases] == [False, True]


def test_mode_full_cancels_only_in_its_load_parts() -> None:
    phases = planned(mode="full", target="", cancel_share=0.2).phases
    cancelled = {phase.mode for phase in phases if phase.cancel is not None}
    assert cancelled == {"ladder", "rpm", "tpm"}
    assert all(phase.cancel is None for phase in phases if phase.mode not in cancelled)
