"""Each condition that spoils a comparison is named, and sound routes are never accused."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from analysis.page.words import Lang, Words
from analysis.pairs.findings import Finding
from analysis.pairs.guards import findings
from analysis.pairs.pairing import paired
from analysis.pairs.verdict import Conclusion, judge_pairs
from tests.analysis.pairs.world import World

LANGS: tuple[Lang, ...] = ("en", "zh")
Trap = Callable[[pd.DataFrame], pd.DataFrame]


def findings_by_name(rows: pd.DataFrame) -> dict[str, Finding]:
    (pairs,) = paired(rows)
    return {finding.name: finding for finding in findings(pairs)}


def only(rows: pd.DataFrame, arm: str, **cells: object) -> pd.DataFrame:
    """These rows with these cells set in one arm."""
    rows = rows.copy()
    for name, cell in cells.items():
        if isinstance(cell, str) or rows[name].dtype == object:
            rows[name] = rows[name].astype(object)
        else:
            rows[name] = rows[name].astype("float64")
        rows.loc[rows["arm"] == arm, name] = cell
    return rows


def refused(rows: pd.DataFrame, arms: tuple[str, ...] = ("a", "b")) -> pd.DataFrame:
    rows = rows.copy()
    hit = rows["arm"].isin(arms) & (rows["request_index"] % 10 == 0)
    rows.loc[hit, ["success", "outcome", "http_status"]] = [False, "rate_limited", 429]
    return rows


def counted_down(rows: pd.DataFrame, shared: bool) -> pd.DataFrame:
    """A bucket of 1,000 requests for both arms, or one each."""
    rows = rows.sort_values("sent_offset_s").copy()
    used = np.arange(len(rows)) if shared else rows.groupby("arm").cumcount()
    return rows.assign(
        ratelimit_limit_requests=1_000, ratelimit_remaining_requests=999 - used
    ).sort_index()


def unknown_model(rows: pd.DataFrame, arm: str) -> pd.DataFrame:
    rows = rows.copy()
    hit = rows["arm"] == arm
    rows.loc[hit, ["success", "outcome", "http_status"]] = [False, "not_found", 404]
    return rows


def warm(rows: pd.DataFrame) -> pd.DataFrame:
    """The second request of a pair finds the first one's prompt."""
    second = rows.groupby("request_index")["sent_offset_s"].rank() == 2
    return rows.assign(cached_tokens=np.where(second, 8, 0))


def replayed(rows: pd.DataFrame) -> pd.DataFrame:
    names = "kept-" + rows["request_index"].astype(str)
    return rows.assign(completion_id=names, completion_created=1_700_000_000)


def buffered(rows: pd.DataFrame, arm: str) -> pd.DataFrame:
    rows = rows.copy()
    held = rows["arm"] == arm
    rows.loc[held, "ttft_s"] = rows["last_token_s"] - 0.0001
    return rows


def cached(rows: pd.DataFrame) -> pd.DataFrame:
    return only(rows, "b", cached_tokens=6)


TRAPS: dict[str, tuple[Trap, set[str]]] = {
    "rate_limited": (refused, {"ttft", "tpot", "total", "cost", "success"}),
    "shared_limit": (lambda rows: counted_down(rows, True), {"success"}),
    "no_success": (
        lambda rows: unknown_model(rows, "b"),
        {"ttft", "tpot", "total", "cost"},
    ),
    "cached": (cached, {"ttft", "tpot", "total", "cost"}),
    "warmed": (warm, set()),
    "replayed": (replayed, {"ttft", "tpot", "total", "cost"}),
    "other_model": (
        lambda rows: only(
            only(rows, "a", model_returned="gpt-mini"), "b", model_returned="gpt-large"
        ),
        {"ttft", "tpot", "total", "cost"},
    ),
    "other_prompt": (
        lambda rows: only(rows, "a", prompt_tokens=50),
        {"ttft", "tpot", "total", "cost"},
    ),
    "buffered": (lambda rows: buffered(rows, "a"), {"ttft", "tpot"}),
    "late": (lambda rows: only(rows, "a", send_lag_s=0.2), {"ttft", "tpot", "total"}),
    "unlike_lengths": (lambda rows: only(rows, "a", completion_tokens=25), {"total"}),
}


