"""The gateway's replies on the wire."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from openai import NotFoundError, OpenAI
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tests.simulator.gateway import KEY, Gateway, chat, running, streamed

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Get the current weather of a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}
ASK = 'Call get_weather with {"city": "Shanghai"}. Do not answer directly.'


@pytest.mark.parametrize("path", ["/v1", "", "/api/v1"])
def test_paths(fast: Gateway, path: str) -> None:
    """Chat, models and health are served under /v1, /api/v1 and without a prefix."""
    assert fast.send(chat(), f"{path}/chat/completions").text == "ok-1"
    assert fast.send(None, f"{path}/models", "GET").json["data"][0]["object"] == "model"
    assert fast.send(None, f"{path}/health", "GET").json["status"] == "ok"


def test_stream_says_the_same_as_plain(fast: Gateway) -> None:
    """A streamed reply has the role first, then one token per chunk, finish, usage and [DONE]."""
    prompt = "Reply exactly: ok-12 Grüße 你好 👩‍👩‍👧"
    plain, stream = fast.send(chat(prompt)), fast.send(streamed(prompt))
    assert stream.text == plain.text == prompt.removeprefix("Reply exactly: ")
    *chunks, usage, end = stream.events
    assert end == "[DONE]"
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": "", "refusal": None}
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"
    assert usage["choices"] == [] and usage["usage"] == plain.json["usage"]
    assert all(chunk["usage"] is None for chunk in chunks)


def test_stream_without_include_usage(fast: Gateway) -> None:
    """A stream states usage only on request; the log always has it."""
    reply = fast.send(chat("Reply exactly: quiet", stream=True))
    assert not any("usage" in event for event in reply.events if event != "[DONE]")
    row = fast.rows()[-1]
    assert int(row["total_tokens"]) > 0 and float(row["cost"]) > 0


def test_budget_cuts_the_reply(fast: Gateway) -> None:
    """max_tokens ends the reply in its middle, with finish_reason length."""
    body = fast.send(chat("Reply exactly: TPM-OK-3", max_tokens=4)).json
    assert body["choices"][0]["message"]["content"] == "TPM-OK"
    assert body["choices"][0]["finish_reason"] == "length"
    assert body["usage"]["completion_tokens"] == 4
    events = fast.send(streamed("Write 200 tokens")).events
    assert events[-2]["usage"]["completion_tokens"] == 200 and len(events) == 204


@pytest.mark.parametrize(
    "body",
    [
        b"{not json",
        [],
        {"messages": []},
        {"model": "m"},
        {"model": "m", "messages": []},
        {"model": "m", "messages": "hi"},
        {"model": "m", "messages": [{"role": "king", "content": "hi"}]},
        {"model": "m", "messages": [{"role": "user"}]},
        {"model": "m", "messages": [{"role": "user", "content": [{"type": "smell"}]}]},
        chat(max_tokens=0),
        chat(max_tokens="16"),
        chat(max_tokens=True),
        chat(stream="yes"),
        chat(temperature=9),
        chat(tool_choice="required"),
        chat(tools=[WEATHER], tool_choice={"type": "function", "function": {"name": "nope"}}),
        chat(stream_options={"include_usage": True}),
        chat(task_id=7),
        chat([{"type": "image_url", "image_url": {"url": "ftp://x/y.png"}}]),
        b"[" * 100_000,
    ],
)
def test_bad_bodies(fast: Gateway, body: object) -> None:
    """A body that is not a chat request is a 400 in OpenAI's error format."""
    reply = fast.send(body)
    assert reply.status == 400
    assert set(reply.json["error"]) == {"message", "type", "param", "code"}


def test_keys_and_models(log: Path) -> None:
    """A missing or wrong key is a 401, an unknown model a 404, and the key is never echoed."""
    with running(log, "--profile", "seed", "--latency", 0, "--key", "sk-right") as gateway:
        for value in ("", "Bearer ", "Basic sk-right", "Bearer sk-wrong"):
            reply = gateway.send(chat(model="gpt-5.4-nano"), Authorization=value)
            assert reply.status == 401 and b"sk-" not in reply.body
        hello: Any = [{"role": "user", "content": "hello"}]
        client = OpenAI(base_url=gateway.url, api_key="sk-right", max_retries=0)
        with pytest.raises(NotFoundError, match="does not exist"):
            client.chat.completions.create(model="gpt-9", messages=hello)
        assert len(client.models.list().data) == 9
        assert b"sk-" not in gateway.log.read_bytes()


