"""Plans that send every request over two routes, for `--against`. Pure."""

from dataclasses import replace

from loadshapes.plan import Plan
from loadshapes.token_pacing import CALIBRATION
from recording.errors import OperatorError
from settings.options import Options
from settings.options.gateway import PAIRED


def paired(plan: Plan, options: Options) -> Plan:
    """The plan with a pair instead of each request of a load mode. Raises OperatorError.

    Calibrations go only to the gateway; the order of pairs is drawn from the run's seed.
    """
    if plan.traffic is not None and plan.traffic.conversations:
        raise OperatorError(
            "--against sends single requests twice, and these files contain conversations: remove "
            "them or --against."
        )
    return replace(
        plan,
        phases=tuple(
            replace(phase, pairs=f"{options.seed}/{phase.name}")
            if phase.mode in PAIRED and phase.scenario != CALIBRATION
            else phase
            for phase in plan.phases
        ),
    )
