"""Plans with some requests cancelled on purpose, for `--cancel-after`. Pure."""

from dataclasses import replace

from loadshapes.phase import Phase
from loadshapes.plan import Plan
from loadshapes.program import changed_plan
from recording.cancel import parse
from recording.errors import OperatorError
from settings.options import Options
from settings.options.load import CANCELLED


def cancelled(plan: Plan, options: Options) -> Plan:
    """The plan with a share of its requests cancelled. Raises OperatorError."""
    cancel = parse(options.cancel_after)
    if cancel.after_chunks is not None and not options.stream:
        raise OperatorError(
            f"--cancel-after {options.cancel_after} counts the chunks of a stream: give --stream, "
            "or a time such as 500ms."
        )

    def change(phase: Phase) -> Phase:
        if phase.mode not in CANCELLED:
            return phase
        seed = f"{options.seed}/{phase.mode}/{phase.model}/{phase.target}"
        return replace(phase, cancel=replace(cancel, share=options.cancel_share, seed=seed))

    return changed_plan(plan, change)
