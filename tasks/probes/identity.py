"""Identity: repeated texts, whose tokens are counted, questions with one-word answers, and what
shows whether settings are honoured."""

import json
from functools import partial

from identity import bank, context, first_token, long_reply, mixed, setting, texts, tools
from identity.word import word
from loadshapes.phase import Phase
from recording.json_values import mapping
from settings.options import Options
from tasks.finish_reasons import end_of
from tasks.prompts import Judgement, Request, nonce
from tasks.reply import Message

_UNNAMED = ("task_id", "metadata")
"""No body names its request: what is not asked of a model cannot change its answer or its count."""


def build(phase: Phase, index: int, options: Options) -> Request:
    """A question of the phase's, in turn, after a nonce; else a repeated text, without one, or
    what shows whether a setting is honoured."""
    if phase.scenario == tools.SCENARIO:
        return Request(
            tools.prompt(index),
            extra={"tools": tools.TOOLS},
            judge=partial(_called, index),
            without=_UNNAMED,
        )
    if phase.scenario.startswith(context.PREFIX):
        size = int(phase.scenario.removeprefix(context.PREFIX))
        of = (index, options.run_id, phase.model)
        text = context.prompt(size, phase.asks[0], *of)
        return Request(text, judge=partial(_recalled, size, *of), without=_UNNAMED)
    if phase.scenario.startswith(long_reply.PREFIX):
        size = int(phase.scenario.removeprefix(long_reply.PREFIX))
        text = long_reply.prompt(size, index, options.run_id, phase.model)
        judge = partial(_listed, size, index, options.run_id, phase.model)
        return Request(text, judge=judge, without=_UNNAMED)
    if phase.scenario.startswith(first_token.PREFIX):
        return _of_logprobs(phase, index)
    if phase.scenario.startswith(setting.PREFIX):
        return _of_setting(phase, index, options)
    if not phase.asks:
        places = texts.STREAMED if phase.stream else texts.COUNTED
        return Request(texts.prompt(*places[index % len(places)]), without=_UNNAMED)
    question = phase.asks[index % len(phase.asks)]
    return Request(
        bank.prompt(question, nonce(phase, index, options)),
        extra={"temperature": bank.TEMPERATURE},
        judge=_judge,
        place={"question": question},
        without=_UNNAMED,
    )


def _of_setting(phase: Phase, index: int, options: Options) -> Request:
    """With answers that should repeat the prompt does, too: its nonce is the question's."""
    place = (phase.scenario, index, options.run_id, phase.model)
    if not phase.asks:
        words, extra = setting.prompt(*place), setting.fields(*place)
        return Request(words, extra=extra, judge=partial(_fact, *place), without=_UNNAMED)
    question = phase.asks[index % len(phase.asks)]
    extra = {"temperature": 0 if phase.scenario.startswith(setting.COLD) else bank.TEMPERATURE}
    return Request(
        bank.prompt(question, nonce(phase, question, options)),
        extra=extra | ({"seed": setting.SEED_SENT} if phase.scenario == setting.SEED else {}),
        judge=_judge,
        place={"question": question},
        without=_UNNAMED,
    )


def _called(index: int, message: Message) -> Judgement:
    return Judgement("pass", json.dumps(tools.fact(index, message.tool_calls)), counted=True)


def _recalled(size: int, index: int, run: str, model: str, message: Message) -> Judgement:
    fact = context.fact(size, index, run, model, message.content or "")
    return Judgement("pass", json.dumps(fact), counted=True)


def _listed(size: int, index: int, run: str, model: str, message: Message) -> Judgement:
    fact = long_reply.fact(size, index, run, model, message.content or "")
    cut = end_of(message.finish_reason or "") == "cut"
    return Judgement("pass", json.dumps(fact | {"cut": cut}), counted=True)


def _of_logprobs(phase: Phase, index: int) -> Request:
    place = index % len(first_token.PROMPTS)
    top = int(phase.scenario.removeprefix(first_token.PREFIX))
    return Request(
        bank.prompt(first_token.PROMPTS[place], ""),
        extra={"temperature": 0, "logprobs": True, "top_logprobs": top},
        judge=_logprobs,
        place={"prompt": place},
        without=_UNNAMED,
    )


def _logprobs(message: Message) -> Judgement:
    """The first token's likeliest ones; none where the gateway states none, which is no fault."""
    entries = mapping(message.logprobs[0]).get("top_logprobs") if message.logprobs else None
    top = [mapping(one) for one in entries] if isinstance(entries, list) else []
    row = first_token.row_of(top)
    return Judgement("pass", json.dumps({"logprobs": row}), counted=True)


def _fact(scenario: str, index: int, run: str, model: str, message: Message) -> Judgement:
    fact = setting.fact(scenario, index, run, model, message.content or "")
    return Judgement("pass", json.dumps(fact), counted=True)


def _judge(message: Message) -> Judgement:
    """The word that is counted; an answer without one (a model that thinks) has an empty one. There
    is no wrong one."""
    first_word = word(message.content or "")
    return Judgement("pass", json.dumps({"word": first_word}), counted=True)


def mixed_in(phase: Phase, index: int, options: Options) -> Request:
    """A probe among the requests of a load: the repeated text, or a question after a nonce."""
    budget = {"max_tokens": bank.OUTPUT_TOKENS}
    question = mixed.question(phase.probe_every, index)
    if question is None:
        text = texts.prompt(*mixed.TEXT)
        return Request(text, extra=budget, place={"counted": True}, without=_UNNAMED)
    return Request(
        bank.prompt(question, nonce(phase, index, options)),
        extra=budget | {"temperature": bank.TEMPERATURE},
        judge=_judge,
        place={"question": question},
        without=_UNNAMED,
    )


BUILDERS = {"identity": build, "mixed": mixed_in}
