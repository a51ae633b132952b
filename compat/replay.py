"""Repeats a survey from its stored evidence: what to send next, and what was found. Pure."""

import json
from collections.abc import Callable, Mapping, Sequence

from compat.evidence import Evidence
from compat.evidence_file import Place
from compat.survey import Survey, Wave

Kept = Mapping[Place, Evidence]


def phase_name(survey: Survey, wave: Wave) -> str:
    """The name of a wave's phase."""
    return f"{survey.name}/{wave.number}"


def wave_of(survey: Survey, stored_evidence: Kept, phase: str) -> Wave:
    """The wave that a phase sends. Raises LookupError if the evidence leads to no such wave."""
    waves = survey.waves()
    wave = next(waves, None)
    while wave is not None and phase_name(survey, wave) != phase:
        wave = _next(waves.send, answers(survey, wave, stored_evidence))
    if wave is None:
        raise LookupError(f"no wave of {survey.name} is {phase}")
    return wave


class Changed(Exception):
    """The stored evidence comes from a version with different checks."""


def finish(survey: Survey, stored_evidence: Kept, unsent: str) -> None:
    """Judges a survey by its stored evidence; `unsent` says why a request was not sent.

    Raises Changed.
    """
    waves = survey.waves(unsent)
    wave = next(waves, None)
    while wave is not None:
        answer = answers(survey, wave, stored_evidence)
        for turn, evidence in zip(wave.turns, answer, strict=True):
            if evidence is not None and evidence.sent != json.loads(json.dumps(turn.ask.body)):
                raise Changed(turn.check)
        wave = _next(waves.send, answer)


def answers(survey: Survey, wave: Wave, stored_evidence: Kept) -> list[Evidence | None]:
    """The stored evidence of a wave's requests, in order."""
    name = phase_name(survey, wave)
    return [stored_evidence.get((name, index)) for index in range(len(wave.turns))]


def _next(
    send: Callable[[Sequence[Evidence | None]], Wave], answer: Sequence[Evidence | None]
) -> Wave | None:
    try:
        return send(answer)
    except StopIteration:
        return None
