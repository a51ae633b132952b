"""What a model replies to a request, and what it counts and charges for it.

A pure function of the request, the model, the dice and the cache; time and wire are elsewhere.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from simulator import cache as prompt_cache
from simulator import images, prices, replies, schema, tokens, tools
from simulator.cache import PromptCache
from simulator.chat_request import ChatRequest, texts
from simulator.profile import Model, TokenRules
from simulator.tools import ToolCall

DEFAULT_MAX_TOKENS = 4096


@dataclass(slots=True)
class Answer:
    """One reply. Token counts are the model's own; `*_ids` are o200k ids, one stream chunk each."""

    content: str | None
    content_ids: tuple[int, ...]
    reasoning: str | None
    reasoning_ids: tuple[int, ...]
    tool_calls: Sequence[ToolCall]
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
    request: ChatRequest, model: Model, dice: Random, cache: PromptCache, now: float, identity: str
) -> Answer:
    """The model's reply; `identity` names it (ids), `now` is the cache's clock in seconds."""
    prompt_tokens = count_prompt(request, model.tokens)
    blocks = _blocks(request, model, prompt_tokens)
    cached = cache.match(blocks, now) if blocks else 0
    if cached and model.cache.hit_share < 1.0 and dice.random() >= model.cache.hit_share:
        cached = 0
    cached_tokens = cached * model.cache.block_tokens
    written = 0
    if model.prices.cache_write is not None:
        written = (len(blocks) - cached) * model.cache.block_tokens
    words = _Words(request, model, dice, identity)
    return Answer(
        content=words.content,
        content_ids=words.content_ids,
        reasoning=words.reasoning,
        reasoning_ids=words.reasoning_ids,
        tool_calls=words.tool_calls,
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

    def __init__(self, request: ChatRequest, model: Model, dice: Random, identity: str) -> None:
        rules = model.tokens
        limit = request.max_tokens or DEFAULT_MAX_TOKENS
        self.content: str | None = None
        self.content_ids: tuple[int, ...] = ()
        self.reasoning: str | None = None
        self.reasoning_ids: tuple[int, ...] = ()
        self.tool_calls: list[ToolCall] = []
        self.finish_reason = "stop"
        self.reasoning_tokens = self._think(model, dice)
        if self.reasoning_tokens and self.reasoning_tokens >= limit - rules.per_reply:
            slack = model.reasoning.slack_tokens
            self.reasoning_tokens = max(1, limit - dice.choice(slack))
            self.finish_reason = "length"
        if self.reasoning_tokens and model.reasoning.visible:
            shown = max(1, round(self.reasoning_tokens / rules.scale))
            self.reasoning_ids = replies.excerpt(replies.THINKING, shown, dice)
            self.reasoning = "".join(replies.spoken(self.reasoning_ids))
        if self.finish_reason == "length":
            self.completion_tokens = self.reasoning_tokens
            self.content = None if model.reasoning.visible else ""
            return
        budget = limit - self.reasoning_tokens
        calls = tools.calls(request, identity)
        if calls:
            spoken = self._call(calls, rules, budget)
        else:
            spoken = self._speak(request, model, dice, max(1, budget - rules.per_reply))
            spoken += rules.per_reply
        self.completion_tokens = self.reasoning_tokens + min(spoken, budget)

    def _think(self, model: Model, dice: Random) -> int:
        rule = model.reasoning
        if not rule.tokens:
            return 0
        return max(1, round(rule.tokens * dice.lognormvariate(0.0, rule.spread)))

    def _speak(self, request: ChatRequest, model: Model, dice: Random, budget: int) -> int:
        """Set the text; returns its tokens, at most `budget`."""
        scale = model.tokens.scale
        text = _told(request)
        if text is None:
            wanted = replies.length(request.prompt) or model.reply.tokens
            # Never make more of a long reply than the budget lets through.
            wanted = min(wanted, budget + 1)
            ids = replies.excerpt(replies.PROSE, max(1, round(wanted / scale)), dice)
            text = "".join(replies.spoken(ids))
            spoken = (
                min(wanted, budget) if len(ids) == wanted else tokens.scaled(len(ids), scale, text)
            )
        else:
            ids = tokens.encode(text)
            spoken = tokens.scaled(len(ids), scale, text)
        if spoken > budget or len(ids) > budget:
            ids = ids[: max(1, int(budget / scale))]
            text = "".join(replies.spoken(ids))
            spoken = budget
            self.finish_reason = "length"
        self.content, self.content_ids = text, ids
        return spoken

    def _call(self, calls: list[ToolCall], rules: TokenRules, budget: int) -> int:
        """Set the tool calls; returns their tokens, at most `budget`."""
        self.finish_reason = "tool_calls"
        total = 0
        for call in calls:
            ids = tokens.encode(call.arguments)
            name_tokens = len(tokens.encode(call.name)) + rules.per_tool_call
            total += name_tokens
            left = budget - total
            total += tokens.scaled(len(ids), rules.scale, call.arguments)
            if total > budget:
                shown = max(0, int(left / rules.scale))
                call = ToolCall(call.id, call.name, "".join(tokens.pieces(ids[:shown])))
                self.finish_reason = "length"
            self.tool_calls.append(call)
            if total > budget:
                return budget
        return total


def _told(request: ChatRequest) -> str | None:
    """The text a request leaves no choice about: OCR, JSON, or a dictated reply."""
    if request.images:
        return "\n".join(images.read(url) for url in request.images)
    if request.json_schema is not None:
        return _structured(request.json_schema, request.prompt)
    return replies.dictated(request.prompt)


def _structured(wanted: schema.Schema, prompt: str) -> str:
    """JSON by a schema: what the prompt dictates where that fits, else the least that does."""
    dictated = replies.dictated(prompt) or ""
    if dictated.startswith(("{", "[")):
        try:
            if schema.fits(wanted, json.loads(dictated)):
                return dictated
        except (ValueError, RecursionError):
            pass
    return json.dumps(schema.instance(wanted), ensure_ascii=False, separators=(",", ":"))


def count_prompt(request: ChatRequest, rules: TokenRules) -> int:
    """The prompt's tokens as the model counts them."""
    count = rules.per_request + rules.per_message * len(request.messages)
    for text in _texts(request):
        count += tokens.scaled(len(tokens.encode(text)), rules.scale, text)
    if request.tools:
        count += rules.per_tool_prompt
    return count + rules.per_image * len(request.images)


def _texts(request: ChatRequest) -> list[str]:
    """Every text of the prompt in the order a prefix cache sees it: tools, then messages."""
    found = [json.dumps(tool, separators=(",", ":")) for tool in request.tools]
    for message in request.messages:
        found += texts(message)
        for call in message.get("tool_calls") or ():
            found.append(json.dumps(call, separators=(",", ":")))
    return found


def _blocks(request: ChatRequest, model: Model, prompt_tokens: int) -> list[bytes]:
    rules = model.cache
    if not rules.enabled or prompt_tokens < rules.min_tokens:
        return []
    if rules.explicit and not _marked(request):
        return []
    ids = [number for text in _texts(request) for number in tokens.encode(text)]
    return prompt_cache.blocks(model.name, ids, prompt_tokens, rules)


def _marked(request: ChatRequest) -> bool:
    parts: list[Any] = list(request.tools)
    for message in request.messages:
        parts.append(message)
        parts += message["content"] if isinstance(message.get("content"), list) else ()
    return any("cache_control" in part for part in parts)
