"""Writes the parts of the documentation that are generated from code: `make docs`.

The READMEs' tables of modes, the modes' pages in mkdocs.yml, the reference, the
metrics of docs/how-to/ci.md, the schemas, and the map of the packages. A test checks that they are
up to date.
"""

import inspect
import re
import sys
from dataclasses import fields
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "docs")]

import dialects  # noqa: E402
import errors  # noqa: E402
import import_map  # noqa: E402
import schemas  # noqa: E402
import simulated  # noqa: E402

from compat.registry import CHECKS  # noqa: E402
from loadshapes.modes import MODES  # noqa: E402
from recording import outcome  # noqa: E402
from recording.formats import FIRST, FORMATS  # noqa: E402
from recording.record import MEANINGS, TYPES  # noqa: E402
from rules.conditions import METRICS  # noqa: E402
from settings.option import GROUPS, choices, flag, modes_in_words  # noqa: E402
from settings.options import Options  # noqa: E402
from tasks import answer_flags  # noqa: E402
from tests.faults import PROVOKED, SIMULATED, Case  # noqa: E402
from webui.fields import offered  # noqa: E402
from webui.prometheus import Metrics  # noqa: E402


def columns() -> str:
    """The record's columns as a Markdown table."""
    rows = [f"| `{name}` | {TYPES[name].__name__} | {text} |" for name, text in MEANINGS.items()]
    return "\n".join(["| column | type | meaning |", "|---|---|---|", *rows])


def modes(language: int, headers: tuple[str, str]) -> str:
    """The modes as a Markdown table, in one language: 0 for English, 1 for Chinese."""
    rows = [
        f"| `{mode.name}` | {mode.question[language]} | {mode.sends[language]} |"
        for mode in MODES.values()
    ]
    return "\n".join([f"| `--mode` | {' | '.join(headers)} |", "|---|---|---|", *rows])


def questions(language: int, header: str, folder: str) -> str:
    """The same in short, each with its page in a folder of docs/, or with the English page."""
    rows = [
        f"| [`{mode.name}`]({reached(mode.page, folder)}) | {mode.question[language]} |"
        for mode in MODES.values()
    ]
    return "\n".join([f"| `--mode` | {header} |", "|---|---|", *rows])


def reached(name: str, folder: str) -> str:
    """The path of a page for a README: in its language's folder, if it exists there."""
    return next(at for at in (f"{folder}/{name}", f"docs/{name}") if (ROOT / at).is_file())


def checks(language: int, headers: tuple[str, str]) -> str:
    """The checks of mode compat as a Markdown table, in one language."""
    rows = [f"| `{check.id}` | {(check.title.en, check.title.zh)[language]} |" for check in CHECKS]
    return "\n".join([f"| {' | '.join(headers)} |", "|---|---|", *rows])


def navigation() -> str:
    """The modes' pages as lines of mkdocs.yml, each under the question of its first mode."""
    titles: dict[str, str] = {}
    for mode in MODES.values():
        titles.setdefault(mode.page, mode.question[0])
    return "\n".join(
        f'      - "{title[:1].upper()}{title[1:]}": {page}' for page, title in titles.items()
    )


def options() -> str:
    """docs/reference/options.md."""
    lines = [
        "# Options\n\nEvery option can also be set in the environment as `WEIGHBRIDGE_<NAME>` "
        "(upper case, `_` for `-`) and in Locust's own configuration files. Locust's own options "
        "are unchanged. An option that the run's mode does not read is refused. Durations are in "
        "seconds, or written like `500ms`, `90s`, `1m`, `1h30m`."
    ]
    for group, purpose in GROUPS.items():
        lines.append(f"\n## {group.capitalize()}\n\n{purpose.capitalize()}.\n")
        lines += ["| option | default | modes | meaning |", "|---|---|---|---|"]
        for item in fields(Options):
            if item.metadata["group"] == group:
                shown = "" if item.default in ("", False) else f"`{item.default}`"
                allowed = ", ".join(f"`{c}`" for c in choices(item) if c)
                text = item.metadata["help"] + (f" ({allowed})" if allowed else "")
                of = re.sub(r"^modes? | modes\b", "", modes_in_words(item))
                lines.append(f"| `{flag(item.name)}` | {shown} | {of} | {text} |")
    return "\n".join(lines) + "\n"


