"""What the bill charges for requests that mode billing cancelled: verdicts and their words."""

from analysis.numbers.billing_money import REFUSED
from analysis.numbers.billing_rows import FEWEST
from analysis.numbers.cancelled_charges import CancelledCharge, ChargeVerdict, judge
from analysis.page.blocks import Block, Level, Remark
from analysis.page.words import Words, percent, seconds
from analysis.reading.load import rows
from analysis.reconcile.reconciliation import Reconciliation
from recording.counted import counted
from recording.exact_amount import money_sum
from rules.billing_cases import NAMED

_READ = [
    "mode", "model_requested", "scenario", "success", "outcome", "task_id", "elapsed_sec",
    "gateway_request_id",
]  # fmt: skip


def of(result: Reconciliation) -> list[CancelledCharge]:
    """The verdict on each case of each model, by the bill, else by the amounts of the log.

    None without either, or in another mode. What a log does not have may be free, or not logged.
    """
    if result.bill is None and result.arrivals is None:
        return []
    probes = [row for row in rows(result.run.rows.frame(_READ)) if row["mode"] == "billing"]
    by_task = False
    if result.bill is not None:
        billed = {
            line.task_id: line.billed
            for line in result.lines
            if line.task_id is not None and line.billed is not None
        }
        by_task = any(
            line.task_id in charge.ids for line in result.lines for charge in line.charges
        )
    else:
        billed = _logged(result)
        probes = [{**row, "gateway_request_id": None} for row in probes]
    return [
        charge
        for model in dict.fromkeys(row["model_requested"] for row in probes)
        for charge in judge(
            model, [row for row in probes if row["model_requested"] == model], billed, by_task
        )
    ]


def _logged(result: Reconciliation) -> dict[str, float]:
    """What the log charges, by task_id."""
    assert result.arrivals is not None
    billed = dict[str, float]()
    for request in result.arrivals.requests:
        amounts = [m for e in request.entries if (m := result.arrivals.log.money(e)) is not None]
        if request.task_id is not None and amounts:
            billed[request.task_id] = float(sum(amounts))
    return billed


def remarks(t: Words, result: Reconciliation) -> list[Block]:
    """A sentence for each, and for the refusals that the mode asks for."""
    return [*(_remark(t, charge) for charge in of(result)), *_refusals(t, result)]


def _refusals(t: Words, result: Reconciliation) -> list[Block]:
    """What the bill or the log charges for requests that mode billing had refused."""
    billed = {line.task_id: line.billed for line in result.lines if line.task_id is not None}
    if result.bill is None:
        billed = dict(_logged(result)) if result.arrivals is not None else {}
    if not any(cost is not None for cost in billed.values()):
        return []  # nothing joins: it is not known
    probes = [row for row in rows(result.run.rows.frame(_READ)) if row["mode"] == "billing"]
    blocks = list[Block]()
    for model in dict.fromkeys(row["model_requested"] for row in probes):
        for case, outcomes in REFUSED.items():
            tasks = [
                row["task_id"]
                for row in probes
                if (row["model_requested"], row["scenario"]) == (model, case)
                and row["outcome"] in outcomes
            ]
            if tasks:
                paid = [cost for task in tasks if (cost := billed.get(task))]
                blocks.append(
                    _refused(
                        t, model + t(f", {NAMED[case].en}", f"，{NAMED[case].zh}"), len(tasks), paid
                    )
                )
    return blocks


def _refused(t: Words, what: str, count: int, paid: list[float]) -> Remark:
    if not paid:
        text = t(
            f"{what}: none of {count} refused requests is charged.",
            f"{what}：{count} 个被拒绝的请求均未计费。",
        )
        return Remark("good", text)
    amount = t.money(money_sum(paid))
    text = t(
        f"{what}: {len(paid)} of {count} refused requests are charged, {amount} in all.",
        f"{what}：{count} 个被拒绝的请求中有 {len(paid)} 个被计费，合计 {amount}。",
    )
    return Remark("bad" if len(paid) >= FEWEST else "note", text)


def _remark(t: Words, charge: CancelledCharge) -> Remark:
    case, n = t(NAMED[charge.case].en, NAMED[charge.case].zh), charge.requests
    paid = t.money(charge.charged)
    share = percent(
        charge.charged / charge.whole if charge.charged is not None and charge.whole else None
    )
    held_s, whole_reply = seconds(charge.held_s), seconds(charge.whole_s)
    level: Level
    match charge.said:
        case ChargeVerdict.NOTHING:
            level, verdict = (
                "good",
                t(f"none of {counted(n, 'request')} is charged.", f"{n} 个请求均未计费。"),
            )
        case ChargeVerdict.PART:
            level, verdict = "note", t(
                f"{counted(n, 'request is', 'requests are')} charged {paid} in all, {share} of "
                "what as many whole replies cost.",
                f"{n} 个请求合计计费 {paid}，为同数量完整回复的 {share}。",
            )  # fmt: skip
        case ChargeVerdict.WHOLE:
            level, verdict = "bad", t(
                f"all {n} requests are charged as whole replies, {paid} in all, though they were "
                f"held for {held_s} at most and a whole reply takes at least {whole_reply}. Ask "
                "the gateway whether it stops its upstream, and what it charges for.",
                f"全部 {n} 个请求均按完整回复计费，合计 {paid}；连接最长只保持 {held_s}，"
                f"而完整回复至少需要 {whole_reply}。请向网关确认是否停止上游，以及按什么计费。",
            )  # fmt: skip
        case ChargeVerdict.TOO_SHORT:
            level, verdict = "note", t(
                f"{counted(n, 'request is', 'requests are')} charged as whole replies, {paid} in "
                f"all. A whole reply takes {whole_reply}, so it may have been over before the "
                f"gateway saw the hang-up ({held_s}): this cannot be judged.",
                f"{n} 个请求按完整回复计费，合计 {paid}。完整回复只需 {whole_reply}，"
                f"网关察觉断开（{held_s}）之前可能已写完，因此不下结论。",
            )  # fmt: skip
        case _:
            level, verdict = "note", t(
                f"what {counted(n, 'request')} cost is unknown: the bill does not have the whole "
                "replies "
                "beside them, or not under names that join, or their cost does not go by length.",
                f"无法判断 {n} 个请求的费用：账单缺少用于对照的完整回复，或名称无法匹配，"
                "或费用与长度无关。",
            )  # fmt: skip
    return Remark(
        level, t(f"{charge.model}, {case}: {verdict}", f"{charge.model}，{case}：{verdict}")
    )
