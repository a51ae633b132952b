"""Verdicts in words: one sentence each, in both languages."""

from math import isfinite

from analysis.page.words import ABSENT, Words, integer, spaced
from analysis.pairs.costs import Costs
from analysis.pairs.verdict import Conclusion, Verdict
from estimates.blocks import FEWEST
from estimates.precision import Outlook

_NAMES = {
    "ttft": ("TTFT", "TTFT"),
    "tpot": ("TPOT", "TPOT"),
    "total": ("total time", "总耗时"),
    "cost": ("cost per request", "单次请求费用"),
    "success": ("the success rate", "成功率"),
}


def name(t: Words, metric: str) -> str:
    """A metric as readers know it: `ttft_p95` is P95 of TTFT."""
    base, _, rank = metric.partition("_p")
    en, zh = _NAMES[base]
    return t(f"P{rank} of {en}", f"{zh} P{rank}") if rank else t(en, zh)


def amount(t: Words, metric: str, *values: float | None) -> str:
    """The first value with its unit, with as many digits as the largest of all values needs."""
    value, largest = values[0], max(abs(v) for v in values if v is not None and isfinite(v))
    assert value is not None
    if metric == "cost":
        return ("-" if value < 0 else "") + t.money(abs(value))
    if metric == "success":
        return t(f"{value * 100:.1f} points", f"{value * 100:.1f} 个百分点")
    digits = 1 if largest >= 0.001 else 3
    return f"{value * 1000:,.{digits}f} ms"


def bounds(t: Words, verdict: Verdict) -> str:
    """The ends of the 95 % interval, `10.9 to 12.6`; of a half-open one, the end that it has."""
    low, high = verdict.low, verdict.high
    if low is None or high is None:
        return ABSENT
    ends = [amount(t, verdict.metric, v, low, high) if isfinite(v) else "" for v in (low, high)]
    if not ends[0] and not ends[1]:
        return t("not bounded", "无界")
    if not ends[1]:
        return t(f"above {ends[0]}", f"大于 {ends[0]}")
    if not ends[0]:
        return t(f"below {ends[1]}", f"小于 {ends[1]}")
    lowest, highest = (_without_unit(t, end) for end in ends)
    return t(f"{lowest} to {highest}", f"{lowest} 至 {highest}")


def _without_unit(t: Words, text: str) -> str:
    """An amount without the unit that follows it."""
    return text.removesuffix(" ms").removesuffix(t(" points", " 个百分点"))


def interval(t: Words, verdict: Verdict) -> str:
    """`95 % interval 10.9 to 12.6`."""
    return t("95 % interval ", "95% 区间 ") + bounds(t, verdict)


def sentence(t: Words, verdict: Verdict, at: str = "") -> str:
    """The verdict as one sentence; `at` is the load in words, e.g. `at 10 requests/s`."""
    what, where = name(t, verdict.metric), t(f" {at}" if at else "", f"{at}，" if at else "")
    if verdict.conclusion is Conclusion.NOT_COMPARABLE:
        why = t.clauses(finding.clause(t) for finding in verdict.because)
        return t(
            f"{_upper(what)}{where}: not comparable, because {why}.",
            f"{where}{what}：无法比较，因为{why}。",
        )
    if verdict.conclusion is Conclusion.NOT_ENOUGH:
        return t(
            f"{_upper(what)}{where}: {integer(verdict.pairs)} pairs are not enough to tell, "
            f"{_needed(t, verdict)}.",
            f"{where}{what}：{integer(verdict.pairs)} 对不足以判断，{_needed(t, verdict)}。",
        )
    in_brackets = interval(t, verdict) + _first(t, verdict)
    if verdict.conclusion is Conclusion.NOT_SHOWN:
        missed = _missed(t, verdict)
        return t(
            f"No difference in {what} is shown{where} ({in_brackets}{missed}).",
            f"{where}未见{spaced(what)}差异（{in_brackets}{missed}）。",
        )
    size = _size(t, verdict)
    adds = verdict.conclusion is Conclusion.ADDS
    if verdict.metric == "success":
        word, zh = ("raises", "高") if adds else ("lowers", "低")
        return t(
            f"The gateway {word} the success rate by {size} ({in_brackets}){where}.",
            f"{where}经网关的成功率{zh} {size}（{in_brackets}）。",
        )
    word, zh = ("adds", "增加") if adds else ("saves", "减少")
    link = "to" if adds else "of"
    return t(
        f"The gateway {word} {size} ({in_brackets}) {link} {what}{where}.",
        f"{where}网关使{spaced(what)}{zh} {size}（{in_brackets}）。",
    )


