"""A stream may be cut into segments anywhere: the reply is the same."""

from tests.tasks.scripted_server import (
    STREAM_HEAD,
    USAGE_CHUNK,
    Conversation,
    Serve,
    chunked,
    delta,
    sse,
)
from tests.tasks.sending import sender

EVENTS = (
    delta(role="assistant", content=""),
    delta(content="o汉😀\u2028"),
    delta("stop"),
    USAGE_CHUNK,
)
BODY = b": a comment\r\n\r\n" + b"".join(sse(EVENTS))
CUTS = range(1, len(BODY))


def test_a_stream_cut_at_any_byte_is_the_same_reply(serve: Serve) -> None:
    """Two HTTP chunks, cut within words, UTF-8 characters, line ends and JSON."""
    cut = iter(CUTS)

    def script(talk: Conversation) -> None:
        while True:
            talk.request()
            at = next(cut)
            talk.send(STREAM_HEAD, *chunked(BODY[:at], BODY[at:]))

    server = serve(script)
    with sender(server.base_url) as user:
        record_of = {
            (
                row.outcome,
                row.content,
                row.total_tokens,
                row.api_cost,
                row.finish_reason,
                row.chunks,
            )
            for row in (user.send(index, stream=True) for index in range(len(CUTS)))
        }
    assert record_of == {("ok", "o汉😀\u2028", 7, 0.25, "stop", 1)}


def test_a_stream_sent_byte_by_byte_is_the_same_reply(serve: Serve) -> None:
    """Each byte its own HTTP chunk and its own segment."""

    def script(talk: Conversation) -> None:
        talk.request()
        talk.send(STREAM_HEAD, *chunked(*(BODY[i : i + 1] for i in range(len(BODY)))), pause_s=0)

    with sender(serve(script).base_url) as user:
        row = user.send(stream=True)
    assert (row.outcome, row.content, row.total_tokens) == ("ok", "o汉😀\u2028", 7)
