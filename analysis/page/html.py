"""A page as one HTML file: no script, no request, everything escaped, under a strict CSP."""

import base64
import hashlib
from itertools import groupby
from pathlib import Path

from analysis.page.blocks import Block, Listing, Page, Remark, Section, Table, Text, Tile
from analysis.page.chart import Chart, Series, svg
from analysis.page.markdown import flush_right
from recording.untrusted_text import markup as escape

_STYLE = Path(__file__).with_name("report.css")
_SIGNS = {"good": "✓", "note": "i", "bad": "!"}


def render(page: Page) -> str:
    """The whole file."""
    style = _STYLE.read_text(encoding="utf-8")
    if page.banner:
        style += '\n@page { @top-center { content: "SIMULATED"; } }\n'
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    shown = [section for section in page.sections if section.blocks]
    return "\n".join(
        [
            "<!doctype html>",
            f'<html lang="{escape(page.lang)}">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(page.title)}</title>",
            f"<style>{style}</style>",
            "</head>",
            "<body>",
            _banner(page),
            "<header>",
            f"<h1>{escape(page.title)}</h1>",
            f'<p class="subtitle">{escape(page.subtitle)}</p>',
            "</header>",
            _tiles(page.tiles),
            _contents(shown),
            "<main>",
            *(_section(number, section) for number, section in enumerate(shown)),
            "</main>",
            f"<footer>{escape(page.footer)}</footer>",
            "</body>",
            "</html>\n",
        ]
    )


def _banner(page: Page) -> str:
    return f'<p class="banner" role="alert">{escape(page.banner)}</p>' if page.banner else ""


def _tiles(tiles: list[Tile]) -> str:
    cells = "".join(
        f"<div><dt>{escape(tile.label)}</dt><dd>{escape(tile.value)}"
        f"<small>{escape(tile.hint)}</small></dd></div>"
        for tile in tiles
    )
    return f'<dl class="tiles">{cells}</dl>'


def _contents(sections: list[Section]) -> str:
    links = "".join(
        f'<a href="#s{number}">{escape(section.title)}</a>'
        for number, section in enumerate(sections)
    )
    return f"<nav>{links}</nav>"


def _section(number: int, section: Section) -> str:
    parts = [f'<section id="s{number}">', f"<h2>{escape(section.title)}</h2>"]
    for kind, group in groupby(section.blocks, key=type):
        blocks = "\n".join(_block(block) for block in group)
        if kind is Remark:
            parts.append(f'<ul class="remarks">{blocks}</ul>')
        elif kind is Chart:
            parts.append(f'<div class="charts">{blocks}</div>')
        else:
            parts.append(blocks)
    return "\n".join([*parts, "</section>"])


def _block(block: Block) -> str:
    match block:
        case Table():
            return _table(block)
        case Remark():
            sign = f'<b aria-hidden="true">{_SIGNS[block.level]}</b>'
            return f'<li class="{block.level}">{sign}<span>{escape(block.text)}</span></li>'
        case Text():
            return f"<p>{escape(block.text)}</p>"
        case Listing():
            return f"<pre>{chr(10).join(map(escape, block.lines))}</pre>"
        case Chart():
            return _figure(block)


def _table(table: Table) -> str:
    number = flush_right(table)

    def cells(tag: str, texts: tuple[str, ...]) -> str:
        return "".join(
            f'<{tag} class="n">{escape(text)}</{tag}>'
            if right
            else f"<{tag}>{escape(text)}</{tag}>"
            for text, right in zip(texts, number, strict=True)
        )

    title = f"<h3>{escape(table.title)}</h3>" if table.title else ""
    head = f"<thead><tr>{cells('th', table.headers)}</tr></thead>"
    body = "\n".join(f"<tr>{cells('td', row)}</tr>" for row in table.rows)
    how = f'<p class="how">{escape(table.how)}</p>' if table.how else ""
    return f'{title}<div class="table"><table>{head}<tbody>{body}</tbody></table></div>{how}'


def _figure(chart: Chart) -> str:
    keys = "".join(_key(series) for series in chart.series if series.label)
    return (
        f"<figure><figcaption>{escape(chart.title)}</figcaption>{svg(chart)}"
        f'<p class="keys">{keys}</p></figure>'
    )


def _key(series: Series) -> str:
    """A legend entry: a stroke like the series' own, and its name."""
    colour = f"c{series.colour % 8}"
    if series.look == "dots":
        mark = f'<path class="dots {colour}" d="M9 5h0"/>'
    elif series.look == "crosses":
        mark = f'<path class="line {colour}" d="M6 2l6 6m-6 0l6 -6"/>'
    else:
        dash = " dashed" if series.dashed else ""
        mark = f'<path class="line{dash} {colour}" d="M0 5H18"/>'
    drawing = f'<svg viewBox="0 0 18 10" width="18" height="10" aria-hidden="true">{mark}</svg>'
    return f"<span>{drawing}{escape(series.label)}</span>"
