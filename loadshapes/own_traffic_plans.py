"""Plans that send the operator's own traffic: mode replay, and `--prompts` in other modes."""

import logging
from dataclasses import replace
from datetime import datetime

from loadshapes.own_traffic.file import read
from loadshapes.own_traffic.trace import LONGEST_S, due_times_s, window_s
from loadshapes.own_traffic.trace_slice import LONG_SILENCE_S, Slice, lasting
from loadshapes.own_traffic.traffic import Traffic, undecided
from loadshapes.phase import Phase
from loadshapes.plan import Plan
from loadshapes.program import Program, changed
from loadshapes.schedule import At
from recording.errors import OperatorError
from recording.row_notes import Notes
from settings.options import Options

log = logging.getLogger("weighbridge")


def replay(options: Options) -> Plan:
    """A trace at its own times, open-loop: to `--model`, or to the one model that it names."""
    if not options.trace:
        raise OperatorError("--trace is missing: mode replay needs the file of requests and times.")
    try:
        part = Slice.of(options.trace_from, options.trace_to)
    except ValueError as error:
        raise OperatorError(str(error)) from None
    traffic = read(options.trace, "trace", trace=True, part=part)
    _see_that_a_budget_can_be_kept(traffic, options)
    models = options.models or tuple(dict.fromkeys(one.model for one in traffic.lines))
    if len(models) != 1 or not models[0]:
        named = ", ".join(model or "none" for model in models)
        raise OperatorError(
            f"mode replay loads one model at a time, and the lines name {named}: name one with "
            "--model, and all lines are sent to it."
        )
    model, times = models[0], due_times_s(traffic.offsets_s, options.speed)
    traffic = _silence(traffic, times[0], part, options.speed)
    window = window_s(times)
    if window > LONGEST_S:
        raise OperatorError(f"--speed {options.speed:g} makes it last over a year: give more.")
    if traffic.moved:
        log.warning(
            "%s: rows do not stand in the order of their times (in %d places); they are sent in it",
            options.trace,
            traffic.moved,
        )
    phase = Phase(
        name=f"replay/{model}",
        mode="replay",
        scenario="stream" if options.stream else "chat",
        model=model,
        schedule=At(len(times), window, times),
        request="traffic",
        users=min(options.max_workers, len(times)),
        target=max(1, round(len(times) / window * 60)),
        max_tokens=options.max_tokens or None,
        stream=options.stream,
        task_prefix=f"{options.task_id_prefix}-replay-{model}-req-",
        climb=f"replay/{model}",
        traffic=traffic.digest,
    )
    return Plan((phase,), traffic=traffic)


def prompted(made: Plan, options: Options) -> Plan:
    """A plan with the lines of `--prompts` in place of the short request. Raises OperatorError."""
    closed = options.mode == "interactive" or (options.mode == "ladder" and options.hold > 0)
    closed |= options.mode in ("soak", "capacity") and options.search == "concurrency"
    traffic = read(options.prompts, "prompts", trace=False, closed=closed)
    _see_that_a_budget_can_be_kept(traffic, options)
    if traffic.conversations and not closed:
        number = next(one.number for one in traffic.lines if one.turns)
        raise OperatorError(
            f"--prompts {options.prompts}, line {number}: a conversation waits for its replies, so "
            "it needs a closed loop: use mode interactive, ladder with --hold, or soak or capacity "
            "with --search concurrency."
        )

    traffic = _repeats(traffic, made)

    def ask(phase: Phase) -> Phase:
        budget = options.max_tokens or None
        return replace(phase, request="traffic", max_tokens=budget, traffic=traffic.digest)

    unfold = made.unfold

    def program() -> Program:
        assert unfold is not None
        return changed(unfold(), ask)

    phases = tuple(ask(phase) for phase in made.phases)
    again = None if unfold is None else program
    return replace(made, phases=phases, unfold=again, traffic=traffic)


def _silence(traffic: Traffic, first_s: float, part: Slice, speed: float) -> Traffic:
    """Note a first request that is minutes away: a slice, mostly, whose offset nobody took off."""
    if first_s < LONG_SILENCE_S:
        return traffic
    notes = Notes()
    if isinstance(part.begin, datetime):
        notes.add("silence_dated", [lasting(first_s)])
    else:
        notes.add("silence", [lasting(first_s)], int(first_s * speed + (part.begin or 0.0)))
    return replace(traffic, notes=(*traffic.notes, *notes.as_list()))


def _repeats(traffic: Traffic, made: Plan) -> Traffic:
    """Note that lines are sent more than once, where the plan says so, or may be."""
    lines, notes = f"{len(traffic.lines):,}", Notes()
    most = max((phase.count or 0 for phase in made.phases), default=0)
    if not made.phases or any(phase.count is None for phase in made.phases):
        notes.add("again", [lines])
    elif most > len(traffic.lines) and not traffic.conversations:
        notes.add("repeats", [lines], most)
    return replace(traffic, notes=(*traffic.notes, *notes.as_list()))


def _see_that_a_budget_can_be_kept(traffic: Traffic, options: Options) -> None:
    if not (options.budget or options.budget_tokens):
        return
    if numbers := undecided(traffic, options):
        name = "--budget" if options.budget else "--budget-tokens"
        raise OperatorError(
            f"{name} needs to know the most that a request may use, and line {numbers[0]} of "
            "your traffic has no max_tokens: give --max-tokens."
        )
