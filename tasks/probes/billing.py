"""Billing: the same prompt in every way that some gateway counts or charges differently."""

from collections.abc import Callable

from loadshapes.phase import Phase
from recording.json_values import Json
from rules.billing_cases import CHOICES, LEFT, LONG_QUESTION, SAME, SHORT_QUESTION, prompt, repeats
from settings.options import Options
from tasks.probes import reasoning, tools, vision
from tasks.prompts import Request

_UNKNOWN_ROLE: list[Json] = [{"role": "nobody", "content": prompt(*SAME)}]


def build(phase: Phase, index: int, options: Options) -> Request:
    """The request of a case (`Phase.scenario`). It has no nonce, so that every count must be the
    same.
    """
    if (builder := _OWN.get(phase.scenario)) is not None:
        return builder(phase, index, options)
    if phase.scenario in ("whole", *LEFT):
        return Request(LONG_QUESTION, named=True)
    if phase.scenario == "limited":
        return Request(SHORT_QUESTION, named=True)
    text = prompt(*(repeats(phase.scenario, index) or SAME))
    # A bill names requests by their task_id, so streams carry it too.
    match phase.scenario:
        case "n":
            return Request(text, extra={"n": CHOICES})
        case "refused":
            return Request(text, messages=_UNKNOWN_ROLE)
        case "stream_no_usage":
            return Request(text, named=True, without=("stream_options",))
        case _:
            return Request(text, named=True)


_OWN: dict[str, Callable[[Phase, int, Options], Request]] = {
    "tools": tools.build,
    "image": vision.build,
    "reasoning": reasoning.build,
}
BUILDERS = {"billing": build}
