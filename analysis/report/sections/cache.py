"""Prompt cache: the same long prefix several times, as the article's section 5."""

from typing import Any

from analysis.numbers.cache_value import prompt_tokens
from analysis.numbers.providers import comparable
from analysis.page.blocks import Block, Section, Table
from analysis.page.words import ABSENT, Words, percent, seconds
from analysis.report.sections import cache_life, cache_pairs
from analysis.report.sections.cache_pairs import MEASURED
from analysis.report.view import View

PLACE = 120  # in the report


def section(view: View) -> Section:
    """A table for each phase, one row a run, savings against run 1; then what a cache is worth."""
    phases = [phase for phase in view.of("cache") if phase["scenario"] not in MEASURED]
    tables: list[Block] = [_table(view, phase, _rows(view, phase)) for phase in phases]
    return Section(
        view.t("Prompt cache", "Prompt Cache"),
        [*tables, *cache_pairs.blocks(view), *cache_life.blocks(view)],
    )


def _rows(view: View, phase: dict[str, Any]) -> list[dict[str, Any]]:
    return [row for row in view.rows("cache") if row["phase"] == phase["phase"]]


def _table(view: View, phase: dict[str, Any], rows: list[dict[str, Any]]) -> Table:
    t = view.t
    # Savings are against a run that missed: a warm or refused first run is no such thing.
    cold = bool(rows[0]["success"]) and not rows[0]["cached_tokens"]
    first = rows[0] if cold else None
    return Table(
        title=phase["model_requested"],
        headers=(
            "Run",
            t("Input tokens", "输入 token"),
            "cached_tokens",
            t("API cost", "API 返回费用"),
            t("Conclusion", "结论"),
            t("Hit rate", "命中率"),
            t("Saving", "节省"),
            t("Latency", "延迟"),
        ),
        rows=[
            (
                str(row["request_index"] + 1),
                _count(row["prompt_tokens"]),
                _count(row["cached_tokens"]),
                t.money(row["api_cost"]),
                _conclusion(t, row, rows),
                percent(hit_rate(row), 1),
                percent(saving(row, first), 0) if row is not rows[0] and row["success"] else ABSENT,
                seconds(row["elapsed_sec"]),
            )
            for row in rows
        ],
        how=t(
            "The same prefix, one request at a time; hit rate = cached_tokens / input tokens, "
            "saving = 1 - cost / cost of run 1, where that one missed.",
            "相同长前缀逐次请求；命中率 = cached_tokens / 输入 token，"
            "节省 = 1 − 费用 / 首次费用（首次未命中时）。",
        ),
    )


def hit_rate(row: dict[str, Any]) -> float | None:
    """The share of the prompt that was read from the cache."""
    cached, prompt = row["cached_tokens"], row["prompt_tokens"]
    return None if cached is None or not prompt else cached / prompt_tokens(row)


def saving(row: dict[str, Any], first: dict[str, Any] | None) -> float | None:
    """How much less than the first run's cost, as a share of it; None too: another provider's."""
    if first is None or not comparable(first, row, routed=False):
        return None
    cost, whole = row["api_cost"], first["api_cost"]
    return None if cost is None or not whole else 1 - cost / whole


def _count(tokens: int | None) -> str:
    return ABSENT if tokens is None else str(tokens)


def _conclusion(t: Words, row: dict[str, Any], rows: list[dict[str, Any]]) -> str:
    if not row["success"]:
        return t(f"failed: {row['outcome']}", f"失败：{row['outcome']}")
    hit, place = bool(row["cached_tokens"]), rows.index(row)
    if place == 0:
        return t("hit on the first run", "首次即命中") if hit else t("first request", "首次请求")
    if not hit:
        return t("no hit", "未命中")
    again = any(earlier["cached_tokens"] for earlier in rows[1:place])
    return t("hit again", "稳定命中") if again else t("hit", "命中")
