"""What a plan may use, before anything is sent: tokens and time, roughly. Pure."""

from loadshapes.options import Options
from loadshapes.plan import Phase, Plan
from tasks.catalogue import BUILDERS
from tasks.prompts import Request
from tasks.reply import text_of

CHARACTERS_PER_TOKEN = 4  # of English text; a rule of thumb, other text needs more tokens
ANSWER_S = 5.0  # what an answer is taken to last


def prompt_tokens(request: Request) -> int:
    """Tokens of one prompt, by the rule of thumb; pictures are not counted."""
    return len(text_of(request.content) or "") // CHARACTERS_PER_TOKEN + 1


def seconds(phase: Phase) -> float:
    """How long a phase lasts if every answer takes ANSWER_S; 0 for one without an end."""
    if phase.duration_s is not None:
        return phase.duration_s + ANSWER_S + phase.pause_after_s
    in_turn = 1 if phase.kind == "burst" else (phase.count or 0)
    return in_turn * ANSWER_S + phase.pause_after_s


def estimate(plan: Plan, options: Options) -> str:
    """One line: prompt tokens, output tokens at most, and minutes."""
    prompts = sum(
        (phase.count or 0) * prompt_tokens(BUILDERS[phase.request](phase, 0, options))
        for phase in plan.phases
    )
    outputs = sum((phase.count or 0) * (phase.max_tokens or 0) for phase in plan.phases)
    minutes = sum(seconds(phase) for phase in plan.phases) / 60
    return (
        f"about {prompts:,} prompt tokens (at {CHARACTERS_PER_TOKEN} characters a token), at most "
        f"{outputs:,} output tokens, about {minutes:.1f} minutes (at {ANSWER_S:g} s an answer)"
    )
