"""Verdicts, and how those of repeated attempts are combined. Pure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from recording.bilingual import Bilingual
from recording.untrusted_text import printable

LONGEST_FACT_CHARS = 200
MOST_ROUNDS = 3


class Verdict(StrEnum):
    """What a check found."""

    WORKS = "works"  # the discriminating fact holds in every repetition
    IGNORED = "ignored"  # 200, and the reply is the same as without the feature
    REFUSED = "refused"  # 4xx with an envelope that names the field, value or feature
    WRONG = "wrong"  # 200 and an effect, but the contract is broken
    BROKEN = "broken"  # 5xx, 4xx without an envelope, not JSON, a cut stream, a timeout
    UNSURE = "unsure"  # repetitions disagree, or nothing can be concluded
    NOT_TRIED = "not tried"  # no budget, option off, or the operator says the model lacks it

    @property
    def accuses(self) -> bool:
        """Whether it says that something does not work."""
        return self not in (Verdict.WORKS, Verdict.UNSURE, Verdict.NOT_TRIED)


SYMBOLS = {
    Verdict.WORKS: "✓", Verdict.IGNORED: "∅", Verdict.REFUSED: "⊘", Verdict.WRONG: "✗",
    Verdict.BROKEN: "!", Verdict.UNSURE: "?", Verdict.NOT_TRIED: "–",
}  # fmt: skip
WORDS = {
    Verdict.WORKS: Bilingual("works", "可用"),
    Verdict.IGNORED: Bilingual("ignored", "被忽略"),
    Verdict.REFUSED: Bilingual("refused", "被拒绝"),
    Verdict.WRONG: Bilingual("wrong", "结果有误"),
    Verdict.BROKEN: Bilingual("broken", "出错"),
    Verdict.UNSURE: Bilingual("unsure", "无法判断"),
    Verdict.NOT_TRIED: Bilingual("not tried", "未检查"),
}
WORST_FIRST = (
    Verdict.BROKEN, Verdict.WRONG, Verdict.IGNORED, Verdict.REFUSED, Verdict.UNSURE,
    Verdict.WORKS, Verdict.NOT_TRIED,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict and the fact it is based on: English, one line of at most 200 characters.

    `seen_in`: the index, within the round, of the evidence that decided, for its request id.
    """

    verdict: Verdict
    fact: str = ""
    seen_in: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "fact", printable(self.fact, LONGEST_FACT_CHARS))


class Settled(Exception):
    """Raised by the strict views if an answer alone decides the verdict."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.fact)
        self.finding = finding


def works(fact: str = "") -> Finding:
    return Finding(Verdict.WORKS, fact)


def ignored(fact: str) -> Finding:
    return Finding(Verdict.IGNORED, fact)


def wrong(fact: str) -> Finding:
    return Finding(Verdict.WRONG, fact)


def broken(fact: str) -> Finding:
    return Finding(Verdict.BROKEN, fact)


def unsure(fact: str) -> Finding:
    return Finding(Verdict.UNSURE, fact)


def settle(judge: Callable[[], Finding]) -> Finding:
    """The finding of a judge, whether it is returned or raised as Settled."""
    try:
        return judge()
    except Settled as settled:
        return settled.finding


def every(judges: Iterable[Callable[[], Finding]], labels: Sequence[str] = ()) -> Finding:
    """One round's finding from those of its requests: the first that accuses, else an unsure one.

    A label (`streamed`) is put before the fact of any finding other than works.
    """
    findings = []
    for place, judge in enumerate(judges):
        finding = replace(settle(judge), seen_in=place)
        if place < len(labels) and labels[place] and finding.verdict is not Verdict.WORKS:
            finding = replace(finding, fact=f"{labels[place]}: {finding.fact}")
        findings.append(finding)
    accusing = [f for f in findings if f.verdict.accuses]
    doubtful = [f for f in findings if f.verdict is Verdict.UNSURE]
    return (accusing or doubtful or findings or [unsure("nothing was sent")])[0]


def agreeing(judges: Iterable[Callable[[], Finding]]) -> Finding:
    """Like `every`, for replies that a model may get wrong once: a mixture of works and ignored is
    unsure."""
    findings = [replace(settle(judge), seen_in=place) for place, judge in enumerate(judges)]
    verdicts = {f.verdict for f in findings}
    if len(verdicts) == 1:
        return findings[0]
    if verdicts <= {Verdict.WORKS, Verdict.IGNORED}:
        some = sum(f.verdict is Verdict.WORKS for f in findings)
        return unsure(f"an effect in {some} of {len(findings)} replies")
    return (
        [f for f in findings if f.verdict.accuses]
        or [f for f in findings if f.verdict is Verdict.UNSURE]
        or findings
    )[0]


def combine(rounds: Sequence[Finding], guarantee: bool = False) -> Finding | None:
    """The verdict of a check's rounds so far; None: send it once more.

    One round of works is enough. Anything else is sent again, and two equal verdicts decide. If the
    two differ, a third round decides by two of three. One counter-example to a guarantee rules out
    `works` but does not accuse: the verdict is unsure.
    """
    if not rounds:
        return None
    if rounds[0].verdict is Verdict.WORKS:
        return rounds[0]
    if len(rounds) < 2:
        return None
    if len(rounds) == 2:
        return rounds[1] if rounds[0].verdict == rounds[1].verdict else None
    for finding in rounds:
        same = sum(other.verdict == finding.verdict for other in rounds)
        if same >= 2 and not (guarantee and finding.verdict is Verdict.WORKS):
            return finding
    listed = ", ".join(finding.verdict for finding in rounds)
    fact = next(f.fact for f in rounds if f.verdict is not Verdict.WORKS)
    return unsure(f"{listed}: {fact}")


def softened(finding: Finding, prerequisites: Sequence[tuple[str, Verdict]]) -> Finding:
    """Unsure instead of an accusation that a prerequisite which does not work may have caused.

    What works stays so; a prerequisite that is wrong only in some detail excuses nothing.
    """
    failed = [
        f"{name} is {verdict}" for name, verdict in prerequisites
        if verdict in (Verdict.BROKEN, Verdict.REFUSED, Verdict.IGNORED)
    ]  # fmt: skip
    if finding.verdict.accuses and failed:
        return replace(finding, verdict=Verdict.UNSURE, fact=f"{failed[0]}; {finding.fact}")
    return finding
