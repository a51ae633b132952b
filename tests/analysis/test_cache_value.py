"""What the prompt cache is worth, from pairs worked by hand, and how the report states it."""

import json
from pathlib import Path
from typing import Any

import pytest

from analysis.numbers.bootstrap import Interval
from analysis.numbers.cache_value import Pairs, Rest, lifetime_bounds_s, pairs
from analysis.page import markdown
from analysis.reading.load import load
from analysis.report import report
from recording.record import RequestRecord
from rules.prices import Price, Prices
from tests.analysis.runs import make, phase, probe

COLD, WARM = 0.0164, 0.0026


def row(index: int, cached: int | None, cost: float | None, ttft_s: float, **known: Any) -> Any:
    values = {
        "request_index": index, "success": True, "cached_tokens": cached, "api_cost": cost,
        "ttft_s": ttft_s, "prompt_tokens": 1000, "completion_tokens": 5, "model_requested": "m",
        "cache_write_tokens": None, "reasoning_tokens": None, "total_tokens": None,
        "timestamp": f"2026-11-24T00:00:{index:02d}.000000+00:00",
    }  # fmt: skip
    return values | known


def whole_pairs(count: int, **warm: Any) -> list[Any]:
    """So many pairs: 1.0 s cold and 0.4 s warm to the first token."""
    made_rows = []
    for i in range(count):
        made_rows.append(row(2 * i, 0, COLD, 1.0))
        made_rows.append(row(2 * i + 1, 900, WARM, 0.4, **warm))
    return made_rows


def look(rows: list[Any], plain: list[Any] | None = None, **how: Any) -> Pairs:
    return pairs("m", rows, plain or [], how.get("breaks", []), how.get("prices"), 0)


def test_saving_and_time_gained_are_means_over_pairs() -> None:
    value = look(whole_pairs(10))
    assert (value.pairs, value.excluded, value.hits, value.hit_rate) == (10, 0, 10, 1.0)
    assert value.token_hit_rate == 0.9
    assert value.saving is not None and value.saving.mean == pytest.approx(COLD - WARM)
    assert value.saving_share == pytest.approx(1 - WARM / COLD)
    assert value.ttft_gain is not None and value.ttft_gain.mean == pytest.approx(0.6)
    assert value.premium is None and value.hits_to_pay is None


def test_a_miss_lowers_the_saving_and_leaves_the_time_gained() -> None:
    """Misses lower what repeating saves on average, but not how fast a hit is."""
    rows = whole_pairs(10)
    rows[1] |= {"cached_tokens": 0, "api_cost": COLD, "ttft_s": 9.0}
    value = look(rows)
    assert (value.hits, value.stated, value.hit_rate) == (9, 10, 0.9)
    assert value.saving is not None and value.saving.mean == pytest.approx(0.9 * (COLD - WARM))
    assert value.ttft_gain is not None and value.ttft_gain.mean == pytest.approx(0.6)
    assert value.ttft_gain.count == 9


@pytest.mark.parametrize(
    ("index", "changes"),
    [
        (0, {"success": False}),
        (1, {"success": False}),
        (0, {"cached_tokens": 900}),  # the cold one was not
    ],
)
def test_a_failed_or_warm_pair_is_excluded_and_counted(index: int, changes: dict[str, Any]) -> None:
    rows = whole_pairs(6)
    rows[index] |= changes
    value = look(rows)
    assert (value.planned, value.pairs, value.excluded) == (6, 5, 1)


def test_half_a_pair_is_no_pair() -> None:
    assert (look(whole_pairs(6)[:-1]).pairs, look(whole_pairs(6)[1:]).pairs) == (5, 5)


def test_a_pair_interrupted_by_a_resumption_is_excluded() -> None:
    """Nobody knows how old the entry was."""
    value = look(whole_pairs(6), breaks=["2026-11-24T00:00:02.500000+00:00"])
    assert (value.pairs, value.excluded) == (5, 1)
    assert look(whole_pairs(6), breaks=["2026-11-24T00:00:03.500000+00:00"]).pairs == 6


def test_the_hit_rate_is_unknown_where_no_cached_tokens_are_stated() -> None:
    """The time gained is then that of all pairs."""
    rows = whole_pairs(6)
    for request in rows:
        request["cached_tokens"] = None
    value = look(rows)
    assert value.hit_rate is None and value.token_hit_rate is None and value.pairs == 6
    assert value.ttft_gain is not None and value.ttft_gain.count == 6


