"""How a gateway counts and charges differently from OpenAI: once per model, not as an alarm."""

from analysis.page.blocks import Remark
from analysis.page.words import integer
from analysis.report.view import View
from recording.counted import counted
from recording.exact_amount import money_sum
from recording.untrusted_text import quoted

_WHOLE = {
    "reasoning": ("reasoning tokens outside the completion", "推理 token 在 completion 之外"),
    "cached": ("cached tokens outside the prompt", "缓存命中的 token 在 prompt 之外"),
    "cache_write": ("cache writes outside the prompt", "写入缓存的 token 在 prompt 之外"),
}


def remarks(view: View) -> list[Remark]:
    """The conventions of each model's usage, and what is charged to the operator's own key."""
    columns = ["model_requested", "tokens_beside", "upstream_cost"]
    frame = view.run.rows.frame(columns)
    notes, t = [], view.t
    beside = frame.dropna(subset=["tokens_beside"])
    for model, rows in beside.groupby("model_requested", sort=False, observed=True):
        names = sorted({name for text in rows["tokens_beside"].unique() for name in text.split()})
        known = [_WHOLE[name] for name in names if name in _WHOLE]
        count, who = integer(len(rows)), quoted(str(model))
        text = t(
            f"{who} counts {t.join([en for en, _ in known])} ({counted(len(rows), 'row')}): costs "
            "by the price table, hit rates and sums take that into account.",
            f"{who} 的计数方式：{t.join([zh for _, zh in known])}（{count} 行）；"
            "按价格表的费用、命中率与合计均据此计算。",
        )
        notes.append(Remark("note", text))
    own_key = frame.dropna(subset=["upstream_cost"])
    for model, rows in own_key.groupby("model_requested", sort=False, observed=True):
        count, who = integer(len(rows)), quoted(str(model))
        paid = t.exact_money(money_sum(rows["upstream_cost"]))
        text = t(
            f"{who}: {counted(len(rows), 'request was', 'requests were')} answered with your own "
            f"key at the provider, which charges {paid} for this. No cost in this report includes "
            "that.",
            f"{who}：{count} 个请求使用了你自己的供应商密钥，供应商另收 {paid}，"
            "本报告的各项费用均不含此数。",
        )
        notes.append(Remark("note", text))
    return notes
