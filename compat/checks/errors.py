"""How a gateway answers faulty requests, harmless fields, and clients that hang up."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from compat.bodies import chat, reply_exactly
from compat.check import Ask, Body, Bound, Check, Setting
from compat.evidence import Evidence, Outcome, answered, error_of, error_text, names_any
from compat.reply import reply
from compat.untried import LONG_WINDOW, NO_KEY, NO_WINDOW
from compat.verdict import Finding, Settled, Verdict, broken, every, ignored, unsure, works, wrong
from recording.bilingual import Bilingual
from recording.untrusted_text import quoted

_DEARER = ("priority", "fast", "flex", "scale")
_REFUSED = (400, 422)
_NOTICED_S = 0.5  # time enough for a gateway to notice that a client hung up
UNKNOWN_FIELD = "wb_no_such_field"
_CONTEXT = (
    "context",
    "token",
    "too long",
    "too large",
    "length",
    "maximum",
    "exceed",
    "上下文",
    "超",
)


def harmless(setting: Setting) -> Body:
    """Fields that have no visible effect on a reply."""
    word = setting.word("fields")
    return {
        "user": word, "safety_identifier": word, "metadata": {"run": word},
        "prompt_cache_key": word, "service_tier": "default", "store": False, "verbosity": "low",
    }  # fmt: skip


def _fields_ask(setting: Setting, fields: Mapping[str, Any], place: int) -> Ask:
    return chat(setting, reply_exactly(setting.word("fields", place)), 24, **fields)


def _refused_fields(answers: Sequence[Evidence], known: Sequence[str]) -> list[str]:
    """The field that each refusal names, in order, up to the first refusal that names none."""
    refused = []
    for evidence in answers:
        error = error_of(evidence) if evidence.status in _REFUSED else None
        name = next((n for n in known if error and n not in refused and _names(error, n)), None)
        if name is None:
            break
        refused.append(name)
    return refused


def _names(error: Mapping[str, Any], name: str) -> bool:
    """Whether an error names the field as a word: `user message` does not name `user`."""
    text = str(error.get("message"))
    quotes = ("'", '"', "`")
    return error.get("param") == name or any(f"{q}{name}{q}" in text for q in quotes) or (
        "_" in name and name in text
    )  # fmt: skip


def _fields_then(setting: Setting, answers: Sequence[Evidence]) -> list[Ask]:
    """After a refusal that names a field, the same request without that field."""
    fields = harmless(setting)
    refused = _refused_fields(answers, [*fields])
    if len(refused) < len(answers) or len(refused) >= len(fields):
        return []
    rest = {name: value for name, value in fields.items() if name not in refused}
    return [_fields_ask(setting, rest, len(answers))]


def _fields_bound(setting: Setting) -> Bound:
    ask = _fields_ask(setting, harmless(setting), 0)
    return Bound(1, ask.prompt_tokens, ask.output_tokens).times(len(harmless(setting)) - 1)


def _judge_fields(setting: Setting, answers: Sequence[Evidence]) -> Finding:
    fields = [*harmless(setting)]
    refused = _refused_fields(answers, fields)
    if "metadata" in refused and "store" in error_text(answers[refused.index("metadata")]):
        refused.remove("metadata")  # OpenAI accepts it with store=True, which we do not send
        answers = answers[1:] if not refused and len(answers) > 1 else answers
    if refused:
        return Finding(Verdict.REFUSED, f"{', '.join(refused)}: {error_text(answers[0])}")
    answer = reply(answers[0], fields)
    tier = answer.body.get("service_tier")
    if tier in _DEARER:
        return wrong(f"service_tier default was asked for, {tier} was used")
    return works("accepted (no effect can be seen)")


def _key_asks(setting: Setting) -> list[Ask]:
    return [chat(setting, reply_exactly(setting.word("wrong-key")), 24).again(wrong_key=True)]


def _judge_key(setting: Setting, answers: Sequence[Evidence]) -> Finding:
    status = answers[0].status
    if answers[0].outcome is Outcome.DONE and status == 401:
        if error_of(answers[0]) is None:
            return wrong(f"{error_text(answers[0])} (no error envelope)")
        return works()
    if status in (429, 408):
        return unsure(error_text(answers[0]))
    if status is not None and 200 <= status < 300:
        return wrong("a wrong key is accepted")
    if status is not None and 400 <= status < 500:
        return wrong(f"{error_text(answers[0])} instead of 401")
    answered(answers[0], ())
    return unsure(f"HTTP {status}")


def _keyless(setting: Setting) -> Bilingual | None:
    return None if setting.keyed else NO_KEY


def _model_asks(setting: Setting) -> list[Ask]:
    word = setting.word("no-model")
    ask = chat(setting, reply_exactly(word), 24)
    return [ask.again(body={**(ask.body or {}), "model": f"no-such-model-{word.lower()}"})]


def _judge_model(setting: Setting, answers: Sequence[Evidence]) -> Finding:
    status = answers[0].status
    if answers[0].outcome is Outcome.DONE and status in (400, 404, 422):
        return (
            works()
            if error_of(answers[0])
            else broken(f"{error_text(answers[0])} (no error envelope)")
        )
    if status is not None and 200 <= status < 300:
        return wrong("a model that does not exist is accepted")
    answered(answers[0], ("model",))
    return unsure(f"HTTP {status}")


def _field_asks(setting: Setting) -> list[Ask]:
    prompt = reply_exactly(setting.word("unknown-field"))
    return [chat(setting, prompt, 24, **{UNKNOWN_FIELD: 1})]


def _judge_field(setting: Setting, answers: Sequence[Evidence]) -> Finding:
    """OpenAI refuses it, others are lenient; both are correct."""
    try:
        answered(answers[0], (UNKNOWN_FIELD, "field", "extra", "unrecognized", "unknown"))
    except Settled as settled:
        if settled.finding.verdict is Verdict.REFUSED:
            return works("strict: it is refused")
        raise
    return works("lenient: it is accepted")


def _value_asks(setting: Setting) -> list[Ask]:
    return [
        chat(setting, reply_exactly(setting.word("value", place)), 24, temperature=value)
        for place, value in enumerate((5, "hot"))
    ]


def _judge_value(setting: Setting, answers: Sequence[Evidence]) -> Finding:
    def judge(place: int) -> Finding:
        names = ("temperature", "float", "number", "less than or equal", "invalid")
        try:
            answered(answers[place], names)
        except Settled as settled:
            if settled.finding.verdict is Verdict.REFUSED:
                return works()
            raise
        return ignored(f"temperature {(5, 'hot')[place]!r} is accepted silently")

    return every([partial(judge, 0), partial(judge, 1)])


def _context_words(setting: Setting) -> int:
    return int((setting.context_tokens or 0) * 1.05)


def _context_asks(setting: Setting) -> list[Ask]:
    """Each word is at least one token in any tokenizer."""
    words = _context_words(setting)
    prompt = f"{setting.word('context')}: " + "cart " * words
    ask = chat(setting, prompt, 8)
    return [ask.again(known_prompt_tokens=2 * words)]


def _context_untried(setting: Setting) -> Bilingual | None:
    if setting.context_tokens is None:
        return NO_WINDOW
    if _context_words(setting) > setting.longest_context_tokens:
        return LONG_WINDOW
    return None


def _judge_context(setting: Setting, answers: Sequence[Evidence]) -> Finding:
    status, words = answers[0].status, _context_words(setting)
    if answers[0].outcome is Outcome.DONE and status in (400, 413, 422):
        error = error_of(answers[0])
        if error is None:
            return broken(f"{error_text(answers[0])} (no error envelope)")
        return works() if names_any(error, _CONTEXT) else unsure(error_text(answers[0]))
    count = reply(answers[0], _CONTEXT).prompt_tokens
    if count is None:
        return unsure("200 without a count of the prompt")
    if count < words:
        return wrong(f"cut silently: {words} words were sent, {count} prompt tokens counted")
    return unsure(
        f"{count} prompt tokens are accepted, though the stated limit is {setting.context_tokens}"
    )


def _cancel_asks(setting: Setting) -> list[Ask]:
    prompt = f"{setting.word('cancel')}: Write 200 tokens of plain prose."
    cut = chat(setting, prompt, 220, stream=True).again(close_after_events=3)
    after = chat(setting, reply_exactly(setting.word("after")), 24, temperature=1)
    return [cut, after.again(wait_s=_NOTICED_S)]


def _judge_cancel(setting: Setting, answers: Sequence[Evidence]) -> Finding:
    cut, after = answers
    if cut.outcome not in (Outcome.CLOSED, Outcome.DONE):
        return broken(f"the stream that we closed: {cut.outcome}")
    answered(cut, ("stream",))
    answer = reply(after, ())
    if setting.word("after") in answer.only.content:
        return works()
    if answer.spent_on_thinking:
        return unsure("the budget ended before any text")
    if len(answer.only.content) > 120:
        return wrong(f"the next reply is not its own: {quoted(answer.only.content, 80)}")
    return unsure(f"the reply is not the one asked for: {quoted(answer.only.content, 60)}")


_RETRIED = Bilingual("clients retry what can never succeed", "客户端会不断重试注定失败的请求")
CHECKS = (
    Check(
        "fields.accepted", "fields", Bilingual("harmless fields", "附加字段"),
        "user, metadata, service_tier and the like",
        lambda s: [_fields_ask(s, harmless(s), 0)], _judge_fields, ("field", "param"),
        then=_fields_then, then_bound=_fields_bound, then_works=False,
        if_wrong=Bilingual("another service tier is used and billed than the one you ask for",
                           "实际使用并计费的服务等级与所请求的不同"),
    ),
    Check(
        "error.key", "errors", Bilingual("wrong key", "错误密钥"), "a wrong key", _key_asks,
        _judge_key, (), needs=(), untried=_keyless,
        if_wrong=Bilingual("except AuthenticationError does not catch it",
                           "except AuthenticationError 捕获不到"),
        if_broken=_RETRIED,
    ),
    Check(
        "error.model", "errors", Bilingual("unknown model", "未知模型"), "an unknown model",
        _model_asks, _judge_model, ("model",), needs=(),
        if_wrong=Bilingual("a misspelt model is served by another one, and billed",
                           "写错的模型名会由其他模型应答并计费"),
        if_broken=_RETRIED,
    ),
    Check("error.field", "errors", Bilingual("unknown field", "未知字段"), "an unknown field",
          _field_asks, _judge_field, (UNKNOWN_FIELD,), if_broken=_RETRIED),
    Check(
        "error.value", "errors", Bilingual("wrong value", "错误取值"), "a value out of range",
        _value_asks, _judge_value, ("temperature",),
        if_ignored=Bilingual("an invalid value passes silently", "错误的取值会被默默接受"),
        if_broken=_RETRIED,
    ),
    Check(
        "error.context", "errors", Bilingual("prompt too long", "超出上下文"), "a prompt too long",
        _context_asks, _judge_context, _CONTEXT, untried=_context_untried,
        if_wrong=Bilingual("long prompts are cut silently: the model does not see their end or "
                           "start",
                       "过长的 prompt 会被默默截断：模型看不到开头或结尾"),
        if_broken=_RETRIED,
    ),
    Check(
        "cancel", "errors", Bilingual("closing a stream", "中途关闭流"), "stream.close()",
        _cancel_asks, _judge_cancel, ("stream",), needs=("chat.plain", "chat.stream"),
        if_wrong=Bilingual("after a closed stream the next reply is another request's",
                           "关闭流之后，下一个应答属于别的请求"),
    ),
)  # fmt: skip
