"""The pacer's arithmetic, against a made-up gateway that counts tokens in its own way."""

import heapq
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadshapes.token_pacing import (
    BOUND,
    CALIBRATION_WORDS,
    Pace,
    Pacer,
    Probe,
    calibrate,
    expected_end,
)

Latency = Callable[[Random], float]


def billed(words: int, per_word: float, overhead: int, reply: int) -> int:
    return round(overhead + per_word * words) + reply


class Window:
    """One window played through: requests end in the order of time, as in life."""

    def __init__(
        self,
        latency: Latency,
        *,
        per_word: float = 10.0,
        overhead: int = 30,
        replies: tuple[int, int] = (9, 9),
        target: float = 100_000,
        duration_s: float = 60.0,
        count: int = 25,
        failures: float = 0.0,
        silent: bool = False,
        drift: float = 1.0,
        slots: int = 1,
        seed: int = 0,
    ) -> None:
        dice = Random(seed)
        dues = [index * duration_s / count for index in range(count)]
        probes = [
            Probe(
                w,
                (n := billed(w, per_word, overhead, 0)),
                n + dice.randint(*replies),
                latency(dice),
            )
            for w in CALIBRATION_WORDS
        ]
        pace = calibrate(probes)
        assert pace is not None
        owned = [len(range(slot, count, slots)) for slot in range(slots)]
        self.pacers = [Pacer(pace, target, dues, own) for own in owned]
        self.sizes: list[int] = []
        self.tokens, self.end_s, self.failed = 0, 0.0, 0
        under_way: list[tuple[float, int, bool, int, float]] = []

        def end_until(now: float) -> None:
            while under_way and under_way[0][0] <= now:
                _, index, good, tokens, took = heapq.heappop(under_way)
                stated = None if silent else tokens
                self.pacers[index % slots].done(index, good, stated, took)

        for index, due in enumerate(dues):
            end_until(due)
            words = self.pacers[index % slots].size(index)
            self.sizes.append(words)
            tokens = billed(words, per_word * drift, overhead, dice.randint(*replies))
            good, took = dice.random() >= failures, latency(dice)
            heapq.heappush(under_way, (due + took, index, good, tokens, took))
            self.tokens += tokens if good else 0
            self.failed += not good
            self.end_s = max(self.end_s, due + took) if good else self.end_s
        end_until(float("inf"))
        self.error = self.tokens / self.end_s * 60 / target - 1 if self.end_s else None


