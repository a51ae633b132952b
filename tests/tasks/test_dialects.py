"""Tokens, cost and errors in each gateway's dialect, in the row and in the gateway's own log."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from recording.record import RequestRecord
from simulator.dialects import DIALECTS
from tasks.prompts import Request
from tests.locust_run import CANARY
from tests.simulated import Simulator
from tests.tasks.scripted_server import BOTH, Serve, answer, completion, json_reply
from tests.tasks.sending import send, sender

PROFILE = """
any_model = true
[latency]
fixed_s = 0.0
[prices]
input = 3.0
cached_input = 0.3
cache_write = 3.75
output = 15.0
decimals = 9
[cache]
explicit = true
[reasoning]
tokens = 30
"""
LONG = Request(
    [{"type": "text", "text": "A long prefix. " * 900, "cache_control": {"type": "ephemeral"}}]
)


@dataclass(frozen=True, slots=True)
class Says:
    """What a dialect states: where the cost of a plain and a streamed reply is, and the rest."""

    plain_cost: str
    stream_cost: str
    thinks_aloud: bool = True
    counts_writes: bool = False
    own_id: bool = True  # the request id in its headers is the log's


EXPECTED = {
    "nonelinear": Says("body", "body"),
    "openrouter": Says("body", "body", counts_writes=True),
    "litellm": Says("header", "unknown"),
    "openai": Says("unknown", "unknown", thinks_aloud=False, own_id=False),
    "deepseek": Says("unknown", "unknown"),
    "pydantic": Says("unknown", "unknown", thinks_aloud=False),
}


@pytest.fixture(scope="module", params=EXPECTED)
def dialect(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Simulator]]:
    """A simulator of each dialect, with a thinking model, a prompt cache and prices."""
    folder: Path = tmp_path_factory.mktemp("dialect")
    (folder / "thinker.toml").write_text(PROFILE)
    server = Simulator(
        folder / "log.csv", "--profile", folder / "thinker.toml", "--dialect", request.param,
        "--rpm-limit", 6000, "--tpm-limit", 9_000_000, "--retry-after", 7,
    )  # fmt: skip
    yield request.param, server
    server.stop()


def logged(gateway: Simulator, model: str, count: int) -> list[dict[str, str]]:
    """What the gateway logged of a model, once it has logged `count` requests."""
    rows: list[dict[str, str]] = []
    for _ in range(200):
        rows = [row for row in gateway.rows() if row["model"] == model]
        if len(rows) >= count:
            break
        time.sleep(0.02)
    return sorted(rows, key=lambda row: row["arrival_unix_s"])


def rows_and_log(
    gateway: Simulator, model: str, stream: bool, *faults: str
) -> tuple[list[RequestRecord], list[dict[str, str]]]:
    """The same long prompt once for each fault (`none`: a good request); rows and log."""
    rows = []
    with sender(gateway.url, key=CANARY) as user:
        plain = user.client.sdk
        for index, fault in enumerate(faults):
            user.client.sdk = plain.with_options(default_headers={"x-simulator-fault": fault})
            user.client.sdk.credentials = plain.credentials
            rows.append(user.send(index, request=LONG, stream=stream, model=model, max_tokens=200))
    return rows, logged(gateway, model, len(faults))


@BOTH
def test_usage_and_cost_equal_the_log(dialect: tuple[str, Simulator], stream: bool) -> None:
    """For a cold request, and for one whose prefix is cached."""
    name, gateway = dialect
    says = EXPECTED[name]
    rows, truth = rows_and_log(gateway, f"usage-{stream}", stream, "none", "none")
    source = says.stream_cost if stream else says.plain_cost
    for row, logged_row in zip(rows, truth, strict=True):
        assert (row.outcome, row.check) == ("ok", None)
        for column in ("prompt_tokens", "completion_tokens", "total_tokens", "cached_tokens",
                       "reasoning_tokens"):  # fmt: skip
            assert getattr(row, column) == int(logged_row[column]), column
        assert (row.reasoning_tokens or 0) > 0
        assert row.reasoning_content_present is says.thinks_aloud
        assert row.finish_reason == logged_row["finish_reason"]
        assert row.cost_source == source
        assert row.api_cost == (None if source == "unknown" else float(logged_row["cost"]))
        assert row.header_cost == (float(logged_row["cost"]) if source == "header" else None)
        assert (row.gateway_request_id == logged_row["request_id"]) is says.own_id
        assert row.gateway_request_id
        assert row.ratelimit_limit_requests == 6000
        assert row.ratelimit_limit_tokens == 9_000_000
    cold, warm = rows
    assert cold.cached_tokens == 0 and (warm.cached_tokens or 0) > 1024
    if says.counts_writes:
        assert (cold.cache_write_tokens or 0) > 1024 and warm.cache_write_tokens == 0
    else:
        assert cold.cache_write_tokens is None
    if source != "unknown":
        assert (warm.api_cost or 0) < (cold.api_cost or 0)


@BOTH
def test_an_error_is_named_and_its_cost_is_unknown(
    dialect: tuple[str, Simulator], stream: bool
) -> None:
    """LiteLLM says "0" in its header without knowing; that is not free."""
    faults = ("rate_limited", "error_402", "error_body_200", "stream_error")
    rows, truth = rows_and_log(dialect[1], f"errors-{stream}", stream, *faults)
    last = "stream_error" if stream else "server_error"
    assert [row.outcome for row in rows] == [
        "rate_limited", "payment_required", "server_error", last,
    ]  # fmt: skip
    assert [row.retry_after_s for row in rows] == [7.0, None, None, None]
    for row, logged_row in zip(rows, truth, strict=True):
        assert row.http_status == int(logged_row["status"])
        assert row.error_type and row.error_message
        assert (row.api_cost, row.header_cost, row.cost_source) == (None, None, "unknown")


def test_a_wrong_key_is_auth_in_every_dialect(dialect: tuple[str, Simulator]) -> None:
    """LiteLLM answers 400, all others 401."""
    name, gateway = dialect
    row = send(gateway.url, how={"key": "sk-wrong-key-1234"})
    assert (row.outcome, row.http_status) == (
        ("bad_request", 400) if name == "litellm" else ("auth", 401)
    )
    assert row.error_message == "Incorrect API key provided."


def test_every_dialect_is_tested() -> None:
    """Here, or in tests/golden/test_dialects.py, which has them all."""
    elsewhere = {"azure", "xai", "anthropic-compat", "byok", "proxy"}
    assert EXPECTED.keys() == DIALECTS.keys() - elsewhere


# ---- shapes that the simulator does not speak


def test_headers_of_litellms_provider_are_read_where_litellm_states_none(serve: Serve) -> None:
    headers = (
        "llm_provider-x-ratelimit-limit-requests: 500",
        "llm_provider-x-ratelimit-remaining-requests: 499",
        "llm_provider-x-ratelimit-limit-tokens: 90000",
        "llm_provider-x-ratelimit-remaining-tokens: 89000",
        "llm_provider-retry-after: 3",
        "llm_provider-x-request-id: req_provider",
        "x-litellm-call-id: call-1",
    )
    row = send(serve(answer(json_reply(completion(), *headers))).base_url)
    assert (row.ratelimit_limit_requests, row.ratelimit_remaining_requests) == (500, 499)
    assert (row.ratelimit_limit_tokens, row.ratelimit_remaining_tokens) == (90000, 89000)
    assert (row.retry_after_s, row.gateway_request_id) == (3.0, "call-1")


@BOTH
@pytest.mark.parametrize("status", ["429 Too Many Requests", "200 OK"])
def test_litellms_cost_of_0_on_an_error_is_unknown(serve: Serve, status: str, stream: bool) -> None:
    error = {"error": {"message": "slow down", "type": "None", "param": "None", "code": "429"}}
    reply = json_reply(error, "x-litellm-response-cost: 0", status=status)
    row = send(serve(answer(reply)).base_url, stream=stream)
    assert (row.outcome, row.error_type, row.error_message) == ("rate_limited", "429", "slow down")
    assert (row.api_cost, row.header_cost, row.cost_source) == (None, None, "unknown")


def test_deepseeks_cache_hits_are_read_from_the_top_of_usage(serve: Serve) -> None:
    usage = {
        "prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 14,
        "prompt_cache_hit_tokens": 6, "prompt_cache_miss_tokens": 4,
    }  # fmt: skip
    row = send(serve(answer(json_reply(completion(usage=usage)))).base_url)
    assert (row.cached_tokens, row.cost_source, row.check) == (6, "unknown", None)


def test_the_cost_in_the_body_takes_precedence_over_the_headers_and_both_are_kept(
    serve: Serve,
) -> None:
    reply = json_reply(completion(), "x-litellm-response-cost: 0.5")
    row = send(serve(answer(reply)).base_url)
    assert (row.api_cost, row.header_cost, row.cost_source) == (0.25, 0.5, "body")
