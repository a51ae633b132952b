"""Mode billing: each dishonesty gives exactly its finding, and an honest gateway none."""

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest

from analysis.numbers.billing import Kind, ModelBill, judge
from analysis.numbers.token_line import fit_line, slopes
from analysis.page.words import Words
from analysis.report.sections import billing
from docs.token_slopes import table
from loadshapes.finding import Finding
from loadshapes.modes import plan
from loadshapes.phase import Phase
from rules.billing_cases import CHOICES, repeats
from rules.prices import Price, Prices
from rules.token_slopes import CHAT_TOKENS, KNOWN, Line, claimed
from settings.options import Options

MODEL = "gpt-5.4-nano"
PRICE = Price(input=1.0, cached_input=0.1, output=4.0, decimals=6)
PRICES = Prices({MODEL: PRICE})
Change = Callable[[dict[str, Any]], None]


def asked(seed: int = 0) -> Iterator[Phase]:
    """The phases of mode billing in the order in which they are run, again and again."""
    unfold = plan(Options(mode="billing", model=MODEL, seed=seed)).unfold
    assert unfold is not None
    program = unfold()
    phase = next(program, None)
    while phase is not None:
        yield phase
        try:
            phase = program.send(Finding(phase))
        except StopIteration:
            phase = None


def rows(change: Change = lambda row: None, seed: int = 0, price: Price = PRICE) -> list[Any]:
    """What an honest gateway states for the mode's own plan, after `change` was applied to each
    row.
    """
    dice, stated = Random(seed), []
    for phase in asked(seed):
        for index in phase.indices(0, 1):
            place = repeats(phase.scenario, index)
            own = KNOWN["o200k"][place[0]].tokens(place[1]) if place else dice.randint(40, 220)
            many = CHOICES if phase.scenario == "n" else 1
            row: dict[str, Any] = dict.fromkeys(
                ("cache_write_tokens", "reasoning_tokens", "tokens_beside", "provider")
            )
            row |= {
                "scenario": phase.scenario, "request_index": index, "stream": phase.stream,
                "success": True, "outcome": "ok", "cost_source": "body", "finish_reason": "length",
                "max_tokens": phase.max_tokens, "prompt_tokens": own + CHAT_TOKENS,
                "completion_tokens": many * dice.randint(10, phase.max_tokens or 16),
                "cached_tokens": 1024 if own > 1024 and index else 0,
            }  # fmt: skip
            if phase.scenario == "refused":
                row |= dict.fromkeys(("prompt_tokens", "completion_tokens", "cached_tokens"))
                row |= {"success": False, "outcome": "bad_request", "cost_source": "unknown"}
            if phase.scenario == "stream_no_usage":
                row |= dict.fromkeys(("prompt_tokens", "completion_tokens", "cached_tokens"))
                row["cost_source"] = "unknown"
            if phase.cancel is not None:
                row |= dict.fromkeys(("prompt_tokens", "completion_tokens", "cached_tokens"))
                row |= {"success": False, "outcome": "abandoned", "cost_source": "unknown"}
            row["price"], row["place"] = price, len(stated)
            row["timestamp"] = f"2026-11-27T12:{len(stated) // 60:02}:{len(stated) % 60:02}+00:00"
            change(row)
            charge(row)
            stated.append(row)
    return stated


def charge(row: dict[str, Any]) -> None:
    """State the total and the cost of what is stated."""
    prompt, completion = row["prompt_tokens"], row["completion_tokens"]
    row["total_tokens"] = None if prompt is None else prompt + completion
    row.setdefault("api_cost", None)
    if row["api_cost"] is None and prompt is not None:
        row["api_cost"] = row["price"].charge(prompt, completion, row["cached_tokens"], 0)


def inflate(row: dict[str, Any]) -> None:
    for name in ("prompt_tokens", "completion_tokens"):
        row[name] = row[name] and round(row[name] * 1.05)


def hide(row: dict[str, Any]) -> None:
    row["prompt_tokens"] = row["prompt_tokens"] and row["prompt_tokens"] + 400


def count_streams(row: dict[str, Any]) -> None:
    if row["stream"]:
        row["prompt_tokens"] = row["prompt_tokens"] and round(row["prompt_tokens"] * 1.2)


