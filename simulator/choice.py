"""One choice of a reply: its reasoning, then its text or its tool calls, within the budget."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from random import Random
from typing import Any

from simulator import dictation, long_list, one_word, replies, sampling, tokens, tools
from simulator.chat_request import ChatRequest
from simulator.profile import Model
from simulator.tools import ToolCall

DEFAULT_MAX_TOKENS = 4096
# How much longer than its median a model reasons at each effort; `medium` is the median.
EFFORT: Mapping[str | None, float] = {
    None: 1.0, "none": 0.0, "minimal": 0.1, "low": 0.4, "medium": 1.0, "high": 2.5, "xhigh": 4.0,
    "max": 6.0,
}  # fmt: skip


@dataclass(slots=True)
class Choice:
    """One choice. Token counts are the model's own; `*_ids` are o200k ids, one per stream chunk."""

    content: str | None = None
    content_ids: tuple[int, ...] = ()
    reasoning: str | None = None
    reasoning_ids: tuple[int, ...] = ()
    tool_calls: Sequence[ToolCall] = ()
    finish_reason: str = "stop"
    tokens: int = 0  # reasoning and format tokens included
    reasoning_tokens: int = 0
    logprobs: Sequence[dict[str, Any]] | None = None  # one per token of the content


def choose(request: ChatRequest, model: Model, dice: Random, identity: str) -> list[Choice]:
    """The requested choices; each continues the random numbers where the previous one stopped."""
    text = dictation.reply(request)
    if text is None:
        most = request.max_tokens or DEFAULT_MAX_TOKENS
        text = long_list.written(request.prompt, most, model.reply, dice)
    token_dice = _seeded(request, model) or dice
    return [
        _Writer(request, model, dice, token_dice).choice(
            _word(request, model, token_dice) if text is None else text,
            identity if not index else f"{identity}_{index}",
        )
        for index in range(request.n)
    ]


def _word(request: ChatRequest, model: Model, token_dice: Random) -> str | None:
    """The one-word answer to a prompt; None if it asks for none or the model writes only prose."""
    question = one_word.question_in(request.prompt) if model.answers.weights else None
    if question is None:
        return None
    temperature = 1.0 if request.sampling is None else request.sampling.temperature
    return one_word.answer(question, model.answers, temperature, token_dice)


def _seeded(request: ChatRequest, model: Model) -> Random | None:
    """The random numbers of a request with a seed: the same request gets the same ones."""
    if request.sampling is None or request.sampling.seed is None:
        return None
    text = f"{request.sampling.seed}\n{model.name}\n{request.prompt_sha256}"
    return Random(int.from_bytes(blake2b(text.encode(), digest_size=8).digest()))


