"""Requests cancelled on purpose: how long they were open, what arrived, what cost was stated."""

from dataclasses import dataclass
from statistics import median
from typing import Any

from analysis.page.blocks import Block, Remark, Section
from analysis.page.columns import Name, table
from analysis.page.vocabulary import PHASE, money
from analysis.page.words import ABSENT, integer, seconds
from analysis.reading.load import rows
from analysis.report.view import View
from recording.outcome import Outcome

PLACE = 165  # in the report
_READ = (
    "phase", "outcome", "success", "cancel_after", "elapsed_sec", "chunks", "received_chars",
    "api_cost",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The requests of one phase that were drawn to be cancelled.

    Of the `drawn`, we `closed` some on purpose, and some were `answered` before; the rest failed.
    `held_s` is the median time from the send to our closing, seconds. `chunks` and `chars` are the
    medians of what had arrived by then. `cost` is the sum of the `stated` costs, in the run's
    currency. None: unknown.
    """

    phase: str
    when: str
    drawn: int
    closed: int
    answered: int
    held_s: float | None
    chunks: float | None
    chars: float | None
    stated: int
    cost: float | None


def of_phases(view: View) -> list[Cancelled]:
    """Every phase that had requests drawn to be cancelled."""
    return [
        _of(phase.phase, selected)
        for phase in view.phases
        if phase.drawn
        for frame in [view.run.rows.frame(list(_READ), phase.phase)]
        for selected in [rows(frame[frame["cancel_after"].notna()])]
    ]


def _of(phase: str, selected: list[dict[str, Any]]) -> Cancelled:
    closed = [row for row in selected if row["outcome"] == Outcome.ABANDONED]
    costs = [row["api_cost"] for row in closed if row["api_cost"] is not None]
    return Cancelled(
        phase=phase,
        when=selected[0]["cancel_after"],
        drawn=len(selected),
        closed=len(closed),
        answered=sum(bool(row["success"]) for row in selected),
        held_s=_median([row["elapsed_sec"] for row in closed]),
        chunks=_median([row["chunks"] for row in closed]),
        chars=_median([row["received_chars"] for row in closed]),
        stated=len(costs),
        cost=sum(costs) if costs else None,
    )


def _median(values: list[Any]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def section(view: View) -> Section:
    """A row per phase, and what the cancelled requests may have cost."""
    t, phases = view.t, of_phases(view)
    title = t("Requests cancelled on purpose", "主动取消的请求")
    if not phases:
        return Section(title)
    unstated = sum(phase.closed - phase.stated for phase in phases)
    blocks: list[Block] = []
    if unstated:
        text = t(
            f"{integer(unstated)} cancelled requests state no cost: they may be charged in full, "
            "in part or not at all, and no sum of costs includes them. Budgets count them at their "
            "worst case; `weighbridge reconcile` compares them with a bill.",
            f"{integer(unstated)} 个主动取消的请求未给出费用：可能全额、部分或完全不计费，"
            "任何费用合计均不含它们。预算按最坏情况计入；账单可用 "
            "`weighbridge reconcile` 核对。",
        )
        blocks.append(Remark("note", text))
    results = table(
        t,
        phases,
        [
            PHASE.of(lambda phase: phase.phase),
            Name("When", "取消时机").of(lambda phase: phase.when),
            Name("Drawn", "抽中").of(lambda phase: phase.drawn, integer),
            Name("Cancelled", "已取消").of(lambda phase: phase.closed, integer),
            Name("Answered before", "此前已应答").of(lambda phase: phase.answered, integer),
            Name("Held, median", "连接保持（中位数）").of(lambda phase: phase.held_s, seconds),
            Name("Chunks, median", "chunk（中位数）").of(lambda phase: phase.chunks, _number),
            Name("Characters, median", "字符（中位数）").of(lambda phase: phase.chars, _number),
            Name("Cost stated", "给出费用").of(lambda phase: phase.stated, integer),
            money(Name("Stated in all", "给出合计"), lambda phase: phase.cost),
        ],
        how=t(
            "Which requests are cancelled is drawn from the seed, before any answer: all other "
            "requests are a fair sample, and rates and times are taken from them alone. Held: from "
            "the send until we closed the connection.",
            "哪些请求取消由种子事先抽定，与应答无关：其余请求是无偏样本，成功率与时间只取自它们。"
            "连接保持：从发送到我方关闭连接。",
        ),
    )
    return Section(title, [*blocks, results])


def _number(value: float | None) -> str:
    return ABSENT if value is None else f"{value:g}"
