"""One measured exchange: sends a request through the SDK and always returns a record."""

import json
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from math import inf
from typing import Any

import gevent
import openai

from recording.json_values import mapping, whole_number
from recording.outcome import Outcome, of_status
from recording.record import CONTENT_LIMIT_CHARS, RequestRecord
from recording.redaction import redacted
from rules import stream_timing
from rules.prices import PRICED, Prices
from settings.options import WITHHELD
from tasks import answer_flags
from tasks.answer import Answer, broken, plain, refused, streamed
from tasks.cancellation import facts as facts_of
from tasks.cancellation import prepare
from tasks.client import Client
from tasks.error_bodies import wait_in_body
from tasks.headers import header_facts, odd_wait
from tasks.job import Job, Origin
from tasks.prompts import Judgement, Request
from tasks.provider import provider
from tasks.raw_exchange import send_raw
from tasks.reply import Message
from tasks.stated_overhead import odd_time, stated_times
from tasks.stream import StreamedReply
from tasks.transport_failure import NotSent, WireError
from tasks.usage import contradiction, cost_elsewhere, stated_usage, usage
from tasks.wire import Wire

_BROKEN = (
    Outcome.CONNECTION_RESET, Outcome.TIMEOUT_TOTAL, Outcome.MALFORMED, Outcome.REPLY_TOO_LARGE
)  # fmt: skip
log = logging.getLogger("weighbridge")


_SPENT = "{} output tokens were spent and no visible word came: raise --max-tokens"


def exchange(
    client: Client, request: Request, body: dict[str, Any], job: Job, origin: Origin
) -> RequestRecord:
    """Send one request and return its record; no failure of the request is raised.

    If the user is killed in mid-flight (GreenletExit), the record has the outcome `cancelled`.
    """
    wire = client.wire
    wire.arm(job.wait)
    prepare(wire, job.cancel)
    trace_id = client.mark(job.phase.name, job.phase.task_id(job.index))
    try:
        raw = request.raw
        answer = (
            _answer_to(client, body, job) if raw is None else send_raw(client, raw, origin.secret)
        )
        if answer.outcome in _BROKEN and wire.status is not None and wire.status >= 300:
            answer.outcome = of_status(wire.status)  # that much the gateway did say
        if answer.outcome is Outcome.BAD_REQUEST and job.refusal is None and answer.body:
            job.refusal = (400, json.dumps(answer.body).encode())  # a 400 that came under HTTP 200
        return _record(answer, request, body, job, origin, wire, trace_id)
    except NotSent as why:
        return planned_only(job, origin, f"{why}" or "the run or the window was over")
    except Exception as error:  # not one of those that a gateway can cause
        log.exception("a fault in Weighbridge itself, at %s", job.phase.task_id(job.index))
        return _unread(job, origin, wire, error)
    finally:
        if not wire.complete:
            wire.close()


def exchange_raw(client: Client, request: Request, job: Job) -> RequestRecord:
    """Send a check's request unchanged, and return its record, as `exchange` does."""
    assert request.raw is not None and job.origin is not None
    ask = request.raw.ask
    gevent.sleep(ask.wait_s)
    body = dict(ask.body or {})
    phase = replace(job.phase, stream=bool(body.get("stream")), max_tokens=ask.output_tokens)
    raw_job = replace(job, phase=phase, prompt_tokens=ask.prompt_tokens)
    client.task_header = request.raw.named  # strict gateways take no task_id in a body
    try:
        return exchange(client, request, body, raw_job, job.origin)
    finally:
        job.in_flight = raw_job.in_flight


def _answer_to(client: Client, body: dict[str, Any], job: Job) -> Answer:
    """Send a request and judge the answer or the failure."""
    # The typed surface knows no request without a model, which --extra-body may remove.
    typed = job.phase.typed and "model" in body
    try:
        if job.phase.stream:
            most = inf if job.cancel is None else job.cancel.most_chunks
            return streamed(client, body, typed=typed, most_chunks=most)
        return plain(client, body, typed=typed)
    except gevent.GreenletExit:
        return Answer(Outcome.CANCELLED, error_message="the run was stopped")
    except openai.APIStatusError as error:
        job.refusal = (error.status_code, error.response.content)
        return refused(error.status_code, error.response.content)
    except openai.APIConnectionError as error:
        return broken(error)
    except WireError as error:
        return Answer(error.outcome, error_type=error.kind, error_message=str(error))


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


