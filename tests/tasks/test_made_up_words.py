"""Finish reasons that gateways make up, and that are in no list."""

import pytest

from tasks.finish_reasons import end_of


@pytest.mark.parametrize(
    "reason",
    ["internal_server_error", "upstream_timeout", "UpstreamTimeout", "gateway-timeout", "API_ERROR",
     "abort: oom", "request cancelled", "canceled_by_user", "service_unavailable", "stream.error"],
)  # fmt: skip
def test_a_reason_with_a_word_of_failure_is_a_failure(reason: str) -> None:
    assert end_of(reason) == "failed"


@pytest.mark.parametrize("reason", ["no_error", "none", "unknown", "other", "terror", "no-timeout"])
def test_a_reason_without_a_word_of_failure_is_none(reason: str) -> None:
    assert end_of(reason) is None


@pytest.mark.parametrize(
    ("reason", "end"),
    [("error_toxic", "filtered"), ("max_new_tokens", "cut"), ("stop_token", "finished"),
     ("blocked", "filtered"), ("length", "cut"), ("stop", "finished")],
)  # fmt: skip
def test_a_known_reason_keeps_its_meaning(reason: str, end: str) -> None:
    assert end_of(reason) == end
