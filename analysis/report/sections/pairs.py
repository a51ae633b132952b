"""The section on two routes: the verdict, every number, and the differences over time."""

from typing import TYPE_CHECKING

import numpy as np

from analysis.page.blocks import Block, Level, Remark, Section, Table
from analysis.page.chart import Chart, Series
from analysis.page.columns import Name, table
from analysis.page.vocabulary import (
    DIFFERENCE_MS,
    ESTIMATE,
    INTERVAL,
    METRIC,
    NOT_SHOWN,
    PAIRS,
    SENT_S,
    VERDICT,
)
from analysis.page.words import ABSENT, Words, integer
from analysis.pairs import sentences
from analysis.pairs.differences import differences
from analysis.pairs.pairing import Missing, Pairs, floats, paired
from analysis.pairs.sentences import amount, bounds, name
from analysis.pairs.verdict import Comparison, Conclusion, Verdict
from analysis.report.plots import CHARTS, thin
from estimates import precision

if TYPE_CHECKING:
    from pandas import DataFrame


def first_page(t: Words, comparison: Comparison, at: dict[str, str]) -> list[Remark]:
    """One sentence per phase for the first page: on TTFT, or without streams on the total time.

    `at` says each phase's load in words, e.g. `at 10 requests/s`.
    """
    remarks = list[Remark]()
    for phase in comparison.missing:
        verdicts = [v for v in comparison.verdicts if v.phase == phase]
        chosen = next((v for v in verdicts if v.metric == "ttft" and v.pairs), None) or next(
            (v for v in verdicts if v.metric == "total"), None
        )
        if chosen is not None:
            level: Level = "bad" if chosen.conclusion is Conclusion.NOT_COMPARABLE else "note"
            text = sentences.sentence(t, chosen, at.get(phase, ""))
            head = text.removesuffix(t.stop)
            if head.startswith(("The ", "No ", "Total ")):  # it stands within a sentence
                head = head[0].lower() + head[1:]
            remarks.append(Remark(level, text, head=head))
    return remarks


def section(
    t: Words, rows: "DataFrame", comparison: Comparison, at: dict[str, str], wanted_s: float = 0.0
) -> Section:
    """Everything that was compared; `rows` are those from which `comparison` was made.

    `at` is each phase's load in words; `wanted_s` is the requested precision in seconds (0: none).
    """
    blocks: list[Block] = []
    for pairs in paired(rows):
        verdicts = [v for v in comparison.verdicts if v.phase == pairs.phase]
        blocks += _remarks(t, pairs, verdicts, comparison, at.get(pairs.phase, ""), wanted_s)
        blocks.append(_table(t, pairs.phase, verdicts))
    for pairs in paired(rows)[:CHARTS]:
        blocks += [chart for chart in [_chart(t, pairs, comparison)] if chart]
    return Section(t("Two routes in one run", "同一运行中的两条路由"), blocks)


def _remarks(
    t: Words,
    pairs: Pairs,
    verdicts: list[Verdict],
    comparison: Comparison,
    at: str,
    wanted_s: float,
) -> list[Remark]:
    """What breaks the comparison, which pairs are missing, then a sentence on each metric."""
    stop = t.stop
    remarks = [
        Remark(
            "bad" if finding.forbids else "note", f"{pairs.phase}{t.colon}{finding.clause(t)}{stop}"
        )
        for finding in comparison.findings[pairs.phase]
    ]
    if missing_text := _missing(t, pairs.missing):
        remarks.append(Remark("note", f"{pairs.phase}{t.colon}{missing_text}{stop}"))
    if (overhead := comparison.stated_overheads.get(pairs.phase)) is not None:
        overhead_text, count = f"{overhead.median_s * 1000:,.1f} ms", integer(overhead.count)
        text = t(
            f"the gateway states an overhead of {overhead_text} (median of {count} answers)",
            f"网关自报开销 {overhead_text}（{count} 个应答的中位数）",
        )
        remarks.append(Remark("note", f"{pairs.phase}{t.colon}{text}{stop}"))
    comparable = [v for v in verdicts if v.conclusion is not Conclusion.NOT_COMPARABLE]
    texts = [sentences.sentence(t, v, at) for v in comparable]
    texts += [text for v in verdicts if (text := _grows(t, v))]
    bill = comparison.costs.get(pairs.phase)
    time_verdict = next((v for v in verdicts if v.metric in ("ttft", "total") and v.half), None)
    if time_verdict is not None and (half := time_verdict.half):
        price = bill.per_pair if bill else None
        outlook = precision.outlook(half, time_verdict.pairs, wanted_s or half / 2, price)
        texts.append(sentences.precision(t, time_verdict.metric, outlook))
    if bill is not None:
        texts.append(sentences.costs(t, bill))
    return remarks + [Remark("note", text) for text in texts]


def _grows(t: Words, verdict: Verdict) -> str:
    """For a time that differs: whether the difference grows with the output."""
    times = verdict.metric in ("ttft", "total") and verdict.conclusion in (
        Conclusion.ADDS,
        Conclusion.SAVES,
    )
    return sentences.growth(t, verdict) if times else ""


