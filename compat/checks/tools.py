"""Tools: whether they are called, as tool_choice demands, and with arguments that fit."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from compat.bodies import chat, function, named, reply_exactly
from compat.check import Ask, Body, Check, Setting
from compat.checks.structured import valid
from compat.evidence import Evidence, strict_json
from compat.reply import Call, Reply, reply
from compat.verdict import Finding, Settled, every, ignored, unsure, works, wrong
from recording.bilingual import Bilingual
from recording.untrusted_text import quoted

NAMES = ("tool", "function")
CALLED = ("tool_calls", "stop")
"""OpenAI's finish reasons after a forced call."""
LOOK_UP = function("look_up", {"key": {"type": "string"}}, about="Look up what a key stands for.")
GET_TIME = function("get_time", {"zone": {"type": "string"}}, about="The time in a zone.")
PING = {"type": "function", "function": {
    "name": "ping", "description": "Check that the scale is alive.",
    "parameters": {"type": "object", "properties": {}, "additionalProperties": False},
}}  # fmt: skip
SET_UNIT = function("set_unit", {"unit": {"type": "string", "enum": ["gram", "ounce"]}},
                    strict=True, about="Choose the unit of the scale.")  # fmt: skip
MANY = 64


def call_of(word: str) -> str:
    return f'Call look_up with {{"key": "{word}"}}.'


def shape_fault(call: Call, offered: Sequence[str]) -> str | None:
    """What is wrong with a call regardless of its tool's schema, or None."""
    if not call.id:
        return "a call without id"
    if len(set(call.ids)) > 1 or len(set(call.names)) > 1:
        return f"several ids or names in one call: {quoted((call.ids + call.names)[:4], 80)}"
    if call.name not in offered:
        return f"{quoted(call.name, 40)} was not offered"
    if call.arguments is None:
        return "arguments are null"
    try:
        strict_json(call.arguments.encode())
    except ValueError:
        return f"arguments that are not JSON: {quoted(call.arguments, 60)}"
    return None


def call_fault(call: Call, tools: Sequence[Body]) -> str | None:
    """What is wrong with a call, given the tools that were offered, or None."""
    parameters = {t["function"]["name"]: t["function"]["parameters"] for t in tools}
    if fault := shape_fault(call, [*parameters]):
        return fault
    misfit = valid(strict_json((call.arguments or "").encode()), parameters[call.name])
    return f"arguments violate the schema: {quoted(misfit, 80)}" if misfit else None


def calls_of(answer: Reply) -> list[Call]:
    """The first choice's calls. Raises Settled if the budget cut the reply."""
    if answer.only.finish == "length":
        raise Settled(unsure("the budget ended the reply"))
    return answer.only.calls


def _instead(answer: Reply) -> str:
    return f"no call, but: {quoted(answer.only.content, 80)}"


def _auto_asks(setting: Setting) -> list[Ask]:
    return [chat(setting, call_of(setting.word("auto")), 60, tools=[LOOK_UP])]


def _judge_auto(setting: Setting, answers: Sequence[Evidence]) -> Finding:
    answer = reply(answers[0], NAMES)
    calls = calls_of(answer)
    if not calls:
        return ignored(_instead(answer))
    fault = call_fault(calls[0], [LOOK_UP])
    if fault:
        return wrong(fault)
    if answer.only.finish != "tool_calls":
        return wrong(f"a call with finish_reason {quoted(answer.only.finish, 40) or 'missing'}")
    return works() if answer.usage is not None else wrong("a call, and no usage")


def _none_asks(setting: Setting) -> list[Ask]:
    prompt = call_of(setting.word("none"))
    return [chat(setting, prompt, 60, tools=[LOOK_UP], tool_choice="none")]


def _judge_none(setting: Setting, answers: Sequence[Evidence]) -> Finding:
    answer = reply(answers[0], NAMES)
    if answer.only.calls:
        return ignored(f"tool_choice none, and {quoted(answer.only.calls[0].name, 40)} is called")
    if answer.only.finish == "tool_calls":
        return wrong("finish_reason tool_calls without any call")
    return works()


