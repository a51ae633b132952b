"""What became of the budget, and of token windows that could not be calibrated."""

from analysis.page import Remark
from analysis.sections import View
from analysis.words import integer


def remarks(view: View) -> list[Remark]:
    """What became of the budget, and of token windows that could not be calibrated."""
    t, found = view.t, []
    for event in view.run.events_of("accounts")[-1:]:
        for unit in ("money", "tokens"):
            said = event.get(unit)
            if not said:
                continue
            shown = t.money if unit == "money" else integer
            limit, spent = shown(said["limit"]), shown(said["spent"])
            most = shown(max(0.0, said["largest_underestimate"]))
            name = t({"money": "Budget", "tokens": "Token budget"}[unit],
                     {"money": "预算", "tokens": "Token 预算"}[unit])  # fmt: skip
            text = t(
                f"{name}: {spent} of {limit} used, all attempts included; the worst case that was "
                f"set aside for a request was exceeded by {most} at the most, and "
                f"{said['unstated']} requests that state no cost count at theirs.",
                f"{name}：共使用 {spent} / {limit}（含历次尝试）；"
                f"单个请求超出预留最坏情况至多 {most}，"
                f"{said['unstated']} 个未给出费用的请求按最坏情况计。",
            )
            found.append(Remark("note" if said["spent"] <= said["limit"] else "bad", text))
    for event in view.run.events_of("uncalibrated"):
        text = t(
            f"{event['phase']}: its calibration states no tokens, so its prompts were sized by the "
            "seed's arithmetic.",
            f"{event['phase']}：校准请求未给出 token 数，按原脚本的算法确定 prompt 长度。",
        )
        found.append(Remark("note", text))
    return found
