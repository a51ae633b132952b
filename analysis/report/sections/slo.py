"""Service level objectives: goodput and attainment in every table, and each objective judged."""

from typing import Any

from analysis.numbers.goodput import slo_of
from analysis.page.blocks import Block, Remark, Section, Table
from analysis.page.words import ABSENT, integer, percent, rate
from analysis.report.check import Check, objectives
from analysis.report.view import View
from rules.slo import TIMES, Objectives, Slo

PLACE = 30  # in the report
_NAMES = {"ttft": "TTFT", "e2e": "E2E", "tpot": "TPOT"}


def headers(view: View) -> tuple[str, ...]:
    """The heads of the two columns that a table of phases has in a run with an SLO."""
    if slo_of(view.run) is None:
        return ()
    return (view.t("Goodput /s", "有效吞吐（/秒）"), view.t("Attainment", "达标率"))


def cells(view: View, phase: dict[str, Any]) -> tuple[str, ...]:
    """A phase's two cells under them."""
    if slo_of(view.run) is None:
        return ()
    return (rate(phase["goodput_rps"]), percent(phase["attainment"]))


def section(view: View) -> Section:
    """What a good request is, phase by phase; then every objective and how it came out."""
    t, slo = view.t, slo_of(view.run)
    title = t("Service level objectives", "服务等级目标（SLO）")
    if slo is None:
        return Section(title)
    blocks: list[Block] = []
    if slo.blind:
        text = t(
            "This SLO limits times and no share of requests: a refused request is in no "
            "percentile, so a gateway that refuses most of them can meet it. Add success_rate or "
            "attainment.",
            "该 SLO 只约束时间，未约束请求占比：被拒绝的请求不计入任何百分位，"
            "大量拒绝请求的网关也可能达标。请加上 success_rate 或 attainment。",
        )
        blocks.append(Remark("note", text))
    judged = [
        phase
        for phase in view.phases
        if phase["mode"] != "capacity" and slo.of(phase["mode"], phase["model_requested"])
    ]
    if judged:
        blocks.append(_goodput(view, slo, judged))
    if checks := objectives(view, slo):
        blocks.append(_statements(view, checks))
    return Section(title, blocks)


def _goodput(view: View, slo: Slo, phases: list[dict[str, Any]]) -> Table:
    t = view.t
    return Table(
        title=t("Goodput", "有效吞吐"),
        headers=(
            t("Phase", "阶段"),
            t("A good request", "合格请求"),
            t("Planned", "计划请求"),
            t("Success", "成功"),
            t("Good", "合格"),
            *headers(view),
        ),
        rows=[
            (
                phase["phase"],
                _limits(view, slo.of(phase["mode"], phase["model_requested"])),
                *(integer(phase[name]) for name in ("planned", "success", "good")),
                *cells(view, phase),
            )
            for phase in phases
        ],
        how=t(
            "A good request succeeded within every limit; TTFT and TPOT are limited of streams "
            "alone, and a time that is not known is not good enough. Where slo.toml gives only "
            "percentiles of a time, the limit is its highest percentile's. Goodput = good / wall "
            "clock; attainment = good / planned, failed and dropped requests included.",
            "合格请求 = 成功且满足每一项时限；TTFT 与 TPOT 只约束流式请求，未知的时间视为不合格。"
            "若 slo.toml 只给出某项时间的百分位，则以其最高百分位的值为单请求时限。"
            "有效吞吐 = 合格请求 / 墙钟耗时；达标率 = 合格请求 / 计划请求（含失败与未发出）。",
        ),
    )


def _limits(view: View, objectives: Objectives) -> str:
    limits = objectives.limits
    said = [
        f"{_NAMES[time]} ≤ {limits[time].seconds:g} s ({limits[time].key})"
        for time in TIMES
        if time in limits
    ]
    return view.t.join([view.t("ok", "成功"), *said])


def _statements(view: View, checks: list[Check]) -> Table:
    t = view.t
    verdicts = {
        "passed": t("met", "达到"),
        "failed": t("MISSED", "未达到"),
        "unknown": t("not known", "未知"),
    }
    return Table(
        title=t("Objectives", "目标"),
        headers=(
            t("Phase", "阶段"),
            t("Objective", "目标"),
            t("Found", "实测"),
            t("Verdict", "判定"),
        ),
        rows=[
            (
                check.subject,
                _wish(check),
                _found(check),
                verdicts[check.verdict],
            )
            for check in checks
        ],
        how=t(
            "Each objective on each phase it is made of. What is not known, as of a phase that "
            "was not run, is not met. Percentiles count requests that were waited for in vain: "
            "each took longer than it was waited for. n: too few for that percentile, so the "
            "slowest is judged.",
            "逐阶段判定每项目标。未知（例如阶段未运行）视为未达到。百分位计入等待后仍无应答的请求："
            "其耗时必长于已等待时间。n 表示请求数不足以得出该百分位，改按最慢的请求判定。",
        ),
    )


def _found(check: Check) -> str:
    return check.shown or (ABSENT if check.value is None else f"{check.value:.6g}")


def _wish(check: Check) -> str:
    assert check.condition is not None
    sign = "≤" if check.condition.sign == ">" else "≥"
    return f"{check.condition.metric} {sign} {check.condition.limit:g}"
