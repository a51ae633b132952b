"""The value of a prompt cache: cold and warm pairs, money, time, and the cost of writing."""

from analysis.numbers.bootstrap import FEWEST, Interval
from analysis.numbers.cache_value import Pairs, Row, pairs
from analysis.numbers.model_numbers import CachePairNumbers, MeanInterval
from analysis.page.blocks import Block, Remark, Table
from analysis.page.columns import Name, table
from analysis.page.vocabulary import HIT_RATE, INTERVAL, MODEL, PAIRS, SHARE, money
from analysis.page.words import ABSENT, Words, integer, percent, ratio, seconds
from analysis.report.view import View
from recording.events import RunStart
from rules.prices import Prices

MEASURED = frozenset({"pairs", "plain", "gap"})
"""Scenarios of mode `cache` that are reported here and in cache_life; the rest is the article's."""


def blocks(view: View) -> list[Block]:
    """The hits, the money and the time of every model's pairs; nothing if none were sent."""
    models = of(view)
    if not models:
        return []
    return [
        _hits(view.t, models),
        _money(view.t, models),
        _time(view.t, models),
        *_remarks(view, models),
    ]


def of(view: View) -> list[Pairs]:
    """The pairs of each model, in the plan's order."""
    run, rows = view.run, view.rows("cache")
    prices = Prices.from_dict(run.manifest.get("prices"))
    seed = int(run.options.get("seed") or 0)
    resumed = breaks(view)
    by_kind: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        by_kind.setdefault((row["model_requested"], row["scenario"]), []).append(row)
    return [
        pairs(model, paired, by_kind.get((model, "plain"), []), resumed, prices, seed)
        for (model, scenario), paired in by_kind.items()
        if scenario == "pairs"
    ]


def breaks(view: View) -> list[str]:
    """The times at which the run was resumed, ISO 8601."""
    return [str(event.at) for event in view.run.events_of(RunStart)[1:]]


def numbers(view: View) -> list[CachePairNumbers]:
    """The pairs, as in summary.json."""
    return [
        CachePairNumbers(
            model=model.model,
            pairs=model.pairs,
            excluded=model.excluded,
            hit_rate=model.hit_rate,
            token_hit_rate=model.token_hit_rate,
            cost_cold=model.cold_cost,
            cost_warm=model.warm_cost,
            saving_per_request=_bounds(model.saving),
            saving_share=model.saving_share,
            write_premium=_bounds(model.premium),
            write_premium_by=model.premium_by or None,
            hits_to_pay=model.hits_to_pay,
            ttft_cold_s=model.cold_ttft_s,
            ttft_warm_s=model.warm_ttft_s,
            ttft_gain_s=_bounds(model.ttft_gain),
        )
        for model in of(view)
    ]


def _bounds(interval: Interval | None) -> MeanInterval | None:
    if interval is None:
        return None
    return MeanInterval(mean=interval.mean, low=interval.low, high=interval.high, n=interval.count)


def _hits(t: Words, models: list[Pairs]) -> Table:
    return table(
        t,
        models,
        [
            MODEL.of(lambda model: model.model),
            PAIRS.of(lambda model: model.pairs, integer),
            Name("Excluded", "剔除").of(lambda model: model.excluded, integer),
            Name("Warm hits", "热请求命中").of(
                lambda model: ratio(model.hits, model.stated) if model.stated else ABSENT
            ),
            HIT_RATE.of(lambda model: model.hit_rate, _share),
            Name("Tokens from cache", "缓存 token 占比").of(
                lambda model: model.token_hit_rate, _share
            ),
        ],
        title=t("Cold and warm pairs: hits", "冷热配对：命中"),
        how=t(
            "A pair is one new prefix sent twice, as streams, one after the other. Pairs are "
            "excluded if one request failed, the first was already a hit, or the run was resumed "
            "between the two. The hit rate covers the warm requests that state cached tokens.",
            "每对为同一全新前缀的两次流式请求，先冷后热。任一请求失败、首次即命中，"
            "或两次之间曾续跑的配对不计。命中率以报告缓存 token 的热请求为分母。",
        ),
    )


