"""Conditions on what a gateway did with each fault: `analysis failover --fail-on`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from analysis.failover.joined import Joined
from analysis.failover.numbers import Group, added_s
from analysis.failover.page import name
from analysis.page.words import Words
from rules.conditions import Condition, Metric, Where

_GONE = "it gave no answer after its end in this run"
_NONE = "none of its requests was answered"


def _metric(meaning: str, unit: str = "", *, share: bool = False) -> Metric:
    return Metric("", Where.FAULTS, meaning, unit, share)


METRICS: Mapping[str, Metric] = MappingProxyType({
    "answered": _metric("requests that were answered / requests", share=True),
    "failed": _metric("requests whose client had no answer"),
    "most_attempts": _metric("attempts that one request took at most"),
    "answered_twice": _metric("requests that providers answered more than once"),
    "repeated_streams": _metric("cut streams whose beginning came twice"),
    "wrong_streams": _metric("cut streams that ended as if whole, with another text"),
    "too_soon": _metric("attempts that did not wait as long as the same provider had asked"),
    "wasted_tokens": _metric("output tokens of attempts whose answer no client was given"),
    "wasted_cost": _metric("what providers charged for those, in their currency", "money"),
    "added_s": _metric("median of the answered less that of requests just before and after", "s"),
    "slowest_s": _metric("slowest of the answered", "s"),
    "recovered_s": _metric("from the fault's end to the provider's first answer", "s"),
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Check:
    """One condition on one fault: what was found (None: not known, which fails), and why."""

    condition: str
    fault: str
    found: float | None
    holds: bool
    why: str = ""

    def __str__(self) -> str:
        value = f"not known, {self.why}" if self.found is None else f"{self.found:g}"
        return f"failed: {self.fault}: {value} (fails if {self.condition})"


def judge(joined: Joined, groups: Sequence[Group], conditions: Sequence[Condition]) -> list[Check]:
    """Every condition on every fault that it applies to; one that applies to none fails."""
    t = Words("en", joined.run.currency)
    checks = []
    for condition in conditions:
        fault_checks = [
            _check(condition, name(group.window, joined, t), *number)
            for group in groups
            if (number := _NUMBERS[condition.metric](group, groups)) is not None
        ]
        met = any(each.requests for each in groups if each.window is not None)
        if not met or not fault_checks:
            fault_checks.append(_check(condition, "no fault", None, "no request met a fault"))
        checks += fault_checks
    return checks


def _check(condition: Condition, fault: str, value: float | None, why: str) -> Check:
    holds = value is not None and not condition.met(value)
    return Check(str(condition), fault, value, holds, why)


Value = tuple[float | None, str] | None
"""A number, or None and why it is not known; None alone: the group has no such number."""
Number = Callable[[Group, Sequence[Group]], Value]


def _of_requests(number: Callable[[Group], float]) -> Number:
    return lambda group, _: (number(group), "") if group.requests else None


def _added(group: Group, _: Sequence[Group]) -> Value:
    if group.window is None or not group.requests:
        return None
    return added_s(group), _NONE if group.ok_p50_s is None else "no request met no fault"


def _slowest(group: Group, _: Sequence[Group]) -> Value:
    return (group.ok_max_s, _NONE) if group.requests else None


def _recovered(group: Group, _: Sequence[Group]) -> Value:
    return None if group.recovery is None else (group.recovery.answered_s, _GONE)


_NUMBERS: Mapping[str, Number] = MappingProxyType({
    "answered": _of_requests(lambda group: group.ok / group.requests),
    "failed": _of_requests(lambda group: group.failed),
    "most_attempts": _of_requests(lambda group: group.most_attempts),
    "answered_twice": _of_requests(lambda group: group.answered_twice),
    "repeated_streams": _of_requests(lambda group: group.streams.repeated),
    "wrong_streams": _of_requests(lambda group: group.streams.wrong),
    "too_soon": _of_requests(lambda group: group.too_soon),
    "wasted_tokens": _of_requests(lambda group: group.wasted_tokens),
    "wasted_cost": _of_requests(lambda group: float(group.wasted_cost)),
    "added_s": _added,
    "slowest_s": _slowest,
    "recovered_s": _recovered,
})  # fmt: skip
