"""Numbers of a whole run for conditions: its cost, budget, bill and identity tests."""

from analysis.numbers.pricing import price_difference
from analysis.report import identity
from analysis.report.model_bills import bills as bills_of
from analysis.report.view import View
from recording.events import Accounts
from recording.exact_amount import money_sum
from recording.untrusted_text import quoted
from rules.conditions import Metric

_OF_CHECKS = (
    "; mode compat also sends streams that ask for no usage, so that their cost cannot be known: "
    "bound the run with --budget or --budget-tokens instead"
)


def of_run(view: View, metric: Metric) -> tuple[float | None, str]:
    """A number of the whole run, in the metric's unit and ""; or None and the reason."""
    match metric.number:
        case "cost_sum":
            return _cost(view)
        case "price_difference":
            return price_difference(view.run)
        case "billing_findings":
            return _findings(view)
        case "billing_overcharge":
            return _overcharge(view)
        case "identity_differs":
            return _identity(view)
        case "budget_used":
            return _budget(view, "money")
        case _:
            return _budget(view, "tokens")


def _findings(view: View) -> tuple[float | None, str]:
    """How many grave findings mode billing has; or None and the reason."""
    bills = bills_of(view)
    if not bills:
        return None, "the run is not of mode billing"
    unjudged = [bill.model for bill in bills if bill.counter is None and not bill.stated]
    grave = sum(finding.grave for bill in bills for finding in bill.findings)
    if unjudged and not grave:
        return None, f"{quoted(unjudged[0])} states neither usage nor costs to judge"
    return grave, ""


def _overcharge(view: View) -> tuple[float | None, str]:
    """The money that mode billing found overcharged; or None and the reason."""
    bills = bills_of(view)
    amounts = [bill.overcharge for bill in bills]
    known = [amount for amount in amounts if amount is not None]
    if not bills:
        return None, "the run is not of mode billing"
    if len(known) < len(bills):
        why = "no cost is stated, the price changed during the run, or several providers answered"
        return None, why
    return money_sum(known), ""


def _identity(view: View) -> tuple[float | None, str]:
    """How many tests say `differs`; unknown if a requested test was not judged."""
    models = identity.numbers(view)
    differing = sum(model.differing for model in models)
    if differing or not models:
        return (float(differing), "") if models else (None, "mode identity asked nothing")
    unjudged = [model.model for model in models if not model.judged]
    return (None, f"{', '.join(unjudged)} is not judged") if unjudged else (0.0, "")


def _budget(view: View, unit: str) -> tuple[float | None, str]:
    known = [account for e in view.run.events_of(Accounts) if (account := e.unit(unit))]
    if not known:
        return None, "the run has no such budget"
    return known[-1].spent / known[-1].limit, ""


def _cost(view: View) -> tuple[float | None, str]:
    """The run's cost; or None and the reason: a success whose cost was not stated."""
    parts = [cost for phase in view.phases for cost in (phase.cost_sum, phase.warmup_cost)]
    known = [part for part in parts if part is not None]
    unknown = sum(
        phase.cost_unknown_success_count + phase.warmup_cost_unknown_success_count
        for phase in view.phases
    )
    good = sum(phase.success for phase in view.phases)
    if not known:
        return None, "no request states one"
    if unknown:
        reason = f"{unknown} of {good} successes state none"
        return None, reason + (_OF_CHECKS if view.features.cells else "")
    return money_sum(known), ""
