"""A comparison as a page, and as a dictionary."""

from dataclasses import asdict
from itertools import groupby
from typing import Any

from analysis.compare.comparison import HANG_TOGETHER, MEMORY_NEEDS, Comparison, Finding
from analysis.compare.resample import LEVEL
from analysis.page.blocks import Block, Listing, Page, Remark, Section, Table, Text
from analysis.page.columns import Column, Name, field, table
from analysis.page.vocabulary import (
    COST_PER_SUCCESS,
    GATEWAY,
    INTERVAL,
    LATENCY_P50,
    LATENCY_P95,
    LATENCY_P99,
    METRIC,
    MODE,
    NOT_SHOWN,
    RESULT,
    RUN,
    SIMULATED_RUNS,
    STARTED,
    SUCCESS_RATE,
    TPM,
    VERDICT,
    Cost,
    Ranked,
)
from analysis.page.words import ABSENT, Words, rate, spaced
from recording.chinese import in_language


def compose(comparison: Comparison, t: Words) -> Page:
    """The page: the differences shown, then how alike the runs are, then every number."""
    base, *others = comparison.runs
    simulated = any(run.simulated for run in comparison.runs)
    return Page(
        lang="zh-CN" if t.lang == "zh" else "en",
        title=t("Comparison of runs", "运行对比"),
        subtitle=t(
            f"{', '.join(run.run_id for run in others)} against {base.run_id} (the baseline)",
            f"{'、'.join(run.run_id for run in others)} 对比基准 {base.run_id}",
        ),
        banner=t(*SIMULATED_RUNS) if simulated else None,
        tiles=[],
        sections=[
            Section(t(*RESULT), _result(comparison, t)),
            Section(t("The runs", "所比较的运行"), _runs(comparison, t)),
            *_tables(comparison, t),
        ],
        footer=_how(t),
    )


def as_dict(comparison: Comparison) -> dict[str, Any]:
    """Every finding with its numbers, for a program."""
    return {
        "schema_version": 1,
        "baseline": comparison.runs[0].run_id,
        "runs": [run.run_id for run in comparison.runs],
        "level": LEVEL,
        "tested": comparison.tested,
        "unlike": list(comparison.unlike),
        "alone": list(comparison.alone),
        "findings": [asdict(finding) for finding in comparison.findings],
    }


def sentence(finding: Finding, t: Words) -> str:
    """A difference in words: `rpm/m/600: P95 latency of B is 12.1% higher, worse: ...`."""
    of = finding.difference
    change = of.change or 0.0
    size = _change(finding.number, abs(change), t).removeprefix("+")
    interval = f"{_change(finding.number, of.low, t)} … {_change(finding.number, of.high, t)}"
    name, a, b = _name(finding.number, t), *(_value(finding.number, v, t) for v in (of.a, of.b))
    good = finding.verdict == "better"
    return t(
        f"{finding.phase}: {name} of {finding.run} is {size} {'higher' if change > 0 else 'lower'}"
        f", {'better' if good else 'worse'}: {b} against {a} (95% interval {interval})",
        f"{finding.phase}：{finding.run} 的{spaced(name)}{'高' if change > 0 else '低'} {size}，"
        f"{'更好' if good else '更差'}：{b}，基准 {a}（95% 区间 {interval}）",
    )


