"""What a model replies to a question, and what it counts and charges for it.

A pure function of the question, the model, the dice and the cache; time and wire are elsewhere.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from simulator import cache as prompt_cache
from simulator import picture, prices, schema, tokens, tools, wording
from simulator.cache import PromptCache
from simulator.profile import Model, TokenRules
from simulator.question import Question, texts
from simulator.tools import ToolCall

DEFAULT_MAX_TOKENS = 4096


@dataclass(slots=True)
class Answer:
    """One reply. Token counts are the model's own; `*_ids` are o200k ids, one stream chunk each."""

    content: str | None
    content_ids: tuple[int, ...]
    reasoning: str | None
    reasoning_ids: tuple[int, ...]
    tool_call: ToolCall | None
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    cached_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    cost: float
    cache_blocks: Sequence[bytes]  # to be stored once the reply is out


def answer(
    question: Question, model: Model, dice: Random, cache: PromptCache, now: float, identity: str
) -> Answer:
    """The model's reply; `identity` names it (ids), `now` is the cache's clock in seconds."""
    prompt_tokens = count_prompt(question, model.tokens)
    blocks = _blocks(question, model, prompt_tokens)
    cached = cache.match(blocks, now) if blocks else 0
    if cached and model.cache.hit_share < 1.0 and dice.random() >= model.cache.hit_share:
        cached = 0
    cached_tokens = cached * model.cache.block_tokens
    written = 0
    if model.prices.cache_write is not None:
        written = (len(blocks) - cached) * model.cache.block_tokens
    words = _Words(question, model, dice, identity)
    return Answer(
        content=words.content,
        content_ids=words.content_ids,
        reasoning=words.reasoning,
        reasoning_ids=words.reasoning_ids,
        tool_call=words.tool_call,
        finish_reason=words.finish_reason,
        prompt_tokens=prompt_tokens,
        completion_tokens=words.completion_tokens,
        total_tokens=prompt_tokens + words.completion_tokens,
        cached_tokens=cached_tokens,
        cache_write_tokens=written,
        reasoning_tokens=words.reasoning_tokens,
        cost=prices.cost(
            model.prices, prompt_tokens, words.completion_tokens, cached_tokens, written
        ),
        cache_blocks=blocks,
    )


class _Words:
    """The words of a reply within its token budget: reasoning first, then text or a tool call."""

    def __init__(self, question: Question, model: Model, dice: Random, identity: str) -> None:
        rules = model.tokens
        limit = question.max_tokens or DEFAULT_MAX_TOKENS
        self.content: str | None = None
        self.content_ids: tuple[int, ...] = ()
        self.reasoning: str | None = None
        self.reasoning_ids: tuple[int, ...] = ()
        self.tool_call: ToolCall | None = None
        self.finish_reason = "stop"
        self.reasoning_tokens = self._think(model, dice)
        if self.reasoning_tokens and self.reasoning_tokens >= limit - rules.per_reply:
            slack = model.reasoning.slack_tokens
            self.reasoning_tokens = max(1, limit - dice.choice(slack))
            self.finish_reason = "length"
        if self.reasoning_tokens and model.reasoning.visible:
            shown = max(1, round(self.reasoning_tokens / rules.scale))
            self.reasoning_ids = wording.excerpt(wording.THINKING, shown, dice)
            self.reasoning = "".join(wording.spoken(self.reasoning_ids))
        if self.finish_reason == "length":
            self.completion_tokens = self.reasoning_tokens
            self.content = None if model.reasoning.visible else ""
            return
        budget = limit - self.reasoning_tokens
        call = tools.call(question, identity)
        if call is None:
            spoken = self._speak(question, model, dice, max(1, budget - rules.per_reply))
            spoken += rules.per_reply
        else:
            spoken = self._call(call, rules, budget)
        self.completion_tokens = self.reasoning_tokens + min(spoken, budget)

    def _think(self, model: Model, dice: Random) -> int:
        rule = model.reasoning
        if not rule.tokens:
            return 0
        return max(1, round(rule.tokens * dice.lognormvariate(0.0, rule.spread)))

    def _speak(self, question: Question, model: Model, dice: Random, budget: int) -> int:
        """Set the text; returns its tokens, at most `budget`."""
        scale = model.tokens.scale
        text = _told(question)
        if text is None:
            wanted = wording.length(question.prompt) or model.reply.tokens
            # Never make more of a long reply than the budget lets through.
            wanted = min(wanted, budget + 1)
            ids = wording.excerpt(wording.PROSE, max(1, round(wanted / scale)), dice)
            text = "".join(wording.spoken(ids))
            spoken = (
                min(wanted, budget) if len(ids) == wanted else tokens.scaled(len(ids), scale, text)
            )
        else:
            ids = tokens.encode(text)
            spoken = tokens.scaled(len(ids), scale, text)
        if spoken > budget or len(ids) > budget:
            ids = ids[: max(1, int(budget / scale))]
            text = "".join(wording.spoken(ids))
            spoken = budget
            self.finish_reason = "length"
        self.content, self.content_ids = text, ids
        return spoken

    def _call(self, call: ToolCall, rules: TokenRules, budget: int) -> int:
        """Set the tool call; returns its tokens, at most `budget`."""
        ids = tokens.encode(call.arguments)
        name_tokens = len(tokens.encode(call.name)) + rules.per_tool_call
        count = tokens.scaled(len(ids), rules.scale, call.arguments) + name_tokens
        self.finish_reason = "tool_calls"
        if count > budget:
            left = max(0, int((budget - name_tokens) / rules.scale))
            call = ToolCall(call.id, call.name, "".join(tokens.pieces(ids[:left])))
            self.finish_reason = "length"
        self.tool_call = call
        return min(count, budget)


def _told(question: Question) -> str | None:
    """The text a question leaves no choice about: OCR, JSON, or a dictated reply."""
    if question.images:
        return "\n".join(picture.read(url) for url in question.images)
    if question.json_schema is not None:
        value = schema.instance(question.json_schema, question.prompt)
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return wording.dictated(question.prompt)


def count_prompt(question: Question, rules: TokenRules) -> int:
    """The prompt's tokens as the model counts them."""
    count = rules.per_request + rules.per_message * len(question.messages)
    for text in _texts(question):
        count += tokens.scaled(len(tokens.encode(text)), rules.scale, text)
    if question.tools:
        count += rules.per_tool_prompt
    return count + rules.per_image * len(question.images)


def _texts(question: Question) -> list[str]:
    """Every text of the prompt in the order a prefix cache sees it: tools, then messages."""
    found = [json.dumps(tool, separators=(",", ":")) for tool in question.tools]
    for message in question.messages:
        found += texts(message)
        for call in message.get("tool_calls") or ():
            found.append(json.dumps(call, separators=(",", ":")))
    return found


def _blocks(question: Question, model: Model, prompt_tokens: int) -> list[bytes]:
    rules = model.cache
    if not rules.enabled or prompt_tokens < rules.min_tokens:
        return []
    if rules.explicit and not _marked(question):
        return []
    ids = [number for text in _texts(question) for number in tokens.encode(text)]
    return prompt_cache.blocks(model.name, ids, prompt_tokens, rules)


def _marked(question: Question) -> bool:
    parts: list[Any] = list(question.tools)
    for message in question.messages:
        parts.append(message)
        parts += message["content"] if isinstance(message.get("content"), list) else ()
    return any("cache_control" in part for part in parts)
