"""The bill, case by case: sent, stated and charged, and what is found in it."""

from analysis.numbers.billing import Finding, Kind, ModelBill
from analysis.page.blocks import Block, Remark, Section, Text
from analysis.page.columns import Name, table
from analysis.page.vocabulary import CHARGED, money
from analysis.page.words import ABSENT, Words, integer
from analysis.report.model_bills import bills
from analysis.report.view import View
from rules.billing_cases import LEFT, NAMED
from rules.token_slopes import CHAT_TOKENS

PLACE = 125  # in the report


def section(view: View) -> Section:
    """For each model the findings in words, then a row per case."""
    t = view.t
    blocks: list[Block] = []
    for bill in bills(view):
        blocks += [*remarks(t, bill), _table(t, bill)]
    return Section(t("The bill, case by case", "逐项核对账单"), blocks)


def bad(view: View) -> list[Remark]:
    """The findings that a reader must know before the numbers."""
    found = [one for bill in bills(view) for one in remarks(view.t, bill)]
    return [one for one in found if isinstance(one, Remark) and one.level == "bad"]


def remarks(t: Words, bill: ModelBill) -> list[Block]:
    """What was found of a model, what could not be told, or that nothing was found."""
    model = bill.model
    found: list[Block] = [
        Remark("bad" if one.grave else "note", _sentence(t, model, one)) for one in bill.findings
    ]
    if not found and bill.counter is not None and bill.stated:
        text = t(
            f"{model}: no case is counted or charged otherwise than the others.",
            f"{model}：各种情形的计数与计费一致，未见异常。",
        )
        found.append(Remark("good", text))
    return [*found, *(Text(text) for text in _unknown(t, bill))]


def _sentence(t: Words, model: str, one: Finding) -> str:
    case = t(NAMED[one.case].en, NAMED[one.case].zh) if one.case else ""
    tokens, paid, rows = integer(round(abs(one.amount))), t.money(abs(one.amount)), one.rows
    way, weg = ("more", "多") if one.amount > 0 else ("less", "少")
    match one.kind:
        case Kind.INFLATED:
            said = t(
                f"prompt tokens are at least {one.amount:.3f} times what the model's tokenizer "
                "counts, by one factor for all texts. Ask the gateway.",
                f"给出的 prompt token 数至少为该模型分词器计数的 {one.amount:.3f} 倍，"
                "且各文本倍数相同。请向网关确认。",
            )
        case Kind.OTHER_TOKENIZER:
            said = t(
                "repeated texts are not counted as the tokenizer of the model of that name counts "
                "them, nor by one factor: another tokenizer counts, or another model answers.",
                "重复文本的计数与该名称模型的分词器不符，也不成统一倍数：计数用的是另一种分词器，"
                "或由另一模型应答。",
            )
        case Kind.NO_LINE:
            said = t(
                "repeated texts are counted on no line: one prompt is counted in several ways, or "
                "estimated. Nothing is said of the counts.",
                "重复文本的计数不成直线："
                "同一 prompt 有多种计数方式，或为估算值，故不对计数下结论。",
            )
        case Kind.HIDDEN_PROMPT:
            said = t(
                f"at least {tokens} tokens of every prompt are not explained by what was sent: a "
                "prompt that the gateway or the provider adds, and you pay for.",
                f"每个 prompt 中至少有 {tokens} 个 token 无法由所发送内容解释："
                "网关或供应商附加了 prompt，由你付费。",
            )
        case Kind.STATED_OTHERWISE:
            said = t(
                f"{case}: all {rows} requests state another prompt count than the same text in "
                f"plain requests, {tokens} tokens {way} in all.",
                f"{case}：全部 {rows} 个请求给出的 prompt token 数与相同文本的非流式请求不同，"
                f"合计{weg} {tokens} 个 token。",
            )
        case Kind.OVER_BUDGET:
            said = t(
                f"{case}: all {rows} replies state more output tokens than their budget allows: "
                "the budget is not kept, or the count is not the output's.",
                f"{case}：全部 {rows} 个应答给出的输出 token 数超过其预算："
                "预算未被遵守，或计数与输出不符。",
            )
        case Kind.OFF_PRICE:
            said = t(
                f"already plain replies cost otherwise than the price table says ({paid} {way} "
                f"for {rows} requests): correct the table, or ask the gateway. Other cases are "
                "compared with plain ones of the same usage.",
                f"非流式请求的费用已与价格表不符（{rows} 个请求合计{weg} {paid}）："
                "请更正价格表或向网关确认。其他情形只与用量相同的非流式请求比较。",
            )
        case Kind.CHARGED_OTHERWISE:
            said = t(
                f"{case}: all {rows} requests cost otherwise than their stated tokens, {paid} "
                f"{way} in all, while plain ones do not. Ask the gateway.",
                f"{case}：全部 {rows} 个请求的费用与其给出的 token 数不符，合计{weg} {paid}，"
                "而非流式请求相符。请向网关确认。",
            )
        case Kind.CACHE_NOT_CREDITED:
            said = t(
                f"tokens read from the cache are charged as any others: {rows} requests, {paid} "
                "more in all than the price table says.",
                f"缓存命中的 token 按普通输入计费：{rows} 个请求，合计比价格表多 {paid}。",
            )
        case Kind.REFUSED_CHARGED:
            said = t(
                f"{rows} refused requests state a cost, {paid} in all.",
                f"{rows} 个被拒绝的请求给出了费用，合计 {paid}。",
            )
        case Kind.PRICE_CHANGED:
            said = t(
                "plain replies cost one thing at first and another at last: the price changed "
                "during the run, so nothing is said of money. Run it again.",
                "首尾两次非流式请求的费用不同：测试期间价格有变，故不对费用下结论。请重新测试。",
            )
    return t(f"{model}: {said}", f"{model}：{said}")