def _result(comparison: Comparison, t: Words) -> list[Block]:
    differences = comparison.differences
    blocks: list[Block] = []
    if comparison.unlike:
        blocks.append(
            Remark(
                "bad",
                t(
                    "The runs are not alike: a difference may come from the differences in their "
                    "plans (below).",
                    "各次运行条件不同，不宜直接比较：差异可能来自计划的不同（见下）。",
                ),
            )
        )
    blocks += [
        Remark(
            "bad",
            t(
                f"{phase} of {run.run_id} is generator-limited: do not trust its numbers.",
                f"{run.run_id} 的 {phase} 受压测端限制：其数据不可信。",
            ),
        )
        for run, phase in comparison.limited
    ]
    if not comparison.tested:
        why = t.join(dict.fromkeys(_why(each, t) for each in comparison.findings if each.why))
        reason = why or t("no phase has a counterpart", "没有对应的阶段")
        text = t(f"Nothing could be compared: {reason}.", f"没有可比较的数据：{reason}。")
        return [*blocks, Remark("note", text)]
    if not differences:
        text = t(
            f"No difference shown in {_numbers(comparison.tested)}. That is not the same as no "
            f"difference: {_power(comparison, t)}.",
            f"{comparison.tested} 项数据均未见显著差异。这不等于没有差异：{_power(comparison, t)}。"
            "",
        )
        return [*blocks, Remark("good", text)]
    blocks += [
        Remark("good" if finding.verdict == "better" else "bad", sentence(finding, t) + t.stop)
        for finding in differences
    ]
    text = t(
        f"No difference shown in the other {comparison.tested - len(differences)} of "
        f"{_numbers(comparison.tested)}.",
        f"其余 {comparison.tested - len(differences)} 项（共 {comparison.tested} "
        "项）未见显著差异。",
    )
    return [*blocks, Remark("note", text)] if len(differences) < comparison.tested else blocks


def _numbers(count: int) -> str:
    return f"{count} number{'' if count == 1 else 's'}"


def _power(comparison: Comparison, t: Words) -> str:
    """How large a change of each number would have been seen, at the best of its phases."""
    best: dict[str, Finding] = {}
    for finding in comparison.findings:
        size = finding.difference.visible
        if size is None:
            continue
        other = best.get(finding.number)
        if other is None or size < (other.difference.visible or size):
            best[finding.number] = finding
    if not best:
        return t("no change however large would have been", "任何幅度的变化都无法察觉")
    sizes = t.join(f"{_name(number, t)} {_visible(finding, t)}" for number, finding in best.items())
    return t(
        f"four of five such pairs of runs would have shown a change of {sizes}",
        f"同类对比五次中有四次能发现的变化幅度为：{sizes}",
    )


def _runs(comparison: Comparison, t: Words) -> list[Block]:
    runs = table(
        t,
        comparison.runs,
        [
            RUN.of(lambda run: run.run_id),
            STARTED.of(lambda run: run.started_at or ABSENT),
            GATEWAY.of(lambda run: run.base_url or ABSENT),
            MODE.of(lambda run: run.mode or ABSENT),
            Name("Ended", "是否完成").of(lambda run: t.yes(not run.interrupted)),
        ],
    )
    blocks: list[Block] = [runs]
    for lines, text in [
        (comparison.unlike, t("What differs in the plans:", "计划的不同之处：")),
        (comparison.alone, t("Phases without a counterpart:", "只有一方有的阶段：")),
    ]:
        if lines:
            blocks += [Text(text), Listing(tuple(_in_words(line, t) for line in lines))]
    return blocks


def _tables(comparison: Comparison, t: Words) -> list[Section]:
    """One section per compared run, with one table per phase."""
    sections = []
    for run, of_run in groupby(comparison.findings, key=lambda finding: finding.run):
        blocks: list[Block] = []
        for (phase, other), group in groupby(of_run, key=lambda f: (f.phase, f.other_phase)):
            title = phase if phase == other else f"{phase} / {other}"
            blocks.append(_table(title, list(group), comparison.runs[0].run_id, run, t))
        sections.append(Section(t(f"{run}, phase by phase", f"{run} 逐阶段对比"), blocks))
    return sections


def _table(title: str, findings: list[Finding], base: str, run: str, t: Words) -> Table:
    verdicts = {
        "better": t("better", "更好"),
        "worse": t("WORSE", "更差"),
        "not shown": t(*NOT_SHOWN),
    }
    return table(
        t,
        findings,
        [
            METRIC.of(lambda finding: _name(finding.number, t)),
            field(base).of(lambda finding: _value(finding.number, finding.difference.a, t)),
            field(run).of(lambda finding: _value(finding.number, finding.difference.b, t)),
            Name("Change", "变化").of(
                lambda finding: _change(finding.number, finding.difference.change, t)
            ),
            INTERVAL.of(lambda finding: _interval(finding, t)),
            Name("Would be seen from", "可察觉的最小变化").of(lambda finding: _visible(finding, t)),
            Name("Adjusted p", "校正 p 值").of(
                lambda finding: (
                    ABSENT if finding.adjusted_p is None else f"{finding.adjusted_p:.4f}"
                )
            ),
            VERDICT.of(
                lambda finding: (
                    verdicts.get(finding.verdict)
                    or t("not compared: ", "未比较：") + _why(finding, t)
                )
            ),
        ],
        title=title,
    )


