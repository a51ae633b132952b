"""The confidence interval of a share: Wilson's (1927), which also holds for few trials and for
all or none. Pure.
"""

from math import sqrt

_Z = 1.959963984540054  # 95 %, two-sided


def wilson(hits: int, count: int) -> tuple[float, float]:
    """The 95 % interval of a share, `hits` of `count` tries; from 0 to 1 without any tries.

    Raises ValueError unless 0 <= hits <= count.
    """
    if not 0 <= hits <= count:
        raise ValueError(f"{hits} of {count} is not a share")
    if not count:
        return 0.0, 1.0
    share, unit = hits / count, _Z * _Z / count
    middle = (share + unit / 2) / (1 + unit)
    reach = _Z * sqrt(share * (1 - share) / count + unit / (4 * count)) / (1 + unit)
    low = 0.0 if hits == 0 else max(0.0, middle - reach)
    high = 1.0 if hits == count else min(1.0, middle + reach)
    return low, high
