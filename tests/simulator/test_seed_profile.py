"""The `seed` profile against the article's own tables."""

from math import ceil
from pathlib import Path
from random import Random
from statistics import mean, median

import pytest

from simulator import latency, profile
from simulator.answer import Answer, answer
from simulator.cache import PromptCache
from simulator.chat_request import parse
from simulator.latency import Pressure, Traffic
from simulator.prices import cost
from tests.simulator.gateway import chat, running

SEED = profile.load("seed")
NANO, FLASH = "gpt-5.4-nano", "gemini-3-flash-preview"
SONNET, THINKING = "claude-sonnet-4.6", "claude-sonnet-4.6-thinking"


def reply(
    prompt: object, model: str, cache: PromptCache | None = None, **settings: object
) -> Answer:
    """The model's answer, without any wire."""
    request = parse(chat(prompt, model=model, **settings))
    served = SEED.models[model]
    answered = answer(request, served, Random(f"{prompt}"), cache or PromptCache(), 0.0, "id")
    if cache is not None:
        cache.store(answered.cache_blocks, served.cache, 0.0)
    return answered


def nearest_rank(values: list[float], percent: int) -> float:
    return sorted(values)[ceil(percent * len(values) / 100) - 1]


@pytest.mark.parametrize(
    ("model", "prompt", "completion", "cached", "billed"),
    [
        (NANO, 12, 6, 0, 0.000069),  # RPM: 0.020700 / 300 and 0.041331 / 599
        (NANO, 6686, 9, 0, 0.009439),  # TPM 50k: 0.113268 / 12
        (NANO, 6686, 9, 5888, 0.002020),  # TPM 100k, warm
        (NANO, 11719, 8, 0, 0.016477),  # cache, cold
        (NANO, 11719, 8, 11008, 0.002607),  # cache, warm
        (NANO, 15, 8, 0, 0.000091),  # ladder
        (NANO, 11, 4, 0, 0.000050),  # smoke
        ("gpt-5.4-nano-high", 23, 6, 0, 0.000085),  # thinking
        (SONNET, 16, 8, 0, 0.001176),  # ladder
        (SONNET, 12, 4, 0, 0.000672),  # smoke
        (SONNET, 25, 10, 0, 0.001575),  # thinking
        (THINKING, 25, 20, 0, 0.002625),
        (FLASH, 6, 4, 0, 0.000107),  # smoke: 106.5 millionths, rounded up
        (FLASH, 10, 5, 0, 0.000142),  # ladder
        ("gemini-3.1-pro-preview", 17, 15, 0, 0.001519),
        ("GLM-4.6V", 215, 196, 0, 0.001710),
    ],
)
def test_prices(model: str, prompt: int, completion: int, cached: int, billed: float) -> None:
    """The prices give the article's bills to the last digit."""
    assert cost(SEED.models[model].prices, prompt, completion, cached) == billed


def rpm_window(model: str, count: int) -> list[Answer]:
    return [reply(f"Reply exactly: ok-{i}", model, max_tokens=16) for i in range(count)]


@pytest.mark.parametrize("count", [300, 599])
def test_nano_rpm(count: int) -> None:
    """Nano's RPM windows: 18 tokens each, ¥0.020700 for 300 requests and ¥0.041331 for 599."""
    replies = rpm_window(NANO, count)
    assert {r.total_tokens for r in replies} == {18}
    assert all(r.choices[0].content == f"ok-{i}" for i, r in enumerate(replies))
    assert round(sum(r.cost for r in replies), 6) == {300: 0.020700, 599: 0.041331}[count]


@pytest.mark.parametrize(
    ("count", "tokens", "billed"), [(300, 21.440, 0.091052), (600, 21.598, 0.182215)]
)
def test_flash_rpm(count: int, tokens: float, billed: float) -> None:
    """Gemini's RPM windows within 2 % of the article's tokens and costs; the marker is cut off."""
    replies = rpm_window(FLASH, count)
    assert mean(r.total_tokens for r in replies) == pytest.approx(tokens, rel=0.02)
    assert sum(r.cost for r in replies) == pytest.approx(billed, rel=0.02)
    assert mean(r.choices[0].content is None for r in replies) > 0.95


