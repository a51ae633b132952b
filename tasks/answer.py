"""Judges the answer to one request: an outcome, the message, and its other fields.

Answers through the SDK's typed and plain surfaces are judged from the same bytes, so a record does
not depend on which of them sent the request.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any

import gevent
import openai

from recording.json_values import Json, as_json
from recording.outcome import Outcome, of_status
from tasks.client import Client
from tasks.error_bodies import complaint, outcome_of, trouble, unlisted, worded
from tasks.event_stream import loses_text, parsed
from tasks.finish_reasons import end_of
from tasks.proxy_pages import PROXY_STATUSES, foreign, is_page, title
from tasks.reply import Message, message
from tasks.stream import StreamedReply
from tasks.transport_failure import WireError

UNREADABLE = (ValueError, RecursionError, MemoryError)
"""The errors that reading a body can raise; any other error is a fault of ours and is not blamed
on the gateway.
"""
_SHOWN_BYTES = 100_000
_MANY_BYTES = 4_000_000
_MOST_VALUES = 2_000_000

# Fields that the SDK's typed surface has as parameters; the rest is sent as extra_body.
_TYPED = ("model", "messages", "max_tokens", "stream", "stream_options", "tools", "tool_choice")


@dataclass(slots=True)
class Answer:
    """The result of one exchange, before it becomes a record; `odd` holds flags."""

    outcome: Outcome
    message: Message | None = None
    body: Json | None = None
    streamed: StreamedReply | None = None
    error_type: str | None = None
    error_message: str | None = None
    odd: dict[str, str] = field(default_factory=dict)


def plain(client: Client, body: dict[str, Any], *, typed: bool) -> Answer:
    """Send a request that is not streamed, and judge the reply."""
    if typed:
        client.sdk.chat.completions.create(**_split(body))
        raw = client.sdk.answered.content
    else:
        raw = client.sdk.complete(body, stream=False).content
    return judge_body(raw, client.wire.headers)


def judge_body(raw: bytes, headers: Mapping[str, str]) -> Answer:
    """Judge a body that came in one piece under HTTP 200."""
    try:
        reply = _read(raw)
    except UNREADABLE as error:
        return _unreadable(raw, error)
    if (wrong := trouble(reply)) is not None:
        complained = complaint(wrong)
        outcome = outcome_of(complained, None)
        return Answer(outcome, None, unlisted(reply), None, complained.type, complained.message)
    if not isinstance(reply, dict):
        reply_text = reply if isinstance(reply, str) else as_json(reply)
        return Answer(Outcome.MALFORMED, error_message=f"not a JSON object: {reply_text}")
    said_message = message(reply)
    if said_message is None:
        why = f"no choices in the body: {as_json(reply)}"
        return Answer(Outcome.MALFORMED, None, reply, None, None, why)
    answer = Answer(Outcome.OK, said_message, reply)
    kind = _kind(headers)
    if kind and not kind.endswith("json"):
        answer.odd["content_type"] = f"a JSON body is called {kind}"
    return _ended(answer, said_message)


def streamed(
    client: Client, body: dict[str, Any], *, typed: bool, most_chunks: float = inf
) -> Answer:
    """Send a streamed request, and judge the events as they arrive.

    After `most_chunks` with text, reasoning or a tool call the connection is closed on purpose.
    """
    wire, gathered = client.wire, StreamedReply()
    stream: Any
    if typed:
        stream = client.sdk.chat.completions.create(**_split(body))
    else:
        stream = client.sdk.complete(body, stream=True)
    events = stream._decoder
    kind = _kind(wire.headers)
    events.is_json = kind == "application/json"
    answer = Answer(Outcome.OK, None, None, gathered)
    try:
        for chunk in stream:
            if typed and events.event is not None:
                chunk = (
                    events.event.json()
                )  # unchanged: the SDK's models keep most of it, but not all
            if wire.last_byte is not None:
                gathered.add(chunk if isinstance(chunk, dict) else unlisted(chunk), wire.last_byte)
            if gathered.wrong is not None:
                answer = _error_event(gathered.wrong)
                stream.close()
                break
            if len(gathered.token_times) >= most_chunks:
                hang_up_error = wire.hang_up()
                answer = Answer(hang_up_error.outcome, error_message=str(hang_up_error))
                stream.close()
                break
    except openai.APIConnectionError as error:
        cause = error.__cause__
        no_stream = events.foreign is not None or (events.is_json and events.event is None)
        if no_stream or not (isinstance(cause, WireError) and cause.ended):
            answer = broken(error)
    except openai.APIError as error:
        event_body = events.event.json() if events.event is not None else None
        gathered.add(unlisted(event_body), wire.now())  # usage may stand beside an error
        answer = _error_event(error.body if error.body is not None else error.message)
    except UNREADABLE as error:
        answer = Answer(Outcome.MALFORMED, error_message=f"a chunk cannot be read: {error}")
    except gevent.GreenletExit:
        answer = Answer(Outcome.CANCELLED, error_message="the run was stopped")
    other = events.foreign
    if other is None and events.is_json and events.event is None:
        other = b""
    if other is not None and answer.outcome is Outcome.OK:
        return _not_a_stream(other, wire.headers)
    message = gathered.finish()
    answer.message, answer.body, answer.streamed = message, gathered.usage_chunk, gathered
    if events.event is not None and kind and kind != "text/event-stream":
        answer.odd["content_type"] = f"an event stream is called {kind}"
    if gathered.usages.differs is not None:
        answer.odd["usage_twice"] = gathered.usages.differs
    return _stream_ended(answer, message, done=events.done, ignored=events.ignored)


def _stream_ended(answer: Answer, message: Message, *, done: bool, ignored: bytes) -> Answer:
    """Judge a stream without errors by how it ended."""
    gathered = answer.streamed
    if answer.outcome is not Outcome.OK or gathered is None:
        return answer
    if loses_text(ignored):
        answer.outcome = Outcome.MALFORMED
        ignored_text = repr(ignored[:80].decode(errors="replace"))
        answer.error_message = (
            "an event is lost to every client: before its data: stand blanks or a byte order mark: "
            f"{ignored_text}"
        )
    elif gathered.whole_reply and message.empty:
        answer.outcome = Outcome.MALFORMED
        answer.error_message = "a stream was asked for, a whole reply came"
    elif message.finish_reason is None and not done:
        ignored_text = ignored.decode(errors="replace").strip()
        if ignored_text and not gathered.token_times:
            answer.outcome = Outcome.MALFORMED
            answer.error_message = f"not an event stream: {ignored_text}"
        else:
            answer.outcome = Outcome.STREAM_TRUNCATED
            answer.error_message = "the stream ended with neither finish_reason nor [DONE]"
            if ignored_text:
                answer.error_message += f"; in it stood: {ignored_text}"
        if (other := foreign(None, ignored_text)) is not None:
            answer.odd["not_the_gateway"] = other
    else:
        _ended(answer, message)
    return answer


def _ended(answer: Answer, message: Message) -> Answer:
    """The outcome of a complete answer from its finish reason, or from an empty message."""
    end = end_of(message.finish_reason) if message.finish_reason else None
    if end == "failed":
        answer.outcome = Outcome.STREAM_ERROR if answer.streamed else Outcome.SERVER_ERROR
        answer.error_type = message.finish_reason
        answer.error_message = "the gateway ended its answer with finish_reason "
        answer.error_message += f"{message.finish_reason}"
    elif end == "filtered":
        answer.outcome = Outcome.FILTERED
        answer.error_message = f"a content filter ended the answer: {message.finish_reason}"
    elif message.empty:
        answer.outcome = Outcome.EMPTY
    return answer


def _not_a_stream(raw: bytes, headers: Mapping[str, str]) -> Answer:
    """A single body where a stream was requested: an error counts, a completion does not."""
    answer = judge_body(raw, headers)
    if answer.message is not None:
        answer = Answer(Outcome.MALFORMED, None, answer.body)
        answer.error_message = "a stream was asked for, a whole reply came"
    return answer


def refused(status: int, raw: bytes) -> Answer:
    """Judge an HTTP error by its status and body; the cause that the body states comes first."""
    text = raw[:_SHOWN_BYTES].decode(errors="replace")
    odd = {} if (other := foreign(status, text)) is None else {"not_the_gateway": other}
    try:
        reply = _read(raw)
    except UNREADABLE:
        words = title(text) if is_page(text) else text.strip()
        if not words:
            words = f"HTTP {status} without a body"
            if status in PROXY_STATUSES:
                words += f" ({PROXY_STATUSES[status]})"
        return Answer(of_status(status), error_message=words, odd=odd)
    body = unlisted(reply)
    complained = complaint(worded(body) if body else reply)
    outcome = outcome_of(complained, status)
    return Answer(outcome, None, body, None, complained.type, complained.message, odd)


def broken(error: openai.APIConnectionError) -> Answer:
    """Judge an exchange that failed below HTTP. Errors that are not connection failures are
    raised.
    """
    cause = error.__cause__
    if isinstance(cause, WireError):
        return Answer(cause.outcome, error_type=cause.kind, error_message=str(cause))
    if isinstance(cause, UNREADABLE):
        return Answer(Outcome.MALFORMED, None, None, None, type(cause).__name__, str(cause))
    raise error


def _error_event(error: object) -> Answer:
    """An error inside a stream: the outcome that its words name, otherwise a stream error."""
    complained = complaint(error)
    outcome = outcome_of(complained, None)
    if outcome is Outcome.SERVER_ERROR:
        outcome = Outcome.STREAM_ERROR
    return Answer(outcome, error_type=complained.type, error_message=complained.message)


def _read(raw: bytes) -> Any:
    """A body as JSON. Raises what UNREADABLE lists."""
    if not raw.strip():
        raise ValueError("the body is empty")
    if len(raw) > _MANY_BYTES and sum(map(raw.count, (b"{", b"[", b","))) > _MOST_VALUES:
        raise ValueError(f"more than {_MOST_VALUES} values in one body")  # 100 bytes for each 2
    return parsed(raw, raw)


def _unreadable(raw: bytes, error: BaseException) -> Answer:
    """A body under HTTP 200 that is not JSON: describe it, if possible."""
    text = raw[:_SHOWN_BYTES].decode(errors="replace").lstrip("\ufeff")
    answer = Answer(Outcome.MALFORMED, error_type=type(error).__name__)
    if (other := foreign(None, text)) is not None:
        answer.odd["not_the_gateway"] = other
    if is_page(text):
        answer.error_message = f"a page came, not a completion: {title(text)}"
    elif text.lstrip().startswith(("data:", "event:", ": ")):
        answer.error_message = "a whole reply was asked for, an event stream came"
    else:
        answer.error_message = f"not JSON ({error}): {text.strip()}"
    return answer


def _kind(headers: Mapping[str, str]) -> str:
    """The content type that the headers name, without its parameters; empty: none."""
    return headers.get("content-type", "").split(";")[0].strip().lower()


def _split(body: dict[str, Any]) -> dict[str, Any]:
    known = {name: body[name] for name in _TYPED if name in body}
    return {**known, "extra_body": {k: v for k, v in body.items() if k not in known}}
