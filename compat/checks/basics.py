"""Plain and streamed replies, usage, the pace of a stream, and the list of models."""

from collections.abc import Mapping, Sequence
from typing import Any

from compat.bodies import STREAM, chat, reply_exactly
from compat.check import MODELS, Ask, Check, Setting
from compat.evidence import Evidence, answered, object_of
from compat.reply import Choice, Reply, came_as_stream, reply
from compat.verdict import Finding, Settled, ignored, unsure, works, wrong
from recording.bilingual import Bilingual
from recording.json_values import at, first, mapping, whole_number
from recording.untrusted_text import quoted

FINISHES = ("stop", "length", "tool_calls", "content_filter", "function_call")
_NAMES = ("messages", "model", "stream")
_BUFFERED_WAIT_S, _BUFFERED_SPREAD_S, _FLOWING_SPREAD_S = 0.8, 0.03, 0.25


def _word(setting: Setting, name: str, **fields: Any) -> list[Ask]:
    return [chat(setting, reply_exactly(setting.word(name)), 24, **fields)]


def usage_fault(usage: Mapping[str, Any] | None) -> str | None:
    """What is wrong with a usage, or None.

    Some vendors count reasoning and cached tokens on top of the others.
    """
    if usage is None:
        return "no usage"
    keys = ("prompt_tokens", "completion_tokens", "total_tokens")
    prompt, completion, total = (whole_number(usage.get(key)) for key in keys)
    if prompt is None or completion is None or total is None:
        return f"usage lacks one of {', '.join(keys)}"
    if min(prompt, completion, total) < 0:
        return "usage has a negative count"
    if prompt == 0 or completion == 0:
        return f"usage says {prompt}/{completion}/{total}"
    paths = ("completion_tokens_details.reasoning_tokens", "reasoning_tokens",
             "prompt_tokens_details.cached_tokens", "cache_read_input_tokens",
             "cache_creation_input_tokens")  # fmt: skip
    beside = [first(whole_number(at(usage, path))) or 0 for path in paths]
    sums = {prompt + completion}
    for part in beside:
        sums |= {known + part for known in sums}
    if total not in sums:
        return f"total_tokens {total} is not {prompt} + {completion}"
    return None


def _envelope_fault(body: Mapping[str, Any]) -> str | None:
    """How a plain chat reply deviates from OpenAI's schema, or None."""
    if not isinstance(body.get("id"), str) or not body["id"]:
        return "id is not a string"
    if body.get("object") != "chat.completion":
        return f"object is {quoted(body.get('object'), 40)}"
    if whole_number(body.get("created")) is None:
        return "created is not a number"
    if not isinstance(body.get("model"), str):
        return "model is not a string"
    choices = body.get("choices")
    if not isinstance(choices, list) or not choices:
        return "choices is not a list, or is empty"
    choice = mapping(choices[0])
    if whole_number(choice.get("index")) != 0:
        return "choices[0].index is not 0"
    if mapping(choice.get("message")).get("role") != "assistant":
        return "choices[0].message.role is not assistant"
    if choice.get("finish_reason") not in FINISHES:
        return f"finish_reason is {quoted(choice.get('finish_reason'), 40)}"
    return usage_fault(mapping(body.get("usage")) or None)


def _says(word: str, answer: Reply) -> Finding:
    """Whether a reply contains its nonce; a model that garbles it is not the gateway's fault."""
    if word in answer.only.content:
        return works()
    if answer.spent_on_thinking:
        return unsure("the budget ended before any text")
    return unsure(f"the reply is not the one asked for: {quoted(answer.only.content, 60)}")


def _judge_plain(setting: Setting, answers: Sequence[Evidence]) -> Finding:
    body = object_of(answers[0], _NAMES)
    fault = _envelope_fault(body)
    return wrong(fault) if fault else _says(setting.word("plain"), reply(answers[0], _NAMES))


def _finish_fault(choice: Choice) -> str | None:
    if "" in choice.finishes:
        return 'finish_reason "" in a chunk'
    if len(choice.finishes) != 1:
        return f"{len(choice.finishes) or 'no'} finish reasons in one choice"
    if choice.finish not in FINISHES:
        return f"finish_reason is {quoted(choice.finish, 40)}"
    return choice.faults[0] if choice.faults else None


def _stream_fault(answer: Reply) -> str | None:
    """How a stream breaks the contract, or None. Chunks without choices may have no id."""
    with_choices = [chunk for _, chunk in answer.chunks if chunk.get("choices")]
    ids = {
        chunk["id"] for chunk in with_choices if isinstance(chunk.get("id"), str) and chunk["id"]
    }
    if len(ids) != 1:
        return f"{len(ids) or 'no'} ids in one stream"
    roles = set(answer.only.roles)
    if roles - {"assistant"}:
        return f"roles {quoted(sorted(roles), 40)}"
    fault = _finish_fault(answer.only)
    if fault:
        return fault
    if not answer.done:
        return "no [DONE] at the end"
    return "events after [DONE]" if answer.after_done else None


def _judge_stream(setting: Setting, answers: Sequence[Evidence]) -> Finding:
    evidence = answered(answers[0], _NAMES)
    if not came_as_stream(evidence):
        object_of(evidence, _NAMES)
        return ignored("stream=true was answered with one JSON body")
    answer = reply(evidence, _NAMES)
    if not answer.chunks:
        return wrong("a stream without any chunk")
    if evidence.content_type != "text/event-stream":
        return wrong(f"content-type is {quoted(evidence.content_type, 40) or 'missing'}")
    fault = _stream_fault(answer)
    return wrong(fault) if fault else _says(setting.word("stream"), answer)


