"""What one process has learnt about a gateway: refused body fields, and how bodies are sent now.

Nothing is sent in advance: the plan's own requests show what is refused. A request that is refused
for a field is sent again at once without it, as the same request of the plan; all later ones are
sent that way.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gevent.event import Event

from loadshapes.phase import Phase
from recording.arms import GATEWAY
from recording.body_change import BodyChange
from recording.record import RequestRecord
from rules.refused_fields import refused_fields
from settings.body_profile import HEADER, BodyProfile, change, undecided
from settings.options import Options
from tasks.client import Client
from tasks.exchange import exchange
from tasks.job import Job, Origin
from tasks.prompts import Request, body

MOST_RESENDS = 6  # of a request; each takes a field away, and there are no more than these
ALONE_S = 2.0
"""The longest time other users of a closed loop wait for the first request's answer."""
ALONE_SHARE = 0.01  # of a window: its rate must not suffer for it
SAID_CHARS = 300


class Negotiation:
    """The body profile of each model. `tell` passes a change to the node that commands."""

    def __init__(
        self,
        options: Options,
        origin: Origin,
        tell: Callable[[BodyChange], None] = lambda change: None,
    ) -> None:
        self._options = options
        self._origin = origin
        self._tell = tell
        self._from_options = BodyProfile.of(options)
        self._ways: dict[tuple[str, str], BodyProfile] = {}  # by route and model
        self._known: set[tuple[str, bool]] = set()
        self._first: dict[tuple[str, bool], Event] = {}

    def of(self, model: str, arm: str = "") -> BodyProfile:
        """The current body profile of a model on one route."""
        return self._ways.get((arm, model), self._from_options)

    def adopt(self, changes: Iterable[BodyChange]) -> None:
        """Apply changes found by other processes or by an earlier attempt at the run."""
        for known in changes:
            self._ways[known.arm, known.model] = self.of(known.model, known.arm).after(known)

    def turn(self, phase: Phase) -> None:
        """Let the first request of a closed loop be sent alone until its answer is known.

        Not for longer than ALONE_S, nor than a hundredth of the phase's window. (Open loops and
        bursts keep their times: there a refused request is sent again, like any.)
        """
        kind = (phase.model, phase.stream)
        ways = self.of(phase.model, GATEWAY if phase.pairs else "")
        if kind in self._known or not undecided(ways, self._options):
            return
        first = self._first.get(kind)
        if first is None:
            self._first[kind] = Event()
            return
        window_s = phase.duration_s
        first.wait(ALONE_S if window_s is None else min(ALONE_S, ALONE_SHARE * window_s))

    def settle(self, phase: Phase) -> None:
        """A request of the phase has its last answer, or will get none."""
        kind = (phase.model, phase.stream)
        if kind not in self._known:
            self._known.add(kind)
            if (first := self._first.pop(kind, None)) is not None:
                first.set()

    def send(
        self,
        client: Client,
        request: Request,
        job: Job,
        halted: Callable[[], bool] = lambda: False,
    ) -> RequestRecord:
        """Send a request and return the record of its last answer. If refused for a field, it is
        sent again without it.

        If the phase is `halted` meanwhile, the refusal stands.
        """
        wire = client.wire
        body = self._body(job, request)
        due, first_sent = job.due, 0.0
        while True:
            client.task_header = self.of(job.model, job.arm).task_id == HEADER
            record = exchange(client, request, body, job, job.origin or self._origin)
            again = self._again(job, request, body, record)
            if again is None or halted():
                return record
            if not job.refused_sends:
                first_sent = wire.sent or 0.0
            body, job.refusal = again, None
            job.refused_sends += 1
            job.gate = _resent(wire.now, due, first_sent)

    def _body(self, job: Job, request: Request) -> dict[str, Any]:
        ways = self.of(job.model, job.arm)
        return body(job.phase, job.index, request, self._options, ways, job.model)

    def _again(
        self, job: Job, request: Request, sent: Mapping[str, Any], record: RequestRecord
    ) -> dict[str, Any] | None:
        """The body with which a refused request is sent again; None: its answer stands.

        Also None if the refusal was charged for: then only later requests change.
        """
        if job.refusal is None or job.refused_sends >= MOST_RESENDS:
            return None
        status, raw = job.refusal
        error = _read(raw)
        named = refused_fields(status, error, sent)
        if not named:
            return None
        model, own_traffic = job.model, bool(job.phase.traffic)
        for name in named:
            ways = self.of(model, job.arm)
            moved = change(name, ways, self._options, own_traffic)
            if moved is not None:
                body_change = BodyChange(
                    model=model,
                    field=name,
                    sent_as=moved[0],
                    to=moved[1],
                    status=status,
                    said=(record.error_message or "")[:SAID_CHARS],
                    phase=job.phase.name,
                    task_id=job.phase.task_id(job.index),
                    arm=job.arm,
                )
                self._ways[job.arm, model] = ways.after(body_change)
                self._tell(body_change)
        new = self._body(job, request)
        charged = bool(record.api_cost or record.total_tokens)
        return None if charged or any(name in new for name in named) else new


def _resent(
    clock: Callable[[], float], due: float | None, first_sent: float
) -> Callable[[Job], None]:
    """The gate of a request that is sent again: it opens at once.

    The time spent on refusals counts neither as the generator's lag nor as latency.
    """

    def gate(job: Job) -> None:
        job.moved_s = max(0.0, clock() - first_sent)
        job.due = None if due is None else due + job.moved_s

    return gate


def _read(raw: bytes) -> object:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return raw.decode("utf-8", "replace")
