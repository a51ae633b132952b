"""Runs made at different hours, joined into one table and plot if they are comparable.

Runs belong together if they are of one gateway and `compare` would not refuse them. Others form
further groups, each with its own tables, and the page says how each differs from the first.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf
from pathlib import Path
from typing import Any

from analysis.compare import identity_by_clock
from analysis.compare.comparison import unlike
from analysis.numbers.phase_numbers import PhaseNumbers
from analysis.numbers.summarize import of_phases
from analysis.page import html, markdown
from analysis.page.blocks import Block, Listing, Page, Section, Table, Text
from analysis.page.chart import Chart, Series
from analysis.page.columns import table
from analysis.page.vocabulary import (
    COST_PER_SUCCESS,
    GENERATOR_LIMITED,
    LATENCY_P50,
    LATENCY_P95,
    LATENCY_P99,
    LATENCY_S,
    NOTE,
    OBSERVED_RPM,
    OBSERVED_TPM,
    OUTCOMES,
    PLANNED,
    RUN,
    SIMULATED_RUNS,
    STARTED,
    SUCCESS_PERCENT,
    SUCCESS_RATE,
    UNANSWERED,
    PhaseColumn,
)
from analysis.page.words import ABSENT, Lang, Words
from analysis.reading.atomic_file import replace_text
from analysis.reading.load import Run
from analysis.reading.moment import moment
from recording.counted import counted
from recording.untrusted_text import as_json
from rules.censoring import enough

_NUMBERS = (
    "planned", "success", "success_rate", "latency_p50_s", "latency_p95_s", "latency_p99_s",
    "unanswered", "ttft_p50_s", "observed_rpm", "observed_tpm", "cost_sum",
    "cost_unknown_success_count", "cost_per_success", "goodput_rps", "attainment",
    "generator_limited", "outcomes",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Group:
    """Runs that are alike, by the time of their start; `apart` says what sets them apart."""

    runs: tuple[Run, ...]
    apart: tuple[str, ...]


def write(runs: Sequence[Run], folder: Path, lang: Lang = "en") -> tuple[Path, Path, Path]:
    """Write timeline.md, timeline.html and timeline.json; return their paths. Raises OSError."""
    groups = grouped(runs)
    page = compose(groups, lang)
    content = as_json(as_dict(groups)) + "\n"
    texts = {
        "timeline.md": markdown.render(page),
        "timeline.html": html.render(page),
        "timeline.json": content,
    }
    for name, text in texts.items():
        replace_text(folder / name, text)
    return (folder / "timeline.md", folder / "timeline.html", folder / "timeline.json")


def grouped(runs: Sequence[Run]) -> list[Group]:
    """The runs in groups of comparable ones, each run once, in the order of their start."""
    ordered = sorted({run.folder.resolve(): run for run in runs}.values(), key=_started)
    groups: list[list[Run]] = []
    for run in ordered:
        home = next((group for group in groups if not _apart(group[0], run)), None)
        if home is None:
            groups.append([run])
        else:
            home.append(run)
    first = groups[0][0] if groups else None
    return [
        Group(tuple(group), tuple(_apart(first, group[0])) if first is not None else ())
        for group in groups
    ]


def _apart(first: Run, run: Run) -> list[str]:
    """How two runs differ, one clause each; not by the simulator's port, which always changes."""
    urls = [each.base_url for each in (first, run)]
    other = urls[0] != urls[1] and not (first.simulated and run.simulated)
    return unlike(first, run) + [f"gateway: {urls[0]} / {urls[1]}"] * other


def _started(run: Run) -> datetime:
    """When the run began; the earliest datetime if unknown."""
    return moment(run.started_at) or datetime.min.replace(tzinfo=UTC)


def as_dict(groups: Sequence[Group]) -> dict[str, Any]:
    """Every group, run and phase with its numbers, for a program."""
    return {
        "schema_version": 1,
        "groups": [
            {
                "apart": list(group.apart),
                "runs": [
                    {
                        "run_id": run.run_id,
                        "started_at": run.started_at,
                        "simulated": run.simulated,
                        "interrupted": run.interrupted,
                        "currency": run.currency,
                        "phases": [
                            {name: phase.number(name) for name in ("phase", *_NUMBERS)}
                            for phase in of_phases(run)
                        ],
                    }
                    for run in group.runs
                ],
                "identity": identity_by_clock.as_list(group.runs),
            }
            for group in groups
        ],
    }


def compose(groups: Sequence[Group], lang: Lang = "en") -> Page:
    """One section per group, with a table and plots for each phase."""
    words = Words(lang)
    runs = [run for group in groups for run in group.runs]
    return Page(
        lang="zh-CN" if lang == "zh" else "en",
        title=words("Timeline of runs", "运行时间线"),
        subtitle=words(counted(len(runs), "run"), f"{len(runs)} 次运行"),
        banner=words(*SIMULATED_RUNS) if any(run.simulated for run in runs) else None,
        tiles=[],
        sections=[_section(group, number, lang) for number, group in enumerate(groups, 1)],
        footer=words(
            "Each row is one run's phase, measured as in its own report; times are UTC. "
            "Percentiles are nearest ranks; `-` means not known.",
            "每行为一次运行的一个阶段，口径与其报告相同；时间为 UTC。百分位为最近秩；“-”表示未知。",
        ),
    )


