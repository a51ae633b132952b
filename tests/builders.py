"""Plans for tests, from flat facts as manifests hold them."""

from typing import Any

from loadshapes.phase import Phase


def phase_of(**facts: Any) -> Phase:
    """A phase of these facts: its own fields, and `kind`, `count`, `duration_s` of its schedule."""
    return Phase.of(facts)


def changed(phase: Phase, **facts: Any) -> Phase:
    """The phase with some of its facts replaced."""
    return Phase.of(phase.as_dict() | facts)
