"""Sends one request as a user would: plan, prompt, SDK client, exchange, record."""

import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gevent.ssl

from loadshapes.phase import Phase
from recording.record import RequestRecord, decode, encode
from rules.prices import Prices
from settings.access import Access
from settings.options import Options
from tasks.client import Client
from tasks.job import Job, Origin
from tasks.negotiation import Negotiation
from tasks.prompts import Request, marker
from tasks.route import Route, route
from tasks.wire import MOST_BYTES
from tests.builders import phase_of

KEY = "sk-canary-5b1e77f0c2"
OPTIONS = Options(mode="rpm", run_id="run", task_id_prefix="pre", same_prompts=True)


def phase(**changes: Any) -> Phase:
    fields: dict[str, Any] = {
        "name": "p",
        "mode": "rpm",
        "scenario": "chat",
        "model": "m",
        "kind": "steady",
        "request": "marker",
        "users": 1,
        "count": 1,
        "max_tokens": 16,
        "task_prefix": "pre-req-",
        **changes,
    }
    return phase_of(**fields)


class Sender:
    """One user: its client, and the requests it sends."""

    def __init__(
        self,
        base_url: str,
        *,
        timeout_s: float = 5.0,
        connect_timeout_s: float = 5.0,
        cold: bool = False,
        via: Route | None = None,
        key: str = KEY,
        mute: bool = False,
        prices: Prices | None = None,
        cost_field: str = "",
        access: Access | None = None,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self.key = key
        self.mute = mute
        self.prices = prices
        self.cost_field = cost_field
        self.negotiation: Negotiation | None = None
        self.client = Client(
            base_url,
            key,
            via or route(base_url),
            time.perf_counter,
            timeout_s=timeout_s,
            connect_timeout_s=connect_timeout_s,
            cold=cold,
            access=access,
            run_id="run",
            most_bytes=most_bytes,
        )

    def send(
        self,
        index: int = 0,
        *,
        gate: Callable[[], None] | None = None,
        due: float | None = None,
        request: Request | None = None,
        **changes: Any,
    ) -> RequestRecord:
        """Send one request of a phase with these changes; its record, as it can be written."""
        block = phase(**changes)

        def open_gate(job: Job) -> None:
            if gate is not None:
                gate()
            job.in_flight = 1

        job = Job(block, index, time.perf_counter(), due, open_gate)
        prompt = request or marker(block, index, OPTIONS)
        if self.negotiation is None:
            origin = Origin("run", "local", self.key, self.mute, self.prices, self.cost_field)
            self.negotiation = Negotiation(OPTIONS, origin)
        record = self.negotiation.send(self.client, prompt, job)
        decode(encode(record))  # whatever came back fits a row
        return record


@contextmanager
def sender(base_url: str, **how: Any) -> Iterator[Sender]:
    one_user = Sender(base_url, **how)
    try:
        yield one_user
    finally:
        one_user.client.close()


def send(base_url: str, *, how: dict[str, Any] | None = None, **changes: Any) -> RequestRecord:
    """Send one request of a phase with these changes; returns its record."""
    with sender(base_url, **(how or {})) as user:
        return user.send(**changes)


def tls_route(server: Any, host: str, trusted: Path | None) -> Route:
    """The route to a TLS server under that name, by these certificates alone."""
    context = gevent.ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if trusted is not None:
        context.load_verify_locations(trusted)
    return Route(host, server.port, context, None)