def _section(group: Group, number: int, lang: Lang) -> Section:
    t = Words(lang)
    blocks: list[Block] = []
    if group.apart:
        blocks.append(Text(t("Not like the first group:", "与第一组不同之处：")))
        blocks.append(Listing(group.apart))
    phases: dict[str, list[tuple[Run, PhaseNumbers]]] = {}
    for run in group.runs:
        for phase in of_phases(run):
            phases.setdefault(phase.phase, []).append((run, phase))
    for name, course in phases.items():
        blocks.append(_table(name, course, lang))
        blocks += _charts(name, course, t)
    blocks += identity_by_clock.blocks(group.runs, t)
    modes = t.join(dict.fromkeys(str(run.mode) for run in group.runs))
    return Section(t(f"Group {number}: {modes}", f"第 {number} 组：{modes}"), blocks)


_SHOWN: list[PhaseColumn[Any]] = [
    PLANNED, SUCCESS_RATE, LATENCY_P50, LATENCY_P95, LATENCY_P99, UNANSWERED, OBSERVED_RPM,
    OBSERVED_TPM,
]  # fmt: skip


def _phase_of(pair: tuple[Run, PhaseNumbers]) -> PhaseNumbers:
    return pair[1]


def _table(name: str, course: list[tuple[Run, PhaseNumbers]], lang: Lang) -> Table:
    t = Words(lang)
    noted = any(_note(run, phase, t) for run, phase in course)
    return table(
        t,
        course,
        [
            RUN.of(lambda pair: pair[0].run_id),
            STARTED.of(lambda pair: _start_text(pair[0])),
            *(column.on(_phase_of) for column in _SHOWN),
            COST_PER_SUCCESS.name.of(
                lambda pair: Words(lang, pair[0].currency).money(pair[1].cost_per_success)
            ),
            OUTCOMES.on(_phase_of),
            *([NOTE.of(lambda pair: _note(pair[0], pair[1], t))] if noted else []),
        ],
        title=name,
    )


def _note(run: Run, phase: PhaseNumbers, t: Words) -> str:
    notes = [t("interrupted", "中断")] if run.interrupted else []
    notes += [t(*GENERATOR_LIMITED)] if phase.generator_limited else []
    return t.join(notes)


def _start_text(run: Run) -> str:
    at = _started(run)
    return ABSENT if at.year == 1 else f"{at.astimezone(UTC):%Y-%m-%d %H:%M}"


_UNITS = (
    (2 * 3600.0, 60.0, "minutes", "分钟"), (72 * 3600.0, 3600.0, "hours", "小时"),
    (inf, 86400.0, "days", "天"),
)  # fmt: skip
"""How long the runs lie apart at most, and the seconds of the unit that the axis then has."""


def _charts(name: str, course: list[tuple[Run, PhaseNumbers]], t: Words) -> list[Chart]:
    """Latency, and success, by the time since the first run."""
    dated = [(run, phase) for run, phase in course if _started(run).year > 1]
    if len(dated) < 2:
        return []
    first, last = _started(dated[0][0]), _started(dated[-1][0])
    apart_s = (last - first).total_seconds()
    unit_s, unit, unit_zh = next(
        (unit_s, en, zh) for most_s, unit_s, en, zh in _UNITS if apart_s <= most_s
    )

    def points(number: Callable[[PhaseNumbers], float | None]) -> list[tuple[float, float]]:
        known = [(_started(run) - first, number(phase)) for run, phase in dated]
        return [(at.total_seconds() / unit_s, y) for at, y in known if y is not None]

    def latency(percent: int) -> Callable[[PhaseNumbers], float | None]:
        """None also where the table states the slowest: so few requests have no percentile."""
        least = enough(percent)
        return lambda phase: phase.latency.at(percent) if phase.success >= least else None

    since = _start_text(dated[0][0])
    time = t(f"{unit} since {since} UTC", f"距 {since} UTC 的{unit_zh}数")
    charts = [
        Chart(
            t(f"Latency over time: {name}", f"延迟随时间变化：{name}"),
            time,
            t(*LATENCY_S),
            _each_once([(f"P{percent}", points(latency(percent))) for percent in (50, 95, 99)]),
        ),
        Chart(
            t(f"Success over time: {name}", f"成功率随时间变化：{name}"),
            time,
            t(*SUCCESS_PERCENT),
            [Series("", [(at, 100 * share) for at, share in points(_success)], "marked", 0)],
            y_top=100.0,
        ),
    ]
    return [chart for chart in charts if chart.series]


def _success(phase: PhaseNumbers) -> float | None:
    return phase.success_rate


def _each_once(lines: Sequence[tuple[str, list[tuple[float, float]]]]) -> list[Series]:
    """The lines that have points; equal ones are one, which names all: `P95 = P99`."""
    labels: dict[tuple[tuple[float, float], ...], list[str]] = {}
    for label, line in lines:
        labels.setdefault(tuple(line), []).append(label)
    colours = {label: place for place, (label, _) in enumerate(lines)}
    return [
        Series(" = ".join(names), [*line], "marked", colours[names[0]])
        for line, names in labels.items()
        if line
    ]