def _unread(job: Job, origin: Origin, wire: Wire, error: Exception) -> RequestRecord:
    """The row of a request of which a fault in Weighbridge left only its times."""
    kind = type(error).__name__
    text = kind if origin.mute else _guarded(f"{kind}: {error}", origin.secret)
    return _row(
        job,
        origin,
        outcome=Outcome.INTERNAL_ERROR.value,
        success=False,
        sent_offset_s=_since(job.began, wire.sent),
        done_offset_s=_since(job.began, wire.now()),
        send_lag_s=_since(job.due, wire.sent),
        http_status=wire.status,
        in_flight=job.in_flight,
        error_type=kind,
        error_message=text,
    )


def lost(job: Job, origin: Origin) -> RequestRecord:
    """The row of a request whose generator was lost: it is unknown whether it was sent."""
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
        attempt=origin.attempt,
        phase=phase.name,
        mode=phase.mode,
        scenario=phase.scenario,
        target=phase.target,
        duration_s=phase.duration_s,
        model_requested=job.model,
        arm=job.arm or None,
        task_id=phase.task_id(job.index),
        stream=phase.stream,
        request_index=job.index,
        cancel_after=None if job.cancel is None else str(job.cancel),
        scheduled_offset_s=_since(job.began + job.moved_s, job.due),
        **{"max_tokens": phase.max_tokens, **facts},
    )


def _since(start: float | None, end: float | None) -> float | None:
    return None if start is None or end is None else round(end - start, 6)


def _record(
    answer: Answer,
    request: Request,
    body: dict[str, Any],
    job: Job,
    origin: Origin,
    wire: Wire,
    trace_id: str | None,
) -> RequestRecord:
    message, sent, last = answer.message, wire.sent, wire.last_byte
    if last is None or (sent is not None and last < sent):
        last = wire.now() if sent is not None else None
    headers = wire.headers
    place = json.dumps(request.place) if request.place else None
    complete = answer.outcome in (Outcome.OK, Outcome.EMPTY)
    used = usage(
        answer.body or {},
        headers,
        ok=complete,
        cost_field=origin.cost_field,
        currency=origin.currency,
    )
    flagged = dict(answer.odd)
    if (twice := contradiction(answer.body or {})) is not None:
        flagged.setdefault("usage_twice", twice)
    unpriced = complete and used["api_cost"] is None
    if unpriced and (where := cost_elsewhere(answer.body or {}, origin.currency)) is not None:
        flagged.setdefault("cost_elsewhere", where)
    if (odd := odd_wait(headers)) is not None:
        flagged["retry_after"] = odd
    if (odd := odd_time(headers, _since(sent, last))) is not None:
        flagged["stated_time"] = odd
    if answer.outcome is Outcome.EMPTY and answer_flags.spent(message, used):
        answer.outcome = Outcome.BUDGET_SPENT
        answer.error_message = _SPENT.format(used.get("completion_tokens") or "all")
    facts: dict[str, Any] = {
        "trace_id": trace_id,
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
        "refused_sends": job.refused_sends,
        "error_type": answer.error_type,
        "error_message": answer.error_message,
        "check_detail": place,
        **used,
        **header_facts(headers),
        **stated_times(headers),
        "provider": _provider(answer, wire),
        "max_tokens": body.get("max_completion_tokens", body.get("max_tokens")),
    }
    if facts["retry_after_s"] is None and answer.outcome is Outcome.RATE_LIMITED:
        facts["retry_after_s"] = wait_in_body(answer.body or {}, time.time())
    abandoned = answer.outcome is Outcome.ABANDONED
    if origin.prices is not None and facts["api_cost"] is None and not abandoned:
        facts.update(_priced(origin.prices, job.model, facts))
    if answer.outcome is not Outcome.OK and answer.error_type is None:
        facts["error_type"] = answer.outcome.value
    judgement = None
    if message is not None:
        facts["model_returned"] = message.model
        facts["finish_reason"] = message.finish_reason
        facts["content"] = message.content
        facts["reasoning_content_present"] = bool(message.reasoning)
        facts["reasoning_in_content"] = message.inner_reasoning is not None
        facts["tool_calls"] = len(message.tool_calls)
        facts.update(_named(answer))
        if request.marker is not None and complete:
            facts["marker_ok"] = (message.content or "").strip() == request.marker
        ok = answer.outcome is Outcome.OK
        if ok and request.heard is not None:
            request.heard(message)
        judgement = _judgement(request.judge, message) if request.judge is not None and ok else None
        usage_said = stated_usage(answer.body or {})
        flagged |= answer_flags.flags(
            job.model, message, used, ok=ok, usage_said=usage_said, currency=origin.currency
        )
        if job.phase.stream and "stream_options" not in body:
            flagged.pop("usage_missing", None)  # it was not asked for
        if (
            ok
            and request.marker is not None
            and not message.content
            and answer_flags.spent(message, used)
        ):
            flagged["budget_spent"] = _SPENT.format(used.get("completion_tokens") or "all")
        if answer.streamed is not None and sent is not None:
            timed = _stream_facts(answer.streamed, sent, origin)
            facts.update(timed)
            if ok:
                tokens = stream_timing.streamed_tokens(
                    used.get("completion_tokens"),
                    used.get("reasoning_tokens"),
                    facts.get("reasoning_content_present"),
                )
                flagged |= stream_timing.flags(timed, tokens)
    abandoned_facts = (
        facts_of(job.cancel, answer, stream=job.phase.stream) if job.cancel is not None else {}
    )
    facts.update(abandoned_facts)
    if (
        abandoned_facts or request.raw is not None
    ):  # it broke off; judged by the checks, from the bytes
        flagged = {}
    facts["check"], facts["check_detail"] = answer_flags.combined(judgement, flagged, request.place)
    if origin.mute:
        detail = {name: n for name, n in request.place.items() if isinstance(n, int)}
        if judgement is not None and judgement.counted:
            detail |= mapping(json.loads(judgement.detail))
        facts["content"], facts["check_detail"] = None, json.dumps(detail) if detail else None
        if wire.status is not None and not facts["success"]:  # the gateway's words, or of them
            facts["error_message"] = facts["error_message"] and WITHHELD
            facts["error_type"] = answer.outcome.value
    for name, value in facts.items():
        if isinstance(value, str):
            facts[name] = _guarded(value, origin.secret)
    return _row(job, origin, **facts)


