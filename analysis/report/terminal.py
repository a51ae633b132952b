"""The numbers of a run as a compact table for a terminal, in the language of its view."""

import unicodedata
from collections.abc import Sequence

from analysis.numbers.phase_numbers import Numbers
from analysis.page.words import ABSENT, integer, milliseconds, percent, rate, seconds, tally
from analysis.report.sections import stated_times
from analysis.report.verdicts import verdicts
from analysis.report.view import View
from recording.untrusted_text import printable

_SIGNS = {"good": ("ok  ", "正常"), "note": ("note", "说明"), "bad": ("BAD ", "异常")}


def text(view: View, groups: Sequence[tuple[str | None, Numbers]], by: str) -> str:
    """The run's name, its verdicts, and one line per group; `by` names the column of the groups."""
    run, t = view.run, view.t
    simulated = t(" (SIMULATED)", "（SIMULATED 模拟运行）") if run.simulated else ""
    head = [t("run ", "运行 ") + printable(run.run_id) + simulated]
    remarks = [f"{t(*_SIGNS[v.level])} {printable(v.text)}" for v in verdicts(view)]
    remarks += [f"     {printable(line)}" for line in stated_times.lines(view)]
    first = by.split("_")[0]
    headers = [t(first, _GROUPS.get(first, first)), *(t(*header) for header in HEADERS)]
    lines = [tuple(headers), *(_line(view, *group) for group in groups)]
    return "\n".join([*head, *remarks, "", *_aligned(lines)])


def of_phases(view: View) -> str:
    """`text` of the run by phase."""
    return text(view, [(phase.phase, phase) for phase in view.phases], "phase")


_GROUPS = {"phase": "阶段", "model": "模型"}
HEADERS: tuple[tuple[str, str], ...] = (
    ("planned", "计划"), ("ok", "成功"), ("rate", "成功率"), ("outcomes", "结果"), ("RPM", "RPM"),
    ("TPM", "TPM"), ("p50", "p50"), ("p95", "p95"), ("p99", "p99"), ("no answer", "无应答"),
    ("lag p99", "滞后 p99"), ("cost", "费用"),
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
    """The lines as text: the first column is flush left, the others flush right."""
    lines = [tuple(map(printable, line)) for line in lines]
    widths = [max(map(_wide, column)) for column in zip(*lines, strict=True)]
    return ["  ".join(_padded(line, widths)).rstrip() for line in lines]


def _padded(line: tuple[str, ...], widths: list[int]) -> list[str]:
    blanks = [" " * (width - _wide(cell)) for cell, width in zip(line, widths, strict=True)]
    first, *rest = zip(line, blanks, strict=True)
    return ["".join(first), *(blank + cell for cell, blank in rest)]


def _wide(text: str) -> int:
    """A text's width in terminal columns: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)
