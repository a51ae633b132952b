"""Cost and tracing, as in section 4 of the article: what is charged, and the source of the cost."""

from analysis.numbers.pricing import COLUMNS, Compared, compare
from analysis.numbers.providers import MOST
from analysis.numbers.summarize import GroupCosts, costs_of_groups
from analysis.page.blocks import Block, Listing, Remark, Section, Table, Text
from analysis.page.columns import Name, field, table
from analysis.page.vocabulary import (
    API_COST,
    CACHED,
    COMPLETION,
    COST,
    COST_PER_SUCCESS,
    MODEL,
    PROMPT,
    SENT,
    SHARE,
    SOURCE,
    SUCCESS,
    TASK_ID,
    TOTAL_TOKENS,
    Cost,
    money,
)
from analysis.page.words import ABSENT, integer, percent, tally
from analysis.reading.groups import known_sum
from analysis.reading.load import rows
from analysis.report import plots
from analysis.report.view import View
from recording.exact_amount import money_sum
from recording.outcome import Outcome
from rules.prices import Prices

PLACE = 110  # in the report
_EXAMPLES = 10
_STATED = Name("Stated", "自报费用")
_TABLE = Name("By the table", "价格表费用")
_PROVIDERS = 20


def section(view: View) -> Section:
    """Money by task prefix and by model, where each cost comes from, and whether it adds up."""
    t = view.t
    if not view.phases:
        return Section("")
    by_prefix = costs_of_groups(view.run, "task_prefix")
    blocks: list[Block] = [_groups(view, by_prefix, Name("task_id prefix", "task_id 前缀"))]
    firsts = [begin for begin, _ in view.run.rows.bounds.values()]
    tasks = view.run.rows.at(firsts, ["task_id"])["task_id"].dropna().tolist()
    if tasks:
        blocks.append(Text(t("For example:", "示例：")))
        blocks.append(Listing(tuple(tasks[:5])))
    by_model = costs_of_groups(view.run, "model_requested")
    blocks.append(_groups(view, by_model, MODEL.name))
    blocks += [*_providers(view), _sources(view), *_against_table(view)]
    blocks += plots.cost(view)
    title = t("Cost and request tracing", "费用和请求追踪：usage.cost 与 task_id")
    return Section(title, blocks, folded=True)


def _providers(view: View) -> list[Block]:
    """The same by provider, the busiest first; nothing if the gateway names fewer than two."""
    t, named = view.t, view.run.rows.frame(["provider"])["provider"].nunique()
    if not 2 <= named <= MOST:
        return []
    groups = [group for group in costs_of_groups(view.run, "provider") if group.sent]
    groups.sort(key=lambda group: -group.sent)
    blocks: list[Block] = [
        _groups(view, groups[:_PROVIDERS], Name("Provider", "供应商")),
    ]
    if (rest := len(groups) - _PROVIDERS) > 0:
        blocks.append(Text(t(f"And {integer(rest)} more.", f"另有 {integer(rest)} 家。")))
    return blocks


