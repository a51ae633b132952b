"""The provider behind a router, from bodies, streams, errors and headers; otherwise unknown."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.provider import HEADERS, LONGEST, provider
from tasks.stream import StreamedReply


@pytest.mark.parametrize(
    ("body", "headers", "name"),
    [
        ({"provider": "Chutes"}, {}, "Chutes"),
        ({"provider": {"name": "Deep Infra", "id": 3}}, {}, "Deep Infra"),
        ({"provider_name": " Novita\n AI "}, {}, "Novita AI"),
        ({"extra_fields": {"provider": "groq"}}, {}, "groq"),
        ({"error": {"metadata": {"provider_name": "Together"}}}, {}, "Together"),
        ({}, {"x-inference-provider": "nebius"}, "nebius"),
        ({}, {"x-litellm-model-id": "6b1c"}, "6b1c"),
        ({"provider": "Chutes"}, {"x-litellm-model-id": "6b1c"}, "Chutes"),
        ({"provider": ""}, {"x-provider": " ", "x-upstream": "a"}, "a"),
        ({"provider": 7, "extra_fields": [], "error": "no"}, {}, None),
        ({"provider": {"name": 1}}, {}, None),
        ({}, {"content-type": "application/json"}, None),
        ({"provider": "x" * 10_000}, {}, "x" * LONGEST),
    ],
)
def test_the_provider_is_read_from_body_or_headers(
    body: Any, headers: dict[str, str], name: str | None
) -> None:
    assert provider(body, headers) == name


values = st.recursive(
    st.none() | st.integers() | st.text(max_size=500), lambda v: st.dictionaries(
        st.sampled_from(["name", "id", "metadata", "provider", "provider_name"]), v, max_size=3)
)  # fmt: skip


@given(
    st.dictionaries(
        st.sampled_from(["provider", "provider_name", "extra_fields", "error"]), values
    ),
    st.dictionaries(st.sampled_from(HEADERS), st.text(max_size=500)),
)
def test_the_name_of_a_provider_is_one_short_line_or_unknown(
    body: Any, headers: dict[str, str]
) -> None:
    name = provider(body, headers)
    assert name is None or (0 < len(name) <= LONGEST and name == " ".join(name.split()))


def test_any_chunk_of_a_stream_may_name_the_provider() -> None:
    reply = StreamedReply()
    for chunk in ({"id": "a", "choices": []}, {"id": "a", "provider": "Chutes", "choices": []}):
        reply.add(chunk, 1.0)
    assert reply.provider == "Chutes"
