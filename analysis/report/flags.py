"""Flagged answers on the report's first page: by kind, with examples."""

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from analysis.numbers.agreement import Difference
from analysis.numbers.measurement import check_words
from analysis.numbers.outliers import Misfits
from analysis.page.blocks import Remark
from analysis.page.words import Words, integer, percent
from analysis.reading.load import rows
from analysis.report.view import View
from recording.untrusted_text import quoted

if TYPE_CHECKING:
    from pandas import Index

_EXAMPLES = 3
_NAMED = ["task_id", "phase", "request_index", "check_detail"]
_MEANINGS = {
    "fail": ("a probe judged the answer wrong", "探测用例判定应答有误"),
    "model_mismatch": (
        "the answer names a different model than was requested",
        "应答所称模型与请求模型不同",
    ),
    "usage_missing": ("the answer states no tokens", "应答未给出 token 用量"),
    "usage_sum": (
        "total tokens are not prompt + completion",
        "total tokens 不等于 prompt + completion",
    ),
    "usage_absurd": ("a number in usage is impossible", "usage 中有不可能的数值"),
    "stream_buffered": (
        "the reply was held back, then came in one burst",
        "应答先被缓存，随后一次性到达",
    ),
    "stream_coalesced": (
        "several tokens came at once: times between tokens are not resolved",
        "多个 token 同时到达，无法分辨 token 间隔",
    ),
    "usage_unreadable": (
        "usage is stated under unknown names",
        "usage 使用了未知的字段名",
    ),
    "usage_twice": (
        "an answer states its usage twice and differently: in a stream the largest complete one "
        "counts, of several names or places the first",
        "同一应答多次给出不同的 usage：流式以最大的完整一份为准，字段名或位置不同的以第一个为准",
    ),
    "cost_unreadable": (
        "a stated cost is not a number, or not in the run's currency (--currency)",
        "给出的费用不是数字，或币种与本次测试（--currency）不同",
    ),
    "cost_elsewhere": (
        "something like a cost is stated outside the usage, where it is not read: if it is the "
        "cost, name it with --cost-field",
        "usage 之外有疑似费用的字段，未被读取：如确为费用，请用 --cost-field 指明",
    ),
    "tool_call_shape": (
        "a tool call had to be repaired to be read",
        "工具调用的格式有误，经修复后读取",
    ),
    "content_type": (
        "the body is not what its Content-Type says",
        "内容与 Content-Type 所称不符",
    ),
    "retry_after": ("the wait it states is not a valid time", "所给的等待时间无效"),
    "stated_time": (
        "a header states an invalid time, or one longer than the whole answer took: it is unknown",
        "应答头所述耗时无效，或超过整个应答的耗时，按未知处理",
    ),
    "not_the_gateway": (
        "a proxy or firewall answered, not the gateway",
        "应答来自代理或防火墙，而非网关",
    ),
    "finish_reason": (
        "the stated reason why the model stopped is invalid or does not fit",
        "结束原因缺失、未知或不符",
    ),
}


def flags(view: View) -> list[Remark]:
    """Differences between plain and streamed replies, then each kind of flag, then odd costs.

    Kinds of flags are in the order of their frequency, the most frequent first.
    """
    all_rows, t = view.run.rows, view.t
    words = check_words(all_rows.frame(["check"])["check"])
    words = words[words != "pass"]
    remarks = []
    for kind, count in ((str(k), int(n)) for k, n in words.value_counts().items()):
        sample = all_rows.at(words.index[words == kind][:_EXAMPLES].tolist(), _NAMED)
        if kind == "budget_spent":
            remarks.append(_only_reasoning(view, words.index[words == kind]))
            continue
        meaning = t(*_MEANINGS[kind]) if kind in _MEANINGS else ""
        remarks.append(_remark(view, kind, meaning, count, _examples(t, sample, kind)))
    return [
        *map(partial(_difference, view), view.differences),
        *remarks,
        *(_costs(view, misfits) for misfits in view.misfits),
    ]


def flagged(view: View, phase: str) -> int:
    """How many answers of a phase are flagged, each by itself or in comparison with others."""
    checks = view.run.rows.frame(["check"], phase)["check"].dropna()
    words = checks.str.replace(r"\b(?:pass|fail)\b", "", regex=True).str.strip()
    rows: set[int] = {*words.index[words != ""].tolist(), *outliers_of(view, phase)}
    differing = [
        difference for difference in view.differences if difference.streamed["phase"] == phase
    ]
    return len(rows) + len(differing)


def outliers_of(view: View, phase: str) -> list[int]:
    """The row numbers, in the run, of a phase's costs that do not fit its price per token."""
    begin, end = view.run.rows.bounds.get(phase, (0, 0))
    return [row for misfits in view.misfits for row in misfits.rows if begin <= row < end]


def _remark(view: View, kind: str, meaning: str, count: int, examples: list[str]) -> Remark:
    recorded = sum(phase.recorded for phase in view.phases)
    t, share = view.t, percent(count / recorded)
    why = t(f" ({meaning})", f"（{meaning}）") if meaning else ""
    examples_text = t.shortened(t.clauses(examples), count - _EXAMPLES)
    one, are = ("row", "is") if count == 1 else ("rows", "are")
    text = t(
        f"{integer(count)} {one} ({share}) {are} flagged {kind}{why}: {examples_text}.",
        f"{integer(count)} 行（{share}）被标记为 {kind}{why}：{examples_text}。",
    )
    return Remark("note", text)


