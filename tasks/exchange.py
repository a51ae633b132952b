"""One measured exchange: sends a request through the SDK and always returns a record."""

import json
import logging
from dataclasses import replace
from math import inf
from typing import Any

import gevent
import openai

from recording.outcome import Outcome, of_status
from recording.record import RequestRecord
from tasks.answer import Answer, broken, plain, refused, streamed
from tasks.answer_row import answer_row
from tasks.cancellation import prepare
from tasks.client import Client
from tasks.job import Job, Origin
from tasks.prompts import Request
from tasks.raw_exchange import send_raw
from tasks.row import planned_only, unread
from tasks.transport_failure import NotSent, WireError

_BROKEN = (
    Outcome.CONNECTION_RESET, Outcome.TIMEOUT_TOTAL, Outcome.MALFORMED, Outcome.REPLY_TOO_LARGE
)  # fmt: skip
log = logging.getLogger("weighbridge")


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
        return answer_row(answer, request, body, job, origin, wire, trace_id)
    except NotSent as why:
        return planned_only(job, origin, f"{why}" or "the run or the window was over")
    except Exception as error:  # not one of those that a gateway can cause
        log.exception("a fault in Weighbridge itself, at %s", job.phase.task_id(job.index))
        return unread(job, origin, wire, error)
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
