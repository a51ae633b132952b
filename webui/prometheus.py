"""Metrics for Prometheus during a run (`--metrics-port`), counted record by record.

The commanding node serves them, as it also sees the records of its workers. A new run starts at
zero, which Prometheus takes as a counter's reset. An unknown value has no time series: it is not 0.
Phases after the first MOST_PHASES share the name `(more)`, so that no plan floods Prometheus.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

import gevent
from gevent.pywsgi import WSGIServer
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Metric,
    disable_created_metrics,
    generate_latest,
)

from recording.errors import OperatorError
from recording.events import Event, WorkerBack, WorkerLost
from recording.not_sent import Unsent
from recording.outcome import Outcome
from recording.record import RequestRecord

MOST_PHASES = 100
MORE = "(more)"
LATENCIES_S = (0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4, 5, 7.5, 10, 15, 20, 30, 45, 60, 120)
LAGS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5)
TOKENS = ("prompt", "completion", "cached", "reasoning")
PHASE = ("phase", "model")
PIECE_SAMPLES = 50  # written before requests get the CPU again: about a millisecond


class Watched(Protocol):
    """What this needs of a session: its options and plan, and its lists of listeners.

    `on_unsent` hear of what is not sent, `decided` of each phase that a program plans on the way,
    `noted` of each event.
    """

    options: Any
    endpoint: Any
    plan: Any
    watchers: list[Callable[[RequestRecord], None]]
    on_unsent: list[Callable[[Unsent], None]]
    decided: list[Callable[[Any], None]]
    noted: list[Callable[[Event], None]]
    tariff: Any


class Metrics:
    """The time series of the current or last run. `in_flight` counts requests under way."""

    def __init__(self, in_flight: Callable[[], int]) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self._requests = self._family(
            Counter,
            "requests",
            "planned requests by outcome, including those never sent (dropped)",
            (*PHASE, "outcome"),
        )
        self._planned = self._family(
            Gauge, "planned_requests", "requests that a phase plans, if it counts them", PHASE
        )
        self._latency = self._family(
            Histogram,
            "latency_seconds",
            "send to last byte, successes only",
            PHASE,
            buckets=LATENCIES_S,
        )
        self._ttft = self._family(
            Histogram,
            "ttft_seconds",
            "send to first token, reasoning or visible, streams only",
            PHASE,
            buckets=LATENCIES_S,
        )
        self._lag = self._family(
            Histogram,
            "send_lag_seconds",
            "sent - due: the generator's own lateness",
            PHASE,
            buckets=LAGS_S,
        )
        self._tokens = self._family(
            Counter, "tokens", "tokens of successes, as usage states them", (*PHASE, "kind")
        )
        self._cost = self._family(
            Counter,
            "cost",
            "what the gateway says it charged, in the currency of the label",
            (*PHASE, "currency"),
        )
        self._unknown = self._family(
            Counter, "cost_unknown_requests", "requests sent whose cost was not stated", PHASE
        )
        self._run = self._family(
            Gauge,
            "run_info",
            "always 1; labels the current or last run",
            ("run_id", "mode", "gateway", "simulated"),
        )
        self._lost_workers = self._family(
            Gauge, "lost_workers", "workers of the run that were lost and have not come back", ()
        )
        self._lost = set[str]()
        flying = self._family(Gauge, "in_flight_requests", "requests under way now", ())
        flying.set_function(in_flight)
        self._names: set[str] = set()
        self._currency = ""
        self._children: dict[tuple[object, ...], Any] = {}

    def _family(self, kind: Any, name: str, text: str, labels: tuple[str, ...], **more: Any) -> Any:
        return kind(name, text, labels, namespace="weighbridge", registry=self.registry, **more)

    def watch(self, session: Watched) -> None:
        """Counts this run from now on, starting at zero."""
        for family in (self._requests, self._planned, self._latency, self._ttft, self._lag,
                       self._tokens, self._cost, self._unknown, self._run):  # fmt: skip
            family.clear()
        self._children.clear()
        options, endpoint, phases = session.options, session.endpoint, session.plan.phases
        self._currency = session.tariff.currency or ""
        simulated = str(endpoint.simulated).lower()
        self._run.labels(options.run_id, options.mode, endpoint.masked_url, simulated).set(1)
        self._names.clear()
        for phase in phases:
            self.plan(phase)
        session.watchers.append(self.add)
        session.decided.append(self.plan)
        session.on_unsent.append(self.leave)
        session.noted.append(self.note)
        self._lost.clear()
        self._lost_workers.set(0)

    def plan(self, phase: Any) -> None:
        """Adds a planned phase; a program decides its phases one by one."""
        if len(self._names) < MOST_PHASES:
            self._names.add(phase.name)
        if phase.count is not None:
            self._planned.labels(*self._labels(phase.name, phase.model)).inc(phase.count)

    def add(self, record: RequestRecord) -> None:
        """Counts one record."""
        place = self._labels(record.phase, record.model_requested)
        self._line(self._requests, place, record.outcome).inc()
        if record.outcome == Outcome.DROPPED:
            return
        if record.send_lag_s is not None:
            self._line(self._lag, place).observe(max(0.0, record.send_lag_s))
        if record.api_cost is None:
            self._line(self._unknown, place).inc()
        else:
            self._line(self._cost, place, self._currency).inc(max(0.0, record.api_cost))
        if not record.success or record.cancel_after is not None:
            return
        if record.elapsed_sec is not None:
            self._line(self._latency, place).observe(record.elapsed_sec)
        if record.ttft_s is not None:
            self._line(self._ttft, place).observe(record.ttft_s)
        for kind in TOKENS:
            tokens = getattr(record, f"{kind}_tokens")
            if tokens is not None:
                self._line(self._tokens, place, kind).inc(max(0, tokens))

    def leave(self, unsent: Unsent) -> None:
        """Counts what was planned and not sent."""
        place = self._labels(unsent.phase, unsent.model)
        self._line(self._requests, place, Outcome.DROPPED.value).inc(unsent.count)

    def note(self, event: Event) -> None:
        """Counts the workers that are lost."""
        match event:
            case WorkerLost():
                self._lost.add(event.worker or "")
            case WorkerBack():
                self._lost.discard(event.worker or "")
        self._lost_workers.set(len(self._lost))

    def _labels(self, phase: str, model: str) -> tuple[str, str]:
        return (phase, model) if phase in self._names else (MORE, MORE)

    def _line(self, family: Any, place: tuple[str, str], *label: str) -> Any:
        """A time series, cached: prometheus_client's own lookup is slower."""
        key = (id(family), place, *label)
        line = self._children.get(key)
        if line is None:
            line = self._children[key] = family.labels(*place, *label)
        return line

    def answer(self, environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        """Answers a scrape (WSGI) with the text of GET /metrics, piece by piece."""
        known = environ["REQUEST_METHOD"] == "GET" and environ["PATH_INFO"] == "/metrics"
        kind = CONTENT_TYPE_LATEST if known else "text/plain; charset=utf-8"
        start_response("200 OK" if known else "404 Not Found", [("Content-Type", kind)])
        if not known:
            yield b"The metrics are at /metrics.\n"
            return
        for family in self.registry.collect():
            for piece in _pieces(family):
                yield piece
                gevent.sleep(0.001)  # a long text must not delay requests


def _pieces(family: Metric) -> Iterator[bytes]:
    """The text of a metric family: its two comment lines, then its samples in batches."""
    for begin in range(0, max(1, len(family.samples)), PIECE_SAMPLES):
        batch = Metric(family.name, family.documentation, family.type)
        batch.samples = family.samples[begin : begin + PIECE_SAMPLES]
        text = generate_latest(_One(batch))
        yield text.split(b"\n", 2)[2] if begin else text


class _One(CollectorRegistry):
    """A registry with one family that was already collected."""

    def __init__(self, family: Metric) -> None:
        super().__init__()
        self._family = family

    def collect(self) -> Iterable[Metric]:
        """The family."""
        return [self._family]


def serve(metrics: Metrics, host: str, port: int) -> WSGIServer:
    """Answers scrapes at http://host:port/metrics until the process ends. Raises OperatorError."""
    server = WSGIServer((host, port), metrics.answer, log=None, error_log=None)
    try:
        server.start()
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise OperatorError(
            f"--metrics-port {port} of {host} cannot be opened ({why}): "
            "give another port or another --metrics-host."
        ) from None
    return server
