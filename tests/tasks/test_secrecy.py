"""The key is sent to its gateway and appears nowhere else, whatever the gateway echoes."""

import json
from collections.abc import Callable
from dataclasses import astuple
from typing import Any

import pytest

from recording.record import encode
from tasks.job import Origin
from tests.tasks.scripted_server import (
    BOTH,
    Conversation,
    Serve,
    completion,
    delta,
    http,
    json_reply,
    streaming,
)
from tests.tasks.sending import KEY, send


def echoing(make: Callable[[str], bytes]) -> Callable[[Conversation], None]:
    """A gateway that answers with what `make` does with the Authorization header."""

    def script(talk: Conversation) -> None:
        while True:
            talk.send(make(talk.request().headers["authorization"]))

    return script


def bad(said: Any, status: str = "401 Unauthorized") -> bytes:
    return json_reply(said, status=status)


ECHOES: dict[str, Callable[[str], bytes]] = {
    "error message": lambda a: bad({"error": {"message": f"bad key {a}"}}),
    "error type and code": lambda a: bad({"error": {"message": "m", "type": a, "code": a}}),
    "error text": lambda a: bad({"error": a}),
    "whole body": lambda a: bad({"headers": {"authorization": a}}),
    "html": lambda a: http("502 Bad Gateway", f"<p>{a}</p>".encode()),
    "error in 200": lambda a: json_reply({"error": {"message": a}}),
    "content": lambda a: json_reply(completion(f"you sent {a}")),
    "model": lambda a: json_reply(completion(model=a)),
    "request id": lambda a: json_reply(completion(), f"x-request-id: {a}"),
    "not json": lambda a: http("200 OK", a.encode(), "content-type: text/plain"),
    "json text": lambda a: json_reply(a),
    "json list": lambda a: json_reply([a]),
    "not http": lambda a: f"{a}\r\n\r\n".encode(),
    "far into a text": lambda a: http("200 OK", b"x" * 485 + a.encode(), "content-type: a/b"),
    "at the cut": lambda a: json_reply(completion("x" * 1990 + a)),
    "finish reason": lambda a: json_reply(
        completion(choices=[{"message": {"content": "x"}, "finish_reason": a}])
    ),
    "stream content": lambda a: streaming(delta(content=a), delta("stop")),
    "stream error": lambda a: streaming(delta(content="x"), {"error": {"message": a, "type": a}}),
    "redirect": lambda a: http("302 Found", b"", f"location: http://127.0.0.1:1/{a[7:]}"),
}


@BOTH
@pytest.mark.parametrize("where", ECHOES)
def test_an_echoed_key_is_in_no_field_of_the_record(serve: Serve, where: str, stream: bool) -> None:
    server = serve(echoing(ECHOES[where]))
    row = send(server.base_url, stream=stream)
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    text = json.dumps(astuple(row)) + "".join(encode(row))
    assert KEY not in text
    assert KEY[:12] not in text, "nor a piece of it, where a text was cut"


def test_an_echoed_key_is_replaced_by_a_placeholder(serve: Serve) -> None:
    row = send(serve(echoing(ECHOES["error message"])).base_url)
    assert row.error_message == "bad key Bearer [key]"


def test_the_key_is_in_no_repr_of_our_objects() -> None:
    assert KEY not in repr(Origin("run", "local", KEY))


@BOTH
def test_the_request_body_holds_no_key(serve: Serve, stream: bool) -> None:
    server = serve(echoing(lambda _: json_reply(completion())))
    send(server.base_url, stream=stream)
    assert KEY.encode() not in server.requests[0].body
    assert KEY not in server.requests[0].line
