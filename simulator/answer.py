"""What a model replies to a request, and the tokens and cost that it counts for it.

A pure function of the request, the model, the random numbers and the cache; timing and sending
are elsewhere.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from simulator import cache as prompt_cache
from simulator import documents, prices, tokens
from simulator.cache import PromptCache
from simulator.chat_request import ChatRequest, texts
from simulator.choice import Choice, choose
from simulator.profile import Model, TokenRules


@dataclass(slots=True)
class Answer:
    """One reply. Token counts are the model's own, over all choices."""

    choices: Sequence[Choice]
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
    """The model's reply; `identity` is the base of its ids, `now` the cache's clock in seconds."""
    prompt_tokens = count_prompt(request, model.tokens)
    blocks = _blocks(request, model, prompt_tokens)
    cached = cache.match(blocks, now) if blocks else 0
    if cached and model.cache.hit_share < 1.0 and dice.random() >= model.cache.hit_share:
        cached = 0
    cached_tokens = cached * model.cache.block_tokens
    written = 0
    if model.prices.cache_write is not None:
        written = (len(blocks) - cached) * model.cache.block_tokens
    choices = choose(_read(request, model.tokens.reads), model, dice, identity)
    completion_tokens = sum([choice.tokens for choice in choices])
    return Answer(
        choices=choices,
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        total_tokens=prompt_tokens + completion_tokens,
        cached_tokens=cached_tokens,
        cache_write_tokens=written,
        reasoning_tokens=sum([choice.reasoning_tokens for choice in choices]),
        cost=prices.cost(model.prices, prompt_tokens, completion_tokens, cached_tokens, written),
        cache_blocks=blocks,
    )


def _read(request: ChatRequest, reads: int | None) -> ChatRequest:
    """The request as a model sees it that reads the end of a prompt alone."""
    ids = tokens.encode(request.prompt) if reads is not None else ()
    if reads is None or len(ids) <= reads or not request.messages:
        return request
    text = "".join(tokens.pieces(ids[-reads:]))
    messages = [*request.messages[:-1], {**request.messages[-1], "content": text}]
    return replace(request, messages=messages, prompt=text)


def cut(answer: Answer, model: Model, prompt_tokens: int) -> None:
    """Counts and charges a prompt as if it had been cut to `prompt_tokens`."""
    answer.prompt_tokens = prompt_tokens
    answer.total_tokens = prompt_tokens + answer.completion_tokens
    answer.cached_tokens = min(answer.cached_tokens, prompt_tokens)
    answer.cost = prices.cost(
        model.prices, prompt_tokens, answer.completion_tokens, answer.cached_tokens
    )


def count_prompt(request: ChatRequest, rules: TokenRules) -> int:
    """The prompt's tokens as the model counts them."""
    count = rules.per_request + rules.per_message * len(request.messages)
    for text in _texts(request):
        text_tokens = tokens.cl100k(text) if rules.cl100k else len(tokens.encode(text))
        count += tokens.scaled(text_tokens, rules.scale, text)
    if request.tools:
        count += rules.per_tool_prompt
    for url in request.files:  # a page is billed as text and as a picture
        count += rules.per_image + len(tokens.encode(documents.read(url)))
    return count + rules.per_image * len(request.images)


def _texts(request: ChatRequest) -> list[str]:
    """All texts of the prompt in the order of a prefix cache: tools, then messages."""
    parts = [json.dumps(tool, separators=(",", ":")) for tool in request.tools]
    for message in request.messages:
        parts += texts(message)
        for call in message.get("tool_calls") or ():
            parts.append(json.dumps(call, separators=(",", ":")))
    return parts


def _blocks(request: ChatRequest, model: Model, prompt_tokens: int) -> list[bytes]:
    rules = model.cache
    if not rules.enabled or prompt_tokens < rules.min_tokens:
        return []
    if rules.explicit and not _marked(request):
        return []
    ids = [number for text in _texts(request) for number in tokens.encode(text)]
    # A different prompt_cache_key goes to a different machine, with a cache of its own.
    name = model.name if request.cache_key is None else f"{model.name}\n{request.cache_key}"
    return prompt_cache.blocks(name, ids, prompt_tokens, rules)


def _marked(request: ChatRequest) -> bool:
    parts: list[Any] = list(request.tools)
    for message in request.messages:
        parts.append(message)
        parts += message["content"] if isinstance(message.get("content"), list) else ()
    return any("cache_control" in part for part in parts)