def _missing(t: Words, missing: Missing) -> str:
    """What was left out, and why; empty where nothing was."""
    parts = [
        (missing.a, "have only the gateway's request", "仅有网关请求"),
        (missing.b, "have only the reference's request", "仅有参照请求"),
        (missing.repeated, "have a route twice", "同一路由重复"),
        (missing.apart, "were sent in two attempts at the run", "两次请求分属不同的续跑"),
        (
            missing.ours,
            "failed on our own machine or were not sent",
            "未发出或因压测端自身原因未完成",
        ),
    ]
    reasons = [t(f"{integer(n)} {en}", f"{integer(n)} 对{zh}") for n, en, zh in parts if n]
    if not reasons:
        return ""
    return t("pairs that were not compared: ", "未参与比较的配对：") + t.join(reasons)


def _table(t: Words, phase: str, verdicts: list[Verdict]) -> Table:
    words = {
        Conclusion.ADDS: t("adds", "增加"),
        Conclusion.SAVES: t("saves", "减少"),
        Conclusion.NOT_SHOWN: t(*NOT_SHOWN),
        Conclusion.NOT_COMPARABLE: t("not comparable", "无法比较"),
        Conclusion.NOT_ENOUGH: t("not enough", "样本不足"),
    }
    return table(
        t,
        verdicts,
        [
            METRIC.of(lambda verdict: name(t, verdict.metric)),
            VERDICT.of(lambda verdict: words[verdict.conclusion]),
            PAIRS.of(lambda verdict: verdict.pairs, integer),
            Name("Gateway - reference", "网关 − 参照").of(lambda verdict: _estimate(t, verdict)),
            INTERVAL.of(lambda verdict: bounds(t, verdict)),
            Name("Ratio", "比值").of(
                lambda verdict: ABSENT if verdict.ratio is None else f"{verdict.ratio.least:.3f}"
            ),
            Name("p (Holm)", "p（Holm）").of(
                lambda verdict: ABSENT if verdict.adjusted is None else f"{verdict.adjusted:.3g}"
            ),
            Name("Detectable difference", "可察觉的最小差异").of(
                lambda verdict: (
                    ABSENT
                    if verdict.visible is None
                    else amount(t, verdict.metric, verdict.visible)
                )
            ),
        ],
        title=phase,
        how=t(
            "Each pair is one body sent to both routes, in random order. TTFT, TPOT, total and "
            "cost: Hodges-Lehmann estimate of the pairs' differences with the signed-rank "
            "interval, widened if neighbours are correlated; percentiles: bootstrap over blocks of "
            "pairs; success: Tango's interval. p: from swapping arms within pairs, with Holm's "
            "adjustment over all rows of this comparison. Total: only pairs with replies of equal "
            "length.",
            "每对为同一请求体按随机先后发往两条路由。TTFT、TPOT、总耗时与费用：配对差的 "
            "Hodges-Lehmann 估计与符号秩区间，相邻结果相关时加宽；百分位：按配对块自助抽样；"
            "成功率：Tango 区间。p 由对内交换路由得出，经 Holm 校正。"
            "总耗时仅取应答长度相同的配对。",
        ),
    )


def _estimate(t: Words, verdict: Verdict) -> str:
    if verdict.least is None or verdict.most is None:
        return ABSENT
    ends = [
        amount(t, verdict.metric, end, verdict.low, verdict.high) if np.isfinite(end) else "∞"
        for end in (verdict.least, verdict.most)
    ]
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} … {ends[1]}"


def _chart(t: Words, pairs: Pairs, comparison: Comparison) -> Chart | None:
    """The differences of TTFT (of the total time without streams) over the phase, and the estimate.

    None if fewer than two differences are known.
    """
    for metric in ("ttft", "total"):
        by_pair = differences(pairs, metric)
        exact = np.isfinite(by_pair.low) & (by_pair.low == by_pair.high)
        if exact.sum() >= 2:
            break
    else:
        return None
    sent = np.fmin(floats(pairs.a, "sent_offset_s"), floats(pairs.b, "sent_offset_s"))[
        by_pair.place
    ]
    charted = exact & np.isfinite(sent)
    points = thin(sent[charted], by_pair.low[charted] * 1000)
    if not points:
        return None
    series = [Series(t("a pair", "一对"), points, "dots", 0)]
    of_metric = (v for v in comparison.verdicts if v.phase == pairs.phase and v.metric == metric)
    verdict = next(of_metric, None)
    ends = points[0][0], points[-1][0]
    if verdict is not None and verdict.conclusion is not Conclusion.NOT_COMPARABLE:
        lines = (
            (verdict.least, t(*ESTIMATE), False),
            (verdict.low, t(*INTERVAL), True),
            (verdict.high, "", True),
        )
        for value, label, dashed in lines:
            if value is not None and np.isfinite(value):
                line = [(x, value * 1000) for x in ends]
                series.append(Series(label, line, "line", 1, dashed))
    what = name(t, metric)
    return Chart(
        t(f"Gateway - reference, {what}: {pairs.phase}", f"网关 − 参照，{what}：{pairs.phase}"),
        t(*SENT_S),
        t(*DIFFERENCE_MS),
        series,
    )