@pytest.mark.parametrize("choice", [None, "auto", "required", "get_weather"])
def test_tool_call(fast: Gateway, choice: str | None) -> None:
    """The prompt dictates the call's arguments, plain and streamed."""
    settings: dict[str, object] = {"tools": [WEATHER]}
    if choice == "get_weather":
        settings["tool_choice"] = {"type": "function", "function": {"name": choice}}
    elif choice:
        settings["tool_choice"] = choice
    message = fast.send(chat(ASK, **settings)).json["choices"][0]
    assert message["finish_reason"] == "tool_calls" and message["message"]["content"] is None
    call = message["message"]["tool_calls"][0]["function"]
    assert call["name"] == "get_weather" and json.loads(call["arguments"]) == {"city": "Shanghai"}
    deltas = [e["choices"][0]["delta"] for e in fast.send(streamed(ASK, **settings)).events[:-2]]
    parts = [d["tool_calls"][0]["function"] for d in deltas if "tool_calls" in d]
    assert parts[0]["name"] == "get_weather"
    assert json.loads("".join(p["arguments"] for p in parts)) == {"city": "Shanghai"}
    assert fast.rows()[-1]["tools"] == "1" and fast.rows()[-1]["tool_choice"] == (choice or "")


def test_no_tool_call(fast: Gateway) -> None:
    """tool_choice none, or a tool's result as the last message, is answered in words."""
    none = fast.send(chat(ASK, tools=[WEATHER], tool_choice="none")).json["choices"][0]
    assert none["message"]["content"] and "tool_calls" not in none["message"]
    messages = [
        {"role": "user", "content": ASK},
        {"role": "assistant", "content": None, "tool_calls": []},
        {"role": "tool", "tool_call_id": "call_1", "content": "sunny"},
    ]
    after = fast.send({"model": "m", "messages": messages, "tools": [WEATHER]}).json
    assert after["choices"][0]["finish_reason"] == "stop"


def picture(text: str, chunk: str) -> str:
    """A data URL of a PNG that carries a text in a tEXt or iTXt chunk."""
    info = PngInfo()
    if chunk == "tEXt":
        info.add_text("Description", text)
    else:
        info.add_itxt("Description", text, zip=chunk == "zipped")
    file = BytesIO()
    Image.new("RGB", (64, 32), "white").save(file, "PNG", pnginfo=info)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


@pytest.mark.parametrize("chunk", ["tEXt", "iTXt", "zipped"])
def test_vision(log: Path, chunk: str) -> None:
    """GLM-4.6V reads a picture at 512 tokens; at 64 its reasoning takes the whole budget."""
    text = "WEIGHBRIDGE 4711 NET 12.5 t"
    parts = [
        {"type": "text", "text": "Read all text in the picture."},
        {"type": "image_url", "image_url": {"url": picture(text, chunk)}},
    ]
    with running(log, "--profile", "seed", "--latency", 0, "--tokens-per-s", 0) as gateway:
        small = gateway.send(chat(parts, model="GLM-4.6V", max_tokens=64)).json
        large = gateway.send(chat(parts, model="GLM-4.6V", max_tokens=512)).json
    cut = small["choices"][0]
    assert cut["message"]["content"] is None and cut["message"]["reasoning_content"]
    assert cut["finish_reason"] == "length" and small["usage"]["completion_tokens"] == 64
    assert large["choices"][0]["message"]["content"] == text
    assert large["choices"][0]["message"]["reasoning_content"]


def test_reasoning(log: Path) -> None:
    """Reasoning counts as completion, is cut first, and is returned beside the content."""
    with running(log, "--profile", "seed", "--latency", 0, "--tokens-per-s", 0) as gateway:
        name = "claude-sonnet-4.6-thinking"
        small = gateway.send(chat("Why?", model=name, max_tokens=20)).json
        large = gateway.send(chat("Reply exactly: so", model=name, max_tokens=2000)).json
        stream = gateway.send(streamed("Reply exactly: so", model=name, max_tokens=2000))
        quiet = gateway.send(chat("Reply exactly: so", model="gpt-5.4-nano-high")).json
    usage = small["usage"]
    assert usage["completion_tokens"] == 20
    assert usage["completion_tokens_details"]["reasoning_tokens"] == 20
    assert small["choices"][0]["message"]["content"] is None
    message, usage = large["choices"][0]["message"], large["usage"]
    assert message["content"] == "so" and len(message["reasoning_content"]) > 100
    assert 0 < usage["completion_tokens_details"]["reasoning_tokens"] < usage["completion_tokens"]
    deltas = [e["choices"][0]["delta"] for e in stream.events[:-2]]
    kinds = [next(iter(d), "") for d in deltas]
    assert kinds.index("reasoning_content") < kinds.index("content") and stream.text == "so"
    assert "reasoning_content" not in quiet["choices"][0]["message"]


def test_json_schema_reply(fast: Gateway) -> None:
    """A response_format with a JSON schema is answered with JSON that fits it, whatever the prompt
    dictates."""
    schema = WEATHER["function"]["parameters"]  # type: ignore[index]
    wanted = {"type": "json_schema", "json_schema": {"name": "w", "schema": schema}}
    for dictated, expected in {
        '{"city": "Kyoto"}': {"city": "Kyoto"},
        '{"town": "Kyoto"}': {"city": "city"},
        "Kyoto": {"city": "city"},
    }.items():
        reply = fast.send(chat(f"Answer only: {dictated}", response_format=wanted))
        assert json.loads(reply.text) == expected


