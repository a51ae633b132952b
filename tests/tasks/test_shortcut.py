"""Our shortcuts change nothing: the SDK's plain way and ours send the same and record the same."""

import gzip
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai import Stream
from openai._streaming import SSEDecoder

from recording.record import COLUMNS, RequestRecord
from tasks.event_stream import Decoder, parsed
from tasks.prompts import Request
from tests.tasks.scripted_server import (
    BOTH,
    STREAM_HEAD,
    WHOLE_STREAM,
    Conversation,
    Serve,
    answer,
    chunked,
    completion,
    delta,
    http,
    json_reply,
    sse,
    streaming,
)
from tests.tasks.sending import KEY, Sender
from tests.tasks.test_requests import ANSWERS, TIMES


class PlainDecoder(SSEDecoder):
    """The SDK's decoder, with only a note whether `[DONE]` came, and without empty events."""

    done = is_json = False
    event: Any = None
    foreign: bytes | None = None
    ignored = b""

    def iter_bytes(self, iterator: Iterator[bytes]) -> Iterator[Any]:
        if self.is_json:  # what the headers say is all that the plain way goes by
            self.foreign = b"".join(iterator)
            return
        for event in super().iter_bytes(iterator):
            self.event = event
            self.done = self.done or event.data.startswith("[DONE]")
            if event.data:
                yield event


class OpenAI(openai.OpenAI):
    """The SDK's client without any shortcut."""

    def complete(self, body: dict[str, Any], *, stream: bool) -> Any:
        if not stream:
            return self.post("/chat/completions", cast_to=httpx2.Response, body=body)
        return self.post(
            "/chat/completions", cast_to=object, body=body, stream=True, stream_cls=Stream[object]
        )

    def _make_sse_decoder(self) -> Any:
        return PlainDecoder()


def sender(base_url: str, *, plain: bool) -> Sender:
    one_user = Sender(base_url)
    if plain:
        http_client = httpx2.Client(transport=one_user.client.wire, trust_env=False)
        one_user.client.sdk = OpenAI(  # type: ignore[assignment]
            base_url=base_url, api_key=KEY, max_retries=0, timeout=5.0, http_client=http_client
        )
    return one_user


def both_ways(
    serve: Serve, script: Callable[[Conversation], None], requests: int = 2, **how: Any
) -> tuple[list[RequestRecord], list[RequestRecord]]:
    """Rows of the plain way and of ours, against two servers that run the same script."""
    rows: list[list[RequestRecord]] = []
    sent_by_each: list[list[Any]] = []
    for plain in (True, False):
        server = serve(script)
        user = sender(server.base_url, plain=plain)
        rows.append([user.send(index, **how) for index in range(requests)])
        user.client.close()
        port = str(server.port)
        sent_by_each.append(
            [
                (asked.line, [(k, v.replace(port, "PORT")) for k, v in asked.headers.items()])
                for asked in server.requests
            ]
            + [asked.body for asked in server.requests]
        )
    assert sent_by_each[0] == sent_by_each[1], "the same bytes are sent"
    return rows[0], rows[1]


PLACE = re.compile(r" in position \d+")


def same(plain: list[RequestRecord], ours: list[RequestRecord]) -> None:
    for one, other in zip(plain, ours, strict=True):
        for name in COLUMNS:
            if name in TIMES:
                assert (getattr(one, name) is None) == (getattr(other, name) is None), name
            elif name == "error_message":  # the place in the line, or in its data
                messages = [PLACE.sub("", f"{row.error_message}") for row in (one, other)]
                assert messages[0] == messages[1]
            else:
                assert getattr(one, name) == getattr(other, name), name


CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
MORE: dict[str, tuple[bytes, bytes]] = {
    "tool calls": (
        json_reply(completion(choices=[{"message": {"content": None, "tool_calls": [CALL]}}])),
        streaming(
            delta(tool_calls=[{"index": 0, **CALL}]),
            delta(tool_calls=[{"index": 0, "function": {"arguments": "}"}}]),
            delta("tool_calls"),
        ),
    ),
    "401": (json_reply({"error": {"message": f"bad key {KEY}"}}, status="401 No"),) * 2,
    "500 without JSON": (http("500 No", b"<html>", "content-type: text/html"),) * 2,
    "502 empty": (http("502 No"),) * 2,
    "302": (http("302 Found", b"", "location: http://127.0.0.1:1/"),) * 2,
    "204": (http("204 None", length=False),) * 2,
    "text": (http("200 OK", b"hello", "content-type: text/plain"),) * 2,
    "no content type": (http("200 OK", b"{}"),) * 2,
    "broken JSON": (http("200 OK", b'{"a', "content-type: application/json"),) * 2,
    "an array": (json_reply([1]), streaming([1], delta("stop", content="x"))),
    "NaN": (
        json_reply(completion(usage={"cost": float("nan"), "total_tokens": 3})),
        streaming({**delta("stop", content="x"), "usage": {"cost": float("inf")}}),
    ),
    "numbers of every size": (
        json_reply(completion(usage={"total_tokens": 10**30, "prompt_tokens": 2**63 - 1})),
        streaming({**delta("stop", content="x"), "usage": {"cost": 1e400, "total_tokens": -0.0}}),
    ),
    "half a surrogate": (
        json_reply(completion("a\ud800b")),
        streaming(delta("stop", content="a\ud800b")),
    ),
    "other letters": (
        json_reply(completion("你好 \U0001f40b é")),
        STREAM_HEAD
        + b"".join(
            chunked(
                b"data: " + json.dumps(delta("stop", content="你好"), ensure_ascii=False).encode(),
                b"\n\ndata: [DONE]\n\n",
            )
        ),
    ),
    "not UTF-8": (
        http("200 OK", b'{"choices": "\xff\xfe"}', "content-type: application/json"),
        STREAM_HEAD + b"".join(chunked(*sse(WHOLE_STREAM[:2], done=False), b'data: {"\xff"}\n\n')),
    ),
    "compressed": (
        http(
            "200 OK",
            gzip.compress(json.dumps(completion()).encode()),
            "content-type: application/json",
            "content-encoding: gzip",
        ),
        http(
            "200 OK",
            gzip.compress(b"".join(sse(WHOLE_STREAM))),
            "content-type: text/event-stream",
            "content-encoding: gzip",
        ),
    ),
    "wrongly compressed": (
        http("200 OK", b"{}", "content-type: application/json", "content-encoding: gzip"),
        http("200 OK", b"data: {}\n\n", "content-type: text/event-stream", "content-encoding: br"),
    ),
    "error event": (
        json_reply({"error": "broken"}),
        streaming(*WHOLE_STREAM[:3], {"error": {"message": "gone", "code": 502}}),
    ),
    "truncated": (json_reply(completion(), "x: y")[:-5], streaming(*WHOLE_STREAM[:3], done=False)),
    "cut in a chunk": (json_reply(completion()), streaming(*WHOLE_STREAM, last=False)[:-40]),
    "a JSON body": (json_reply(completion()), json_reply(completion())),
    "headers": (
        json_reply(completion(), "x-request-id: r", "x-ratelimit-limit-requests: 5"),
        streaming(*WHOLE_STREAM).replace(b"\r\n", b"\r\nX-Request-Id: r\r\n", 1),
    ),
}


@BOTH
@pytest.mark.parametrize("case", ANSWERS | MORE)
def test_both_ways_send_and_record_the_same(serve: Serve, case: str, stream: bool) -> None:
    reply = (ANSWERS | MORE)[case][stream]
    if stream and case == "text":
        return  # that it is no stream is seen by our decoder alone (test_gateway_shapes.py)

    def script(talk: Conversation) -> None:
        talk.request()
        talk.send(reply)

    same(*both_ways(serve, script, stream=stream))
    same(*both_ways(serve, answer(reply), requests=1, stream=stream))


