"""The bill, case by case: sent, stated and charged, with the findings."""

from dataclasses import replace
from typing import Any

from analysis.numbers.billing import CaseBill, ModelBill
from analysis.numbers.billing_findings import Kind
from analysis.numbers.billing_money import REFUSED
from analysis.page.blocks import Block, Remark, Section, Text
from analysis.page.columns import Column, Name, table
from analysis.page.vocabulary import BILL_BY_CASE, CHARGED, money
from analysis.page.words import ABSENT, Words, integer
from analysis.report.billing_words import sentence
from analysis.report.model_bills import bills
from analysis.report.view import View
from recording.untrusted_text import quoted
from rules.billing_cases import LEFT, NAMED
from rules.token_slopes import CHAT_TOKENS

PLACE = 125  # in the report
_SILENT = ("stream_no_usage", *REFUSED, *LEFT)
"""Cases that need not state anything."""
_LONGEST_CHARS = 160  # of a finding on the first page


def section(view: View) -> Section:
    """For each model the findings in words, then a row per case."""
    t = view.t
    blocks: list[Block] = []
    for bill in bills(view):
        blocks += [*remarks(t, bill), _table(t, bill)]
    return Section(t(*BILL_BY_CASE), blocks)


def first_page(view: View) -> list[Remark]:
    """For each model what was found, or that nothing was; else why nothing could be judged."""
    t = view.t
    findings = list[Remark]()
    for bill in bills(view):
        verdicts = [block for block in remarks(t, bill) if isinstance(block, Remark)]
        if not verdicts:
            why = t.gap.join(reversed(_unknown(t, bill)))  # costs first
            verdicts = [Remark("note", t(f"{bill.model}: {why}", f"{bill.model}：{why}"))]
        findings += [replace(remark, head=_head(t, remark)) for remark in verdicts]
    return findings


def _head(t: Words, remark: Remark) -> str:
    if remark.level == "good":
        return t("no case is counted or charged differently", "各种情形的计数与计费一致")
    return quoted(remark.text, _LONGEST_CHARS).removesuffix(t.stop)


def remarks(t: Words, bill: ModelBill) -> list[Block]:
    """The findings about a model, or that there are none; then what could not be judged."""
    model = bill.model
    blocks: list[Block] = [
        Remark("bad" if finding.grave else "note", sentence(t, model, finding))
        for finding in bill.findings
    ]
    if not blocks and bill.counter is not None and bill.stated:
        text = t(
            f"{model}: as far as replies state it, no case is counted or charged differently from "
            "the others.",
            f"{model}：就应答所给出的而言，各种情形的计数与计费一致，未见异常。",
        )
        blocks.append(Remark("good", text))
    return [*blocks, *(Text(text) for text in _unknown(t, bill))]


def _unknown(t: Words, bill: ModelBill) -> list[str]:
    """What could not be judged, and what would make it possible."""
    sentences, counter = [], bill.counter
    if counter is None:
        sentences.append(
            t("Too little usage is stated to check the counts.", "usage 不足，无法核对计数。")
        )
    elif (
        counter.tokenizer is None
        and not counter.no_line
        and not (bill.second is not None and bill.second.compares)
    ):
        sentences.append(
            t(
                "The model's tokenizer is not known here: if all counts were inflated by the same "
                "factor, it would not be noticed.",
                "未内置该模型的分词器数据：若全部计数按同一倍数虚增，此处无法看出。",
            )
        )
    sentences += [*_left_out(t, bill), *_beside(t, bill), *_not_provoked(t, bill)]
    if not bill.stated:
        sentences.append(
            t(
                "The gateway states no cost: `weighbridge reconcile` compares its bill.",
                "网关未给出费用：可用 `weighbridge reconcile` 核对其账单。",
            )
        )
    elif any(case.case in LEFT and case.with_cost < case.sent for case in bill.cases):
        sentences.append(
            t(
                "The cost of the cancelled requests is not stated: `weighbridge reconcile "
                "RUN --bill CSV` shows what a bill charges for them.",
                "被取消请求的费用未给出：可用 `weighbridge reconcile RUN --bill CSV` "
                "查看账单如何计费。",
            )
        )
    if bill.several:
        sentences.append(
            t(
                "Several providers answered, each at its own price: costs are not judged.",
                "由多家价格不同的供应商应答，因此不对费用下结论。",
            )
        )
    elif bill.stated and not bill.priced:
        sentences.append(
            t(
                "No price is known for this model (`--prices`): only costs of the same usage are "
                "compared.",
                "未提供该模型的价格（`--prices`）：仅比较用量相同的费用。",
            )
        )
    return sentences