def _unknown(t: Words, bill: ModelBill) -> list[str]:
    """What could not be told, and what would tell it."""
    found, seen = [], bill.counter
    if seen is None:
        found.append(
            t("Too little usage is stated to tell who counts.", "usage 不足，无法核对计数。")
        )
    elif seen.tokenizer is None and not seen.no_line:
        found.append(
            t(
                "The model's tokenizer is not known here: a factor by which all counts are "
                "inflated would not be seen.",
                "未内置该模型的分词器数据：若全部计数按同一倍数虚增，此处无法看出。",
            )
        )
    if not bill.stated:
        found.append(
            t(
                "The gateway states no cost: `python -m analysis reconcile` compares its bill.",
                "网关未给出费用：可用 `python -m analysis reconcile` 核对其账单。",
            )
        )
    elif any(one.case in LEFT and one.with_cost < one.sent for one in bill.cases):
        found.append(
            t(
                "What the cancelled requests cost is not stated: `python -m analysis reconcile RUN "
                "--bill CSV` tells what a bill charges for them.",
                "被取消请求的费用未给出：可用 `python -m analysis reconcile RUN --bill CSV` "
                "查看账单如何计费。",
            )
        )
    if bill.several:
        found.append(
            t(
                "Several providers answered, each at its own price: nothing is said of money.",
                "由多家价格不同的供应商应答，故不对费用下结论。",
            )
        )
    elif bill.stated and not bill.priced:
        found.append(
            t(
                "No price is known for this model (`--prices`): only costs of the same usage are "
                "compared.",
                "未提供该模型的价格（`--prices`）：仅比较用量相同的费用。",
            )
        )
    return found


def _table(t: Words, bill: ModelBill) -> Block:
    return table(
        t,
        bill.cases,
        [
            Name("Case", "情形").of(lambda one: t(NAMED[one.case].en, NAMED[one.case].zh)),
            Name("Answered", "已应答").of(lambda one: f"{one.answered} / {one.sent}"),
            Name("Own count, prompt", "自行计数（prompt）").of(lambda one: one.own, _count),
            Name("Stated prompt", "给出的 prompt").of(lambda one: one.prompt, _count),
            Name("Stated output", "给出的输出").of(lambda one: one.completion, _count),
            Name("Of it cached", "其中缓存").of(lambda one: one.cached, _count),
            money(Name("Price x stated", "单价×给出用量"), lambda one: one.priced),
            money(CHARGED, lambda one: one.charged),
            money(Name("Difference", "差额"), lambda one: one.difference),
        ],
        title=bill.model,
        how=t(
            "Sums over the requests of a case. Own count: the line through repeated texts, "
            f"without a tokenizer; the chat format's {CHAT_TOKENS} or so tokens are in it. "
            "Charged: costs that the replies state. Reasoning that is not shown cannot be counted.",
            f"按情形合计。自行计数：由重复文本拟合的直线得出，不用分词器，含 chat 格式的约 "
            f"{CHAT_TOKENS} 个 token。计费：应答中给出的费用。未展示的推理无法核对。",
        ),
    )


def _count(tokens: int | None) -> str:
    return ABSENT if tokens is None else integer(tokens)
