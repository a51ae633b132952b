"""A long window divided into buckets of time: what drifted, and where it changed.

A request belongs to the bucket in which it was due (closed-loop: sent); rates count what was
completed in the bucket. Only whole buckets after the warm-up are tested for drift and changes:

- *Drift* is the Theil-Sen slope (the median slope of all pairs of buckets) with Sen's interval.
- A *change point* is where Pettitt's rank test cuts the series, and, cut after cut, its parts;
  with few buckets on one side, where all of them lie far outside the others (edges.py).

One bad bucket moves neither, and both allow for correlated neighbours: what neighbours share, by
the correlation of their ranks, counts once. A series is called drifting or changed only at a
p-value of at most 0.002, because many series are tested. With 20 strongly correlated buckets
(AR(1) 0.9), 5 % of level series are still called drifting. Such a p-value takes about twelve
buckets for a change, and ten for a drift; the smallest change that would have been seen is worked
out from the series itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, erfc, exp, floor, sqrt
from typing import TYPE_CHECKING, Any

from analysis.numbers import edges
from analysis.numbers.percentile import nearest_ranks
from analysis.numbers.phase_numbers import PhaseNumbers
from analysis.numbers.warmup import began_s, warmup_s
from analysis.reading.load import Run

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from pandas import DataFrame

    Floats = NDArray[np.float64]

LONG_S = 180.0
"""A window of this length or more is cut into buckets."""
LEVEL = 0.002
LEAST = 8
"""The fewest buckets that are asked for drift and changes; a part has at least three."""
WATCHED = ("p50_s", "p95_s", "ttft_p50_s", "success_rate", "rpm", "tpm")
_WIDTHS = (10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
_READ = (
    "scheduled_offset_s", "sent_offset_s", "done_offset_s", "success", "elapsed_sec", "ttft_s",
    "total_tokens", "api_cost", "cancel_after",
)  # fmt: skip
_PART = 3
_MANY = 12
"""Of fewer buckets the scatter is too little known to tell a change near an end."""
_STEPS = tuple(1.05**k for k in range(1, 49))  # changes that are tried: 5 % to tenfold
_Z95 = 1.959964


@dataclass(frozen=True, slots=True)
class Bucket:
    """One stretch of a phase; None where nothing is known. `whole`: it counts for drift."""

    start_s: float
    end_s: float
    planned: int
    ok: int
    success_rate: float | None
    p50_s: float | None
    p95_s: float | None
    ttft_p50_s: float | None
    rpm: float
    tpm: float | None
    cost: float | None
    cost_unknown: int
    warmup: bool
    whole: bool


@dataclass(frozen=True, slots=True)
class Drift:
    """The change of a number from the first to the last bucket, with its 95 % interval."""

    number: str
    median: float
    change: float
    low: float
    high: float
    p: float

    @property
    def shown(self) -> bool:
        """Whether chance is an unlikely explanation (p-value)."""
        return self.p <= LEVEL and not self.low <= 0 <= self.high


@dataclass(frozen=True, slots=True)
class ChangePoint:
    """When a number changed: the medians before and after, up to the next cut."""

    number: str
    at_s: float
    before: float
    after: float
    p: float


def width_s(window_s: float) -> int:
    """The width of a window's buckets: a minute where that makes 20 to 60 of them.

    A shorter window has 20 or more if buckets of 10 s or more allow it; a longer one at most 60.
    """
    if window_s > 60 * 60:
        return next((w for w in _WIDTHS if w * 60 >= window_s), ceil(window_s / 60))
    return max(w for w in _WIDTHS[:5] if w == _WIDTHS[0] or w * 20 <= window_s)


def length_s(run: Run, phase: PhaseNumbers) -> float | None:
    """How long a phase was loaded, seconds, its warm-up included; None: it has no window."""
    planned: Mapping[str, Any] = next((p for p in run.plan if p["name"] == phase.phase), {})
    if planned.get("kind") == "manual":
        return phase.wall_s
    duration_s = planned.get("duration_s", phase.duration_s)
    return None if duration_s is None else float(duration_s)


def of_phase(run: Run, name: str, window_s: float) -> list[Bucket]:
    """The buckets of a phase that lasted `length_s`, its warm-up included."""
    import numpy as np

    rows = run.rows.frame(_READ, name)
    rows = rows[rows["cancel_after"].isna().to_numpy(dtype=bool)]
    width, warm_s = width_s(window_s), warmup_s(run)
    begun: Any = began_s(rows).to_numpy(dtype="float64", na_value=np.nan)
    done = rows["done_offset_s"].to_numpy(dtype="float64", na_value=np.nan)
    last = np.nanmax(np.where(rows["sent_offset_s"].notna(), begun, np.nan), initial=0.0)
    observed_s = min(window_s, max(float(last), float(np.nanmax(done, initial=0.0))))
    good = rows["success"].to_numpy(dtype=bool)
    starts = range(0, ceil(window_s), width)
    edges = [*starts, window_s]
    planned, ended = _cut(begun, edges), _cut(np.where(good, done, np.nan), edges)
    buckets = []
    for number, start in enumerate(starts):
        end = edges[number + 1]
        due, completed = rows.iloc[planned[number]], rows.iloc[ended[number]]
        is_whole = end - start == width and end <= observed_s + 1e-9 and start >= warm_s
        buckets.append(_bucket(due, completed, start, end, start < warm_s, is_whole))
    return buckets


def _cut(times: "Floats", edges: Sequence[float]) -> "list[NDArray[np.int64]]":
    """The places of the times between each edge and the next, in order."""
    import numpy as np

    number = np.searchsorted(edges, times, side="right")  # unknown values come last
    number = number.astype(np.min_scalar_type(len(edges)))  # few bits are sorted faster
    order = np.argsort(number, kind="stable")
    bounds = np.searchsorted(number[order], np.arange(1, len(edges) + 1))
    return [order[a:b] for a, b in zip(bounds[:-1], bounds[1:], strict=True)]


def _bucket(
    due: "DataFrame", completed: "DataFrame", start: float, end: float, warmup: bool, is_whole: bool
) -> Bucket:
    """One bucket: of the rows due in it and the successes that ended in it."""
    ok = due[due["success"].to_numpy(dtype=bool)]
    planned, cost = len(due), due["api_cost"].dropna()
    tokens = completed["total_tokens"].dropna()
    minutes = (end - start) / 60
    p50_s, p95_s = _percentiles(ok["elapsed_sec"], 50, 95)
    return Bucket(
        start_s=float(start),
        end_s=float(end),
        planned=planned,
        ok=len(ok),
        success_rate=len(ok) / planned if planned else None,
        p50_s=p50_s,
        p95_s=p95_s,
        ttft_p50_s=_percentiles(ok["ttft_s"], 50)[0],
        rpm=len(completed) / minutes,
        tpm=float(tokens.sum()) / minutes if len(tokens) == len(completed) else None,
        cost=float(cost.sum()) if len(cost) else None,
        cost_unknown=int(ok["api_cost"].isna().sum()),
        warmup=warmup,
        whole=is_whole,
    )


def _percentiles(values: Any, *percents: int) -> list[float | None]:
    return nearest_ranks(values.dropna().to_numpy(dtype="float64"), percents)


def judge(buckets: list[Bucket]) -> tuple[list[Drift], list[ChangePoint]]:
    """The drift of every number that is known in enough buckets, and its changes."""
    import numpy as np

    drifts, changes = [], []
    for number in WATCHED:
        known = [
            (bucket.start_s, value)
            for bucket in buckets
            if bucket.whole and (value := getattr(bucket, number)) is not None
        ]
        if len(known) < LEAST:
            continue
        at = np.array([time for time, _ in known])
        values = np.array([value for _, value in known], dtype="float64")
        drifts.append(drift(number, at, values))
        changes += change_points(number, at, values)
    return drifts, changes


def drift(number: str, at: "Floats", values: "Floats") -> Drift:
    """Theil-Sen over the whole series, with Sen's interval and Mann and Kendall's p-value."""
    import numpy as np

    count = len(values)
    left, right = np.triu_indices(count, 1)
    slopes = np.sort((values[right] - values[left]) / (at[right] - at[left]))
    score = float(np.sign(values[right] - values[left]).sum())
    slope, span_s = float(np.median(slopes)), float(at[-1] - at[0])
    shared = _shared(values - slope * (at - at[0]))
    spread = sqrt(_variance(values) * shared)
    p = erfc(max(0.0, abs(score) - 1) / spread / sqrt(2)) if spread else 1.0
    reach = _Z95 * spread
    low = slopes[max(0, floor((len(slopes) - reach) / 2) - 1)]
    high = slopes[min(len(slopes) - 1, ceil((len(slopes) + reach) / 2))]
    return Drift(
        number, float(np.median(values)), slope * span_s, float(low * span_s),
        float(high * span_s), p,
    )  # fmt: skip


def _variance(values: "Floats") -> float:
    """Of Mann and Kendall's score, with its correction for ties."""
    import numpy as np

    count = len(values)
    ties = np.unique(values, return_counts=True)[1].astype("float64")
    tied = float((ties * (ties - 1) * (2 * ties + 5)).sum())
    return (count * (count - 1) * (2 * count + 5) - tied) / 18


