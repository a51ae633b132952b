"""Comparisons of runs: false alarms counted, true differences detected, unlike runs refused."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import binom

from analysis.__main__ import main
from analysis.compare import resample
from analysis.compare.comparison import compare, unlike
from analysis.compare.page import compose
from analysis.compare.resample import Side, differences
from analysis.numbers.holm import holm
from analysis.numbers.percentile import nearest_rank
from analysis.page import html, markdown
from analysis.page.words import Words
from analysis.reading.load import RunError, load
from recording.record import RequestRecord
from tests.analysis.runs import PHASE, failed, make, phase, record
from tests.queues import ar1, mmc

Made = Callable[[np.random.Generator], Side]


@pytest.fixture(autouse=True)
def fewer_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Enough resamples for these claims, and quicker."""
    monkeypatch.setattr(resample, "SWAPS", 999)
    monkeypatch.setattr(resample, "BOOTSTRAPS", 999)


def window(
    random: np.random.Generator, n: int = 100, slow: float = 1.0, fail: float = 0.02, memory=0.5
) -> Side:
    """A window of a minute; a request's latency is correlated with the one before it, as in a
    queue.
    """
    noise = random.normal(size=n)
    for i in range(1, n):
        noise[i] = memory * noise[i - 1] + np.sqrt(1 - memory**2) * noise[i]
    latency, good = slow * np.exp(0.4 * noise), random.random(n) >= fail
    done_s = np.arange(n) * 60 / n + latency
    cost = np.where(good, random.normal(1, 0.1, n) * 1e-4, np.nan)
    return Side(good, latency, cost, np.full(n, 18.0), done_s, float(done_s.max()))


def alarms(a: Made, b: Made, pairs: int) -> list[list[str]]:
    """For each pair, the numbers that are called different."""
    alarms_of_pairs = []
    for seed in range(pairs):
        random = np.random.default_rng(7_000 + seed)
        findings = differences(a(random), b(random), seed)
        names = [name for name, of in findings.items() if of.p is not None]
        adjusted = holm([findings[name].p or 0.0 for name in names])
        alarms_of_pairs.append(
            [
                name
                for name, p in zip(names, adjusted, strict=True)
                if p <= 0.05
                and not (findings[name].low or 0.0) <= 0 <= (findings[name].high or 0.0)
            ]
        )
    return alarms_of_pairs


def test_equal_gateways_are_called_different_in_at_most_12_of_120_pairs() -> None:
    """Any alarm among six numbers should occur in 5 % of pairs; more than 12 has p = 0.7 %.

    Without the adjustment for six numbers there would be about 24; with resamples of single
    requests of this correlated series, more.
    """
    assert sum(bool(found) for found in alarms(window, window, 120)) <= 12


def test_slowly_forgetting_queues_of_equal_gateways_raise_at_most_10_alarms() -> None:
    """Of 100 pairs; 25 blocks of four requests each raised 14."""

    def queued(random: np.random.Generator) -> Side:
        return window(random, memory=0.8)

    assert sum(bool(found) for found in alarms(queued, queued, 100)) <= 10


def side_of(latency: NDArray[np.float64], arrived: NDArray[np.float64] | None = None) -> Side:
    """Successes of equal cost that took so long, sent at these times or ten a second."""
    count = len(latency)
    done_s = (np.arange(count) / 10 if arrived is None else arrived) + latency
    same = np.ones(count)
    return Side(same > 0, latency, same, 18 * same, done_s, float(done_s.max()))


def queued(load: float, count: int) -> Made:
    """A window of an M/M/8 queue whose servers are busy for this share of the time."""

    def made(random: np.random.Generator) -> Side:
        arrived, stayed = mmc(random, count, 8 * load)
        return side_of(stayed, arrived)

    return made


def remembering(r: float, count: int) -> Made:
    """A window whose latencies are AR(1) with coefficient r."""
    return lambda random: side_of(ar1(random, count, r))


def most_alarms(pairs: int) -> int:
    """The most alarms that the 99 % interval of a 5 % rate holds."""
    return int(binom.ppf(0.99, pairs, 0.05))


