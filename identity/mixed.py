"""Probes that are mixed into a load, and whether their answers change with time or load. Pure.

Every so many-th request of a phase is one: a repeated text, always the same bytes, whose tokens are
counted, or one of a few questions with an answer of one word.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from identity.alpha import of_each
from identity.exact import Counts, Spread, spread
from identity.word import FILTERED

COUNTED_AT = 4
"""Of so many probes the first is counted, the others are questions."""
TEXT = (0, 2)
"""The repeated text that is counted (identity/texts.py), and how often it is repeated."""
QUESTIONS = (0, 3, 6, 30, 34, 42)
"""Of the bank: three that have several answers, three that have one."""
ALPHA = 0.01
"""False alarms of a run, all of its models and parts together."""
LEAST_ANSWERS = 24
"""Answers of one part: fewer show little, so that parts are joined."""
MOST_PARTS = 12
_DRAWS, _POWER = 40, 0.9
_OF_A_PART, _OF_THE_REST = 12, 48
"""Answers to a question that are compared; of more, so many that lie evenly among them."""


def question(every: int, number: int) -> int | None:
    """What a probe asks; None: it is the repeated text."""
    place, turn = divmod(number // max(1, every), COUNTED_AT)
    return None if not turn else QUESTIONS[(place * (COUNTED_AT - 1) + turn - 1) % len(QUESTIONS)]


@dataclass(frozen=True, slots=True)
class ProbeAnswer:
    """One probe that was answered: in which phase and when (seconds into it, and Unix time of the
    answer if it is known); its word, or the prompt tokens stated for the repeated text."""

    phase: str
    at_s: float
    question: int | None = None
    word: str = ""
    tokens: int | None = None
    at_unix_s: float | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a phase: what was answered in it, by question, and what was counted.

    `spread` compares it with all other parts; None: there is nothing to compare.
    """

    phase: str
    from_s: float
    to_s: float
    answers: int
    tokens: Mapping[int, int]
    spread: Spread | None = None


@dataclass(frozen=True, slots=True)
class Course:
    """The parts of one model's run, and the p-value at which one is said to differ.

    `shown`: the smallest share of a part's answers, 0 to 1, that would have shown with 90 % had
    they become another word; None: no share would have, or something did differ. `filtered`: how
    many questions are left out, because a content filter withheld answers to them.
    """

    parts: Sequence[Part]
    alpha: float
    shown: float | None = None
    filtered: int = 0

    @property
    def differing(self) -> list[Part]:
        """Those whose answers differ from the others', the most different first."""
        by_p = [(part.spread.p, n) for n, part in enumerate(self.parts) if part.spread]
        return [self.parts[n] for p, n in sorted(by_p) if p <= self.alpha]

    @property
    def tokens(self) -> Counter[int]:
        """How often the repeated text was counted as so many tokens."""
        counts: Counter[int] = Counter()
        for part in self.parts:
            counts.update(part.tokens)
        return counts


def course(probes: Sequence[ProbeAnswer], models: int = 1) -> Course:
    """The probes of one of a run's models, part by part, each against all of the others.

    A part is exchangeable with the rest where nothing changed: the permutation test is exact for
    each, and the models and parts share ALPHA evenly (Bonferroni).
    """
    usable, filtered = unfiltered(probes)
    parts = _parts(sorted(usable, key=lambda one: one.at_s))
    return replace(compared(parts, of_each(ALPHA, models)), filtered=filtered)


def unfiltered(probes: Sequence[ProbeAnswer]) -> tuple[list[ProbeAnswer], int]:
    """The probes without the questions to which a content filter withheld an answer, and how many
    questions these are: a filter may be strict at some times only, whatever model answers."""
    filtered = {one.question for one in probes if one.word == FILTERED}
    usable = [one for one in probes if one.question is None or one.question not in filtered]
    return usable, len(filtered)


def compared(groups: Sequence[Sequence[ProbeAnswer]], alpha: float) -> Course:
    """Each group of probes against all other groups, with false alarms of at most `alpha` in all.

    A group is named after the phase of its first probe.
    """
    alpha /= max(1, len(groups))
    parts, sides = list[Part](), list[list[tuple[Counts, Counts]]]()
    for number, group in enumerate(groups):
        rest = [one for n, other in enumerate(groups) if n != number for one in other]
        pairs = [(_words(rest, q, _OF_THE_REST), _words(group, q, _OF_A_PART)) for q in QUESTIONS]
        sides.append(pairs)
        parts.append(
            Part(
                group[0].phase,
                group[0].at_s,
                group[-1].at_s,
                sum(one.question is not None for one in group),
                Counter(one.tokens for one in group if one.tokens is not None),
                spread(pairs),
            )
        )
    result = Course(parts, alpha)
    if result.differing or len(parts) < 2:
        return result
    least = min(range(len(parts)), key=lambda n: parts[n].answers)
    return replace(result, shown=_smallest_share(sides[least], alpha))


def _smallest_share(pairs: Sequence[tuple[Counts, Counts]], alpha: float) -> float | None:
    """By seeded draws of the rest's own answers, a share of them made another word."""
    dice = Random(0)
    for share in (0.25, 0.5, 0.75, 1.0):
        detected = 0
        for _ in range(_DRAWS):
            comparison = spread([(rest, _draw(rest, sum(of_part.values()), share, dice))
                            for rest, of_part in pairs if rest])  # fmt: skip
            detected += comparison is not None and comparison.p <= alpha
        if detected >= _POWER * _DRAWS:
            return share
    return None


def _draw(rest: Counts, count: int, share: float, dice: Random) -> Counts:
    words = dice.choices([*rest], [*rest.values()], k=count)
    return Counter("(another)" if dice.random() < share else word for word in words)


def _parts(probes: Sequence[ProbeAnswer]) -> list[list[ProbeAnswer]]:
    """Each phase by itself, cut into stretches of as many probes, and at most MOST_PARTS in all."""
    phases: dict[str, list[ProbeAnswer]] = {}
    for one in probes:
        phases.setdefault(one.phase, []).append(one)
    questions = sum(one.question is not None for one in probes)
    least = max(LEAST_ANSWERS, -(-questions // MOST_PARTS))
    parts: list[list[ProbeAnswer]] = []
    for of_phase in phases.values():
        count = max(1, sum(one.question is not None for one in of_phase) // least)
        size = -(-len(of_phase) // count)
        parts += [of_phase[begin : begin + size] for begin in range(0, len(of_phase), size)]
    return parts


def _words(probes: Sequence[ProbeAnswer], number: int, most: int) -> Counts:
    words = [one.word for one in probes if one.question == number and one.word]
    step = max(1, -(-len(words) // most))
    return Counter(words[::step])