def _usage_asks(setting: Setting) -> list[Ask]:
    return _word(setting, "usage", **STREAM) + _word(setting, "usage")


def _judge_usage(setting: Setting, answers: Sequence[Evidence]) -> Finding:
    """Compares with the plain reply; if there is none, only the stream's own sums are checked."""
    answer = reply(answers[0], ("stream_options", "include_usage"))
    if not came_as_stream(answers[0]):
        return unsure("no stream came")
    if answer.usage is None:
        return ignored("include_usage is set, and no chunk has a usage")
    fault = usage_fault(answer.usage)
    if fault:
        return wrong(fault)
    try:
        plain = reply(answers[1], ()).prompt_tokens
    except Settled:
        plain = None
    if plain and answer.prompt_tokens and answer.prompt_tokens != plain:
        fact = f"{answer.prompt_tokens} prompt tokens streamed, {plain} plain, of the same messages"
        far = abs(answer.prompt_tokens - plain) > 4 + plain // 5
        return wrong(fact) if far else unsure(fact)
    return works()


def _increments_asks(setting: Setting) -> list[Ask]:
    prompt = f"{setting.word('increments')}: Write 60 tokens of plain prose about carts."
    return [chat(setting, prompt, 100, **STREAM)]


def _judge_increments(setting: Setting, answers: Sequence[Evidence]) -> Finding:
    answer = reply(answers[0], ("stream",))
    if not came_as_stream(answers[0]):
        return unsure("no stream came")
    times = [at_s for at_s, chunk in answer.chunks if _has_text(chunk)]
    if not times or (len(times) < 8 and len(answer.only.content) < 80):
        return unsure("the reply is too short to see how it streams")
    wait, spread = times[0], times[-1] - times[0]
    fact = f"{len(times)} chunks within {spread * 1000:.0f} ms after {wait:.1f} s"
    if spread >= _FLOWING_SPREAD_S:
        return works(fact)
    if wait >= _BUFFERED_WAIT_S and spread < _BUFFERED_SPREAD_S:
        return wrong(fact)
    return unsure(fact)


def _has_text(chunk: Mapping[str, Any]) -> bool:
    choices = chunk.get("choices")
    delta = (
        mapping(mapping(choices[0]).get("delta")) if isinstance(choices, list) and choices else {}
    )
    return any(delta.get(key) for key in ("content", "reasoning_content", "reasoning"))


def _judge_models(setting: Setting, answers: Sequence[Evidence]) -> Finding:
    """A name matches with or without its vendor's prefix; a wildcard may cover it."""
    body = object_of(answers[0], ("models", "not found", "path", "url"))
    listed = body.get("data")
    if not isinstance(listed, list):
        return wrong("data is not a list")
    ids = [str(mapping(entry).get("id") or "").casefold() for entry in listed]
    base_name = setting.model.casefold().rpartition("/")[2]
    if setting.model.casefold() in ids or any(
        base_name == identity.rpartition("/")[2] for identity in ids
    ):
        return works(f"{len(ids)} models")
    if body.get("has_more") or any("*" in identity for identity in ids):
        return unsure(f"not among the {len(ids)} models listed, but the list is incomplete")
    return wrong(f"not among the {len(ids)} models listed, although it answers")


CHECKS = (
    Check(
        "chat.plain", "basics", Bilingual("plain reply", "非流式应答"), "a plain reply",
        lambda s: _word(s, "plain"), _judge_plain, _NAMES, needs=(),
        if_wrong=Bilingual("fields that the SDK's types promise are missing or do not add up",
                           "SDK 类型所承诺的字段缺失或对不上"),
    ),
    Check(
        "chat.stream", "basics", Bilingual("streamed reply", "流式应答"), "stream=True",
        lambda s: _word(s, "stream", stream=True), _judge_stream, _NAMES,
        if_ignored=Bilingual("iterating over the stream yields nothing", "遍历流时得不到任何内容"),
        if_wrong=Bilingual("a loop over the chunks may end early, twice or never",
                           "遍历 chunk 的循环可能提前结束、结束两次或永不结束"),
    ),
    Check(
        "stream.usage", "basics", Bilingual("usage of a stream", "流式用量"),
        "stream_options.include_usage", _usage_asks, _judge_usage,
        ("stream_options", "include_usage"), needs=("chat.plain", "chat.stream"),
        if_ignored=Bilingual("chunk.usage is None on every chunk: streams cannot be accounted for",
                             "所有 chunk 的 usage 都是 None：流式请求无法计量"),
        if_wrong=Bilingual("costs computed from chunk.usage are wrong",
                           "根据 chunk.usage 记的账是错的"),
    ),
    Check(
        "stream.increments", "basics", Bilingual("a stream flows", "流式逐步到达"), "stream=True",
        _increments_asks, _judge_increments, ("stream",), needs=("chat.plain", "chat.stream"),
        if_wrong=Bilingual("the user sees nothing until the reply is complete",
                           "用户要等到应答全部完成才能看到内容"),
    ),
    Check(
        "models.list", "basics", Bilingual("list of models", "模型列表"), "client.models.list()",
        lambda s: [Ask(None, path=MODELS, method="GET")], _judge_models,
        ("models", "not found", "path", "url"), needs=(), surface="any",
        if_wrong=Bilingual("client.models.list() does not show a model that can be used",
                           "client.models.list() 没有列出实际可用的模型"),
    ),
)  # fmt: skip
