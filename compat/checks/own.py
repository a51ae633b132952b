"""The operator's own tools and schemas as checks: `own.tool.NAME`, `own.schema.stream.NAME`, ...

Each is sent unchanged, on its own. The gateway is responsible for its arrival and for a usable
answer; which arguments a model chooses is up to the model, unless `strict` promises them.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from compat.bodies import STREAM, chat
from compat.check import Ask, Body, Bound, Check, Setting, bound_of
from compat.checks.structured import MISFIT, judge_json, valid
from compat.checks.tools import CALLED, NAMES, calls_of, shape_fault
from compat.evidence import Evidence, strict_json
from compat.own import Own, OwnThing
from compat.reply import Reply, came_as_stream, reply
from compat.verdict import Finding, Settled, Verdict, every, ignored, unsure, works, wrong
from recording.bilingual import Bilingual
from recording.untrusted_text import quoted

TOOL, TOOL_STREAM = "own.tool.", "own.tool.stream."
SCHEMA, SCHEMA_STREAM = "own.schema.", "own.schema.stream."
_LEAST_GROWTH_TOKENS = 8  # the smallest definition counts more; a template's markup counts fewer
_CONTROL_TOKENS = 16


def checks_of(definitions: Own) -> tuple[Check, ...]:
    """Two checks for each tool and schema: plain and streamed."""
    return (
        *(_tool(tool, stream) for tool in definitions.tools for stream in (False, True)),
        *(_schema(schema, stream) for schema in definitions.schemas for stream in (False, True)),
    )


def described(name: str) -> Check | None:
    """The check of an earlier run with this id, for its wording only; None if it is no such id."""
    for prefix, checks, stream in (
        (TOOL_STREAM, _tool, True), (TOOL, _tool, False),
        (SCHEMA_STREAM, _schema, True), (SCHEMA, _schema, False),
    ):  # fmt: skip
        if name.startswith(prefix) and len(name) > len(prefix):
            return checks(OwnThing(name.removeprefix(prefix), {}, False, {}), stream)
    return None


# ---- tools


def _tool_asks(tool: OwnThing, stream: bool, setting: Setting) -> list[Ask]:
    fields: Body = dict(STREAM) if stream else {}
    return [
        chat(setting, _tool_prompt(tool, stream, setting), tool.output_tokens, tools=[tool.body],
             **fields)
    ]  # fmt: skip


def _tool_prompt(tool: OwnThing, stream: bool, setting: Setting) -> str:
    prompt = tool.prompt or f"Call {tool.name}. Make up arguments that fit its parameters."
    return f"{setting.word('own', tool.name, stream)}: {prompt}"


def _control(tool: OwnThing, stream: bool, setting: Setting) -> Ask:
    """The same without the tool: the difference in prompt tokens shows whether it arrived."""
    return chat(setting, _tool_prompt(tool, stream, setting), _CONTROL_TOKENS)


def _tool_then(
    tool: OwnThing, stream: bool, setting: Setting, answers: Sequence[Evidence]
) -> list[Ask]:
    if len(answers) > 1:
        return []
    try:
        silent = not reply(answers[0], NAMES).only.calls
    except Settled:
        return []
    return [_control(tool, stream, setting)] if silent else []


def _tool_bound(tool: OwnThing, stream: bool, setting: Setting) -> Bound:
    return bound_of([_control(tool, stream, setting)])


def _judge_tool(
    tool: OwnThing, stream: bool, setting: Setting, answers: Sequence[Evidence]
) -> Finding:
    answer = reply(answers[0], (*NAMES, tool.name, "schema", "parameters"))
    if stream and not came_as_stream(answers[0]):
        return unsure("no stream came")
    calls = calls_of(answer)
    if not calls:
        return _no_call(answer, answers)
    fault = next(iter(answer.only.faults), None) or shape_fault(calls[0], (tool.name,))
    if fault:
        return wrong(fault)
    if answer.only.finish not in CALLED:
        return wrong(f"a call with finish_reason {quoted(answer.only.finish, 40) or 'missing'}")
    value = strict_json((calls[0].arguments or "").encode())
    if isinstance(value, str):
        return wrong(f"arguments encoded twice: {quoted(value, 80)}")
    misfit = valid(value, tool.schema)
    if misfit is None:
        return works()
    if tool.strict:
        return ignored(f"strict, but {quoted(misfit, 100)}")
    return unsure(
        f"violates the schema, which is not strict (the model's choice): {quoted(misfit, 80)}"
    )


def _no_call(answer: Reply, answers: Sequence[Evidence]) -> Finding:
    """Dropped on the way if the tool did not make the prompt longer; else the model's choice."""
    fact = f"no call, but: {quoted(answer.only.content, 60)}"
    try:
        without = reply(answers[1], ()).prompt_tokens if len(answers) > 1 else None
    except Settled:
        without = None
    count = answer.prompt_tokens
    if count is None or without is None:
        return unsure(fact)
    if count - without < _LEAST_GROWTH_TOKENS:
        return ignored(f"{count} prompt tokens with the tool, {without} without: it was dropped")
    return unsure(f"{fact} (the tool arrived; `prompts` may say what makes the model call it)")


