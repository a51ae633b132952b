"""Two routes in one run, if there are two: the section of sections/pairs.py, with curves."""

from collections.abc import Callable
from math import isfinite

from analysis.page.blocks import Remark, Section
from analysis.page.chart import Chart, Points, Series
from analysis.page.vocabulary import AT_ONCE, DIFFERENCE_MS, ESTIMATE, INTERVAL
from analysis.page.words import Words, integer, spaced
from analysis.pairs.sentences import name
from analysis.pairs.verdict import Verdict
from analysis.report.sections import pairs
from analysis.report.two_routes import loads
from analysis.report.view import View
from recording.events import PrecisionReached

PLACE = 35  # in the report

Levels = list[tuple[float, Verdict]]
"""The verdicts of a metric, each with its phase's target."""


def section(view: View) -> Section:
    """Everything that was compared; empty in a run of one route."""
    if view.routes is None:
        return Section("")
    at = loads(view.t, view.run.plan)
    precision_ms = view.run.options.get("precision_ms")
    wanted_s = precision_ms / 1000 if isinstance(precision_ms, int | float) else 0.0
    pairs_section = pairs.section(view.t, view.routes.rows, view.routes.comparison, at, wanted_s)
    ended = [_ended(view.t, event) for event in view.run.events_of(PrecisionReached)]
    curves = _curves(view, view.routes.comparison.verdicts)
    return Section(pairs_section.title, [*ended, *curves, *pairs_section.blocks])


def _ended(t: Words, event: PrecisionReached) -> Remark:
    """That a phase ended when it had reached its precision."""
    count, half = integer(event.pairs), f"±{(event.half_s or 0) * 1000:,.1f} ms"
    return Remark(
        "note",
        t(
            f"{event.phase} ended after {count} pairs: its difference was then known to {half}, as "
            "--precision-ms asked.",
            f"{event.phase} 在 {count} 对后结束：差值精度已达 {half}，满足 --precision-ms。",
        ),
    )


def _curves(view: View, verdicts: list[Verdict]) -> list[Chart]:
    """What the gateway adds by rate or concurrency, for each mode and model with several levels.

    The estimates of TTFT (of the total time without streams), and the ends of their intervals.
    """
    phases = {phase.phase: phase for phase in view.phases}
    curves: dict[tuple[str, str], dict[str, Levels]] = {}
    for verdict in verdicts:
        phase = phases.get(verdict.phase)
        known = phase is not None and phase.target and verdict.least is not None
        if known and phase is not None and verdict.metric in ("ttft", "total"):
            metrics = curves.setdefault((phase.mode, verdict.model), {})
            metrics.setdefault(verdict.metric, []).append((float(phase.target or 0), verdict))
    return [
        _curve(view.t, mode, model, metric, levels)
        for (mode, model), metrics in curves.items()
        for metric, levels in list(metrics.items())[:1]
        if len({target for target, _ in levels}) > 1
    ]


def _curve(t: Words, mode: str, model: str, metric: str, levels: Levels) -> Chart:
    what = name(t, metric)
    lines = [
        Series(t(*ESTIMATE), _points(levels, lambda v: v.least), "marked", 0),
        Series(t(*INTERVAL), _points(levels, lambda v: v.low), "line", 1, dashed=True),
        Series("", _points(levels, lambda v: v.high), "line", 1, dashed=True),
    ]
    return Chart(
        t(
            f"What the gateway adds to {what}: {mode}, {model}",
            f"网关使{spaced(what)}增加：{mode}，{model}",
        ),
        t(*AT_ONCE) if mode == "ladder" else t("target", "目标"),
        t(*DIFFERENCE_MS),
        lines,
        log_x=True,
        x_ticks=tuple(sorted({target for target, _ in levels})),
    )


def _points(levels: Levels, number: Callable[[Verdict], float | None]) -> Points:
    known = [(target, number(verdict)) for target, verdict in levels]
    return sorted((x, y * 1000) for x, y in known if y is not None and isfinite(y))
