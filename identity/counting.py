"""Which tokenizer counts: the stated tokens of repeated texts, by exact arithmetic. Pure.

It says which tokenizer the counter knows. A gateway may count with one tokenizer and send another
model's answers: a fit is no proof of the model, and a misfit is one of the count alone.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from identity.looks import Verdict
from identity.texts import COUNTED, REPEATS, TEXTS
from identity.tokenizers import CERTAIN, KNOWN, claimed
from rules.line_fit import EXACT, Point, slopes
from rules.token_slopes import CHAT_TOKENS

TEMPLATE_TOKENS = 40
"""Fewer than that, a chat template of the model's own may account for."""
TOLERATED_TOKENS = 3
"""Beyond a reference's count: templates change that much between versions."""


class Count(NamedTuple):
    """One answered request: its text, its repeats, the prompt tokens stated of it."""

    text: int
    repeats: int
    tokens: int
    streamed: bool = False


class Kind(StrEnum):
    """What the slopes say."""

    CLAIMED = "as the claimed model's tokenizer"
    REFERENCE = "as the reference"
    NOT_REFERENCE = "otherwise than the reference"
    OTHER = "as another tokenizer"
    INFLATED = "the claimed tokenizer's, times a factor"
    NO_KNOWN = "as no known tokenizer"
    UNCLAIMED = "the claimed model's tokenizer is not known"
    VARIES = "one request is counted in several ways"
    NOT_STATED = "too little is stated"


@dataclass(frozen=True, slots=True)
class Counting:
    """`slopes`: tokens a repeat, by text, `expected` what was claimed. `family`: whose they are.
    `factor`: between which the stated counts exceed the claimed ones. `unsent`: tokens of every
    prompt that are not explained by what was sent, `beyond` those beyond the reference's (None: not
    known). `streamed`: what streams state more than plain requests (None: not known or not one
    number). `varying`: what was stated of one and the same request."""

    verdict: Verdict
    kind: Kind
    slopes: tuple[float, ...] = ()
    expected: tuple[int, ...] = ()
    family: str = ""
    factor: tuple[float, float] | None = None
    unsent: int | None = None
    beyond: int | None = None
    streamed: int | None = None
    varying: tuple[int, ...] = ()

    @property
    def unexplained(self) -> bool:
        """Whether every prompt has more tokens than what was sent and a template account for."""
        return (self.unsent or 0) > TEMPLATE_TOKENS or (self.beyond or 0) > TOLERATED_TOKENS


def judge(
    model: str,
    counts: Sequence[Count],
    reference: Sequence[int | None] = (),
    repeated: Sequence[Collection[int]] = (),
) -> Counting:
    """Judge the counts of a model; `reference`: what a reference states of COUNTED, in order;
    `repeated`: what was stated of other requests that were sent several times, byte for byte. These
    show what two rounds may hide: a second counter that answers now and then.
    """
    plain = _by_request([count for count in counts if not count.streamed])
    if any((text, k) not in plain for text in range(len(TEXTS)) for k in REPEATS):
        return Counting(Verdict.NOT_ENOUGH, Kind.NOT_STATED)
    for counts_stated in (*plain.values(), *repeated):
        if len(set(counts_stated)) > 1:
            varying = tuple(sorted(set(counts_stated)))
            return Counting(Verdict.NOT_ENOUGH, Kind.VARIES, varying=varying)
    our_slopes = _slopes(plain)
    streams = _by_request([count for count in counts if count.streamed])
    more = {n - plain[place][0] for place, counts_stated in streams.items() for n in counts_stated}
    streamed = more.pop() if len(more) == 1 else None
    before = _by_request(
        [Count(*place, n) for place, n in zip(COUNTED, reference, strict=False) if n is not None]
    )
    reference_complete = set(before) == set(plain) and all(
        len(set(counts_stated)) == 1 for counts_stated in before.values()
    )
    if reference_complete:
        return _beside(plain, before, our_slopes, streamed)
    return _alone(model, plain, our_slopes, streamed)


def steady(counts: Sequence[Count]) -> tuple[int | None, ...]:
    """What a reference keeps of COUNTED, in order; empty where one request was counted in several
    ways: the slopes of a prompt that changes (one with the time of day in it) are no tokenizer's.
    """
    by_request = _by_request([count for count in counts if not count.streamed])
    if any(len(set(tokens)) > 1 for tokens in by_request.values()):
        return ()
    return tuple(by_request[place][0] if place in by_request else None for place in COUNTED)


