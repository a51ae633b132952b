"""Long windows in buckets of time: how numbers developed, what drifted, and where it changed."""

from analysis.numbers import buckets
from analysis.numbers.buckets import Bucket, ChangePoint, Drift
from analysis.numbers.phase_numbers import PhaseNumbers
from analysis.page.blocks import Block, Remark, Section, Table
from analysis.page.chart import Chart, Series
from analysis.page.columns import Name, table
from analysis.page.vocabulary import (
    API_COST,
    INTERVAL,
    INTO_PHASE_S,
    LATENCY_P50,
    LATENCY_P95,
    LATENCY_S,
    METRIC,
    NONE,
    PLANNED,
    RPM,
    SUCCESS,
    SUCCESS_RATE,
    TPM,
    TTFT_P50,
    Cost,
    Ranked,
)
from analysis.page.words import rate
from analysis.report.view import View

PLACE = 80  # in the report


def section(view: View) -> Section:
    """For each window of three minutes or more: remarks, charts and tables."""
    t = view.t
    blocks: list[Block] = []
    for phase in view.phases:
        window_s = buckets.length_s(view.run, phase)
        if window_s is None or window_s < buckets.LONG_S:
            continue
        measured = buckets.of_phase(view.run, phase.phase, window_s)
        drifts, changes = buckets.judge(measured)
        sizes = buckets.visibles(measured)
        blocks += _remarks(view, phase.phase, drifts, changes, sizes)
        blocks += _charts(view, phase.phase, measured, changes)
        blocks.append(_table(view, phase, measured, changes))
        if drifts:
            blocks.append(_drifts(view, drifts))
    return Section(t("Long windows by time", "长窗口分时结果"), blocks)


TELLING = 1.0
"""A number is not judged if not even a doubling (a change of 100 %) would have been detected."""


def _remarks(
    view: View,
    name: str,
    drifts: list[Drift],
    changes: list[ChangePoint],
    sizes: dict[str, float | None],
) -> list[Remark]:
    t = view.t
    visible = t.join(
        f"{_name(view, number)} {t(*NONE) if size is None else f'{size * 100:.0f}%'}"
        for number, size in sizes.items()
    )
    power = t(f"smallest detectable change: {visible}", f"可察觉的最小变化：{visible}")
    remarks = []
    for drift in drifts:
        if drift.shown:
            size = _figure(drift.number, drift.change)
            middle = _figure(drift.number, drift.median, signed=False)
            text = t(
                f"{name}: {_name(view, drift.number)} drifted by {size} over the window (95% "
                f"interval {_interval(drift)}), around a median of {middle}.",
                f"{name}：{_name(view, drift.number)}在窗口内漂移 {size}"
                f"（95% 区间 {_interval(drift)}），中位数 {middle}。",
            )
            remarks.append(Remark("note", text))
    for change in changes:
        before, after = (_figure(change.number, v, False) for v in (change.before, change.after))
        text = t(
            f"{name}: {_name(view, change.number)} changed {change.at_s:g} s into the phase, from "
            f"{before} to {after} (medians of the buckets).",
            f"{name}：{_name(view, change.number)}在阶段内 {change.at_s:g} 秒处发生变化，"
            f"由 {before} 变为 {after}（各段时间桶的中位数）。",
        )
        remarks.append(Remark("note", text))
    if drifts and not remarks:
        blind = [number for number, size in sizes.items() if size is None or size > TELLING]
        if blind:
            names = t.join(_name(view, number) for number in blind)
            text = t(
                f"{name}: nothing can be said about {names}: even a doubling might have been "
                f"missed; the rest shows no drift and no change point ({power}).",
                f"{name}：{names} 无法判断，即使翻倍也可能察觉不到；"
                f"其余未见漂移或变点（{power}）。",
            )
            remarks.append(Remark("note", text))
        else:
            text = t(
                f"{name}: no drift and no change point shown ({power}).",
                f"{name}：未见漂移，也未见变点（{power}）。",
            )
            remarks.append(Remark("good", text))
    elif not drifts:
        text = t(
            f"{name}: too few full buckets (at least {buckets.LEAST} are needed) to detect a "
            "drift or a change.",
            f"{name}：完整时间桶不足 {buckets.LEAST} 个，无法判断漂移或变点。",
        )
        remarks.append(Remark("note", text))
    return remarks


