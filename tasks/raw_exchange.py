"""Sends a check's request unchanged, and keeps its answer byte by byte.

It goes through the same client as every other (its address, key, headers, TLS and proxy); nothing
is retried or repaired. Its row is made from the same bytes.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import nullcontext

import gevent
import httpx2

from compat.check import BATCHES, CHAT, EMBEDDINGS, FILES, MODELS, Ask
from compat.evidence import Evidence
from compat.evidence import Outcome as Ended
from compat.sse import events
from recording.json_values import mapping
from recording.outcome import Outcome
from tasks.answer import UNREADABLE, Answer, judge_body, refused
from tasks.client import Client
from tasks.error_bodies import complaint, trouble
from tasks.event_stream import Decoder
from tasks.prompts import Raw
from tasks.stream import StreamedReply
from tasks.transport_failure import WireError

WRONG_KEY = "weighbridge-checks-a-key-that-is-none"
_TIMEOUTS = (Outcome.TIMEOUT_CONNECT, Outcome.TIMEOUT_FIRST_BYTE, Outcome.TIMEOUT_TOTAL)
_NOTHING = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0, "cost": 0}
Pieces = list[tuple[float, bytes]]


def send_raw(client: Client, raw: Raw, secrets: str | Sequence[str]) -> Answer:
    """Send a request, keep the reply, and return the answer for its row.

    Raises NotSent; nothing is kept of a cancelled request.
    """
    ask, wire, pieces = raw.ask, client.wire, Pieces()
    failure: WireError | None = None
    ended = Ended.DONE
    try:
        with client.another_key(WRONG_KEY) if ask.wrong_key else nullcontext():
            response = client.sdk.begin(ask.method, ask.path, ask.body, ask.file)
            ended = _read(client, response, ask, pieces)
    except gevent.GreenletExit:
        return Answer(Outcome.CANCELLED, error_message="the run was stopped")
    except WireError as error:
        failure = error
        ended = _ended(error, wire.status)
    except httpx2.HTTPError as error:  # e.g. more redirects than anybody follows
        failure = WireError(Outcome.MALFORMED, f"{type(error).__name__}: {error}")
        ended = Ended.CUT
    elapsed_s = None
    if wire.sent is not None:
        elapsed_s = max(0.0, (wire.last_byte or wire.now()) - wire.sent)
    evidence = Evidence(ask.body, wire.status, wire.headers, pieces, ended, elapsed_s)
    raw.keep(evidence, [secrets] if isinstance(secrets, str) else secrets)
    if failure is not None:
        return Answer(failure.outcome, error_type=failure.kind, error_message=str(failure))
    return _answer(ask, evidence, wire.sent or 0.0)


def _read(client: Client, response: httpx2.Response, ask: Ask, pieces: Pieces) -> Ended:
    """Read the body to its end, or as far as the check requires."""
    wire = client.wire
    try:
        for piece in response.iter_bytes():
            at = wire.last_byte if wire.last_byte is not None else wire.now()
            pieces.append((at - (wire.sent or at), piece))
            most_events = ask.close_after_events
            if most_events is not None and len(events(pieces)) >= most_events:
                wire.close()
                return Ended.CLOSED
    finally:
        response.close()
    return Ended.DONE


def _ended(error: WireError, status: int | None) -> Ended:
    if error.outcome in _TIMEOUTS:
        return Ended.TIMEOUT
    return Ended.RESET if status is None else Ended.CUT


def _answer(ask: Ask, evidence: Evidence, sent: float) -> Answer:
    """What the row says of an answer that came."""
    status, body = evidence.status or 0, evidence.body
    if not 200 <= status < 300:
        return refused(status, body)
    if evidence.content_type == "text/event-stream" and ask.path == CHAT:
        return _streamed(evidence, sent)
    if ask.path == CHAT:
        return judge_body(body, evidence.headers)
    return _other(ask, body, evidence)


def _streamed(evidence: Evidence, sent: float) -> Answer:
    """A stream assembled as in every other run; the checks read its bytes themselves."""
    gathered, decoder, now = StreamedReply(), Decoder(), [sent]

    def pieces() -> Iterator[bytes]:
        for at_s, piece in evidence.pieces:
            now[0] = sent + at_s
            yield piece

    answer = Answer(Outcome.OK, streamed=gathered)
    try:
        for event in decoder.iter_bytes(pieces()):
            if event.data.startswith("[DONE]"):
                break
            gathered.add(mapping(event.json()), now[0])
            if gathered.wrong is not None:
                answer.outcome = Outcome.STREAM_ERROR
                answer.error_message = f"{gathered.wrong}"
    except UNREADABLE as error:
        answer.outcome, answer.error_message = Outcome.MALFORMED, f"a chunk cannot be read: {error}"
    answer.message, answer.body = gathered.finish(), gathered.usage_chunk
    closed = evidence.outcome is Ended.CLOSED
    if answer.outcome is Outcome.OK and not closed:
        if answer.message.finish_reason is None and not decoder.done:
            answer.outcome = Outcome.STREAM_TRUNCATED
        elif answer.message.empty:
            answer.outcome = Outcome.EMPTY
    return answer


def _other(ask: Ask, body: bytes, evidence: Evidence) -> Answer:
    """An answer of another endpoint's: JSON, or a stream of events with the response in the last.

    A list of models, a file and a look at a batch have no usage, and are taken to cost nothing;
    vectors have no output tokens. What a batch costs is not in the answer that it was created.
    """
    if evidence.content_type == "text/event-stream":
        bodies = [_json(event.data) for event in events(evidence.pieces)]
        responses = [mapping(mapping(entry).get("response")) for entry in bodies]
        return Answer(
            Outcome.OK, body=dict(next((entry for entry in responses[::-1] if entry), {}))
        )
    if ask.path.startswith(FILES):
        return Answer(Outcome.OK, body={"usage": _NOTHING})
    read = _json(body)
    if not isinstance(read, dict):
        return Answer(Outcome.MALFORMED, error_message="HTTP 200 without a JSON object")
    if (wrong := trouble(read)) is not None and read.get("error"):
        return Answer(Outcome.SERVER_ERROR, body=read, error_message=complaint(wrong).message)
    if ask.path == MODELS or (ask.path.startswith(BATCHES) and ask.path != BATCHES):
        return Answer(Outcome.OK, body={"usage": _NOTHING})
    if ask.path == EMBEDDINGS and (used := mapping(read.get("usage"))):
        return Answer(Outcome.OK, body={"usage": {"completion_tokens": 0, **used}})
    return Answer(Outcome.OK, body=read)


def _json(text: str | bytes) -> object:
    try:
        return json.loads(text)
    except UNREADABLE:
        return None
