"""What a profile states and charges in place of the truth, and the truth in the ledger."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from simulator.prices import cost
from simulator.profile import Prices
from tests.simulator.gateway import Gateway, chat, running, streamed

PRICES = Prices(input=1000.0, cached_input=100.0, output=4000.0)
PROFILE = """
any_model = true
[prices]
input = 1000.0
cached_input = 100.0
output = 4000.0
[reply]
tokens = 100
[billing]
"""
LONG = "word " * 2100 + "\nReply exactly: ok"


@contextmanager
def billed(log: Path, rule: str, *arguments: object) -> Iterator[Gateway]:
    path = log.parent / "billing.toml"
    path.write_text(PROFILE + rule)
    with running(log, "--profile", path, *arguments) as gateway:
        yield gateway


def row(gateway: Gateway, index: int = -1) -> dict[str, Any]:
    """A row of the ledger, its numbers read."""
    return {
        name: float(text) if text.replace(".", "").isdigit() else text
        for name, text in gateway.rows()[index].items()
    }


def truth(ledger_row: dict[str, Any], cached: float = 0) -> float:
    """The honest charge, computed independently of the simulator's code."""
    counted = int(ledger_row["true_prompt_tokens"]), int(ledger_row["true_completion_tokens"])
    return cost(PRICES, *counted, int(cached))


def test_an_honest_gateway_states_and_charges_the_truth(log: Path) -> None:
    """Plain, streamed, cached and refused: nothing differs, and refusals are free."""
    with billed(log, "") as gateway:
        for body in (chat(), streamed("Tell me"), chat(LONG), chat(LONG), streamed(LONG)):
            gateway.send(body)
            ledger_row = row(gateway)
            assert ledger_row["prompt_tokens"] == ledger_row["true_prompt_tokens"]
            assert ledger_row["completion_tokens"] == ledger_row["true_completion_tokens"]
            assert ledger_row["billed"] == ledger_row["cost"] == ledger_row["true_cost"]
            assert ledger_row["true_cost"] == pytest.approx(
                truth(ledger_row, ledger_row["cached_tokens"])
            )
        assert ledger_row["cached_tokens"] > 1000
        gateway.send(chat(max_tokens=0))
        assert row(gateway)["billed"] == row(gateway)["true_cost"] == ""


def test_inflated_counts_and_a_hidden_prompt(log: Path) -> None:
    """Slope and intercept: stated = 1.5 x counted + 400 for the prompt, and charged accordingly."""
    with billed(log, "inflate = 1.5\nhidden_prompt_tokens = 400") as gateway:
        for count in (20, 60, 180):
            usage = gateway.send(chat("word " * count, max_tokens=50)).json["usage"]
            ledger_row = row(gateway)
            assert usage["prompt_tokens"] == round(ledger_row["true_prompt_tokens"] * 1.5) + 400
            assert (usage["completion_tokens"], ledger_row["true_completion_tokens"]) == (75, 50)
            assert (
                ledger_row["billed"]
                == usage["cost"]
                == pytest.approx(cost(PRICES, usage["prompt_tokens"], 75))
            )
            assert (
                ledger_row["true_cost"] == pytest.approx(truth(ledger_row))
                and ledger_row["true_cost"] < 1
            )


def test_other_counts_on_streams(log: Path) -> None:
    with billed(log, "stream_factor = 2.0") as gateway:
        plain = gateway.send(chat()).json["usage"]
        stream = gateway.send(streamed()).events[-2]["usage"]
        assert stream["prompt_tokens"] == 2 * plain["prompt_tokens"]
        assert stream["completion_tokens"] == 2 * plain["completion_tokens"]
        assert row(gateway)["true_prompt_tokens"] == plain["prompt_tokens"]


