"""The bill, case by case: sent, stated and charged, with the findings."""

from typing import Any

from analysis.numbers.billing import CaseBill, ModelBill
from analysis.numbers.billing_findings import Kind
from analysis.page.blocks import Block, Remark, Section, Text
from analysis.page.columns import Column, Name, table
from analysis.page.vocabulary import CHARGED, money
from analysis.page.words import ABSENT, Words, integer
from analysis.report.billing_words import sentence
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
        Remark("bad" if one.grave else "note", sentence(t, model, one)) for one in bill.findings
    ]
    if not found and bill.counter is not None and bill.stated:
        text = t(
            f"{model}: no case is counted or charged differently from the others.",
            f"{model}：各种情形的计数与计费一致，未见异常。",
        )
        found.append(Remark("good", text))
    return [*found, *(Text(text) for text in _unknown(t, bill))]


def _unknown(t: Words, bill: ModelBill) -> list[str]:
    """What could not be told, and what would tell it."""
    found, seen = [], bill.counter
    if seen is None:
        found.append(
            t("Too little usage is stated to tell who counts.", "usage 不足，无法核对计数。")
        )
    elif (
        seen.tokenizer is None
        and not seen.no_line
        and not (bill.second is not None and bill.second.compares)
    ):
        found.append(
            t(
                "The model's tokenizer is not known here: a factor by which all counts are "
                "inflated would not be seen.",
                "未内置该模型的分词器数据：若全部计数按同一倍数虚增，此处无法看出。",
            )
        )
    found += [*_beside(t, bill), *_not_provoked(t, bill)]
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
                "--bill CSV` shows what a bill charges for them.",
                "被取消请求的费用未给出：可用 `python -m analysis reconcile RUN --bill CSV` "
                "查看账单如何计费。",
            )
        )
    if bill.several:
        found.append(
            t(
                "Several providers answered, each at its own price: costs are not judged.",
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


def _not_provoked(t: Words, bill: ModelBill) -> list[str]:
    """That no 429 came, and how many requests at once might bring one."""
    limited = next((one for one in bill.cases if one.case == "limited"), None)
    if limited is None or limited.refused or not limited.sent:
        return []
    sent, limit = integer(limited.sent), limited.stated_limit
    en = f"None of {sent} requests at once was refused for the rate limit (429): not provoked."
    zh = f"{sent} 个并发请求中没有一个因限流被拒（429）：未能引出。"
    if limit is not None and limit >= limited.sent:
        en += f" The gateway states a limit of {integer(limit)}: --provoke-429 {limit + 10}."
        zh += f"网关给出的限额为 {integer(limit)}：--provoke-429 {limit + 10}。"
    return [t(en, zh)]


def _beside(t: Words, bill: ModelBill) -> list[str]:
    """Why nothing was concluded of the reference's counts."""
    second = bill.second
    if second is None or second.alike:
        return []
    if not second.told:
        return [
            t(
                "The reference states too little usage to be a second count.",
                "参照方给出的 usage 不足，无法作为第二份计数。",
            )
        ]
    if any(one.kind is Kind.ABOVE_REFERENCE for one in bill.findings):
        return []
    return [
        t(
            "The reference counts repeated texts in another way (another tokenizer, or another "
            "model): its counts are shown, and nothing is concluded from them.",
            "参照方对重复文本的计数方式不同（分词器或模型不同）：仅列出其计数，不据此下结论。",
        )
    ]


def _table(t: Words, bill: ModelBill) -> Block:
    beside = t(
        " Reference: what the route of `--against` states of the same prompts, for as many "
        "requests.",
        " 参照方：`--against` 所指路由对相同 prompt 给出的 token 数，按相同请求数合计。",
    )
    beside = beside if bill.second is not None else ""
    return table(
        t,
        bill.cases,
        [
            Name("Case", "情形").of(lambda one: t(NAMED[one.case].en, NAMED[one.case].zh)),
            Name("Answered", "已应答").of(lambda one: f"{one.answered} / {one.sent}"),
            Name("Own count, prompt", "自行计数（prompt）").of(lambda one: one.own, _count),
            Name("Stated prompt", "给出的 prompt").of(lambda one: one.prompt, _count),
            *(_REFERENCE if bill.second is not None else ()),
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
            "Charged: costs that the replies state. Reasoning that is not shown cannot be counted."
            + beside,
            f"按情形合计。自行计数：由重复文本拟合的直线得出，不用分词器，含 chat 格式的约 "
            f"{CHAT_TOKENS} 个 token。计费：应答中给出的费用。未展示的推理无法核对。" + beside,
        ),
    )


def _count(tokens: int | None) -> str:
    return ABSENT if tokens is None else integer(tokens)


_REFERENCE: tuple[Column[CaseBill, Any], ...] = (
    Name("Reference, prompt", "参照方（prompt）").of(lambda one: one.reference, _count),
    Name("Stated - reference", "给出减参照方").of(lambda one: one.above_reference, _count),
)
