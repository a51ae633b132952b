"""Conditions on what upstreams did with cancelled requests: `analysis hung-up --fail-on`."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from analysis.failover.checks import Check
from analysis.failover.hung_up import HungUp
from rules.conditions import Condition, Metric, Where

METRICS: Mapping[str, Metric] = MappingProxyType({
    "went_on": Metric("went_on", Where.EVERY, "cancelled requests that the upstream went on with"),
    "went_on_s": Metric("went_on_max_s", Where.EVERY, "for how long at most", "s"),
    "asked_after": Metric("asked_after", Where.EVERY, "attempts begun after we had hung up"),
    "charged": Metric("charged", Where.EVERY, "what the upstreams charged for them", "money"),
})  # fmt: skip


def judge(phases: Sequence[HungUp], conditions: Sequence[Condition]) -> list[Check]:
    """Every condition on every phase; what is not known fails."""
    checks = []
    for condition in conditions:
        for phase in phases:
            value = getattr(phase, METRICS[condition.metric].number)
            number = None if value is None or not phase.arrived else float(value)
            holds = number is not None and not condition.met(number)
            why = "no cancelled request reached an upstream"
            place = f"{phase.phase}, {phase.when}"
            checks.append(Check(str(condition), place, number, holds, why))
    return checks