def _shared(values: "Floats") -> float:
    """How much the variance of a sum grows because neighbours are correlated: (1 + r) / (1 - r).

    r is the correlation of ranks with the next one's, corrected for its bias in short series.
    """
    import numpy as np

    count = len(values)
    ranks = _ranks(values)
    total = float((ranks**2).sum())
    if count < 4 or not total or not np.ptp(values):
        return 1.0
    r = float((ranks[1:] * ranks[:-1]).sum()) / total
    r = min(0.9, max(0.0, r + (1 + 3 * r) / count))
    return (1 + r) / (1 - r)


def _ranks(values: "Floats") -> "Floats":
    """For each value, how many it exceeds minus how many exceed it; ties get equal ranks."""
    import numpy as np

    ranks: Floats = np.sign(values[:, None] - values[None, :]).sum(axis=1)
    return ranks


def change_points(number: str, at: "Floats", values: "Floats") -> list[ChangePoint]:
    """Where the series changed, in order of time."""
    import numpy as np

    cuts = sorted(_cuts(values, 0))
    edges = [0, *(place for place, _ in cuts), len(values)]
    medians = [float(np.median(values[a:b])) for a, b in zip(edges, edges[1:], strict=False)]
    return [
        ChangePoint(number, float(at[place]), medians[i], medians[i + 1], p)
        for i, (place, p) in enumerate(cuts)
    ]


