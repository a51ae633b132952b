"""Plans that send the requests of `--prompts` instead of the short one. Pure except for the
file.
"""

from dataclasses import replace

from loadshapes.own_traffic.file import read
from loadshapes.own_traffic.traffic import Traffic, undecided
from loadshapes.phase import Phase
from loadshapes.plan import Plan
from loadshapes.program import Program, changed
from recording.errors import OperatorError
from recording.row_notes import Notes
from settings.options import Options


def prompted(plan: Plan, options: Options) -> Plan:
    """The plan with the lines of `--prompts` instead of the short request. Raises OperatorError."""
    closed = options.mode == "interactive" or (options.mode == "ladder" and options.hold > 0)
    closed |= options.mode in ("soak", "capacity") and options.search == "concurrency"
    traffic = read(options.prompts, "prompts", trace=False, closed=closed)
    see_that_a_budget_can_be_kept(traffic, options)
    if traffic.conversations and not closed:
        number = next(line.number for line in traffic.lines if line.turns)
        raise OperatorError(
            f"--prompts {options.prompts}, line {number}: a conversation waits for its replies, so "
            "it needs a closed loop: use mode interactive, ladder with --hold, or soak or capacity "
            "with --search concurrency."
        )

    traffic = _repeats(traffic, plan)

    def ask(phase: Phase) -> Phase:
        budget = options.max_tokens or None
        return replace(phase, request="traffic", max_tokens=budget, traffic=traffic.digest)

    unfold = plan.unfold

    def program() -> Program:
        assert unfold is not None
        return changed(unfold(), ask)

    phases = tuple(ask(phase) for phase in plan.phases)
    again = None if unfold is None else program
    return replace(plan, phases=phases, unfold=again, traffic=traffic)


def _repeats(traffic: Traffic, plan: Plan) -> Traffic:
    """Note that lines are, or may be, sent more than once."""
    lines, notes = f"{len(traffic.lines):,}", Notes()
    most = max((phase.count or 0 for phase in plan.phases), default=0)
    if not plan.phases or any(phase.count is None for phase in plan.phases):
        notes.add("again", [lines])
    elif most > len(traffic.lines) and not traffic.conversations:
        notes.add("repeats", [lines], most)
    return replace(traffic, notes=(*traffic.notes, *notes.as_list()))


def see_that_a_budget_can_be_kept(traffic: Traffic, options: Options) -> None:
    """Raise OperatorError if the run has a budget and a line has no upper limit."""
    if not (options.budget or options.budget_tokens):
        return
    if numbers := undecided(traffic, options):
        name = "--budget" if options.budget else "--budget-tokens"
        raise OperatorError(
            f"{name} needs to know the most that a request may use, and line {numbers[0]} of "
            "your traffic has no max_tokens: give --max-tokens."
        )