def _money(t: Words, models: list[Pairs]) -> Table:
    return table(
        t,
        models,
        [
            MODEL.of(lambda model: model.model),
            money(Name("Cold", "冷请求费用"), lambda model: model.cold_cost),
            money(Name("Warm", "热请求费用"), lambda model: model.warm_cost),
            money(Name("Saving per request", "单次请求节省"), lambda model: _mean(model.saving)),
            INTERVAL.of(lambda model: _money_range(t, model.saving)),
            SHARE.of(lambda model: model.saving_share, _share),
            money(
                Name("Per 1,000 requests", "每 1,000 请求"), lambda model: _mean(model.saving, 1000)
            ),
            money(Name("Write premium", "写入溢价"), lambda model: _mean(model.premium)),
            Name("Paid back by warm requests", "回本所需热请求").of(lambda model: _pays(t, model)),
        ],
        title=t("What a repeated prompt saves", "重复 prompt 的节省"),
        how=t(
            "Means over the pairs with both costs known, including misses. The write premium is "
            "the cold cost minus that of prompts not marked for the cache, or comes from the price "
            "table; it is absent if unknown. 0 warm requests pay it back if it cannot be "
            "distinguished from chance.",
            "均值取两次费用皆知的配对（含未命中）。写入溢价 = 冷请求费用 − 未标记缓存的请求费用，"
            "否则按价格表；无从得知则不给出。溢价与随机波动无法区分时，回本次数为 0。",
        ),
    )


def _time(t: Words, models: list[Pairs]) -> Table:
    return table(
        t,
        models,
        [
            MODEL.of(lambda model: model.model),
            PAIRS.of(lambda model: model.ttft_gain.count if model.ttft_gain else 0, integer),
            Name("Cold TTFT", "冷 TTFT").of(lambda model: model.cold_ttft_s, seconds),
            Name("Warm TTFT", "热 TTFT").of(lambda model: model.warm_ttft_s, seconds),
            Name("Faster by", "缩短").of(lambda model: _mean(model.ttft_gain), seconds),
            INTERVAL.of(lambda model: model.ttft_gain, _seconds_range),
        ],
        title=t("Time to the first token", "首个 token 时间"),
        how=t(
            "Means over the pairs that hit, or over all pairs if no reply states cached tokens. "
            f"The interval is a bootstrap of the pairs' differences, absent below {FEWEST} pairs.",
            "均值取命中的配对；若应答均未报告缓存 token，则取全部配对。"
            f"区间为配对差的自助法区间，不足 {FEWEST} 对不给出。",
        ),
    )


def _remarks(view: View, models: list[Pairs]) -> list[Block]:
    """One sentence per model: is a hit faster, as far as the pairs can tell?"""
    t = view.t
    remarks: list[Block] = []
    for model in models:
        gain = model.ttft_gain
        if gain is None or gain.low is None:
            text = t(
                f"{model.model}: too few pairs to say whether a hit is faster.",
                f"{model.model}：配对过少，无法判断命中是否更快。",
            )
        elif gain.excludes_zero:
            more, zh = ("faster", "缩短") if gain.mean > 0 else ("slower", "变长")
            text = t(
                f"{model.model}: the first token of a warm request comes {abs(gain.mean):.3f} s "
                f"{more}.",
                f"{model.model}：热请求首个 token 时间{zh} {abs(gain.mean):.3f} 秒。",
            )
        else:
            text = t(
                f"{model.model}: no difference in the time to the first token is shown by "
                f"{gain.count} pairs.",
                f"{model.model}：{gain.count} 对样本看不出首个 token 时间差异。",
            )
        remarks.append(Remark("note", text))
    return remarks


def _pays(t: Words, model: Pairs) -> str:
    if model.premium is None or model.saving is None:
        return ABSENT
    if model.hits_to_pay is None:
        return t("never", "无法回本")
    return str(model.hits_to_pay)


def _mean(interval: Interval | None, times: int = 1) -> float | None:
    return interval.mean * times if interval else None


def _share(share: float | None) -> str:
    return percent(share, 1)


def _money_range(t: Words, interval: Interval | None) -> str:
    if interval is None or interval.low is None:
        return ABSENT
    return f"{t.money(interval.low)} … {t.money(interval.high)}"


def _seconds_range(interval: Interval | None) -> str:
    if interval is None or interval.low is None:
        return ABSENT
    return f"{seconds(interval.low)} … {seconds(interval.high)}"