@pytest.mark.parametrize(
    "like",
    [
        queued(0.9, 1_200),
        pytest.param(remembering(0.98, 1_200), marks=pytest.mark.long),
        pytest.param(remembering(0.9, 300), marks=pytest.mark.long),
    ],
)
def test_queues_of_equal_gateways_are_rarely_called_different(like: Made) -> None:
    """At most 5 % of pairs with any alarm, by the binomial interval of so many pairs.

    Blocks of about the root of n requests, whatever their correlation, raised 18 alarms of 60
    at AR(1) 0.9, and 8 of 30 at this queue.
    """
    assert sum(bool(found) for found in alarms(like, like, 12)) <= most_alarms(12)


@pytest.mark.slow
@pytest.mark.parametrize(
    "like",
    [
        *(
            remembering(r, count)
            for r in (0.0, 0.5, 0.9, 0.98)
            for count in (100, 300, 1_200, 4_320)
        ),
        *(queued(load, count) for load in (0.7, 0.8, 0.9, 0.95) for count in (300, 1_200, 4_320)),
    ],
)
def test_false_alarms_are_as_rare_as_documented(like: Made) -> None:
    """Up to AR(1) of 0.98, and to a queue whose servers are busy for 95 % of the time."""
    assert sum(bool(found) for found in alarms(like, like, 200)) <= most_alarms(200)


def test_latencies_correlated_over_the_whole_window_are_not_compared(tmp_path: Path) -> None:
    """The page says how many requests it takes."""
    random = np.random.default_rng(5)
    slow = [record(i, elapsed_sec=float(s)) for i, s in enumerate(ar1(random, 300, 0.98))]
    a, b = (load(make(tmp_path / name, *slow)) for name in "ab")
    findings = {one.number: one for one in compare([a, b]).findings}
    assert (
        findings["p95_s"].verdict == "not compared"
        and findings["success_rate"].verdict == "not shown"
    )
    assert findings["p95_s"].why.startswith("neighbouring requests are alike: it takes about")
    text = markdown.render(compose(compare([a, b]), Words("en")))
    assert "requests to tell, there are 300" in text
    assert "现有 300 个" in markdown.render(compose(compare([a, b]), Words("zh")))


def test_a_change_of_the_stated_size_is_detected_in_most_pairs() -> None:
    """The stated power of independent latencies and of a queue: of 15 pairs so far apart, by P50.

    Between the 0.1th and the 99.9th percentile of 15 tries at 80 %: 7 to 15.
    """
    for like in (remembering(0.0, 400), queued(0.5, 1_000)):
        random = np.random.default_rng(11)
        sizes = [differences(like(random), like(random), i)["p50_s"].visible for i in range(4)]
        size = float(np.median([one for one in sizes if one is not None]))

        def slower(random: np.random.Generator, like: Made = like, by: float = size) -> Side:
            same = like(random)
            return side_of(same.latency_s * (1 + by), same.done_s - same.latency_s)

        detected = alarms(like, slower, 15)
        assert sum("p50_s" in names for names in detected) >= 7


def stragglers(random: np.random.Generator, n: int = 200, share: float = 0.005) -> Side:
    """A minute's window of a gateway that makes one request in 200 wait for half a minute."""
    latency = np.where(random.random(n) < share, 30.0, np.exp(0.4 * random.normal(size=n)))
    done_s, every = np.arange(n) * 60 / n + latency, np.ones(n)
    return Side(every > 0, latency, every, np.full(n, 18.0), done_s, float(done_s.max()))


def test_a_few_stragglers_are_no_difference_of_throughput() -> None:
    """A straggler lengthens the wall clock by up to half, on whichever side chance has put it.

    Of 60 pairs at most 6 alarms (5 % would be 3); while the wall clock was taken for certain,
    there were 10, and of windows of 600 requests nearly every second one.
    """
    assert sum(bool(found) for found in alarms(stragglers, stragglers, 60)) <= 6


