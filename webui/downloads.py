"""Files of the current or last run, as the browser downloads them."""

import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from flask import Response, make_response, send_file

from recording.manifest import ROOT

KINDS = {"requests.csv": "text/csv", "requests.jsonl": "application/x-ndjson"}


def rows(folder: Path | None, name: str, texts: Mapping[str, str]) -> Response:
    """The run's rows so far, as CSV or as the seed's JSONL, without what was never sent.

    The analysis reads and unites the part files in a process of its own: this one sends requests.
    """
    if folder is None or not (folder / "manifest.json").is_file():
        return _none(texts["no_run"])
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / name
        command = [sys.executable, "-m", "analysis", "export", str(folder), "--output", str(path)]
        command += ["--recorded", "--format", "seed" if name.endswith(".jsonl") else "csv"]
        done = subprocess.run(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
        if done.returncode != 0:
            return _none(done.stderr.strip() or texts["unreadable"])
        content = path.read_bytes()
    answer = make_response(content)
    answer.headers["Content-Type"] = f"{KINDS[name]}; charset=utf-8"
    answer.headers["Content-Disposition"] = f"attachment; filename={folder.name}-{name}"
    return answer


def report(folder: Path | None, texts: Mapping[str, str]) -> Response:
    """The run's report, as a file: it never runs on this page's own address."""
    if folder is None or not (folder / "report.html").is_file():
        return _none(texts["no_report"])
    return send_file(
        folder / "report.html", as_attachment=True, download_name=f"{folder.name}-report.html"
    )


def _none(why: str) -> Response:
    return Response(why + "\n", status=404, content_type="text/plain; charset=utf-8")