def _only_reasoning(view: View, places: "Index[int]") -> Remark:
    """The replies with the flag `budget_spent`, and what that means for the run."""
    t, count = view.t, len(places)
    rows = view.run.rows.frame(["model_requested", "max_tokens"]).loc[places]
    models = t.join(
        quoted(model) + t.aside(integer(n))
        for model, n in rows["model_requested"].value_counts().items()
    )
    budgets = t.join(integer(n) for n in sorted(rows["max_tokens"].dropna().unique()))
    tokens = t(f" of {budgets} tokens", f" {budgets} token ") if budgets else ""
    share = percent(count / sum(phase.recorded for phase in view.phases))
    replies, hold = ("reply", "contains") if count == 1 else ("replies", "contain")
    text = t(
        f"{integer(count)} {replies} ({share}) {hold} only reasoning and no visible text, because "
        f"the reasoning used up the output budget{tokens} (flag budget_spent): {models}. They "
        "count as successes; their times, tokens and costs are those of the reasoning. For visible "
        "text, raise --max-tokens.",
        f"{integer(count)} 个应答（{share}）只有推理、没有可见内容，因为推理用满了{tokens}输出上限"
        f"（标记 budget_spent）：{models}。这些请求计为成功，其耗时、token 与费用都属于推理。"
        "如需可见内容，请提高 --max-tokens。",
    )
    return Remark("note", text)


def _difference(view: View, difference: Difference) -> Remark:
    """What differs between the plain and the streamed reply to a prompt: both values, both rows."""
    t, model = view.t, quoted(difference.streamed["model_requested"])
    formats: dict[str, Callable[[Any], str]] = {
        "usage_stream_differs": integer,
        "cost_stream_differs": t.money,
        "reply_stream_differs": quoted,
    }
    was, now = (formats[difference.flag](value) for value in (difference.was, difference.now))
    text = {
        "usage_stream_differs": t(
            f"states {was} prompt tokens for a plain request and {now} for the same prompt "
            "streamed",
            f"同一 prompt 非流式计 {was} 个 prompt token，流式计 {now} 个",
        ),
        "cost_stream_differs": t(
            f"charges {was} for a plain request and {now} for the same prompt streamed, which its "
            "output tokens do not explain",
            f"同一 prompt 非流式计费 {was}，流式计费 {now}，输出 token 之差不足以解释",
        ),
        "reply_stream_differs": t(
            f"ends a plain reply with {was} and the streamed one with {now}, for the same prompt",
            f"同一 prompt 的应答，非流式为 {was}，流式为 {now}",
        ),
    }[difference.flag]
    if difference.elsewhere:
        text += t(
            ", or two providers answered, with different prices and counts",
            "；也可能由计价、计数不同的两家供应商分别应答",
        )
    rows = t.join(_name(row) for row in (difference.plain, difference.streamed))
    return Remark(
        "bad" if difference.grave else "note",
        t(
            f"The gateway {text} ({difference.flag}; {model}; rows {rows}).",
            f"网关对{text}（{difference.flag}；{model}；记录 {rows}）。",
        ),
        t("plain and streamed replies differ", "非流式与流式的应答不一致"),
    )


def _examples(t: Words, chosen: Any, kind: str) -> list[str]:
    names: dict[str, list[str]] = {}
    for row in rows(chosen):
        names.setdefault(_why(row["check_detail"], kind), []).append(_name(row))
    return [
        t.join(some) + (t(f" ({why})", f"（{why}）") if why else "") for why, some in names.items()
    ]


def _name(row: Mapping[str, Any]) -> str:
    return row["task_id"] or f"{row['phase']}#{row['request_index']}"


def _why(detail: str | None, kind: str) -> str:
    try:
        return str(json.loads(detail or "{}")["flags"][kind])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""


def _costs(view: View, misfits: Misfits) -> Remark:
    t, count = view.t, len(misfits.rows)
    if not misfits.steady:
        text = t(
            f"The costs of {misfits.model} do not follow its tokens: {integer(count)} of "
            f"{integer(misfits.judged)} rows differ by more than a factor of three from the price "
            "per token that explains most of them.",
            f"{misfits.model} 的费用与 token 数不成比例：{integer(misfits.judged)} 行中有 "
            f"{integer(count)} 行与多数行所示单价相差三倍以上。",
        )
        return Remark("note", text)
    chosen = view.run.rows.at(misfits.rows[:_EXAMPLES], _NAMED)
    examples = []
    for row, cost, expected in zip(rows(chosen), misfits.costs, misfits.expected, strict=False):
        paid, expected_cost = t.money(cost), t.money(expected)
        amounts = t(f"{paid} instead of {expected_cost}", f"{paid}，按单价应为 {expected_cost}")
        examples.append(_name(row) + t(f" ({amounts})", f"（{amounts}）"))
    meaning = t(
        "the cost does not fit the run's own price per token",
        "费用与本次运行自身的 token 单价不符",
    )
    return _remark(view, "cost_outlier", f"{misfits.model}{t.colon}{meaning}", count, examples)