def test_a_lower_token_throughput_is_detected() -> None:
    """In a closed loop whose requests take 18 % longer; and equal loops are rarely called
    different.
    """

    def closed(random: np.random.Generator, slow: float) -> Side:
        latency = slow * np.exp(0.3 * random.normal(size=250))
        sent = np.concatenate([[0.0], np.cumsum(latency)[:-1]]) / 4
        n = int((sent < 60).sum())
        done = sent[:n] + latency[:n]
        every = np.ones(n)
        return Side(every > 0, latency[:n], every, 18 * every, done, float(done.max()))

    detected = alarms(lambda random: closed(random, 1.1), lambda random: closed(random, 1.3), 20)
    assert sum("tpm" in names for names in detected) >= 18
    like = alarms(lambda random: closed(random, 1.1), lambda random: closed(random, 1.1), 40)
    assert sum(bool(names) for names in like) <= 5


def test_a_gateway_that_is_a_third_slower_is_detected_by_its_median() -> None:
    """Nearly always, from 200 requests correlated with the one before."""
    detected = alarms(
        lambda random: window(random, 200), lambda random: window(random, 200, slow=1.5), 40
    )
    assert sum("p50_s" in names for names in detected) >= 34


def test_a_gateway_that_fails_more_is_detected_by_its_success_rate_alone() -> None:
    """15 % instead of 2 % of 200 requests; its latency is not called different."""
    detected = alarms(
        lambda random: window(random, 200), lambda random: window(random, 200, fail=0.15), 40
    )
    assert sum("success_rate" in names for names in detected) >= 34
    assert sum("p50_s" in names for names in detected) <= 4


def test_the_interval_holds_the_true_change_of_the_median() -> None:
    """The median is 1.3 times as long; about 95 % of 40 windows of 150 requests hold it."""
    held = 0
    for seed in range(40):
        random = np.random.default_rng(seed)
        of = differences(
            window(random, 150, memory=0.0), window(random, 150, 1.3, memory=0.0), seed
        )["p50_s"]
        held += (of.low or 0.0) <= 0.3 <= (of.high or 0.0)
    assert held >= 34


def test_findings_are_fixed_by_the_seed() -> None:
    one, two = window(np.random.default_rng(1)), window(np.random.default_rng(2))
    assert differences(one, two, 5) == differences(one, two, 5)


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=80),
       st.lists(st.floats(0.01, 100), min_size=1, max_size=80))  # fmt: skip
def test_percentiles_of_a_comparison_are_nearest_ranks(
    first: list[float], second: list[float]
) -> None:
    """As everywhere else, by the exact formula."""

    def side(values: list[float]) -> Side:
        n, latencies_s = len(values), np.array(values)
        return Side(np.ones(n, bool), latencies_s, np.ones(n), np.ones(n), latencies_s, None)

    resample.SWAPS = resample.BOOTSTRAPS = resample.FEWEST
    findings = differences(side(first), side(second))
    for name, percent in (("p50_s", 50), ("p95_s", 95), ("p99_s", 99)):
        assert findings[name].a == nearest_rank(sorted(first), percent)
        assert findings[name].b == nearest_rank(sorted(second), percent)
    assert "tpm" not in findings


@pytest.mark.parametrize(
    ("given", "adjusted"),
    [
        ([], []),
        ([0.04], [0.04]),
        ([0.01, 0.04, 0.03], [0.03, 0.06, 0.06]),  # 0.01 * 3; 0.03 * 2; 0.04, not below 0.06
        ([0.5, 0.9], [1.0, 1.0]),
    ],
)
def test_holms_adjustment_is_that_worked_by_hand(given: list[float], adjusted: list[float]) -> None:
    assert holm(given) == pytest.approx(adjusted)


def series(slow: float = 1.0, count: int = 120, seed: int = 1, **known: Any) -> list[RequestRecord]:
    """A window's rows with latencies of a seed."""
    random = np.random.default_rng(seed)
    return [
        record(i, elapsed_sec=t, done_offset_s=i + t, **known)
        for i, t in enumerate((slow * np.exp(0.3 * random.normal(size=count))).tolist())
    ]


def test_a_run_compared_with_its_own_copy_shows_no_difference(tmp_path: Path) -> None:
    """The page says so in both languages, and what it means."""
    runs = [load(make(tmp_path / name, *series())) for name in "ab"]
    comparison = compare(runs)
    assert comparison.differences == [] and comparison.tested == 6
    assert all(one.adjusted_p == 1 for one in comparison.findings)
    english = markdown.render(compose(comparison, Words("en", "CNY")))
    assert "No difference shown in 6 numbers. That is not the same as no difference" in english
    assert english.count("| no difference shown |") == 6
    chinese = markdown.render(compose(comparison, Words("zh", "CNY")))
    assert "6 项数据均未见显著差异" in chinese and chinese.count("| 未见显著差异 |") == 6