def _table(
    view: View, phase: PhaseNumbers, measured: list[Bucket], changes: list[ChangePoint]
) -> Table:
    t = view.t
    marks: dict[float, list[str]] = {}
    for change in changes:
        marks.setdefault(change.at_s, []).append(_name(view, change.number))
    width = measured[0].end_s - measured[0].start_s
    return table(
        t,
        measured,
        [
            Name("From, s", "起（秒）").of(lambda bucket: f"{bucket.start_s:g}"),
            PLANNED.of(lambda bucket: bucket.planned),
            SUCCESS.of(lambda bucket: bucket.ok),
            SUCCESS_RATE.of(lambda bucket: bucket.success_rate),
            LATENCY_P50.of(lambda bucket: Ranked(bucket.p50_s, 50, bucket.ok)),
            LATENCY_P95.of(lambda bucket: Ranked(bucket.p95_s, 95, bucket.ok)),
            TTFT_P50.of(lambda bucket: Ranked(bucket.ttft_p50_s, 50)),
            RPM.of(lambda bucket: bucket.rpm, rate),
            TPM.of(lambda bucket: bucket.tpm, rate),
            API_COST.of(lambda bucket: Cost(bucket.cost, bucket.cost_unknown)),
            Name("Marks", "标记").of(
                lambda bucket: _marks(view, bucket, marks.get(bucket.start_s, []))
            ),
        ],
        title=phase.phase,
        how=t(
            f"Buckets of {width:g} s. A request belongs to the bucket in which it was due (in a "
            "closed loop: sent); RPM and TPM count the successes completed in the bucket. "
            "Percentiles are nearest ranks over a bucket's successes.",
            f"每桶 {width:g} 秒。请求按计划时刻（闭环按发送时刻）归入时间桶；"
            "RPM 与 TPM 按桶内完成的成功请求计算。百分位为桶内成功请求的最近秩百分位。",
        ),
    )


def _marks(view: View, bucket: Bucket, changed: list[str]) -> str:
    t = view.t
    marks = [t("warm-up", "预热")] if bucket.warmup else []
    marks += [t(f"change: {name}", f"变点：{name}") for name in changed]
    return t.join(marks)


def _drifts(view: View, drifts: list[Drift]) -> Table:
    t = view.t
    return table(
        t,
        drifts,
        [
            METRIC.of(lambda drift: _name(view, drift.number)),
            Name("Median of the buckets", "时间桶中位数").of(
                lambda drift: _figure(drift.number, drift.median, False)
            ),
            Name("Change over the window", "窗口内变化").of(
                lambda drift: _figure(drift.number, drift.change)
            ),
            INTERVAL.of(_interval),
            Name("p", "p 值").of(lambda drift: f"{drift.p:.4f}"),
            Name("Drift", "漂移").of(
                lambda drift: t("shown", "显著") if drift.shown else t("not shown", "未见")
            ),
        ],
        how=t(
            "Full buckets after the warm-up. Drift: Theil-Sen slope with Sen's interval and the "
            "Mann-Kendall test; change points: Pettitt's rank test, repeated on each part. Both "
            "allow for correlated neighbouring buckets, and are reported only at p ≤ 0.002.",
            "仅用预热后的完整时间桶。漂移：Theil-Sen 斜率、Sen 区间与 Mann-Kendall 检验；"
            "变点：Pettitt 秩检验并逐段重复。两者均校正相邻时间桶的相关性，仅在 p ≤ 0.002 时报告。",
        ),
    )


def _charts(
    view: View, name: str, measured: list[Bucket], changes: list[ChangePoint]
) -> list[Chart]:
    """Latency by bucket with its change points, and rate by bucket, if there are two points."""
    t = view.t

    def series(label: str, number: str, colour: int) -> Series:
        known = [(b.start_s, value) for b in measured if (value := getattr(b, number)) is not None]
        return Series(label, known, "marked", colour)

    lines = [
        series("P50", "p50_s", 0),
        series("P95", "p95_s", 1),
        series("TTFT P50", "ttft_p50_s", 2),
    ]
    tops = [y for line in lines for _, y in line.points]
    cuts = sorted(
        {change.at_s for change in changes if change.number in ("p50_s", "p95_s", "ttft_p50_s")}
    )
    lines += [
        Series(t("change", "变点") if i == 0 else "", [(x, 0.0), (x, max(tops))], "line", 7, True)
        for i, x in enumerate(cuts)
    ]
    from_s = t(*INTO_PHASE_S)
    charts = [
        Chart(
            t(f"Latency by time: {name}", f"延迟随时间变化（分时）：{name}"),
            from_s,
            t(*LATENCY_S),
            [line for line in lines if line.points],
        ),
        Chart(
            t(f"Rate by time: {name}", f"速率随时间变化（分时）：{name}"),
            from_s,
            t("successes per minute", "每分钟成功请求"),
            [series("RPM", "rpm", 0)],
        ),
    ]
    return [chart for chart in charts if sum(len(line.points) for line in chart.series) > 1]


def _name(view: View, number: str) -> str:
    t = view.t
    names = {
        "p50_s": t(*LATENCY_P50.name),
        "p95_s": t(*LATENCY_P95.name),
        "ttft_p50_s": t(*TTFT_P50.name),
        "success_rate": t("success rate", "成功率"),
        "rpm": t(*RPM),
        "tpm": t(*TPM),
    }
    return names[number]


def _figure(number: str, value: float, signed: bool = True) -> str:
    sign = "+" if signed and value > 0 else ""
    if number == "success_rate":
        return f"{sign}{value * 100:.2f}%" if not signed else f"{sign}{value * 100:.2f} pp"
    if number in ("rpm", "tpm"):
        return f"{sign}{value:,.1f}"
    return f"{sign}{value:.3f}s"


def _interval(drift: Drift) -> str:
    return f"{_figure(drift.number, drift.low)} … {_figure(drift.number, drift.high)}"
