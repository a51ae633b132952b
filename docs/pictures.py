"""Takes the pictures of the report in both languages, and of the live page: `make pictures`.

It needs chromium. The runs are the demo and a streamed window, both on the embedded simulator.
"""

import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
IMAGES = {"en": "report.png", "zh": "report-zh.png"}
SIZE = "1000,1180"  # pixels: the page's width, and as much of it as a first look sees
LIVE, LIVE_SIZE = "web-ui.png", "1440,1150"
WINDOW = {
    "mode": "rpm", "model": "gpt-5.4-nano", "target": "480,600", "duration": "30",
    "stream": "true", "budget": "0.5", "user_count": "1", "spawn_rate": "1",
}  # fmt: skip
ANSWERED = 150  # requests on the live page when its picture is taken: about two thirds of a window
LONGEST_S = 120


def main() -> None:
    """Take every picture."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("install chromium first: the pictures are taken with it.")
    reports(chromium)
    live_page(chromium)


def reports(chromium: str) -> None:
    """Run the demo, and take a picture of its report in each language."""
    with tempfile.TemporaryDirectory() as folder:
        demo = [sys.executable, "-m", "weighbridge", "demo", "--results", folder]
        subprocess.run([*demo, "--loglevel", "WARNING"], cwd=ROOT, check=True, timeout=600)
        [run] = [one for one in Path(folder).iterdir() if one.is_dir()]
        for lang, name in IMAGES.items():
            again = [sys.executable, "-m", "analysis", "report", str(run), "--lang", lang]
            subprocess.run(again, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
            take(chromium, (run / "report.html").as_uri(), name, SIZE)


def live_page(chromium: str) -> None:
    """Start a window from the web UI, and take a picture of its page in the middle of it."""
    with tempfile.TemporaryDirectory() as folder, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        url = f"http://127.0.0.1:{port}"
        server = subprocess.Popen(
            [sys.executable, "-m", "weighbridge", "ui", "--simulator", "--results", folder,
             "--web-port", str(port), "--loglevel", "WARNING"],
            cwd=ROOT, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            _until(lambda: _asked(f"{url}/gateway/state") is not None, "the web UI did not start")
            started = _asked(f"{url}/swarm", WINDOW)
            if not started or not started["success"]:
                sys.exit(f"the window did not start: {started}")
            _until(lambda: _answered(url) >= ANSWERED, f"no {ANSWERED} answers in {LONGEST_S} s")
            take(chromium, f"{url}/gateway", LIVE, LIVE_SIZE)
        finally:
            server.terminate()
            server.wait(60)


def take(chromium: str, url: str, name: str, size: str) -> None:
    """A picture of one page, in docs/images."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        subprocess.run(
            [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
             f"--user-data-dir={folder}", f"--window-size={size}", "--virtual-time-budget=3000",
             f"--screenshot={ROOT / 'docs' / 'images' / name}", url],
            check=True, capture_output=True, timeout=120,
        )  # fmt: skip


def _asked(url: str, form: dict[str, str] | None = None) -> Any:
    """The JSON that the server answers; None while it does not."""
    data = None if form is None else urllib.parse.urlencode(form).encode()
    try:
        with urllib.request.urlopen(url, data, timeout=30) as answer:
            return json.load(answer)
    except OSError:
        return None


def _answered(url: str) -> int:
    """How many requests of the run have succeeded."""
    return sum(row["ok"] for row in (_asked(f"{url}/gateway/state") or {}).get("rows", []))


def _until(true: Any, otherwise: str) -> None:
    deadline = time.monotonic() + LONGEST_S
    while not true():
        if time.monotonic() > deadline:
            sys.exit(otherwise)
        time.sleep(0.2)


if __name__ == "__main__":
    main()
