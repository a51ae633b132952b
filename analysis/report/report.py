"""The report of a run: report.md, report.html and summary.json in its folder."""

from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from analysis.numbers.summarize import of_phases
from analysis.page import html, markdown
from analysis.page.blocks import Page, Section, Tile
from analysis.page.vocabulary import COST, REQUESTS, SUCCESS_RATE
from analysis.page.words import Lang, Words, integer, percent, seconds
from analysis.reading.atomic_file import replacing
from analysis.reading.load import Run
from analysis.report import sections
from analysis.report.summary import Summary
from analysis.report.verdicts import verdicts
from analysis.report.view import SectionOf, View
from recording.untrusted_text import as_json


def discovered() -> tuple[SectionOf, ...]:
    """The `section` of every file of sections/ that has a PLACE. ValueError: two at one place."""
    placed: dict[int, SectionOf] = {}
    for file in iter_modules(sections.__path__):
        module = import_module(f"{sections.__name__}.{file.name}")
        place = getattr(module, "PLACE", None)
        if place in placed:
            raise ValueError(f"sections/{file.name}.py: another section is at {place} already")
        if place is not None:
            placed[place] = module.section
    return tuple(placed[place] for place in sorted(placed))


SECTIONS = discovered()
"""In the report's order: its first page, the article's tables, then what the article lacks."""


def write(view: View) -> tuple[Path, Path, Path]:
    """Write report.md, report.html and summary.json; return their paths. Raises OSError."""
    run, page = view.run, compose(view)
    files = {
        "report.md": markdown.render(page),
        "report.html": html.render(page),
        "summary.json": as_json(Summary.of(view).as_dict()) + "\n",
    }
    for name, text in files.items():
        with replacing(run.folder / name) as file:
            file.write(text)
    return (run.folder / "report.md", run.folder / "report.html", run.folder / "summary.json")


def look(run: Run, lang: Lang = "en") -> View:
    """The run with its numbers, in a language."""
    return View.of(run, of_phases(run), Words(lang, run.currency))


def compose(view: View) -> Page:
    """The report as a page: what was run, the verdicts, then every section that has something."""
    t, run = view.t, view.run
    with ThreadPoolExecutor(2) as pool:  # numpy and Arrow work outside the interpreter's lock
        judging = pool.submit(verdicts, view)
        told = [*pool.map(lambda section: section(view), SECTIONS)]
        judged = Section(t("Verdicts", "判定"), [*judging.result()])
    banner = t(
        "SIMULATED: these numbers come from Weighbridge's own simulator, not from a gateway.",
        "SIMULATED 模拟运行：以下数据来自 Weighbridge 自带模拟器，并非真实网关。",
    )
    version = run.made_by or ""
    return Page(
        lang="zh-CN" if t.lang == "zh" else "en",
        title=t(f"Load test report: {run.run_id}", f"压测报告：{run.run_id}"),
        subtitle=_subtitle(view),
        banner=banner if run.simulated else None,
        tiles=_tiles(view),
        sections=[judged, *told],
        footer=t(
            f"Made by Weighbridge {version}. Percentiles are nearest ranks; `-` means not known.",
            f"由 Weighbridge {version} 生成。百分位为最近秩；“-”表示未知。",
        ),
    )


def _subtitle(view: View) -> str:
    run = view.run
    return " · ".join(part for part in (run.mode, run.base_url, run.started_at) if part)


def _tiles(view: View) -> list[Tile]:
    """The run's totals."""
    t, phases = view.t, view.phases
    planned = sum(phase.planned for phase in phases)
    good = sum(phase.success for phase in phases)
    money = [cost for phase in phases for cost in (phase.cost_sum, phase.warmup_cost)]
    costs = [amount for amount in money if amount is not None]
    unknown = sum(phase.cost_unknown_count for phase in phases)
    tokens = [phase.total_tokens for phase in phases if phase.total_tokens is not None]
    walls = [phase.wall_s for phase in phases if phase.wall_s is not None]
    return [
        Tile(t(*REQUESTS.name), integer(planned), t("planned", "计划")),
        Tile(
            t(*SUCCESS_RATE.name),
            percent(good / planned if planned else None),
            f"{integer(good)} / {integer(planned)}",
        ),
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