# ---- schemas


def _schema_asks(thing: OwnThing, stream: bool, setting: Setting) -> list[Ask]:
    prompt = thing.prompt or "Make up an example of what a weighbridge may write down."
    fields: Body = dict(STREAM) if stream else {}
    return [
        chat(setting, f"{setting.word('own', thing.name, stream, place)}: {prompt}",
             thing.output_tokens, response_format=thing.body, **fields)
        for place in range(1 if stream else 2)
    ]  # fmt: skip


def _judge_schema(
    thing: OwnThing, stream: bool, setting: Setting, answers: Sequence[Evidence]
) -> Finding:
    names = ("response_format", "json", "schema", thing.name)

    def judge(evidence: Evidence) -> Finding:
        finding = judge_json(evidence, thing.schema, names)
        if stream and not came_as_stream(evidence):
            return unsure("no stream came")
        misfit = finding.verdict is Verdict.WRONG and finding.fact.startswith(MISFIT)
        if misfit and not thing.strict:
            return unsure(f"not strict, so it may be the model's: {finding.fact}")
        return finding

    return every([partial(judge, evidence) for evidence in answers])


# ---- as checks


def _words(kind: str, zh: str, name: str, stream: bool) -> Bilingual:
    return Bilingual(f"your {kind} {name}{', streamed' if stream else ''}",
                     f"自有{zh} {name}{'（流式）' if stream else ''}")  # fmt: skip


def _needs(stream: bool) -> tuple[str, ...]:
    return ("chat.plain", "chat.stream") if stream else ("chat.plain",)


def _tool(tool: OwnThing, stream: bool) -> Check:
    return _check(
        tool, TOOL_STREAM if stream else TOOL, _words("tool", "工具", tool.name, stream),
        partial(_tool_asks, tool, stream), partial(_judge_tool, tool, stream), stream,
        then=partial(_tool_then, tool, stream), then_bound=partial(_tool_bound, tool, stream),
        then_works=False,
        if_ignored=Bilingual("your agent never calls it, or is given arguments that do not fit",
                             "智能体从不调用它，或收到不符合 schema 的参数"),
        if_wrong=Bilingual("reading its arguments, or your dispatch by name, raises",
                           "解析其参数或按名称分派时会抛出异常"),
    )  # fmt: skip


def _schema(thing: OwnThing, stream: bool) -> Check:
    return _check(
        thing, SCHEMA_STREAM if stream else SCHEMA,
        _words("schema", " schema", thing.name, stream),
        partial(_schema_asks, thing, stream), partial(_judge_schema, thing, stream), stream,
        if_ignored=Bilingual("json.loads raises on text that is not JSON",
                             "json.loads 会因文本不是 JSON 而抛出异常"),
        if_wrong=Bilingual("your model class raises on some replies",
                           "模型类会在部分应答上抛出异常"),
    )  # fmt: skip


def _check(
    thing: OwnThing, prefix: str, title: Bilingual, asks: Any, judge: Any, stream: bool, **more: Any
) -> Check:
    return Check(f"{prefix}{thing.name}", "own", title, title.en, asks, judge, NAMES,
                 needs=_needs(stream), guarantee=thing.strict, **more)  # fmt: skip
