"""One measured exchange: a request goes through the SDK, a record comes out, whatever happens."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import gevent
import openai

from loadshapes.options import WITHHELD
from loadshapes.plan import Phase
from recording.outcome import Outcome, of_status
from recording.prices import PRICED, Prices
from recording.record import CONTENT_LIMIT_CHARS, RequestRecord
from tasks import drift, timing
from tasks.client import Client
from tasks.headers import header_facts
from tasks.overhead import stated_times
from tasks.prompts import Judgement, Request
from tasks.redaction import redacted
from tasks.reply import (
    Json,
    Message,
    Usage,
    complaint,
    mapping,
    message,
    trouble,
    unlisted,
    usage,
    wait_in_body,
    whole,
)
from tasks.stream import StreamedReply
from tasks.wire import NotSent, Wire, WireError

_BROKEN = (Outcome.CONNECTION_RESET, Outcome.TIMEOUT_TOTAL, Outcome.MALFORMED)

# What the SDK's typed surface knows by name; the rest travels as extra_body.
_TYPED = ("model", "messages", "max_tokens", "stream", "stream_options", "tools", "tool_choice")


@dataclass(slots=True)
class Job:
    """One planned request on its way: its phase, number and times (the clock's seconds).

    `due` None: as soon as a user is free. `gate` is given the job and blocks until its request may
    go; it raises NotSent if it no longer may. (A gate that held its job would be a cycle: garbage
    for the collector, whose turns make other requests late.) `in_flight` is known once the gate has
    opened. `words` is how long a sized prompt is to be, in padding words. `origin` is the run it is
    of: a user that is slow to end may hold it when the next run has begun.
    """

    phase: Phase
    index: int
    began: float
    due: float | None
    gate: Callable[["Job"], None]
    in_flight: int | None = None
    words: int | None = None
    origin: "Origin | None" = None

    @property
    def task(self) -> tuple[str, int]:
        """What names the job within its run: phase and index."""
        return (self.phase.name, self.index)

    def wait(self) -> None:
        """Block until the request may go. Raises NotSent."""
        self.gate(self)


@dataclass(frozen=True, slots=True)
class Origin:
    """Who measures: run, process, the secret that no row may show; `mute`: nor what was said.

    `prices` is the operator's table, for costs that the gateway does not state; `cost_field` where
    it states them, if not in a usual place. Gaps of streams above `stall_limit_s` are stalls.
    """

    run_id: str
    worker: str
    secret: str = field(repr=False)
    mute: bool = False
    prices: Prices | None = None
    cost_field: str = ""
    stall_limit_s: float = timing.STALL_LIMIT_S


_SPENT = "{} output tokens were spent and no visible word came: raise --max-tokens"


@dataclass(slots=True)
class _Answer:
    """What one exchange yielded, before it becomes a record."""

    outcome: Outcome
    message: Message | None = None
    body: Json | None = None
    streamed: StreamedReply | None = None
    error_type: str | None = None
    error_message: str | None = None


def exchange(
    client: Client, request: Request, body: dict[str, Any], job: Job, origin: Origin
) -> RequestRecord:
    """Send one request and return its record; no failure of the request is raised.

    A user killed in mid-flight (GreenletExit) still gets its record, with outcome `cancelled`.
    """
    wire = client.wire
    wire.arm(job.wait)
    try:
        answer = _streamed(client, body, job) if job.phase.stream else _plain(client, body, job)
    except NotSent as why:
        return planned_only(job, origin, f"{why}" or "the run or the window was over")
    except gevent.GreenletExit:
        answer = _Answer(Outcome.CANCELLED, error_message="the run was stopped")
    except openai.APIStatusError as error:
        answer = _refused(error)
    except openai.APIConnectionError as error:
        answer = _broken(error)
    except openai.APIError as error:
        answer = _error_event(error.body if error.body is not None else error.message)
    except WireError as error:
        answer = _Answer(error.outcome, error_type="WireError", error_message=str(error))
    except Exception as error:  # whatever a body can do to a parser: too deep, too large, not text
        answer = _Answer(Outcome.MALFORMED, None, None, None, type(error).__name__, str(error))
    finally:
        if not wire.complete:
            wire.close()
    if answer.outcome in _BROKEN and wire.status is not None and wire.status >= 300:
        answer.outcome = of_status(wire.status)  # that much the gateway did say
    return _record(answer, request, body, job, origin, wire)


def _plain(client: Client, body: dict[str, Any], job: Job) -> _Answer:
    reply: object
    if job.phase.typed:
        typed = client.sdk.chat.completions.create(**_split(body))
        reply = typed.to_dict() if isinstance(typed, openai.BaseModel) else typed
    else:
        reply = client.sdk.complete(body, stream=False)
    return _whole(reply)


def _whole(reply: object) -> _Answer:
    """Judge a body that came in one piece under HTTP 200."""
    if (error := trouble(reply)) is not None:
        said = complaint(error)
        outcome = of_status(said.status) if said.status else Outcome.SERVER_ERROR
        return _Answer(outcome, None, mapping(reply), None, said.type, said.message)
    if not isinstance(reply, dict):
        return _Answer(Outcome.MALFORMED, error_message=f"not a JSON object: {reply}")
    said_message = message(reply)
    if said_message is None:
        why = f"no choices in the body: {json.dumps(reply, ensure_ascii=False)}"
        return _Answer(Outcome.MALFORMED, None, reply, None, None, why)
    outcome = Outcome.EMPTY if said_message.empty else Outcome.OK
    return _Answer(outcome, said_message, reply)


def _streamed(client: Client, body: dict[str, Any], job: Job) -> _Answer:
    wire, gathered = client.wire, StreamedReply()
    stream: Any
    if job.phase.typed:
        stream = client.sdk.chat.completions.create(**_split(body))
    else:
        stream = client.sdk.complete(body, stream=True)
    if wire.headers.get("content-type", "").lower().startswith("application/json"):
        return _not_a_stream(stream.response.read())
    answer = _Answer(Outcome.OK, None, None, gathered)
    done = False
    try:
        for chunk in stream:
            if job.phase.typed and (event := stream._decoder.event) is not None:
                chunk = event.json()  # as it came: the SDK's models keep most of it, not all
            if wire.last_byte is not None:
                gathered.add(chunk if isinstance(chunk, dict) else unlisted(chunk), wire.last_byte)
            if gathered.wrong is not None:
                answer = _error_event(gathered.wrong)
                stream.close()
                break
        done = stream._decoder.done
    except openai.APIConnectionError as error:
        cause = error.__cause__
        if not (isinstance(cause, WireError) and cause.ended):
            answer = _broken(error)
    except openai.APIError as error:
        answer = _error_event(error.body if error.body is not None else error.message)
    except Exception as error:
        answer = _Answer(Outcome.MALFORMED, error_message=f"a chunk cannot be read: {error}")
    except gevent.GreenletExit:
        answer = _Answer(Outcome.CANCELLED, error_message="the run was stopped")
    said = gathered.finish()
    answer.message, answer.body, answer.streamed = said, gathered.usage_chunk, gathered
    if answer.outcome is Outcome.OK:
        if said.finish_reason is None and not done:
            answer.outcome = Outcome.STREAM_TRUNCATED
            answer.error_message = "the stream ended with neither finish_reason nor [DONE]"
        elif said.empty:
            answer.outcome = Outcome.EMPTY
    return answer


def _not_a_stream(raw: bytes) -> _Answer:
    """A JSON body where a stream was asked for: an error in it counts, a completion does not."""
    try:
        answer = _whole(json.loads(raw))
    except ValueError as error:
        return _Answer(Outcome.MALFORMED, error_message=f"not JSON: {error}")
    if answer.outcome in (Outcome.OK, Outcome.EMPTY):
        answer.outcome = Outcome.MALFORMED
        answer.error_message = "a stream was asked for, a whole reply came"
    return answer


def _split(body: dict[str, Any]) -> dict[str, Any]:
    known = {name: body[name] for name in _TYPED if name in body}
    return {**known, "extra_body": {k: v for k, v in body.items() if k not in known}}


def _refused(error: openai.APIStatusError) -> _Answer:
    # The SDK hands over the body's `error` object, or the whole body where there is none.
    said = complaint(error.body if error.body not in (None, "") else error.message)
    try:
        body = mapping(error.response.json())  # what it charged stands beside the error
    except Exception:  # any bytes at all
        body = {}
    return _Answer(of_status(error.status_code), None, body, None, said.type, said.message)


def _broken(error: openai.APIConnectionError) -> _Answer:
    cause = error.__cause__
    outcome = cause.outcome if isinstance(cause, WireError) else Outcome.MALFORMED
    return _Answer(outcome, error_type=type(cause).__name__, error_message=str(cause))


def _error_event(error: object) -> _Answer:
    said = complaint(error)
    return _Answer(Outcome.STREAM_ERROR, error_type=said.type, error_message=said.message)


def planned_only(job: Job, origin: Origin, why: str) -> RequestRecord:
    """The row of a request that was planned and never sent."""
    return _row(
        job,
        origin,
        outcome=Outcome.DROPPED.value,
        success=False,
        error_type="dropped",
        error_message=why,
    )


def lost(job: Job, origin: Origin) -> RequestRecord:
    """The row of a request that a generator had when it was lost: sent or not, nobody knows."""
    return _row(
        job,
        origin,
        outcome=Outcome.LOST.value,
        success=False,
        error_type="lost",
        error_message="its generator was lost: it may have been sent, and paid for",
    )


def _row(job: Job, origin: Origin, **facts: Any) -> RequestRecord:
    phase = job.phase
    return RequestRecord(
        run_id=origin.run_id,
        timestamp=datetime.now(UTC).isoformat(),
        worker=origin.worker,
        phase=phase.name,
        mode=phase.mode,
        scenario=phase.scenario,
        target=phase.target,
        duration_s=phase.duration_s,
        model_requested=phase.model,
        task_id=phase.task_id(job.index),
        stream=phase.stream,
        request_index=job.index,
        scheduled_offset_s=None if job.due is None else round(job.due - job.began, 6),
        **{"max_tokens": phase.max_tokens, **facts},
    )


def _since(start: float | None, end: float | None) -> float | None:
    return None if start is None or end is None else round(end - start, 6)


def _record(
    answer: _Answer,
    request: Request,
    body: dict[str, Any],
    job: Job,
    origin: Origin,
    wire: Wire,
) -> RequestRecord:
    said, sent, last = answer.message, wire.sent, wire.last_byte
    if last is None or (sent is not None and last < sent):
        last = wire.now() if sent is not None else None
    headers = wire.headers
    place = json.dumps(request.place) if request.place else None
    complete = answer.outcome in (Outcome.OK, Outcome.EMPTY)
    used = usage(answer.body or {}, headers, ok=complete, cost_field=origin.cost_field)
    if answer.outcome is Outcome.EMPTY and drift.spent(said, used):
        answer.outcome = Outcome.BUDGET_SPENT
        answer.error_message = _SPENT.format(used.get("completion_tokens") or "all")
    facts: dict[str, Any] = {
        "outcome": answer.outcome.value,
        "success": answer.outcome is Outcome.OK,
        "sent_offset_s": _since(job.began, sent),
        "done_offset_s": _since(job.began, last),
        "send_lag_s": _since(job.due, sent),
        "http_status": wire.status,
        "elapsed_sec": _since(sent, last),
        "elapsed_from_due_s": _since(job.due, last),
        "first_byte_s": _since(sent, wire.first_byte),
        "response_bytes": wire.body_bytes if wire.status else None,
        "connection_reused": wire.reused if sent is not None else None,
        "connect_s": None if wire.connect_s is None else round(wire.connect_s, 6),
        "in_flight": job.in_flight,
        "error_type": answer.error_type,
        "error_message": answer.error_message,
        "check_detail": place,
        **used,
        **header_facts(headers),
        **stated_times(headers),
        "max_tokens": body.get("max_completion_tokens", body.get("max_tokens")),
    }
    if facts["retry_after_s"] is None and answer.outcome is Outcome.RATE_LIMITED:
        facts["retry_after_s"] = wait_in_body(answer.body or {})
    if origin.prices is not None and facts["api_cost"] is None:
        facts.update(_priced(origin.prices, job.phase.model, facts))
    if answer.outcome is not Outcome.OK and answer.error_type is None:
        facts["error_type"] = answer.outcome.value
    if said is not None:
        facts["model_returned"] = said.model
        facts["finish_reason"] = said.finish_reason
        facts["content"] = said.content
        facts["reasoning_content_present"] = bool(said.reasoning)
        facts["reasoning_in_content"] = said.inner_reasoning is not None
        facts["tool_calls"] = len(said.tool_calls)
        facts.update(_named(answer))
        if request.marker is not None and complete:
            facts["marker_ok"] = (said.content or "").strip() == request.marker
        ok = answer.outcome is Outcome.OK
        if ok and request.heard is not None:
            request.heard(said)
        judged = _judged(request.judge, said) if request.judge is not None and ok else None
        found = drift.flags(job.phase.model, said, used, ok=ok)
        if ok and request.marker is not None and not said.content and drift.spent(said, used):
            found["budget_spent"] = _SPENT.format(used.get("completion_tokens") or "all")
        if answer.streamed is not None and sent is not None:
            timed = _stream_facts(answer.streamed, sent, origin)
            facts.update(timed)
            if ok:
                found |= timing.flags(timed, _streamed_tokens(said, used))
        facts["check"], facts["check_detail"] = drift.combined(judged, found, request.place)
    if origin.mute:
        facts["content"], facts["check_detail"] = None, place
        if wire.status is not None and not facts["success"]:  # the gateway's words, or of them
            facts["error_message"] = facts["error_message"] and WITHHELD
            facts["error_type"] = answer.outcome.value
    for name, value in facts.items():
        if isinstance(value, str):
            facts[name] = _guarded(value, origin.secret)
    return _row(job, origin, **facts)


def _priced(prices: Prices, model: str, facts: dict[str, Any]) -> dict[str, Any]:
    """The cost by the operator's table, where the gateway stated none and counted the tokens."""
    cost = prices.cost(model, *(facts[name] for name in PRICED))
    return {} if cost is None else {"api_cost": cost, "cost_source": "price_table"}


def _judged(judge: Callable[[Message], Judgement], said: Message) -> Judgement:
    try:
        return judge(said)
    except Exception as error:  # e.g. the operator's schema refers to what is not there
        return Judgement("fail", f"the judge failed: {type(error).__name__}: {error}")


def _named(answer: _Answer) -> dict[str, Any]:
    """What the reply calls itself: `id` and `created`, where they are a text and a number."""
    head = answer.streamed.head if answer.streamed is not None else answer.body or {}
    name = head.get("id")
    return {
        "completion_id": name if isinstance(name, str) and name else None,
        "completion_created": whole(head.get("created")),
    }


def _stream_facts(streamed: StreamedReply, sent: float, origin: Origin) -> dict[str, Any]:
    found = timing.facts(streamed.token_times, sent, origin.stall_limit_s)
    return {**found, "first_visible_s": _since(sent, streamed.first_visible)}


def _streamed_tokens(said: Message, used: Usage) -> int | None:
    """The tokens that travelled in chunks: without reasoning of which no text came."""
    tokens = used.get("completion_tokens")
    if tokens is None or said.reasoning:
        return tokens
    return max(0, tokens - (used.get("reasoning_tokens") or 0))


def _guarded(value: str, secret: str) -> str:
    """Text without the key (gateways echo it back in errors), cut to what a row holds."""
    return redacted(value, secret)[:CONTENT_LIMIT_CHARS]
