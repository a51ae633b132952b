"""The row of a request that was sent: what came, how long it took, and what is odd about it."""

import json
import time
from collections.abc import Callable
from typing import Any

from recording.json_values import mapping, whole_number
from recording.outcome import Outcome
from recording.record import RequestRecord
from rules import stream_timing
from rules.prices import PRICED, Prices
from settings.options import WITHHELD
from tasks import answer_flags
from tasks.answer import Answer
from tasks.cancellation import facts as cancellation_facts
from tasks.error_bodies import wait_in_body
from tasks.headers import header_facts, odd_wait
from tasks.job import Job, Origin
from tasks.prompts import Judgement, Request
from tasks.provider import provider
from tasks.reply import Message
from tasks.row import guarded, row, since
from tasks.stated_overhead import odd_time, stated_times
from tasks.stream import StreamedReply
from tasks.usage import Usage, contradiction, cost_elsewhere, stated_usage, usage
from tasks.wire import Wire

_SPENT = "{} output tokens were spent and no visible word came: raise --max-tokens"


def answer_row(
    answer: Answer,
    request: Request,
    body: dict[str, Any],
    job: Job,
    origin: Origin,
    wire: Wire,
    trace_id: str | None,
) -> RequestRecord:
    """The row of an answer, or of the failure in its place. It holds no secret, and with
    --no-content no text.
    """
    message, done = answer.message, _done(wire)
    complete = answer.outcome in (Outcome.OK, Outcome.EMPTY)
    used = usage(
        answer.body or {},
        wire.headers,
        ok=complete,
        cost_field=origin.cost_field,
        currency=origin.currency,
    )
    flagged = _odd(answer, used, origin, wire, done)
    if answer.outcome is Outcome.EMPTY and answer_flags.spent(message, used):
        answer.outcome = Outcome.BUDGET_SPENT
        answer.error_message = _SPENT.format(used.get("completion_tokens") or "all")
    facts: dict[str, Any] = {
        "trace_id": trace_id,
        "max_tokens": body.get("max_completion_tokens", body.get("max_tokens")),
        **_outcome(answer),
        **_transfer(job, wire, done),
        **used,
        **header_facts(wire.headers),
        **stated_times(wire.headers),
        "provider": _provider(answer, wire),
    }
    if facts["retry_after_s"] is None and answer.outcome is Outcome.RATE_LIMITED:
        facts["retry_after_s"] = wait_in_body(answer.body or {}, time.time())
    abandoned = answer.outcome is Outcome.ABANDONED
    if origin.prices is not None and facts["api_cost"] is None and not abandoned:
        facts.update(_priced(origin.prices, job.model, facts))
    ok, judgement = answer.outcome is Outcome.OK, None
    if message is not None:
        facts |= _reply(message) | _named(answer)
        if request.marker is not None and complete:
            facts["marker_ok"] = (message.content or "").strip() == request.marker
        if ok and request.heard is not None:
            request.heard(message)
        if ok and request.judge is not None:
            judgement = _judgement(request.judge, message)
        flagged |= _message_flags(answer, message, used, request, body, job, origin.currency)
        if answer.streamed is not None and wire.sent is not None:
            timed = _stream_facts(answer.streamed, wire.sent, origin)
            facts |= timed
            if ok:
                flagged |= stream_timing.flags(timed, _streamed_tokens(used, message))
    if job.cancel is not None:
        cut_off = cancellation_facts(job.cancel, answer, stream=job.phase.stream)
        facts |= cut_off
        flagged = {} if cut_off else flagged  # what broke off is in no way odd
    if request.raw is not None:  # judged by the checks, from the bytes
        flagged = {}
    facts["check"], facts["check_detail"] = answer_flags.combined(judgement, flagged, request.place)
    if origin.mute:
        facts |= _without_content(facts, request, judgement, answered=wire.status is not None)
    for name, value in facts.items():
        if isinstance(value, str):
            facts[name] = guarded(value, origin.secret)
    return row(job, origin, **facts)


def _done(wire: Wire) -> float | None:
    """When the exchange was over: its last byte, else now; None: nothing was sent."""
    sent, last = wire.sent, wire.last_byte
    if last is None or (sent is not None and last < sent):
        return None if sent is None else wire.now()
    return last


