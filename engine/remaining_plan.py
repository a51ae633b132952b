"""The remaining plan of a run: all of it, or what an interrupted run has not sent. Pure."""

from dataclasses import replace
from functools import partial

from engine.budget import RunBudget
from engine.interrupted import InterruptedRun, check_same_plan
from loadshapes.plan import Plan
from loadshapes.program import Past, Program, in_order, left_of, probed, resumed
from recording.errors import OperatorError
from settings.options import Options


def left_to_run(
    plan: Plan, options: Options, budget: RunBudget, remains: InterruptedRun | None
) -> tuple[Plan, Program]:
    """What is to be run, and the program that runs it. Raises OperatorError.

    With a limited budget a probe goes first: the program learns what a request costs.
    """
    unfold = plan.unfold or partial(in_order, plan.phases)
    if remains is None:
        return plan, probed(unfold()) if budget.limits else unfold()
    check_same_plan(plan, options, remains.manifest)
    past = Past(
        remains.finished,
        remains.ended,
        remains.records_of,
        windows=options.resume_windows,
        over=remains.over,
        last_use=remains.last_use,
    )
    if next(resumed(unfold(), past), None) is None:
        raise OperatorError(
            f"--resume {options.resume}: nothing of it is left to send, so report it."
        )
    phases = tuple(rest for p in plan.phases if (rest := left_of(p, past)) is not None)
    program = resumed(unfold(), past)
    if budget.limits:
        program = probed(program, budget.kinds, remains.finished)
    return replace(plan, phases=phases), program