def _forced(answers: Sequence[Evidence], tools: Sequence[Body], name: str) -> Finding:
    """Judges calls that tool_choice forces, plain and streamed; `name`: the one that it names."""

    def judge(place: int) -> Finding:
        answer = reply(answers[place], NAMES)
        calls = calls_of(answer)
        if not calls:
            return ignored(_instead(answer))
        if name and calls[0].name != name and not call_fault(calls[0], tools):
            return ignored(f"{name} is named, {quoted(calls[0].name, 40)} is called")
        fault = call_fault(calls[0], tools)
        if fault:
            return wrong(fault)
        if answer.only.finish not in CALLED:
            return wrong(f"a call with finish_reason {quoted(answer.only.finish, 40) or 'missing'}")
        return works(answer.only.finish)

    finding = every([partial(judge, place) for place in range(len(answers))], ("plain", "streamed"))
    if name and finding == works(finding.fact):
        finishes = [reply(evidence, NAMES).only.finish for evidence in answers]
        if len(set(finishes)) > 1:
            return wrong(f"finish_reason is {finishes[0]} plain, {finishes[1]} streamed")
    return finding


def _required_asks(setting: Setting) -> list[Ask]:
    return [
        chat(setting, reply_exactly(setting.word("required", place)), 60,
             tools=[LOOK_UP], tool_choice="required", **fields)
        for place, fields in enumerate(({}, {"stream": True}))
    ]  # fmt: skip


def _named_asks(setting: Setting) -> list[Ask]:
    return [
        chat(setting, call_of(setting.word("named", place)), 60,
             tools=[LOOK_UP, GET_TIME], tool_choice=named("get_time"), **fields)
        for place, fields in enumerate(({}, {"stream": True}))
    ]  # fmt: skip


def _strict_asks(setting: Setting) -> list[Ask]:
    prompt = 'Call set_unit with {{"unit": "{}"}}.'
    return [
        chat(setting, prompt.format(setting.word("strict", place)), 60, tools=[SET_UNIT])
        for place in range(3)
    ]


def _judge_strict(setting: Setting, answers: Sequence[Evidence]) -> Finding:
    def judge(evidence: Evidence) -> Finding:
        answer = reply(evidence, (*NAMES, "strict"))
        calls = calls_of(answer)
        if not calls:
            return unsure(_instead(answer))
        arguments = calls[0].arguments or ""
        try:
            value = strict_json(arguments.encode())
        except ValueError:
            return ignored(f"arguments that are not JSON: {quoted(arguments, 60)}")
        if isinstance(value, str):
            return wrong(f"arguments encoded twice: {quoted(arguments, 80)}")
        fault = valid(value, SET_UNIT["function"]["parameters"])
        return ignored(f"strict, but {quoted(fault, 100)}") if fault else works()

    return every([partial(judge, evidence) for evidence in answers])


def _noargs_asks(setting: Setting) -> list[Ask]:
    return [chat(setting, f"{setting.word('noargs')}. Call ping.", 48, tools=[PING])]


def _judge_noargs(setting: Setting, answers: Sequence[Evidence]) -> Finding:
    answer = reply(answers[0], NAMES)
    calls = calls_of(answer)
    if not calls:
        return ignored(_instead(answer))
    fault = call_fault(calls[0], [PING])
    return wrong(fault) if fault else works()


def many_tools() -> list[Body]:
    """64 tools, about 30 kB, each described at length, as in real applications."""
    about = (
        "Read scale number {0} of the yard and return the weight it shows now, in the unit "
        "that was set for it, with the time of the reading and whether the load had come to rest "
        "before it. "
        "Use it only for scale {0}; every other scale has a tool of its own."
    )
    properties: Body = {
        "unit": {"type": "string", "description": "kilogram or tonne"},
        "decimals": {"type": "integer", "description": "How many decimals to return, 0 to 3"},
    }
    return [
        function(f"read_scale_{place}", properties, about=about.format(place))
        for place in range(MANY)
    ]


