"""How long an unused cached prefix lives: one request after each pause."""

from typing import Any

from analysis.numbers.cache_value import Rest, kept, resumed_between
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
"""A miss after a rest that much longer than planned says nothing of the planned one: seconds, and a
share of it."""


def blocks(view: View) -> list[Block]:
    """A table and a sentence per model; nothing where no pauses were asked for."""
    t, found = view.t, of(view)
    made: list[Block] = []
    for model, rests in found.items():
        made += [_table(t, model, rests), Text(_sentence(t, model, rests))]
    return made


def of(view: View) -> dict[str, list[Rest]]:
    """The requests after a pause, by model, in the order sent."""
    found: dict[str, list[Rest]] = {}
    before: dict[str, dict[str, Any]] = {}
    for row in view.rows("cache"):
        if row["scenario"] != "gap":
            continue
        model = row["model_requested"]
        earlier, before[model] = before.get(model), row
        if earlier is not None:
            found.setdefault(model, []).append(_rest(view, earlier, row))
    return found


def numbers(view: View) -> list[CacheLifeNumbers]:
    """How long entries live, as summary.json has it."""
    return [
        CacheLifeNumbers(
            model=model,
            hit_after_s=kept(rests)[0],
            miss_after_s=kept(rests)[1],
            rests=[CacheRest(planned_s=r.planned_s, rested_s=r.rested_s, hit=r.hit) for r in rests],
        )
        for model, rests in of(view).items()
    ]


def _rest(view: View, earlier: dict[str, Any], row: dict[str, Any]) -> Rest:
    """A request after a pause; its hit is not known where either failed, nor where a resumption in
    between made the pause shorter than it is called, or longer for one that missed."""
    planned_s = int(row["target"] or 0)
    rested_s = _between(view, earlier["phase"], row["phase"])
    told = row["success"] and earlier["success"] and row["cached_tokens"] is not None
    hit = bool(row["cached_tokens"])
    if resumed_between(earlier, row, breaks(view)):
        told = told and rested_s is not None and rested_s >= planned_s
        told = told and (hit or (rested_s or 0.0) <= planned_s + max(LATE_S, LATE * planned_s))
    return Rest(planned_s, rested_s, row, hit if told else None)


def _between(view: View, earlier: str, later: str) -> float | None:
    """Seconds from the end of one phase to the start of the next, by the master's clock.

    Where the later one was begun before, its request may have been sent then: from the resumption.
    """
    ends, starts = (
        view.run.events_of(PhaseEnd, earlier),
        view.run.events_of(PhaseStart, later),
    )
    if not ends or not starts or not starts[-1].t0_unix_s:
        return None
    since = [ends[-1].at, *(breaks(view)[-1:] if len(starts) > 1 else ())]
    moments = [known.timestamp() for at in since if (known := moment(at)) is not None]
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
        title=t(f"How long an entry lives: {model}", f"缓存条目存活：{model}"),
        how=t(
            "One prefix is written, then sent once after each pause; every request renews the "
            "entry, so each pause is the time since its last use.",
            "写入同一前缀后，每次间隔后请求一次；每次请求都会刷新条目，故间隔即距上次使用的时间。",
        ),
    )


def _conclusion(t: Words, rest: Rest) -> str:
    if not rest.row["success"]:
        return failed(t, rest.row["outcome"])
    if rest.hit is None:
        return ABSENT
    return t("still there", "仍命中") if rest.hit else t("gone", "已失效")


def _sentence(t: Words, model: str, rests: list[Rest]) -> str:
    held, missed = kept(rests)
    if held is None and missed is None:
        return t(f"{model}: nothing can be concluded.", f"{model}：无法判断。")
    if missed is None:
        return t(
            f"{model}: an entry lives at least {held} s without use.",
            f"{model}：条目闲置至少 {held} 秒仍有效。",
        )
    if held is None:
        return t(
            f"{model}: an entry is gone after {missed} s without use.",
            f"{model}：条目闲置 {missed} 秒后已失效。",
        )
    return t(
        f"{model}: an entry lives {held} s without use and is gone after {missed} s.",
        f"{model}：条目闲置 {held} 秒仍有效，{missed} 秒后失效。",
    )
