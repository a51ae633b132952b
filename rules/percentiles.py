"""Percentiles chosen by the operator, e.g. `50,90,99,99.9`, and the names of their numbers.
Pure.
"""

import re
from fractions import Fraction

from recording.errors import OperatorError

USUAL = (Fraction(50), Fraction(95), Fraction(99))
MOST = 10
_NUMBER = re.compile(r"(?:[0-9]{1,2})(?:\.[0-9]{1,6})?")
_LABEL = re.compile(r"p([0-9]{1,2}(?:_[0-9]{1,6})?)_s\Z")


class PercentError(OperatorError):
    """A list of percentiles cannot be used; the message is one sentence for the operator."""


def parse(text: str) -> tuple[Fraction, ...]:
    """The percentiles of a list, ascending and unique; the defaults if empty. Raises
    PercentError.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    for part in parts:
        if not _NUMBER.fullmatch(part) or not 0 < Fraction(part) < 100:
            raise PercentError(
                "--percentiles takes numbers above 0 and below 100, separated by commas, e.g. "
                f"50,90,99,99.9, not {part[:40]!r}."
            )
    shares = tuple(sorted({Fraction(part) for part in parts}))
    if len(shares) > MOST:
        raise PercentError(f"--percentiles takes at most {MOST}, not {len(shares)}: name fewer.")
    return shares or USUAL


def label(percent: Fraction | int) -> str:
    """The percentile in a number's name: `p50`, `p99_9`."""
    return f"p{decimal(percent).replace('.', '_')}"


def decimal(percent: Fraction | int) -> str:
    """The percentile in decimal: `50`, `99.9`."""
    return f"{float(percent):.6f}".rstrip("0").rstrip(".")


def of_name(name: str) -> Fraction | None:
    """The percentile at the end of a number's name (`ttft_p99_9_s`: 99.9); None: it has none."""
    match = _LABEL.search(name)
    percent = Fraction(match[1].replace("_", ".")) if match else Fraction(0)
    return percent if 0 < percent < 100 else None
