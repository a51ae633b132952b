"""Fisher's exact test of whether one group repeats its commonest answer more often. Pure."""

from collections import Counter
from collections.abc import Sequence
from math import comb


def more_alike(some: Sequence[str], others: Sequence[str]) -> float:
    """The one-sided p-value of the hypothesis that `some` agree no more than `others` do.

    Each answer either equals the commonest one of its group or does not; the table's margins are
    held fixed (Fisher, 1922). 1.0 if a group is empty.
    """
    if not some or not others:
        return 1.0
    alike = Counter(some).most_common(1)[0][1]
    total = alike + Counter(others).most_common(1)[0][1]
    all_tables = comb(len(some) + len(others), total)
    most = min(len(some), total)
    return sum(
        comb(len(some), k) * comb(len(others), total - k) for k in range(alike, most + 1)
    ) / all_tables  # fmt: skip
