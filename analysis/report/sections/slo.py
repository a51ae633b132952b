"""Service level objectives: goodput and attainment in every table, and each objective judged."""

from typing import Any

from analysis.numbers.phase_numbers import PhaseNumbers
from analysis.page.blocks import Block, Remark, Section, Table
from analysis.page.columns import Name, table
from analysis.page.vocabulary import (
    ATTAINMENT,
    FOUND,
    GOODPUT,
    MET,
    PHASE,
    PLANNED,
    SUCCESS,
    VERDICT,
    PhaseColumn,
)
from analysis.page.words import ABSENT, integer
from analysis.report.check import Check
from analysis.report.condition_checks import judge_objectives
from analysis.report.view import View
from rules.slo import TIMES, Objectives, Slo

PLACE = 30  # in the report
_NAMES = {"ttft": "TTFT", "e2e": "E2E", "tpot": "TPOT"}


def goodput(view: View) -> list[PhaseColumn[Any]]:
    """The columns for goodput and attainment, in a run with objectives."""
    return [] if view.slo is None else [GOODPUT, ATTAINMENT]


def section(view: View) -> Section:
    """What a good request is, phase by phase; then every objective and its verdict."""
    t, slo = view.t, view.slo
    title = t("Service level objectives", "服务等级目标（SLO）")
    if slo is None:
        return Section(title)
    blocks: list[Block] = []
    if slo.blind:
        text = t(
            "This SLO limits only times: refused requests are in no percentile, so a gateway that "
            "refuses most requests can meet it. Add success_rate or attainment.",
            "该 SLO 只约束时间，未约束请求占比：被拒绝的请求不计入任何百分位，"
            "大量拒绝请求的网关也可能达标。请加上 success_rate 或 attainment。",
        )
        blocks.append(Remark("note", text))
    phases = [
        phase
        for phase in view.phases
        if phase.mode != "capacity" and slo.of(phase.mode, phase.model_requested)
    ]
    if phases:
        blocks.append(_goodput(view, slo, phases))
    if checks := judge_objectives(view, slo):
        blocks.append(_statements(view, checks))
    return Section(title, blocks)


def _goodput(view: View, slo: Slo, phases: list[PhaseNumbers]) -> Table:
    t = view.t
    return table(
        t,
        phases,
        [
            PHASE,
            Name("A good request", "合格请求").of(
                lambda phase: _limits(view, slo.of(phase.mode, phase.model_requested))
            ),
            PLANNED,
            SUCCESS,
            Name("Good", "合格").of(lambda phase: phase.good, integer),
            *goodput(view),
        ],
        title=t("Goodput", "有效吞吐"),
        how=t(
            "A good request succeeded within every limit; limits on TTFT and TPOT apply only to "
            "streams, and an unknown time is not good enough. If slo.toml gives only percentiles "
            "of a time, the limit is that of the highest percentile. Goodput = good / wall "
            "clock; attainment = good / planned, failed and dropped requests included.",
            "合格请求 = 成功且满足每一项时限；TTFT 与 TPOT 只约束流式请求，未知的时间视为不合格。"
            "若 slo.toml 只给出某项时间的百分位，则以其最高百分位的值为单次请求时限。"
            "有效吞吐 = 合格请求 / 墙钟耗时；达标率 = 合格请求 / 计划请求（含失败与未发出）。",
        ),
    )


def _limits(view: View, objectives: Objectives) -> str:
    limits = objectives.limits
    texts = [
        f"{_NAMES[time]} ≤ {limits[time].seconds:g} s ({limits[time].key})"
        for time in TIMES
        if time in limits
    ]
    return view.t.join([view.t("ok", "成功"), *texts])


def _statements(view: View, checks: list[Check]) -> Table:
    t = view.t
    verdicts = {
        "passed": t(*MET),
        "failed": t("MISSED", "未达到"),
        "unknown": t("not known", "未知"),
    }
    return table(
        t,
        checks,
        [
            PHASE.of(lambda check: check.subject),
            Name("Objective", "目标").of(_objective),
            FOUND.of(_value_cell),
            VERDICT.of(lambda check: verdicts[check.verdict]),
        ],
        title=t("Objectives", "目标"),
        how=t(
            "Each objective on each phase to which it applies. An unknown value, for example of a "
            "phase that was not run, counts as not met. Percentiles include unanswered requests: "
            "each took longer than it was waited for. n: too few for that percentile, so the "
            "slowest is judged.",
            "逐阶段判定每项目标。未知（例如阶段未运行）视为未达到。百分位计入等待后仍无应答的请求："
            "其耗时必长于已等待时间。n 表示请求数不足以得出该百分位，改按最慢的请求判定。",
        ),
    )


def _value_cell(check: Check) -> str:
    return check.cell or (ABSENT if check.value is None else f"{check.value:.6g}")


def _objective(check: Check) -> str:
    assert check.condition is not None
    sign = "≤" if check.condition.sign == ">" else "≥"
    return f"{check.condition.metric} {sign} {check.condition.limit:g}"