def no_credit(row: dict[str, Any]) -> None:
    if row["cached_tokens"]:
        row["api_cost"] = PRICE.charge(row["prompt_tokens"], row["completion_tokens"], 0, 0)


def dear_tools(row: dict[str, Any]) -> None:
    if row["scenario"] == "tools":
        row["price"] = Price(input=1.0, output=8.0, decimals=6)


def hits_twice(row: dict[str, Any]) -> None:
    if row["cached_tokens"]:
        paid = PRICE.charge(row["prompt_tokens"], row["completion_tokens"], row["cached_tokens"], 0)
        row["api_cost"] = 2 * paid


def charge_refused(row: dict[str, Any]) -> None:
    if row["scenario"] == "refused":
        row |= {"api_cost": 0.0003, "cost_source": "body"}


def long_winded(row: dict[str, Any]) -> None:
    if row["scenario"] == "cut":
        row["completion_tokens"] = 24


def other_tokenizer(row: dict[str, Any]) -> None:
    place = repeats(row["scenario"], row["request_index"])
    if place and row["prompt_tokens"]:
        row["prompt_tokens"] = KNOWN["cl100k"][place[0]].tokens(place[1]) + CHAT_TOKENS


def two_counters(row: dict[str, Any]) -> None:
    if row["prompt_tokens"] and row["request_index"] % 5 == 4:
        row["prompt_tokens"] += 30


def dearer_later(row: dict[str, Any]) -> None:
    if row["place"] >= 40:
        row["price"] = Price(input=1.5, cached_input=0.1, output=6.0, decimals=6)


@pytest.mark.parametrize(
    ("change", "kind", "case"),
    [
        (inflate, Kind.INFLATED, None),
        (hide, Kind.HIDDEN_PROMPT, None),
        (count_streams, Kind.STATED_OTHERWISE, "stream"),
        (no_credit, Kind.CACHE_NOT_CREDITED, None),
        (dear_tools, Kind.CHARGED_OTHERWISE, "tools"),
        (charge_refused, Kind.REFUSED_CHARGED, "refused"),
        (long_winded, Kind.OVER_BUDGET, "cut"),
        (other_tokenizer, Kind.OTHER_TOKENIZER, None),
        (two_counters, Kind.NO_LINE, None),
        (dearer_later, Kind.PRICE_CHANGED, None),
    ],
)
def test_each_dishonesty_gives_exactly_its_finding(
    change: Change, kind: Kind, case: str | None
) -> None:
    for seed in range(20):
        findings = judge(MODEL, rows(change, seed), PRICES).findings
        assert [(one.kind, one.case) for one in findings] == [(kind, case)]


def test_cache_hits_charged_twice_are_found_though_the_first_request_of_the_case_missed() -> None:
    changed = rows(hits_twice)
    by_case = {finding.case: finding for finding in judge(MODEL, changed, PRICES).findings}
    assert set(by_case) == {"cached", "long"}
    for case, finding in by_case.items():
        hits = [row for row in changed if row["scenario"] == case and row["cached_tokens"]]
        extra = sum(row["api_cost"] / 2 for row in hits)
        assert finding.kind is Kind.CHARGED_OTHERWISE and finding.hits and finding.rows == len(hits)
        assert finding.amount == pytest.approx(extra)


def test_an_inflated_count_is_bounded_on_both_sides() -> None:
    counter_of_model = judge(MODEL, rows(inflate), PRICES).counter
    assert counter_of_model is not None and counter_of_model.inflation is not None
    assert 1.04 < counter_of_model.inflation[0] <= 1.05 <= counter_of_model.inflation[1] < 1.06


@pytest.mark.parametrize("prices", [PRICES, None])
def test_an_honest_gateway_with_rounding_and_a_cache_is_never_accused(
    prices: Prices | None,
) -> None:
    for seed in range(200):
        decimals = Random(seed).choice([5, 6, 7, 9, None])
        price = Price(input=1.37, cached_input=0.137, output=4.91, decimals=decimals)
        known = prices and Prices({MODEL: Price(input=1.37, cached_input=0.137, output=4.91)})
        assert not judge(MODEL, rows(seed=seed, price=price), known).findings


