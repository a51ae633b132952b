"""Request ids, advertised limits and Retry-After, in every form gateways write them."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.reply import header_facts, retry_after_s

NOW = datetime(2026, 5, 19, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": " 7 "}, 7.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "1500"}, 1.5),
        ({"retry-after-ms": "1500", "retry-after": "60"}, 1.5),
        ({"retry-after-ms": "soon", "retry-after": "60"}, 60.0),
        ({"retry-after": format_datetime(NOW + timedelta(seconds=90), usegmt=True)}, 90.0),
        ({"retry-after": "Tue, 19 May 2026 12:01:30 GMT"}, 90.0),
        ({"retry-after": "Tue, 19 May 2026 14:01:30 +0200"}, 90.0),
        ({"retry-after": "Tue, 19 May 2026 12:01:30 -0000"}, 90.0),
        ({"retry-after": "Tue, 19 May 2026 11:00:00 GMT"}, 0.0),
        ({"retry-after": "Tuesday, 19-May-26 12:01:30 GMT"}, 90.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "Tue, 99 May 2026 12:01:30 GMT"}, None),
        ({"retry-after": "Tue, 19 May 99999999999999999999 12:01:30 GMT"}, None),
        ({"retry-after": "Tue, 19 May 2026 12:01:30 +9999999999"}, None),
    ],
)
def test_retry_after_is_read_in_every_form(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_s(headers, NOW) == seconds


dates = st.builds(
    "{} {} {} {}:{}:{} {}".format,
    st.sampled_from(["Tue, 19", "0", "-1", "99999999999999"]),
    st.sampled_from(["May", "Foo", "13"]),
    st.sampled_from(["2026", "99999", "9" * 30, "-1", "0"]),
    st.integers(-1, 99),
    st.integers(-1, 99),
    st.sampled_from(["00", "9" * 20]),
    st.sampled_from(["GMT", "+0000", "-9999", "+" + "9" * 20, "EST", ""]),
)


@given(st.text() | dates)
def test_retry_after_never_raises_on_any_text(stated: str) -> None:
    seconds = retry_after_s({"retry-after": stated})
    assert seconds is None or isinstance(seconds, float)


@pytest.mark.parametrize(
    ("prefix", "provider"),
    [("x-ratelimit-", ""), ("x-ratelimit-api_key-", ""), ("x-ratelimit-", "llm_provider-")],
    ids=["openai", "litellm's key", "litellm's provider"],
)
def test_advertised_limits_are_read_in_every_dialect(prefix: str, provider: str) -> None:
    headers = {
        f"{provider}{prefix}limit-requests": "500",
        f"{provider}{prefix}remaining-requests": "499",
        f"{provider}{prefix}limit-tokens": "200000",
        f"{provider}{prefix}remaining-tokens": "0",
        f"{provider}{prefix}reset-tokens": "6m0s",
    }
    assert header_facts(headers) == {
        "gateway_request_id": None,
        "retry_after_s": None,
        "ratelimit_limit_requests": 500,
        "ratelimit_remaining_requests": 499,
        "ratelimit_limit_tokens": 200_000,
        "ratelimit_remaining_tokens": 0,
    }


@pytest.mark.parametrize("text", ["", "many", "nan", "inf", "1e300", "100;w=60"])
def test_a_limit_that_is_no_number_is_unknown(text: str) -> None:
    facts = header_facts({"x-ratelimit-limit-requests": text})
    assert facts["ratelimit_limit_requests"] is None
    assert facts["ratelimit_remaining_tokens"] is None


def test_the_gateways_own_limit_comes_before_its_providers() -> None:
    facts = header_facts(
        {"llm_provider-x-ratelimit-limit-tokens": "1", "x-ratelimit-limit-tokens": "2"}
    )
    assert facts["ratelimit_limit_tokens"] == 2


@pytest.mark.parametrize(
    "name", ["x-request-id", "x-generation-id", "x-litellm-call-id", "request-id", "cf-ray"]
)
def test_the_request_id_is_found_under_every_name(name: str) -> None:
    assert header_facts({name: "r1"})["gateway_request_id"] == "r1"


def test_no_headers_are_no_facts() -> None:
    assert header_facts({}) == {"gateway_request_id": None, "retry_after_s": None}
