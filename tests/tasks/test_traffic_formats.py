"""Replies in the forms of various gateways, read for their meaning."""

import json
from typing import Any

import pytest

from tasks.stream import StreamedReply
from tests.tasks.scripted_server import (
    STREAM_HEAD,
    USAGE_CHUNK,
    Serve,
    answer_once,
    chunked,
    completion,
    delta,
    http,
    json_reply,
    sse,
    streaming,
)
from tests.tasks.sending import send

COUNTS = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
CALL = {"name": "look", "arguments": "{}"}


def choice(index: int = 0, **more: Any) -> dict[str, Any]:
    return {"index": index, "finish_reason": None, **more}


def chunk(*choices: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {**delta(), "choices": list(choices), **more}


def events(raw: bytes) -> bytes:
    """A stream with these bytes as its body."""
    return STREAM_HEAD + b"".join(chunked(raw))


def plain_reply(**message: Any) -> bytes:
    """A plain reply with this message."""
    merged = {"role": "assistant", "content": None, **message}
    return json_reply(completion(choices=[choice(message=merged) | {"finish_reason": "stop"}]))


# ---- a reply that is no plain text


@pytest.mark.parametrize(
    ("reply", "content"),
    [
        (plain_reply(refusal="I cannot"), "I cannot"),
        (plain_reply(function_call=CALL), None),
        (plain_reply(audio={"id": "a", "data": "AAAA", "transcript": "hi"}), "hi"),
        (plain_reply(content=[{"type": "text", "text": "o"}, {"type": "text", "text": "k"}]), "ok"),
    ],
    ids=["refusal", "function_call", "audio", "parts"],
)
def test_a_reply_without_plain_text_is_not_empty(
    serve: Serve, reply: bytes, content: str | None
) -> None:
    row = send(serve(answer_once(reply)).base_url)
    assert (row.outcome, row.content) == ("ok", content)


@pytest.mark.parametrize(
    ("deltas", "content"),
    [
        ([{"refusal": "I can"}, {"refusal": "not"}], "I cannot"),
        ([{"function_call": CALL}, {"function_call": {"arguments": "}"}}], None),
        ([{"audio": {"transcript": "h"}}, {"audio": {"transcript": "i"}}], "hi"),
    ],
    ids=["refusal", "function_call", "audio"],
)
def test_a_streamed_reply_without_plain_text_has_tokens(
    serve: Serve, deltas: list[dict[str, Any]], content: str | None
) -> None:
    reply = streaming(*(delta(**piece) for piece in deltas), delta("stop"))
    row = send(serve(answer_once(reply)).base_url, stream=True)
    assert (row.outcome, row.content, row.chunks) == ("ok", content, 2)
    assert row.ttft_s is not None and row.first_visible_s == row.ttft_s


@pytest.mark.parametrize(
    "thought",
    [
        {"reasoning_details": [{"type": "reasoning.text", "text": "hm"}]},
        {"reasoning_details": [{"type": "reasoning.summary", "summary": "hm"}]},
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]},
        {"content": [{"type": "thinking", "thinking": "hm"}]},
    ],
)
def test_reasoning_in_parts_counts_as_the_first_token(
    serve: Serve, thought: dict[str, Any]
) -> None:
    reply = streaming(delta(**thought), delta(content="ok"), delta("stop"))
    row = send(serve(answer_once(reply)).base_url, stream=True)
    assert (row.content, row.chunks, row.reasoning_content_present) == ("ok", 2, True)
    assert send(serve(answer_once(plain_reply(**thought))).base_url).reasoning_content_present


def test_the_reply_is_the_choice_with_index_0(serve: Serve) -> None:
    """Chunks of several choices come in turns, or together in any order."""
    turns = [chunk(choice(i, delta={"content": t})) for i, t in [(0, "o"), (1, "X"), (0, "k")]]
    both = chunk(choice(1, delta={"content": "Y"}), choice(0, delta={"content": "!"}))
    end = chunk(choice(1, delta={}, finish_reason="length"))
    reply = streaming(*turns, both, end, delta("stop"))
    row = send(serve(answer_once(reply)).base_url, stream=True)
    assert (row.content, row.chunks, row.finish_reason) == ("ok!", 3, "stop")
    choices = [choice(i, message={"content": f"ok-{i}"}, finish_reason="stop") for i in (1, 0)]
    plain = send(serve(answer_once(json_reply(completion(choices=choices)))).base_url)
    assert plain.content == "ok-0"