@given(
    per_word=st.floats(0.5, 40),
    overhead=st.integers(0, 500),
    low=st.integers(0, 16),
    more=st.integers(0, 40),
    target=st.sampled_from([50_000, 100_000, 1_000_000]),
    latency_s=st.floats(0.0, 8.0),
    seed=st.integers(0, 1000),
)
def test_a_steady_gateway_gets_its_target_within_2_percent_whatever_its_tokenizer(
    per_word: float, overhead: int, low: int, more: int, target: int, latency_s: float, seed: int
) -> None:
    """Calibrated sizes and corrections reach the target, whatever a word or a reply counts."""
    count = -(-target // 4000)
    window = Window(
        lambda dice: latency_s, per_word=per_word, overhead=overhead, replies=(low, low + more),
        target=target, count=count, seed=seed,
    )  # fmt: skip
    assert window.error is not None and abs(window.error) < 0.02


@given(seed=st.integers(0, 10_000), drift=st.floats(0.7, 1.4))
def test_a_wrong_calibration_is_corrected_within_the_window(seed: int, drift: float) -> None:
    """As with a tokenizer that counts long prompts differently from short ones."""
    window = Window(lambda dice: 2.0, drift=drift, count=50, seed=seed)
    assert window.error is not None and abs(window.error) < 0.02


@given(seed=st.integers(0, 10_000), share=st.floats(0.0, 0.9))
def test_failures_do_not_raise_the_offered_load(seed: int, share: float) -> None:
    """A gateway that refuses is offered the target, not more."""
    window = Window(lambda dice: 1.0, failures=share, count=100, seed=seed)
    calm = Window(lambda dice: 1.0, count=100, seed=seed)
    assert abs(sum(window.sizes) / sum(calm.sizes) - 1) < 0.02


@given(seed=st.integers(0, 10_000), share=st.floats(0.0, 0.5), drift=st.floats(0.3, 3.0))
def test_no_prompt_exceeds_the_size_bound(seed: int, share: float, drift: float) -> None:
    """However wrong the calibration was: no burst of tokens to catch up."""
    window = Window(lambda dice: 1.0, failures=share, drift=drift, count=60, seed=seed)
    pacer = window.pacers[0]
    mean, off = pacer.mean_tokens, 40 * drift
    largest = pacer.pace.words(mean * BOUND * 1.05 / min(drift, 1.0)) + off
    assert max(window.sizes) <= largest


@given(seed=st.integers(0, 10_000))
def test_the_error_stays_within_three_times_the_expected_error(seed: int) -> None:
    """With latencies that vary."""
    window = Window(lambda dice: 3.4 * dice.lognormvariate(0, 0.2), seed=seed, replies=(4, 12))
    expected = window.pacers[0].expected_error
    assert window.error is not None
    assert abs(window.error) < 3 * expected + 0.005


def test_generators_that_share_a_window_reach_its_target_together() -> None:
    for slots in (2, 3, 7):
        window = Window(lambda dice: 1.5, slots=slots, count=50, replies=(5, 16))
        assert window.error is not None and abs(window.error) < 0.02


def test_a_gateway_that_states_no_tokens_is_sent_what_the_calibration_expects() -> None:
    window = Window(lambda dice: 1.0, silent=True)
    assert window.error is not None and abs(window.error) < 0.02


def test_the_target_is_over_a_wall_clock_that_includes_the_drain() -> None:
    """With answers that take 6 s, 60 s of sending are measured over 63.6 s."""
    pacer = Pacer(Pace(tokens_per_word=10, overhead_tokens=30, reply_tokens=10, latency_s=6.0),
                  60_000, [index * 2.4 for index in range(25)], 25)  # fmt: skip
    assert pacer.goal_tokens == pytest.approx(60_000 / 60 * (57.6 + 6.0))


def test_sizes_are_steady_while_answers_are_as_expected() -> None:
    sizes = Window(lambda dice: 2.0, count=100, target=400_000).sizes
    assert max(sizes) <= min(sizes) + 2


class TestCalibration:
    def test_two_probes_give_slope_and_overhead(self) -> None:
        pace = calibrate([Probe(25, 280, 290, 1.0), Probe(200, 2030, 2042, 2.0)])
        assert pace == Pace(tokens_per_word=10, overhead_tokens=30, reply_tokens=11, latency_s=2.0)

    def test_one_probe_alone_gives_the_slope(self) -> None:
        pace = calibrate([Probe(200, 2040, 2050, 1.0)])
        assert pace is not None and pace.tokens_per_word == pytest.approx(10, rel=0.01)

    @pytest.mark.parametrize(
        "probes",
        [
            [],
            [Probe(25, None, None, 1.0), Probe(200, None, None, 1.0)],
            [Probe(25, 100, 110, 1.0), Probe(200, 100, 110, 1.0)],
            [Probe(25, 300, 310, 1.0), Probe(200, 90, 100, 1.0)],
        ],
    )
    def test_tokens_that_are_unstated_or_do_not_grow_give_no_calibration(
        self, probes: list[Probe]
    ) -> None:
        assert calibrate(probes) is None


class TestExpectedEnd:
    def test_with_one_latency_the_expected_end_is_certain(self) -> None:
        end = expected_end([0.0, 1.0, 2.0], [0.5])
        assert (end.at_s, end.sd_s) == (2.5, 0.0)

    @given(
        dues=st.lists(st.floats(0, 60), min_size=1, max_size=30).map(sorted),
        seen=st.lists(st.floats(0.1, 20), min_size=1, max_size=20),
        seed=st.integers(0, 100),
    )
    def test_the_expected_end_is_the_mean_of_the_last_completion(
        self, dues: list[float], seen: list[float], seed: int
    ) -> None:
        """Of a thousand windows drawn at random, within the grid's step and chance."""
        dice = Random(seed)
        drawn = [max(due + dice.choice(seen) for due in dues) for _ in range(1000)]
        end = expected_end(dues, seen)
        step = (max(seen) - min(seen)) / 32
        assert end.at_s == pytest.approx(sum(drawn) / 1000, abs=step + 0.15 * end.sd_s + 1e-6)
