"""The estimate of a dry run: what a plan may use."""

from engine.estimate import estimate, prompt_tokens
from loadshapes.modes import plan
from rules.prices import Price, Prices
from settings.options import Options
from tasks.prompts import Request


def test_a_prompt_counts_one_token_per_four_characters() -> None:
    """Forty characters are ten tokens, and one for the remainder; pictures do not count."""
    assert prompt_tokens(Request("x" * 40)) == 11
    picture = {"type": "image_url", "image_url": {"url": "data:," + "x" * 4000}}
    assert prompt_tokens(Request([{"type": "text", "text": "x" * 40}, picture])) == 11


def test_the_estimate_of_a_window_counts_all_its_requests() -> None:
    """60 requests of 16 output tokens in 60 s: 960 tokens, and 65 s with the last answer."""
    options = Options(mode="rpm", model="m", target="60")
    estimated = estimate(plan(options), options)
    assert "at most 960 output tokens" in estimated and "about 1.1 minutes" in estimated


def test_the_estimate_of_a_plan_is_priced_by_the_table() -> None:
    """60 requests of 5 prompt tokens (19 characters) and 16 output tokens, at 1 and 10 each."""
    options = Options(mode="rpm", model="m,n", target="60", same_prompts=True)
    table = Prices({"m": Price(input=1e6, output=1e7)}, "CNY")
    estimated = estimate(plan(options), options, table)
    assert (
        f"about {60 * (5 + 160)} CNY by the price table if every answer is that long" in estimated
    )
    assert estimated.endswith("(1 phase has no price or no end)")
    assert "price" not in estimate(plan(options), options)


def test_a_plan_without_a_count_states_one_request_and_no_sum() -> None:
    """It once said "at most 0 output tokens", and with a price table a cost of 0."""
    options = Options(mode="ladder", model="m", steps="2", hold=40.0, same_prompts=True)
    table = Prices({"m": Price(input=1e6, output=1e7)}, "CNY")
    estimated = estimate(plan(options), options, table)
    assert estimated == (
        "as many requests as fit, about 0.8 minutes; each at most about 5 prompt tokens (at 4 "
        "characters a token) and at most 16 output tokens"
    )
    assert "until it is stopped" in estimate(
        plan(by_hand := Options(mode="interactive", model="m")), by_hand
    )