class _Writer:
    """Writes one choice; `dice` are the gateway's random numbers, `token_dice` the tokens'."""

    def __init__(
        self, request: ChatRequest, model: Model, dice: Random, token_dice: Random
    ) -> None:
        self.request = request
        self.model = model
        self.rules = model.tokens
        self.dice = dice
        self.token_dice = token_dice
        self.result = Choice()

    def choice(self, text: str | None, identity: str) -> Choice:
        """The choice; `text` is what the request dictates, `identity` the base of call ids."""
        choice, rules, reply = self.result, self.rules, self.model.reply
        limit = self.request.max_tokens or DEFAULT_MAX_TOKENS
        capped = reply.cap_tokens is not None and reply.cap_tokens < limit
        limit = min(limit, reply.cap_tokens or limit)
        if self.model.reasoning.tokens and self._think(limit):
            choice.tokens = choice.reasoning_tokens
            choice.finish_reason = "length"
            choice.content = None if self.model.reasoning.visible else ""
            return choice
        budget = limit - choice.reasoning_tokens
        calls = tools.calls(self.request, identity)
        wrong = self.model.answers.wrong_calls
        if calls and wrong and self.dice.random() < wrong:
            calls = [replace(call, arguments="{}") for call in calls]
        if calls:
            count = self._call(calls, budget)
        else:
            count = self._speak(text, max(1, budget - rules.per_reply)) + rules.per_reply
        choice.tokens = choice.reasoning_tokens + min(count, budget)
        if capped and reply.cap_finished and choice.finish_reason == "length":
            choice.finish_reason = "stop"
        return choice

    def _think(self, limit: int) -> bool:
        """Sets the reasoning; true if it takes the whole budget."""
        choice, rule = self.result, self.model.reasoning
        thought = rule.tokens * self.dice.lognormvariate(0.0, rule.spread)
        effort = EFFORT[self.request.reasoning_effort]
        if not effort:
            return False
        choice.reasoning_tokens = max(1, round(thought * effort))
        takes_all = choice.reasoning_tokens >= limit - self.rules.per_reply
        if takes_all:
            choice.reasoning_tokens = max(1, limit - self.dice.choice(rule.slack_tokens))
        if rule.visible:
            visible_count = max(1, round(choice.reasoning_tokens / self.rules.scale))
            choice.reasoning_ids = replies.excerpt(replies.THINKING, visible_count, self.dice)
            choice.reasoning = "".join(replies.token_texts(choice.reasoning_ids))
        return takes_all

    def _speak(self, text: str | None, budget: int) -> int:
        """Sets the text; returns its number of tokens, at most `budget`."""
        choice, scale = self.result, self.rules.scale
        if text is None:
            length = dictation.length(self.request.prompt) or self.model.reply.tokens
            # Never generate more of a long reply than the budget allows.
            length = min(length, budget + 1)
            ids = self._prose(max(1, round(length / scale)))
            text = "".join(replies.token_texts(ids))
            count = (
                min(length, budget) if len(ids) == length else tokens.scaled(len(ids), scale, text)
            )
        else:
            ids = tokens.encode(text)
            settings = self.request.sampling
            if settings is not None and not settings.trivial_where_dictated:
                ids = self._take(sampling.dictated(ids, settings, self.token_dice))
                text = "".join(replies.token_texts(ids))
            count = tokens.scaled(len(ids), scale, text)
        if count > budget or len(ids) > budget:
            ids = ids[: max(1, int(budget / scale))]
            text = "".join(replies.token_texts(ids))
            count = budget
            choice.finish_reason = "length"
        choice.content, choice.content_ids = text, ids
        if self.request.stop:
            count = self._stop(text, count)
        if choice.logprobs is not None:
            choice.logprobs = choice.logprobs[: len(choice.content_ids)]
            self._of_word(choice.logprobs)
        return count

    def _of_word(self, entries: Sequence[dict[str, Any]]) -> None:
        """Where the prompt asks for a word, its first token is taken to be all of it."""
        settings, rule = self.request.sampling, self.model.answers
        question = one_word.question_in(self.request.prompt) if rule.weights else None
        if entries and question is not None and settings is not None:
            likeliest = one_word.likeliest(question, rule, self.token_dice)
            first = sampling.of_word(likeliest, self.result.content or "", settings.top_logprobs)
            self.result.logprobs = [first, *entries[1:]]

    def _prose(self, count: int) -> tuple[int, ...]:
        settings = self.request.sampling
        if settings is None:
            return replies.excerpt(replies.PROSE, count, self.dice)
        return self._take(sampling.free(count, settings, self.token_dice))

    def _take(self, sample: sampling.Sample) -> tuple[int, ...]:
        self.result.logprobs = sample.logprobs
        return sample.ids

    def _stop(self, text: str, count: int) -> int:
        """Cuts the text at its first stop string; returns its number of tokens, at most `count`."""
        choice = self.result
        places = [place for stop in self.request.stop if (place := text.find(stop)) >= 0]
        if not places:
            return count
        choice.content = text[: min(places)]
        # As many tokens as the text has up to there; the last may be cut in the middle.
        length, ids = 0, 0
        for piece in replies.token_texts(choice.content_ids):
            if length >= len(choice.content):
                break
            length, ids = length + len(piece), ids + 1
        choice.content_ids = tokens.encode(choice.content)
        choice.finish_reason = "stop"
        return min(count, tokens.scaled(ids, self.rules.scale, text))

    def _call(self, calls: list[ToolCall], budget: int) -> int:
        """Sets the tool calls; returns their number of tokens, at most `budget`."""
        choice, rules = self.result, self.rules
        choice.finish_reason = "tool_calls"
        total, calls_made = 0, []
        for call in calls:
            ids = tokens.encode(call.arguments)
            total += len(tokens.encode(call.name)) + rules.per_tool_call
            budget_left = budget - total
            total += tokens.scaled(len(ids), rules.scale, call.arguments)
            if total > budget:
                token_count = max(0, int(budget_left / rules.scale))
                call = replace(call, arguments="".join(tokens.pieces(ids[:token_count])))
                choice.finish_reason = "length"
            calls_made.append(call)
            if total > budget:
                break
        choice.tool_calls = calls_made
        return min(total, budget)