def test_one_sample_is_not_enough_for_a_finding() -> None:
    def once(row: dict[str, Any]) -> None:
        if row["scenario"] in ("stream", "tools") and row["request_index"] == 1:
            row["prompt_tokens"] += 200
            row["api_cost"] = 1.0

    (finding,) = judge(MODEL, rows(once), PRICES).findings
    assert (finding.kind, finding.case, finding.rows) == (Kind.SINGLE_CHARGES, None, 2)
    assert not finding.grave


def test_a_price_table_that_fits_no_plain_reply_accuses_no_single_case() -> None:
    other_prices = Prices({MODEL: Price(input=2.0, output=4.0)})
    assert {one.kind for one in judge(MODEL, rows(), other_prices).findings} == {Kind.OFF_PRICE}


def test_unknown_costs_prices_and_tokenizers_are_named_and_not_judged() -> None:
    def silent(row: dict[str, Any]) -> None:
        row |= {"price": Price(input=0.0, output=0.0), "cost_source": "unknown"}

    assert remark_texts(judge(MODEL, rows(silent), None))[-1].startswith(
        "The gateway states no cost"
    )
    assert "No price is known" in remark_texts(judge(MODEL, rows(), None))[-1]
    assert any(
        "tokenizer is not known" in one for one in remark_texts(judge("glm-5", rows(), PRICES))
    )


def test_binary_dust_of_two_equal_sums_is_no_difference() -> None:
    """0.1 + 0.2 is not 0.3 in binary: a gateway that does not round is not 0.000000000000 off."""
    exact = Price(input=1.37, cached_input=0.137, output=4.91)
    bill = judge(MODEL, rows(price=exact), Prices({MODEL: exact}))
    assert {case.difference for case in bill.cases} <= {0.0, None}


def test_cases_that_state_no_usage_or_no_cost_are_named_as_not_judged() -> None:
    """And a bill of which all cases state both has no such sentence."""

    def partly(row: dict[str, Any]) -> None:
        if row["scenario"] == "n":  # refused
            row |= dict.fromkeys(("prompt_tokens", "completion_tokens", "cached_tokens"))
            row |= {"success": False, "outcome": "bad_request", "cost_source": "unknown"}
        if row["scenario"] == "stream":
            row["cost_source"] = "price_table"

    said = remark_texts(judge(MODEL, rows(partly), PRICES))
    assert "Not judged, because no reply with its usage came: two replies (n = 2)." in said
    assert "Costs not judged, because no reply states one: streamed." in said
    assert not [one for one in remark_texts(judge(MODEL, rows(), PRICES)) if "ot judged" in one]


def remark_texts(bill: ModelBill) -> list[str]:
    return [str(getattr(one, "text", "")) for one in billing.remarks(Words("en", "CNY"), bill)]


def test_a_hidden_prompt_is_detected_without_a_tokenizer() -> None:
    counted = [(text, k, 1000 + 30 * k) for text in range(3) for k in (1, 4, 16)]
    estimate = fit_line("glm-5", counted)
    assert estimate is not None and estimate.tokenizer is None and (estimate.hidden or 0) > 800


def test_the_bounds_of_the_slope_hold_the_true_one() -> None:
    dice = Random(7)
    for _ in range(200):
        slope, start = dice.uniform(0.5, 40), dice.uniform(0, 500)
        points = [(k, round(start + slope * k)) for k in (1, 4, 16, 80)]
        bounds = slopes(points, 1.0)
        assert bounds is not None and bounds[0] <= slope + 1e-9 and slope <= bounds[1] + 1e-9
    assert slopes([(1, 10), (2, 20), (3, 60)], 2.0) is None


def test_the_table_of_slopes_is_what_its_script_computes() -> None:
    computed = {name: tuple(Line(*line) for line in lines) for name, lines in table().items()}
    assert computed == dict(KNOWN)


@pytest.mark.parametrize(
    ("model", "tokenizer"),
    [("gpt-5.4-nano", "o200k"), ("openai/gpt-4o", "o200k"), ("gpt-4-turbo", "cl100k"),
     ("glm-5", None), ("claude-sonnet-4.6", None)],
)  # fmt: skip
def test_the_models_name_determines_its_tokenizer(model: str, tokenizer: str | None) -> None:
    assert claimed(model) == tokenizer