def tpm_prompt(index: int) -> str:
    padding = " ".join(["NONELINEAR_TPM_EVAL_STATIC_TEXT"] * (4000 // 6))
    return (
        "You are testing throughput. Read the following static text and reply exactly "
        f"with TPM-OK-{index}.\n\n{padding}"
    )


def test_nano_tpm() -> None:
    """Nano's TPM windows, 12 then 25 requests: tokens and costs of the article, exactly."""
    cache = PromptCache()
    first = [reply(tpm_prompt(i), NANO, cache, max_tokens=16) for i in range(12)]
    second = [reply(tpm_prompt(i), NANO, cache, max_tokens=16) for i in range(25)]
    assert sum(r.total_tokens for r in first) == 80_340
    assert round(sum(r.cost for r in first), 6) == 0.113268
    assert sum(r.total_tokens for r in second) == 167_375
    # 0.000001 less: 12 warm bills of 2,020.27 millionths are rounded one by one.
    assert round(sum(r.cost for r in second), 6) == pytest.approx(0.146947, abs=2e-6)


def test_flash_tpm() -> None:
    """Gemini's TPM windows within 1 % of the article's tokens, and of the cold window's cost."""
    replies = [reply(tpm_prompt(i), FLASH, max_tokens=16) for i in range(25)]
    assert sum(r.total_tokens for r in replies[:13]) == pytest.approx(113_004, rel=0.01)
    assert sum(r.cost for r in replies[:13]) == pytest.approx(0.404024, rel=0.01)
    assert sum(r.total_tokens for r in replies) == pytest.approx(217_330, rel=0.01)


def test_cache_example(log: Path) -> None:
    """11,719 prompt tokens, three times: 0 then 11,008 cached, ¥0.016477 then ¥0.002607."""
    words = "word " * 11_704 + "\nReply exactly: cache-ok-for-this-long-run-of-words"
    with running(log, "--profile", "seed", "--latency", 0) as gateway:
        usages = [
            gateway.send(chat(words, model=NANO, max_tokens=8)).json["usage"] for _ in range(3)
        ]
    tokens = usages[0]["prompt_tokens"]
    assert abs(tokens - 11_719) < 20  # the prompt above is not the article's
    cached = [usage["prompt_tokens_details"]["cached_tokens"] for usage in usages]
    assert cached == [0, 11_008, 11_008]
    assert [u["cost"] for u in usages] == [
        cost(SEED.models[NANO].prices, tokens, 8, count) for count in cached
    ]
    assert usages[0]["cost"] == pytest.approx(0.016477, rel=0.002)
    assert usages[1]["cost"] == pytest.approx(0.002607, rel=0.01)


def test_cache_expires() -> None:
    """A different beginning, another model or a late repeat is cold; a different end is warm."""
    cache = PromptCache()
    long = "word " * 3000
    rules = SEED.models[NANO].cache
    reply(long, NANO, cache)
    assert reply(long + "and another end", NANO, cache).cached_tokens > 2000
    assert reply("x " + long, NANO, cache).cached_tokens == 0
    assert reply(long, "gpt-5.4-mini", cache).cached_tokens == 0
    blocks = reply(long, NANO).cache_blocks
    assert cache.match(blocks, rules.ttl_s - 1) == len(blocks)
    assert cache.match(blocks, rules.ttl_s + 1) == 0
    assert reply("word " * 900, NANO).cache_blocks == []  # below the minimum


def test_claude_caches_what_is_marked() -> None:
    """Claude caches only prompts with cache_control, and writing costs a quarter more."""
    cache = PromptCache()
    part: dict[str, object] = {"type": "text", "text": "word " * 3000}
    assert reply([part], SONNET, cache).cache_write_tokens == 0
    marked = [part | {"cache_control": {"type": "ephemeral"}}]
    cold, warm = reply(marked, SONNET, cache), reply(marked, SONNET, cache)
    assert cold.cache_write_tokens > 2900 and cold.cached_tokens == 0
    assert warm.cached_tokens == cold.cache_write_tokens and warm.cache_write_tokens == 0
    assert warm.cost < cold.cost / 3


@pytest.mark.parametrize(
    ("model", "runs", "billed"),
    [(NANO, 3, 0.001023), ("gpt-5.4-mini", 3, 0.002568), (SONNET, 3, 0.046053)],
)
def test_tool_costs(model: str, runs: int, billed: float) -> None:
    """Three tool calls cost what the article says, within 5 %; its exact prompt is not known."""
    parameters = {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    }
    function = {
        "name": "get_weather",
        "description": "Get the current weather of a city.",
        "parameters": parameters,
    }
    ask = 'Call get_weather with {"city":"Shanghai"}; do not answer directly.'
    tools = [{"type": "function", "function": function}]
    replies = [reply(ask, model, tools=tools, max_tokens=128) for _ in range(runs)]
    assert all(r.choices[0].tool_calls[0].arguments == '{"city":"Shanghai"}' for r in replies)
    assert sum(r.cost for r in replies) == pytest.approx(billed, rel=0.05)


def window(model: str, count: int, prompt_tokens: int, completion_tokens: int) -> dict[int, float]:
    """The median of latency percentiles over many 60 s windows, computed without sleeping."""
    rule = SEED.models[model].latency
    percentiles: dict[int, list[float]] = {50: [], 95: [], 99: []}
    for run in range(max(15, 10_000 // count)):
        dice, traffic = Random(run), Traffic()
        drawn = [
            latency.first_token_s(rule, prompt_tokens, traffic.arrive(i * 60 / count), dice)
            + latency.token_s(rule, completion_tokens)
            for i in range(count)
        ]
        for percent, values in percentiles.items():
            values.append(nearest_rank(drawn, percent))
    return {percent: median(values) for percent, values in percentiles.items()}


@pytest.mark.parametrize(
    ("model", "count", "prompt", "completion", "p50", "p95", "p99", "tolerance"),
    [
        (NANO, 300, 12, 6, 2.112, 6.680, 9.059, 0.10),
        (NANO, 600, 12, 6, 2.135, 12.449, 15.246, 0.10),
        (FLASH, 300, 9, 13, 3.524, 4.363, 4.650, 0.05),
        (FLASH, 600, 9, 13, 3.544, 4.405, 4.952, 0.06),
        # 25 requests: their P99 is the maximum, and the article has one draw of it.
        (NANO, 25, 6686, 9, 2.405, 2.868, 3.378, 0.20),
        (FLASH, 25, 8680, 13, 4.534, 6.931, 7.343, 0.20),
    ],
)
def test_latency_percentiles(
    model: str,
    count: int,
    prompt: int,
    completion: int,
    p50: float,
    p95: float,
    p99: float,
    tolerance: float,
) -> None:
    """The RPM and TPM windows' P50, P95 and P99 come near the article's."""
    percentiles = window(model, count, prompt, completion)
    assert percentiles[50] == pytest.approx(p50, rel=0.05)
    assert percentiles[95] == pytest.approx(p95, rel=tolerance)
    assert percentiles[99] == pytest.approx(p99, rel=tolerance)


@pytest.mark.parametrize(
    ("model", "article"),
    [
        (NANO, {5: 3.198, 10: 3.266, 20: 4.407, 50: 5.285, 100: 7.554}),
        (FLASH, {5: 5.385, 10: 4.971, 20: 5.990, 50: 6.855, 100: 8.163}),
        (SONNET, {5: 4.092, 10: 5.688, 20: 6.339}),
    ],
)
def test_ladder_grows(model: str, article: dict[int, float]) -> None:
    """The ladder's P95 grows with concurrency, within a third of the article's single draws."""
    rule = SEED.models[model].latency
    tails: list[float] = []
    for step, expected in article.items():
        draws = []
        for run in range(200):
            dice = Random(run)
            # A ladder's steps are seconds apart: the last minute holds those before as well.
            times = [Pressure(i + 1, 2 * step) for i in range(step)]
            burst = [latency.first_token_s(rule, 15, pressure, dice) for pressure in times]
            draws.append(nearest_rank(burst, 95))
        tails.append(median(draws))
        assert tails[-1] == pytest.approx(expected, rel=0.33)
    assert tails == sorted(tails)
