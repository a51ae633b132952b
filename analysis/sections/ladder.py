"""The concurrency ladder: one table a model, one row a step, as the article's section 2."""

from typing import Any

from analysis import plots
from analysis.page import Section, Table
from analysis.sections import View
from analysis.words import integer, milliseconds, percent, ratio, seconds, tally


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
    t = view.t
    return Table(
        title=model,
        headers=(
            t("Concurrency", "并发"),
            t("Success", "成功"),
            t("Success rate", "成功率"),
            t("P95 latency", "P95 延迟"),
            t("Wall clock", "墙钟耗时"),
            t("API cost", "API 返回费用"),
            t("Release skew", "释放偏差"),
            t("Outcomes", "结果分布"),
        ),
        rows=[
            (
                integer(step["target"]),
                ratio(step["success"], step["planned"]),
                percent(step["success_rate"]),
                seconds(step["latency_p95_s"]),
                seconds(step["wall_s"]),
                t.money(step["cost_sum"], step["cost_unknown_success_count"]),
                milliseconds(step["release_skew_s"]) if step["duration_s"] is None else "-",
                tally(step["outcomes"]),
            )
            for step in steps
        ],
        how=t(
            "All requests of a step are released at one instant; P95 is the nearest rank over its "
            "successes, wall clock runs from the release to the last completion, and release skew "
            "is the last send minus the first.",
            "每一阶梯的请求在同一时刻释放；P95 为成功请求的最近秩百分位，"
            "墙钟耗时从释放到最后一个请求完成，"
            "释放偏差为最晚与最早发送时刻之差。",
        ),
    )
