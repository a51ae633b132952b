"""Finish reasons that gateways make up: no list holds them."""

import pytest

from tasks.finish_reasons import end_of


@pytest.mark.parametrize(
    "reason",
    ["internal_server_error", "upstream_timeout", "UpstreamTimeout", "gateway-timeout", "API_ERROR",
     "abort: oom", "request cancelled", "canceled_by_user", "service_unavailable", "stream.error"],
)  # fmt: skip
def test_a_word_of_failure_in_a_reason_makes_it_one(reason: str) -> None:
    assert end_of(reason) == "failed"


@pytest.mark.parametrize("reason", ["no_error", "none", "unknown", "other", "terror", "no-timeout"])
def test_a_reason_without_one_is_no_failure(reason: str) -> None:
    assert end_of(reason) is None


@pytest.mark.parametrize(
    ("reason", "end"),
    [("error_toxic", "filtered"), ("max_new_tokens", "cut"), ("stop_token", "finished"),
     ("blocked", "filtered"), ("length", "cut"), ("stop", "finished")],
)  # fmt: skip
def test_a_reason_that_a_list_holds_keeps_its_meaning(reason: str, end: str) -> None:
    assert end_of(reason) == end
