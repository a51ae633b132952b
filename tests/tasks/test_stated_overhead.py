"""Times in headers: the gateway's own as distinct from its upstream's."""

from collections.abc import Callable
from typing import Any

import pytest

from tasks.stated_overhead import odd_time, stated_times
from tests.tasks.scripted_server import answer_once, completion, json_reply
from tests.tasks.sending import send


@pytest.mark.parametrize(("headers", "overhead", "upstream", "names"), [
    ({"x-litellm-overhead-duration-ms": "12.5"}, 0.0125, None, "x-litellm-overhead-duration-ms"),
    ({"openai-processing-ms": "431"}, None, 0.431, "openai-processing-ms"),
    ({"x-envoy-upstream-service-time": "7", "openai-processing-ms": "5"}, None, 0.007,
     "x-envoy-upstream-service-time"),
    ({"x-kong-proxy-latency": "1", "x-kong-upstream-latency": "90"}, 0.001, 0.09,
     "x-kong-proxy-latency x-kong-upstream-latency"),
    ({"server-timing": 'cache;desc="dur=9, upstream", Overhead;dur=3.5;desc=x, upstream;dur=88'},
     0.0035, 0.088, "server-timing"),
    ({"server-timing": 'cfExtPri, db;dur=53'}, None, None, None),
    ({"openai-processing-ms": "-3"}, None, None, None),
    ({"x-litellm-overhead-duration-ms": "None"}, None, None, None),
    ({"server-timing": "gateway;dur=1e999"}, None, None, None),
    ({}, None, None, None),
])  # fmt: skip
def test_stated_times_are_read_with_the_names_of_their_headers(
    headers: dict[str, str], overhead: float | None, upstream: float | None, names: str | None
) -> None:
    times = stated_times(headers)
    assert times.get("stated_overhead_s") == overhead
    assert times.get("stated_upstream_s") == upstream
    assert times.get("stated_times_from") == names


def test_a_row_holds_stated_times_and_the_completions_id(serve: Callable[..., Any]) -> None:
    reply = json_reply(completion(), "x-litellm-overhead-duration-ms: 2.25")
    row = send(serve(answer_once(reply)).base_url)
    assert (row.stated_overhead_s, row.stated_upstream_s) == (0.00225, None)
    assert (row.completion_id, row.completion_created, row.tool_calls) == ("c1", 1, 0)


@pytest.mark.parametrize(("headers", "message"), [
    ({"x-litellm-overhead-duration-ms": "-3"},
     "x-litellm-overhead-duration-ms: '-3' is not a valid time"),
    ({"x-kong-proxy-latency": "soon"}, "'soon' is not a valid time"),
    ({"openai-processing-ms": "1e999"}, "is not a valid time"),
    ({"x-litellm-overhead-duration-ms": "60000"}, "'60000' is more than the 20 ms of it all"),
    ({"server-timing": "upstream;dur=9000"}, "server-timing: '9000' is more than the 20 ms"),
    ({"server-timing": "gateway;dur=-1"}, "server-timing: '-1' is not a valid time"),
    ({"server-timing": "db;dur=9000"}, None),  # of something else
    ({"x-litellm-overhead-duration-ms": "None"}, None),  # as LiteLLM says that it does not know
    ({"x-litellm-overhead-duration-ms": ""}, None),
    ({"x-kong-proxy-latency": "21"}, None),  # rounded up
    ({"x-kong-proxy-latency": "3"}, None),
    ({}, None),
])  # fmt: skip
def test_an_impossible_stated_time_is_reported(
    headers: dict[str, str], message: str | None
) -> None:
    complaint = odd_time(headers, 0.02)
    assert (message is None and complaint is None) or (
        message is not None and message in (complaint or "")
    )
    assert odd_time({"x-kong-proxy-latency": "60000"}, None) is None  # of no answer


def test_a_row_with_an_impossible_stated_time_is_flagged(serve: Callable[..., Any]) -> None:
    reply = json_reply(completion(), "x-litellm-overhead-duration-ms: 600000")
    row = send(serve(answer_once(reply)).base_url)
    assert row.success and (row.check or "").split()[-1] == "stated_time"
    assert "600000" in (row.check_detail or "")
