"""The map of the packages, read from the code: their files, and which imports which."""

import ast
from collections import Counter
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

Imports = dict[str, Counter[str]]
WIRING = "locustfile"


def packages() -> list[str]:
    """All top-level packages, and the wiring."""
    names = [path.parent.name for path in ROOT.glob("*/__init__.py")]
    return sorted([WIRING, *(name for name in names if name != "tests")])


def files(package: str) -> list[Path]:
    """A package's source files."""
    if package == WIRING:
        return [ROOT / f"{WIRING}.py"]
    return sorted((ROOT / package).rglob("*.py"))


def purpose(path: Path) -> str:
    """The first sentence of a file's docstring."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return text.split("\n\n")[0].replace("\n", " ").strip()


def imports() -> Imports:
    """How many files of each package import each other package, anywhere in the file."""
    known = packages()
    counts: Imports = {package: Counter() for package in known}
    for package in known:
        for path in files(package):
            named: set[str] = set()
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    named |= {alias.name.split(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    named.add(node.module.split(".")[0])
            counts[package].update((named & set(known)) - {package})
    return counts


def order(counts: Imports) -> list[str]:
    """The packages from the wiring down, with as few upward imports as possible."""
    left, placed = sorted(counts), list[str]()
    while left:
        wanted = {package: sum(counts[other][package] for other in left) for package in left}
        uses = {package: sum(counts[package][other] for other in left) for package in left}
        top = min(
            left, key=lambda package: (wanted[package], package != WIRING, -uses[package], package)
        )
        left.remove(top)
        placed.append(top)
    return placed


ROW, BOX_X, BOX_W, BOX_H, WIDTH = 74, 120, 500, 50, 860


def drawing() -> str:
    """docs/images/imports.svg: one box per package, with an arrow to each package it imports."""
    counts = imports()
    placed = order(counts)
    height = ROW * len(placed) + 24
    middle = {package: 24 + ROW * row + BOX_H / 2 for row, package in enumerate(placed)}
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        'font-family="system-ui, sans-serif">',
        "<title>Which package of Weighbridge imports which</title>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9" '
        'markerHeight="9" markerUnits="userSpaceOnUse" orient="auto">'
        '<path d="M0 0 8 4 0 8z" fill="context-stroke"/></marker>'
        "</defs>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
    ]
    for row, package in enumerate(placed):
        for other, count in sorted(counts[package].items()):
            parts.append(_arrow(row, placed.index(other), middle[package], middle[other], count))
    for package in placed:
        count = len(files(package))
        first = files(package)[0] if package == WIRING else ROOT / package / "__init__.py"
        parts += [
            f'<rect x="{BOX_X}" y="{middle[package] - BOX_H / 2}" width="{BOX_W}" height="{BOX_H}" '
            'rx="6" fill="#eef3fb" stroke="#3b6fb6"/>',
            f'<text x="{BOX_X + 14}" y="{middle[package] - 5}" font-size="15" font-weight="600" '
            f'fill="#12263f">{package}{"" if package == WIRING else "/"}'
            f'<tspan font-weight="400" font-size="12" fill="#55657a">  {count} '
            f"{'file' if count == 1 else 'files'}</tspan></text>",
            f'<text x="{BOX_X + 14}" y="{middle[package] + 14}" font-size="12" fill="#33445a">'
            f"{escape(_short(purpose(first)))}</text>",
        ]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _arrow(row: int, other: int, start: float, end: float, count: int) -> str:
    """An arrow: downwards on the right in blue, upwards on the left in red; thickness by files."""
    down = other > row
    edge = BOX_X + BOX_W if down else BOX_X
    reach = 26 + 24 * abs(other - row)
    bend = edge + (reach if down else -reach)
    shift = 7 if down else -7
    start, end = start + shift, end - shift
    middle = (start + end) / 2
    label = edge + (0.75 * reach + 4 if down else -0.75 * reach - 4)
    color = "#3b6fb6" if down else "#b03a3a"
    return (
        f'<path d="M{edge} {start}C{bend} {start} {bend} {end} {edge} {end}" fill="none" '
        f'stroke="{color}" stroke-opacity="0.75" stroke-width="{1 + min(count, 12) / 5:.1f}" '
        f'marker-end="url(#tip)"/><text x="{label}" y="{middle + 4}" font-size="11" '
        f'fill="{color}" text-anchor="{"start" if down else "end"}">{count}</text>'
    )


def _short(text: str, longest: int = 70) -> str:
    return text if len(text) <= longest else text[: longest - 1].rsplit(" ", 1)[0] + " …"


def table() -> str:
    """Each package with its files and their purposes, as Markdown."""
    counts = imports()
    parts = []
    for package in order(counts):
        uses = ", ".join(f"`{other}`" for other in sorted(counts[package])) or "nothing of ours"
        rows = [
            f"| `{path.relative_to(ROOT).as_posix()}` | {purpose(path).replace('|', '/')} |"
            for path in files(package)
            if path.name != "__init__.py"
        ]
        parts += [
            f"### {package}\n\nImports {uses}.\n",
            "| file | what it is |",
            "|---|---|",
            *rows,
            "",
        ]
    return "\n".join(parts).rstrip()
