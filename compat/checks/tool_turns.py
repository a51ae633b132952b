"""Several calls at once, and the turn after a call."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from compat.bodies import STREAM, chat, say
from compat.check import Ask, Body, Bound, Check, Setting, bound_of
from compat.checks.tools import CALLED, LOOK_UP, NAMES, call_fault, call_of, calls_of
from compat.evidence import Evidence, Outcome, error_of, names_any
from compat.reply import Call, Choice, reply
from compat.verdict import Finding, Settled, broken, every, ignored, unsure, works, wrong
from recording.bilingual import Bilingual
from recording.untrusted_text import quoted

_PARALLEL = (*NAMES, "parallel_tool_calls")


def _two(setting: Setting, *names: object) -> tuple[str, str]:
    return setting.word(*names, "one"), setting.word(*names, "two")


def _two_asks(name: str, setting: Setting, **fields: Any) -> list[Ask]:
    asks = []
    for place in range(2):
        first, two = _two(setting, name, place)
        prompt = f'Call look_up with {{"key": "{first}"}} and look_up with {{"key": "{two}"}}.'
        asks.append(chat(setting, prompt, 110, tools=[LOOK_UP], **fields))
    return asks


def _two_calls(setting: Setting, name: str, place: int, evidence: Evidence) -> Finding:
    choice = reply(evidence, _PARALLEL).only
    calls = calls_of(reply(evidence, _PARALLEL))
    merged = _merged(choice, calls, _two(setting, name, place))
    if merged:
        return wrong(merged)
    if len(calls) < 2:
        return unsure(f"{len(calls)} calls where two were asked for (a model may do so)")
    ids = [call.id for call in calls]
    if len(set(ids)) < len(ids):
        return wrong(f"{len(ids)} calls share ids: {quoted(ids, 80)}")
    fault = next((f for call in calls if (f := call_fault(call, [LOOK_UP]))), None)
    if fault:
        return wrong(fault)
    if choice.finish not in CALLED:
        return wrong(f"calls with finish_reason {quoted(choice.finish, 40) or 'missing'}")
    repeated = any(len(call.ids) > 1 or len(call.names) > 1 for call in calls)
    return unsure("id or name is sent more than once in a call") if repeated else works()


def _merged(choice: Choice, calls: Sequence[Call], words: Sequence[str]) -> str | None:
    """How two calls were merged into one, by a shared or missing index; or None."""
    if choice.faults:
        return choice.faults[0]
    for call in calls:
        both = all(word in (call.arguments or "") for word in words)
        if len(set(call.ids)) > 1 or both:
            return (
                f"two calls merged at index {call.index}: ids {quoted(call.ids, 60)}, "
                f"arguments {quoted(call.arguments, 60)}"
            )
    return None


def _judge_two(name: str, setting: Setting, answers: Sequence[Evidence]) -> Finding:
    return every([partial(_two_calls, setting, name, i, e) for i, e in enumerate(answers)])


def _judge_off(setting: Setting, answers: Sequence[Evidence]) -> Finding:
    def judge(place: int) -> Finding:
        answer = reply(answers[place], _PARALLEL)
        calls = calls_of(answer)
        if not calls:
            return unsure(f"no call, but: {quoted(answer.only.content, 80)}")
        if len(calls) > 1:
            return ignored(f"parallel_tool_calls=false, and {len(calls)} calls came")
        fault = _merged(answer.only, calls, _two(setting, "off", place)) or call_fault(
            calls[0], [LOOK_UP]
        )
        return wrong(fault) if fault else works()

    return every([partial(judge, place) for place in range(len(answers))])


def _loop_asks(setting: Setting) -> list[Ask]:
    return [chat(setting, _loop_prompt(setting), 60, tools=[LOOK_UP])]


def _loop_prompt(setting: Setting) -> str:
    return call_of(setting.word("loop")) + " Then tell me what it returns."


def _loop_then(setting: Setting, answers: Sequence[Evidence]) -> list[Ask]:
    """Sends the gateway's own call back, with its result."""
    if len(answers) > 1:
        return []
    try:
        calls = calls_of(reply(answers[0], NAMES))
    except Settled:
        return []
    if not calls or call_fault(calls[0], [LOOK_UP]):
        return []
    return [_second_turn(setting, calls[0])]


