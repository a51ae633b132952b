"""Runs how-to/identity.md's commands on simulators, and inserts what they print: `make outputs`.

Each host of the page, `https://NAME.example/v1`, is a simulator with the settings below, which has
its name again in what is shown. Commands run from the top to the bottom in one folder, so a
reference that one makes is there for those below. Of a run, the page shows its name, the verdicts
of the levels that stand there, and `...` (console.elided).
"""

import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "docs")]

import console  # noqa: E402
import outputs  # noqa: E402

from tests.locust_run import CANARY  # noqa: E402
from tests.simulated import Simulator  # noqa: E402

PAGES = ("how-to/identity.md", "zh/how-to/identity.md")
HONEST = """
any_model = true
[latency]
fixed_s = 0.02
[prices]
input = 1.4
output = 4.0
[answers]
weights = 3
unsteady = 0.05
"""
FLAWS = {
    "vendor": "",
    "relay": "other = 2\nshare = 0.15\n[billing]\nhidden_prompt_tokens = 4170\n",
    "careless": '[features]\nstop = "ignored"\ntemperature = "ignored"\n',
    "cutting": '[tokens]\ncontext_window = 5000\n[features]\n"error.context" = "wrong"\n',
    "forgetful": "[tokens]\nreads = 5000\n",
    "capped": "[reply]\ncap_tokens = 1000\n",
    "silent": "[reply]\ncap_tokens = 1000\ncap_finished = true\n",
    "quantised": "quantised = 0.3\n",
    "clumsy": "wrong_calls = 0.4\n",
}
"""What each host has beside the honest vendor's settings."""
PRICES = 'currency = "CNY"\n[models."gpt-4o"]\ninput = 1.4\noutput = 4.0\n'
BLOCK = re.compile(r"^```console\n((?:\$ (?:[^\n]*\\\n)*[^\n]*\n)+)(.*?)^```\n", re.S | re.M)
HOST = re.compile(r"https://(\w+)\.example/v1")


def renew() -> None:
    """Every block of the page that asks one of the hosts, made anew, and its Chinese copy."""
    pages = {name: (ROOT / "docs" / name).read_text("utf-8") for name in PAGES}
    with tempfile.TemporaryDirectory() as folder, _hosts(Path(folder)) as at:
        (Path(folder) / "prices.toml").write_text(PRICES, encoding="utf-8")
        for found in list(BLOCK.finditer(pages[PAGES[0]])):
            if not HOST.search(found[1]):
                continue
            again = _again(Path(folder), at, *found.groups())
            if outputs.late("", again):
                print(f"this machine was late: try again:\n{found[1]}", file=sys.stderr)
                continue
            whole = f"```console\n{again}```\n"
            pages = {name: text.replace(found[0], whole) for name, text in pages.items()}
    for name, text in pages.items():
        (ROOT / "docs" / name).write_text(text, encoding="utf-8")


@contextmanager
def _hosts(folder: Path) -> Iterator[dict[str, str]]:
    """A simulator for each host; yields their addresses."""
    running = {}
    try:
        for name, flaw in FLAWS.items():
            profile = folder / f"{name}.toml"
            profile.write_text(HONEST + flaw, encoding="utf-8")
            running[name] = Simulator(folder / f"{name}.csv", "--profile", profile)
        yield {name: simulator.url for name, simulator in running.items()}
    finally:
        for simulator in running.values():
            simulator.stop()


def _again(folder: Path, at: dict[str, str], commands: str, shown: str) -> str:
    """The commands and what they print, with today's run in them."""
    lines, printed = [], ""
    for command in re.findall(r"^\$ (?:[^\n]*\\\n)*[^\n]*\n", commands, re.M):
        run = _last(folder)
        lines.append(re.sub(r"results/[\w-]+", f"results/{run.name}" if run else "", command))
        printed = _printed(folder, at, lines[-1])
    if printed.startswith("run "):
        printed = console.elided(printed, shown)
    elif dry := re.findall(r"^gpt-4o: .*\n", printed, re.M):
        printed = dry[0]
    return "".join(lines) + printed


def _last(folder: Path) -> Path | None:
    runs = sorted((folder / "results").glob("*"), key=lambda path: path.stat().st_mtime)
    return runs[-1] if runs else None


def _printed(folder: Path, at: dict[str, str], command: str) -> str:
    """What a command prints, with the hosts' names in place of the simulators' addresses."""
    asked = HOST.sub(lambda host: at[host[1]], command.removeprefix("$ ").replace("\\\n", " "))
    words = shlex.split(asked)
    if "--reference" in words:
        [words[words.index("--reference") + 1]] = map(str, folder.glob("references/*.json"))
    locust = ["-m", "locust", "-f", str(ROOT / "locustfile.py")]
    done = subprocess.run(
        [sys.executable, *(locust if words[0].endswith("locust") else []), *words[1:]],
        cwd=folder, capture_output=True, text=True, timeout=900, check=False,
        env={name: value for name, value in os.environ.items() if not name.startswith("OPENAI")}
        | {"PYTHONPATH": str(ROOT), "WEIGHBRIDGE_LANG": "en", "OPENAI_API_KEY": CANARY,
           "VENDOR_BASE_URL": at["vendor"], "VENDOR_API_KEY": CANARY},
    )  # fmt: skip
    assert done.returncode < 2, done.stderr
    why = [line for line in done.stderr.splitlines(True) if line.startswith("weighbridge: ")]
    text = "".join([done.stdout, *why]).replace(f"{folder}/", "")
    for name, url in at.items():
        for address in (url.split("/")[2], url.split("/")[2].replace(":", "-")):
            text = text.replace(address, f"{name}.example")
    return text.replace("@127.0.0.1.json", "@vendor.example.json")


if __name__ == "__main__":
    renew()
