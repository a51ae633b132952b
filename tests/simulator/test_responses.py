"""POST /responses through the official SDK: what it parses, and the order of its events."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from openai import BadRequestError, OpenAI
from pydantic import BaseModel

from simulator import profile
from tests.simulator.feature_cases import CALL, CALLS, CHAT, REASONER, N, pdf
from tests.simulator.gateway import Gateway, running
from tests.simulator.test_replies import picture

WEATHER: Any = {
    "type": "function", "name": "get_weather", "strict": False,
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}},
                   "required": ["city"]},
}  # fmt: skip


class Load(BaseModel):
    """What a structured reply is parsed into."""

    gross_kg: int
    cart: str


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("responses")
    text = (profile.PROFILES / "compat.toml").read_text()
    path = folder / "quick.toml"
    path.write_text(text.replace("tokens_per_s = 60.0", "tokens_per_s = 0.0"))
    with running(folder / "log.csv", "--profile", path) as started:
        yield started


@pytest.fixture
def client(gateway: Gateway) -> OpenAI:
    return OpenAI(base_url=gateway.url, api_key="k", max_retries=0)


def test_plain(client: OpenAI, gateway: Gateway) -> None:
    """Text, usage that adds up, and a row in the ledger that says the same."""
    response = client.responses.create(model=CHAT, input=f"Reply exactly: {N}")
    assert (
        response.output_text == N
        and response.status == "completed"
        and response.id.startswith("resp_")
    )
    assert response.usage is not None
    assert response.usage.total_tokens == response.usage.input_tokens + response.usage.output_tokens
    row = gateway.rows()[-1]
    assert (row["endpoint"], row["request_id"]) == ("responses", response.id)
    assert int(row["total_tokens"]) == response.usage.total_tokens and float(row["billed"]) > 0


def test_instructions_parts_images_and_files(client: OpenAI) -> None:
    response = client.responses.create(
        model=CHAT, instructions=f"Append {N} to every answer.", input="What is a cart?"
    )
    assert response.output_text.endswith(N)
    parts: Any = [
        {"type": "input_text", "text": "Which code?"},
        {"type": "input_image", "image_url": picture(N, "tEXt"), "detail": "auto"},
        {"type": "input_file", "filename": "a.pdf", "file_data": pdf("code 4711")},
    ]
    read = client.responses.create(model=CHAT, input=[{"role": "user", "content": parts}])
    assert N in read.output_text and "code 4711" in read.output_text


def test_the_order_of_events(client: OpenAI) -> None:
    """From created to completed, numbered without a gap, each item opened and closed in order."""
    events = list(client.responses.create(model=REASONER, input=f"Reply exactly: {N}", stream=True))
    kinds = [event.type for event in events]
    deltas = kinds.count("response.output_text.delta")
    assert deltas > 3
    assert kinds == [
        "response.created", "response.in_progress",
        "response.output_item.added", "response.output_item.done",  # reasoning
        "response.output_item.added", "response.content_part.added",
        *["response.output_text.delta"] * deltas,
        "response.output_text.done", "response.content_part.done", "response.output_item.done",
        "response.completed",
    ]  # fmt: skip
    assert [event.sequence_number for event in events] == [*range(len(events))]
    text = "".join(e.delta for e in events if e.type == "response.output_text.delta")
    last = events[-1]
    assert last.type == "response.completed" and text == last.response.output_text == N
    assert last.response.usage is not None
    assert last.response.usage.output_tokens_details.reasoning_tokens > 0


def test_the_sdks_stream_helper_accepts_the_events(client: OpenAI) -> None:
    """`responses.stream` accumulates snapshots and raises where events are out of order."""
    with client.responses.stream(model=CHAT, input=CALLS, tools=[WEATHER]) as stream:
        final = stream.get_final_response()
    calls = [item for item in final.output if item.type == "function_call"]
    assert [json.loads(call.arguments)["city"] for call in calls] == ["Paris", "Rome"]
    assert len({call.call_id for call in calls}) == 2


def test_a_tools_result_and_the_previous_response(client: OpenAI) -> None:
    """The call is sent back with its result, by previous_response_id or as the whole input."""
    first = client.responses.create(model=CHAT, input=CALL, tools=[WEATHER])
    call = next(item for item in first.output if item.type == "function_call")
    result: Any = {"type": "function_call_output", "call_id": call.call_id, "output": f"code {N}"}
    chained = client.responses.create(
        model=CHAT, previous_response_id=first.id, input=[result], tools=[WEATHER]
    )
    whole = client.responses.create(
        model=CHAT, tools=[WEATHER],
        input=[{"role": "user", "content": CALL}, call.model_dump(), result],  # type: ignore[list-item]
    )  # fmt: skip
    assert chained.output_text == whole.output_text == N
    assert chained.previous_response_id == first.id


def test_a_conversation_goes_on(client: OpenAI) -> None:
    response = client.responses.create(model=CHAT, input=f"The code is {N}. Reply exactly: noted")
    question = "What was the code? Answer only with the code."
    known = client.responses.create(model=CHAT, input=question, previous_response_id=response.id)
    alone = client.responses.create(model=CHAT, input=question)
    assert response.output_text == "noted" and known.output_text == N and N not in alone.output_text
    unstored = client.responses.create(model=CHAT, input="Hello", store=False)
    with pytest.raises(BadRequestError, match="not found") as refused:
        client.responses.create(model=CHAT, input=question, previous_response_id=unstored.id)
    assert refused.value.code == "previous_response_not_found"


@pytest.mark.parametrize("stream", [False, True])
def test_structured_output(client: OpenAI, stream: bool) -> None:
    """`responses.parse` gives the model's own type, plain and streamed."""
    ask = f"Answer only: {N}"
    if stream:
        with client.responses.stream(model=CHAT, input=ask, text_format=Load) as events:
            parsed = events.get_final_response().output_parsed
    else:
        parsed = client.responses.parse(model=CHAT, input=ask, text_format=Load).output_parsed
    assert isinstance(parsed, Load)


def test_a_reply_that_its_budget_cuts(client: OpenAI) -> None:
    response = client.responses.create(model=CHAT, input="Write 90 tokens", max_output_tokens=16)
    assert response.status == "incomplete" and response.incomplete_details is not None
    assert response.incomplete_details.reason == "max_output_tokens"
    assert response.usage is not None and response.usage.output_tokens == 16
    events = list(
        client.responses.create(
            model=CHAT, input="Write 90 tokens", max_output_tokens=16, stream=True
        )
    )
    assert events[-1].type == "response.incomplete"


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"model": CHAT}, "input"),
        ({"model": CHAT, "input": []}, "input"),
        ({"model": CHAT, "input": ["hi"]}, "input[0]"),
        ({"model": CHAT, "input": "hi", "text": 7}, "text"),
        ({"model": CHAT, "input": "hi", "tools": [{"type": "web_search"}]}, "tools[0].type"),
        ({"model": CHAT, "input": [{"type": "audio"}]}, "input[0].type"),
        ({"input": "hi"}, "model"),
    ],
)
def test_bad_bodies(gateway: Gateway, body: object, param: str) -> None:
    reply = gateway.send(body, "/v1/responses")
    assert (reply.status, reply.json["error"]["param"]) == (400, param)
