"""Ends a process's share of a phase early: budget, HTTP 402, refusals, stop rule, its goal."""

from collections.abc import Callable

from engine.messages import OfRun, Tripped, WaitsForBudget
from engine.phase_share import PhaseShare, Run
from loadshapes.modes.capacity import NAME as CAPACITY
from loadshapes.phase import Phase
from recording.arms import REFERENCE
from recording.events import (
    BudgetSpent,
    PaymentRequired,
    Refused,
    RunTripped,
    Trip,
    Unpriced,
)
from recording.events import StopRule as StopRuleActed
from recording.outcome import ON_PURPOSE, Outcome
from recording.record import RequestRecord
from recording.untrusted_text import quoted
from rules.budget import USAGE_UNKNOWN_AFTER, Reservation
from rules.stop_rule import FEWEST, LONG_PHASE, Opening, StopRule, decide, scope
from settings.options import Options
from tasks.job import Job

PATIENT = 100
"""Of so many requests the stop rule judges a capacity trial: it goes beyond what the gateway bears,
and its objectives need their numbers."""


class Guard:
    """Watches over one share: halts it, and has the conductor end the run, by `tell`."""

    def __init__(self, share: PhaseShare, run: Run, tell: Callable[[OfRun], None]) -> None:
        self._share, self._run, self._tell = share, run, tell
        options, phase = run.options, share.phase
        # In a manual phase the person is the stop rule.
        on = options.stop_rule == "on" and phase.kind != "manual" and phase.stop_rule
        self._rule = _rule(options, phase) if on else None
        # What a refusal of every request alike may end, and the first requests of each.
        names = {"run": "", "model": phase.model, "mode": f"{phase.model} {phase.mode}"}
        # Each route has its own: a reference that refuses everything leaves nothing to compare.
        self._openings = {
            (arm, kind): run.openings.setdefault(f"{arm} {kind} {name}", Opening())
            for arm in sorted({phase.arm(index) for index in range(phase.routes)})
            for kind, name in names.items()
            if on
        }
        for opening in self._openings.values():
            opening.begin()
        for budget in share.budgets:  # answers that state nothing are counted over all phases
            budget.unbounded = run.unbounded.setdefault(budget.unit, {})

    def _trip(self, event: Trip, why: str, ends: str) -> None:
        """Tell the conductor that this share was halted, and what is to end with it."""
        self._tell(Tripped(self._run.origin.run_id, self._share.number, why, ends, event))

    def reserve(self, job: Job) -> None:
        """Set the request's worst case aside, waiting for what is in flight to free some.

        When nothing is in flight and it still does not fit, the budget is spent: the run ends.
        """
        share, phase, pace = self._share, job.phase, job.phase.pace
        prompt_tokens = float(job.prompt_tokens)
        if pace is not None and job.words is not None:
            prompt_tokens = pace.overhead_tokens + job.words * pace.tokens_per_word
        output = phase.max_tokens
        traffic = self._run.traffic if phase.traffic else None
        if traffic is not None:  # its lines differ: the largest is the worst case
            prompt_tokens = traffic.prompt_tokens_max
            output = max(output or 0, traffic.max_tokens_max)
        kind = (phase.model, phase.request)
        waited = False
        while not share.halted.is_set():
            reservations: list[Reservation] = []
            for budget in share.budgets:
                reservation = budget.reserve(kind, output, prompt_tokens)
                if reservation is None:
                    break
                reservations.append(reservation)
            else:
                share.reservations[job.index] = reservations
                return
            for taken_from, reservation in zip(share.budgets, reservations, strict=False):
                taken_from.reserved = max(0.0, taken_from.reserved - reservation.reserved)
            if not share.reservations:
                tight = share.budgets[len(reservations)]
                worst = tight.worst(kind, output, prompt_tokens)
                self._end_run(
                    BudgetSpent,
                    f"the budget is spent: of the {tight.unit} dealt to this generator "
                    f"{tight.remaining:.6g} is left, and the next request may need "
                    f"{worst or tight.remaining:.6g}",
                )
                return
            if not share.waited_for_budget:
                self._tell(WaitsForBudget(self._run.origin.run_id, share.number))
            share.waited_for_budget += not waited
            waited = True
            share.settled.clear()
            share.settled.wait()

    def settle(self, job: Job, record: RequestRecord) -> None:
        """Replace the reservation with the actual use; HTTP 402 ends the run."""
        share = self._share
        for budget, reservation in zip(
            share.budgets, share.reservations.pop(job.index, ()), strict=False
        ):
            budget.settle(reservation, record)
            if budget.usage_unknown:
                self._end_run(
                    Unpriced,
                    f"the first {USAGE_UNKNOWN_AFTER} answers state no {budget.unit}, so a "
                    "budget of it cannot be kept: give --prices, or limit --budget-tokens",
                )
        share.settled.set()
        if record.outcome == Outcome.PAYMENT_REQUIRED and job.arm != REFERENCE:
            self._end_run(PaymentRequired, "the gateway wants payment (HTTP 402)")

    def sent(self, job: Job) -> None:
        """A request leaves now."""
        for opening in self._openings_of(job).values():
            opening.sent(job.task)

    def _openings_of(self, job: Job) -> dict[str, Opening]:
        """Those of the route that a request takes, by what they end."""
        return {kind: one for (arm, kind), one in self._openings.items() if arm == job.arm}

    def meet(self, job: Job, record: RequestRecord) -> None:
        """A sent request has ended: end what it opens, where all of it is refused alike."""
        openings = self._openings_of(job)
        if not openings:
            return
        if record.outcome in ON_PURPOSE:
            for opening in openings.values():
                opening.forget(job.task)
            return
        outcome, status = record.outcome, record.http_status
        kind, phase = scope(outcome, status), self._share.phase
        counts = {
            name: opening.ended(job.task, outcome, status, bool(phase.traffic))
            for name, opening in openings.items()
        }
        silent = False
        if job.arm != REFERENCE:
            at_s = self._share.began + (record.done_offset_s or 0.0)
            silent = self._run.silence.add(outcome, status, at_s)
        if self._share.halted.is_set() or not (counts[kind] or silent):
            return
        count = counts[kind] or self._run.silence.count
        which = "first" if counts[kind] else "last"
        causes = ", ".join(
            [outcome, *([] if status is None else [f"HTTP {status}"])]
            + ([f'"{quoted(record.error_message)}"'] if record.error_message else [])
        )
        why = f"the {which} {count} requests all ended in the same refusal ({causes})"
        if job.arm == REFERENCE:
            why = (
                f"the first {count} requests to the reference all ended in the same refusal "
                f"({causes})"
            )
        self._share.halt(why)
        evidence = Refused(
            ends=kind,
            which=which,
            counted=count,
            outcome=outcome,
            http_status=status,
            words=record.error_message,
            arm=job.arm or None,
        )
        self._trip(evidence, why, kind)

    def watch(self, record: RequestRecord) -> None:
        """A sent request has ended: halt the share if that is what it is after, or by the rule.

        Of requests drawn to be cancelled only failures are left: they have no say in the rule.
        """
        share, rule, outcome = self._share, self._rule, record.outcome
        if outcome == share.phase.ends_on:
            share.ends += 1
            if share.ends >= share.phase.ends_after:
                share.halt(f"the phase ends on {outcome}")
            return  # what a phase is after is no reason to stop it
        if rule is None or share.halted.is_set() or record.cancel_after is not None:
            return
        share.recent.append(outcome)
        if len(share.recent) > rule.look_back:
            share.recent.popleft()
        if outcome == Outcome.OK and len(share.recent) > FEWEST:
            return  # it can only lower the share of failures
        verdict = decide(list(share.recent), rule)
        if verdict.stop:
            share.halt("the stop rule ended the phase")
            outcomes = ", ".join(f"{n} {name}" for name, n in verdict.outcomes.items())
            why = (
                f"the stop rule acted: {verdict.counted} of the last {verdict.completed} requests "
                f"failed ({outcomes})"
            )
            evidence = StopRuleActed(
                counted=verdict.counted, completed=verdict.completed, outcomes=verdict.outcomes
            )
            self._trip(evidence, why, "phase")

    def _end_run(self, event: type[RunTripped], why: str) -> None:
        """Halt this share and have the conductor end the run."""
        share = self._share
        if share.halted.is_set():
            return
        share.halt(why)
        budgets = tuple(budget.as_dict() for budget in share.budgets) or None
        self._trip(event(budgets=budgets), why, "run")


def _rule(options: Options, phase: Phase) -> StopRule:
    """A capacity trial is judged by its objectives: only what is surely broken ends it early."""
    window = options.stop_window if phase.mode != CAPACITY else max(options.stop_window, PATIENT)
    return StopRule(options.stop_error_rate, window, phase.count or LONG_PHASE)
