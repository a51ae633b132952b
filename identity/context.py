"""How long a prompt may be: by the tokens that are stated of it, then by what is recalled. Pure.

A prompt of known length holds three codes, near its beginning, in its middle and near its end. What
is stated can be less than was sent only where it was cut. Where it is not, codes that are never
recalled at one place, and always in a short prompt, say so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from compat.check import Setting as Nonces
from identity import alpha
from identity.counting import Count
from identity.looks import Verdict
from identity.tail import critical, fisher, smallest_rate
from identity.texts import REPEATS, TEXTS

PREFIX = "context-"
DEPTHS = (0.02, 0.5, 0.98)
SHORT, SHORT_ROUNDS, ROUNDS = 1000, 16, 6
"""Tokens of the short prompts that the others are held against; requests of either."""
OUTPUT_TOKENS = 64
CUT_SHARE = 0.98
"""Of the tokens that were sent: fewer stated ones are fewer than were sent."""
PROOF = 2
_TEXT = 0
_ASK = "Which codes do the lines above hold? List all of them, and nothing else."


class Why(StrEnum):
    """Why nothing is said."""

    UNANSWERED = "too few replies"
    REFUSED = "the gateway refuses prompts of that length"
    UNRECALLED = "codes are not recalled in a short prompt either"


@dataclass(frozen=True, slots=True)
class Length:
    """Of prompts of `size` tokens or a little more: `stated`, the least prompt tokens that any
    reply states, where `sent` were sent at least; `lost` of `codes` codes are not recalled, and
    `depths` are the places where none ever is. `p` where codes were compared."""

    size: int
    verdict: Verdict
    requests: int
    answered: int
    why: Why | None = None
    stated: int | None = None
    sent: int | None = None
    lost: int = 0
    codes: int = 0
    depths: tuple[float, ...] = ()
    p: float | None = None
    smallest: float | None = None

    @property
    def cut(self) -> bool:
        """Whether fewer tokens are stated than were sent."""
        return self.stated is not None and self.sent is not None and self.stated < self.sent


class Reply(NamedTuple):
    """A reply: whether each code was recalled (None: there is no reply), and the stated tokens."""

    recalled: Sequence[bool] | None
    tokens: int | None = None
    refused: bool = False


def sizes(text: str) -> tuple[int, ...]:
    """The lengths of `--identity-context`, shortest first. Raises ValueError."""
    result = sorted({int(part) for part in text.split(",") if part.strip()})
    if any(not 2 * SHORT <= size <= 2_000_000 for size in result):
        raise ValueError
    return tuple(result)


def line_of(counts: Sequence[Count]) -> tuple[float, float] | None:
    """Tokens of the frame and of a line, by what was stated of the repeated text; None: they are
    not known, or not always the same."""
    tokens_by_repeats: dict[int, set[int]] = {}
    for one in counts:
        if one.text == _TEXT and not one.streamed:
            tokens_by_repeats.setdefault(one.repeats, set()).add(one.tokens)
    low, high = (tokens_by_repeats.get(k, set()) for k in REPEATS)
    if len(low) != 1 or len(high) != 1:
        return None
    step = (max(high) - max(low)) / (REPEATS[1] - REPEATS[0])
    return (max(low) - REPEATS[0] * step, step) if step > 0 else None


def lines(size: int, line: tuple[float, float]) -> int:
    """How many lines make a prompt of so many tokens, or a few more."""
    return max(10, round(size / line[1]))


def codes(size: int, index: int, run: str, model: str) -> tuple[str, ...]:
    """The codes of a prompt, at its depths."""
    nonces = Nonces(model, seed=run)
    return tuple(nonces.word("identity-context", size, index, depth) for depth in DEPTHS)


def prompt(size: int, count: int, index: int, run: str, model: str) -> str:
    """So many lines, with the codes among them, and then the question."""
    text = [TEXTS[_TEXT]] * count
    for depth, code in reversed([*zip(DEPTHS, codes(size, index, run, model), strict=True)]):
        text.insert(round(depth * count), f"The code is {code}.")
    return "\n".join([*text, _ASK])


def fact(size: int, index: int, run: str, model: str, text: str) -> dict[str, Any]:
    """Which of its codes a reply holds."""
    return {"recalled": [code in text for code in codes(size, index, run, model)]}


def judge(
    replies_by_size: Mapping[int, Sequence[Reply]],
    line: tuple[float, float] | None,
    models: int = 1,
) -> list[Length]:
    """A verdict for each length beyond the short one."""
    short = [one for one in replies_by_size.get(SHORT, ()) if one.recalled is not None]
    longer = sorted(size for size in replies_by_size if size != SHORT)
    share = alpha.of_each(alpha.CONTEXT, models) / max(1, len(longer))
    return [_length(size, replies_by_size[size], short, line, share) for size in longer]


def _length(
    size: int,
    replies: Sequence[Reply],
    short: Sequence[Reply],
    line: tuple[float, float] | None,
    share: float,
) -> Length:
    answered = [one for one in replies if one.recalled is not None]

    def result(verdict: Verdict, **rest: Any) -> Length:
        return Length(size, verdict, len(replies), len(answered), **rest)

    tokens = [one.tokens for one in answered if one.tokens]
    sent = None if line is None else int(lines(size, line) * line[1] * CUT_SHARE)
    least_stated = min(tokens, default=None)
    if sent is not None and sum(n < sent for n in tokens) >= PROOF:
        return result(Verdict.DIFFERS, stated=least_stated, sent=sent)
    if 2 * sum(one.refused for one in replies) > len(replies):
        return result(Verdict.NOT_ENOUGH, why=Why.REFUSED)
    if len(answered) < ROUNDS - 1 or len(short) < SHORT_ROUNDS // 2:
        return result(Verdict.NOT_ENOUGH, why=Why.UNANSWERED, stated=least_stated, sent=sent)
    short_lost, short_codes = _lost(short)
    lost, of = _lost(answered)
    if 2 * short_lost > short_codes:
        return result(Verdict.NOT_ENOUGH, why=Why.UNRECALLED, stated=least_stated, sent=sent)
    never = tuple(
        depth
        for place, depth in enumerate(DEPTHS)
        if not any((one.recalled or ())[place] for one in answered)
    )
    p = fisher(short_lost, short_codes, lost, of)
    differs = bool(never) and p <= share
    needed = critical(lambda k: fisher(short_lost, short_codes, k, of), of, share)
    return result(
        Verdict.DIFFERS if differs else Verdict.NOT_SHOWN,
        stated=least_stated, sent=sent, lost=lost, codes=of, depths=never if differs else (), p=p,
        smallest=None if differs else smallest_rate(needed, of),
    )  # fmt: skip


def _lost(replies: Sequence[Reply]) -> tuple[int, int]:
    recalled = [one for reply in replies for one in reply.recalled or ()]
    return recalled.count(False), len(recalled)
