"""The source of a cost: the gateway, else the operator's price table, else none."""

from dataclasses import replace
from pathlib import Path

import pytest

from recording.errors import OperatorError
from rules.prices import Price, Prices
from settings.endpoint import Endpoint
from settings.money import Tariff, tariff
from tests.tasks.scripted_server import (
    Serve,
    answer,
    answer_once,
    completion,
    json_reply,
    streaming,
)
from tests.tasks.scripted_server import delta as chunk
from tests.tasks.sending import OPTIONS, send

TABLE = Prices({"m": Price(input=1_000_000, cached_input=0, output=10_000_000)})
COUNTS = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
OURS, HEADER = {"prices": TABLE}, "x-litellm-response-cost: 0.5"


@pytest.mark.parametrize(
    ("usage", "headers", "cost", "source"),
    [
        ({**COUNTS, "cost": 0.25}, (), 0.25, "body"),
        ({**COUNTS, "cost": 0}, (), 0.0, "body"),
        (COUNTS, (HEADER,), 0.5, "header"),
        (COUNTS, (), 25.0, "price_table"),
        ({**COUNTS, "prompt_tokens_details": {"cached_tokens": 4}}, (), 21.0, "price_table"),
        ({**COUNTS, "prompt_tokens": None}, (), None, "unknown"),
        ({**COUNTS, "completion_tokens": "2"}, (), 25.0, "price_table"),
        ({**COUNTS, "completion_tokens": "two"}, (), None, "unknown"),
        ({**COUNTS, "prompt_tokens_details": {"cached_tokens": 6}}, (), None, "unknown"),
        (None, (), None, "unknown"),
    ],
)
def test_the_table_prices_an_answer_with_tokens_and_without_a_cost(
    serve: Serve, usage: object, headers: tuple[str, ...], cost: float | None, source: str
) -> None:
    server = serve(answer(json_reply(completion(usage=usage), *headers)))
    row = send(server.base_url, how=OURS)
    assert (row.outcome, row.api_cost, row.cost_source) == ("ok", cost, source)


def test_a_model_without_a_price_has_an_unknown_cost(serve: Serve) -> None:
    server = serve(answer(json_reply(completion(usage=COUNTS))))
    row = send(server.base_url, how=OURS, model="another")
    assert (row.api_cost, row.cost_source) == (None, "unknown")


def test_a_stream_without_a_cost_is_priced_by_its_usage(serve: Serve) -> None:
    """LiteLLM, for one, states no cost of a stream."""
    last = {**chunk(), "choices": [], "usage": COUNTS}
    server = serve(answer(streaming(chunk(content="ok"), chunk("stop"), last)))
    row = send(server.base_url, how=OURS, stream=True)
    assert (row.outcome, row.api_cost, row.cost_source) == ("ok", 25.0, "price_table")


@pytest.mark.parametrize("stream", [False, True])
def test_a_failed_request_has_an_unknown_cost(serve: Serve, stream: bool) -> None:
    """It states no tokens: the cost is not 0, and not the fee alone."""
    server = serve(answer_once(json_reply({"error": {"message": "no"}}, status="500 Oops")))
    row = send(server.base_url, how=OURS, stream=stream)
    assert (row.outcome, row.api_cost, row.cost_source) == ("server_error", None, "unknown")


GATEWAY = Endpoint("http://h/v1", "k")


def priced(folder: Path, currency: str) -> str:
    path = folder / "prices.toml"
    currency_line = f'currency = "{currency}"\n' if currency else ""
    path.write_text(f"{currency_line}[models.m]\ninput = 1\noutput = 1\n", encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("option", "gateway", "table", "currency"),
    [
        ("", None, "", None),
        ("", None, "USD", "USD"),
        ("", "CNY", "", "CNY"),
        ("", "CNY", "CNY", "CNY"),
        ("USD", None, "", "USD"),
        ("USD", "CNY", "USD", "USD"),
    ],
)
def test_the_currency_is_that_of_the_option_the_table_or_the_gateway(
    tmp_path: Path, option: str, gateway: str | None, table: str, currency: str | None
) -> None:
    options = replace(OPTIONS, currency=option, prices=priced(tmp_path, table))
    run_tariff = tariff(options, replace(GATEWAY, unit=gateway), None)
    assert run_tariff.currency == currency and run_tariff.prices is not None


@pytest.mark.parametrize(("option", "gateway"), [("CNY", None), ("", "CNY"), ("EUR", "USD")])
def test_a_table_in_another_currency_is_refused(
    tmp_path: Path, option: str, gateway: str | None
) -> None:
    options = replace(OPTIONS, currency=option, prices=priced(tmp_path, "USD"))
    with pytest.raises(OperatorError, match=r"is in USD, but the gateway's costs are in (CNY|EUR)"):
        tariff(options, replace(GATEWAY, unit=gateway), None)


def test_a_resumed_run_keeps_its_price_table(tmp_path: Path) -> None:
    """The file may have changed since; half a run at other prices would be neither."""
    manifest = {"prices": TABLE.as_dict(), "currency": "CNY"}
    options = replace(OPTIONS, prices=str(tmp_path / "gone.toml"))
    assert tariff(options, GATEWAY, manifest) == Tariff(TABLE, "CNY")
    assert tariff(options, GATEWAY, {"currency": None}) == Tariff(None, None)
