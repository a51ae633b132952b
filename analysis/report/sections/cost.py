"""Cost and tracing, as the article's section 4: who is billed what, and who says so."""

from typing import Any

from analysis.numbers.pricing import COLUMNS, Compared, compare
from analysis.numbers.providers import MOST
from analysis.numbers.summarize import costs_of_run
from analysis.page.blocks import Block, Listing, Remark, Section, Table, Text
from analysis.page.words import ABSENT, integer, percent, tally
from analysis.reading.groups import known_sum
from analysis.reading.load import rows
from analysis.report import plots
from analysis.report.view import View
from recording.outcome import Outcome
from rules.prices import Prices

PLACE = 110  # in the report
_EXAMPLES = 10
_PROVIDERS = 20


def section(view: View) -> Section:
    """Money by task prefix and by model, where each cost comes from, and whether it adds up."""
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
    blocks += [*_providers(view), _sources(view), *_against_table(view)]
    blocks += plots.cost(view)
    return Section(t("Cost and request tracing", "费用和请求追踪：usage.cost 与 task_id"), blocks)


def _providers(view: View) -> list[Block]:
    """The same by provider, the busiest first; nothing where the gateway names fewer than two."""
    t, told = view.t, view.run.rows.frame(["provider"])["provider"].nunique()
    if not 2 <= told <= MOST:
        return []
    groups = [group for group in costs_of_run(view.run, ("provider",)) if group["sent"]]
    groups.sort(key=lambda group: -group["sent"])
    blocks: list[Block] = [
        _groups(view, groups[:_PROVIDERS], "provider", t("Provider", "供应商")),
    ]
    if (rest := len(groups) - _PROVIDERS) > 0:
        blocks.append(Text(t(f"And {integer(rest)} more.", f"另有 {integer(rest)} 家。")))
    return blocks


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
            t("Per 1k tokens", "每千 token"),
            t("Per success", "每成功请求"),
            t("On failures", "失败请求费用"),
            t("Cost unknown", "费用未知"),
            t("Unknown share", "未知占比"),
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
                t.money(group["cost_per_1k_tokens"]),
                t.money(group["cost_per_success"]),
                t.money(group["cost_on_failures"]),
                integer(group["cost_unknown_count"]),
                percent(group["cost_unknown_share"]),
                tally(group["cost_sources"]),
            )
            for group in groups
        ],
        how=t(
            "Sums of what the gateway said it charged (or, where it said nothing, of tokens x the "
            "price table), failures included; a request whose cost is "
            "not known counts as unknown, never as 0. Per request and per 1k tokens are over the "
            "known ones; per success is all the money over all successes, absent while a "
            "success's cost is unknown.",
            "费用为网关自报费用之和（含失败请求；网关未报时按 token × 价格表计）；"
            "费用未知的请求单独计数，绝不按 0 计。"
            "每请求、每千 token 按费用已知的请求计算；"
            "每成功请求 = 全部费用 / 成功数，若有成功请求费用未知则不给出。",
        ),
    )


def _sources(view: View) -> Table:
    """Where the costs come from."""
    t = view.t
    frame = view.run.rows.frame(["outcome", "success", "api_cost", "cost_source"])
    sent = frame[frame["outcome"] != Outcome.DROPPED]
    meanings = {
        "body": t("the reply's usage.cost", "应答体 usage.cost"),
        "header": t("a header of the reply", "应答头"),
        "price_table": t("tokens x the price table", "token × 价格表"),
        "unknown": t("nobody says", "无从得知"),
    }
    groups = {str(name): rows_ for name, rows_ in sent.groupby("cost_source")}
    return Table(
        title=t("Where the costs come from", "费用来源"),
        headers=(
            t("Source", "来源"),
            t("Meaning", "含义"),
            t("Sent", "已发送"),
            t("Share", "占比"),
            t("Success", "成功"),
            t("Cost", "费用"),
        ),
        rows=[
            (
                name,
                meanings.get(name, ABSENT),
                integer(len(mine)),
                percent(len(mine) / len(sent)),
                integer(int(mine["success"].sum())),
                t.money(known_sum(mine["api_cost"]) if name != "unknown" else None),
            )
            for name in [*meanings, *groups.keys() - meanings.keys()]
            if (mine := groups.get(name)) is not None
        ],
        how=t(
            "Every request that was sent, by who says what it cost; the first that speaks counts.",
            "所有已发送请求按费用来源分组；依次取第一个给出费用的来源。",
        ),
    )


