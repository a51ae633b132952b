"""Whether the model reads long prompts to their end, in words."""

from analysis.page.vocabulary import TOO_FEW_REPLIES
from analysis.page.words import Words, integer
from identity.context import Length, Why
from identity.looks import Verdict


def sentence(t: Words, one: Length) -> str:
    """A sentence on the prompts of one length."""
    size = integer(one.size)
    if one.verdict is Verdict.DIFFERS and one.cut:
        return t(
            f"prompts of {size} tokens are cut: {integer(one.stated or 0)} tokens were stated for "
            f"one, although at least {integer(one.sent or 0)} were sent.",
            f"{size} 个 token 的 prompt 被截断：某次只计 {integer(one.stated or 0)} 个 token，"
            f"而至少发送了 {integer(one.sent or 0)} 个。",
        )
    if one.verdict is Verdict.DIFFERS:
        places = t.join([f"{depth:.0%}" for depth in one.depths])
        return t(
            f"in prompts of {size} tokens, the codes at {places} of the length were never "
            f"recalled ({integer(one.lost)} of {integer(one.codes)} codes in all), although those "
            "in short prompts are: the prompt is cut or compressed, or the model does not read so "
            "far.",
            f"{size} 个 token 的 prompt 中，位于 {places} 处的暗号从未被找到（共 "
            f"{integer(one.codes)} 个暗号，{integer(one.lost)} 个未找到），"
            "而短 prompt 中可以找到：prompt 被截断或压缩，或模型读不到那么长。",
        )
    if one.verdict is Verdict.NOT_SHOWN:
        recalled = integer(one.codes - one.lost)
        text = t(
            f"prompts of {size} tokens are counted whole, and {recalled} of {integer(one.codes)} "
            "codes in them were recalled.",
            f"{size} 个 token 的 prompt 计数完整，"
            f"其中 {integer(one.codes)} 个暗号找到 {recalled} 个。",
        )
        return text + t.gap + _would(t, one.smallest)
    why = {
        Why.UNANSWERED: t(*TOO_FEW_REPLIES),
        Why.REFUSED: t("the gateway refuses them, and says so", "网关明确拒绝"),
        Why.UNRECALLED: t(
            "the codes of short prompts are not recalled either", "短 prompt 中的暗号同样找不到"
        ),
    }[one.why or Why.UNANSWERED]
    return t(
        f"prompts of {size} tokens are not judged: {why}.",
        f"对 {size} 个 token 的 prompt 不作判断：{why}。",
    )


def _would(t: Words, smallest: float | None) -> str:
    if smallest is None:
        return t("So few might not have shown a loss.", "样本太少，丢失未必能发现。")
    return t(
        f"If {smallest:.0%} had been lost, all in one place, this would have been detected with "
        "90 % probability.",
        f"若有 {smallest:.0%} 丢失且集中于某处，则有 90 % 的把握发现。",
    )