def _why(finding: Finding, t: Words) -> str:
    """Why a number was not compared."""
    reasons = {
        "": "",
        "not known for both": t("not known for both", "有一方未知"),
        "the currencies differ": t("the currencies differ", "货币不同"),
    }
    if finding.why.startswith(HANG_TOGETHER):
        needed, planned = finding.why.removeprefix(HANG_TOGETHER).split(MEMORY_NEEDS)
        return t(
            finding.why,
            f"相邻请求相似：约需 {needed.strip()} 个请求才能判断，现有 {planned.strip()} 个",
        )
    return reasons.get(finding.why, t(finding.why, "请求过少"))


def _how(t: Words) -> str:
    return t(
        "Change = other / baseline - 1; for a share, the difference. Intervals: block bootstrap "
        "with blocks three times as long as the correlation of the requests; with fewer than eight "
        "blocks a number is not compared. Would be seen from: the smallest change that four of "
        "five such pairs of runs would show. P-values: blocks of requests at the same place in "
        "both phases are swapped at random; they are adjusted by Holm's method over all numbers "
        "compared, so that comparable runs are called different in any number at most once in 20 "
        "comparisons. A difference is shown if the adjusted p is at most 0.05 and the interval "
        "does not contain 0. Percentiles are nearest "
        "ranks over the successes; `-` means not known.",
        "变化 = 对比值 / 基准值 − 1；比率类为差值。区间：分块自助法，块长为请求相关长度的三倍；"
        "不足八块则不作判断。可察觉的最小变化：五次同类对比中有四次能发现的变化。"
        "p 值：随机交换双方同位置的请求块；"
        "以 Holm 法对全部比较项校正，因此同类运行被误判为有任何差异的概率不超过二十分之一。"
        "校正 p ≤ 0.05 且区间不含 0 时，才视为差异显著。"
        "百分位为成功请求的最近秩百分位；“-”表示未知。",
    )


_NUMBERS: dict[str, Column[float | None, Any]] = {
    "p50_s": LATENCY_P50.of(lambda value: Ranked(value, 50)),
    "p95_s": LATENCY_P95.of(lambda value: Ranked(value, 95)),
    "p99_s": LATENCY_P99.of(lambda value: Ranked(value, 99)),
    "success_rate": SUCCESS_RATE.of(lambda value: value),
    "tpm": TPM.of(lambda value: value, rate),
    "cost_per_success": COST_PER_SUCCESS.of(Cost),
}
"""What a compared number is called, and how it is written."""


def _name(number: str, t: Words) -> str:
    return t(*_NUMBERS[number].name)


def _value(number: str, value: float | None, t: Words) -> str:
    return _NUMBERS[number].cell(t, value)


def _in_words(line: str, t: Words) -> str:
    """`RUN: clause`, the clause in the language of the page."""
    run, _, clause = line.partition(": ")
    return f"{run}{t.colon}{in_language(clause, t.lang)}"


def _change(number: str, change: float | None, t: Words) -> str:
    if change is None:
        return ABSENT
    digits, unit = (2, t(" pp", " 个百分点")) if number == "success_rate" else (1, "%")
    return f"{round(change * 100, digits) + 0.0:+.{digits}f}{unit}"  # + 0.0: never "-0.0"


def _visible(finding: Finding, t: Words) -> str:
    """The smallest change that four of five such pairs of runs would show."""
    visible = finding.difference.visible
    return (
        ABSENT if visible is None else f"±{_change(finding.number, visible, t).removeprefix('+')}"
    )


def _interval(finding: Finding, t: Words) -> str:
    low, high = finding.difference.low, finding.difference.high
    if low is None or high is None:
        return ABSENT
    return f"{_change(finding.number, low, t)} … {_change(finding.number, high, t)}"