def _second_turn(setting: Setting, call: Call) -> Ask:
    sent: Body = {"id": call.id, "type": "function",
                  "function": {"name": call.name, "arguments": call.arguments}}  # fmt: skip
    return chat(setting, [
        say("user", _loop_prompt(setting)),
        say("assistant", None, tool_calls=[sent]),
        say("tool", f"code {setting.word('loop', 'result')}", tool_call_id=call.id),
    ], 64, tools=[LOOK_UP])  # fmt: skip


def _loop_bound(setting: Setting) -> Bound:
    """Ids may have any length; the longest ever seen has 64 characters."""
    arguments = f'{{"key": "{setting.word("loop")}"}}'
    return bound_of([_second_turn(setting, Call(0, ["x" * 64], ["look_up"], arguments))])


def _judge_loop(setting: Setting, answers: Sequence[Evidence]) -> Finding:
    if len(answers) < 2:
        calls = calls_of(reply(answers[0], NAMES))
        return unsure("no valid call to answer" if calls else "no call to answer")
    second = answers[1]
    if second.outcome is Outcome.DONE and second.status is not None and second.status >= 400:
        error = error_of(second)
        if second.status in (400, 422) and not (error and names_any(error, ("messages", "tool"))):
            return broken(f"HTTP {second.status} on its own call: {quoted(error, 120)}")
    answer = reply(second, ("messages", "tool"))
    if setting.word("loop", "result") in answer.only.content:
        return works()
    if answer.only.finish == "length":
        return unsure("the budget ended the reply")
    if answer.only.calls:
        return ignored("the tool is called again: its result was not read")
    return wrong(f"the tool's result is not in the reply: {quoted(answer.only.content, 80)}")


def _check(name: str, title: Bilingual, feature: str, asks: Any, judge: Any, **more: Any) -> Check:
    return Check(name, "tools", title, feature, asks, judge, _PARALLEL, **more)


_MERGED = Bilingual("two calls become one: arguments do not parse, or one call is lost",
                    "两个调用被合并：参数无法解析，或丢失一个调用")  # fmt: skip
CHECKS = (
    _check("tool.parallel", Bilingual("two calls at once", "并行调用"), "parallel tool calls",
           partial(_two_asks, "two"), partial(_judge_two, "two"), if_wrong=_MERGED),
    _check("tool.parallel.stream", Bilingual("two calls at once, streamed", "流式并行调用"),
           "parallel tool calls in a stream", partial(_two_asks, "two.stream", **STREAM),
           partial(_judge_two, "two.stream"), if_wrong=_MERGED,
           needs=("chat.plain", "chat.stream")),
    _check("tool.parallel.off", Bilingual("one call at a time", "关闭并行调用"),
           "parallel_tool_calls=False", partial(_two_asks, "off", parallel_tool_calls=False),
           _judge_off, guarantee=True, if_wrong=_MERGED,
           if_ignored=Bilingual("several calls come where your loop expects one",
                                "循环只预期一个调用，却收到多个")),
    _check("tool.loop", Bilingual("the turn after a call", "工具结果回传"), "a tool's result",
           _loop_asks, _judge_loop, needs=("chat.plain", "tool.auto"),
           then=_loop_then, then_bound=_loop_bound,
           if_ignored=Bilingual("agents call the same tool for ever", "智能体会不停调用同一个工具"),
           if_wrong=Bilingual("the model answers without the tool's result",
                              "模型没有使用工具结果就作答"),
           if_broken=Bilingual("every agent fails at its second step",
                               "所有智能体都会在第二步失败")),
)  # fmt: skip