def _needed(t: Words, verdict: Verdict) -> str:
    """How many pairs would have been enough."""
    if verdict.needed is None or verdict.needed <= max(FEWEST, verdict.pairs):
        return t(f"it takes at least {FEWEST}", f"至少需要 {FEWEST} 对")
    pairs = integer(verdict.needed)
    return t(
        f"it takes about {pairs}, because pairs sent close together are correlated",
        f"先后相近的配对结果相关，约需 {pairs} 对",
    )


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _size(t: Words, verdict: Verdict) -> str:
    """The estimate without its sign; two numbers if only its bounds are known."""
    least, most = verdict.least, verdict.most
    assert least is not None and most is not None
    ends = sorted((abs(least), abs(most)))
    bounds = [amount(t, verdict.metric, e, verdict.low, *ends) if isfinite(e) else "" for e in ends]
    if bounds[0] == bounds[1]:
        return bounds[0]
    if not isfinite(ends[1]):
        return t(f"more than {bounds[0]}", f"超过 {bounds[0]}")
    return t(f"{bounds[0]} to {bounds[1]}", f"{bounds[0]} 至 {bounds[1]}")


def _missed(t: Words, verdict: Verdict) -> str:
    if verdict.visible is None:
        return ""
    least = amount(t, verdict.metric, verdict.visible)
    return t(
        f"; four of five such runs would have shown {least}",
        f"；这样的运行五次中有四次能发现 {least} 的差异",
    )


def _first(t: Words, verdict: Verdict) -> str:
    if not verdict.first_only:
        return ""
    return t(
        ", from the first request of each pair only, because the order matters",
        "，先后顺序有影响，因此只取每对的首个请求",
    )


def growth(t: Words, verdict: Verdict) -> str:
    """That the difference grows with the output; empty if that is not shown."""
    trend = verdict.growth
    if trend is None or not trend.shown:
        return ""
    what = name(t, verdict.metric)
    per, low, high = (f"{v * 1000:.3f}" for v in (trend.per_token, trend.low, trend.high))
    return t(
        f"The difference in {what} changes with the output, by {per} ms per output token "
        f"(95 % interval {low} to {high}): a ratio may describe it better.",
        f"{spaced(what).lstrip()}差异随输出长度变化：每输出 token {per} ms"
        f"（95% 区间 {low} 至 {high}），用比值描述可能更合适。",
    )


def precision(t: Words, metric: str, outlook: Outlook) -> str:
    """How precise the run is, and how many pairs a narrower interval would take."""
    now, goal = (f"±{v * 1000:,.1f} ms" for v in (outlook.half, outlook.wanted_half))
    what = name(t, metric)
    if not outlook.more:
        return t(f"{_upper(what)} is known to {now}.", f"{spaced(what).lstrip()}精度为 {now}。")
    price = (
        ""
        if outlook.cost is None
        else t(f", for {t.money(outlook.cost)}", f"，费用 {t.money(outlook.cost)}")
    )
    return t(
        f"{_upper(what)} is known to {now} so far; {goal} would take about "
        f"{integer(outlook.pairs)} pairs, {integer(outlook.more)} more{price}.",
        f"{spaced(what).lstrip()}目前精度为 {now}；要达到 {goal} 约需 "
        f"{integer(outlook.pairs)} 对，"
        f"再加 {integer(outlook.more)} 对{price}。",
    )


def costs(t: Words, sums: Costs) -> str:
    """What each arm cost in all."""
    a, b, count = t.money(sums.a), t.money(sums.b), integer(sums.pairs)
    return t(
        f"In the {count} pairs with both costs known, the gateway's requests cost {a} and the "
        f"reference's {b}.",
        f"两边费用都已知的 {count} 对中，网关共 {a}，参照共 {b}。",
    )
