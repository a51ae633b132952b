"""What a cache is worth, by pairs worked by hand, and how the report tells it."""

import json
from pathlib import Path
from typing import Any

import pytest

from analysis.numbers.bootstrap import Interval
from analysis.numbers.cache_value import Pairs, Rest, kept, pairs
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


def whole(count: int, **warm: Any) -> list[Any]:
    """So many pairs: cold 1.0 s, warm 0.4 s to the first token."""
    found = []
    for i in range(count):
        found.append(row(2 * i, 0, COLD, 1.0))
        found.append(row(2 * i + 1, 900, WARM, 0.4, **warm))
    return found


def look(rows: list[Any], plain: list[Any] | None = None, **how: Any) -> Pairs:
    return pairs("m", rows, plain or [], how.get("breaks", []), how.get("prices"), 0)


def test_pairs_by_hand() -> None:
    found = look(whole(10))
    assert (found.pairs, found.excluded, found.hits, found.hit_rate) == (10, 0, 10, 1.0)
    assert found.token_hit_rate == 0.9
    assert found.saving is not None and found.saving.mean == pytest.approx(COLD - WARM)
    assert found.saving_share == pytest.approx(1 - WARM / COLD)
    assert found.ttft_gain is not None and found.ttft_gain.mean == pytest.approx(0.6)
    assert found.premium is None and found.hits_to_pay is None


def test_a_miss_counts_in_the_saving_and_not_in_the_time() -> None:
    """What repeating saves on average is lowered by misses; how fast a hit is, is not."""
    rows = whole(10)
    rows[1] |= {"cached_tokens": 0, "api_cost": COLD, "ttft_s": 9.0}
    found = look(rows)
    assert (found.hits, found.stated, found.hit_rate) == (9, 10, 0.9)
    assert found.saving is not None and found.saving.mean == pytest.approx(0.9 * (COLD - WARM))
    assert found.ttft_gain is not None and found.ttft_gain.mean == pytest.approx(0.6)
    assert found.ttft_gain.count == 9


@pytest.mark.parametrize(
    ("index", "changes"),
    [
        (0, {"success": False}),
        (1, {"success": False}),
        (0, {"cached_tokens": 900}),  # the cold one was not
    ],
)
def test_a_pair_that_is_none_is_left_out_and_counted(index: int, changes: dict[str, Any]) -> None:
    rows = whole(6)
    rows[index] |= changes
    found = look(rows)
    assert (found.planned, found.pairs, found.excluded) == (6, 5, 1)


def test_half_a_pair_is_none() -> None:
    assert (look(whole(6)[:-1]).pairs, look(whole(6)[1:]).pairs) == (5, 5)


def test_a_pair_that_a_resumption_parts_is_none() -> None:
    """Nobody knows how long the entry had to live."""
    found = look(whole(6), breaks=["2026-11-24T00:00:02.500000+00:00"])
    assert (found.pairs, found.excluded) == (5, 1)
    assert look(whole(6), breaks=["2026-11-24T00:00:03.500000+00:00"]).pairs == 6


def test_where_no_hit_is_stated_none_is_invented() -> None:
    """The hit rate is unknown; the times are those of all pairs."""
    rows = whole(6)
    for one in rows:
        one["cached_tokens"] = None
    found = look(rows)
    assert found.hit_rate is None and found.token_hit_rate is None and found.pairs == 6
    assert found.ttft_gain is not None and found.ttft_gain.count == 6


def test_unknown_costs_save_nothing_known() -> None:
    found = look(whole(6, api_cost=None))
    assert found.saving is None and found.saving_share is None and found.cold_cost is None


def test_the_premium_is_measured_against_unmarked_prompts() -> None:
    """Cold 0.0164 with the write, 0.0134 without: 0.003 more, and a hit then gains 0.0108."""
    plain = [row(i, 0, 0.0134, 1.0) for i in range(10)]
    found = look(whole(10), plain)
    assert found.premium is not None and found.premium.mean == pytest.approx(0.003)
    assert found.premium_by == "plain" and found.hits_to_pay == 1


def test_the_premium_is_else_what_the_table_says_of_written_tokens() -> None:
    prices = Prices({"m": Price(input=10, output=0, cache_write=12.5)})
    rows = whole(6)
    for one in rows[::2]:
        one["cache_write_tokens"] = 800
    found = look(rows, prices=prices)
    assert found.premium is not None and found.premium.mean == pytest.approx(800 * 2.5e-6)
    assert found.premium_by == "table"
    assert look(whole(6), prices=prices).premium is None, "nothing is stated to be written"


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
def test_after_how_many_hits_a_write_has_paid(
    premium: Interval, saving: Interval, hits: int | None
) -> None:
    values: dict[str, Any] = dict.fromkeys(Pairs.__dataclass_fields__)
    assert Pairs(**(values | {"premium": premium, "saving": saving})).hits_to_pay == hits


