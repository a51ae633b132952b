"""Runs the Containerfile's steps in a bare root where there is no container engine. Needs root.

    debootstrap --variant=minbase --include=python3,python3-pip,ca-certificates bookworm /tmp/bare
    python deploy/bare_root.py /tmp/bare --headless --simulator --mode smoke --model gpt-5.4-nano

The root replaces the base image (`FROM`); it needs Python 3.11 or newer with pip. Every step is
then done in it as the file says: COPY copies what is committed, RUN and the ENTRYPOINT use chroot,
the latter with the given arguments and as the USER. The environment is passed on, as an engine
passes build arguments. Exits with the entrypoint's exit code.
"""

import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from json import loads
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent


def steps(text: str) -> Iterator[tuple[str, str]]:
    """Each instruction of a Containerfile and its arguments."""
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            instruction, _, words = line.partition(" ")
            yield instruction, words.strip()


class Bare:
    """A root folder in which the steps are done."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folder = "/"
        self._user = 0

    def run(self, command: Sequence[str]) -> int:
        """Runs a command in the working folder as the user; returns its exit code."""
        begin = f"cd {shlex.quote(self._folder)} && exec {shlex.join(command)}"
        prefix = ["chroot", f"--userspec={self._user}:{self._user}", str(self._root)]
        return subprocess.run([*prefix, "/bin/sh", "-c", begin], check=False).returncode

    def base(self) -> None:
        """Adds what the official image has and Debian lacks: `python`, and a pip that installs."""
        python = self._root / "usr/bin/python"
        if not python.exists():
            python.symlink_to("python3")
        for mark in self._root.glob("usr/lib/python3*/EXTERNALLY-MANAGED"):
            mark.unlink()

    def step(self, instruction: str, words: str) -> None:
        """Does one instruction before the entrypoint. Raises SystemExit if it fails."""
        match instruction:
            case "FROM":
                self.base()
            case "WORKDIR":
                self._folder = words
                self._inside(words).mkdir(parents=True, exist_ok=True)
            case "COPY":
                self._copy(words.split()[0])
            case "USER":
                self._user = int(words)
            case "RUN":
                if self.run(["/bin/sh", "-c", words]):
                    raise SystemExit(f"RUN {words} failed")
            case _:
                raise SystemExit(f"{instruction} is not supported here")

    def _inside(self, path: str) -> Path:
        return self._root / path.lstrip("/")

    def _copy(self, what: str) -> None:
        """Copies the committed files, or one of them, into the working folder."""
        with tempfile.TemporaryFile() as archive:
            chosen = [] if what == "." else [what]
            subprocess.run(["git", "archive", "HEAD", *chosen], cwd=REPOSITORY, stdout=archive,
                           check=True)  # fmt: skip
            archive.seek(0)
            subprocess.run(["tar", "-x", "-C", self._inside(self._folder)], stdin=archive,
                           check=True)  # fmt: skip


def main() -> int:
    """Does every step; returns the entrypoint's exit code."""
    bare = Bare(Path(sys.argv[1]))
    os.environ["PATH"] = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"
    for instruction, words in steps((REPOSITORY / "Containerfile").read_text(encoding="utf-8")):
        print(f"{instruction} {words}", flush=True)
        if instruction == "ENTRYPOINT":
            return bare.run([*loads(words), *sys.argv[2:]])
        bare.step(instruction, words)
    raise SystemExit("the Containerfile has no ENTRYPOINT")


if __name__ == "__main__":
    sys.exit(main())
