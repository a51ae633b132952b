"""How tokens are sampled: seed, temperature, top_p, logit_bias, logprobs."""

from collections.abc import Mapping, Sequence
from functools import partial
from math import exp
from typing import Any

from compat.bodies import STREAM, chat, reply_exactly
from compat.check import Ask, Check, Setting
from compat.evidence import Evidence
from compat.fisher import more_alike
from compat.reply import Choice, Reply, reply
from compat.untried import NO_TOKENIZER
from compat.verdict import Finding, every, ignored, unsure, works, wrong
from recording.bilingual import Bilingual
from recording.json_values import numeric
from recording.untrusted_text import quoted

_ALIKE_P, _DIFFERENT_P = 0.2, 0.05


def _texts(answers: Sequence[Evidence], names: Sequence[str]) -> list[str]:
    """The replies' texts, without those of a model that spent its whole budget on thinking."""
    replies = [reply(evidence, names) for evidence in answers]
    return [answer.only.content for answer in replies if not answer.spent_on_thinking]


def _kinds(texts: Sequence[str]) -> str:
    return f"{len(set(texts))} different of {len(texts)}"


def _seed_asks(setting: Setting) -> list[Ask]:
    prompt = f"{setting.word('seed')}: make up a few sentences that nobody has ever said."
    return [chat(setting, prompt, 24, temperature=1, seed=seed) for seed in (5, 5, 6)]


def _judge_seed(setting: Setting, answers: Sequence[Evidence]) -> Finding:
    texts = _texts(answers, ("seed",))
    if len(texts) < 3:
        return unsure("the budget ended before any text")
    first, again, other = texts
    if first != again:
        return unsure("seed 5 twice gave two texts (a seed is best effort, as OpenAI says)")
    if first == other:
        return wrong(
            "seeds 5, 5 and 6 at temperature 1 gave the same text: a cache, or no sampling"
        )
    return works()


def _animal(setting: Setting, name: str) -> str:
    return f"{setting.word(name)}: name one animal at random, in one word."


def _temperature_asks(setting: Setting) -> list[Ask]:
    prompt = _animal(setting, "temperature")
    return [chat(setting, prompt, 12, temperature=heat) for heat in [0] * 4 + [1.3] * 8]


def _judge_temperature(setting: Setting, answers: Sequence[Evidence]) -> Finding:
    cold, hot = _texts(answers[:4], ("temperature",)), _texts(answers[4:], ("temperature",))
    fact = f"temperature 0: {_kinds(cold)}; 1.3: {_kinds(hot)}"
    if len(cold) < 4 or len(hot) < 8:
        return unsure(f"{fact}; others had no text")
    if len(set(hot)) == 1:
        if len(set(cold)) > 1 and more_alike(hot, cold) < _DIFFERENT_P:
            return wrong(f"{fact}: the other way round")
        return unsure(f"{fact}: the same answer either way")
    if len(set(cold)) == 1:
        return works(fact)
    return ignored(fact) if more_alike(cold, hot) > _ALIKE_P else unsure(fact)


def _top_p_asks(setting: Setting) -> list[Ask]:
    prompt = _animal(setting, "top_p")
    narrow = [chat(setting, prompt, 12, temperature=1, top_p=0.01) for _ in range(6)]
    return narrow + [chat(setting, prompt, 12, temperature=1) for _ in range(4)]


def _judge_top_p(setting: Setting, answers: Sequence[Evidence]) -> Finding:
    narrow, free = _texts(answers[:6], ("top_p",)), _texts(answers[6:], ("top_p",))
    fact = f"top_p 0.01: {_kinds(narrow)}; without: {_kinds(free)}"
    if len(narrow) < 6 or len(free) < 4:
        return unsure(f"{fact}; others had no text")
    if len(set(narrow)) == 1:
        return works(fact) if len(set(free)) > 1 else unsure(f"{fact}: the same answer either way")
    if len(set(free)) > 1 and more_alike(narrow, free) > _ALIKE_P:
        return ignored(fact)
    return unsure(fact)


def _bias_asks(setting: Setting) -> list[Ask]:
    token = setting.forced_token[0] if setting.forced_token else 0
    prompt = f"{setting.word('bias')}: name one animal."
    return [chat(setting, prompt, 8, logit_bias={str(token): 100})]


def _judge_bias(setting: Setting, answers: Sequence[Evidence]) -> Finding:
    answer = reply(answers[0], ("logit_bias",))
    text = setting.forced_token[1] if setting.forced_token else ""
    if answer.spent_on_thinking:
        return unsure("the budget ended before any text")
    if answer.only.content and not answer.only.content.replace(text, "").strip():
        return works()
    return ignored(f"+100 on {text!r} gave {quoted(answer.only.content, 60)}")


