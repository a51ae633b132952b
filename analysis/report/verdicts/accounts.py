"""What became of the budget, and token windows that could not be calibrated."""

from analysis.page.blocks import Remark
from analysis.page.words import integer
from analysis.report.view import View
from recording.events import Accounts, Uncalibrated


def remarks(view: View) -> list[Remark]:
    """What became of the budget, and of token windows that could not be calibrated."""
    t, found = view.t, []
    for event in view.run.events_of(Accounts)[-1:]:
        for unit in ("money", "tokens"):
            said = event.unit(unit)
            if not said:
                continue
            shown = t.money if unit == "money" else integer
            limit, spent = shown(said.limit), shown(said.spent)
            name = t({"money": "Budget", "tokens": "Token budget"}[unit],
                     {"money": "预算", "tokens": "Token 预算"}[unit])  # fmt: skip
            clauses = [
                t(
                    f"{spent} of {limit} used, all attempts included",
                    f"共使用 {spent} / {limit}（含历次尝试）",
                )
            ]
            if said.largest_underestimate > 0:
                most = shown(said.largest_underestimate)
                clauses.append(
                    t(
                        "a request used more than the worst case that was set aside for it, by "
                        f"{most} at most",
                        f"有请求超出为其预留的最坏情况，至多 {most}",
                    )
                )
            if said.unstated:
                clauses.append(
                    t(
                        f"{integer(said.unstated)} requests that state no cost count at their "
                        "worst case",
                        f"{integer(said.unstated)} 个未给出费用的请求按最坏情况计",
                    )
                )
            text = f"{name}{t.colon}{t.clauses(clauses)}{t.stop}"
            if said.spent <= said.limit:
                found.append(Remark("note", text))
            else:
                found.append(Remark("bad", text, t(f"{name} exceeded", f"超出{name}")))
    for window in view.run.events_of(Uncalibrated):
        text = t(
            f"{window.phase}: its calibration states no tokens, so its prompts were sized by the "
            "seed's arithmetic.",
            f"{window.phase}：校准请求未给出 token 数，按原脚本的算法确定 prompt 长度。",
        )
        found.append(Remark("note", text))
    return found
