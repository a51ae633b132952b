"""Mode cache: does the prompt cache save money? Pure."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from loadshapes.article_models import CHEAP
from loadshapes.modes.mode import Mode
from loadshapes.one_by_one import one_by_one
from loadshapes.phase import Phase
from loadshapes.plan import Plan
from loadshapes.program import Program, in_order
from loadshapes.rounds import Turn, in_rounds
from loadshapes.task_prefix import task_prefix
from settings.options import Options


def plan(options: Options) -> list[Phase] | Plan:
    """The same long prefix repeatedly, one request at a time; then the optional pairs and gaps."""
    parts = [
        (one_by_one(options, "cache", model, 16), _pairs(options, model), _gaps(options, model))
        for model in options.models or CHEAP[:1]
    ]
    phases = [phase for first, pairs, gaps in parts for phase in (first, *pairs, *gaps)]
    if not any(len(pairs) > 1 for _, pairs, _ in parts):
        return phases

    def program() -> Program:
        for first, pairs, gaps in parts:
            yield from in_order([first])
            yield from in_rounds(_rounds(options, pairs))
            yield from in_order(gaps)

    return Plan(tuple(phases), unfold=program)


def _rounds(options: Options, kinds: Sequence[Phase]) -> list[list[Turn]]:
    """A pair and an unmarked request in each round, in an order by the seed: what they cost is
    compared, and a price may change meanwhile.
    """
    order = Random(f"{options.seed}/{kinds[0].name}")
    rounds = []
    for number in range(options.cache_pairs):
        turns = [
            Turn(phase, range(number * each, (number + 1) * each))
            for phase in kinds
            for each in [(phase.count or 0) // options.cache_pairs]
        ]
        order.shuffle(turns)
        rounds.append(turns)
    return rounds


def _pairs(options: Options, model: str) -> list[Phase]:
    """Pairs of streams, each with a new prefix: cold, then warm.

    A marked prefix (cache_control) may cost more to write: unmarked ones show the cost without it.
    """
    kinds = {"pairs": 2 * options.cache_pairs} if options.cache_pairs else {}
    if kinds and options.cache_control != "off":
        kinds["plain"] = options.cache_pairs
    return [
        one_by_one(options, "cache", model, 16, scenario=kind, count=count, stream=True)
        for kind, count in kinds.items()
    ]


def _gaps(options: Options, model: str) -> list[Phase]:
    """One prefix, written and then sent again after each pause; the target is the pause,
    seconds.
    """
    if not options.gaps_s:
        return []
    rests = (0, *options.gaps_s)
    return [
        replace(
            one_by_one(options, "cache", model, 16, scenario="gap", count=1),
            name=f"cache/gap-{rest}/{model}",
            target=rest,
            task_prefix=task_prefix(options, "cache", model, f"gap-{rest}", "run-"),
            pause_after_s=float(pause),
        )
        for rest, pause in zip(rests, (*rests[1:], 0), strict=True)
    ]


MODE = Mode(
    name="cache",
    place=50,
    question=("does the prompt cache save money?", "Prompt Cache 是否省钱"),
    sends=(
        "the same long prefix `--repeat` times, one at a time",
        "同一长前缀 `--repeat` 次，逐个发送",
    ),
    plan=plan,
    example=(),
    page="how-to/cache.md",
    in_full=plan,
)
