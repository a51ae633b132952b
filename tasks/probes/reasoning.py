"""Reasoning: a small question worth a thought; the record says which fields came back."""

from loadshapes.phase import Phase
from settings.options import Options
from tasks.prompts import Request


def build(phase: Phase, index: int, options: Options) -> Request:
    """A question that a thinking model thinks about and any model can answer."""
    return Request(
        "A train leaves at 9:40 and arrives at 12:05. How many minutes does it travel? "
        "Think step by step, then give the number."
    )


BUILDERS = {"reasoning": build}