def not_on_the_web() -> str:
    """The options that the start form does not have, by group."""
    lines = []
    for group in GROUPS:
        kept = [flag(i.name) for i in fields(Options) if i.metadata["group"] == group
                and not offered(i) and i.name != "mode"]  # fmt: skip
        if kept:
            lines.append(f"- {group}: " + ", ".join(f"`{name}`" for name in kept))
    return "\n".join(lines)


def outcomes() -> str:
    """docs/reference/outcomes.md."""
    tree = inspect.getdoc(outcome) or ""
    body = tree.split("\n\n", 1)[1]
    flags = (inspect.getdoc(answer_flags) or "").split("\n\n")[1]
    return (
        "# Outcomes\n\nThese are the ways in which a planned request can end. The set is closed: "
        "every row's `outcome` is one of these names, and `success` is true only for `ok`."
        "\n\n```text\n"
        + body.rstrip()
        + "\n```\n\n## Consequences\n\n"
        + _facts()
        + "\n\n## Faults\n\nThis is the outcome to which each fault of a gateway leads. A test "
        "provokes every line, plain and streamed (tests/tasks/test_faults.py), among requests that "
        "must not be "
        "affected. The simulator produces a fault by name: `python -m simulator --fault "
        "NAME=SHARE`, or the header `x-simulator-fault: NAME` on a request.\n\n"
        + _faults("fault of the simulator", SIMULATED)
        + "\n\nFaults on the way to the gateway, and odd answers:\n\n"
        + _faults("fault", PROVOKED)
        + "\n\n## Flags\n\nAn answer can be complete and still odd. Its outcome stays the "
        "same; its `check` holds these words, after a probe's verdict if there is one, and "
        "`check_detail` says why. The report lists them on its first page, together with costs "
        "that do not fit "
        "the run's own price per token (`cost_outlier`).\n\n```text\n" + flags.rstrip() + "\n```\n"
    )