def _groups(view: View, groups: list[GroupCosts], header: Name) -> Table:
    t = view.t
    return table(
        t,
        groups,
        [
            header.of(lambda group: group.name or t("(none)", "（无）")),
            SENT.of(lambda group: group.sent),
            SUCCESS.of(lambda group: group.success),
            TOTAL_TOKENS.of(lambda group: group.total_tokens),
            API_COST.of(lambda group: Cost(group.cost_sum)),
            money(Name("Per request", "单次请求"), lambda group: group.cost_per_request),
            money(Name("Per 1k tokens", "每千 token"), lambda group: group.cost_per_1k_tokens),
            COST_PER_SUCCESS.of(lambda group: Cost(group.cost_per_success)),
            money(Name("On failures", "失败请求费用"), lambda group: group.cost_on_failures),
            Name("Cost unknown", "费用未知").of(lambda group: group.cost_unknown_count, integer),
            Name("Unknown share", "未知占比").of(lambda group: group.cost_unknown_share, percent),
            Name("Cost from", "费用来源").of(lambda group: group.cost_sources, tally),
        ],
        how=t(
            "Sums of the costs that the gateway stated (or, if it stated none, of tokens x the "
            "price table), including failures; a request without a known cost counts as unknown, "
            "never as 0. Per request and per 1k tokens use only known costs; per success is all "
            "the money divided by all successes, absent if the cost of any success is unknown.",
            "费用为网关自报费用之和（含失败请求；网关未报时按 token × 价格表计）；"
            "费用未知的请求单独计数，绝不按 0 计。"
            "单次请求、每千 token 按费用已知的请求计算；"
            "单次成功 = 全部费用 / 成功数，若有成功请求费用未知则不给出。",
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
        "unknown": t("no source states one", "无从得知"),
    }
    groups = {str(name): rows_ for name, rows_ in sent.groupby("cost_source")}
    named = [
        (name, groups[name])
        for name in [*meanings, *groups.keys() - meanings.keys()]
        if name in groups
    ]
    return table(
        t,
        named,
        [
            SOURCE.of(lambda source: source[0]),
            Name("Meaning", "含义").of(lambda source: meanings.get(source[0], ABSENT)),
            SENT.of(lambda source: len(source[1])),
            SHARE.of(lambda source: len(source[1]) / len(sent), percent),
            SUCCESS.of(lambda source: int(source[1]["success"].sum())),
            money(
                COST,
                lambda source: (
                    money_sum([known_sum(source[1]["api_cost"])])
                    if source[0] != "unknown"
                    else None
                ),
            ),
        ],
        title=t("Where the costs come from", "费用来源"),
        how=t(
            "Every request that was sent, by the source of its cost; the first source that states "
            "one counts.",
            "所有已发送请求按费用来源分组；依次取第一个给出费用的来源。",
        ),
    )


def _against_table(view: View) -> list[Block]:
    """The stated costs compared with the run's price table, row by row; nothing without one."""
    t, prices = view.t, Prices.from_dict(view.run.manifest.get("prices"))
    if prices is None:
        return []
    models = compare(view.run.rows.frame(COLUMNS), prices)
    if not models:
        return []
    differing = sum(len(model.differing) for model in models)
    compared = sum(model.count for model in models)
    blocks: list[Block] = [
        Remark(
            "note" if differing else "good",
            t(
                f"{integer(differing)} of {integer(compared)} stated costs differ from the price "
                "table.",
                f"{integer(compared)} 条自报费用中有 {integer(differing)} 条与价格表不符。",
            ),
        ),
        _totals(view, models),
    ]
    if differing:
        blocks.append(_differences(view, models))
    return blocks


def _totals(view: View, models: list[Compared]) -> Table:
    t, tolerance = view.t, f"{models[0].tolerance:.9f}".rstrip("0")
    return table(
        t,
        models,
        [
            MODEL.of(lambda model: model.model),
            Name("Compared", "核对请求").of(lambda model: model.count, integer),
            Name("Differ", "不符").of(lambda model: len(model.differing), integer),
            money(_STATED, lambda model: model.stated_sum),
            money(_TABLE, lambda model: model.table_sum),
            money(Name("Stated - table", "自报 − 价格表"), lambda model: model.difference),
        ],
        title=t("Stated costs against the price table", "自报费用与价格表核对"),
        how=t(
            "Rows whose cost the gateway states and whose tokens the table prices; they differ if "
            f"the two are more than {tolerance} apart, the last decimal of the stated costs.",
            f"仅核对网关自报费用且价格表可计价的请求；相差超过 {tolerance}"
            "（自报费用的最后一位小数）视为不符。",
        ),
    )


def _differences(view: View, compared: list[Compared]) -> Table:
    t = view.t
    examples = [
        (row, place)
        for one in compared
        for row, place in zip(
            rows(one.differing[:_EXAMPLES]), one.differing.index[:_EXAMPLES], strict=True
        )
    ]
    examples.sort(key=lambda one: -abs(one[0]["api_cost"] - one[0]["table_cost"]))
    places = [int(place) for _, place in examples[:_EXAMPLES]]
    names = view.run.rows.at(places, ["task_id"])["task_id"].tolist()
    largest = [
        row | {"task_id": name if isinstance(name, str) else ABSENT}
        for (row, _), name in zip(examples, names, strict=False)
    ]
    return table(
        t,
        largest,
        [
            TASK_ID.of(lambda row: row["task_id"]),
            MODEL.of(lambda row: row["model_requested"]),
            PROMPT.of(lambda row: row["prompt_tokens"], integer),
            CACHED.of(lambda row: row["cached_tokens"], integer),
            field("cache write").of(lambda row: row["cache_write_tokens"], integer),
            COMPLETION.of(lambda row: row["completion_tokens"], integer),
            money(_STATED, lambda row: row["api_cost"]),
            money(_TABLE, lambda row: row["table_cost"]),
            money(Name("Difference", "差异"), lambda row: row["api_cost"] - row["table_cost"]),
        ],
        title=t("Largest differences", "最大差异"),
        how=t(
            f"The {_EXAMPLES} largest; `weighbridge reconcile` lists them all.",
            f"仅列最大的 {_EXAMPLES} 条；`weighbridge reconcile` 可列出全部。",
        ),
    )
