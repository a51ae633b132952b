"""The numbers of each phase, from its rows. None is not zero: what is not known stays None."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import fsum
from typing import TYPE_CHECKING, Any

from analysis.numbers import goodput, punctuality, streaming, warmup
from analysis.numbers.percentile import nearest_ranks
from analysis.numbers.stated_times import KINDS, possible
from analysis.numbers.unanswered import waits_s
from analysis.reading.groups import groups, known_sum, runs
from analysis.reading.subset import Chosen
from recording.events import PhaseEnd
from recording.outcome import Outcome
from rules import percentiles
from rules.slo import Slo

if TYPE_CHECKING:
    from pandas import DataFrame, Series

    from analysis.reading.load import Run

PHASE = ("phase", "mode", "scenario", "model_requested", "target", "duration_s")


def of_run(run: "Run", by: Sequence[str] = PHASE) -> list[dict[str, Any]]:
    """`summarize` of a run's rows, in the plan's order, as dictionaries.

    Phases are measured without their warm-up; other groups hold every request.
    """
    frame, plan, left = _frame(run, by, MEASURED), run.plan, dict[str, warmup.Left]()
    if "phase" in by and (warm_s := warmup.warmup_s(run)):
        frame, left = warmup.trimmed(frame, warm_s)
        plan = warmup.shorter(plan, warm_s, left)
    planned = {p["name"]: p["count"] for p in plan if p.get("count") is not None}
    walls = {p["name"]: p["wall_s"] for p in plan if p.get("wall_s") is not None}
    asked = percents_of(run)
    table = summarize(frame, by, planned, walls, goodput.slo_of(run), run.beyond, asked)
    records = table.to_dict("records")
    found = [{str(k): v for k, v in record.items()} for record in records]
    for row in found:
        if "phase" in row:
            punctuality.judge(row, run.events_of(PhaseEnd, row["phase"]))
            row.update(left.get(row["phase"], warmup.Left()).as_dict())
            row.update(_gaps(run, row, asked))
    return found


def percents_of(run: "Run") -> tuple[Fraction, ...]:
    """The percentiles that a run's numbers hold: the usual, `--percentiles`, those of a check."""
    options = run.manifest.get("options") or {}
    try:
        asked = percentiles.parse(str(options.get("percentiles") or ""))
    except percentiles.PercentError:
        asked = ()
    return tuple(sorted({*percentiles.USUAL, *asked, *run.percents}))


def _gaps(run: "Run", row: dict[str, Any], asked: Sequence[Fraction]) -> dict[str, float | None]:
    """The percentiles of all the gaps between chunks of a phase's measured streams together."""
    counts = streaming.of_phase(run, row["phase"]) if row["streams"] else None
    return {
        f"itl_{percentiles.label(p)}_s": None if counts is None else streaming.gap_s(counts, p)
        for p in asked
    }


def costs_of_run(run: "Run", by: Sequence[str]) -> list[dict[str, Any]]:
    """Of each group of a run's rows its key and, of `of_run`'s numbers, those about money."""
    frame = _frame(run, by, ["success", "outcome", "total_tokens", "api_cost", "cost_source"])
    found = []
    for key, rows in groups(frame, by):
        good, sent = _good_and_sent(rows)
        names = {k: _plain(v) for k, v in zip(by, key, strict=True)}
        counts = {"sent": len(sent), "success": len(good)}
        tokens = {"total_tokens": _sum(good, "total_tokens")}
        found.append(names | counts | tokens | _costs(sent, good))
    return found


def _frame(run: "Run", by: Sequence[str], columns: Sequence[str]) -> "DataFrame":
    streams = any(phase.get("stream", True) for phase in run.plan)
    more = streaming.COLUMNS if streams and columns is MEASURED else ()
    recorded = dict.fromkeys(name for name in (*by, *columns, *more) if name != "task_prefix")
    frame = run.rows.frame(list(recorded))
    if "task_prefix" in by:
        frame["task_prefix"] = run.rows.task_prefixes()
    return frame


