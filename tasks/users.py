"""Locust users: each has one connection, takes jobs, and fires one event per request."""

import logging
import os
import sys
from functools import partial
from typing import Any

from locust import User, task
from locust.exception import StopUser
from locust.user.task import LOCUST_STATE_STOPPING

from loadshapes.modes.compat import REQUEST
from recording.arms import REFERENCE
from recording.chinese import asked_language, in_language
from recording.outcome import ON_PURPOSE, Outcome
from recording.record import RequestRecord
from recording.untrusted_text import printable
from rules.stop_rule import pause_s
from settings.endpoint import Endpoint
from tasks.builders import build
from tasks.client import Client
from tasks.conversation import Conversation, begin
from tasks.exchange import exchange_raw
from tasks.job import Job
from tasks.jobs import JobSource, RunOfUsers
from tasks.prompts import Request
from tasks.route import Route

log = logging.getLogger("weighbridge")


class RequestFailed(Exception):
    """A failure in Locust's own statistics: the outcome and the HTTP status."""


class GatewayUser(User):
    """Waits for jobs from the generator and sends each through the SDK."""

    # Set once per process, before users are made (locustfile.py).
    generator: JobSource
    endpoint: Endpoint
    route: Route
    reference: Endpoint | None = None  # of --against
    reference_route: Route | None = None
    set_up = False  # whether the locustfile, without which nothing is sent, has been loaded

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        if not self.set_up:
            why = (
                "this locustfile uses GatewayUser without the rest: import it from "
                "weighbridge.users (docs/how-to/own-locustfile.md)."
            )
            sentence = in_language(why, asked_language(sys.argv[1:], os.environ))
            print(f"weighbridge: {sentence}", file=sys.stderr, flush=True)
            sys.exit(2)
        run = self.generator.run if hasattr(self, "generator") else None
        if run is None:
            raise StopUser  # the run could not begin; its end is on the way
        self.options = run.options
        self.parked = False
        self.failures = 0  # in a row
        self.talk: Conversation | None = None
        self.client = self._client(self.endpoint, self.route)
        self.compared: Client | None = None
        if self.reference is not None and self.reference_route is not None:
            self.compared = self._client(self.reference, self.reference_route)

    def _client(self, endpoint: Endpoint, route: Route) -> Client:
        return Client(
            endpoint.base_url,
            endpoint.key,
            route,
            self.generator.clock,
            timeout_s=self.options.timeout,
            connect_timeout_s=self.options.connect_timeout,
            cold=self.options.connections == "cold",
            access=endpoint.access,
            run_id=self.options.run_id,
            most_bytes=round(self.options.max_reply_mb * 1e6),
        )

    @task
    def serve(self) -> None:
        """Take jobs until the run is over."""
        while True:
            self.parked = True
            job = self.generator.take()
            self.parked = False
            if job is None:
                raise StopUser
            while job is not None:  # it, then the other one of its pair
                partner = job.partner
                try:
                    record = self._serve(job)
                    if record is not None and job.phase.kind == "manual":
                        self._brake(record)
                    job, partner = partner, None
                finally:
                    if partner is not None:
                        self.generator.abandon(partner, "its user was stopped before it was sent")

    def _serve(self, job: Job) -> RequestRecord | None:
        """Send one request and return its record, or None if a bug of ours left none. Raises
        StopUser.
        """
        try:
            record = self._send(job)
        except Exception:  # a bug of ours must not keep the phase from ending
            log.exception("request %s was not recorded", job.phase.task_id(job.index))
            self.generator.abandon(job)
            return None
        self.generator.finish(job, record)
        self.parked = True  # nothing of ours is in flight: it may be stopped at once
        self.after(record)
        self.parked = False
        if record.outcome == Outcome.CANCELLED or self._state == LOCUST_STATE_STOPPING:
            raise StopUser
        return record

    def _brake(self, record: RequestRecord) -> None:
        """In a phase without a plan, rest after a failure: otherwise a refusing gateway would
        get requests as fast as this machine can send them.
        """
        if record.outcome in ON_PURPOSE:
            return
        self.failures = 0 if record.success else self.failures + 1
        self.parked = True  # Locust may stop it at once
        self.generator.rest(pause_s(self.failures, record.retry_after_s))
        self.parked = False

    def after(self, record: RequestRecord) -> None:
        """Called when a request has ended; your own class may wait here, or inspect the record.

        It does nothing by default. In modes with due times, a waiting user is missing from the
        plan.
        """

    def stop(self, force: bool = False) -> bool:
        """Locust wants fewer users: a parked user stops at once, a busy one after its request.

        Without --stop-timeout Locust forces it, and a request in flight is `cancelled`.
        """
        stopped: bool = super().stop(force=force or self.parked)
        return stopped

    def on_stop(self) -> None:
        """Close the connections."""
        for client in (self.client, self.compared):
            if client is not None:
                client.close()

    def _send(self, job: Job) -> RequestRecord:
        run = self.generator.run
        assert run is not None
        client = self.client
        if job.arm == REFERENCE:
            assert self.compared is not None
            client = self.compared
        if job.phase.request == REQUEST:
            record = exchange_raw(client, self._request(job, run), job)
        else:
            record = self._negotiated(client, job, run)
        if record.outcome == Outcome.DROPPED:
            if job.phase.count is not None:  # else nothing was planned that could be dropped
                self.generator.keep(record)
        else:
            self._fire(record)
        return record

    def _negotiated(self, client: Client, job: Job, run: RunOfUsers) -> RequestRecord:
        """Send it in the form that the gateway accepts, as learnt from its refusals."""
        if job.due is None:
            run.negotiation.turn(job.phase)
        try:
            request = self._request(job, run)
            halted = partial(getattr, self.generator, "halted")
            return run.negotiation.send(client, request, job, halted)
        finally:
            run.negotiation.settle(job.phase)

    def _request(self, job: Job, run: RunOfUsers) -> Request:
        """The job's request: in traffic with conversations, the next turn of the user's
        conversation.
        """
        traffic, phase = run.traffic, job.phase
        if not phase.traffic or traffic is None or not traffic.conversations:
            return build(phase, job.number, run.options, job.words, traffic)
        if self.talk is None or self.talk.over or self.talk.phase is not phase:
            self.talk = begin(traffic.lines[next(run.deal) % len(traffic.lines)], phase)
        return self.talk.turn()

    @staticmethod
    def _kind(record: RequestRecord) -> str:
        """The line in Locust's own table; cancelled requests have their own, as they have no
        answer time.
        """
        kind = "STREAM" if record.stream else "CHAT"
        return f"{kind}, cancelled" if record.outcome in ON_PURPOSE else kind

    def _fire(self, record: RequestRecord) -> None:
        failure = None
        if not record.success and record.outcome not in ON_PURPOSE:
            status = "" if record.http_status is None else f" (HTTP {record.http_status})"
            failure = RequestFailed(f"{record.outcome}{status}")
        self.environment.events.request.fire(
            request_type=self._kind(record),
            name=printable(record.phase),
            response_time=(record.elapsed_sec or 0.0) * 1000,  # Locust counts milliseconds
            response_length=record.response_bytes or 0,
            exception=failure,
            context={"record": record},
        )