def _left_out(t: Words, bill: ModelBill) -> list[str]:
    """The cases that should state their usage, or their cost, and do not."""
    if bill.counter is None:
        return []
    expected = [case for case in bill.cases if case.sent and case.case not in _SILENT]
    uncounted = [case for case in expected if case.prompt is None]
    unpaid = [case for case in expected if case.prompt is not None and not case.with_cost]

    def names(cases: list[CaseBill]) -> tuple[str, str]:
        named = [NAMED[case.case] for case in cases]
        return "; ".join(case.en for case in named), "、".join(case.zh for case in named)

    sentences = []
    if uncounted:
        en, zh = names(uncounted)
        sentences.append(
            t(
                f"Not judged, because no reply with its usage came: {en}.",
                f"未收到给出 usage 的应答，因此不下结论：{zh}。",
            )
        )
    if unpaid and bill.stated:
        en, zh = names(unpaid)
        sentences.append(
            t(
                f"Costs not judged, because no reply states one: {en}.",
                f"应答未给出费用，因此不对其费用下结论：{zh}。",
            )
        )
    return sentences


def _not_provoked(t: Words, bill: ModelBill) -> list[str]:
    """That no request was refused with 429, and how many requests at once might cause that."""
    limited = next((case for case in bill.cases if case.case == "limited"), None)
    if limited is None or limited.refused or not limited.sent:
        return []
    sent, limit = integer(limited.sent), limited.stated_limit
    en = f"None of {sent} simultaneous requests was refused for a rate limit (429): not provoked."
    zh = f"{sent} 个并发请求中没有一个因限流被拒（429）：未能引出。"
    if limit is not None and limit >= limited.sent:
        en += f" The gateway states a limit of {integer(limit)}: --provoke-429 {limit + 10}."
        zh += f"网关给出的限额为 {integer(limit)}：--provoke-429 {limit + 10}。"
    return [t(en, zh)]


def _beside(t: Words, bill: ModelBill) -> list[str]:
    """Why nothing is concluded from the reference's counts; empty if something is."""
    second = bill.second
    if second is None or second.alike:
        return []
    if not second.sufficient:
        return [
            t(
                "The reference states too little usage to be a second count.",
                "参照路由给出的 usage 不足，无法作为第二份计数。",
            )
        ]
    if any(finding.kind is Kind.ABOVE_REFERENCE for finding in bill.findings):
        return []
    return [
        t(
            "The reference counts repeated texts in another way (another tokenizer, or another "
            "model): its counts are shown, and nothing is concluded from them.",
            "参照路由对重复文本的计数方式不同（分词器或模型不同）：仅列出其计数，不据此下结论。",
        )
    ]


def _table(t: Words, bill: ModelBill) -> Block:
    reference = t(
        " Reference: what the route of `--against` states for the same prompts, summed over as "
        "many requests.",
        " 参照路由：`--against` 所指路由对相同 prompt 给出的 token 数，按相同请求数合计。",
    )
    reference = reference if bill.second is not None else ""
    return table(
        t,
        bill.cases,
        [
            Name("Case", "情形").of(lambda case: t(NAMED[case.case].en, NAMED[case.case].zh)),
            Name("Answered", "已应答").of(lambda case: f"{case.answered} / {case.sent}"),
            Name("Own count, prompt", "推算的 prompt").of(lambda case: case.own, _count),
            Name("Stated prompt", "给出的 prompt").of(lambda case: case.prompt, _count),
            *(_REFERENCE if bill.second is not None else ()),
            Name("Stated output", "给出的输出").of(lambda case: case.completion, _count),
            Name("Of which cached", "其中缓存").of(lambda case: case.cached, _count),
            money(Name("Price x stated", "单价 × 给出的用量"), lambda case: case.priced),
            money(CHARGED, lambda case: case.charged),
            money(Name("Difference", "差额"), lambda case: case.difference),
        ],
        title=bill.model,
        how=t(
            "Sums over the requests of a case. Own count: from a line fitted through repeated "
            f"texts, without a tokenizer; it includes about {CHAT_TOKENS} tokens of the chat "
            "format. Charged: costs that the replies state. Hidden reasoning cannot be counted."
            + reference,
            f"按情形合计。推算的 prompt：由重复文本拟合的直线得出，不用分词器，含 chat 格式的约 "
            f"{CHAT_TOKENS} 个 token。计费：应答中给出的费用。未展示的推理无法核对。" + reference,
        ),
    )


def _count(tokens: int | None) -> str:
    return ABSENT if tokens is None else integer(tokens)


_REFERENCE: tuple[Column[CaseBill, Any], ...] = (
    Name("Reference, prompt", "参照路由（prompt）").of(lambda one: one.reference, _count),
    Name("Stated - reference", "给出 − 参照路由").of(lambda one: one.above_reference, _count),
)