def summarize(
    requests: "DataFrame",
    by: Sequence[str] = PHASE,
    planned: Mapping[str, int] | None = None,
    walls: Mapping[str, float] | None = None,
    slo: Slo | None = None,
    beyond: Mapping[str, int] | None = None,
    asked: Sequence[Fraction] = percentiles.USUAL,
) -> "DataFrame":
    """One row a group of requests (columns: `by`, then `measure`'s), in order of appearance.

    `planned` says how many requests a phase was to send (else: its rows); `walls` its wall
    clock in seconds where the rows do not tell it (else: the last completion); `slo` which of
    them were good; `beyond` how many of a phase were not sent and have no row. Cells are plain
    Python values, None where nothing is known. A group's wall clock is the sum of its phases'.
    """
    import pandas as pd

    last, held = {}, {}
    for (name,), rows in groups(requests, ("phase",)):
        held[name] = len(rows)
        if rows["done_offset_s"].notna().any():
            last[name] = _wall_s(rows)
    last.update(walls or {})
    expected = {name: max(n, (planned or {}).get(name, 0)) for name, n in held.items()}
    records: list[dict[str, Any]] = []
    for key, rows in groups(requests, by):
        phases = rows["phase"].iloc[runs(rows, ["phase"])].unique()
        whole = len(rows) == sum(held[name] for name in phases)
        names = {k: _plain(v) for k, v in zip(by, key, strict=True)}
        count = sum(expected[name] for name in phases) if whole else len(rows)
        known = [last[name] for name in phases if name in last]
        wall_s = fsum(known) if len(known) == len(phases) else None
        numbers = measure(rows, count, wall_s, slo, asked)
        if whole and (more := sum((beyond or {}).get(name, 0) for name in phases)):
            _leave(numbers, more)
        records.append({**names, "planned": count, "wall_s": wall_s, **numbers})
    return pd.DataFrame(records, dtype=object)


def measure(
    rows: "DataFrame",
    planned: int,
    wall_s: float | None,
    slo: Slo | None = None,
    asked: Sequence[Fraction] = percentiles.USUAL,
) -> dict[str, Any]:
    """Every number of a group's rows but `planned` and `wall_s`; the names end in their units."""
    good, sent = _good_and_sent(rows)
    latency = good["elapsed_sec"]
    return {
        "recorded": len(rows),
        "sent": len(sent),
        "success": len(good),
        "failures": len(sent) - len(good),
        "dropped": len(rows) - len(sent),
        "parts": _parts(sent),
        "success_rate": len(good) / planned if planned else None,
        "status_counts": _statuses(rows),
        "outcomes": _counts(rows, "outcome"),
        **_rates(rows, good, planned, wall_s),
        **goodput.numbers(rows, planned, wall_s, slo),
        **_percentiles("latency", latency, asked),
        "unanswered": len(waits_s(rows)),
        "latency_mean_s": _mean(latency),
        "latency_max_s": _extreme(latency, "max"),
        **_percentiles("latency_from_due", good["elapsed_from_due_s"], asked),
        **_streams(good, asked),
        **_output(good, wall_s),
        **_sending(sent, asked),
        **{name: _sum(good, name) for name in _TOKENS},
        **_costs(sent, good),
        "marker_rate": _share(good, "marker_ok"),
        "checks": _counted(check_words(rows["check"])),
        "checks_failed": _judged_wrong(rows),
        **_stated(good, asked),
    }


def _stated(good: Chosen, asked: Sequence[Fraction]) -> dict[str, Any]:
    """What the headers of successes say that the gateway and its upstream took."""
    numbers: dict[str, Any] = {}
    for kind in KINDS:
        told = possible(good[f"stated_{kind}_s"], good["elapsed_sec"])
        numbers[f"stated_{kind}_count"] = int(told.notna().sum())
        numbers |= _percentiles(f"stated_{kind}", told, asked)
    return numbers | {"stated_times_from": _counts(good, "stated_times_from")}


def _leave(numbers: dict[str, Any], more: int) -> None:
    """Count requests that were not sent and have no row."""
    numbers["recorded"] += more
    numbers["dropped"] += more
    for name, key in (("outcomes", Outcome.DROPPED.value), ("status_counts", "None")):
        numbers[name] = numbers[name] | {key: numbers[name].get(key, 0) + more}


MEASURED = [
    "attempt",
    "mode",
    "model_requested",
    "stream",
    "success",
    "outcome",
    "http_status",
    "check",
    "scheduled_offset_s",
    "sent_offset_s",
    "done_offset_s",
    "send_lag_s",
    "elapsed_sec",
    "elapsed_from_due_s",
    "ttft_s",
    "first_visible_s",
    "inter_chunk_p50_s",
    "inter_chunk_max_s",
    "chunks",
    "connection_reused",
    "prompt_tokens",
    "completion_tokens",
    "reasoning_tokens",
    "cached_tokens",
    "total_tokens",
    "api_cost",
    "cost_source",
    "marker_ok",
    "stated_overhead_s",
    "stated_upstream_s",
    "stated_times_from",
    "phase",
    "duration_s",
]
"""The columns that `measure` and `summarize` read, those to group by apart."""
_TOKENS = (
    "prompt_tokens",
    "completion_tokens",
    "reasoning_tokens",
    "cached_tokens",
    "total_tokens",
)


