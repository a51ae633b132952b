"""Prompt cache: the same long prefix sent several times, as in section 5 of the article."""

from analysis.numbers.cache_value import prompt_tokens
from analysis.numbers.phase_numbers import PhaseNumbers
from analysis.numbers.providers import comparable
from analysis.page.blocks import Block, Section, Table
from analysis.page.columns import Name, field, table
from analysis.page.vocabulary import (
    API_COST,
    CACHED_TOKENS,
    CONCLUSION,
    HIT_RATE,
    INPUT_TOKENS,
    Cost,
    failed,
)
from analysis.page.words import ABSENT, Words, percent, seconds
from analysis.report.sections import cache_life, cache_pairs
from analysis.report.sections.cache_pairs import MEASURED
from analysis.report.view import Row, View

PLACE = 120  # in the report


def section(view: View) -> Section:
    """Per phase a table with a row per run and the savings against run 1; then pairs and lives."""
    phases = [phase for phase in view.of_modes("cache") if phase.scenario not in MEASURED]
    tables: list[Block] = [_table(view, phase, _rows(view, phase)) for phase in phases]
    return Section(
        view.t("Prompt cache", "Prompt Cache"),
        [*tables, *cache_pairs.blocks(view), *cache_life.blocks(view)],
    )


def _rows(view: View, phase: PhaseNumbers) -> list[Row]:
    return [row for row in view.rows("cache") if row["phase"] == phase.phase]


def _table(view: View, phase: PhaseNumbers, rows: list[Row]) -> Table:
    t = view.t
    # Savings are relative to a miss: a first run that hit or failed is no basis for them.
    cold = bool(rows[0]["success"]) and not rows[0]["cached_tokens"]
    first = rows[0] if cold else None

    def saved(row: Row) -> float | None:
        return saving(row, first) if row is not rows[0] and row["success"] else None

    return table(
        t,
        rows,
        [
            field("Run").of(lambda row: row["request_index"] + 1),
            INPUT_TOKENS.of(lambda row: row["prompt_tokens"], _count),
            CACHED_TOKENS.of(lambda row: row["cached_tokens"], _count),
            API_COST.of(lambda row: Cost(row["api_cost"])),
            CONCLUSION.of(lambda row: _conclusion(t, row, rows)),
            HIT_RATE.of(hit_rate, lambda share: percent(share, 1)),
            Name("Saving", "节省").of(saved, lambda share: percent(share, 0)),
            Name("Latency", "延迟").of(lambda row: row["elapsed_sec"], seconds),
        ],
        title=phase.model_requested,
        how=t(
            "The same prefix, one request at a time; hit rate = cached_tokens / input tokens, "
            "saving = 1 - cost / cost of run 1, if run 1 was a miss.",
            "相同长前缀逐次请求；命中率 = cached_tokens / 输入 token，"
            "节省 = 1 − 费用 / 首次费用（首次未命中时）。",
        ),
    )


def hit_rate(row: Row) -> float | None:
    """The share of the prompt that was read from the cache; None: unknown."""
    cached, prompt = row["cached_tokens"], row["prompt_tokens"]
    return None if cached is None or not prompt else cached / prompt_tokens(row)


def saving(row: Row, first: Row | None) -> float | None:
    """By what share of the first run's cost this one was cheaper; None: unknown.

    It is unknown, too, if another provider answered.
    """
    if first is None or not comparable(first, row, routed=False):
        return None
    cost, first_cost = row["api_cost"], first["api_cost"]
    return None if cost is None or not first_cost else 1 - cost / first_cost


def _count(tokens: int | None) -> str:
    return ABSENT if tokens is None else str(tokens)


def _conclusion(t: Words, row: Row, rows: list[Row]) -> str:
    if not row["success"]:
        return failed(t, row["outcome"])
    hit, place = bool(row["cached_tokens"]), rows.index(row)
    if place == 0:
        return t("hit on the first run", "首次即命中") if hit else t("first request", "首次请求")
    if not hit:
        return t("no hit", "未命中")
    again = any(earlier["cached_tokens"] for earlier in rows[1:place])
    return t("hit again", "稳定命中") if again else t("hit", "命中")