def test_a_prompt_dictates_several_calls(fast: Gateway) -> None:
    """Each has a different id; `parallel_tool_calls: false` leaves only the first."""
    ask = 'Call get_weather with {"city": "Paris"} and get_weather with {"city": "Rome"}.'
    body = fast.send(chat(ask, tools=[WEATHER])).json
    calls = body["choices"][0]["message"]["tool_calls"]
    assert [json.loads(call["function"]["arguments"])["city"] for call in calls] == [
        "Paris", "Rome",
    ]  # fmt: skip
    assert len({call["id"] for call in calls}) == 2
    events = fast.send(streamed(ask, tools=[WEATHER])).events[:-2]
    parts = [e["choices"][0]["delta"].get("tool_calls", [{}])[0] for e in events]
    for index, call in enumerate(calls):
        of_call = [part for part in parts if part.get("index") == index]
        assert [part["function"]["name"] for part in of_call if "id" in part] == ["get_weather"]
        text = "".join(part["function"]["arguments"] for part in of_call)
        assert text == call["function"]["arguments"]
    body = fast.send(chat(ask, tools=[WEATHER], parallel_tool_calls=False)).json
    assert len(body["choices"][0]["message"]["tool_calls"]) == 1


def test_a_strict_tool_gets_what_its_schema_allows(fast: Gateway) -> None:
    """A strict schema takes precedence over arguments that the prompt dictates."""
    unit = {"type": "string", "enum": ["c", "f"]}
    parameters = {
        "type": "object", "properties": {"unit": unit}, "required": ["unit"],
        "additionalProperties": False,
    }  # fmt: skip
    function = {"name": "read_scale", "parameters": parameters}
    ask = 'Call read_scale with {"unit": "kelvin"}.'
    for strict, said in ((True, "c"), (False, "kelvin")):
        tool = {"type": "function", "function": {**function, "strict": strict}}
        message = fast.send(chat(ask, tools=[tool])).json["choices"][0]["message"]
        arguments = json.loads(message["tool_calls"][0]["function"]["arguments"])
        assert arguments == {"unit": said}


def test_log_equals_replies(log: Path) -> None:
    """With many at once, each row of the log has the tokens, cost, id and task of its reply."""
    with running(log, "--profile", "seed", "--latency", 0.05) as gateway:
        bodies = [
            (streamed if i % 3 else chat)(
                f"Reply exactly: ok-{i}", model="gpt-5.4-nano", task_id=f'a,"b"\n{i}'
            )
            for i in range(60)
        ]
        with ThreadPoolExecutor(20) as pool:
            replies = list(pool.map(gateway.send, bodies))
        rows = {row["task_id"]: row for row in gateway.rows()}
    assert len(rows) == 60
    for i, reply in enumerate(replies):
        row = rows[f'a,"b"\n{i}']
        usage = reply.events[-2]["usage"] if i % 3 else reply.json["usage"]
        assert reply.headers["x-request-id"] == row["request_id"]
        assert row["status"] == "200" and row["stream"] == ("1" if i % 3 else "0")
        for name in ("prompt_tokens", "completion_tokens", "total_tokens"):
            assert int(row[name]) == usage[name]
        assert float(row["cost"]) == float(row["billed"]) == usage["cost"]
        assert float(row["first_byte_unix_s"]) - float(row["arrival_unix_s"]) >= 0.05
        if i % 3:
            moments = [float(x) for x in row["chunk_times_unix_s"].split(";")]
            assert len(moments) == int(row["chunks"]) == len(reply.events) - 1
            assert moments == sorted(moments)


def test_repeats(tmp_path: Path) -> None:
    """Two runs with one seed answer the same in any order of arrival; another seed differs."""

    def run(seed: int, order: int) -> dict[int, tuple[str, str]]:
        arguments = ("--seed", seed, "--latency", 0, "--fault", "error_500=0.3")
        with running(tmp_path / f"{seed}{order}.csv", *arguments) as gateway:
            replies = {}
            for i in range(40)[::order]:
                reply = gateway.send(chat(f"Tell me {i}", model="gemini-3-flash-preview"))
                # The id numbers the arrivals and the date is the date: neither is drawn.
                replies[i] = (str(reply.status), json.dumps(reply.json.get("choices")))
            return replies

    assert run(1, 1) == run(1, -1)
    assert run(1, 1) != run(2, 1)


def test_stream_pace(log: Path) -> None:
    """Each chunk has a time on an absolute schedule at the set speed, and none is early."""
    arguments = ("--profile", "fast", "--ttft", 0.1, "--tokens-per-s", 100)
    with running(log, *arguments) as gateway:
        for _ in range(5):
            gateway.send(streamed("Write 50 tokens"))
        rows = gateway.rows()
    late = []
    for row in rows:
        arrived = float(row["arrival_unix_s"])
        times = [float(x) - arrived for x in row["chunk_times_unix_s"].split(";")]
        assert all(at >= 0.099 + 0.01 * i for i, at in enumerate(times[1:51]))
        late.append(times[50] - times[1] - 0.49)
    # A busy machine delays a chunk; only a schedule that drifts delays the last of every stream.
    assert min(late) < 0.11
    assert KEY not in log.read_text()
