"""How a gateway counts and charges differently from OpenAI: once per model, not as an alarm."""

from analysis.page.blocks import Remark
from analysis.page.words import integer
from analysis.report.view import View
from recording.untrusted_text import quoted

_WHOLE = {
    "reasoning": ("reasoning tokens beside the completion", "推理 token 在 completion 之外"),
    "cached": ("cached tokens beside the prompt", "缓存命中的 token 在 prompt 之外"),
    "cache_write": ("cache writes beside the prompt", "写入缓存的 token 在 prompt 之外"),
}


def remarks(view: View) -> list[Remark]:
    """The conventions of each model's usage, and what is charged to the operator's own key."""
    columns = ["model_requested", "tokens_beside", "upstream_cost"]
    frame = view.run.rows.frame(columns)
    found, t = [], view.t
    told = frame.dropna(subset=["tokens_beside"])
    for model, mine in told.groupby("model_requested", sort=False, observed=True):
        names = sorted({name for text in mine["tokens_beside"].unique() for name in text.split()})
        known = [_WHOLE[name] for name in names if name in _WHOLE]
        count, who = integer(len(mine)), quoted(str(model))
        text = t(
            f"{who} counts {t.join([en for en, _ in known])} ({count} rows): costs by a price "
            "table, hit rates and sums take that into account.",
            f"{who} 的计数方式：{t.join([zh for _, zh in known])}（{count} 行）；"
            "按价格表的费用、命中率与合计均据此计算。",
        )
        found.append(Remark("note", text))
    own = frame.dropna(subset=["upstream_cost"])
    for model, mine in own.groupby("model_requested", sort=False, observed=True):
        count, who = integer(len(mine)), quoted(str(model))
        paid = t.money(float(mine["upstream_cost"].sum()))
        text = t(
            f"{who}: {count} requests were answered with your own key at the provider, which "
            f"charges {paid} for them. No cost in this report includes that.",
            f"{who}：{count} 个请求使用了你自己的提供商密钥，提供商另收 {paid}，"
            "本报告的各项费用均不含此数。",
        )
        found.append(Remark("note", text))
    return found
