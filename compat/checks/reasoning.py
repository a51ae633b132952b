"""Reasoning: whether the effort has an effect, and whether thoughts stay out of the answer."""

from collections.abc import Sequence

from compat.bodies import chat
from compat.check import Ask, Check, Setting
from compat.evidence import Evidence
from compat.reply import Reply, reply
from compat.untried import NO_REASONING
from compat.verdict import Finding, Settled, ignored, unsure, works, wrong
from recording.bilingual import Bilingual

_NAMES = ("reasoning_effort", "reasoning", "effort", "thinking")
_EACH = 3
_ALIKE_SHARE = 0.15
_LOW_TOKENS, _HIGH_TOKENS = 300, 700
_TAGS = ("<think>", "<thinking>", "</think>", "</thinking>")


def _puzzle(setting: Setting, name: str, place: int) -> str:
    return (
        f"{setting.word(name, place)}: how many whole numbers from 1 to {140 + place} are "
        "divisible by 6 or by 7, but not by 4? Give only the number."
    )


def _effort_asks(setting: Setting) -> list[Ask]:
    asks = []
    for place in range(_EACH):
        prompt = _puzzle(setting, "effort", place)
        for effort, tokens in (("low", _LOW_TOKENS), ("high", _HIGH_TOKENS)):
            asks.append(
                chat(setting, prompt, tokens, reasoning_effort=effort,
                     **{setting.tokens_field: tokens})
            )  # fmt: skip
    bogus = chat(setting, _puzzle(setting, "effort", _EACH), _LOW_TOKENS,
                 reasoning_effort="wb-bogus", **{setting.tokens_field: _LOW_TOKENS})  # fmt: skip
    return [*asks, bogus]


def _thought(answer: Reply) -> int | None:
    """Reasoning tokens; all tokens of the reply if reasoning tokens are not reported."""
    return answer.completion_tokens if answer.reasoning_tokens is None else answer.reasoning_tokens


def _judge_effort(setting: Setting, answers: Sequence[Evidence]) -> Finding:
    """Judges by complete separation of three and three counts, or by a difference in prompt tokens.

    A template that differs with the effort counts different prompt tokens.
    """
    replies = [reply(evidence, _NAMES) for evidence in answers[: 2 * _EACH]]
    low, high = replies[::2], replies[1::2]
    note = "; wb-bogus is refused" if _refused(answers[-1]) else "; wb-bogus is accepted"
    if all(a.prompt_tokens != b.prompt_tokens for a, b in zip(low, high, strict=True)):
        return works(f"the prompt's template differs{note}")
    few, many = ([_thought(answer) for answer in arm] for arm in (low, high))
    small, large = ([n for n in arm if n is not None] for arm in (few, many))
    fact = f"tokens of thought: low {small}, high {large}{note}"
    if len(small) < _EACH or len(large) < _EACH:
        return unsure(fact)
    if max(small) < min(large):
        return works(fact)
    if min(small) > max(large):
        return wrong(f"the other way round: {fact}")
    if any(answer.only.finish == "length" for answer in low):
        return unsure(f"low was cut by the budget: {fact}")
    mean, other = sum(small) / _EACH, sum(large) / _EACH
    if abs(mean - other) <= _ALIKE_SHARE * max(mean, other):
        return ignored(fact)
    return unsure(fact)


def _refused(evidence: Evidence) -> bool:
    try:
        reply(evidence, _NAMES)
    except Settled:
        return True
    return False


def _apart_asks(setting: Setting) -> list[Ask]:
    prompt = f"{setting.word('apart')}: why does a loaded cart stop later than an empty one?"
    return [chat(setting, prompt, 400, **{setting.tokens_field: 400})]


def _judge_apart(setting: Setting, answers: Sequence[Evidence]) -> Finding:
    answer = reply(answers[0], ())
    content = answer.only.content
    tag = next((tag for tag in _TAGS if tag in content), None)
    if tag:
        return wrong(f"{tag} stands in the content")
    if answer.only.reasoning:
        return works()
    if answer.reasoning_tokens:
        return unsure(f"{answer.reasoning_tokens} reasoning tokens are counted, none are shown")
    return unsure("no reasoning was seen")


def _untried(setting: Setting) -> Bilingual | None:
    return None if setting.reasons else NO_REASONING


CHECKS = (
    Check(
        "reasoning.effort", "reasoning", Bilingual("reasoning effort", "推理强度"),
        "reasoning_effort", _effort_asks, _judge_effort, _NAMES, untried=_untried,
        if_ignored=Bilingual("low effort saves nothing, high effort adds nothing",
                             "低强度不省钱，高强度也没有效果"),
        if_wrong=Bilingual("low effort costs more than high", "低强度反而比高强度更贵"),
    ),
    Check(
        "reasoning.apart", "reasoning",
        Bilingual("thoughts apart from the answer", "推理与答案分离"),
        "the reasoning field", _apart_asks, _judge_apart, _NAMES, untried=_untried,
        if_wrong=Bilingual("users see the model's thoughts in message.content",
                           "用户会在 message.content 中看到模型的推理过程"),
    ),
)  # fmt: skip
