"""Mode billing: are the charges right for what was sent? Pure."""

from dataclasses import replace

from loadshapes.article_models import CHEAP
from loadshapes.modes.mode import Mode
from loadshapes.one_by_one import one_by_one
from loadshapes.phase import Phase
from recording.arms import REFERENCE
from recording.outcome import Outcome
from rules.billing_cases import BESIDE, CASES, COUNTED, NAMED, Case
from rules.stop_rule import ALIKE
from settings.options import Options

WHOLE = 2  # long replies to their end: what the cancelled ones are held against
LIMITED, REFUSALS = "limited", 3  # so many refusals for the rate limit are enough
BESIDE_COUNT = 2  # requests of a case that the reference counts
COUNTED_ROUNDS = 2  # of the repeated texts: a count that differs between them is no counter's


def plan(options: Options) -> list[Phase]:
    """One prompt in about 16 ways, `repeat` times each: what is counted, and what is charged?"""
    models = options.models or CHEAP[:1]
    phases = [
        phase
        for model in models
        for case in CASES
        if case.name != LIMITED
        for phase in _phases(options, model, case)
    ]
    if not options.provoke_429:
        return phases
    return phases + [_limited(options, model) for model in models]


def _limited(options: Options, model: str) -> Phase:
    """Short requests at once, until some are refused for the rate limit: at most so many."""
    case, most = NAMED[LIMITED], options.provoke_429
    phase = one_by_one(
        options, "billing", model, case.max_tokens, scenario=case.name, count=most
    )  # fmt: skip
    return replace(
        phase,
        users=min(most, options.max_workers),
        max_tokens=case.max_tokens,
        ends_on=Outcome.RATE_LIMITED.value,
        ends_after=REFUSALS,
        stop_rule=False,
    )


def _phases(options: Options, model: str, case: Case) -> list[Phase]:
    """The requests of a case; with `--against` some are also sent to the reference."""
    phase = _phase(options, model, case)
    if not options.against or case.name not in BESIDE:
        return [phase]
    scenario = f"{case.name}-{REFERENCE}"
    count = len(COUNTED) if case.name == "count" else BESIDE_COUNT
    named = one_by_one(
        options, "billing", model, case.max_tokens, scenario=scenario, count=count
    )  # fmt: skip
    beside = replace(
        phase, name=named.name, schedule=named.schedule, task_prefix=named.task_prefix,
        route=REFERENCE,
    )  # fmt: skip
    return [phase, beside]


def _phase(options: Options, model: str, case: Case) -> Phase:
    count = options.repeat
    if case.name == "count":
        count = COUNTED_ROUNDS * len(COUNTED)
    elif case.name == "refused":
        count = min(count, ALIKE - 1)  # more refusals in a row would end the mode
    elif case.name == "cached":
        count += 1  # the first may find nothing in the cache
    elif case.name == "whole":
        count = WHOLE
    phase = one_by_one(
        options, "billing", model, case.max_tokens,
        scenario=case.name, count=count, stream=case.stream,
    )  # fmt: skip
    phase = replace(phase, cancel=case.cancel)
    small = case.name in ("count", "cut", "refused")
    return replace(phase, max_tokens=case.max_tokens) if small else phase


MODE = Mode(
    name="billing",
    place=65,
    question=("are the charges right for what was sent?", "计费与实际用量是否一致"),
    sends=(
        "one prompt plain, streamed, cached, cut, refused, cancelled ..., `--repeat` times each",
        "同一 prompt 以非流式、流式、缓存、截断、被拒绝、中途取消等方式各发送 `--repeat` 次",
    ),
    plan=plan,
    example=("--model", "gpt-5.4-nano"),
    page="how-to/billing.md",
    bounded=True,
)
