"""Whether the same usage cost the same, and whether body and header state the same cost."""

from analysis.charges import READ, doubles, headers
from analysis.page import Remark
from analysis.sections import View
from analysis.words import integer


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
        text = t(
            f"{integer(twice.rows)} of {integer(twice.of)} requests were charged more than others "
            f"of exactly the same usage, {t.money(twice.amount)} more in all: charged "
            "twice, or served by a dearer provider. Ask the gateway which.",
            f"{integer(twice.of)} 个请求中有 {integer(twice.rows)} 个的费用高于用量完全相同的"
            "其他请求，"
            f"合计多 {t.money(twice.amount)}：可能重复计费，或由更贵的供应商提供。请向网关确认。",
        )
        found.append(Remark("bad", text))
    return found