def _facts() -> str:
    """The consequences of each outcome: their meanings, then a table."""
    text = " ".join((inspect.getdoc(outcome.Facts) or "").split("\n\n")[1].split())
    meanings = re.split(r" (?=`\w+`: )", text)
    names = [item.name for item in fields(outcome.Facts)]
    rows = [
        f"| `{end.value}` | " + " | ".join("yes" if getattr(facts, n) else "" for n in names) + " |"
        for end, facts in outcome.FACTS.items()
    ]
    head = ["| outcome | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    return "\n".join([*(f"- {line}" for line in meanings), "", *head, *rows])


def _faults(head: str, cases: dict[str, Case]) -> str:
    rows = []
    for name, case in cases.items():
        plain, streamed = (f"`{end}`" if end else "-" for end in (case.plain, case.stream))
        flag = f"`{case.flag}`" if case.flag else ""
        rows.append(f"| `{name}` | {case.what} | {plain} | {streamed} | {flag} |")
    lines = [f"| {head} | what happens | plain | streamed | flag |", "|---|---|---|---|---|"]
    return "\n".join([*lines, *rows])


def metrics() -> str:
    """The metrics of --fail-on as a Markdown table."""
    spelled = {"s": "seconds", "money": "the run's currency", "": "count"}
    rows = []
    for name, metric in METRICS.items():
        unit = "0 to 1" if metric.share else spelled.get(metric.unit, metric.unit)
        rows.append(f"| `{name}` | {unit} | {metric.meaning} | {metric.where} |")
    return "\n".join(["| metric | unit | meaning | judged on |", "|---|---|---|---|", *rows])


def series() -> str:
    """The Prometheus metrics as a Markdown table."""
    families = Metrics(lambda: 0).registry.collect()
    rows = []
    for family in families:
        name = family.name + ("_total" if family.type == "counter" else "")
        rows.append(f"| `{name}` | {family.type} | {family.documentation} |")
    return "\n".join(["| metric | type | meaning |", "|---|---|---|", *rows])


def versions() -> str:
    """The versions of a run's files, as a Markdown table."""
    rows, before = [], set(FIRST)
    for number, (weighbridge, names) in FORMATS.items():
        new = [f"`{name}`" for name in names if name not in before]
        before |= set(names)
        added = f"{len(names)} columns" if number == 1 else ", ".join(new) or "no column"
        rows.append(f"| {number} | {weighbridge} | {added} |")
    return "\n".join(["| version | since Weighbridge | columns added |", "|---|---|---|", *rows])


def renewed(page: Path, name: str, table: str) -> str:
    """A hand-written page with the table between the marks of that name updated."""
    return _between(page.read_text(encoding="utf-8"), "<!-- {} -->", name, table)


def _between(text: str, mark: str, name: str, table: str) -> str:
    begin, end = mark.format(f"{name}: made by `make docs`"), mark.format(f"/{name}")
    before, rest = text.split(begin)
    return f"{before}{begin}\n{table}\n{end}{rest.split(end)[1]}"


def site() -> str:
    """mkdocs.yml with the modes' pages in its navigation updated."""
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    return _between(text, "      # {}", "modes", navigation())


def links() -> str:
    """Links to every mode's page, for the site's home page."""
    return ",\n".join(f"[{mode.name}]({mode.page})" for mode in MODES.values()) + "."


def numbers() -> str:
    """docs/reference/numbers.md."""
    return (
        "# Numbers of a phase\n\nThese numbers of each phase are in `summary.json`; conditions "
        "(`--fail-on`), objectives and tables use the same ones. Names end in their units; `null` "
        "means unknown, never 0. Percentiles are nearest ranks over the successes: 50, 95 and 99, "
        "and those of `--percentiles` (`ttft_p99_9_s`). [The schema](../schema/summary.json) has "
        "the types, and the numbers of each model.\n\n" + schemas.numbers() + "\n"
    )


def pages() -> dict[Path, str]:
    """Every generated page and its content."""
    front, chinese, docs = ROOT / "README.md", ROOT / "README.zh-CN.md", ROOT / "docs"
    ci, rows = docs / "how-to" / "ci.md", docs / "reference" / "columns.md"
    files, each = docs / "reference" / "files.md", docs / "reference" / "modes.md"
    each_zh = docs / "zh" / "reference" / "modes.md"
    compat, compat_zh = (docs / lang / "how-to" / "compat.md" for lang in ("", "zh"))
    form = docs / "how-to" / "web-ui.md"
    plan, seen = docs / "explanation" / "architecture.md", docs / "reference" / "metrics.md"
    return {
        front: renewed(front, "modes", questions(0, "question", "docs")),
        chinese: renewed(chinese, "modes", questions(1, "回答的问题", "docs/zh")),
        each: renewed(each, "modes", modes(0, ("question", "what is sent"))),
        each_zh: renewed(each_zh, "modes", modes(1, ("回答的问题", "发送什么"))),
        compat: renewed(compat, "checks", checks(0, ("check", "what must work"))),
        compat_zh: renewed(compat_zh, "checks", checks(1, ("检查项", "必须可用的功能"))),
        ROOT / "mkdocs.yml": site(),
        docs / "index.md": renewed(docs / "index.md", "modes", links()),
        rows: renewed(rows, "columns", columns()),
        seen: renewed(seen, "series", series()),
        files: renewed(files, "versions", versions()),
        docs / "reference" / "numbers.md": numbers(),
        form: renewed(form, "not on the web", not_on_the_web()),
        ci: renewed(ci, "metrics", metrics()),
        plan: renewed(plan, "packages", import_map.table()),
        docs / "images" / "imports.svg": import_map.drawing(),
        docs / "reference" / "errors.md": errors.page(),
        docs / "schema" / "manifest.json": schemas.written(schemas.manifest()),
        docs / "schema" / "summary.json": schemas.written(schemas.summary()),
        docs / "reference" / "options.md": options(),
        docs / "reference" / "outcomes.md": outcomes(),
        docs / "reference" / "dialects.md": dialects.page(),
        docs / "reference" / "simulator.md": simulated.page(),
    }


if __name__ == "__main__":
    for path, content in pages().items():
        path.write_text(content, encoding="utf-8")
