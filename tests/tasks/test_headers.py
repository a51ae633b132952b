"""Request ids, stated limits and Retry-After, in every form that gateways use."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.error_bodies import wait_in_body
from tasks.headers import header_facts, retry_after_s

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
        ({"retry-after": "-5"}, None),
        ({"retry-after-ms": "-5"}, None),
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
def test_stated_limits_are_read_in_every_dialect(prefix: str, provider: str) -> None:
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


def test_anthropics_limits_are_read() -> None:
    headers = {
        "anthropic-ratelimit-requests-limit": "50",
        "anthropic-ratelimit-requests-remaining": "49",
        "anthropic-ratelimit-requests-reset": "2026-05-19T12:00:01Z",
        "anthropic-ratelimit-tokens-limit": "40000",
        "anthropic-ratelimit-tokens-remaining": "0",
    }
    facts = header_facts(headers)
    assert [facts[name] for name in LIMITS] == [50, 49, 40_000, 0]  # type: ignore[literal-required]


LIMITS = ("ratelimit_limit_requests", "ratelimit_remaining_requests", "ratelimit_limit_tokens",
          "ratelimit_remaining_tokens")  # fmt: skip


@pytest.mark.parametrize(
    ("headers", "limit", "remaining"),
    [
        ({"ratelimit-limit": "100", "ratelimit-remaining": "7", "ratelimit-reset": "9"}, 100, 7),
        ({"ratelimit-limit": "100, 100;w=60", "ratelimit-remaining": "0"}, 100, 0),
        ({"x-ratelimit-limit": "20", "x-ratelimit-remaining": "19"}, 20, 19),
        ({"ratelimit": "limit=100, remaining=50, reset=5", "ratelimit-policy": "100;w=60"},
         100, 50),
        ({"ratelimit": '"a";r=50;t=30', "ratelimit-policy": '"a";q=100;w=60'}, 100, 50),
        ({"ratelimit-limit": "10", "ratelimit-remaining": "9", "ratelimit-policy": "10;w=1"},
         None, None),
        ({"ratelimit-limit": "5000", "ratelimit-remaining": "9", "ratelimit-reset": "3000"},
         None, None),
        ({"ratelimit": '"a";r=50;t=30', "ratelimit-policy": '"a";q=100;qu="tokens";w=60'},
         None, None),
        ({"x-ratelimit-limit-requests": "3", "ratelimit-limit": "100"}, 3, None),
        ({"ratelimit-limit": "many", "ratelimit": "", "ratelimit-policy": ";;w="}, None, None),
    ],
)  # fmt: skip
def test_limits_by_the_ietf_drafts_are_read_only_if_per_minute(
    headers: dict[str, str], limit: int | None, remaining: int | None
) -> None:
    """Ten a second, or five thousand an hour, are not as many requests a minute."""
    facts = header_facts(headers)
    facts_read = [facts[name] for name in LIMITS]  # type: ignore[literal-required]
    assert facts_read == [limit, remaining, None, None]


@given(st.dictionaries(
    st.sampled_from(["ratelimit", "ratelimit-policy", "ratelimit-limit", "ratelimit-reset"]),
    st.text() | st.from_regex(r'"?[a-z]*"?;(q|r|w|t|limit)=[0-9]{1,9999}', fullmatch=True),
))  # fmt: skip
def test_any_text_as_a_limit_raises_nothing(headers: dict[str, str]) -> None:
    facts = header_facts(headers)
    assert all(type(facts.get(name)) in (int, type(None)) for name in LIMITS)


@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        ({"error": {"message": "m", "retry_after": 2.5}}, 2.5),
        ({"retry_after": "7"}, 7.0),
        ({"error": {"retry_after_ms": 1500}}, 1.5),
        ({"retryAfter": 3}, 3.0),
        ({"error": "slow down", "retry_after": -1}, None),
        ({"error": {"retry_after": "soon"}}, None),
        ({"error": {"retry_after": True}}, None),
        ({}, None),
    ],
)
def test_a_wait_stated_in_the_body_is_read(body: object, seconds: float | None) -> None:
    assert wait_in_body(body) == seconds  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["", "many", "nan", "inf", "1e300", "100;w=60"])
def test_a_limit_that_is_not_a_number_is_unknown(text: str) -> None:
    facts = header_facts({"x-ratelimit-limit-requests": text})
    assert facts["ratelimit_limit_requests"] is None
    assert facts["ratelimit_remaining_tokens"] is None


def test_the_gateways_own_limit_takes_precedence_over_its_providers() -> None:
    facts = header_facts(
        {"llm_provider-x-ratelimit-limit-tokens": "1", "x-ratelimit-limit-tokens": "2"}
    )
    assert facts["ratelimit_limit_tokens"] == 2


@pytest.mark.parametrize(
    "name",
    [
        "x-request-id",
        "x-generation-id",
        "x-litellm-call-id",
        "request-id",
        "apim-request-id",
        "x-oneapi-request-id",
        "x-kong-request-id",
        "x-amzn-requestid",
        "cf-ray",
    ],
)
def test_the_request_id_is_read_under_every_name(name: str) -> None:
    assert header_facts({name: "r1"})["gateway_request_id"] == "r1"


def test_no_headers_are_no_facts() -> None:
    assert header_facts({}) == {"gateway_request_id": None, "retry_after_s": None}