def _bias_untried(setting: Setting) -> Bilingual | None:
    return None if setting.forced_token else NO_TOKENIZER


def _logprobs_asks(setting: Setting) -> list[Ask]:
    return [
        chat(setting, reply_exactly(setting.word("logprobs", place)), 24,
             logprobs=True, top_logprobs=5, **fields)
        for place, fields in enumerate(({}, STREAM))
    ]  # fmt: skip


def _logprobs_fault(choice: Choice, answer: Reply) -> str | None:
    entries = choice.logprobs or []
    for entry in entries:
        fault = _entry_fault(entry)
        if fault:
            return f"{fault} at token {quoted(entry.get('token'), 20)}"
    if all(isinstance(e.get("bytes"), list) for e in entries):
        try:
            spelled = b"".join(bytes(e["bytes"]) for e in entries).decode("utf-8", "replace")
        except (TypeError, ValueError):
            return "bytes that are not byte values"
        if choice.content.strip() not in spelled:
            return f"the bytes say {quoted(spelled, 40)}, the content {quoted(choice.content, 40)}"
    count = answer.completion_tokens
    if count and not answer.reasoning_tokens and len(entries) > count + 1:
        return f"{len(entries)} entries for {count} tokens"
    return None


def _entry_fault(entry: Mapping[str, Any]) -> str | None:
    """What is wrong with one token's entry. The token itself may be listed on top of the five."""
    top, logprob = entry.get("top_logprobs"), numeric(entry.get("logprob"))
    if logprob is None or logprob > 1e-6:
        return f"logprob {quoted(entry.get('logprob'), 20)}"
    if not isinstance(top, list):
        return "top_logprobs is null" if top is None else "top_logprobs is not a list"
    if not top:
        return "top_logprobs is empty"
    values = [
        numeric(candidate.get("logprob")) if isinstance(candidate, dict) else None
        for candidate in top
    ]
    known = [value for value in values if value is not None]
    if len(known) < len(values) or any(value > 1e-6 for value in known):
        return "an invalid top_logprob"
    if len(known) > 6:
        return f"{len(known)} top_logprobs where 5 were asked for"
    if known[:5] != sorted(known[:5], reverse=True):
        return "top_logprobs are not sorted"
    return (
        "top_logprobs' probabilities add up to more than 1"
        if (sum(exp(value) for value in known) > 1.001)
        else None
    )


def _judge_logprobs(setting: Setting, answers: Sequence[Evidence]) -> Finding:
    def judge(place: int) -> Finding:
        answer = reply(answers[place], ("logprobs",))
        if answer.spent_on_thinking:
            return unsure("the budget ended before any text")
        if not answer.only.logprobs:
            return ignored("logprobs=True, and none came")
        fault = _logprobs_fault(answer.only, answer)
        return wrong(fault) if fault else works()

    return every([partial(judge, 0), partial(judge, 1)], ("plain", "streamed"))


CHECKS = (
    Check(
        "seed", "sampling", Bilingual("seed", "随机种子 seed"), "seed", _seed_asks, _judge_seed,
        ("seed",),
        if_wrong=Bilingual("other seeds give the same text: no second opinion can be drawn",
                           "换种子也得到同样的文本：无法得到不同的结果"),
    ),
    Check(
        "temperature", "sampling", Bilingual("temperature", "温度 temperature"), "temperature",
        _temperature_asks, _judge_temperature, ("temperature",),
        if_ignored=Bilingual("temperature=0 does not make replies repeatable",
                             "temperature=0 并不能让结果可复现"),
        if_wrong=Bilingual("a low temperature varies, a high one does not",
                           "低温时结果多变，高温时反而不变"),
    ),
    Check("top_p", "sampling", Bilingual("top_p", "核采样 top_p"), "top_p", _top_p_asks,
          _judge_top_p, ("top_p",)),
    Check("logit_bias", "sampling", Bilingual("logit_bias", "token 偏置 logit_bias"), "logit_bias",
          _bias_asks, _judge_bias, ("logit_bias",), untried=_bias_untried),
    Check(
        "logprobs", "sampling", Bilingual("logprobs", "对数概率 logprobs"), "logprobs",
        _logprobs_asks, _judge_logprobs, ("logprobs",),
        if_ignored=Bilingual("choice.logprobs is None: confidence cannot be computed",
                             "choice.logprobs 为 None：无法计算置信度"),
        if_wrong=Bilingual("numbers computed from logprobs are wrong, or raise TypeError",
                           "用 logprobs 算出的数值有误，或抛出 TypeError"),
    ),
)  # fmt: skip
