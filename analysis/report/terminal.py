"""The numbers of a run as a compact table for a terminal."""

from collections.abc import Sequence

from analysis.numbers.phase_numbers import Numbers
from analysis.page.words import ABSENT, integer, milliseconds, percent, rate, seconds, tally
from analysis.report.sections import stated_times
from analysis.report.verdicts import verdicts
from analysis.report.view import View
from recording.untrusted_text import shown

_SIGNS = {"good": "ok  ", "note": "note", "bad": "BAD "}


def text(view: View, groups: Sequence[tuple[str | None, Numbers]], by: str) -> str:
    """The run's name, its verdicts, and one line for each group, named by its `by`."""
    run = view.run
    head = [f"run {shown(run.run_id)}" + (" (SIMULATED)" if run.simulated else "")]
    judged = [f"{_SIGNS[v.level]} {shown(v.text)}" for v in verdicts(view)]
    judged += [f"     {shown(line)}" for line in stated_times.lines(view)]
    lines = [(by.split("_")[0], *_HEADERS), *(_line(view, *group) for group in groups)]
    return "\n".join([*head, *judged, "", *_aligned(lines)])


def of_phases(view: View) -> str:
    """`text` of the run by phase."""
    return text(view, [(phase.phase, phase) for phase in view.phases], "phase")


_HEADERS: tuple[str, ...] = (
    "planned", "ok", "rate", "outcomes", "RPM", "TPM", "p50", "p95", "p99",
    "no answer", "lag p99", "cost",
)  # fmt: skip


def _line(view: View, name: str | None, group: Numbers) -> tuple[str, ...]:
    return (
        name or ABSENT,
        integer(group.planned),
        integer(group.success),
        percent(group.success_rate),
        tally(group.outcomes),
        rate(group.observed_rpm),
        rate(group.observed_tpm),
        *(seconds(group.latency.at(percent)) for percent in (50, 95, 99)),
        integer(group.unanswered),
        milliseconds(group.send_lag.p99_s),
        view.t.money(group.cost_sum, group.cost_unknown_success_count),
    )


def _aligned(lines: list[tuple[str, ...]]) -> list[str]:
    """Columns set flush right, the first one flush left; each cell on its line."""
    lines = [tuple(map(shown, line)) for line in lines]
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]
