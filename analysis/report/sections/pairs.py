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
from analysis.pairs.verdict import Comparison, Said, Verdict
from analysis.report.plots import CHARTS, thin
from estimates import precision

if TYPE_CHECKING:
    from pandas import DataFrame


def first_page(t: Words, found: Comparison, at: dict[str, str]) -> list[Remark]:
    """The one sentence per phase that page one has: of TTFT, else of the first metric judged.

    `at` says each phase's load in words, e.g. `at 10 requests/s`.
    """
    said = list[Remark]()
    for phase in found.missing:
        mine = [v for v in found.verdicts if v.phase == phase]
        chosen = next((v for v in mine if v.metric == "ttft" and v.pairs), None) or next(
            (v for v in mine if v.metric == "total"), None
        )
        if chosen is not None:
            level: Level = "bad" if chosen.said is Said.NOT_COMPARABLE else "note"
            text = sentences.sentence(t, chosen, at.get(phase, ""))
            head = text.removesuffix(t.stop)
            if head.startswith(("The ", "No ", "Total ")):  # it stands within a sentence
                head = head[0].lower() + head[1:]
            said.append(Remark(level, text, head=head))
    return said


def section(
    t: Words, rows: "DataFrame", found: Comparison, at: dict[str, str], wanted_s: float = 0.0
) -> Section:
    """Everything that was compared; `rows` are those that `found` was judged from.

    `wanted_s`: the precision that the run was asked for (0: none).
    """
    blocks: list[Block] = []
    for pairs in paired(rows):
        mine = [v for v in found.verdicts if v.phase == pairs.phase]
        blocks += _remarks(t, pairs, mine, found, at.get(pairs.phase, ""), wanted_s)
        blocks.append(_table(t, pairs.phase, mine))
    for pairs in paired(rows)[:CHARTS]:
        blocks += [chart for chart in [_chart(t, pairs, found)] if chart]
    return Section(t("Two routes in one run", "同一运行中的两条路由"), blocks)


def _remarks(
    t: Words, pairs: Pairs, mine: list[Verdict], found: Comparison, at: str, wanted_s: float
) -> list[Remark]:
    """What breaks the comparison, what has no pair, then what is said of each metric."""
    stop = t.stop
    said = [
        Remark("bad" if one.forbids else "note", f"{pairs.phase}{t.colon}{one.clause(t)}{stop}")
        for one in found.found[pairs.phase]
    ]
    if left := _missing(t, pairs.missing):
        said.append(Remark("note", f"{pairs.phase}{t.colon}{left}{stop}"))
    if (own := found.stated.get(pairs.phase)) is not None:
        shown, count = f"{own.median_s * 1000:,.1f} ms", integer(own.count)
        text = t(
            f"the gateway states {shown} of its own (median of {count} answers)",
            f"网关自报开销 {shown}（{count} 个应答的中位值）",
        )
        said.append(Remark("note", f"{pairs.phase}{t.colon}{text}{stop}"))
    spoken = (Said.ADDS, Said.SAVES, Said.NOT_SHOWN, Said.NOT_ENOUGH)
    texts = [sentences.sentence(t, v, at) for v in mine if v.said in spoken]
    texts += [text for v in mine if (text := _grows(t, v))]
    bill = found.costs.get(pairs.phase)
    judged = next((v for v in mine if v.metric in ("ttft", "total") and v.half), None)
    if judged is not None and (half := judged.half):
        price = bill.per_pair if bill else None
        outlook = precision.outlook(half, judged.pairs, wanted_s or half / 2, price)
        texts.append(sentences.precision(t, judged.metric, outlook))
    if bill is not None:
        texts.append(sentences.costs(t, bill))
    return said + [Remark("note", text) for text in texts]


def _grows(t: Words, one: Verdict) -> str:
    """Of times that differ, whether with the length."""
    times = one.metric in ("ttft", "total") and one.said in (Said.ADDS, Said.SAVES)
    return sentences.growth(t, one) if times else ""


