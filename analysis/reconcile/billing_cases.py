"""A bill or a log beside the cases of mode billing: which of them it charges otherwise."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from analysis.numbers.billing_findings import Finding, Kind
from analysis.numbers.billing_money import of_money
from analysis.numbers.unstated_usage import unstated_usage, with_usage
from analysis.page.blocks import Block, Remark
from analysis.page.words import Words
from analysis.reading.load import Run, rows
from analysis.reconcile.reconciliation import Finding as Off
from analysis.reconcile.reconciliation import Line, Reconciliation
from analysis.report.billing_words import sentence
from rules.prices import PRICED

_READ = (
    "mode", "model_requested", "scenario", "request_index", "success", "outcome", "stream",
    "task_id", "timestamp", "content", "finish_reason", "max_tokens", "provider", *PRICED,
)  # fmt: skip


def findings(result: Reconciliation) -> dict[str, list[Finding]]:
    """What the bill's charges show, by model, as the stated costs do in a report; refusals have
    sentences of their own. Empty: there is no bill, no price table, or no row of mode billing.
    """
    if result.bill is None or result.prices is None:
        return {}
    billed = {line.task_id: line.billed for line in result.lines if line.billed is not None}
    charged: dict[str, list[dict[str, Any]]] = {}
    for row in _probes(result.run):
        cost = billed.get(row["task_id"])
        source = "unknown" if cost is None else "body"
        charged.setdefault(row["model_requested"], []).append(
            {**row, "api_cost": cost, "cost_source": source}
        )
    return {
        model: [
            finding
            for finding in of_money(with_usage(group), model, result.prices)
            if finding.kind is not Kind.REFUSED_CHARGED
        ]
        for model, group in charged.items()
        if result.prices.of(model) is not None and any(row["api_cost"] for row in group)
        if len({row["provider"] for row in group} - {None}) <= 1
    }


def remarks(t: Words, result: Reconciliation) -> list[Block]:
    """A sentence for each, or that there is none."""
    blocks = list[Block]()
    for model, found in findings(result).items():
        blocks += [
            Remark("bad" if each.grave else "note", sentence(t, model, each)) for each in found
        ]
        if not found:
            text = t(
                f"{model}: the bill charges every case by its stated tokens.",
                f"{model}：账单对每种情形均按给出的 token 数计费。",
            )
            blocks.append(Remark("good", text))
    return blocks


def explained(result: Reconciliation, tolerance: float) -> Reconciliation:
    """Without the finding `unstated` of streams that state no usage, where the bill charges what
    such a reply to the same prompt costs by the price table.
    """
    if result.bill is None or result.prices is None:
        return result
    probes = _probes(result.run)
    due = dict[str, tuple[float, float]]()
    for model in dict.fromkeys(row["model_requested"] for row in probes):
        of_model = [row for row in probes if row["model_requested"] == model]
        for place, usage in unstated_usage(of_model).items():
            costs = [
                result.prices.cost(model, usage.prompt, output)
                for output in (usage.low, usage.high)
            ]
            if costs[0] is not None and costs[1] is not None:
                due[of_model[place]["task_id"]] = costs[0], costs[1]
    lines = [_explained(line, due, 1.01 * tolerance) for line in result.lines]
    return replace(result, lines=lines)


def _explained(line: Line, due: dict[str, tuple[float, float]], tolerance: float) -> Line:
    if line.findings != (Off.UNSTATED,) or line.task_id not in due or line.billed is None:
        return line
    low, high = due[line.task_id]
    right = low - tolerance <= line.billed <= high + tolerance
    return replace(line, findings=()) if right else line


def _probes(run: Run) -> Sequence[dict[str, Any]]:
    """The rows of mode billing, in the order of sending."""
    if all(phase.get("mode") != "billing" for phase in run.plan):
        return []
    read = rows(run.gateway_alone().rows.frame(list(dict.fromkeys(_READ))))
    probes = [row for row in read if row["mode"] == "billing"]
    return sorted(probes, key=lambda row: str(row["timestamp"]))
