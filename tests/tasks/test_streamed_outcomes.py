"""What can go wrong within a stream, and what counts as a token in its timing."""

import json
from collections.abc import Callable
from typing import Any

import gevent
import pytest

from tests.tasks.scripted_server import (
    STREAM_HEAD,
    TYPED,
    USAGE_CHUNK,
    WHOLE_STREAM,
    Conversation,
    Serve,
    answer,
    answer_once,
    chunked,
    completion,
    delta,
    http,
    json_reply,
    sse,
    streaming,
)
from tests.tasks.sending import send, sender

BEGUN = WHOLE_STREAM[:2]  # role, "ok"


@TYPED
@pytest.mark.parametrize("last", [True, False], ids=["body ends", "connection ends"])
def test_a_stream_without_finish_reason_or_done_is_truncated(
    serve: Serve, last: bool, typed: bool
) -> None:
    cut = streaming(*BEGUN, done=False, last=last)
    row = send(serve(answer_once(cut)).base_url, stream=True, typed=typed)
    assert (row.outcome, row.success, row.http_status) == ("stream_truncated", False, 200)
    assert (row.content, row.chunks) == ("ok", 1)
    assert "neither finish_reason nor [DONE]" in (row.error_message or "")


def test_a_stream_that_ends_within_a_line_is_truncated(serve: Serve) -> None:
    cut = STREAM_HEAD + b"".join(chunked(*sse(BEGUN, done=False), b'data: {"cho', last=False))
    row = send(serve(answer_once(cut)).base_url, stream=True)
    assert row.outcome in ("stream_truncated", "malformed")
    assert row.content == "ok"


@pytest.mark.parametrize("last", [True, False])
def test_done_without_a_finish_reason_is_a_complete_stream(serve: Serve, last: bool) -> None:
    row = send(serve(answer_once(streaming(*BEGUN, last=last))).base_url, stream=True)
    assert (row.outcome, row.finish_reason) == ("ok", None)


@TYPED
def test_a_finish_reason_without_done_is_a_complete_stream(serve: Serve, typed: bool) -> None:
    stream = streaming(*WHOLE_STREAM, done=False)
    row = send(serve(answer_once(stream)).base_url, stream=True, typed=typed)
    assert (row.outcome, row.finish_reason, row.total_tokens) == ("ok", "stop", 7)


def test_a_stream_without_length_or_chunks_ends_with_its_connection(serve: Serve) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
    row = send(serve(answer_once(head, *sse(WHOLE_STREAM))).base_url, stream=True)
    assert (row.outcome, row.content) == ("ok", "ok-0")


@TYPED
@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        ({"message": "upstream died", "code": 502}, "502", "upstream died"),
        ({"message": "slow down", "type": "overloaded_error"}, "overloaded_error", "slow down"),
        ("upstream died", "stream_error", "upstream died"),
    ],
)
def test_an_error_event_in_mid_stream_is_a_stream_error(
    serve: Serve, error: object, kind: str, message: str, typed: bool
) -> None:
    broken = streaming(*BEGUN, {"error": error})
    row = send(serve(answer(broken)).base_url, stream=True, typed=typed)
    assert (row.outcome, row.success, row.http_status) == ("stream_error", False, 200)
    assert (row.error_type, row.content, row.chunks) == (kind, "ok", 1)
    assert message in (row.error_message or "")


def test_an_error_event_with_a_name_is_a_stream_error(serve: Serve) -> None:
    event = b'event: error\ndata: {"error": {"message": "upstream died"}}\n\n'
    body = STREAM_HEAD + b"".join(chunked(*sse(BEGUN, done=False), event))
    row = send(serve(answer_once(body)).base_url, stream=True)
    assert (row.outcome, row.error_message) == ("stream_error", "upstream died")


@TYPED
@pytest.mark.parametrize("event", [b"data: {oops\n\n", b"data: \xff\xfe\n\n", b"data: [[[\n\n"])
def test_a_chunk_that_is_not_json_is_malformed(serve: Serve, event: bytes, typed: bool) -> None:
    body = STREAM_HEAD + b"".join(chunked(*sse(BEGUN, done=False), event, b"data: [DONE]\n\n"))
    row = send(serve(answer_once(body)).base_url, stream=True, typed=typed)
    assert (row.outcome, row.content) == ("malformed", "ok")


@pytest.mark.parametrize("event", ["7", "null", "[]", '"text"', '{"choices": 7}', "{}", "[1]"])
@TYPED
def test_a_chunk_of_another_form_is_skipped(serve: Serve, event: str, typed: bool) -> None:
    events = [*WHOLE_STREAM[:2], json.loads(event), *WHOLE_STREAM[2:]]
    row = send(serve(answer(streaming(*events))).base_url, stream=True, typed=typed)
    assert row.outcome in ("ok", "malformed")
    assert (row.content or "").startswith("ok")


def test_a_body_of_plain_text_in_place_of_a_stream_is_malformed(serve: Serve) -> None:
    server = serve(answer(http("200 OK", b"upstream gone", "content-type: text/plain")))
    assert send(server.base_url, stream=True).outcome in ("stream_truncated", "malformed")


@TYPED
def test_a_json_reply_in_place_of_a_stream_is_malformed(serve: Serve, typed: bool) -> None:
    row = send(serve(answer(json_reply(completion()))).base_url, stream=True, typed=typed)
    assert (row.outcome, row.error_message) == (
        "malformed",
        "a stream was asked for, a whole reply came",
    )
    assert row.total_tokens == 7, "it was paid for"


