"""The charts of a report. Long series are thinned, but keep their extremes."""

from collections.abc import Callable
from math import ceil
from typing import TYPE_CHECKING, Any

from analysis.numbers.phase_numbers import PhaseNumbers
from analysis.page.chart import Chart, Points, Series
from analysis.page.vocabulary import (
    AT_ONCE,
    INTO_PHASE_S,
    LATENCY_P95_S,
    LATENCY_S,
    SENT_S,
    SUCCESS_PERCENT,
    SUCCESSES,
)
from analysis.reading.subset import Chosen
from analysis.report.view import View

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Number = Callable[[PhaseNumbers], float | None]
"""Selects the number of a phase that is drawn."""
POINTS = 1_200
"""The most points of a series, however many rows there are: the page stays small."""
CHARTS = 12
"""The most phases with a chart of their own; the tables contain all."""
_LINES = 8
_BARS = 60


def thin(x: "Floats", y: "Floats", limit: int = POINTS) -> Points:
    """At most `limit` points, sorted by x: each stretch of x keeps its lowest and highest y.

    `x` and `y` have equal length and no NaN.
    """
    import numpy as np

    order = np.argsort(x, kind="stable")
    x, y = x[order], y[order]
    if len(x) > limit:
        edges = np.linspace(0, len(x), limit // 2 + 1).astype(int)
        extremes = set()
        for low, high in zip(edges[:-1], edges[1:], strict=True):
            extremes |= {low + int(np.argmin(y[low:high])), low + int(np.argmax(y[low:high]))}
        chosen = sorted(extremes)
        x, y = x[chosen], y[chosen]
    return [(round(float(a), 4), round(float(b), 6)) for a, b in zip(x, y, strict=True)]


def ladder(view: View, steps: list[PhaseNumbers]) -> list[Chart]:
    """P95 and success rate by concurrency, one line per model."""
    t = view.t
    lines: dict[str, list[PhaseNumbers]] = {}
    for step in steps:
        lines.setdefault(step.model_and_route, []).append(step)
    if all(len(line) < 2 for line in lines.values()):
        return []
    charted_lines = list(lines.items())[:_LINES]
    targets = tuple(sorted({float(step.target) for step in steps if step.target}))
    concurrency = t(*AT_ONCE)

    def series(number: Number, scale: float) -> list[Series]:
        return [
            Series(model, _points(line, number, scale), "marked", place)
            for place, (model, line) in enumerate(charted_lines)
        ]

    return [
        Chart(
            t("P95 latency by concurrency", "P95 延迟随并发变化"),
            concurrency,
            t(*LATENCY_P95_S),
            series(lambda step: step.latency.p95_s, 1),
            log_x=True,
            x_ticks=targets,
        ),
        Chart(
            t("Success rate by concurrency", "成功率随并发变化"),
            concurrency,
            t(*SUCCESS_PERCENT),
            series(lambda step: step.success_rate, 100),
            log_x=True,
            x_ticks=targets,
            y_top=100.0,
        ),
    ]


def _points(line: list[PhaseNumbers], number: Number, scale: float) -> Points:
    known = [(step.target, number(step)) for step in line]
    return sorted((float(x), y * scale) for x, y in known if x and y is not None)


def windows(view: View, phases: list[PhaseNumbers]) -> list[Chart]:
    """For each window: latency over time, then offered against achieved rate; then the ECDF."""
    charts = []
    for phase in phases[:CHARTS]:
        charts += [chart for chart in (_latency(view, phase), _rates(view, phase)) if chart]
    modes = dict.fromkeys(phase.mode for phase in phases)
    for mode in modes:
        charts += distribution(view, mode.upper(), [p for p in phases if p.mode == mode])
    return charts


def _latency(view: View, phase: PhaseNumbers) -> Chart | None:
    t = view.t
    rows = view.requests(phase, "sent_offset_s", "elapsed_sec", "success")
    timed = Chosen.of(rows, rows["sent_offset_s"].notna() & rows["elapsed_sec"].notna())
    if not len(timed):
        return None
    good, bad = timed.where(rows["success"]), timed.where(~rows["success"])
    series = [
        Series(t(*SUCCESSES), _cloud(good), "dots", 0),
        Series(t("failure", "失败"), _cloud(bad), "crosses", 1),
    ]
    return Chart(
        t(f"Latency over time: {phase.phase}", f"延迟随时间变化：{phase.phase}"),
        t(*SENT_S),
        t(*LATENCY_S),
        [line for line in series if line.points],
    )


def _cloud(rows: Chosen) -> Points:
    return thin(_floats(rows["sent_offset_s"]), _floats(rows["elapsed_sec"]))


def _rates(view: View, phase: PhaseNumbers) -> Chart | None:
    """Offered and achieved requests per minute, in bars of at least a second.

    A bar is wide enough to expect four requests, but at most a sixth of the window.
    """
    import numpy as np

    t = view.t
    rows = view.requests(phase, "scheduled_offset_s", "done_offset_s", "success")
    due = _floats(rows["scheduled_offset_s"].dropna())
    done = _floats(Chosen.of(rows, rows["success"])["done_offset_s"].dropna())
    if not phase.duration_s or not len(due) or not len(done):
        return None
    window_s = phase.duration_s
    enough_s = min(4 * window_s / phase.planned, window_s / 6)
    width_s = float(max(1, ceil(window_s / _BARS), ceil(enough_s)))
    edges = np.arange(0.0, max(float(done.max()), window_s) + width_s, width_s)
    series = []
    for colour, (label, times) in enumerate(
        [(t("offered", "计划"), due), (t("achieved", "完成"), done)]
    ):
        counts, _ = np.histogram(times, edges)
        heights = [float(count) / width_s * 60 for count in counts]
        points = [(float(x), y) for x, y in zip(edges, [*heights, heights[-1]], strict=True)]
        series.append(Series(label, _stairs(points), "steps", 1 - colour, dashed=colour == 0))
    return Chart(
        t(f"Offered and achieved: {phase.phase}", f"计划与完成速率：{phase.phase}"),
        t(*INTO_PHASE_S),
        t(f"requests/min, by {width_s:g} s", f"每分钟请求（每 {width_s:g} 秒）"),
        series,
    )


def _stairs(points: Points) -> Points:
    """Points for a series of `steps`, placed so that each height begins at its own x."""
    moved = [points[0]]
    for (_, before), (x, height) in zip(points, points[1:], strict=False):
        moved += [(x, before), (x, height)]
    return moved


def distribution(view: View, name: str, phases: list[PhaseNumbers]) -> list[Chart]:
    """The empirical distribution of latencies (ECDF), one line per phase, eight lines per chart."""
    t = view.t
    lines = []
    for phase in phases:
        rows = view.requests(phase, "elapsed_sec", "success")
        values = _floats(Chosen.of(rows, rows["success"])["elapsed_sec"].dropna())
        if len(values) > 1:
            lines.append((phase.phase, _ecdf(values)))
    return [
        Chart(
            t(f"Latency distribution (ECDF): {name}", f"延迟分布（ECDF）：{name}"),
            t(*LATENCY_S),
            t("successes within it, %", "不超过该延迟的成功请求（%）"),
            [Series(n, p, "steps", i) for i, (n, p) in enumerate(lines[start : start + _LINES])],
            y_top=100.0,
        )
        for start in range(0, min(len(lines), _LINES * 3), _LINES)
    ]


def _ecdf(values: "Floats") -> Points:
    import numpy as np

    ordered = np.sort(values)
    count = len(ordered)
    places = np.unique(np.linspace(0, count - 1, min(count, 400)).astype(int))
    points = [(float(ordered[i]), (int(i) + 1) / count * 100) for i in places]
    return [(points[0][0], 0.0), *points]


def cost(view: View) -> list[Chart]:
    """Cumulative cost over time, the phases laid end to end."""
    import numpy as np

    t = view.t
    begin_s, spent = 0.0, 0.0
    models: dict[str, int] = {}
    series: list[Series] = []
    for phase in view.phases:
        rows = view.requests(phase, "api_cost", "done_offset_s")
        rows = rows[rows["api_cost"].notna() & rows["done_offset_s"].notna()]
        if not rows.empty:
            rows = rows.sort_values("done_offset_s", kind="stable")
            times = np.concatenate([[0.0], _floats(rows["done_offset_s"])]) + begin_s
            total = np.concatenate([[0.0], np.cumsum(_floats(rows["api_cost"]))]) + spent
            spent = float(total[-1])
            model = phase.model_requested
            fresh = model not in models
            colour = models.setdefault(model, len(models))
            series.append(Series(model if fresh else "", thin(times, total, 200), "steps", colour))
        begin_s += phase.wall_s or 0.0
    if sum(len(line.points) for line in series) < 4:
        return []
    unit = view.run.currency or t("the gateway's unit", "网关货币单位")
    return [
        Chart(
            t("Cumulative cost", "累计费用"),
            t("s under load, phases end to end", "压测时间（秒，各阶段首尾相接）"),
            t(f"cost, {unit}", f"费用（{unit}）"),
            series,
        )
    ]


def _floats(values: Any) -> "Floats":
    floats: Floats = values.to_numpy(dtype="float64")
    return floats
