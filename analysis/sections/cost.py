"""Cost and tracing, as the article's section 4: who is billed what, grouped by task_id prefix."""

from typing import Any

from analysis import plots
from analysis.page import Block, Listing, Section, Table, Text
from analysis.sections import View
from analysis.summarize import costs_of_run
from analysis.words import integer, tally


def section(view: View) -> Section:
    """Requests and money by task prefix, by model, and where each cost comes from."""
    t = view.t
    if not view.phases:
        return Section("")
    by_prefix = costs_of_run(view.run, ("task_prefix",))
    blocks: list[Block] = [
        _groups(view, by_prefix, "task_prefix", t("task_id prefix", "task_id 前缀"))
    ]
    firsts = [begin for begin, _ in view.run.rows.bounds.values()]
    tasks = view.run.rows.at(firsts, ["task_id"])["task_id"].dropna().tolist()
    if tasks:
        blocks.append(Text(t("For example:", "示例：")))
        blocks.append(Listing(tuple(tasks[:5])))
    by_model = costs_of_run(view.run, ("model_requested",))
    blocks.append(_groups(view, by_model, "model_requested", t("Model", "模型")))
    blocks += plots.cost(view)
    return Section(t("Cost and request tracing", "费用和请求追踪：usage.cost 与 task_id"), blocks)


def _groups(view: View, groups: list[dict[str, Any]], key: str, header: str) -> Table:
    t = view.t
    return Table(
        headers=(
            header,
            t("Sent", "已发送"),
            t("Success", "成功"),
            "total_tokens",
            t("API cost", "API 返回费用"),
            t("Per request", "每请求"),
            t("Per success", "每成功请求"),
            t("On failures", "失败请求费用"),
            t("Cost unknown", "费用未知"),
            t("Cost from", "费用来源"),
        ),
        rows=[
            (
                group[key] or t("(none)", "（无）"),
                integer(group["sent"]),
                integer(group["success"]),
                integer(group["total_tokens"]),
                t.money(group["cost_sum"]),
                t.money(group["cost_per_request"]),
                t.money(group["cost_per_success"]),
                t.money(group["cost_on_failures"]),
                integer(group["cost_unknown_count"]),
                tally(group["cost_sources"]),
            )
            for group in groups
        ],
        how=t(
            "Sums of what the gateway said it charged, failures included; a request whose cost is "
            "not known counts as unknown, never as 0. Per request is over the known ones; per "
            "success is all the money over all successes, absent while a success's cost is "
            "unknown.",
            "费用为网关自报费用之和（含失败请求）；费用未知的请求单独计数，绝不按 0 计。"
            "每请求按费用已知的请求平均；"
            "每成功请求 = 全部费用 / 成功数，若有成功请求费用未知则不给出。",
        ),
    )