def test_a_difference_is_shown_as_better_or_worse_with_its_size(tmp_path: Path) -> None:
    """Twice as slow is worse, half the cost is better, and nothing else is shown."""
    a = load(make(tmp_path / "a", *series()))
    b = load(make(tmp_path / "b", *series(2.0, seed=2, api_cost=0.000023)))
    comparison = compare([a, b])
    verdicts = {one.number: one.verdict for one in comparison.findings}
    assert verdicts["p50_s"] == "worse" and verdicts["cost_per_success"] == "better"
    assert verdicts["success_rate"] == "not shown"
    text = markdown.render(compose(comparison, Words("en", "CNY")))
    assert f"{PHASE}: P50 latency of b is " in text and "% higher, worse: " in text
    assert "Cost per success of b is 66.7% lower, better: ¥0.000023 against ¥0.000069" in text
    assert not html.render(compose(comparison, Words("zh"))).count("WORSE")


@pytest.mark.parametrize(
    ("made", "clause"),
    [
        ({"mode": "tpm"}, "mode: rpm / tpm"),
        ({"gateway": {"simulated": True}}, "simulated: False / True"),
        ({"plan": [phase(target=900)]}, f"{PHASE}, target: 600 / 900"),
        ({"plan": [phase(max_tokens=64)]}, ""),  # the other side does not state it
        ({"plan": [phase(), phase("x")]}, "phase x is only in b"),
        ({"plan": []}, f"phase {PHASE} is only in a"),
        ({"options": {"timeout": 9.0, "lang": "zh"}}, "--timeout: 45.0 / 9.0"),
    ],
)
def test_runs_of_different_loads_are_refused_with_what_differs(
    tmp_path: Path, made: dict[str, Any], clause: str
) -> None:
    options = {"options": {"timeout": 45.0, "lang": "en"}}
    a = load(make(tmp_path / "a", *series(), **options))
    b = load(make(tmp_path / "b", *series(), **(options | made)))
    if not clause:
        assert unlike(a, b) == [] and compare([a, b])
        return
    assert clause in unlike(a, b)
    with pytest.raises(RunError) as caught:
        compare([a, b])
    assert clause in str(caught.value) and str(caught.value).endswith("or give --force.")
    text = markdown.render(compose(compare([a, b], force=True), Words("en")))
    assert "The runs are not alike" in text and clause in text


@pytest.mark.parametrize(
    ("one", "two", "clauses"),
    [
        ({"cache_nonce": "3dcad8d751a60e0c"}, {"cache_nonce": "d7fe0b9a61460e5e"}, []),
        ({"cache_nonce": "3dcad8d751a60e0c"}, {"cache_nonce": "fresh"}, []),
        ({"cache_nonce": "fresh"}, {"cache_nonce": "none"}, ["--cache-nonce: fresh / none"]),
        ({"cache_nonce": "mine"}, {"cache_nonce": "fresh"}, ["--cache-nonce: mine / fresh"]),
        ({"run_id": "a", "task_id_prefix": "a"}, {"run_id": "b", "task_id_prefix": "b"}, []),
        ({"cache_control": "off"}, {"cache_control": "ephemeral"},
         ["--cache-control: off / ephemeral"]),
        ({"budget": 1.0, "output": "x"}, {"budget": 2.0, "output": "y"}, []),
    ],
)  # fmt: skip
def test_runs_are_unlike_only_where_their_options_are(
    tmp_path: Path, one: dict[str, Any], two: dict[str, Any], clauses: list[str]
) -> None:
    """A nonce of 16 hex digits was drawn, not given; older manifests keep options as typed."""
    a = load(make(tmp_path / "a", *series(), options=one))
    b = load(make(tmp_path / "b", *series(), options=two))
    assert unlike(a, b) == clauses


