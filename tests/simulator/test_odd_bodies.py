"""Any body is answered or refused; nothing else is raised."""

import contextlib
import json
from random import Random
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from simulator import embeddings, features, profile
from simulator.answer import answer
from simulator.cache import PromptCache
from simulator.chat_request import parse
from simulator.dialects import DIALECTS, Stamp
from simulator.endpoints import ChatCompletions
from simulator.features.table import FEATURES, states
from simulator.fields import BadRequest
from simulator.responses import Responses
from tests.simulator.feature_cases import CASES, EMBEDDINGS, RESPONSES

NAMES = ("role", "content", "type", "function", "parameters", "name", "properties", "x")
ODD = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(0, 9) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3)
    ),
    max_leaves=6,
)
LONG = {"error.context", "cache.prompt"}  # nothing but slow
MODEL = profile.load("fast").model("m")
DIALECT = DIALECTS["openai"]()
STAMP = Stamp("a", 1, "m")


@st.composite
def odd_bodies(draw: st.DrawFn, cases: dict[str, Any]) -> Any:
    """A valid body in which one or two values at any depth were replaced."""
    body = json.loads(json.dumps({"model": "m", **cases[draw(st.sampled_from(sorted(cases)))]}))
    for _ in range(draw(st.integers(1, 2))):
        inside, where = body, draw(st.sampled_from(sorted(body)))
        while isinstance(inside[where], dict | list) and inside[where] and draw(st.booleans()):
            inside = inside[where]
            keys = sorted(inside) if isinstance(inside, dict) else [*range(len(inside))]
            where = draw(st.sampled_from(keys))
        inside[where] = draw(ODD)
    return body


CHATS = odd_bodies({name: body for name, body in CASES.items() if name not in LONG})


def served(endpoint: ChatCompletions, body: Any) -> None:
    """Reads and answers the body, plain and streamed."""
    with contextlib.suppress(BadRequest):
        request = parse(endpoint.chat_fields(body, {}))
        assert MODEL is not None
        reply = answer(request, MODEL, Random(1), PromptCache(), 0.0, "id")
        usage = DIALECT.usage(reply, None)
        json.dumps(endpoint.plain(DIALECT, STAMP, reply, usage))
        endpoint.events(DIALECT, STAMP, reply, usage, True)
        endpoint.remember(STAMP, request, reply, {})


@example({"messages": [{"role": "user", "content": [{"type": []}, {"type": "text"}]}]})
@given(CHATS)
@settings(max_examples=300, deadline=None)
def test_chat_requests(body: Any) -> None:
    served(ChatCompletions(), body)


@given(odd_bodies(RESPONSES))
@settings(max_examples=200, deadline=None)
def test_responses(body: Any) -> None:
    served(Responses(), body)


@given(odd_bodies(EMBEDDINGS))
@settings(max_examples=100, deadline=None)
def test_embeddings(body: Any) -> None:
    with contextlib.suppress(BadRequest):
        assert MODEL is not None
        embeddings.body(embeddings.parse(body), MODEL, True)


@given(CHATS)
@settings(max_examples=300, deadline=None)
def test_features(body: Any) -> None:
    for surface, state in (("chat", "ignored"), ("chat", "wrong"), ("chat", "refused"),
                           ("responses", "ignored"), ("embeddings", "ignored")):  # fmt: skip
        table = {name: state for name in FEATURES if state in states(name)}
        with contextlib.suppress(BadRequest):
            features.touch(table, json.loads(json.dumps(body)), {}, surface, True)
