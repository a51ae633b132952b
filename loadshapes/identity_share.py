"""A plan some of whose requests are fixed probes of identity, for `--identity-share`. Pure."""

from dataclasses import replace

from loadshapes.phase import Phase
from loadshapes.plan import Plan
from loadshapes.program import changed_plan
from recording.errors import OperatorError
from settings.options import Options
from settings.options.load import MIXED


def mixed(plan: Plan, options: Options) -> Plan:
    """The plan with every so many-th request a probe, which is not cancelled on purpose. Raises
    OperatorError.
    """
    if options.against or options.prompts:
        raise OperatorError(
            "--identity-share mixes probes into the requests of a mode's own, over one route: "
            "leave out --against and --prompts."
        )
    every = round(1 / options.identity_share)

    def change(phase: Phase) -> Phase:
        if phase.mode not in MIXED:
            return phase
        cancel = phase.cancel and replace(phase.cancel, probe_every=every)
        return replace(phase, probe_every=every, cancel=cancel)

    return changed_plan(plan, change)
