"""The tables of docs/explanation/performance.md, made from results/*.json."""

import re
import statistics
from typing import Any

from benchmarks.results import load
from benchmarks.tools import ROOT

PAGE = ROOT / "docs" / "explanation" / "performance.md"
RATIO_TO = "evalscope"


def spread(samples: list[float], digits: int = 3) -> str:
    """The median, minimum and maximum of several samples, rounded to `digits`."""
    middle = _number(statistics.median(samples), digits)
    if len(samples) == 1:
        return middle
    return f"{middle} ({_number(min(samples), digits)} to {_number(max(samples), digits)})"


def _number(value: float, digits: int) -> str:
    if abs(value) < 0.001:  # below the resolution of these clocks
        return "0"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.{digits}g}"


def ratios(samples: list[float], others: list[float]) -> str:
    """Ratios of our samples to the other tool's samples of the same round."""
    pairs = [mine / other for mine, other in zip(samples, others, strict=False) if other > 0]
    return spread(pairs) if pairs else "-"


def table(result: dict[str, Any]) -> str:
    """One benchmark as Markdown, each figure also as a ratio to evalscope in the same round."""
    findings = result["findings"]
    machine = result["machine"]
    lines = [
        f"{machine['cpu']}, {machine['cores']} cores, Python {machine['python']}, "
        f"{result['when']}, load {machine['load_before']} when it was written"
        + (" (**quick run: shows that it works, claims nothing**)" if result["quick"] else ""),
        "",
        f"| what | tool | median (least to most) | ratio to {RATIO_TO} |",
        "|---|---|---|---|",
    ]
    for what in dict.fromkeys(finding["what"] for finding in findings):
        rows = {f["tool"]: f for f in findings if f["what"] == what}
        base = rows.get(RATIO_TO)
        for tool, row in rows.items():
            ratio = "-" if base is None else ratios(row["samples"], base["samples"])
            digits = 4 if row["unit"] == "s" else 3
            cell = spread(row["samples"], digits)
            lines.append(f"| {what} | {tool} | {cell} {row['unit']} | {ratio} |")
    return "\n".join(lines)


def renew() -> None:
    """Puts the available results into the marked places of the page."""
    text = PAGE.read_text(encoding="utf-8")
    for name in re.findall(r"<!-- bench: (\w+) -->", text):
        result = load(name)
        if result is not None:
            block = f"<!-- bench: {name} -->\n{table(result)}\n<!-- /bench -->"
            pattern = rf"<!-- bench: {name} -->.*?<!-- /bench -->"
            text = re.sub(pattern, lambda _, b=block: b, text, flags=re.S)
    PAGE.write_text(text, encoding="utf-8")