def _good_and_sent(rows: "DataFrame") -> tuple[Chosen, Chosen]:
    good = Chosen.of(rows, rows["success"])
    return good, Chosen.of(rows, rows["outcome"] != Outcome.DROPPED)


def _rates(rows: "DataFrame", good: Chosen, planned: int, wall_s: float | None) -> dict[str, Any]:
    """Offered and achieved per minute: over the wall clock, and inside the window alone."""
    tokens = _sum(good, "total_tokens")
    windows = rows.iloc[runs(rows, ["phase"])].drop_duplicates("phase")["duration_s"]
    window_s = float(windows.sum()) if len(windows) and windows.notna().all() else None
    open_loop = window_s is not None and bool(rows["scheduled_offset_s"].notna().any())
    inside = good.where(rows["done_offset_s"] <= rows["duration_s"])
    measured = bool(window_s) and bool(good["done_offset_s"].notna().any())
    return {
        "observed_rpm": _per_minute(len(good), wall_s),
        "observed_tpm": _per_minute(tokens, wall_s),
        "offered_rpm": _per_minute(planned, window_s) if open_loop else None,
        "window_rpm": _per_minute(len(inside), window_s) if measured else None,
        "window_tpm": _per_minute(_sum(inside, "total_tokens"), window_s) if measured else None,
    }


def _streams(good: Chosen, asked: Sequence[Fraction]) -> dict[str, Any]:
    """Token timing of streams. An unknown TPOT counts as the longest: a percentile that would be
    one of them is unknown."""
    import numpy as np

    streams = streaming.of(good)
    judged, held = streaming.held_back(streams)
    tpot = streaming.tpot_s(streams)
    untold = streaming.untold(streams)
    ranked = _percentiles("tpot", tpot.mask(untold, np.inf), asked)
    return {
        "streams": len(streams),
        "streams_judged": int(judged.sum()),
        "streams_buffered": int(held.sum()),
        **_percentiles("ttft", streams["ttft_s"], asked),
        **_percentiles("first_visible", good["first_visible_s"], asked),
        **{name: None if value == np.inf else value for name, value in ranked.items()},
        "tpot_unknown_count": int(untold.sum()),
        **_percentiles("tail", streams["elapsed_sec"] - streams["last_token_s"], asked),
        **_percentiles("inter_chunk", good["inter_chunk_p50_s"], asked),
        "inter_chunk_max_s": _extreme(good["inter_chunk_max_s"], "max"),
        "stalls": _sum(streams, "stalls"),
        "stalled_streams": int((streams["stalls"] > 0).sum()) if len(streams) else None,
        "chunks": _sum(good, "chunks"),
        "tokens_per_chunk": streaming.tokens_per_chunk(streams),
    }


def _output(good: Chosen, wall_s: float | None) -> dict[str, Any]:
    """Output tokens a second: all successes over the wall clock, and one by one over its latency.

    Of the single ones the median, and the rate that all but 5 % reach.
    """
    tokens = _sum(good, "completion_tokens")
    timed = good.where(good.rows["elapsed_sec"] > 0)
    rate = timed["completion_tokens"].astype("float64") / timed["elapsed_sec"]
    median, slow = nearest_ranks(rate.dropna().to_numpy(dtype="float64"), (50, 5))
    return {
        "output_per_s": None if tokens is None or not wall_s else tokens / wall_s,
        "request_output_p50_per_s": median,
        "request_output_p5_per_s": slow,
    }


def _sending(sent: Chosen, asked: Sequence[Fraction]) -> dict[str, Any]:
    """How punctual the generator was, and how far apart it sent the first and the last request."""
    offsets = sent["sent_offset_s"].dropna()
    found = offsets.groupby(_attempts(sent)[offsets.index])
    spread = float((found.max() - found.min()).max()) if len(offsets) else None
    return {
        **_percentiles("send_lag", sent["send_lag_s"], asked),
        "send_lag_max_s": _extreme(sent["send_lag_s"], "max"),
        "release_skew_s": spread,
        "connections_reused_rate": _share(sent, "connection_reused"),
    }