# ---- why it stopped


@pytest.mark.parametrize("going_on", ["", "null"])
def test_an_empty_finish_reason_is_none(serve: Serve, going_on: str) -> None:
    """Some gateways write one into every chunk: a stream cut after it is still truncated."""
    reply = streaming(delta(going_on, content="ok"), done=False)
    row = send(serve(answer_once(reply)).base_url, stream=True)
    assert (row.outcome, row.finish_reason) == ("stream_truncated", None)


# ---- tokens


@pytest.mark.parametrize(
    "last",
    [
        chunk(choice(delta={}, finish_reason="stop"), x_groq={"id": "r", "usage": COUNTS}),
        chunk(choice(delta={}, finish_reason="stop", usage=COUNTS)),
        chunk(
            choice(delta={}, finish_reason="stop"),
            usage={"prompt_tokens": 5.0, "completion_tokens": "2", "total_tokens": 7},
        ),
    ],
    ids=["groq", "moonshot", "as text or with a point"],
)
def test_tokens_are_read_wherever_a_stream_states_them(serve: Serve, last: dict[str, Any]) -> None:
    row = send(serve(answer_once(streaming(delta(content="ok"), last))).base_url, stream=True)
    assert (row.prompt_tokens, row.completion_tokens, row.total_tokens) == (5, 2, 7)
    assert row.check is None


def test_usage_in_every_chunk_counts_once_and_so_does_a_cost_in_another(serve: Serve) -> None:
    """vLLM counts up; a gateway in front may add its price in a chunk of its own."""
    counting = [
        {**delta(content=t), "usage": {**COUNTS, "completion_tokens": n, "total_tokens": 5 + n}}
        for n, t in enumerate("ok", 1)
    ]
    price = chunk(usage={"cost": 0.25, "total_tokens": None})
    reply = streaming(*counting, delta("stop"), price)
    row = send(serve(answer_once(reply)).base_url, stream=True)
    assert (row.completion_tokens, row.total_tokens, row.api_cost) == (2, 7, 0.25)


# ---- errors


DIED = "upstream died"
FAILED: dict[str, tuple[Any, str | None]] = {
    "of the choice": (chunk(choice(delta={}, error={"code": 502, "message": DIED})), "502"),
    "object": ({"object": "error", "message": DIED, "code": 50001}, "50001"),
    "detail": ({"detail": DIED}, None),
    "message": ({"message": DIED}, None),
    "list": ([{"error": {"message": DIED, "code": 503}}], "503"),
    "bare": ({"message": DIED, "type": "overloaded", "code": 529}, "overloaded"),
    "typed": ({"message": DIED, "type": "server_error"}, "server_error"),
    "nested": ({"error": {"error": {"message": DIED, "code": "x"}}}, "x"),
    "list of one": ({"error": [{"message": DIED}]}, None),
}


@pytest.mark.parametrize("shape", FAILED)
def test_an_error_within_a_stream_is_recognized_in_every_form(serve: Serve, shape: str) -> None:
    """Even where the gateway goes on and sends [DONE]: what came is not the complete reply."""
    body, kind = FAILED[shape]
    reply = streaming(delta(content="ok"), body)
    row = send(serve(answer_once(reply)).base_url, stream=True)
    assert (row.outcome, row.content, row.error_message) == ("stream_error", "ok", DIED)
    assert row.error_type == (kind or "stream_error")


@pytest.mark.parametrize("shape", FAILED)
@pytest.mark.parametrize("status", ["200 OK", "503 No"])
def test_an_error_in_a_plain_reply_is_recognized_in_every_form(
    serve: Serve, shape: str, status: str
) -> None:
    body, kind = FAILED[shape]
    if shape == "of the choice" and status != "200 OK":
        return  # nobody has seen one
    row = send(serve(answer_once(json_reply(body, status=status))).base_url)
    assert (row.outcome, row.error_message) == ("server_error", DIED)
    assert row.error_type == (kind or "server_error")