def test_the_saving_is_unknown_where_costs_are() -> None:
    value = look(whole_pairs(6, api_cost=None))
    assert value.saving is None and value.saving_share is None and value.cold_cost is None


def test_the_premium_is_measured_against_unmarked_prompts() -> None:
    """0.0164 cold with the write and 0.0134 without: 0.003 more, and a hit then gains 0.0108."""
    plain = [row(i, 0, 0.0134, 1.0) for i in range(10)]
    value = look(whole_pairs(10), plain)
    assert value.premium is not None and value.premium.mean == pytest.approx(0.003)
    assert value.premium_by == "plain" and value.hits_to_pay == 1


def test_without_unmarked_prompts_the_premium_is_the_price_tables() -> None:
    prices = Prices({"m": Price(input=10, output=0, cache_write=12.5)})
    rows = whole_pairs(6)
    for request in rows[::2]:
        request["cache_write_tokens"] = 800
    value = look(rows, prices=prices)
    assert value.premium is not None and value.premium.mean == pytest.approx(800 * 2.5e-6)
    assert value.premium_by == "table"
    assert look(whole_pairs(6), prices=prices).premium is None, "nothing is stated to be written"


@pytest.mark.parametrize(
    ("premium", "saving", "hits"),
    [
        (Interval(0.003, 0.002, 0.004, 9), Interval(0.004, 0.003, 0.005, 9), 3),
        (Interval(0.003, None, None, 2), Interval(0.006, None, None, 2), 1),
        (Interval(0.003, 0.002, 0.004, 9), Interval(0.003, 0.002, 0.004, 9), None),  # never
        (Interval(0.003, -0.001, 0.004, 9), Interval(0.004, 0.003, 0.005, 9), 0),  # chance
        (Interval(-0.003, -0.004, -0.001, 9), Interval(0.004, 0.003, 0.005, 9), 0),
    ],
)
def test_a_write_pays_off_after_premium_over_saving_hits(
    premium: Interval, saving: Interval, hits: int | None
) -> None:
    values: dict[str, Any] = dict.fromkeys(Pairs.__dataclass_fields__)
    assert Pairs(**(values | {"premium": premium, "saving": saving})).hits_to_pay == hits


def rest_of(planned_s: int, hit: bool | None) -> Rest:
    return Rest(planned_s, float(planned_s), {}, hit)


@pytest.mark.parametrize(
    ("rests", "bounds"),
    [
        ([rest_of(1, True), rest_of(60, True), rest_of(300, False)], (60, 300)),
        ([rest_of(1, True), rest_of(60, True)], (60, None)),
        ([rest_of(60, False), rest_of(300, False)], (None, 60)),
        (
            [rest_of(1, True), rest_of(60, False), rest_of(300, True)],
            (1, 60),
        ),  # luck bounds nothing
        ([rest_of(1, None)], (None, None)),
        ([rest_of(300, False), rest_of(1, True)], (1, 300)),
        ([], (None, None)),
    ],
)
def test_an_entrys_life_is_bounded_by_the_last_hit_and_the_first_miss(
    rests: list[Rest], bounds: tuple[int | None, int | None]
) -> None:
    assert lifetime_bounds_s(rests) == bounds


def section_text(folder: Path, lang: Any = "en", events: list[dict[str, Any]] | None = None) -> str:
    """The cache section of a run with five pairs, three gaps and the article's three requests."""
    name = "cache/{}/m".format
    records: list[RequestRecord] = [
        *(probe("cache", "m", i, scenario="cache", cached_tokens=c, api_cost=cost)
          for i, (c, cost) in enumerate([(0, COLD), (900, WARM), (900, WARM)])),
        *(probe("cache", "m", i, phase=name("pairs"), scenario="pairs", stream=True,
                cached_tokens=900 * (i % 2), api_cost=WARM if i % 2 else COLD,
                ttft_s=0.4 if i % 2 else 1.0 + i / 100, prompt_tokens=1000)
          for i in range(10)),
        *(probe("cache", "m", 0, phase=name(f"gap-{s}"), scenario="gap", target=s,
                cached_tokens=c, api_cost=COLD, timestamp=f"2026-11-24T00:0{i}:30+00:00")
          for i, (s, c) in enumerate([(0, 0), (1, 900), (60, 0)])),
    ]  # fmt: skip
    planned = [phase(one, mode="cache") for one in dict.fromkeys(r.phase for r in records)]
    begun = [
        {"at": "2026-11-24T00:00:00+00:00", "event": "run_start"},
        {"at": "2026-11-24T00:00:31+00:00", "event": "phase_end", "phase": name("gap-0")},
        {
            "at": "2026-11-26T00:00:00+00:00",
            "event": "phase_start",
            "phase": name("gap-1"),
            "t0_unix_s": 1795478432.25,
        },
    ]
    make(folder, *records, plan=planned, events=[*begun, *(events or [])], mode="cache")
    view = report.look(load(folder), lang)
    report.write(view)
    text = markdown.render(report.compose(view))
    title = "## Prompt cache" if lang == "en" else "## Prompt Cache"
    return text.partition(title)[2].partition("\n## ")[0]


