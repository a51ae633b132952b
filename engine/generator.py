"""Runs one process's share of a phase: hands each request to an idle user before its due time.

Users park here (`take`). When a phase starts, a dispatcher walks this process's stripe of the plan
and gives every index to the user that parked last, `LEAD_S` before it is due, so that the SDK's
work is done by then; the user's wire then waits at the job's gate. Requests that cannot be sent in
time are recorded as dropped. This module does not depend on Locust.
"""

import contextlib
import gc
import logging
from collections.abc import Callable, Sequence
from itertools import count

import gevent
from gevent.event import AsyncResult
from gevent.queue import Empty, LifoQueue

from engine.budget import opened
from engine.loop_lag import PROBE_S
from engine.messages import OfRun, Tripped
from engine.phase_share import PhaseShare, Run
from engine.stopping import Guard
from recording.arms import REFERENCE
from recording.events import Unwritable
from recording.record import RequestRecord
from rules.budget import DealtBudget
from tasks.job import Job
from tasks.row import planned_only
from tasks.transport_failure import NotSent

LEAD_S = 0.25  # time to build a request and, where needed, to open its connection
HALT_CHECK_S = 0.2
STOOD_STILL_S = 15.0  # the conductor's LOST_WAIT_S

log = logging.getLogger("weighbridge")