def _priced(prices: Prices, model: str, facts: dict[str, Any]) -> dict[str, Any]:
    """The cost by the operator's table, if the gateway stated none but counted the tokens."""
    cost = prices.cost(model, *(facts[name] for name in PRICED))
    return {} if cost is None else {"api_cost": cost, "cost_source": "price_table"}


def _judgement(judge: Callable[[Message], Judgement], message: Message) -> Judgement:
    try:
        return judge(message)
    except Exception as error:  # e.g. the operator's schema refers to what is not there
        return Judgement("fail", f"the judge failed: {type(error).__name__}: {error}")


def _named(answer: Answer) -> dict[str, Any]:
    """What the reply calls itself: `id`, `created` and `system_fingerprint`, where they are
    texts and a number."""
    head = answer.streamed.head if answer.streamed is not None else answer.body or {}
    name, backend = head.get("id"), head.get("system_fingerprint")
    return {
        "completion_id": name if isinstance(name, str) and name else None,
        "completion_created": whole_number(head.get("created")),
        "system_fingerprint": backend[:100] if isinstance(backend, str) and backend else None,
    }


def _provider(answer: Answer, wire: Wire) -> str | None:
    """The provider that answered, from a stream's chunks, the body or the headers, in that
    order.
    """
    streamed = answer.streamed.provider if answer.streamed is not None else None
    return streamed or provider(answer.body or {}, wire.headers)


def _stream_facts(streamed: StreamedReply, sent: float, origin: Origin) -> dict[str, Any]:
    facts = stream_timing.facts(streamed.token_times, sent, origin.stall_limit_s)
    return {**facts, "first_visible_s": _since(sent, streamed.first_visible)}


def _guarded(value: str, secret: str | Sequence[str]) -> str:
    """Text without the secrets (gateways echo them in errors), cut to the length of a row's
    text.
    """
    return redacted(value, secret)[:CONTENT_LIMIT_CHARS]
