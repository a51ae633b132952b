"""The concurrency ladder: one table per model, one row per step, as in section 2 of the article."""

from analysis.numbers.phase_numbers import PhaseNumbers
from analysis.page.blocks import Section, Table
from analysis.page.columns import Name, table
from analysis.page.vocabulary import (
    API_COST,
    CONCURRENCY,
    LATENCY_P95,
    OBSERVED_RPM,
    OUTCOMES,
    SUCCESS,
    SUCCESS_RATE,
    UNANSWERED,
    WALL,
    Time,
)
from analysis.page.words import milliseconds, ratio
from analysis.report import plots
from analysis.report.sections import slo
from analysis.report.view import View

PLACE = 60  # in the report


def section(view: View) -> Section:
    """The curves of all models, then a table for each."""
    steps = view.of_modes("ladder")
    models = list(dict.fromkeys(step.model_and_route for step in steps))
    title = view.t("Concurrency ladder", "并发阶梯")
    return Section(
        title,
        [
            *plots.ladder(view, steps),
            *(_table(view, m, [s for s in steps if s.model_and_route == m]) for m in models),
        ],
    )


_SKEW: Time = Name("Release skew", "并发发起时差").of(
    lambda step: step.release_skew_s, milliseconds
)


def _table(view: View, model: str, steps: list[PhaseNumbers]) -> Table:
    """The article's columns, and for bursts the release skew, for held steps the rate."""
    t, steady = view.t, _steady(view, steps)
    return table(
        t,
        steps,
        [
            CONCURRENCY,
            SUCCESS.name.of(lambda step: (step.success, step.awaited), lambda of: ratio(*of)),
            SUCCESS_RATE,
            LATENCY_P95,
            WALL,
            API_COST,
            OBSERVED_RPM if steady else _SKEW,
            OUTCOMES,
            UNANSWERED,
            *slo.goodput(view),
        ],
        title=model,
        how=_hold_time(view, steps) if steady else _burst(view),
    )


def _steady(view: View, steps: list[PhaseNumbers]) -> bool:
    """Whether the steps held their concurrency (`--hold`) rather than released a burst."""
    names = {step.phase for step in steps}
    return any(p.get("kind") == "steady" and p["name"] in names for p in view.run.plan)


def _hold_time(view: View, steps: list[PhaseNumbers]) -> str:
    lengths = sorted({step.duration_s for step in steps if step.duration_s is not None})
    length = "/".join(f"{s:g}" for s in lengths)
    return view.t(
        f"Closed loop: each step keeps its concurrency in flight for {length} s, sending the "
        "next request when one is answered. Observed RPM = successes / wall clock × 60, the "
        "wall clock running to the last completion; P95 is the nearest rank over the "
        "successes, from send to last byte.",
        f"闭环：每一档在 {length} 秒内保持该并发数，一个请求结束后立即发送下一个。"
        "观测 RPM = 成功请求数 / 墙钟耗时 × 60，墙钟耗时计至最后一个请求完成；"
        "P95 为成功请求从发送到末字节的最近秩百分位。",
    )


def _burst(view: View) -> str:
    return view.t(
        "All requests of a step are released at one instant (if it was resumed, those of each "
        "part). P95 is the nearest rank over its successes, wall clock runs from the release to "
        "the last completion, and release skew is the last send minus the first.",
        "每一档的请求在同一时刻发出（续跑的档按每次续跑分别计）；P95 为成功请求的最近秩百分位，"
        "墙钟耗时从发出到最后一个请求完成，"
        "并发发起时差为最晚与最早发送时刻之差。",
    )
