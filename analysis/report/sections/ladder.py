"""The concurrency ladder: one table a model, one row a step, as the article's section 2."""

from typing import Any

from analysis.page.blocks import Section, Table
from analysis.page.words import integer, milliseconds, percent, rate, ratio, seconds, tally
from analysis.report import plots
from analysis.report.sections import slo
from analysis.report.view import View

PLACE = 60  # in the report


def section(view: View) -> Section:
    """The curves of all models, then a table for each."""
    steps = view.of("ladder")
    models = list(dict.fromkeys(step["model_requested"] for step in steps))
    title = view.t("Concurrency ladder", "并发阶梯")
    return Section(
        title,
        [
            *plots.ladder(view, steps),
            *(_table(view, m, [s for s in steps if s["model_requested"] == m]) for m in models),
        ],
    )


def _table(view: View, model: str, steps: list[dict[str, Any]]) -> Table:
    """The article's columns; of a burst also its release skew, of a held step its rate."""
    t, held = view.t, _steady(view, steps)
    return Table(
        title=model,
        headers=(
            t("Concurrency", "并发"),
            t("Success", "成功"),
            t("Success rate", "成功率"),
            t("P95 latency", "P95 延迟"),
            t("Wall clock", "墙钟耗时"),
            t("API cost", "API 返回费用"),
            t("Observed RPM", "观测 RPM") if held else t("Release skew", "释放偏差"),
            t("Outcomes", "结果分布"),
            t("No answer", "无应答"),
            *slo.headers(view),
        ),
        rows=[
            (
                integer(step["target"]),
                ratio(step["success"], step["planned"]),
                percent(step["success_rate"]),
                seconds(step["latency_p95_s"]),
                seconds(step["wall_s"]),
                t.money(step["cost_sum"], step["cost_unknown_success_count"]),
                rate(step["observed_rpm"]) if held else milliseconds(step["release_skew_s"]),
                tally(step["outcomes"]),
                integer(step["unanswered"]),
                *slo.cells(view, step),
            )
            for step in steps
        ],
        how=_held(view, steps) if held else _burst(view),
    )


def _steady(view: View, steps: list[dict[str, Any]]) -> bool:
    """Whether the steps held their concurrency (`--hold`) rather than released a burst."""
    names = {step["phase"] for step in steps}
    return any(p.get("kind") == "steady" and p["name"] in names for p in view.run.plan)


def _held(view: View, steps: list[dict[str, Any]]) -> str:
    lengths = sorted({step["duration_s"] for step in steps if step["duration_s"] is not None})
    length = "/".join(f"{s:g}" for s in lengths)
    return view.t(
        f"Closed loop: each step keeps its concurrency in flight for {length} s, sending the "
        "next request when one is answered. Observed RPM = successes / wall clock × 60, the "
        "wall clock running to the last completion; P95 is the nearest rank over the "
        "successes, from send to last byte.",
        f"闭环：每一阶梯在 {length} 秒内保持该并发数，一个请求结束后立即发送下一个。"
        "观测 RPM = 成功请求数 / 墙钟耗时 × 60，墙钟计至最后一个请求完成；"
        "P95 为成功请求从发送到末字节的最近秩百分位。",
    )


def _burst(view: View) -> str:
    return view.t(
        "All requests of a step are released at one instant (of a resumed one, those of each "
        "part); P95 is the nearest rank over its "
        "successes, wall clock runs from the release to the last completion, and release skew "
        "is the last send minus the first.",
        "每一阶梯的请求在同一时刻释放（续跑的阶梯按每次续跑）；P95 为成功请求的最近秩百分位，"
        "墙钟耗时从释放到最后一个请求完成，"
        "释放偏差为最晚与最早发送时刻之差。",
    )
