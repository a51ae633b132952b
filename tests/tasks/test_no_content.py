"""--no-content: the row holds nothing of what was asked or answered, but all numbers."""

from collections.abc import Callable
from dataclasses import astuple

import pytest

from settings.options import WITHHELD, Options
from tests.tasks.scripted_server import (
    Conversation,
    Serve,
    completion,
    delta,
    http,
    json_reply,
    streaming,
)
from tests.tasks.sending import send

SECRET = "the patient's name"


def quoting(reply: Callable[[], bytes]) -> Callable[[Conversation], None]:
    def script(talk: Conversation) -> None:
        while True:
            talk.request()
            talk.send(reply())

    return script


SAYINGS: dict[str, tuple[bool, Callable[[], bytes]]] = {
    "content": (False, lambda: json_reply(completion(SECRET))),
    "stream": (True, lambda: streaming(delta(content=SECRET), delta("stop"))),
    "refusal": (
        False,
        lambda: json_reply({"error": {"message": f"bad: {SECRET}"}}, status="400 Bad Request"),
    ),
    "error in 200": (False, lambda: json_reply({"error": {"message": SECRET}})),
    "stream error": (True, lambda: streaming(delta(content="x"), {"error": {"message": SECRET}})),
    "not json": (False, lambda: json_reply(SECRET)),
    "error type without a message": (
        False,
        lambda: json_reply({"error": {"message": "", "type": SECRET}}, status="400 Bad Request"),
    ),
    "error page": (
        False,
        lambda: http("502 Bad Gateway", f"<p>{SECRET}</p>".encode(), "content-type: text/html"),
    ),
    "flagged content": (
        False,
        lambda: json_reply(completion(SECRET, usage={"prompt_tokens": -1})),
    ),
    "error type": (
        False,
        lambda: json_reply({"error": {"message": "m", "type": SECRET}}, status="400 Bad Request"),
    ),
}


@pytest.mark.parametrize("how", SAYINGS)
def test_no_row_holds_the_words_of_question_or_answer(serve: Serve, how: str) -> None:
    stream, reply = SAYINGS[how]
    server = serve(quoting(reply))
    loud = send(server.base_url, stream=stream)
    assert SECRET in str(astuple(loud)), "the control: without the option it is there"
    mute = send(server.base_url, stream=stream, how={"mute": True})
    assert SECRET not in str(astuple(mute))
    assert (mute.outcome, mute.http_status, mute.total_tokens, mute.api_cost) == (
        loud.outcome, loud.http_status, loud.total_tokens, loud.api_cost
    )  # fmt: skip
    if loud.error_message:
        assert mute.error_message == WITHHELD


def test_our_own_messages_about_connections_are_kept() -> None:
    row = send("http://127.0.0.1:1/v1", how={"mute": True})
    assert row.outcome == "connection_refused" and "refused" in (row.error_message or "")


def test_content_is_kept_by_default() -> None:
    assert Options().no_content is False
