"""Plans that send the requests of `--prompts` in place of the short one. Pure but for the file."""

from dataclasses import replace

from loadshapes.own_traffic.file import read
from loadshapes.own_traffic.traffic import Traffic, undecided
from loadshapes.phase import Phase
from loadshapes.plan import Plan
from loadshapes.program import Program, changed
from recording.errors import OperatorError
from recording.row_notes import Notes
from settings.options import Options


def prompted(made: Plan, options: Options) -> Plan:
    """A plan with the lines of `--prompts` in place of the short request. Raises OperatorError."""
    closed = options.mode == "interactive" or (options.mode == "ladder" and options.hold > 0)
    closed |= options.mode in ("soak", "capacity") and options.search == "concurrency"
    traffic = read(options.prompts, "prompts", trace=False, closed=closed)
    see_that_a_budget_can_be_kept(traffic, options)
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


def _repeats(traffic: Traffic, made: Plan) -> Traffic:
    """Note that lines are sent more than once, where the plan says so, or may be."""
    lines, notes = f"{len(traffic.lines):,}", Notes()
    most = max((phase.count or 0 for phase in made.phases), default=0)
    if not made.phases or any(phase.count is None for phase in made.phases):
        notes.add("again", [lines])
    elif most > len(traffic.lines) and not traffic.conversations:
        notes.add("repeats", [lines], most)
    return replace(traffic, notes=(*traffic.notes, *notes.as_list()))


def see_that_a_budget_can_be_kept(traffic: Traffic, options: Options) -> None:
    """Raise OperatorError where the run has a budget and a line does not say what it may use."""
    if not (options.budget or options.budget_tokens):
        return
    if numbers := undecided(traffic, options):
        name = "--budget" if options.budget else "--budget-tokens"
        raise OperatorError(
            f"{name} needs to know the most that a request may use, and line {numbers[0]} of "
            "your traffic has no max_tokens: give --max-tokens."
        )
