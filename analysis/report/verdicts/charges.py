"""Whether the same usage cost the same, and whether body and header state the same cost."""

from analysis.numbers.charges import READ, doubles, headers
from analysis.page.blocks import Remark
from analysis.page.words import integer
from analysis.report.view import View


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
            f"headers say {more} {way} in all. Every number here counts the body's: ask the "
            "gateway which one it bills.",
            f"{of} 个应答中有 {count} 个在正文与响应头中给出的费用不同；响应头合计{weg} {more}。"
            "本报告一律以正文为准：请向网关确认以何者计费。",
        )
        found.append(Remark("bad", text))
    twice = doubles(rows)
    if twice.rows:
        # A router sends equal requests to providers of different prices: no fault by itself.
        exact = twice.multiples == twice.rows
        count, of, more = integer(twice.rows), integer(twice.of), t.money(twice.amount)
        why, warum = (
            ("each a whole multiple of the usual charge, as when a request is charged several "
             "times. Ask the gateway", "且均为通常费用的整数倍，与重复计费相符。请向网关确认")
            if exact
            else ("as a router does whose providers have different prices. Where one price was "
                  "agreed, ask the gateway",
                  "路由到不同价格的供应商时属正常；若约定单一价格，请向网关确认")
        )  # fmt: skip
        text = t(
            f"{count} of {of} requests were charged more than others of exactly the same usage, "
            f"{more} more in all, {why}.",
            f"{of} 个请求中有 {count} 个的费用高于用量完全相同的其他请求，合计多 {more}，{warum}。",
        )
        found.append(Remark("bad" if exact else "note", text))
    return found
