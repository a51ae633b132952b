"""Whether the same usage cost the same, and whether body and header state the same cost."""

from typing import TYPE_CHECKING

from analysis.numbers.charges import READ, Apart, doubles, headers, within
from analysis.page.blocks import Remark
from analysis.page.words import Words, integer
from analysis.report.view import View
from recording.untrusted_text import quoted

if TYPE_CHECKING:
    from pandas import DataFrame

_MOST = 5
"""Providers that are told of, those first that took the most."""


def remarks(view: View) -> list[Remark]:
    """A sentence for each way in which charges disagree; none where they agree."""
    t, found = view.t, list[Remark]()
    rows = view.run.rows.frame(READ)
    stated = headers(rows)
    if stated.rows:
        more = t.money(abs(stated.amount))
        count, of = integer(stated.rows), integer(stated.of)
        way, weg = ("more", "多") if stated.amount > 0 else ("less", "少")
        text = t(
            f"{count} of {of} replies state one cost in the body and another in a header; the "
            f"headers say {more} {way} in all. Every number here uses the body's cost: ask the "
            "gateway which one it bills.",
            f"{of} 个应答中有 {count} 个在正文与应答头中给出的费用不同；应答头合计{weg} {more}。"
            "本报告一律以正文为准：请向网关确认以何者计费。",
        )
        head = t("costs of body and header differ", "正文与应答头的费用不一致")
        found.append(Remark("bad", text, head))
    return [*found, *_doubled(view, rows)]


def _doubled(view: View, rows: "DataFrame") -> list[Remark]:
    """What was charged more than its like: by provider where they are named, else in all."""
    t, routed = view.t, view.routed
    told = sorted(
        ((name, one) for name, one in within(rows).items() if one.rows),
        key=lambda item: -item[1].amount,
    )
    if told:
        return [_of_one(t, name, one, routed=routed) for name, one in told[:_MOST]]
    across = doubles(rows) if routed else Apart(0, 0, 0.0)
    if not across.rows:
        return []
    why = t(
        "Providers with different prices answered them, and none charged one request more than its "
        "others",
        "应答来自价格不同的供应商，同一供应商内未见差异",
    )
    return [Remark("note", _sentence(t, across, "", t(f". {why}.", f"。{why}。")))]


def _of_one(t: Words, name: str, one: Apart, *, routed: bool) -> Remark:
    """The doubles of one provider, or of those that nobody names.

    A router sends equal requests to providers of different prices: no fault by itself.
    """
    exact = one.multiples == one.rows
    if exact and (name or not routed):
        why = t(
            ", each a whole multiple of the usual charge, as when a request is charged several "
            "times. Ask the gateway.",
            "，且均为通常费用的整数倍，与重复计费相符。请向网关确认。",
        )
        head = t("requests charged several times", "重复计费的请求")
        return Remark("bad", _sentence(t, one, name, why), head)
    if exact:
        why = t(
            ", each a whole multiple of the usual charge: they were charged several times, or by "
            "another provider at such a price, which the gateway does not name. Ask it.",
            "，且均为通常费用的整数倍：可能是重复计费，也可能由价格成倍的另一供应商应答"
            "（网关未说明是哪一家）。请向网关确认。",
        )
    else:
        why = t(
            ", as a router does whose providers have different prices. Where one price was "
            "agreed, ask the gateway.",
            "，路由到不同价格的供应商时属正常；若约定单一价格，请向网关确认。",
        )
    return Remark("note", _sentence(t, one, name, why))


def _sentence(t: Words, one: Apart, name: str, why: str) -> str:
    count, of, more = integer(one.rows), integer(one.of), t.money(one.amount)
    by = t(f" by {quoted(name)}", f"由 {quoted(name)} 应答的 ") if name else ""
    return t(
        f"{count} of {of} requests were charged more{by} than others of exactly the same usage, "
        f"{more} more in all{why}",
        f"{by}{of} 个请求中有 {count} 个的费用高于用量完全相同的其他请求，合计多 {more}{why}",
    )
