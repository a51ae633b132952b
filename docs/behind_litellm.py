"""Runs the pages' commands with LiteLLM in between, and inserts what they print: `make outputs`.

A run whose generator was late is not used.

A page holds all that is needed: the profile of the simulator behind (its toml block), the command
that starts it, LiteLLM's configuration (yaml), the prompts (json), and blocks of two commands, a
run and the analysis beside the simulator's log. Each block has a simulator and a LiteLLM of its
own, at the page's ports. Tables below a block are taken from the statement.
"""

import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from secrets import token_hex

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "docs")]

import outputs  # noqa: E402

from tests.interop.litellm_proxy import VERSION  # noqa: E402
from tests.interop.servers import installed, serving  # noqa: E402

PAGES = ("how-to/failover.md", "how-to/cancel.md")
COMMAND = r"\$ \.venv/bin/{}(?:[^\n]*\\\n)*[^\n]*\n"
UPSTREAM = re.compile(COMMAND.format(r"python -m simulator "))
BLOCK = re.compile(
    rf"^```console\n({COMMAND.format('locust ')})({COMMAND.format('python -m analysis ')})"
    r"(.*?)^```\n",
    re.S | re.M,
)
KEY = f"sk-{token_hex(16)}"
FILES = {"toml": "upstream.toml", "yaml": "config.yaml", "json": "long.jsonl"}
LITELLM_PORT = 4000


def renew(page: Path) -> None:
    """Every such block of a page, made anew."""
    text = page.read_text("utf-8")
    upstream = UPSTREAM.search(text)
    assert upstream is not None, page
    for found in list(BLOCK.finditer(text)):
        run, analysis, _ = found.groups()
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            for kind, name in FILES.items():
                for content in re.findall(rf"^```{kind}\n(.*?)^```\n", text, re.S | re.M)[:1]:
                    (place / name).write_text(content, encoding="utf-8")
            report, printed, statement = _between(place, upstream[0], run, analysis)
            if outputs.late(report, printed):
                print(f"{page.name}: this machine was late: try again", file=sys.stderr)
                continue
            whole = f"```console\n{run}{analysis}{printed}```\n"
            text = outputs.placed(text, found[0], whole, [statement])
    page.write_text(text, encoding="utf-8")


def _between(place: Path, upstream: str, run: str, analysis: str) -> tuple[str, str, Path]:
    """What a run in this folder prints, what the analysis prints of it, and its statement's
    path."""
    litellm = installed("litellm", VERSION, f"litellm[proxy]=={VERSION}") / "litellm"
    words = _words(upstream)
    proxy = [str(litellm), "--config", str(place / "config.yaml"), "--host", "127.0.0.1",
             "--port", str(LITELLM_PORT), "--telemetry", "False"]  # fmt: skip
    with (
        serving([*words, "--exit-with-parent"], int(words[words.index("--port") + 1]),
                place / "simulator.log", PYTHONPATH=str(ROOT)),
        serving(proxy, LITELLM_PORT, place / "litellm.log", LITELLM_LOCAL_MODEL_COST_MAP="True",
                LITELLM_MASTER_KEY=KEY),
    ):  # fmt: skip
        report = _run(place, [*_words(run), "--results", "results"])
    [folder] = (place / "results").iterdir()
    name = f"results/{folder.name}"
    told = _run(place, [word.replace("results/RUN", name) for word in _words(analysis)])
    [statement] = re.findall(r"\S+\.md$", told, re.M)
    shown = told.replace(str(place) + "/", "").replace(name, "results/RUN")
    return report, shown, place / statement


def _words(command: str) -> list[str]:
    """A page's command, with this Python."""
    words = shlex.split(command.removeprefix("$ ").replace("\\\n", " "))
    return [sys.executable, *(["-m", "locust", "-f", str(ROOT / "locustfile.py")]
                              if words[0].endswith("/locust") else []), *words[1:]]  # fmt: skip


def _run(place: Path, words: list[str]) -> str:
    """What a command prints in a folder that the pages' own paths are in."""
    done = subprocess.run(
        words, cwd=place, capture_output=True, text=True, timeout=600, check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT), "OPENAI_API_KEY": KEY,
                          "WEIGHBRIDGE_LANG": "en"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


if __name__ == "__main__":
    for name in sys.argv[1:] or PAGES:
        renew(ROOT / "docs" / name)