@pytest.mark.parametrize("event", [{"type": "ping"}, {"type": "status", "message": "2nd in queue"}])
def test_an_event_of_another_kind_is_no_error(serve: Serve, event: dict[str, Any]) -> None:
    reply = streaming(event, delta(content="ok"), event, delta("stop"))
    row = send(serve(answer_once(reply)).base_url, stream=True)
    assert (row.outcome, row.content, row.chunks) == ("ok", "ok", 1)


@pytest.mark.parametrize("data", [b'{"message": "upstream died"}', b"upstream died"])
@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_an_event_named_error_is_an_error_whatever_it_holds(
    serve: Serve, data: bytes, newline: bytes
) -> None:
    raw = b"".join(sse([delta(content="ok")], done=False)) + b"event: error\ndata: " + data
    reply = events((raw + b"\n\ndata: [DONE]\n\n").replace(b"\n", newline))
    row = send(serve(answer_once(reply)).base_url, stream=True)
    assert (row.outcome, row.content, row.error_message) == ("stream_error", "ok", DIED)


@pytest.mark.parametrize("end", [b"", b"\n", b"\n\n"])
def test_an_error_written_into_a_stream_as_plain_json_is_read(serve: Serve, end: bytes) -> None:
    """The header text/event-stream was sent before the gateway knew better."""
    raw = json.dumps({"error": {"message": DIED}}, indent=1).encode() + end
    row = send(serve(answer_once(events(raw))).base_url, stream=True)
    assert (row.outcome, row.error_message) == ("stream_error", DIED)


def test_a_content_type_may_be_in_capitals(serve: Serve) -> None:
    reply = http("200 OK", b'{"error": "upstream died"}', "content-type: Application/JSON")
    row = send(serve(answer_once(reply)).base_url, stream=True)
    assert (row.outcome, row.error_message) == ("server_error", DIED)


def test_the_error_of_a_body_without_choices_is_its_text(serve: Serve) -> None:
    reply = json_reply({"choices": None, "base_info": {"status": "余额不足"}})
    row = send(serve(answer_once(reply)).base_url)
    assert row.outcome == "malformed"
    assert "余额不足" in (row.error_message or "")


# ---- events that are written otherwise


def test_a_byte_order_mark_does_not_hide_the_first_token(serve: Serve) -> None:
    raw = b"\xef\xbb\xbf" + b"".join(sse([delta(content="ok"), delta("stop"), USAGE_CHUNK]))
    row = send(serve(answer_once(events(raw))).base_url, stream=True)
    assert (row.content, row.chunks, row.total_tokens) == ("ok", 1, 7)


@pytest.mark.parametrize("missing", [1, 2])
def test_the_last_event_counts_without_an_empty_line_after_it(serve: Serve, missing: int) -> None:
    raw = b"".join(sse([delta(content="ok"), delta("stop"), USAGE_CHUNK], done=False))
    row = send(serve(answer_once(events(raw[:-missing]))).base_url, stream=True)
    assert (row.outcome, row.total_tokens, row.check) == ("ok", 7, None)


def test_a_truncated_event_is_discarded(serve: Serve) -> None:
    raw = b"".join(sse([delta(content="ok"), delta(content="never")], done=False))
    row = send(serve(answer_once(events(raw[:-9]))).base_url, stream=True)
    assert (row.outcome, row.content) == ("stream_truncated", "ok")


def test_tool_calls_that_all_have_index_0_are_kept_apart(serve: Serve) -> None:
    """By their ids; a name that every piece repeats counts once."""
    reply = StreamedReply()
    for name, number, part in [
        ("a", "1", '{"x"'),
        ("a", "1", ": 1}"),
        ("b", "2", "{"),
        ("b", "2", "}"),
    ]:
        call = {"index": 0, "id": number, "function": {"name": name, "arguments": part}}
        reply.add(delta(tool_calls=[call]), 0.0)
    assert [call["function"] for call in reply.finish().tool_calls] == [
        {"name": "a", "arguments": '{"x": 1}'},
        {"name": "b", "arguments": "{}"},
    ]
