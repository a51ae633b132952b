"""Whether equal usage cost the same, and whether body and header state the same cost."""

from typing import TYPE_CHECKING

from analysis.numbers.charges import READ, Apart, doubles, headers, within
from analysis.page.blocks import Remark
from analysis.page.words import Words, integer
from analysis.report.view import View
from recording.counted import counted
from recording.untrusted_text import quoted

if TYPE_CHECKING:
    from pandas import DataFrame

_MOST = 5
"""The most providers that are reported, those first that charged the most."""


def remarks(view: View) -> list[Remark]:
    """A sentence for each way in which charges disagree; none if they agree."""
    t, verdicts = view.t, list[Remark]()
    rows = view.run.rows.frame(READ)
    in_headers = headers(rows)
    if in_headers.rows:
        more = t.money(abs(in_headers.amount))
        count, of = integer(in_headers.rows), integer(in_headers.of)
        way_en, way_zh = ("more", "多") if in_headers.amount > 0 else ("less", "少")
        text = t(
            f"{count} of {counted(in_headers.of, 'reply')} "
            f"{'states' if in_headers.rows == 1 else 'state'} one cost in the body and another in "
            "a "
            "header; in all, "
            f"the headers state {more} {way_en}. Every number here uses the body's cost: ask the "
            "gateway which one it bills.",
            f"{of} 个应答中有 {count} 个在正文与应答头中给出的费用不同；应答头合计{way_zh} {more}。"
            "本报告一律以正文为准：请向网关确认以何者计费。",
        )
        head = t("costs of body and header differ", "正文与应答头的费用不一致")
        verdicts.append(Remark("bad", text, head))
    return [*verdicts, *_doubled(view, rows)]


def _doubled(view: View, rows: "DataFrame") -> list[Remark]:
    """Requests charged more than others of equal usage, by provider if any is named."""
    t, routed = view.t, view.routed
    charged_more = sorted(
        ((name, charges) for name, charges in within(rows).items() if charges.rows),
        key=lambda item: -item[1].amount,
    )
    if charged_more:
        return [_of_one(t, name, charges, routed=routed) for name, charges in charged_more[:_MOST]]
    across = doubles(rows) if routed else Apart(0, 0, 0.0)
    if not across.rows:
        return []
    why = t(
        "Providers with different prices answered them, and none charged some of its requests more "
        "than others",
        "应答来自价格不同的供应商，同一供应商内未见差异",
    )
    return [Remark("note", _sentence(t, across, "", t(f". {why}.", f"。{why}。")))]


def _of_one(t: Words, name: str, charges: Apart, *, routed: bool) -> Remark:
    """The requests of one provider (`name`; empty: unnamed) that were charged more than others.

    A router sends equal requests to providers with different prices, which is no fault.
    """
    exact = charges.multiples == charges.rows
    if exact and (name or not routed):
        why = t(
            ", each a whole multiple of the usual charge, as when a request is charged several "
            "times. Ask the gateway.",
            "，且均为通常费用的整数倍，与重复计费相符。请向网关确认。",
        )
        head = t("requests charged several times", "有请求被重复计费")
        return Remark("bad", _sentence(t, charges, name, why), head)
    if exact:
        why = t(
            ", each a whole multiple of the usual charge: they were charged several times, or "
            "answered by another provider with such a price, which the gateway does not name. Ask "
            "the gateway.",
            "，且均为通常费用的整数倍：可能是重复计费，也可能由价格成倍的另一供应商应答"
            "（网关未说明是哪一家）。请向网关确认。",
        )
    else:
        why = t(
            ", which is normal for a router whose providers have different prices. If one price "
            "was agreed, ask the gateway.",
            "，路由到不同价格的供应商时属正常；若约定单一价格，请向网关确认。",
        )
    return Remark("note", _sentence(t, charges, name, why))


def _sentence(t: Words, charges: Apart, name: str, why: str) -> str:
    count, of, more = integer(charges.rows), integer(charges.of), t.money(charges.amount)
    by = t(f" by {quoted(name)}", f"由 {quoted(name)} 应答的 ") if name else ""
    return t(
        f"{count} of {counted(charges.of, 'request')} {'was' if charges.rows == 1 else 'were'} "
        f"charged more{by} than others with exactly the same usage, {more} more in all{why}",
        f"{by}{of} 个请求中有 {count} 个的费用高于用量完全相同的其他请求，合计多 {more}{why}",
    )