def _many_asks(setting: Setting) -> list[Ask]:
    prompt = f"{setting.word('many')}. Call read_scale_41 in kilogram with 2 decimals."
    return [chat(setting, prompt, 80, tools=many_tools())]


def _judge_many(setting: Setting, answers: Sequence[Evidence]) -> Finding:
    answer = reply(answers[0], (*NAMES, "too many"))
    calls = calls_of(answer)
    count = answer.prompt_tokens
    if not calls:
        if count is not None and count < 40 * MANY // 4:
            return ignored(f"{MANY} tools, {count} prompt tokens: they were dropped")
        return unsure(_instead(answer))
    if calls[0].name != "read_scale_41":
        return wrong(f"read_scale_41 was asked for, {quoted(calls[0].name, 40)} is called")
    fault = call_fault(calls[0], many_tools())
    return wrong(fault) if fault and "schema" not in fault else works()


def _check(name: str, title: Bilingual, feature: str, asks: Any, judge: Any, **more: Any) -> Check:
    more.setdefault("if_wrong", Bilingual(
        "json.loads(call.function.arguments) or your dispatch by name raises",
        "json.loads(call.function.arguments) 或按名称分派时会抛出异常",
    ))  # fmt: skip
    return Check(name, "tools", title, feature, asks, judge, NAMES, **more)


_NEVER_CALLED = Bilingual("message.tool_calls is None: agents stop after their first step",
                          "message.tool_calls 为 None：智能体第一步就会停下")  # fmt: skip
CHECKS = (
    _check(
        "tool.auto", Bilingual("tool call", "工具调用"), "tools", _auto_asks, _judge_auto,
        if_ignored=_NEVER_CALLED,
        if_wrong=Bilingual("loops that wait for finish_reason tool_calls, or parse arguments, fail",
                           "等待 finish_reason 为 tool_calls 或解析参数的循环会失败"),
    ),
    _check(
        "tool.none", Bilingual("tool_choice none", "禁用工具 none"), "tool_choice='none'",
        _none_asks, _judge_none, guarantee=True,
        if_ignored=Bilingual("tools are called where you forbade it", "在你禁止时仍会调用工具"),
        if_wrong=Bilingual("message.tool_calls is None where finish_reason says tool_calls",
                           "finish_reason 为 tool_calls，但 message.tool_calls 是 None"),
    ),
    _check(
        "tool.required", Bilingual("tool_choice required", "强制调用 required"),
        "tool_choice='required'", _required_asks,
        lambda s, answers: _forced(answers, [LOOK_UP], ""),
        guarantee=True, if_ignored=_NEVER_CALLED,
    ),
    _check(
        "tool.named", Bilingual("tool_choice by name", "指定工具"), "tool_choice by name",
        _named_asks, lambda s, answers: _forced(answers, [LOOK_UP, GET_TIME], "get_time"),
        guarantee=True,
        if_ignored=Bilingual("another function than the one you force is called, or none",
                             "调用的不是你指定的函数，或根本没有调用"),
        if_wrong=Bilingual("plain and streamed calls need different code",
                           "非流式与流式调用需要不同的处理代码"),
    ),
    _check(
        "tool.strict", Bilingual("strict function", "strict 函数"), "strict: true", _strict_asks,
        _judge_strict, guarantee=True,
        if_ignored=Bilingual("arguments break your schema: validate each call yourself",
                             "参数不符合 schema：须自行校验每次调用"),
    ),
    _check(
        "tool.noargs", Bilingual("function without parameters", "无参数函数"),
        "a function without parameters", _noargs_asks, _judge_noargs, if_ignored=_NEVER_CALLED,
        if_wrong=Bilingual("json.loads(arguments) raises on functions without parameters",
                           "对无参数函数执行 json.loads(arguments) 会抛出异常"),
    ),
    _check(
        "tool.many", Bilingual("64 tools", "64 个工具"), "64 tools", _many_asks, _judge_many,
        if_ignored=Bilingual("large tool lists are dropped without an error",
                             "较长的工具列表会被丢弃且不报错"),
    ),
)  # fmt: skip