def test_the_report_states_pairs_money_time_and_the_entrys_life(tmp_path: Path) -> None:
    text = section_text(tmp_path / "r")
    assert "| 2 | 12 | 900 | ¥0.002600 | hit |" in text, "the article's table stays first"
    assert "| m | 5 | 0 | 5/5 | 100% | 90% |" in text
    assert (
        "| m | ¥0.016400 | ¥0.002600 | ¥0.013800 | ¥0.013800 … ¥0.013800 | 84.1% | ¥13.800000 | "
        "- | - |"
    ) in text
    assert "the first token of a warm request comes 0.640 s faster." in text
    assert "| 1 s | 1.250s | 12 | 900 | ¥0.016400 | still there |" in text
    assert "| 60 s | - | 12 | 0 | ¥0.016400 | gone |" in text
    assert "an entry lives 1 s without use and is gone after 60 s." in text
    assert "条目闲置 1 秒仍有效，60 秒后失效" in section_text(tmp_path / "zh", "zh")


def test_a_pause_interrupted_by_a_resumption_bounds_no_life(tmp_path: Path) -> None:
    resumed = {"at": "2026-11-24T00:01:45+00:00", "event": "run_start"}
    text = section_text(tmp_path / "r", events=[resumed])
    assert "| 60 s | - | 12 | 0 | ¥0.016400 | - |" in text
    assert "an entry lives at least 1 s without use." in text


@pytest.mark.parametrize(
    ("ended", "began", "again", "rested", "conclusion"),
    [
        ("00:01:30", 61.0, False, "61.000s", "gone"),
        ("00:01:30", 59.5, False, "59.500s", "-"),  # shorter than it is called
        ("00:01:30", 90.0, False, "90.000s", "-"),  # a miss after 90 s says nothing of 60 s
        ("00:01:30", 75.0, True, "60.000s", "gone"),  # from the resumption: it was sent before
        ("00:01:30", 70.0, True, "55.000s", "-"),
    ],
)
def test_a_pause_of_a_resumed_run_counts_where_it_was_as_long_as_planned(
    tmp_path: Path, ended: str, began: float, again: bool, rested: str, conclusion: str
) -> None:
    """The run was resumed 15 s after the phase before had ended; `again`: in mid-request."""
    base = 1795478490.0  # 2026-11-24T00:01:30
    day, life = "2026-11-24T", "cache/gap-{}/m"
    starts = [base + 14.0] * again + [base + began]
    resumed = {"at": f"{day}00:01:45+00:00", "event": "run_start"}
    resumption = [
        {"at": f"{day}{ended}+00:00", "event": "phase_end", "phase": life.format(1)},
        *([phase_start(life.format(60), starts[0])] if again else []),
        resumed,
        phase_start(life.format(60), starts[-1]),
    ]
    text = section_text(tmp_path / "r", events=resumption)
    assert f"| 60 s | {rested} | 12 | 0 | ¥0.016400 | {conclusion} |" in text


def phase_start(name: str, t0_unix_s: float) -> dict[str, object]:
    at = "2026-11-24T00:01:44+00:00"
    return {"at": at, "event": "phase_start", "phase": name, "t0_unix_s": t0_unix_s}


def test_summary_json_holds_the_same_cache_pairs(tmp_path: Path) -> None:
    section_text(tmp_path / "r")
    summary = json.loads((tmp_path / "r" / "summary.json").read_text("utf-8"))
    (cache_pairs,) = summary["cache_pairs"]
    assert cache_pairs["hit_rate"] == 1.0 and cache_pairs["saving_per_request"][
        "mean"
    ] == pytest.approx(0.0138)
    assert cache_pairs["ttft_gain_s"]["low"] > 0 and cache_pairs["ttft_gain_s"]["n"] == 5
    (life,) = summary["cache_life"]
    assert (life["hit_after_s"], life["miss_after_s"]) == (1, 60)
    assert life["rests"][0] == {"planned_s": 1, "rested_s": 1.25, "hit": True}