def test_searches_are_alike_although_they_tried_other_levels(tmp_path: Path) -> None:
    """Searches with other objectives are unlike."""
    plans = [[phase(f"capacity/m/{level}/1", mode="capacity", target=level)] for level in (6, 7)]
    runs = [
        load(make(tmp_path / name, *series(), plan=plan, mode="capacity", slo={"e2e_p99_s": limit}))
        for name, plan, limit in [("a", plans[0], 1.0), ("b", plans[1], 1.0), ("c", plans[0], 2.0)]
    ]
    assert unlike(runs[0], runs[1]) == []
    assert unlike(runs[0], runs[2]) == ["--slo: {'e2e_p99_s': 1.0} / {'e2e_p99_s': 2.0}"]


def test_the_page_says_why_nothing_could_be_compared(tmp_path: Path) -> None:
    a, b = (load(make(tmp_path / name, *series(count=5))) for name in "ab")
    text = markdown.render(compose(compare([a, b]), Words("en")))
    assert "Nothing could be compared: fewer than 20 requests." in text
    assert "b against a (the baseline)" in text


def test_phases_of_two_models_are_compared_only_with_force(tmp_path: Path) -> None:
    """Phases of the same mode, scenario and target are then compared."""
    other_phase = "rpm/other/600"
    a = load(make(tmp_path / "a", *series()))
    b = load(make(tmp_path / "b", *series(3.0, seed=3, phase=other_phase, model_requested="other")))
    comparison = compare([a, b], force=True)
    assert {(one.phase, one.other_phase) for one in comparison.findings} == {(PHASE, other_phase)}
    assert {one.number: one.verdict for one in comparison.findings}["p50_s"] == "worse"


def test_a_number_that_cannot_be_judged_has_a_reason_and_no_verdict(tmp_path: Path) -> None:
    """Few requests, no cost, another currency, no success."""
    full = load(make(tmp_path / "full", *series()))
    for name, folder, whys in [
        ("few", make(tmp_path / "few", *series(count=19)), {"fewer than 20 requests"}),
        ("free", make(tmp_path / "free", *series(api_cost=None)), {"", "not known for both"}),
        ("usd", make(tmp_path / "usd", *series(), currency="USD"), {"", "the currencies differ"}),
        (
            "bad",
            make(tmp_path / "bad", *(failed(i) for i in range(60))),
            {"", "not known for both"},
        ),
    ]:
        comparison = compare([full, load(folder)])
        assert {one.why for one in comparison.findings} == whys, name
        assert all((one.adjusted_p is None) == bool(one.why) for one in comparison.findings), name
        assert all((one.verdict == "not compared") == bool(one.why) for one in comparison.findings)


def test_planned_requests_without_a_row_count_against_success(tmp_path: Path) -> None:
    plan = [phase(count=120)]
    a = load(make(tmp_path / "a", *series(count=120), plan=plan))
    b = load(make(tmp_path / "b", *series(count=60), plan=plan))
    findings = {one.number: one for one in compare([a, b]).findings}
    assert findings["success_rate"].difference.b == 0.5
    # One outage in one of two runs is one event: nothing tells it from chance, and no CI passes it.
    assert findings["success_rate"].verdict == "not compared"
    assert main(["compare", str(a.folder), str(b.folder), "--fail-on-regression"]) == 2


def test_a_third_run_is_compared_with_the_first(tmp_path: Path) -> None:
    runs = [load(make(tmp_path / n, *series(s, seed=i))) for i, (n, s) in enumerate(
        [("a", 1.0), ("b", 1.0), ("c", 3.0)])]  # fmt: skip
    comparison = compare(runs)
    assert comparison.tested == 12
    assert {one.run for one in comparison.differences} == {"c"}


def test_a_late_generator_is_named_on_the_page(tmp_path: Path) -> None:
    a = load(make(tmp_path / "a", *series()))
    b = load(make(tmp_path / "b", *series(send_lag_s=0.5)))
    text = markdown.render(compose(compare([a, b]), Words("en")))
    assert f"{PHASE} of b is generator-limited: do not trust its numbers." in text


