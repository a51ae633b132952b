"""A redacted copy of the report (`report --share`): numbers and verdicts, without names.

The words of a gateway, an upstream or a machine never get into it: they are removed from the run
before its report is made. Names that a page may still contain (addresses, the run, its task_ids,
workers) are replaced in the finished page, wherever they occur. Names of models and providers,
amounts and prices stay.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from analysis.page import html, markdown
from analysis.page.blocks import Page
from analysis.page.words import Lang
from analysis.reading.atomic_file import replacing
from analysis.reading.load import Run
from analysis.reading.replaced_texts import ReplacedTexts, Replacement
from analysis.report import report
from recording.errors import OperatorError
from recording.events import BodyChanged, Ended, Event, Failed, Refused
from recording.manifest_content import Manifest
from recording.reasons import Reason

WITHHELD = "…"
_ADDRESS = re.compile(r"https?://[^\s\"'<>，。；）]+|\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b")
_NAME = re.compile(r"[A-Za-z_][A-Za-z_.]{0,60}")
_CUT = re.compile(r"[^\s(（\"“]{4,}(?=…)")
_OWN_RUN_ID = re.compile(r"[a-z]+-\d{8}T\d{6}-[0-9a-f]{4}")
_SHORTEST = 3
"""Shorter names are not replaced: they would be found within ordinary words."""
_NAMES_OF_FIELDS = ("vendor", "unused")

Part = TypeVar("Part")


def write(run: Run, path: Path, lang: Lang) -> None:
    """Write the copy as HTML or Markdown, by the file's suffix. Raises OperatorError, OSError."""
    renderers: dict[str, Callable[[Page], str]] = {".html": html.render, ".md": markdown.render}
    render = renderers.get(path.suffix.lower())
    if render is None:
        raise OperatorError(f"--share {path} must end in .html or .md.")
    if path.resolve().parent == run.folder.resolve():
        raise OperatorError(f"--share {path} lies in the run's own folder: write it elsewhere.")
    with replacing(path) as file:
        file.write(render(compose(run, lang)))


def compose(run: Run, lang: Lang) -> Page:
    """The page of a run without addresses, names and quotations."""
    view = report.look(without_words(run), lang)
    t, page = view.t, report.compose(view)
    gateway = t("(address)", "（地址）")
    page = _each_text(page, lambda text: _ADDRESS.sub(gateway, text))
    if names := _names(run):
        known = re.compile(rf"(?<![\w.])(?:{'|'.join(map(re.escape, names))})(?![A-Za-z0-9_])")
        page = _each_text(page, lambda text: known.sub(lambda match: names[match[0]], text))
        page = _each_text(
            page, lambda text: _CUT.sub(lambda cut: _replacement(cut[0], names), text)
        )
    note = t(
        "A copy for others: addresses, the names of machines, of the run and of its requests, and "
        "the gateway's own words are left out. ",
        "对外副本：地址、机器名、运行与请求的名称以及网关原话均已略去。",
    )
    return replace(page, footer=note + page.footer)


def without_words(run: Run) -> Run:
    """The run without the gateway's texts; its numbers are the same."""
    return replace(
        run,
        rows=run.rows.through(lambda source: ReplacedTexts(source, _REPLACEMENTS)),
        events=[_quiet(event) for event in run.events],
        manifest=_anonymous(run.manifest),
    )


# ---- quotations


def _facts(detail: str) -> str:
    """The numbers and booleans of a probe's details, as JSON; texts are left out."""
    try:
        facts = json.loads(detail)
    except (ValueError, RecursionError):
        return "{}"
    if not isinstance(facts, dict):
        return "{}"
    return json.dumps({k: v for k, v in facts.items() if isinstance(v, bool | int | float)})


def _plain_name(text: str) -> str:
    """The text if it looks like an identifier; anything else is withheld."""
    return text if _NAME.fullmatch(text) else WITHHELD


