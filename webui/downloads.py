"""Files of the current or last run for download in the browser."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from subprocess import DEVNULL, PIPE

from flask import Response, make_response, send_file

from engine.analysis_process import analysis
from recording.folder import from_here
from recording.untrusted_text import printable

KINDS = {"requests.csv": "text/csv", "requests.jsonl": "application/x-ndjson"}
MOST_COMPARED = 6
"""The most runs in one comparison."""


def rows(folder: Path | None, name: str, texts: Mapping[str, str]) -> Response:
    """The run's rows so far, as CSV or the original script's JSONL, without requests never sent.

    A separate process reads and joins the part files, since this one sends requests.
    """
    if folder is None or not (folder / "manifest.json").is_file():
        return _none(texts["no_run"])
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / name
        form = "seed" if name.endswith(".jsonl") else "csv"
        command = ["export", from_here(folder), "--output", path, "--recorded", "--format", form]
        completed = analysis(*command, out=DEVNULL, err=PIPE)
        if completed.returncode != 0:
            return _none(completed.stderr.strip() or texts["unreadable"])
        content = path.read_bytes()
    answer = make_response(content)
    answer.headers["Content-Type"] = f"{KINDS[name]}; charset=utf-8"
    answer.headers["Content-Disposition"] = f"attachment; filename={folder.name}-{name}"
    return answer


def report(folder: Path | None, texts: Mapping[str, str]) -> Response:
    """The run's report as an attachment, so that it never runs under this server's origin."""
    if folder is None or not (folder / "report.html").is_file():
        return _none(texts["no_report"])
    return send_file(
        folder / "report.html", as_attachment=True, download_name=f"{folder.name}-report.html"
    )


def comparison(folders: Sequence[Path], lang: str) -> tuple[str | None, str]:
    """The page that compares runs with the first of them, or None and the reason."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "comparison.html"
        command = ["compare", *map(from_here, folders), "--html", path, "--lang", lang]
        completed = analysis(*command, out=DEVNULL, err=PIPE)
        if not path.is_file():
            return None, printable(completed.stderr.strip().removeprefix("weighbridge: "), 2000)
        return path.read_text(encoding="utf-8"), ""


def _none(why: str) -> Response:
    return Response(why + "\n", status=404, content_type="text/plain; charset=utf-8")