def test_compare_exits_with_1_for_a_regression_only_when_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It prints the page and writes the files."""
    a = str(make(tmp_path / "a", *series()))
    b = str(make(tmp_path / "b", *series(2.0, seed=2)))
    page, data = tmp_path / "out" / "c.html", tmp_path / "out" / "c.json"
    assert main(["compare", a, b, "--html", str(page), "--json", str(data)]) == 0
    assert "# Comparison of runs" in capsys.readouterr().out
    assert "<script" not in page.read_text(encoding="utf-8")
    assert json.loads(data.read_text(encoding="utf-8"))["tested"] == 6
    assert main(["compare", a, b, "--fail-on-regression"]) == 1
    stderr_lines = capsys.readouterr().err.splitlines()
    assert stderr_lines and all(line.startswith(f"weighbridge: {PHASE}: ") for line in stderr_lines)
    assert main(["compare", a, b, "--fail-on-regression", "success_rate,tpm"]) == 0
    assert main(["compare", a, b, "--fail-on-regression", "p50_s", "--tolerance", "5"]) == 0
    assert main(["compare", b, a, "--fail-on-regression"]) == 0  # better is no regression
    capsys.readouterr()
    for wrong in (["compare", a], ["compare", a, b, "--fail-on-regression", "x"],
                  ["compare", a, b, "--tolerance", "nan"]):  # fmt: skip
        assert main(wrong) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize(
    ("other", "asked", "says"),
    [
        (series(count=19), "all", "no number could be compared (fewer than 20 requests)"),
        ([failed(i) for i in range(60)], "p95_s", "p95_s could be compared in no phase (not known"),
        (series(api_cost=None), "p50_s,cost_per_success", "cost_per_success could be compared in"),
    ],
)
def test_a_number_that_could_not_be_compared_exits_with_2_and_the_reason(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    other: list[RequestRecord],
    asked: str,
    says: str,
) -> None:
    """A gateway that answers nothing has no P95 that could be worse."""
    a, b = str(make(tmp_path / "a", *series())), str(make(tmp_path / "b", *other))
    assert main(["compare", a, b, "--fail-on-regression", asked]) == 2
    printed = capsys.readouterr()
    assert printed.out.startswith("# Comparison of runs")
    assert printed.err.startswith(f"weighbridge: --fail-on-regression: {says}")
    assert main(["compare", a, b]) == 0


def test_without_successes_only_the_success_rate_is_compared() -> None:
    none = np.full(30, np.nan)
    side = Side(np.zeros(30, bool), none, none, none, none, 60.0)
    findings = differences(side, side)
    rate = findings["success_rate"]
    assert (rate.a, rate.b, rate.change, rate.p) == (0.0, 0.0, 0.0, 1.0)
    assert all(of.p is None for name, of in findings.items() if name != "success_rate")


def succeeding(share: float, count: int) -> Made:
    """Windows in which each request succeeds with this probability."""

    def made(random: np.random.Generator) -> Side:
        side = side_of(random.uniform(1, 2, count))
        return dataclasses.replace(side, good=random.uniform(size=count) < share)

    return made


@pytest.mark.parametrize(("count", "apart"), [(24, 0.138), (600, 0.00636)])
def test_two_perfect_success_rates_have_the_interval_that_so_many_requests_allow(
    count: int, apart: float
) -> None:
    """Without a failure of n, Wilson's bound is z^2 / (n + z^2), with z = 1.96."""
    perfect = succeeding(1.0, count)(np.random.default_rng(1))
    rate = differences(perfect, perfect)["success_rate"]
    assert rate.low == pytest.approx(-apart, rel=0.01)
    assert rate.high == pytest.approx(apart, rel=0.01)


@pytest.mark.parametrize("count", [100, 600])
def test_four_of_five_pairs_show_the_change_of_a_perfect_success_rate_that_the_page_names(
    count: int,
) -> None:
    """Of 60 pairs with a loss of this size 48 should; the permutation test itself is the oracle."""
    perfect = succeeding(1.0, count)
    visible = differences(*(perfect(np.random.default_rng(i)) for i in (1, 2)))[
        "success_rate"
    ].visible
    assert visible is not None
    shown = 0
    for seed in range(60):
        random = np.random.default_rng(seed)
        rate = differences(perfect(random), succeeding(1 - visible, count)(random), seed)[
            "success_rate"
        ]
        shown += rate.p is not None and rate.p <= 0.05 / 6
    assert 38 <= shown <= 57
