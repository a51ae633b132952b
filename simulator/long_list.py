"""Long lists that a prompt asks for: a line for each whole number of a range."""

import re
from random import Random

from simulator.profile import Reply

_ASKED = re.compile(
    r"^Write(?: the line `([^`]*)\bN\b([^`]*)` for)? each whole number N from (\d+) to (\d+)"
)


def written(prompt: str, most: int, rule: Reply, dice: Random) -> str | None:
    """The list, of `most` lines or fewer; None if the prompt asks for none.

    No line has less than a token, so no budget of `most` tokens holds more.
    """
    match = _ASKED.match(prompt)
    if match is None:
        return None
    before, after = match[1] or "", match[2] or ""
    first, last = int(match[3]), int(match[4])
    count = min(last - first + 1, most)
    if rule.list_lines:
        length = rule.list_lines * dice.lognormvariate(0.0, rule.list_spread)
        count = max(1, min(count, round(length)))
    return "\n".join(f"{before}{first + place}{after}" for place in range(count))
