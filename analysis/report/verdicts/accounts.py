"""How much of the budget was used, and token windows that could not be calibrated."""

from analysis.page.blocks import Remark
from analysis.page.words import integer
from analysis.report.view import View
from recording.counted import counted
from recording.events import Accounts, Uncalibrated

_UNSTATED = (
    "request that states no cost counts at its", "requests that state no cost count at their"
)  # fmt: skip


def remarks(view: View) -> list[Remark]:
    """A remark on each budget of the run, and on each token window that was not calibrated."""
    t, verdicts = view.t, []
    for event in view.run.events_of(Accounts)[-1:]:
        for unit in ("money", "tokens"):
            account = event.unit(unit)
            if not account:
                continue
            as_text = t.money if unit == "money" else integer
            limit, spent = as_text(account.limit), as_text(account.spent)
            name = t({"money": "Budget", "tokens": "Token budget"}[unit],
                     {"money": "预算", "tokens": "Token 预算"}[unit])  # fmt: skip
            clauses = [
                t(
                    f"{spent} of {limit} used, all attempts included",
                    f"共使用 {spent} / {limit}（含历次尝试）",
                )
            ]
            if account.largest_underestimate > 0:
                most = as_text(account.largest_underestimate)
                clauses.append(
                    t(
                        "at least one request used more than the worst case reserved for it, by up "
                        f"to {most}",
                        f"有请求超出为其预留的最坏情况，至多 {most}",
                    )
                )
            if account.unstated:
                clauses.append(
                    t(
                        f"{counted(int(account.unstated), *_UNSTATED)} worst case",
                        f"{integer(account.unstated)} 个未给出费用的请求按最坏情况计",
                    )
                )
            text = f"{name}{t.colon}{t.clauses(clauses)}{t.stop}"
            if account.spent <= account.limit:
                verdicts.append(Remark("note", text))
            else:
                verdicts.append(Remark("bad", text, t(f"{name} exceeded", f"超出{name}")))
    for window in view.run.events_of(Uncalibrated):
        text = t(
            f"{window.phase}: the calibration requests stated no tokens, so the prompts were sized "
            "by the original script's arithmetic.",
            f"{window.phase}：校准请求未给出 token 数，按原脚本的算法确定 prompt 长度。",
        )
        verdicts.append(Remark("note", text))
    return verdicts