def _missing(t: Words, missing: Missing) -> str:
    """What was left out, and why; empty where nothing was."""
    parts = [
        (missing.a, "have the gateway's request alone", "仅有网关请求"),
        (missing.b, "have the reference's request alone", "仅有参照请求"),
        (missing.repeated, "have an arm twice", "同一路由重复"),
        (missing.apart, "were sent by two attempts at the run", "两次请求分属不同的续跑"),
        (
            missing.ours,
            "failed on our own machine or were not sent",
            "未发出或因压测端自身原因未完成",
        ),
    ]
    told = [t(f"{integer(n)} {en}", f"{integer(n)} 对{zh}") for n, en, zh in parts if n]
    if not told:
        return ""
    return t("pairs that are not compared: ", "未参与比较的配对：") + t.join(told)


def _table(t: Words, phase: str, mine: list[Verdict]) -> Table:
    words = {
        Said.ADDS: t("adds", "增加"),
        Said.SAVES: t("saves", "减少"),
        Said.NOT_SHOWN: t(*NOT_SHOWN),
        Said.NOT_COMPARABLE: t("not comparable", "不可比"),
        Said.NOT_ENOUGH: t("not enough", "样本不足"),
    }
    return table(
        t,
        mine,
        [
            METRIC.of(lambda one: name(t, one.metric)),
            VERDICT.of(lambda one: words[one.said]),
            PAIRS.of(lambda one: one.pairs, integer),
            Name("Gateway - reference", "网关 − 参照").of(lambda one: _estimate(t, one)),
            INTERVAL.of(lambda one: bounds(t, one)),
            Name("Ratio", "比值").of(
                lambda one: ABSENT if one.ratio is None else f"{one.ratio.least:.3f}"
            ),
            Name("p (Holm)", "p（Holm）").of(
                lambda one: ABSENT if one.adjusted is None else f"{one.adjusted:.3g}"
            ),
            Name("Would have been seen", "可察觉的最小差异").of(
                lambda one: ABSENT if one.visible is None else amount(t, one.metric, one.visible)
            ),
        ],
        title=phase,
        how=t(
            "Each pair is one body sent to both routes, in random order. TTFT, TPOT, total and "
            "cost: Hodges-Lehmann of the pairs' differences with the signed-rank interval, "
            "widened if neighbours are correlated; percentiles: bootstrap over blocks of pairs; "
            "success: Tango's interval. p by swapping arms within pairs, adjusted by Holm over "
            "all rows of this comparison. Total: pairs with replies of equal length only.",
            "每对为同一请求体按随机先后发往两条路由。TTFT、TPOT、总耗时与费用：配对差的 "
            "Hodges-Lehmann 估计与符号秩区间，相邻结果相关时加宽；百分位：按配对块自助抽样；"
            "成功率：Tango 区间。p 由对内交换路由得出，经 Holm 校正。"
            "总耗时仅取应答长度相同的配对。",
        ),
    )


def _estimate(t: Words, one: Verdict) -> str:
    if one.least is None or one.most is None:
        return ABSENT
    ends = [
        amount(t, one.metric, end, one.low, one.high) if np.isfinite(end) else "∞"
        for end in (one.least, one.most)
    ]
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} … {ends[1]}"


def _chart(t: Words, pairs: Pairs, found: Comparison) -> Chart | None:
    """The differences of TTFT (without streams: of the total) over the phase, and the estimate."""
    for metric in ("ttft", "total"):
        told = differences(pairs, metric)
        exact = np.isfinite(told.low) & (told.low == told.high)
        if exact.sum() >= 2:
            break
    else:
        return None
    sent = np.fmin(floats(pairs.a, "sent_offset_s"), floats(pairs.b, "sent_offset_s"))[told.place]
    shown = exact & np.isfinite(sent)
    points = thin(sent[shown], told.low[shown] * 1000)
    if not points:
        return None
    series = [Series(t("a pair", "一对"), points, "dots", 0)]
    judged = (v for v in found.verdicts if v.phase == pairs.phase and v.metric == metric)
    verdict = next(judged, None)
    ends = points[0][0], points[-1][0]
    if verdict is not None and verdict.said is not Said.NOT_COMPARABLE:
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