def _odd(
    answer: Answer, used: Usage, origin: Origin, wire: Wire, done: float | None
) -> dict[str, str]:
    """What is odd about an answer's usage, cost and headers: each flag, and why."""
    body, odd = answer.body or {}, dict(answer.odd)
    if (twice := contradiction(body)) is not None:
        odd.setdefault("usage_twice", twice)
    complete = answer.outcome in (Outcome.OK, Outcome.EMPTY)
    unpriced = complete and used["api_cost"] is None
    if unpriced and (where := cost_elsewhere(body, origin.currency)) is not None:
        odd.setdefault("cost_elsewhere", where)
    if (wait := odd_wait(wire.headers)) is not None:
        odd["retry_after"] = wait
    if (stated_time := odd_time(wire.headers, since(wire.sent, done))) is not None:
        odd["stated_time"] = stated_time
    return odd


def _outcome(answer: Answer) -> dict[str, Any]:
    """How the request ended, and the gateway's words if it failed."""
    ok = answer.outcome is Outcome.OK
    failure = None if ok else answer.outcome.value
    return {
        "outcome": answer.outcome.value,
        "success": ok,
        "error_type": answer.error_type if answer.error_type is not None else failure,
        "error_message": answer.error_message,
    }


def _transfer(job: Job, wire: Wire, done: float | None) -> dict[str, Any]:
    """When the request was sent and answered, and over what connection."""
    return {
        "sent_offset_s": since(job.began, wire.sent),
        "done_offset_s": since(job.began, done),
        "send_lag_s": since(job.due, wire.sent),
        "http_status": wire.status,
        "elapsed_sec": since(wire.sent, done),
        "elapsed_from_due_s": since(job.due, done),
        "first_byte_s": since(wire.sent, wire.first_byte),
        "response_bytes": wire.body_bytes if wire.status else None,
        "connection_reused": wire.reused if wire.sent is not None else None,
        "connect_s": None if wire.connect_s is None else round(wire.connect_s, 6),
        "in_flight": job.in_flight,
        "refused_sends": job.refused_sends,
    }


def _reply(message: Message) -> dict[str, Any]:
    """What the reply says."""
    return {
        "model_returned": message.model,
        "finish_reason": message.finish_reason,
        "content": message.content,
        "reasoning_content_present": bool(message.reasoning),
        "reasoning_in_content": message.inner_reasoning is not None,
        "tool_calls": len(message.tool_calls),
    }


def _message_flags(
    answer: Answer,
    message: Message,
    used: Usage,
    request: Request,
    body: dict[str, Any],
    job: Job,
    currency: str,
) -> dict[str, str]:
    """What is odd about a reply: each flag, and why."""
    ok = answer.outcome is Outcome.OK
    flagged = answer_flags.flags(
        job.model,
        message,
        used,
        ok=ok,
        usage_said=stated_usage(answer.body or {}),
        currency=currency,
    )
    if job.phase.stream and "stream_options" not in body:
        flagged.pop("usage_missing", None)  # it was not asked for
    wordless = request.marker is not None and not message.content
    if ok and wordless and answer_flags.spent(message, used):
        flagged["budget_spent"] = _SPENT.format(used.get("completion_tokens") or "all")
    return flagged


def _streamed_tokens(used: Usage, message: Message) -> int | None:
    return stream_timing.streamed_tokens(
        used.get("completion_tokens"), used.get("reasoning_tokens"), bool(message.reasoning)
    )


def _without_content(
    facts: dict[str, Any], request: Request, judgement: Judgement | None, *, answered: bool
) -> dict[str, Any]:
    """The columns that --no-content changes: no text of a reply, and of its judgement numbers."""
    detail = {name: n for name, n in request.place.items() if isinstance(n, int)}
    if judgement is not None and judgement.counted:
        detail |= mapping(json.loads(judgement.detail))
    changed = {"content": None, "check_detail": json.dumps(detail) if detail else None}
    if answered and not facts["success"]:  # the gateway's words, or of them
        changed["error_message"] = facts["error_message"] and WITHHELD
        changed["error_type"] = facts["outcome"]
    return changed


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
    return {**facts, "first_visible_s": since(sent, streamed.first_visible)}
