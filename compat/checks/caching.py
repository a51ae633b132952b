"""Caches: of prompts, and whether one request is ever answered with another's reply."""

from collections.abc import Sequence

from compat.bodies import chat, json_schema, reply_exactly
from compat.check import Ask, Body, Check, Setting
from compat.checks.structured import SCHEMA, judge_json
from compat.evidence import Evidence, strict_json
from compat.reply import reply
from compat.verdict import Finding, Verdict, ignored, settle, unsure, works, wrong
from recording.bilingual import Bilingual
from recording.untrusted_text import quoted

_LINES = 130
OTHER: Body = {
    "type": "object", "properties": {"wheels": {"type": "integer"}}, "required": ["wheels"],
    "additionalProperties": False,
}  # fmt: skip


def _prompt_asks(setting: Setting) -> list[Ask]:
    """The nonce comes first, so that no earlier run's prefix can match."""
    word = setting.word("prompt")
    notes = "\n".join(
        f"{n}. The cart on scale {n} stood still and was weighed." for n in range(_LINES)
    )
    prompt = f"Notes of {word}.\n{notes}\n{reply_exactly(word)}"
    return [chat(setting, prompt, 24) for _ in range(2)]


def _judge_prompt(setting: Setting, answers: Sequence[Evidence]) -> Finding:
    first, second = (reply(evidence, ("cache", "messages")) for evidence in answers)
    cached, count = second.cached_tokens, second.prompt_tokens
    if cached is not None and count is not None and cached > count:
        if (second.usage or {}).get("cache_read_input_tokens") != cached:
            return wrong(f"{cached} tokens cached of a prompt of {count}")
        return works(f"{cached} tokens cached, counted on top of the prompt's {count}")
    if cached:
        return works(f"{cached} of {count} tokens cached")
    if cached is None and first.cached_tokens is None:
        fact = "usage does not report cached tokens"
        return ignored(fact) if setting.caches_prompts else unsure(fact)
    return unsure("0 tokens cached when the prompt came again")


def _key_asks(setting: Setting) -> list[Ask]:
    prompt = f"Answer only: {setting.word('key')}"
    return [chat(setting, prompt, 48, response_format=json_schema(schema))
            for schema in (SCHEMA, OTHER)]  # fmt: skip


def _judge_key(setting: Setting, answers: Sequence[Evidence]) -> Finding:
    names = ("response_format", "json", "schema")
    first, second = (reply(evidence, names).only.content for evidence in answers)
    obeys = settle(lambda: judge_json(answers[1], OTHER, names))
    if obeys.verdict is Verdict.WORKS:
        return works()
    by_the_first = settle(lambda: judge_json(answers[1], SCHEMA, names)).verdict is Verdict.WORKS
    if by_the_first and strict_json(first.encode()) == strict_json(second.encode()):
        return wrong(f"another request's answer: {quoted(second, 80)}")
    return unsure(f"the second schema is not obeyed: {obeys.fact}")


CHECKS = (
    Check(
        "cache.prompt", "caching", Bilingual("prompt cache", "Prompt Cache"), "cached_tokens",
        _prompt_asks, _judge_prompt, ("cache", "messages"),
        if_ignored=Bilingual("usage.prompt_tokens_details.cached_tokens is missing: what the cache "
                             "saves cannot be seen",
                             "缺少 usage.prompt_tokens_details.cached_tokens：看不到缓存节省了多少"
                             ""),
        if_wrong=Bilingual("costs computed from cached_tokens are wrong",
                           "根据 cached_tokens 记的账是错的"),
    ),
    Check(
        "cache.key", "caching", Bilingual("no other request's answer", "不返回其他请求的应答"),
        "response_format of repeated messages", _key_asks, _judge_key,
        ("response_format", "json", "schema"), needs=("chat.plain", "json.schema"),
        if_wrong=Bilingual("a request may be answered with another request's reply",
                           "一个请求可能得到另一个请求的应答"),
    ),
)  # fmt: skip
