"""Reaches a target of tokens per minute by sizing prompts; arrivals are not moved. Pure.

The due times of a token window are an even grid, as in a request window. Just before each request
is built, the pacer decides the length of its prompt: the tokens still owed, minus those in flight,
divided among the remaining requests. So a deficit is made up with longer prompts, never with
bursts, and no prompt exceeds `BOUND` times the window's mean or falls below its inverse.

The amount owed is measured as in the report: `total_tokens of successes / wall * 60`, and the wall
clock runs to the last completion. So the goal is `target / 60 * expected wall`, with the wall
estimated from the latencies seen so far. The tokens of a failed or cancelled request count as
offered and are not made up for: the window measures that they were not served.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod, sqrt

from recording.events import PacerReport

BOUND = 2.0
"""The largest prompt, and the inverse of the smallest, in units of the window's mean."""

CALIBRATION = "calibration"
"""The scenario of the probes that measure a model's tokens."""

CALIBRATION_WORDS = (25, 200)
"""Padding words of the two probes, far enough apart to separate the tokens per word from the
rest.
"""

_GUESSED_OVERHEAD_TOKENS = 40.0
_STEPS, _LAST, _SAMPLE = 32, 32, 96


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """The result of calibration for a model: tokens as a function of padding words.

    `latency_s` is the time of a probe's answer.
    """

    tokens_per_word: float
    overhead_tokens: float
    reply_tokens: float
    latency_s: float

    def tokens(self, words: int) -> float:
        """The expected total_tokens of a prompt with `words` padding words."""
        return self.overhead_tokens + self.reply_tokens + words * self.tokens_per_word

    def words(self, tokens: float) -> int:
        """The number of padding words that comes nearest to a total of `tokens`; at least 1."""
        text = tokens - self.overhead_tokens - self.reply_tokens
        return max(1, round(text / self.tokens_per_word))


@dataclass(frozen=True, slots=True)
class Probe:
    """One answered calibration request: its padding words, tokens (None: not stated), seconds."""

    words: int
    prompt_tokens: int | None
    total_tokens: int | None
    latency_s: float


def calibrate(probes: Sequence[Probe]) -> Pace | None:
    """The pace from the answered probes; None if none of them states its tokens.

    Two probes give a line with slope and intercept. With one probe, the intercept is a guess that
    the pacer corrects during the window. A gateway that counts no more tokens for a longer prompt
    gives no pace.
    """
    known = [p for p in probes if p.prompt_tokens is not None]
    if not known:
        return None
    low, high = (min(known, key=lambda p: p.words), max(known, key=lambda p: p.words))
    assert low.prompt_tokens is not None and high.prompt_tokens is not None
    if high.words > low.words:
        slope = (high.prompt_tokens - low.prompt_tokens) / (high.words - low.words)
    else:
        slope = (high.prompt_tokens - _GUESSED_OVERHEAD_TOKENS) / high.words
    if slope <= 0:
        return None
    replies = [p.total_tokens - (p.prompt_tokens or 0) for p in known if p.total_tokens is not None]
    return Pace(
        tokens_per_word=slope,
        overhead_tokens=max(0.0, high.prompt_tokens - slope * high.words),
        reply_tokens=max(0.0, sum(replies) / len(replies)) if replies else 0.0,
        latency_s=max(p.latency_s for p in known),
    )


@dataclass(frozen=True, slots=True)
class End:
    """When a window's last answer comes: expected, and its standard deviation; seconds."""

    at_s: float
    sd_s: float


def expected_end(dues_s: Sequence[float], latencies_s: Sequence[float]) -> End:
    """The expected last completion of requests due at `dues_s` (ascending), given observed
    latencies.

    Latencies are treated as independent draws from the observed ones, so the probability that all
    are complete by x is the product of their distribution function at `x - due`; its mean is summed
    over a grid.
    """
    by_length = sorted(latencies_s)
    last = dues_s[-1]
    shortest, longest = by_length[0], by_length[-1]
    if longest - shortest < 1e-9:
        return End(last + longest, 0.0)
    near = [due for due in dues_s[-_LAST:] if due + longest >= last + shortest]
    step = (longest - shortest) / _STEPS
    mean = square = before = 0.0
    for number in range(1, _STEPS + 1):
        x = last + shortest + number * step
        over = prod(bisect_right(by_length, x - due + 1e-12) / len(by_length) for due in near)
        over = 1.0 if number == _STEPS else over
        middle, share = x - step / 2, over - before
        mean += middle * share
        square += middle * middle * share
        before = over
    return End(mean, sqrt(max(0.0, square - mean * mean)))


