"""Runs made at different hours, joined into one table and plot if they are comparable.

Runs belong together if they are of one gateway and `compare` would not refuse them. Others form
further groups, each with its own tables, and the page says how each differs from the first.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
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
from recording.untrusted_text import as_json

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
        subtitle=words(f"{len(runs)} runs", f"{len(runs)} 次运行"),
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
    return table(
        t,
        course,
        [
            STARTED.of(lambda pair: _start_text(pair[0])),
            RUN.of(lambda pair: pair[0].run_id),
            *(column.on(_phase_of) for column in _SHOWN),
            COST_PER_SUCCESS.name.of(
                lambda pair: Words(lang, pair[0].currency).money(pair[1].cost_per_success)
            ),
            OUTCOMES.on(_phase_of),
            NOTE.of(lambda pair: _note(*pair, t)),
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


def _charts(name: str, course: list[tuple[Run, PhaseNumbers]], t: Words) -> list[Chart]:
    """Latency, and success, by the hours since the first run."""
    dated = [(run, phase) for run, phase in course if _started(run).year > 1]
    if len(dated) < 2:
        return []
    first = _started(dated[0][0])

    def points(
        number: Callable[[PhaseNumbers], float | None], scale: float = 1.0
    ) -> list[tuple[float, float]]:
        known = [(_started(run) - first, number(phase)) for run, phase in dated]
        return [(at.total_seconds() / 3600, y * scale) for at, y in known if y is not None]

    lines = [
        Series("P50", points(lambda phase: phase.latency.p50_s), "marked", 0),
        Series("P95", points(lambda phase: phase.latency.p95_s), "marked", 1),
        Series("P99", points(lambda phase: phase.latency.p99_s), "marked", 2),
    ]
    hours = t(
        f"hours since {_start_text(dated[0][0])} UTC", f"距 {_start_text(dated[0][0])} UTC 的小时数"
    )
    charts = [
        Chart(
            t(f"Latency by hour: {name}", f"延迟随时间变化：{name}"),
            hours,
            t(*LATENCY_S),
            [line for line in lines if line.points],
        ),
        Chart(
            t(f"Success by hour: {name}", f"成功率随时间变化：{name}"),
            hours,
            t(*SUCCESS_PERCENT),
            [Series("", points(lambda phase: phase.success_rate, 100), "marked", 0)],
            y_top=100.0,
        ),
    ]
    return [chart for chart in charts if chart.series]