def _against_table(view: View) -> list[Block]:
    """The stated costs, row by row, against the price table of the run; nothing without one."""
    t, prices = view.t, Prices.from_dict(view.run.manifest.get("prices"))
    if prices is None:
        return []
    found = compare(view.run.rows.frame(COLUMNS), prices)
    if not found:
        return []
    differing = sum(len(one.differing) for one in found)
    compared = sum(one.count for one in found)
    blocks: list[Block] = [
        Remark(
            "note" if differing else "good",
            t(
                f"{integer(differing)} of {integer(compared)} stated costs differ from the price "
                "table.",
                f"{integer(compared)} 条自报费用中有 {integer(differing)} 条与价格表不符。",
            ),
        ),
        _totals(view, found),
    ]
    if differing:
        blocks.append(_differences(view, found))
    return blocks


def _totals(view: View, found: list[Compared]) -> Table:
    t, apart = view.t, f"{found[0].tolerance:.9f}".rstrip("0")
    return Table(
        title=t("Stated costs against the price table", "自报费用与价格表核对"),
        headers=(
            t("Model", "模型"),
            t("Compared", "核对请求"),
            t("Differ", "不符"),
            t("Stated", "自报费用"),
            t("By the table", "价格表费用"),
            t("Stated - table", "自报 − 价格表"),
        ),
        rows=[
            (
                one.model,
                integer(one.count),
                integer(len(one.differing)),
                t.money(one.stated_sum),
                t.money(one.table_sum),
                t.money(one.difference),
            )
            for one in found
        ],
        how=t(
            f"Rows whose cost the gateway stated and whose tokens the table prices; they differ "
            f"where the two are more than {apart} apart, the last decimal of the stated costs.",
            f"仅核对网关自报费用且价格表可计价的请求；相差超过 {apart}（自报费用的最后一位小数）"
            "视为不符。",
        ),
    )


def _differences(view: View, found: list[Compared]) -> Table:
    t = view.t
    shown = [
        (row, place)
        for one in found
        for row, place in zip(
            rows(one.differing[:_EXAMPLES]), one.differing.index[:_EXAMPLES], strict=True
        )
    ]
    shown.sort(key=lambda one: -abs(one[0]["api_cost"] - one[0]["table_cost"]))
    places = [int(place) for _, place in shown[:_EXAMPLES]]
    names = view.run.rows.at(places, ["task_id"])["task_id"].tolist()
    return Table(
        title=t("Largest differences", "最大差异"),
        headers=(
            "task_id",
            t("Model", "模型"),
            *("prompt", "cached", "cache write", "completion"),
            t("Stated", "自报费用"),
            t("By the table", "价格表费用"),
            t("Difference", "差异"),
        ),
        rows=[
            (
                name if isinstance(name, str) else ABSENT,
                row["model_requested"],
                *(
                    integer(row[f"{kind}_tokens"])
                    for kind in ("prompt", "cached", "cache_write", "completion")
                ),
                t.money(row["api_cost"]),
                t.money(row["table_cost"]),
                t.money(row["api_cost"] - row["table_cost"]),
            )
            for (row, _), name in zip(shown, names, strict=False)
        ],
        how=t(
            f"The {_EXAMPLES} largest; `python -m analysis reconcile` lists them all.",
            f"仅列最大的 {_EXAMPLES} 条；`python -m analysis reconcile` 可列出全部。",
        ),
    )
