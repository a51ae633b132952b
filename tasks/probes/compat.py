"""Compatibility: each request is taken unchanged from a check (compat/)."""

from functools import lru_cache, partial
from pathlib import Path

from compat import evidence_file, known
from compat.replay import finish, wave_of
from compat.survey import Wave
from loadshapes.modes.compat import REQUEST, direct_of, folder_of, survey_of
from loadshapes.phase import Phase
from settings.options import Options
from tasks.prompts import Raw, Request


@lru_cache(maxsize=4)
def _wave(options: Options, folder: Path, phase: str, model: str) -> Wave:
    """The wave that a phase sends; it depends on the answers to earlier phases."""
    evidence, survey = evidence_file.read(folder), survey_of(options, model)
    if phase.startswith(f"{survey.name}/{known.DIRECT}/"):
        finish(survey, evidence, "")
        direct = direct_of(options, survey)
        assert direct is not None, phase
        survey = direct
    return wave_of(survey, evidence, phase)


def build(phase: Phase, index: int, options: Options) -> Request:
    """Request `index` of a wave, raw."""
    folder = folder_of(options)
    turn = _wave(options, folder, phase.name, phase.model).turns[index]
    keep = partial(evidence_file.append, folder, (phase.name, index), turn.check)
    raw = Raw(turn.check, turn.ask, keep, named=options.task_id != "off")
    return Request("", place={"check": turn.check}, raw=raw)


BUILDERS = {REQUEST: build}