_REPLACEMENTS: Mapping[str, Replacement] = {
    "error_message": lambda _: None,
    "error_type": _plain_name,
    "finish_reason": _plain_name,
    "check_detail": _facts,
}


def _quiet(event: Event) -> Event:
    """The event without others' words, and without fields that this version does not know."""
    event = replace(event, beyond=None)
    match event:
        case Refused():
            return replace(event, words=None)
        case Failed():
            return replace(event, error=None)
        case Ended(cause=Reason() as cause):
            return replace(event, reason=cause.clause.en)
        case Ended():
            return replace(event, reason=None)
        case BodyChanged():
            return replace(event, change=replace(event.change, said=WITHHELD))
    return event


def _anonymous(manifest: Manifest) -> Manifest:
    """The manifest without the machine's name, the imported files, and names of body fields."""
    redacted: dict[str, Any] = {**manifest}
    if "imported_from" in redacted:
        redacted["imported_from"] = [WITHHELD]
    host = redacted.get("host") or {}
    redacted["host"] = {name: host[name] for name in ("system", "cores") if name in host}
    traffic = redacted.get("traffic") or {}
    if notes := traffic.get("notes"):
        quiet = [
            note | {"names": [WITHHELD]} if note.get("kind") in _NAMES_OF_FIELDS else note
            for note in notes
        ]
        redacted["traffic"] = traffic | {"notes": quiet}
    return cast(Manifest, redacted)


# ---- names in the finished page


def _names(run: Run) -> dict[str, str]:
    """The operator's names that may occur in the page, each with its replacement; longest first."""
    replacements: dict[str, str] = {}
    for address, role in ((run.base_url, "gateway"), (_reference(run), "reference")):
        if address:
            replacements |= dict.fromkeys((address, urlsplit(address).netloc), role)
    drawn_options: Mapping[str, Any] = run.manifest.get("drawn") or {}
    prefixes = (drawn_options.get("task_id_prefix"), run.options.get("task_id_prefix"))
    replacements |= {str(prefix): "task" for prefix in prefixes if prefix}
    replacements[run.run_id] = (
        run.run_id.partition("-")[0] if _OWN_RUN_ID.fullmatch(run.run_id) else "run"
    )
    workers = [str(name) for name in run.rows.frame(["worker"])["worker"].dropna().unique()]
    workers += [name for event in run.events for name in _workers(event)]
    for number, name in enumerate(dict.fromkeys(workers), 1):
        if name != "local":
            replacements[name] = f"worker-{number}"
    if (host := run.manifest.get("host")) and (machine := host.get("name")):
        replacements.setdefault(machine, "machine")
    names = sorted((n for n in replacements if len(n) >= _SHORTEST), key=len, reverse=True)
    return {name: replacements[name] for name in names}


def _replacement(start: str, names: Mapping[str, str]) -> str:
    """The replacement for a name of which a truncated sentence has only the start."""
    return next((other for name, other in names.items() if name.startswith(start)), start)


def _reference(run: Run) -> str | None:
    """The address of the second route; None if there is none."""
    reference = run.manifest.get("reference")
    return reference["base_url"] if reference else None


def _workers(event: Event) -> Iterator[str]:
    """The processes that an event names."""
    for name in ("worker", "generator"):
        if isinstance(worker := getattr(event, name, None), str):
            yield worker
    yield from getattr(event, "generators", ())


def _each_text(part: Part, change: Callable[[str], str]) -> Part:
    """The same part of a page with every text in it changed; numbers stay."""
    if isinstance(part, str):
        return cast(Part, change(part))
    if is_dataclass(part) and not isinstance(part, type):
        new = {item.name: _each_text(getattr(part, item.name), change) for item in fields(part)}
        return cast(Part, type(part)(**new))
    if isinstance(part, list):
        return cast(Part, [_each_text(entry, change) for entry in part])
    if isinstance(part, tuple):
        return cast(Part, tuple(_each_text(entry, change) for entry in part))
    return part