def _attempts(rows: "DataFrame | Chosen") -> "Series[int]":
    """Which attempt at the run each row is of; the first, where the row does not say."""
    found: Series[int] = rows["attempt"].fillna(1)
    return found


def _wall_s(rows: "DataFrame") -> float:
    """How long a phase took: each attempt at it to its last completion, offsets begin anew."""
    done = rows["done_offset_s"].dropna()
    return fsum(done.groupby(_attempts(rows)[done.index]).max())


def _parts(sent: Chosen) -> list[int] | None:
    """How many requests each attempt at the run sent; None: one sent all."""
    counts = _attempts(sent).value_counts().sort_index()
    return [int(count) for count in counts] if len(counts) > 1 else None


def _costs(sent: Chosen, good: Chosen) -> dict[str, Any]:
    """Money, in the run's currency. A sum is of what is known; how much is not is beside it."""
    total, count = _money(sent), int(sent["api_cost"].notna().sum())
    unknown = int(good["api_cost"].isna().sum())
    return {
        "cost_sum": total,
        "cost_known_count": count,
        "cost_unknown_count": len(sent) - count,
        "cost_unknown_success_count": unknown,
        "cost_per_request": None if total is None else total / count,
        "cost_per_success": None
        if total is None or unknown or not len(good)
        else total / len(good),
        "cost_per_1k_tokens": _per_1k_tokens(sent),
        "cost_unknown_share": (len(sent) - count) / len(sent) if len(sent) else None,
        "cost_on_failures": _money(sent.where(~sent.rows["success"])),
        "cost_sources": _counts(sent, "cost_source"),
    }


def _per_1k_tokens(sent: Chosen) -> float | None:
    """Money per 1,000 tokens, over the requests of which both are known."""
    both = sent.where(sent.rows["api_cost"].notna() & sent.rows["total_tokens"].notna())
    money, tokens = _money(both), _sum(both, "total_tokens")
    return money / tokens * 1000 if money is not None and tokens else None


def _plain(value: Any) -> Any:
    """A Python value of a group's key; None when it is missing."""
    import pandas as pd

    if pd.isna(value):
        return None
    return value.item() if hasattr(value, "item") else value


def _percentiles(name: str, values: Any, asked: Sequence[Fraction]) -> dict[str, float | None]:
    found = nearest_ranks(values.dropna().to_numpy(dtype="float64"), asked)
    return {f"{name}_{percentiles.label(p)}_s": v for p, v in zip(asked, found, strict=True)}


def _mean(values: Any) -> float | None:
    known = values.dropna()
    return known_sum(known) / len(known) if len(known) else None


def _extreme(values: Any, which: str) -> float | None:
    return float(getattr(values, which)()) if values.notna().any() else None


def _sum(rows: "DataFrame | Chosen", name: str) -> int | None:
    known = rows[name].dropna()
    return int(known.sum()) if len(known) else None


def _money(rows: Chosen) -> float | None:
    known = rows["api_cost"].dropna()
    return known_sum(known) if len(known) else None


def _share(rows: Chosen, name: str) -> float | None:
    """The share of true among the rows that say true or false."""
    known = rows[name].dropna()
    return float(known.mean()) if len(known) else None


def check_words(checks: "Series[str]") -> "Series[str]":
    """The single words of a `check` column, verdicts and flags, each under its row's label."""
    words: Series[str] = checks.dropna().str.split().explode()
    return words


def _counts(rows: "DataFrame | Chosen", name: str) -> dict[str, int]:
    """How often each value occurs, the commonest first."""
    return _counted(rows[name])


def _counted(values: "Series[str]") -> dict[str, int]:
    return {str(k): int(v) for k, v in values.value_counts().items()}


def _judged_wrong(rows: "DataFrame") -> int | None:
    """How many answers a probe judged wrong; None when it judged none. Flags are no judgement."""
    words = check_words(rows["check"])
    judged = words[words.isin(["pass", "fail"])]
    return int((judged == "fail").sum()) if len(judged) else None


def _statuses(rows: "DataFrame") -> dict[str, int]:
    """How often each HTTP status occurs, None last: `{"200": 599, "None": 1}`."""
    found = {str(k): int(v) for k, v in rows["http_status"].value_counts().sort_index().items()}
    none = int(rows["http_status"].isna().sum())
    return found | ({"None": none} if none else {})


def _per_minute(amount: int | None, seconds: float | None) -> float | None:
    return None if amount is None or not seconds else amount / seconds * 60
