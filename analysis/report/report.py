"""The report of a run: report.md, report.html and summary.json in its folder."""

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from analysis.features import cells
from analysis.numbers.summarize import of_phases
from analysis.page import html, markdown
from analysis.page.blocks import Page, Section, Table, Tile
from analysis.page.vocabulary import COST, REQUESTS, SUCCESS_RATE
from analysis.page.words import Lang, Words, integer, percent, seconds
from analysis.reading.atomic_file import replace_text
from analysis.reading.load import Run
from analysis.report import sections
from analysis.report.first_page import answers
from analysis.report.sections import capacity
from analysis.report.summary import Summary
from analysis.report.two_routes import of_gateway
from analysis.report.verdicts import verdicts
from analysis.report.view import SectionOf, View
from recording.untrusted_text import as_json

OPEN_TABLES, OPEN_ROWS = 4, 24
"""At most so many tables, and rows of all of them, are unfolded when the report is opened."""


def discovered() -> tuple[SectionOf, ...]:
    """The `section` of every file of sections/ that has a PLACE, in the order of the places.

    Raises ValueError if two have the same place.
    """
    placed: dict[int, SectionOf] = {}
    for file in iter_modules(sections.__path__):
        module = import_module(f"{sections.__name__}.{file.name}")
        place = getattr(module, "PLACE", None)
        if place in placed:
            raise ValueError(f"sections/{file.name}.py: another section is already at {place}")
        if place is not None:
            placed[place] = module.section
    return tuple(placed[place] for place in sorted(placed))


SECTIONS = discovered()
"""In the report's order: the overview, the article's tables, then what the article lacks."""


def write(view: View) -> tuple[Path, ...]:
    """Write report.md, report.html and summary.json, in mode compat also compat.json.

    Returns their paths. Raises OSError.
    """
    run, page = view.run, compose(view)
    files = {
        "report.md": markdown.render(page),
        "report.html": html.render(page),
        "summary.json": as_json(Summary.of(view).as_dict()) + "\n",
    }
    for name, text in files.items():
        replace_text(run.folder / name, text)
    paths = tuple(run.folder / name for name in files)
    return (*paths, cells.write(view.features, run.folder)) if view.features.cells else paths


def few_open(filled: Sequence[Section]) -> list[Section]:
    """The sections, folded from where the open ones become too many to take in at once."""
    folded_sections, tables, rows = list[Section](), 0, 0
    for section in filled:
        sizes = [len(block.rows) for block in section.blocks if isinstance(block, Table)]
        fits = tables + len(sizes) <= OPEN_TABLES and rows + sum(sizes) <= OPEN_ROWS
        folded_sections.append(section if fits or section.folded else replace(section, folded=True))
        if not folded_sections[-1].folded:
            tables, rows = tables + len(sizes), rows + sum(sizes)
    return folded_sections


def look(run: Run, lang: Lang = "en") -> View:
    """The run with its numbers, in a language. Raises SloError."""
    return View.of(run, of_phases(run), Words(lang, run.currency))


def compose(view: View) -> Page:
    """The report as a page: what was run, the verdicts, then every non-empty section."""
    t, run = view.t, view.run
    with ThreadPoolExecutor(2) as pool:  # numpy and Arrow work outside the interpreter's lock
        judging = pool.submit(verdicts, view)
        filled = [*pool.map(lambda section: section(view), SECTIONS)]
        remarks = judging.result()
    banner = t(
        "SIMULATED: these numbers come from Weighbridge's own simulator, not from a gateway.",
        "SIMULATED 模拟运行：本报告数据来自 Weighbridge 自带模拟器，并非真实网关。",
    )
    version = run.made_by or ""
    return Page(
        lang="zh-CN" if t.lang == "zh" else "en",
        title=t(f"Load test report: {run.run_id}", f"压测报告：{run.run_id}"),
        subtitle=_subtitle(view),
        banner=banner if run.simulated else None,
        tiles=_tiles(view),
        answers=answers(view, [*remarks, *capacity.findings(view)]),
        sections=[Section(t("Verdicts", "判定"), remarks), *few_open(filled)],
        footer=t(
            f"Made by Weighbridge {version}. Percentiles are nearest ranks; max: too few times for "
            "the percentile, so the slowest is shown; `-` means unknown.",
            f"由 Weighbridge {version} 生成。百分位为最近秩；“最大”表示样本不足以得出该百分位，"
            "所示为最慢一次；“-”表示未知。",
        ),
    )


_SECOND = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(\+00:00|Z)")
"""A moment as manifests write it, in UTC."""


def _subtitle(view: View) -> str:
    run, started = view.run, view.run.started_at or ""
    if _SECOND.fullmatch(started):
        started = f"{started[:10]} {started[11:16]} UTC"
    return " · ".join(part for part in (run.mode, run.base_url, started) if part)


def _good(view: View) -> Tile:
    """The share that went well: of the requests, or in mode compat of the features.

    There, refusals are expected, so that successful requests say little.
    """
    name = view.t(*SUCCESS_RATE.name)
    good, of = (sum(getattr(p, name) for p in view.phases) for name in ("success", "awaited"))
    if view.features.cells:
        name = view.t("Features that work", "可用功能")
        good, of = len(view.features.working), len(view.features.tried)
    return Tile(name, percent(good / of if of else None), f"{integer(good)} / {integer(of)}")


def _tiles(view: View) -> list[Tile]:
    """The run's totals."""
    t, phases = view.t, view.phases  # of both routes: both are paid for
    planned = sum(phase.planned for phase in phases)
    money = [cost for phase in phases for cost in (phase.cost_sum, phase.warmup_cost)]
    costs = [amount for amount in money if amount is not None]
    unknown = sum(phase.cost_unknown_count for phase in phases)
    tokens = [phase.total_tokens for phase in phases if phase.total_tokens is not None]
    walls = [phase.wall_s for phase in of_gateway(phases) if phase.wall_s is not None]
    return [
        Tile(t(*REQUESTS.name), integer(planned), t("planned", "计划")),
        _good(view),
        Tile(t("Tokens", "Token"), integer(sum(tokens) if tokens else None), t("total", "合计")),
        Tile(
            t(*COST),
            t.money(sum(costs) if costs else None),
            t(f"{integer(unknown)} unknown", f"{integer(unknown)} 条未知"),
        ),
        Tile(
            t("Under load", "压测时长"),
            seconds(sum(walls) if walls else None),
            t("all phases", "各阶段合计"),
        ),
    ]
