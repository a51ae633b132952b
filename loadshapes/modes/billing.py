"""Mode billing: are the charges right for what was sent? Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from random import Random

from loadshapes.article_models import CHEAP
from loadshapes.modes.mode import Mode
from loadshapes.one_by_one import one_by_one
from loadshapes.phase import Phase
from loadshapes.plan import Plan
from loadshapes.program import Program
from loadshapes.rounds import Turn, in_rounds, spread
from recording.arms import REFERENCE
from recording.outcome import Outcome
from rules.billing_cases import BESIDE, CASES, COUNTED, NAMED, Case
from rules.stop_rule import ALIKE
from settings.options import Options

AGAIN = "plain_again"
WHOLE = 2  # long replies to their end: what the cancelled ones are held against
LIMITED, REFUSALS = "limited", 3  # so many refusals for the rate limit are enough
BEYOND = 10  # requests more than a stated limit: it may let some more through meanwhile
BESIDE_COUNT = 2  # requests of a case that the reference counts
COUNTED_ROUNDS = 2  # of the repeated texts: a count that differs between them is no counter's


Share = Sequence[tuple[Phase, Sequence[range]]]
"""The phases of a case, each with its requests by round."""


def plan(options: Options) -> Plan:
    """One prompt in about 16 ways, `repeat` times each: what is counted, and what is charged?

    The ways are mixed in time, so that a price that changes meanwhile is not taken for a way that
    costs otherwise.
    """
    models = options.models or CHEAP[:1]
    shares = [
        [_share(options, model, case) for case in CASES if case.name != LIMITED] for model in models
    ]
    limited = [_limited(options, model) for model in models] if options.provoke_429 else []
    rounds = [
        turns
        for model, cases in zip(models, shares, strict=True)
        for turns in _rounds(options, model, cases)
    ]
    phases = [phase for cases in shares for share in cases for phase, _ in share]
    return Plan((*phases, *limited), unfold=lambda: _program(options, rounds, limited))


def _program(
    options: Options, rounds: Sequence[Sequence[Turn]], limited: Sequence[Phase]
) -> Program:
    """The rounds, and then no more requests at once than their headers state a limit for."""
    rows = yield from in_rounds(rounds)
    for phase in limited:
        limits = [
            row.ratelimit_limit_requests
            for row in rows
            if row.model_requested == phase.model and row.ratelimit_limit_requests
        ]
        yield _limited(options, phase.model, limits[-1] + BEYOND if limits else None)


def _rounds(options: Options, model: str, cases: Sequence[Share]) -> Iterator[list[Turn]]:
    """The turns of each round: plain requests first and last, the others in an order by the seed.

    The reference's requests follow those of their case.
    """
    first, *others, last = cases
    for number in range(options.repeat):
        order = list(others)
        Random(f"{options.seed}/billing/{model}/{number}").shuffle(order)
        shares_of_round = (
            (phase, parts[number]) for case in (first, *order, last) for phase, parts in case
        )
        yield [Turn(phase, part) for phase, part in shares_of_round if part]


def _share(options: Options, model: str, case: Case) -> Share:
    """The phases of a case, and which of their requests each round asks."""
    divided = _pairs if case.name == "cached" else spread
    return [
        (phase, divided(phase.count or 0, options.repeat))
        for phase in _phases(options, model, case)
    ]


def _pairs(count: int, rounds: int) -> list[range]:
    """Two requests at a time, in every other round: caches forget within minutes, and the second of
    a pair finds what the first one left.
    """
    parts = [range(0)] * rounds
    for begin in range(0, count, 2):
        parts[min(begin, rounds - 1)] = range(begin, min(begin + 2, count))
    return parts


def _limited(options: Options, model: str, enough: int | None = None) -> Phase:
    """Short requests at once, until some are refused for the rate limit: no more than the operator
    allows, and than are `enough`, where that is known.
    """
    case = NAMED[LIMITED]
    most = min(options.provoke_429, enough or options.provoke_429)
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
    # The last plain answers are looked at for the rate limit that their headers state.
    phase = replace(phase, cancel=case.cancel, watched=case.name == AGAIN)
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