class Generator:
    """The load generator of one process. Times are the injected monotonic clock's seconds.

    `keep` records a row that is no request of Locust's (a dropped one); `tell` sends a message to
    the conductor.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        keep: Callable[[RequestRecord], None],
        tell: Callable[[OfRun], None],
    ) -> None:
        self.clock = clock
        self.run: Run | None = None
        self.in_flight = 0
        self.keep = keep
        self._tell = tell
        self._idle: LifoQueue[AsyncResult[Job | None]] = LifoQueue()
        self._busy: dict[tuple[str, int], gevent.Greenlet[..., None]] = {}
        self._share: PhaseShare | None = None
        self._closed = False
        self._guard: Guard | None = None
        self._running: gevent.Greenlet[..., None] | None = None

    # ---- the users' side

    def take(self) -> Job | None:
        """Park until there is a job; None: the run is over."""
        if self._closed:
            return None
        inbox: AsyncResult[Job | None] = AsyncResult()
        self._idle.put(inbox)
        try:
            job: Job | None = inbox.get()
        except gevent.GreenletExit:  # Locust stops this user: fewer are wanted
            self._leave(inbox)
            raise
        member = job
        while member is not None:
            self._busy[member.task] = gevent.getcurrent()
            member = member.partner
        return job

    def _leave(self, inbox: "AsyncResult[Job | None]") -> None:
        """A parked user leaves: its inbox may get no more jobs, and a job already there must not
        be lost.
        """
        if inbox in self._idle.queue:
            self._idle.queue.remove(inbox)
        elif inbox.ready():
            job = inbox.value
            while job is not None:
                self.abandon(job, "its user was stopped before it was sent")
                job = job.partner

    def finish(self, job: Job, record: RequestRecord) -> None:
        """A taken job has ended with this record."""
        share, run = self._share, self.run
        self._busy.pop(job.task, None)
        if run is not None and run.in_flight is not None and job.origin is run.origin:
            run.in_flight.ended(*job.task)
        if job.in_flight is not None:
            self.in_flight -= 1
        if share is None or self._guard is None or job.phase is not share.phase:
            return
        self._guard.settle(job, record)
        compared = job.arm == REFERENCE
        if job.in_flight is None:
            share.dropped += 1
        else:
            share.sent += 1
            self._guard.meet(job, record)
            if not compared:  # the gateway is what the stop rule judges
                self._guard.watch(record)
        if share.pacer is not None and not compared:
            share.pacer.done(job.number, record.success, record.total_tokens, record.elapsed_sec)
        share.outstanding -= 1
        if job.partner is None:
            share.free.release()

    def abandon(self, job: Job, why: str = "") -> None:
        """A taken job produced no record, usually because of a fault in Weighbridge. The row
        says so.
        """
        assert self.run is not None
        why = why or "an error of the load generator: see its log"
        if job.in_flight is not None:
            self.in_flight -= 1
            job.in_flight = None
        record = planned_only(job, job.origin or self.run.origin, why)
        self.keep(record)
        self.finish(job, record)

    def rest(self, longest_s: float) -> None:
        """Let a user wait, at most this long; the end of the phase wakes it."""
        if self._share is not None:
            self._share.halted.wait(longest_s)

    @property
    def halted(self) -> bool:
        """Whether nothing more may be sent of the phase that runs."""
        return self._share is None or self._share.halted.is_set()

    @property
    def parked(self) -> int:
        """The number of users waiting for a job."""
        waiting: int = self._idle.qsize()
        return waiting

    # ---- the conductor's side

    def open(self, run: Run) -> None:
        """Take part in a run."""
        self.run = run
        self._closed = False

    def close(self, wait_s: float) -> None:
        """End the run: send no more, wait for what is in flight, then cancel what is left.

        Nothing of it keeps running afterwards: the process is free for the next run.
        """
        self._closed = True
        self.halt("the run was stopped")
        deadline = self.clock() + wait_s
        while (self._busy or self._share) and self.clock() < deadline:
            gevent.sleep(0.02)
        with contextlib.suppress(gevent.Timeout):  # killall raises it where one does not end
            gevent.killall(list(self._busy.values()), timeout=1.0)
        if self._running is not None:
            self._running.kill(timeout=1.0)
        gc.unfreeze()
        if self.run is not None and self.run.in_flight is not None:
            self.run.in_flight.close()
        self.release()

    def release(self) -> None:
        """Let every parked user go home."""
        while True:
            try:
                self._idle.get_nowait().set(None)
            except Empty:
                return

    def start(
        self, number: int, began: float, slot: int, slots: int, budgets: Sequence[DealtBudget] = ()
    ) -> None:
        """Run this process's share of phase `number`, in the background; it may spend `budgets`."""
        assert self.run is not None
        if self._closed:  # the run was stopped while this message was on its way
            return
        # keep the collector from scanning existing objects: that would block the loop for 130 ms
        gc.freeze()
        phase = self.run.phases[number]
        self.run.deal = count(slot, slots)
        prices = self.run.origin.prices
        budget = opened(budgets, prices)
        self._share = PhaseShare(self.run, number, phase, began, slot, slots, budgets=budget)
        self._guard = Guard(self._share, self.run, self._tell)
        self._running = gevent.spawn(self._run_share, self._share)

    def halt(self, why: str) -> None:
        """Send nothing more of the running phase; the rest of it is dropped."""
        if self._share is not None:
            self._share.halt(why)

    def enough(self, number: int) -> None:
        """Begin no further request of phase `number`, which ends as it was meant to."""
        if self._share is not None and self._share.number == number:
            self._share.enough = True

    def fail(self, why: str) -> None:
        """Halt this process's share and have the run ended: its rows cannot be written."""
        share = self._share
        if share is not None and share.halted_why != why:
            self.halt(why)
            share.halted_why = why
            run_id = share.run.origin.run_id
            self._tell(Tripped(run_id, share.number, why, "run", Unwritable()))

    # ---- inside

    def _run_share(self, share: PhaseShare) -> None:
        watchdog = gevent.spawn(self._watch_loop, share)
        try:
            if not share.phase.schedule.open_loop:
                self._keep_busy(share)
            else:
                if share.phase.kind == "burst":
                    gevent.spawn(self._release, share)
                self._dispatch(share)
            while share.outstanding:
                gevent.sleep(0.01)
        except Exception:
            log.exception("phase %s failed on this generator", share.phase.name)
        finally:
            watchdog.kill()
            if self._share is share:
                self._share = None
            self._tell(share.done())

    def _release(self, share: PhaseShare) -> None:
        """Release a burst at its start time."""
        self._wait(share, share.began)
        share.released.set()

    def _dispatch(self, share: PhaseShare) -> None:
        """Open loop, and bursts: each index at its due time, whatever the gateway does."""
        phase, closing, sized = share.phase, None, dict[int, int]()
        if phase.duration_s is not None:
            closing = share.began + phase.duration_s + share.run.options.grace_s
        for index, *more in phase.handed_out(share.slot, share.slots):
            due = share.began + (phase.due_s(index) or 0.0)
            self._wait(share, due - LEAD_S)
            if share.enough and index % phase.routes == 0:
                return
            inbox = None if share.halted.is_set() else self._user(share, closing)
            if inbox is None:
                why = share.halted_why or "no user was free before the window's grace was over"
                share.leave(index, why)
                return
            job = self._job(share, index, due, closing, more)
            if share.pacer is not None:  # both of a pair have one length
                job.words = sized.pop(job.number, None) or share.pacer.size(job.number)
                if phase.pairs and index % 2 == 0:
                    sized[job.number] = job.words
            share.outstanding += 1 + len(more)
            inbox.set(job)

    def _keep_busy(self, share: PhaseShare) -> None:
        """Closed loop: a new request whenever a user is free, until count or time is reached."""
        phase = share.phase
        closing = None if phase.duration_s is None else share.began + phase.duration_s
        self._wait(share, share.began)
        for index, *more in phase.handed_out(share.slot, share.slots):
            inbox = None if share.halted.is_set() else self._user(share, closing)
            if share.enough:
                if inbox is not None:
                    self._idle.put(inbox)  # it waits for the next phase
                return
            if inbox is None:
                if phase.count is not None:
                    over = "the phase was over before a user was free"
                    share.leave(index, share.halted_why or over)
                return
            share.outstanding += 1 + len(more)
            inbox.set(self._job(share, index, None, closing, more))

    def _job(
        self,
        share: PhaseShare,
        index: int,
        due: float | None,
        closing: float | None,
        more: Sequence[int] = (),
    ) -> Job:
        """The job of one request; `more` are those that its user sends after it."""
        guard = self._guard
        assert guard is not None
        partner = self._job(share, more[0], None, None, more[1:]) if more else None

        def gate(job: Job) -> None:
            if share.phase.kind == "burst":
                # One event wakes them all; a timer for each would spread a burst by its cost.
                share.released.wait()
            elif due is not None:
                self._wait(share, due)
            if share.budgets:
                guard.reserve(job)
            if share.halted.is_set():
                raise NotSent(share.halted_why)
            if closing is not None and self.clock() >= closing:
                raise NotSent("the window was over before it could be sent")
            guard.sent(job)
            if share.run.in_flight is not None:
                share.run.in_flight.sent(*job.task)
            self.in_flight += 1
            job.in_flight = self.in_flight

        phase, run = share.phase, share.run
        model = run.models.get(phase.model, "") if phase.arm(index) == REFERENCE else ""
        return Job(
            phase, index, share.began, due, gate, origin=run.origin, model=model, partner=partner
        )

    def _wait(self, share: PhaseShare, until: float) -> None:
        """Sleep until a clock time, or until the phase is halted."""
        left_s = until - self.clock()
        if left_s > 0:
            share.halted.wait(left_s)

    def _user(self, share: PhaseShare, closing: float | None) -> "AsyncResult[Job | None] | None":
        """An idle user's inbox, as soon as one is free; None: not before `closing`, or halted."""
        while not share.halted.is_set():
            left_s = HALT_CHECK_S if closing is None else closing - self.clock()
            if left_s <= 0:
                return None
            if not share.free.acquire(timeout=min(left_s, HALT_CHECK_S)):
                continue
            try:
                return self._idle.get(timeout=min(left_s, HALT_CHECK_S))
            except Empty:
                share.free.release()
        return None

    def _watch_loop(self, share: PhaseShare) -> None:
        """Measure the lag of this process's event loop, which is part of every latency."""
        while True:
            before_s = self.clock()
            gevent.sleep(PROBE_S)
            late_s = self.clock() - before_s - PROBE_S
            if before_s >= share.began:  # before, nothing was measured
                share.lag.add(late_s)
            if late_s > STOOD_STILL_S:
                # The conductor has given this process up: sending now would send twice.
                self.halt(f"this process stood still for {late_s:.0f} s")
