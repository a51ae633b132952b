"""A terminal in which a page's commands are run: a folder like a checkout, but empty of results."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LEFT_OUT = ("results", ".env", ".git", "locust.conf")
LONGEST_S = 900
END = "END OF COMMAND"
TYPED = f"""
trap 'echo "{END}"; kill $(jobs -p) 2>/dev/null' EXIT
typed() {{ local code=$?; cat; return $code; }}
"""
"""Servers of a block end with it, and what they then print is not shown; showing a command leaves
`$?` as it was."""
LISTENS = """set -e
listens() { until (exec 3<>/dev/tcp/127.0.0.1/$1) 2> /dev/null; do sleep 0.1; done; }
"""
START = "sleep 3\n"
"""How long a server takes to start, and a reader to type the next command."""


@dataclass(frozen=True)
class Session:
    """The folder, and the language of what is printed (`en` or `zh`)."""

    folder: Path
    lang: str = "en"

    def run(self, commands: Iterable[str]) -> str:
        """What a terminal shows of these commands, run one after another in one shell: each
        command (`$ ...`) as it is typed, then what it prints on either stream."""
        typed = "".join(
            f"typed <<'{END}'\n{command}{END}\n{command.removeprefix('$ ')}"
            + (START if command.endswith("&\n") else "")
            for command in commands
        )
        done = subprocess.run(
            ["bash", "-c", TYPED + typed],
            cwd=self.folder, env=self.environment(), stdin=subprocess.DEVNULL, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LONGEST_S, check=False,
        )  # fmt: skip
        shown = done.stdout[: done.stdout.rindex(f"{END}\n")]
        return shown.replace(f"{self.folder}/", "")

    def written(self) -> list[Path]:
        """The reports and statements of all runs so far."""
        return sorted((self.folder / "results").glob("*/*.md"))

    def environment(self) -> dict[str, str]:
        """The operator's own gateway and language play no part."""
        kept = {
            name: value for name, value in os.environ.items()
            if not name.startswith("WEIGHBRIDGE_") and not name.endswith(("_API_KEY", "_BASE_URL"))
        }  # fmt: skip
        return kept | {
            "PATH": f"{self.folder}/.venv/bin:{kept['PATH']}", "WEIGHBRIDGE_LANG": self.lang,
            "PYTHONUNBUFFERED": "1",
        }  # fmt: skip


@contextmanager
def session(lang: str = "en", setup: str = "true") -> Iterator[Session]:
    """A session in a temporary folder that links to all that a checkout holds. The servers that
    the script `setup` starts in the background, after `listens PORT` where it waits for one,
    run until the end."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for held in ROOT.iterdir():
            if held.name not in LEFT_OUT:
                (folder / held.name).symlink_to(held)
        made = Session(folder, lang)
        with (folder / "setup.log").open("w") as log:
            shell = subprocess.Popen(
                ["bash", "-c", LISTENS + setup], cwd=folder, env=made.environment(),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        try:
            assert shell.wait(LONGEST_S) == 0, (folder / "setup.log").read_text("utf-8")
            yield made
        finally:
            with suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGTERM)
