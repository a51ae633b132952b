"""How long an unused cached prefix lives: one request after each pause."""

from typing import Any

from analysis.numbers.cache_value import Rest, lifetime_bounds_s, resumed_between
from analysis.numbers.model_numbers import CacheLifeNumbers, CacheRest
from analysis.page.blocks import Block, Table, Text
from analysis.page.columns import Name, table
from analysis.page.vocabulary import API_COST, CACHED_TOKENS, CONCLUSION, INPUT_TOKENS, Cost, failed
from analysis.page.words import ABSENT, Words, integer, seconds
from analysis.reading.moment import moment
from analysis.report.sections.cache_pairs import breaks
from analysis.report.view import View
from recording.events import PhaseEnd, PhaseStart

LATE_S, LATE = 2.0, 0.1
"""A miss after a pause that was longer than planned by more than this says nothing about the
planned one: seconds, or a share of the planned pause, whichever is longer."""


def blocks(view: View) -> list[Block]:
    """A table and a sentence per model; nothing if no pauses were requested."""
    t, by_model = view.t, of(view)
    parts: list[Block] = []
    for model, rests in by_model.items():
        parts += [_table(t, model, rests), Text(_sentence(t, model, rests))]
    return parts


def of(view: View) -> dict[str, list[Rest]]:
    """The requests after a pause, by model, in the order of sending."""
    by_model: dict[str, list[Rest]] = {}
    before: dict[str, dict[str, Any]] = {}
    for row in view.rows("cache"):
        if row["scenario"] != "gap":
            continue
        model = row["model_requested"]
        earlier, before[model] = before.get(model), row
        if earlier is not None:
            by_model.setdefault(model, []).append(_rest(view, earlier, row))
    return by_model


def numbers(view: View) -> list[CacheLifeNumbers]:
    """How long entries live, as in summary.json."""
    return [
        CacheLifeNumbers(
            model=model,
            hit_after_s=lifetime_bounds_s(rests)[0],
            miss_after_s=lifetime_bounds_s(rests)[1],
            rests=[CacheRest(planned_s=r.planned_s, rested_s=r.rested_s, hit=r.hit) for r in rests],
        )
        for model, rests in of(view).items()
    ]


def _rest(view: View, earlier: dict[str, Any], row: dict[str, Any]) -> Rest:
    """A request after a pause.

    Its hit is unknown if it or the earlier request failed, or if the run was resumed in between, so
    that a hit came after a shorter pause than planned, or a miss after a longer one.
    """
    planned_s = int(row["target"] or 0)
    rested_s = _between(view, earlier["phase"], row["phase"])
    conclusive = row["success"] and earlier["success"] and row["cached_tokens"] is not None
    hit = bool(row["cached_tokens"])
    if resumed_between(earlier, row, breaks(view)):
        conclusive = conclusive and rested_s is not None and rested_s >= planned_s
        conclusive = conclusive and (
            hit or (rested_s or 0.0) <= planned_s + max(LATE_S, LATE * planned_s)
        )
    return Rest(planned_s, rested_s, row, hit if conclusive else None)


def _between(view: View, earlier: str, later: str) -> float | None:
    """Seconds from the end of one phase to the start of the next, by the master's clock.

    If the later phase had been started before the run was resumed, its request may have been sent
    then: the pause is counted from the resumption. None: unknown.
    """
    ends, starts = (
        view.run.events_of(PhaseEnd, earlier),
        view.run.events_of(PhaseStart, later),
    )
    if not ends or not starts or not starts[-1].t0_unix_s:
        return None
    since = [ends[-1].at, *(breaks(view)[-1:] if len(starts) > 1 else ())]
    moments = [parsed.timestamp() for at in since if (parsed := moment(at)) is not None]
    if len(moments) < len(since):
        return None
    return max(0.0, starts[-1].t0_unix_s - max(moments))


def _table(t: Words, model: str, rests: list[Rest]) -> Table:
    return table(
        t,
        rests,
        [
            Name("Pause", "间隔").of(lambda rest: f"{rest.planned_s} s"),
            Name("Rested", "实际间隔").of(lambda rest: rest.rested_s, seconds),
            INPUT_TOKENS.of(lambda rest: rest.row["prompt_tokens"], integer),
            CACHED_TOKENS.of(lambda rest: rest.row["cached_tokens"], integer),
            API_COST.of(lambda rest: Cost(rest.row["api_cost"])),
            CONCLUSION.of(lambda rest: _conclusion(t, rest)),
        ],
        title=t(f"How long an entry lives: {model}", f"缓存条目的有效时间：{model}"),
        how=t(
            "One prefix is written, then sent once after each pause. Every request renews the "
            "entry, so each pause is the time since its last use.",
            "写入同一前缀后，每次间隔后请求一次；每次请求都会刷新条目，因此间隔就是距上次使用的时间。",
        ),
    )


def _conclusion(t: Words, rest: Rest) -> str:
    if not rest.row["success"]:
        return failed(t, rest.row["outcome"])
    if rest.hit is None:
        return ABSENT
    return t("still there", "仍命中") if rest.hit else t("gone", "已失效")


def _sentence(t: Words, model: str, rests: list[Rest]) -> str:
    alive_s, gone_s = lifetime_bounds_s(rests)
    if alive_s is None and gone_s is None:
        return t(f"{model}: nothing can be concluded.", f"{model}：无法判断。")
    if gone_s is None:
        return t(
            f"{model}: an entry lives at least {alive_s} s without use.",
            f"{model}：条目闲置至少 {alive_s} 秒仍有效。",
        )
    if alive_s is None:
        return t(
            f"{model}: an entry is gone after {gone_s} s without use.",
            f"{model}：条目闲置 {gone_s} 秒后已失效。",
        )
    return t(
        f"{model}: an entry lives {alive_s} s without use and is gone after {gone_s} s.",
        f"{model}：条目闲置 {alive_s} 秒仍有效，{gone_s} 秒后失效。",
    )