def rest(planned_s: int, hit: bool | None) -> Rest:
    return Rest(planned_s, float(planned_s), {}, hit)


@pytest.mark.parametrize(
    ("rests", "bounds"),
    [
        ([rest(1, True), rest(60, True), rest(300, False)], (60, 300)),
        ([rest(1, True), rest(60, True)], (60, None)),
        ([rest(60, False), rest(300, False)], (None, 60)),
        ([rest(1, True), rest(60, False), rest(300, True)], (1, 60)),  # luck bounds nothing
        ([rest(1, None)], (None, None)),
        ([rest(300, False), rest(1, True)], (1, 300)),
        ([], (None, None)),
    ],
)
def test_how_long_an_entry_lives(rests: list[Rest], bounds: tuple[int | None, int | None]) -> None:
    assert kept(rests) == bounds


def told(folder: Path, lang: Any = "en", events: list[dict[str, Any]] | None = None) -> str:
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


def test_the_report_tells_pairs_money_time_and_life(tmp_path: Path) -> None:
    said = told(tmp_path / "r")
    assert "| 2 | 12 | 900 | ¥0.002600 | hit |" in said, "the article's table stays first"
    assert "| m | 5 | 0 | 5/5 | 100% | 90% |" in said
    assert (
        "| m | ¥0.016400 | ¥0.002600 | ¥0.013800 | ¥0.013800 … ¥0.013800 | 84.1% | ¥13.800000 | "
        "- | - |"
    ) in said
    assert "the first token of a warm request comes 0.640 s faster." in said
    assert "| 1 s | 1.250s | 12 | 900 | ¥0.016400 | still there |" in said
    assert "| 60 s | - | 12 | 0 | ¥0.016400 | gone |" in said
    assert "an entry lives 1 s without use and is gone after 60 s." in said
    assert "条目闲置 1 秒仍有效，60 秒后失效" in told(tmp_path / "zh", "zh")


def test_a_rest_that_a_resumption_broke_tells_nothing(tmp_path: Path) -> None:
    resumed = {"at": "2026-11-24T00:01:45+00:00", "event": "run_start"}
    said = told(tmp_path / "r", events=[resumed])
    assert "| 60 s | - | 12 | 0 | ¥0.016400 | - |" in said
    assert "an entry lives at least 1 s without use." in said


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
def test_a_resumed_rest_is_told_where_it_was_as_long_as_it_is_called(
    tmp_path: Path, ended: str, began: float, again: bool, rested: str, conclusion: str
) -> None:
    """The run was resumed 15 s after the phase before had ended; `again`: in mid-request."""
    base = 1795478490.0  # 2026-11-24T00:01:30
    day, life = "2026-11-24T", "cache/gap-{}/m"
    starts = [base + 14.0] * again + [base + began]
    resumed = {"at": f"{day}00:01:45+00:00", "event": "run_start"}
    told_ = [
        {"at": f"{day}{ended}+00:00", "event": "phase_end", "phase": life.format(1)},
        *([phase_start(life.format(60), starts[0])] if again else []),
        resumed,
        phase_start(life.format(60), starts[-1]),
    ]
    said = told(tmp_path / "r", events=told_)
    assert f"| 60 s | {rested} | 12 | 0 | ¥0.016400 | {conclusion} |" in said


def phase_start(name: str, t0_unix_s: float) -> dict[str, object]:
    at = "2026-11-24T00:01:44+00:00"
    return {"at": at, "event": "phase_start", "phase": name, "t0_unix_s": t0_unix_s}


def test_the_summary_holds_the_same_numbers(tmp_path: Path) -> None:
    told(tmp_path / "r")
    found = json.loads((tmp_path / "r" / "summary.json").read_text("utf-8"))
    (one,) = found["cache_pairs"]
    assert one["hit_rate"] == 1.0 and one["saving_per_request"]["mean"] == pytest.approx(0.0138)
    assert one["ttft_gain_s"]["low"] > 0 and one["ttft_gain_s"]["n"] == 5
    (life,) = found["cache_life"]
    assert (life["hit_after_s"], life["miss_after_s"]) == (1, 60)
    assert life["rests"][0] == {"planned_s": 1, "rested_s": 1.25, "hit": True}