def test_comments_and_unknown_fields_of_a_stream_are_skipped(serve: Serve) -> None:
    noise = b": OPENROUTER PROCESSING\n\nretry: 5\nid: 3\n\n"
    events = sse(WHOLE_STREAM)
    body = STREAM_HEAD + b"".join(chunked(noise, events[0], noise, *events[1:], noise))
    row = send(serve(answer(body)).base_url, stream=True)
    assert (row.outcome, row.content, row.chunks) == ("ok", "ok-0", 2)


# ---- what counts as a token


def paced(*events: Any, pause_s: float = 0.05) -> Callable[[Conversation], None]:
    """Each event in a chunk and a segment of its own, with a pause between."""

    def script(talk: Conversation) -> None:
        talk.request()
        talk.send(STREAM_HEAD)
        talk.send(*chunked(*sse(events)), pause_s=pause_s)

    return script


def test_a_role_only_chunk_is_not_a_token(serve: Serve) -> None:
    row = send(serve(paced(*WHOLE_STREAM)).base_url, stream=True)
    assert row.chunks == 2
    assert row.ttft_s is not None and row.first_byte_s is not None
    assert row.ttft_s >= row.first_byte_s + 0.04
    assert row.first_visible_s == row.ttft_s


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_reasoning_is_the_first_token_but_not_the_first_visible_one(
    serve: Serve, name: str
) -> None:
    events = (
        delta(role="assistant", content=""),
        delta(**{name: "hm"}),
        delta(content="ok"),
        delta("stop"),
        USAGE_CHUNK,
    )
    row = send(serve(paced(*events)).base_url, stream=True)
    assert (row.outcome, row.content, row.reasoning_content_present) == ("ok", "ok", True)
    assert row.chunks == 2
    assert row.ttft_s is not None and row.first_visible_s is not None
    assert row.first_visible_s >= row.ttft_s + 0.04


def test_a_stream_of_reasoning_alone_is_ok_and_has_no_first_visible_token(serve: Serve) -> None:
    events = (delta(reasoning_content="hm"), delta("length"), USAGE_CHUNK)
    row = send(serve(paced(*events)).base_url, stream=True)
    assert (row.outcome, row.content, row.first_visible_s) == ("ok", None, None)
    assert row.ttft_s is not None


def test_gaps_between_chunks_are_those_the_server_made(serve: Serve) -> None:
    tokens = [delta(content=letter) for letter in "abcde"]
    row = send(serve(paced(*tokens, delta("stop"), pause_s=0.05)).base_url, stream=True)
    assert row.chunks == 5
    assert row.inter_chunk_p50_s is not None and row.inter_chunk_max_s is not None
    assert 0.04 <= row.inter_chunk_p50_s <= row.inter_chunk_max_s < 2.0


def test_a_single_chunk_has_no_gap(serve: Serve) -> None:
    row = send(serve(answer(streaming(delta("stop", content="ok")))).base_url, stream=True)
    assert (row.chunks, row.inter_chunk_p50_s, row.inter_chunk_max_s) == (1, None, None)


def test_a_wait_after_done_is_not_counted_as_latency(serve: Serve) -> None:
    """Some gateways say [DONE] and keep the body open."""

    def script(talk: Conversation) -> None:
        talk.request()
        talk.send(STREAM_HEAD, *chunked(*sse(WHOLE_STREAM), last=False))
        gevent.sleep(10)

    row = send(serve(script).base_url, stream=True)
    assert (row.outcome, row.content) == ("ok", "ok-0")
    assert row.elapsed_sec is not None
    assert row.elapsed_sec < 5, "half of the server's wait"


# ---- however it is cut

SIGNS = (delta(role="assistant", content=""), delta(content="ök "), delta(content="汉字"))
FACTS = ("outcome", "content", "chunks", "finish_reason", "total_tokens", "api_cost", "error_type")


@pytest.mark.parametrize("newline", [b"\n", b"\r\n", b"\r"], ids=["lf", "crlf", "cr"])
def test_a_stream_cut_at_any_byte_gives_the_same_record(serve: Serve, newline: bytes) -> None:
    events = (*SIGNS, delta("stop"), USAGE_CHUNK)
    raw = "".join(f"data: {json.dumps(e, ensure_ascii=False)}\n\n" for e in events)
    body = (raw + "data: [DONE]\n\n").encode().replace(b"\n", newline)

    def script(talk: Conversation) -> None:
        while True:
            cut = int(talk.request().json["messages"][0]["content"].rsplit("-", 1)[1])
            talk.send(STREAM_HEAD, *chunked(body[:cut], body[cut:]), pause_s=0.0005)

    with sender(serve(script).base_url) as user:
        rows = [user.send(cut, stream=True) for cut in range(0, len(body) + 1, 3)]
    assert {tuple(getattr(row, name) for name in FACTS) for row in rows} == {
        ("ok", "ök 汉字", 2, "stop", 7, 0.25, None)
    }


def test_a_stream_sent_byte_by_byte_gives_the_same_record(serve: Serve) -> None:
    body = b"".join(sse((*SIGNS, delta("stop"), USAGE_CHUNK)))
    pieces = [body[i : i + 1] for i in range(len(body))]
    script = answer_once(STREAM_HEAD, *chunked(*pieces))
    row = send(serve(script).base_url, stream=True)
    assert tuple(getattr(row, name) for name in FACTS) == (
        "ok", "ök 汉字", 2, "stop", 7, 0.25, None,
    )  # fmt: skip