def _beside(
    plain: Mapping[tuple[int, int], Sequence[int]],
    before: Mapping[tuple[int, int], Sequence[int]],
    our_slopes: tuple[float, ...],
    streamed: int | None,
) -> Counting:
    """By a reference: equal slopes, and what each prompt has beyond the reference's."""
    theirs = _slopes(before)
    family = _family(our_slopes)
    expected = tuple(int(slope) for slope in theirs)
    if our_slopes != theirs:
        return Counting(
            Verdict.DIFFERS, Kind.NOT_REFERENCE, our_slopes, expected, family, streamed=streamed
        )
    beyond = plain[0, REPEATS[0]][0] - before[0, REPEATS[0]][0]
    same = all(plain[place][0] - before[place][0] == beyond for place in plain)
    verdict = Verdict.DIFFERS if beyond > TOLERATED_TOKENS or not same else Verdict.NOT_SHOWN
    return Counting(
        verdict, Kind.REFERENCE, our_slopes, expected, family, beyond=beyond, streamed=streamed
    )


def _alone(
    model: str,
    plain: Mapping[tuple[int, int], Sequence[int]],
    our_slopes: tuple[float, ...],
    streamed: int | None,
) -> Counting:
    """By the tokenizers that are known."""
    claims, family = claimed(model), _family(our_slopes)
    expected = tuple(line.slope for line in KNOWN[claims[0]]) if claims else ()
    unsent = _unsent(family, plain) if family else None
    if family and family in claims:
        kind, verdict = Kind.CLAIMED, Verdict.NOT_SHOWN
    elif not claims:
        kind, verdict = Kind.UNCLAIMED, Verdict.NOT_ENOUGH
    elif family:
        kind, verdict = Kind.OTHER, Verdict.DIFFERS
    elif (inflated := _inflated(claims, plain)) is not None:
        return Counting(
            Verdict.DIFFERS,
            Kind.INFLATED,
            our_slopes,
            expected,
            inflated[0],
            inflated[1],
            streamed=streamed,
        )
    else:
        certain = all(name in CERTAIN for name in claims)
        kind, verdict = Kind.NO_KNOWN, Verdict.DIFFERS if certain else Verdict.NOT_ENOUGH
    return Counting(verdict, kind, our_slopes, expected, family, unsent=unsent, streamed=streamed)


def _by_request(counts: Sequence[Count]) -> dict[tuple[int, int], list[int]]:
    tokens: dict[tuple[int, int], list[int]] = {}
    for count in counts:
        tokens.setdefault((count.text, count.repeats), []).append(count.tokens)
    return tokens


def _slopes(plain: Mapping[tuple[int, int], Sequence[int]]) -> tuple[float, ...]:
    few, many = REPEATS
    return tuple(
        (plain[text, many][0] - plain[text, few][0]) / (many - few) for text in range(len(TEXTS))
    )


def _family(our_slopes: Sequence[float]) -> str:
    """Whose slopes these are, all of them; empty: nobody's that is known."""
    return next(
        (name for name, lines in KNOWN.items()
         if all(line.slope == slope for line, slope in zip(lines, our_slopes, strict=True))),
        "",
    )  # fmt: skip


def _inflated(
    claims: Sequence[str], plain: Mapping[tuple[int, int], Sequence[int]]
) -> tuple[str, tuple[float, float]] | None:
    """The claimed tokenizer whose counts, times one factor, are those stated."""
    for name in claims:
        low, high = 0.0, float("inf")
        for text, line in enumerate(KNOWN[name]):
            points: list[Point] = [(line.tokens(k), plain[text, k][0]) for k in REPEATS]
            slope = slopes(points, EXACT)
            low, high = (max(low, slope[0]), min(high, slope[1])) if slope else (1.0, 0.0)
        if low <= high and not low <= 1.0 <= high:
            return name, (low, high)
    return None


def _unsent(family: str, plain: Mapping[tuple[int, int], Sequence[int]]) -> int:
    """Tokens of every prompt beyond the text's own and the usual chat format's."""
    return min(
        plain[text, k][0] - KNOWN[family][text].tokens(k) - CHAT_TOKENS
        for text in range(len(TEXTS))
        for k in REPEATS
    )
