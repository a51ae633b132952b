"""No JSON that a gateway can send is an internal error: it is read, or becomes an outcome."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recording.json_values import mapping
from tasks import answer_flags
from tasks.answer import judge_body, refused
from tasks.error_bodies import complaint, trouble, wait_in_body
from tasks.stream import StreamedReply
from tasks.usage import contradiction, stated_usage, usage

KNOWN = """choices message delta content tool_calls function arguments name id index finish_reason
type usage prompt_tokens completion_tokens total_tokens prompt_tokens_details cached_tokens cost
total input error errors code msg detail loc base_resp status_msg success metadata headers
retry-after x-ratelimit-reset details retryDelay retry_after reasoning reasoning_details text model
is_byok cost_details upstream_inference_cost x_groq usageMetadata object role refusal audio
transcript function_call thinking status innererror Response Error fault"""
NAMES = st.sampled_from(KNOWN.split())
LEAVES = (
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats() | st.text(max_size=5)
    | st.sampled_from(["stop", "abort", "17s", "{}", "429", 10**25, -(10**25), 1e300, "1e9"])
)  # fmt: skip
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=25,
)
CHUNKS = st.dictionaries(NAMES, VALUES, max_size=5) | st.builds(
    lambda delta, more: {"choices": [{"delta": delta, **more}]},
    st.dictionaries(NAMES, VALUES, max_size=3) | VALUES,
    st.dictionaries(NAMES, VALUES, max_size=3),
)
HEADERS = {"content-type": "application/json"}


def judged(answer: Any) -> None:
    body = answer.body or {}
    used = usage(body, {}, ok=True)
    if answer.message is not None:
        answer_flags.flags("m", answer.message, used, ok=True, usage_said=stated_usage(body))
        contradiction(body)
    wait_in_body(body, 1.7e9)


@given(VALUES)
@settings(max_examples=300)
def test_any_json_body_gets_an_outcome(value: object) -> None:
    raw = json.dumps(value).encode()
    judged(judge_body(raw, HEADERS))
    for status in (400, 429, 499, 500, 524):
        judged(refused(status, raw))
    assert isinstance(complaint(value).message, str)
    trouble(value)


@given(st.binary(max_size=60) | st.text(max_size=40).map(str.encode), st.integers(300, 599))
def test_any_bytes_get_an_outcome(raw: bytes, status: int) -> None:
    for around in (b"%s", b"<html>%s", b"<title>%s</title>", b"data: %s\n\n", b'{"error": "%s"}'):
        assert refused(status, around % raw).error_message is not None
        assert judge_body(around % raw, HEADERS).outcome.value != "ok"


@given(st.lists(CHUNKS, max_size=6))
@settings(max_examples=300)
def test_any_chunks_of_a_stream_get_an_outcome(chunks: list[Any]) -> None:
    reply = StreamedReply()
    for at, chunk in enumerate(chunks):
        reply.add(mapping(chunk), float(at))
    answer = reply.finish()
    used = usage(reply.usage_chunk, {}, ok=True)
    answer_flags.flags("m", answer, used, ok=True, usage_said=stated_usage(reply.usage_chunk))
    json.dumps(answer.tool_calls, default=str)


@pytest.mark.parametrize("name", ["error", "err", "errors", "base_resp", "Response"])
def test_a_deeply_nested_error_is_read_or_gets_an_outcome(name: str) -> None:
    deep: Any = "x"
    for _ in range(150):
        deep = {name: deep}
    assert judge_body(json.dumps(deep).encode(), HEADERS).outcome.value in (
        "server_error",
        "malformed",
    )