EVENT = json.dumps(delta(content="x")).encode()
STREAMS: dict[str, bytes] = {
    "CRLF": b"data: %s\r\n\r\ndata: [DONE]\r\n\r\n" % EVENT,
    "CR": b"data: %s\r\rdata: [DONE]\r\r" % EVENT,
    "line ends that change": b"data: %s\n\ndata: %s\r\n\r\ndata: [DONE]\n\n" % (EVENT, EVENT),
    "comments": b": OPENROUTER PROCESSING\n\n: x\ndata: %s\n\n:\n\ndata: [DONE]\n\n" % EVENT,
    "no space": b"data:%s\n\ndata:[DONE]\n\n" % EVENT,
    "two spaces": b"data:  %s\n\ndata:  [DONE]\n\n" % EVENT,
    "several lines": b'data: {"choices":\ndata: []}\n\ndata: %s\n\ndata: [DONE]\n\n' % EVENT,
    "names and ids": b"event: m\nid: 7\nretry: 5\ndata: %s\n\n\n\ndata: [DONE]\n\n" % EVENT,
    "a named error": b'event: error\ndata: {"error": {"message": "no"}}\n\n',
    "a cut event": b"data: %s\n\ndata: %s" % (EVENT, EVENT[:-4]),
    "nothing": b"",
    "only line ends": b"\n\n\n\n\n",
    "without data": b"event: ping\n\nid: 1\n\ndata\n\ndata:\n\ndata: %s\n\n" % EVENT,
    "after DONE": b"data: [DONE]\n\ndata: %s\n\n" % EVENT,
    "more after DONE": b"data: [DONE] bye\n\n",
    "no JSON": b"data: %s\n\ndata: {nope}\n\ndata: %s\n\n" % (EVENT, EVENT),
    "text": b"data: hello\n\n",
    "a thread event": b'event: thread.x\ndata: {"a": 1}\n\ndata: [DONE]\n\n',
}


@pytest.mark.parametrize("case", STREAMS)
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_a_stream_of_any_form_and_segmentation_gives_the_same_row_both_ways(
    serve: Serve, case: str, size: int
) -> None:
    stream = STREAMS[case]
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
    same(*both_ways(serve, answer(STREAM_HEAD + b"".join(chunked(*pieces))), stream=True))


@BOTH
def test_a_cookie_is_sent_back_as_the_sdk_would(serve: Serve, stream: bool) -> None:
    def script(talk: Conversation) -> None:
        for cookie in ("a=1", "b=2", None, "a=3", None):
            talk.request()
            reply = streaming(*WHOLE_STREAM) if stream else json_reply(completion())
            more = b"set-cookie: %s\r\n" % cookie.encode() if cookie else b""
            talk.send(reply.replace(b"\r\n", b"\r\n" + more, 1))

    plain, ours = both_ways(serve, script, requests=5, stream=stream)
    same(plain, ours)
    assert [row.outcome for row in ours] == ["ok"] * 5


def test_a_body_that_is_not_json_fails_alike_both_ways(serve: Serve) -> None:
    for value in (float("nan"), "a\ud800", object()):
        request = Request("x", extra={"odd": value})
        same(*both_ways(serve, answer(json_reply(completion())), request=request))


# ---- the decoder and the parser by themselves


def test_a_large_event_in_small_pieces_is_assembled() -> None:
    data = b'{"image": "' + b"a" * 3_000_000 + b'"}'
    whole = b"data: " + data + b"\n\n"

    def pieces() -> Iterator[bytes]:
        for at in range(0, len(whole), 1000):
            yield whole[at : at + 1000]

    (event,) = Decoder().iter_bytes(pieces())
    assert event.json()["image"] == "a" * 3_000_000


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON_VALUES, st.booleans(), st.sampled_from([None, 2]))
def test_json_is_read_as_the_standard_library_reads_it(
    value: object, ascii_only: bool, indent: int | None
) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    try:
        raw = text.encode()
    except UnicodeEncodeError:
        return
    assert repr(parsed(raw, raw)) == repr(json.loads(raw))


@pytest.mark.parametrize(
    "raw",
    [b"", b" ", b"{", b'{"a":1}x', b"\xff", b"01", b"1.", b"-", b"+1", b"'a'", b"[1,]", b"nul"]
    + [b'"\x01"', b'"\\x"', b'{"a":1,"a":2}', b"1e999", b"-0", b"9" * 5000, b"[" * 100_000]
    + ['{"a":1}'.encode("utf-16"), b"\xef\xbb\xbf{}"],
)
def test_almost_json_is_accepted_or_refused_as_by_the_standard_library(raw: bytes) -> None:
    try:
        expected = repr(json.loads(raw))
    except (ValueError, RecursionError) as error:
        with pytest.raises(type(error)):
            parsed(raw, raw)
    else:
        assert repr(parsed(raw, raw)) == expected