def test_no_discount_for_the_cache(log: Path) -> None:
    """Cached tokens are stated but charged in full."""
    with billed(log, "cache_credit = false") as gateway:
        costs = [gateway.send(chat(LONG)).json["usage"]["cost"] for _ in range(2)]
        ledger_row = row(gateway)
    assert costs[0] == costs[1] == ledger_row["billed"] and ledger_row["cached_tokens"] > 1000
    assert ledger_row["true_cost"] == pytest.approx(truth(ledger_row, ledger_row["cached_tokens"]))
    assert ledger_row["true_cost"] < costs[1] / 2


def test_charged_twice(log: Path) -> None:
    """A share of the requests, drawn from the seed, is charged twice and states one charge."""
    with billed(log, "double_share = 0.5") as gateway:
        for i in range(60):
            gateway.send(chat(f"Reply exactly: ok-{i}"))
        rows = gateway.rows()
    twice = [
        ledger_row
        for ledger_row in rows
        if float(ledger_row["billed"]) == 2 * float(ledger_row["true_cost"])
    ]
    once = [
        ledger_row
        for ledger_row in rows
        if float(ledger_row["billed"]) == float(ledger_row["true_cost"])
    ]
    assert len(twice) + len(once) == 60 and 15 < len(twice) < 45
    assert all(ledger_row["cost"] == ledger_row["true_cost"] for ledger_row in rows)


@pytest.mark.parametrize(("share", "in_full"), [(1.0, True), (0.0, False)])
def test_a_client_that_leaves(log: Path, share: float, in_full: bool) -> None:
    """It is charged in full, or for its prompt and what was sent; the truth is the latter."""
    with billed(log, f"aborted = {share}", "--tokens-per-s", 50) as gateway:
        gateway.left(streamed("Write 300 tokens"), chunks=3)
        ledger_row = row(gateway)
    assert ledger_row["fault"] == "client_gone"
    assert 3 <= ledger_row["true_completion_tokens"] < 200
    assert ledger_row["true_cost"] == pytest.approx(truth(ledger_row))
    whole = cost(PRICES, int(ledger_row["true_prompt_tokens"]), 300)
    assert ledger_row["billed"] == pytest.approx(whole if in_full else ledger_row["true_cost"])


def test_nothing_is_charged_for_a_client_that_leaves(log: Path) -> None:
    with billed(log, "aborted_free = true", "--tokens-per-s", 50) as gateway:
        gateway.left(streamed("Write 300 tokens"), chunks=3)
        assert row(gateway)["billed"] == ""
        assert gateway.send(chat()).json["usage"]["cost"] == row(gateway)["billed"]


@pytest.mark.parametrize("goes_on", [False, True])
def test_the_model_stops_or_goes_on_when_its_client_leaves(log: Path, goes_on: bool) -> None:
    """By its own clock: up to the last token's due time, or no further than the hang-up."""
    rule = f"aborted = 0.0\n[hang_up]\ngoes_on = {str(goes_on).lower()}"
    with billed(log, rule, "--tokens-per-s", 200 if goes_on else 50) as gateway:
        gateway.left(streamed("Write 300 tokens"), chunks=3)
        ledger_row = row(gateway)
        gateway.send(streamed("Write 20 tokens"))
        whole = row(gateway)
    went_on_s = ledger_row["produced_until_unix_s"] - ledger_row["client_gone_unix_s"]
    assert ledger_row["fault"] == "client_gone" and ledger_row["chunks"] < 100
    assert ledger_row["produced_tokens"] == ledger_row["true_completion_tokens"]
    if goes_on:
        assert ledger_row["produced_tokens"] == 300
        assert ledger_row["produced_until_unix_s"] - ledger_row["arrival_unix_s"] >= 1.4
        assert (
            ledger_row["billed"] < ledger_row["true_cost"]
        )  # the gateway bears what it did not stop
    else:
        assert 3 <= ledger_row["produced_tokens"] < 100 and went_on_s < 2
    assert whole["produced_tokens"] == whole["completion_tokens"]
    assert whole["client_gone_unix_s"] == "" and whole["produced_until_unix_s"]