@pytest.mark.parametrize("name", TRAPS)
def test_a_trap_is_the_only_finding_and_spoils_only_its_own_metrics(name: str) -> None:
    """Metrics that it spoils are not comparable because of it; the others are judged as usual."""
    setup, spoiled = TRAPS[name]
    rows = setup(World(gap_s=1.0).rows(60, 4))
    by_name = findings_by_name(rows)
    assert set(by_name) == {name}
    assert all(by_name[name].clause(Words(lang)) for lang in LANGS)
    for verdict in judge_pairs(rows).verdicts:
        hit = verdict.metric.split("_")[0] in spoiled
        assert (verdict.conclusion is Conclusion.NOT_COMPARABLE) == hit, verdict.metric
        assert [f.name for f in verdict.because] == ([name] if hit else [])


def test_fifty_drifting_sound_routes_have_no_findings() -> None:
    for seed in range(50):
        assert not findings_by_name(World(swing=0.25).rows(60, seed))


SOUND: dict[str, Trap] = {
    "one arm alone is rate limited": lambda rows: refused(rows, ("a",)),
    "each arm has a limit of its own": lambda rows: counted_down(rows, False),
    "both arms read as much from a cache": lambda rows: rows.assign(cached_tokens=6),
    "one arm does not state what was cached": lambda rows: only(rows, "a", cached_tokens=np.nan),
    "all replies of both arms have one id": lambda rows: rows.assign(
        completion_id="chatcmpl", completion_created=1
    ),
    "the gateway says the name that was asked for": lambda rows: only(
        only(rows, "a", model_requested="house", model_returned="house"),
        "b",
        model_returned="gpt-5-2026-01-01",
    ),
    "one arm names provider and date": lambda rows: only(
        only(rows, "a", model_returned="openai/gpt-5"), "b", model_returned="gpt-5-2026-01-01"
    ),
    "one of sixty prompts is counted otherwise": lambda rows: rows.assign(
        prompt_tokens=np.where((rows["request_index"] == 3) & (rows["arm"] == "a"), 13, 12)
    ),
    "both arms hold their streams back": lambda rows: buffered(buffered(rows, "a"), "b"),
    "lengths differ in some pairs": lambda rows: rows.assign(
        completion_tokens=np.where((rows["request_index"] % 3 == 0) & (rows["arm"] == "a"), 19, 20)
    ),
    "nothing is stated": lambda rows: rows.assign(
        prompt_tokens=np.nan, completion_tokens=np.nan, cached_tokens=np.nan, api_cost=np.nan,
        model_returned=None, completion_id=None, completion_created=np.nan, send_lag_s=np.nan,
        scheduled_offset_s=np.nan, chunks=np.nan, arrivals=np.nan,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SOUND)
def test_what_sound_routes_may_do_is_no_finding(name: str) -> None:
    assert not findings_by_name(SOUND[name](World().rows(60, 4)))


@pytest.mark.parametrize("name", TRAPS)
def test_one_pair_alone_is_no_evidence_of_a_trap(name: str) -> None:
    setup, _ = TRAPS[name]
    assert not findings_by_name(setup(World().rows(1, 4)))


def test_a_reference_that_does_not_know_the_model_is_named_as_the_reason() -> None:
    """Its quick refusals used to make the generator look too late for times so short."""
    rows = unknown_model(World(gap_s=1.0).rows(10, 4), "b")
    rows = rows.assign(elapsed_sec=0.002, send_lag_s=0.004)
    (finding,) = findings_by_name(rows).values()
    assert finding.clause(Words("en")) == (
        "the reference answered none of 10 requests with success (mostly not_found, HTTP 404); if "
        "it has another name for the model, give --against-model OURS=THEIRS"
    )