@dataclass(slots=True)
class Pacer:
    """Sizes the prompts for one generator's share of a token window.

    `dues_s` are the due times of the whole window, ascending; `own_count` how many of them are this
    generator's. `size` is called once for each of these, in order; `done` is called when each has
    ended. Times are seconds after the window's start.
    """

    pace: Pace
    target_tpm: float
    dues_s: Sequence[float]
    own_count: int
    tokens: int = 0
    _sized_count: int = 0
    _expected: dict[int, float] = field(default_factory=dict)
    _latencies_s: list[float] = field(default_factory=list)
    _errors: list[float] = field(default_factory=list)
    _end: End = field(init=False)
    _counted: int = 0
    least_words: int = 0
    most_words: int = 0

    def __post_init__(self) -> None:
        self._end = expected_end(self.dues_s, [self.pace.latency_s])

    @property
    def goal_tokens(self) -> float:
        """The current estimate of the total tokens that this generator's requests should use."""
        return self.target_tpm / 60 * self._end.at_s * self.own_count / len(self.dues_s)

    @property
    def mean_tokens(self) -> float:
        """The window's mean tokens per request."""
        return self.goal_tokens / self.own_count

    def size(self, index: int) -> int:
        """The padding words of request `index`, which is about to be built."""
        requests_left = max(1, self.own_count - self._sized_count)
        owed = self.goal_tokens - self.tokens - sum(self._expected.values())
        share = min(max(owed / requests_left, self.mean_tokens / BOUND), self.mean_tokens * BOUND)
        words = self.pace.words(share - self._bias)
        self._sized_count += 1
        self._expected[index] = self.pace.tokens(words) + self._bias
        self.least_words = min(self.least_words or words, words)
        self.most_words = max(self.most_words, words)
        return words

    def done(self, index: int, success: bool, tokens: int | None, latency_s: float | None) -> None:
        """Request `index` has ended; if it failed or states no tokens, it counts as expected."""
        expected = self._expected.pop(index, None)
        if expected is None:
            return
        if not success or tokens is None:
            self.tokens += round(expected)
        else:
            self.tokens += tokens
            self._errors.append(tokens - expected)
        if not success:
            return
        if latency_s is not None:
            self._latencies_s.append(latency_s)
        # At first the wall clock is estimated again after every answer, later only occasionally.
        if len(self._latencies_s) > self._counted * 1.05:
            self._counted = len(self._latencies_s)
            self._end = expected_end(self.dues_s, self._latencies_s[-_SAMPLE:])

    @property
    def _bias(self) -> float:
        """How many more tokens the last answers used than the calibration predicts."""
        recent = self._errors[-16:]
        return sum(recent) / len(recent) if recent else 0.0

    @property
    def expected_error(self) -> float:
        """Two standard deviations of the achieved rate, as a share of the target.

        It comes from what sizing cannot correct: when the last answer comes, the varying lengths of
        the last replies, and rounding to whole words.
        """
        errors = self._errors[-_SAMPLE:]
        mean = sum(errors) / len(errors) if errors else 0.0
        spread = sum((e - mean) ** 2 for e in errors) / len(errors) if errors else 0.0
        late = 1 + round(self._end.at_s - self.dues_s[-1]) * len(self.dues_s) / self._end.at_s
        tokens = sqrt(spread * min(late, len(self.dues_s)) + self.pace.tokens_per_word**2 / 12)
        goal = self.target_tpm / 60 * self._end.at_s
        return 2 * sqrt((self._end.sd_s / self._end.at_s) ** 2 + (tokens / goal) ** 2)

    def report(self) -> PacerReport:
        """The report for the event log."""
        return PacerReport(
            tokens=self.tokens,
            goal_tokens=round(self.goal_tokens),
            expected_error=round(self.expected_error, 6),
            least_words=self.least_words,
            most_words=self.most_words,
            tokens_per_word=round(self.pace.tokens_per_word, 4),
        )
