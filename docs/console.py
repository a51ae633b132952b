"""The console blocks of a page: commands, and of what they print, what the page shows.

A line `...` stands for what a page leaves out between its neighbours.
"""

import re
from dataclasses import dataclass
from itertools import pairwise

FENCED = re.compile(r"^```console\n(.*?)^```\n", re.S | re.M)
COMMAND = re.compile(r"^(\w*\$ (?:[^\n]*\\\n)*[^\n]*\n)", re.M)
"""One of another machine, `master$ ...`, shows no output, so it is never run."""
RUN = re.compile(r"\b[a-z]+-\d{8}T\d{6}-[0-9a-f]{4}\b")
LOGGED = re.compile(r"^\[\d{4}-[^\]]*\] \S+: ")
"""When, where and how gravely a line of the log was written."""
LEFT_OUT = "..."
EDGE = ""
"""Stands for the beginning and for the end of what a command prints."""


@dataclass(frozen=True)
class Block:
    """A console block: what stands in it before its first command (nothing, unless it shows
    something else), its commands with `$ `, and what is shown of each."""

    before: str
    commands: tuple[str, ...]
    shown: tuple[str, ...]

    def has_output(self) -> bool:
        return any((self.before, *self.shown))

    def again(self, printed: str) -> str:
        """The block with what its commands, and the same number of them, print today."""
        today = block(printed)
        assert len(today.commands) == len(self.commands), printed
        steps = zip(today.commands, today.shown, self.shown, strict=True)
        return "".join(command + elided(new, old) for command, new, old in steps)


def block(text: str) -> Block:
    """What stands between the fences, or on a terminal."""
    before, *steps = COMMAND.split(text)
    return Block(before, tuple(steps[::2]), tuple(steps[1::2]))


def elided(printed: str, shown: str) -> str:
    """What is printed today, without what the page leaves out: nothing of it where the page shows
    nothing, and `...` for lines where the page has `...` between the same neighbours. Lines are
    the same if they begin with the same word: a level, a phase, a file."""
    if not shown:
        return ""
    old = [EDGE, *(_kind(line) for line in shown.splitlines() if line.strip()), EDGE]
    gaps = {(a, b) for a, here, b in zip(old, old[1:], old[2:], strict=False) if here == LEFT_OUT}
    lines = printed.splitlines(keepends=True)
    kept = [place for place, line in enumerate(lines) if _kind(line) in {*old} - {EDGE, LEFT_OUT}]
    made = []
    for here, there in pairwise([-1, *kept, len(lines)]):
        between = "".join(lines[here + 1 : there])
        ends = tuple(_kind(lines[p]) if 0 <= p < len(lines) else EDGE for p in (here, there))
        made += [f"{LEFT_OUT}\n" if between.strip() and ends in gaps else between]
        made += lines[there : there + 1]
    return "".join(made)


def _kind(line: str) -> str:
    """The first word of a line, without the run's name; of a line of the log, of its message."""
    message = RUN.sub("", LOGGED.sub("[", line)).strip()
    return message if message in (EDGE, LEFT_OUT) else message.split()[0]
