"""The price table: read strictly, charged exactly, and never above its worst case."""

import json
from fractions import Fraction
from math import floor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.prices import Price, PriceError, Prices, read
from simulator import prices as simulated
from simulator.profile import Prices as SimulatedPrices

NANO = Price(input=1.4, cached_input=0.14, output=8.75, decimals=6)
TABLE = Prices({"gpt-5.4-nano": NANO, "gpt-*": Price(input=2, output=4)}, "CNY")
WHOLE = """
currency = "CNY"
[models."gpt-5.4-nano"]
input = 1.4
cached_input = 0.14
output = 8.75
decimals = 6
[models."gpt-*"]
input = 2
output = 4
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "prices.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_price_table_is_read_from_its_file(tmp_path: Path) -> None:
    assert read(written(tmp_path, WHOLE)) == TABLE


def test_a_price_table_is_read_back_from_plain_data() -> None:
    """It travels to workers and into the manifest as JSON."""
    assert Prices.from_dict(json.loads(json.dumps(TABLE.as_dict()))) == TABLE
    assert Prices.from_dict(None) is None


@pytest.mark.parametrize(
    ("prompt", "completion", "cached", "cost"),
    [
        (12, 6, 0, 0.000069),  # the article's 600 RPM window, per request
        (11_719, 8, 0, 0.016477),  # its cache test, cold
        (11_719, 8, 11_008, 0.002607),  # and warm
        (12, 6, None, 0.000069),  # what was not stated counts as not cached
        (0, 0, 0, 0.0),
    ],
)
def test_the_table_gives_the_costs_of_the_article(
    prompt: int, completion: int, cached: int | None, cost: float
) -> None:
    assert TABLE.cost("gpt-5.4-nano", prompt, completion, cached) == cost


@pytest.mark.parametrize(
    ("model", "price"),
    [
        ("a", 1), ("ab", 2), ("abc", 3), ("abcd", 3), ("abd", 2), ("b", 9), ("", 9), ("a*", 4),
    ],
)  # fmt: skip
def test_an_exact_model_name_comes_before_the_longest_pattern(model: str, price: int) -> None:
    names = {"a": 1, "ab*": 2, "abc*": 3, "a*": 4, "*": 9}
    table = Prices({name: Price(input=0, output=0, per_request=n) for name, n in names.items()})
    assert table.cost(model, 1, 1) == price


@pytest.mark.parametrize(
    ("tokens"),
    [
        (None, 6), (12, None), (None, None), (-1, 6), (12, -1), (12, 6, 13), (12, 6, -1),
        (12, 6, 7, 6), (12, 6, 0, -1),
    ],
)  # fmt: skip
def test_token_counts_that_do_not_add_up_have_no_cost(tokens: tuple[int | None, ...]) -> None:
    assert TABLE.cost("gpt-5.4-nano", *tokens) is None


def test_a_model_without_a_price_has_no_cost() -> None:
    assert TABLE.cost("claude-sonnet-4.6", 12, 6) is None
    assert TABLE.worst("claude-sonnet-4.6", 12, 6) is None


def test_no_output_budget_has_no_worst_case() -> None:
    assert TABLE.worst("gpt-5.4-nano", 12, None) is None
    assert TABLE.worst("gpt-5.4-nano", 12, 0) is None


def test_a_request_costs_its_tokens_and_fee_and_at_least_the_minimum() -> None:
    """The fee is added before rounding; the minimum is charged for whatever costs less."""
    table = Prices({"m": Price(input=1, output=1, per_request=0.01, minimum=0.02, decimals=3)})
    assert table.cost("m", 1, 1) == 0.02
    assert table.cost("m", 10_000, 4_499) == 0.024
    assert table.cost("m", 10_000, 4_500) == 0.025


def test_huge_token_counts_are_charged() -> None:
    """A gateway may state whatever fits 64 bits."""
    dear = Prices({"*": Price(input=1e9, output=1e9, decimals=15)})
    assert dear.cost("m", 2**63 - 1, 2**63 - 1) == pytest.approx(2 * 2**63 * 1e3)


money = st.integers(0, 300_000).map(lambda n: n / 1000)
prices = st.builds(
    Price,
    input=money,
    output=money,
    cached_input=st.none() | money,
    cache_write=st.none() | money,
    per_request=st.integers(0, 1000).map(lambda n: n / 1e5),
    minimum=st.integers(0, 1000).map(lambda n: n / 1e5),
    decimals=st.none() | st.integers(0, 12),
)
tokens = st.tuples(*[st.integers(0, 200_000)] * 4)


def slow(price: Price, plain: int, completion: int, cached: int, written_: int) -> float:
    """The charge in exact fractions."""

    def exact(number: float | None) -> Fraction:
        return Fraction(repr(price.input if number is None else number))

    money = exact(price.per_request) + (
        plain * exact(price.input)
        + cached * exact(price.cached_input)
        + written_ * exact(price.cache_write)
        + completion * exact(price.output)
    ) / Fraction(10**6)
    if price.decimals is not None:
        unit = 10**price.decimals
        money = Fraction(floor(money * unit + Fraction(1, 2)), unit)
    return float(max(money, exact(price.minimum)))


@given(prices, tokens)
def test_a_charge_is_that_of_exact_fractions(
    price: Price, counts: tuple[int, int, int, int]
) -> None:
    plain, completion, cached, wrote = counts
    cost = Prices({"*": price}).cost("m", plain + cached + wrote, completion, cached, wrote)
    assert cost == pytest.approx(slow(price, *counts), rel=1e-15)


@given(prices, tokens)
def test_our_charge_is_the_simulators(price: Price, counts: tuple[int, int, int, int]) -> None:
    """Two independent implementations agree to the last digit."""
    plain, completion, cached, wrote = counts
    theirs = SimulatedPrices(
        input=price.input,
        cached_input=price.cached_input,
        cache_write=price.cache_write,
        output=price.output,
        minimum=price.minimum,
        decimals=price.decimals or 0,
    )
    same = Price(**(Prices({"m": price}).as_dict()["models"]["m"] | {
        "per_request": 0.0, "decimals": price.decimals or 0,
    }))  # fmt: skip
    cost = Prices({"m": same}).cost("m", plain + cached + wrote, completion, cached, wrote)
    charged = simulated.cost(theirs, plain + cached + wrote, completion, cached, wrote)
    assert cost == pytest.approx(charged, abs=1e-9)


@given(prices, tokens, st.integers(0, 500))
def test_nothing_costs_more_than_its_worst_case(
    price: Price, counts: tuple[int, int, int, int], spare: int
) -> None:
    plain, completion, cached, wrote = counts
    table, prompt = Prices({"*": price}), plain + cached + wrote
    worst = table.worst("m", prompt, completion + spare + 1)
    cost = table.cost("m", prompt, completion, cached, wrote)
    assert worst is not None and cost is not None and cost <= worst


def test_the_worst_case_rounds_up() -> None:
    """0.00000001 is billed as 0, but nobody can know how the last digit falls."""
    assert Prices({"m": Price(input=0.01, output=0, decimals=6)}).worst("m", 1, 1) == 0.000001


GOOD = '[models."m"]\ninput = 1\noutput = 2\n'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "it has no model"),
        ("models = 3", "it has no model"),
        ("[models]", "it has no model"),
        ("[models", "is not valid TOML"),
        ("price = 1\n" + GOOD, "'price' is unknown: use currency, models"),
        ("currency = 7\n" + GOOD, "currency must be a name such as CNY or USD, not 7"),
        ('currency = " "\n' + GOOD, "currency must be a name"),
        ("[models]\nm = 1", 'models."m" must be a table, not 1'),
        ('[models."m"]\ninput = 1', 'models."m".output is missing'),
        ('[models."m"]\noutput = 1', 'models."m".input is missing'),
        (GOOD + "outptu = 1", "'outptu' in models.\"m\" is unknown: use cache_write, cached_input"),
        (GOOD + "minimum = -1", 'models."m".minimum must be a number from 0'),
        (GOOD + "minimum = nan", 'models."m".minimum must be a number'),
        (GOOD + "minimum = inf", 'models."m".minimum must be a number'),
        (GOOD + "minimum = true", 'models."m".minimum must be a number'),
        (GOOD + 'cached_input = "0.1"', "models.\"m\".cached_input must be a number from 0 to"),
        (GOOD + "decimals = 2.5", 'models."m".decimals must be a whole number up to 15'),
        (GOOD + "decimals = 16", 'models."m".decimals must be a whole number up to 15'),
        (GOOD + "decimals = -1", 'models."m".decimals must be a number from 0'),
        ('[models."a*b"]\ninput = 1\noutput = 2', "a * is allowed only at the end of a name"),
    ],
)  # fmt: skip
def test_an_error_in_the_table_names_file_and_key(tmp_path: Path, text: str, says: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(PriceError) as caught:
        read(path)
    message = str(caught.value)
    assert (
        says in message and str(path) in message and message.endswith(".") and "\n" not in message
    )


def test_a_missing_or_binary_price_file_is_an_operator_error(tmp_path: Path) -> None:
    with pytest.raises(PriceError, match=r"none\.toml cannot be read \(No such file"):
        read(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(PriceError, match=r"bad\.toml is not valid TOML"):
        read(tmp_path / "bad.toml")


@pytest.mark.parametrize(
    ("reasoning", "total", "output"),
    [
        (500, 518, 506),  # beside the completion, as xAI counts
        (4, 18, 6),  # part of it, as OpenAI counts
        (None, 518, 6),  # nobody knows what the rest of the total is
        (500, None, 6),
        (0, 18, 6),
        (500, 999, 6),
    ],
)
def test_reasoning_tokens_outside_the_completion_are_priced_once(
    reasoning: int | None, total: int | None, output: int
) -> None:
    table = Prices({"*": Price(input=0.0, output=1e6)})
    assert table.cost("m", 12, 6, reasoning=reasoning, total=total) == output