def visible(values: "Floats") -> float | None:
    """The smallest change that this series would have shown, as a share; None: not even tenfold.

    The series is levelled (changes and drift removed). Then everything after a quarter, a half or
    three quarters of it is raised, until the change is found at each of these places.
    """
    import numpy as np

    count = len(values)
    cuts = [0, *sorted(place for place, _ in _cuts(values, 0)), count]
    level = float(np.median(values))
    flat = values.copy()
    for a, b in zip(cuts, cuts[1:], strict=False):
        flat[a:b] += level - float(np.median(values[a:b]))
    places = [round(count * share) for share in (0.25, 0.5, 0.75)]

    def detected(times: float) -> bool:
        for place in places:
            raised = np.concatenate([flat[:place], flat[place:] * times])
            if not any(abs(cut - place) <= 1 for cut, _ in _cuts(raised, 0)):
                return False
        return True

    low, high = -1, len(_STEPS) - 1
    if not detected(_STEPS[high]):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if detected(_STEPS[middle]) else (middle, high)
    return _STEPS[high] - 1


def visibles(buckets: list[Bucket]) -> dict[str, float | None]:
    """For every number tested for changes, the smallest change that would have been seen."""
    import numpy as np

    sizes = dict[str, float | None]()
    for number in WATCHED:
        known = [v for b in buckets if b.whole and (v := getattr(b, number)) is not None]
        if len(known) >= LEAST:
            sizes[number] = visible(np.array(known, dtype="float64"))
    return sizes


def _cuts(values: "Floats", offset: int) -> list[tuple[int, float]]:
    """Pettitt's test on the series, then on both of its parts."""
    import numpy as np

    count = len(values)
    if count < LEAST:
        return []
    ranks = _ranks(values)
    sums = np.abs(np.cumsum(ranks))[_PART - 1 : count - _PART]
    cut = int(np.argmax(sums)) + _PART
    before, after = values[:cut], values[cut:]
    rest = np.concatenate([before - np.median(before), after - np.median(after)])
    height = float(sums.max()) / sqrt(_shared(rest))
    p = min(1.0, 2 * exp(-6 * height**2 / (count**3 + count**2)))
    near = edges.beyond(values, _shared) if count >= _MANY else None
    if near is not None and near[1] < min(p, LEVEL):
        cut, p = near
        before, after = values[:cut], values[cut:]
    if p > LEVEL:
        return []
    return [(offset + cut, p), *_cuts(before, offset), *_cuts(after, offset + cut)]
