"""Whether long replies are cut, in words."""

from analysis.page.words import Words, integer
from identity.long_reply import LongReply, Why
from identity.looks import Verdict


def sentence(t: Words, one: LongReply, two_routes: bool = False) -> str:
    """A sentence on replies that were allowed to be long; with `two_routes`, the second was asked
    as well and does not cut them so short.
    """
    size, count, of = integer(one.size), integer(one.seen), integer(one.of)
    if one.verdict is Verdict.DIFFERS:
        most = integer(one.tokens or 0)
        text = t(
            f"{count} of {of} long replies were cut at {most} tokens, although {size} were "
            "allowed: the gateway, the provider or the model has an output limit that it does not "
            "state.",
            f"{of} 个长应答中有 {count} 个在 {most} 个 token 处被截断，而请求允许 {size} 个："
            "网关、供应商或模型另有未说明的输出上限。",
        )
        if not one.stated:
            text += t.gap + t(
                "They claim to be finished, but two different lists break off after the same "
                "number of tokens, whatever was allowed.",
                "这些应答自称已完成，但两种不同的列表都在同样多的 token 后中断于中途，"
                "与所允许的数目无关。",
            )  # fmt: skip
        return text + t.gap + _advice(t, most, two_routes)
    if one.verdict is Verdict.NOT_SHOWN:
        full_length = integer(one.of - one.seen)
        text = t(
            f"{full_length} of {of} long replies were as long as was allowed ({size} tokens).",
            f"{of} 个长应答中有 {full_length} 个达到所允许的长度（{size} 个 token）。",
        )
        if one.smallest is None:
            return text
        return text + t.gap + t(
            f"If {one.smallest:.0%} had been cut sooner, this would have been detected with 90 % "
            "probability.",
            f"若有 {one.smallest:.0%} 被提前截断，则有 90 % 的把握发现。",
        )  # fmt: skip
    why = {
        Why.UNANSWERED: t(
            "too few replies came, or their tokens are not stated", "应答太少，或未给出 token 数"
        ),
        Why.REFUSED: t(
            "the gateway refuses so large a budget, and says so", "网关明确拒绝这样大的输出上限"
        ),
        Why.ENDED: t(
            "the model ends such replies by itself before their budget is spent",
            "模型在用完输出上限之前自行结束",
        ),
        Why.UNEVEN: t(
            "they were cut at several lengths, as reasoning that is neither shown nor counted does",
            "应答在不同长度处被截断，未展示也未计数的推理也会造成这种情况",
        ),
        Why.BESIDE: t(
            f"they are cut at {integer(one.tokens or 0)} tokens, but over the second route as well",
            f"应答在 {integer(one.tokens or 0)} 个 token 处被截断，但第二条路由同样如此",
        ),
    }[one.why or Why.UNANSWERED]
    return t(f"long replies are not judged: {why}.", f"对长应答不作判断：{why}。")


def _advice(t: Words, most: str, two_routes: bool) -> str:
    """What to do about a limit."""
    if two_routes:
        return t(
            f"The second route allows more: ask for at most {most} tokens here, or have the "
            "gateway's limit raised.",
            f"第二条路由允许更多：经由本网关请勿要求超过 {most} 个 token，或请网关提高上限。",
        )
    return t(
        f"Ask for at most {most} tokens here; whether the vendor's own API gives more is shown by "
        "the same test with --against.",
        f"经由本网关请勿要求超过 {most} 个 token；加上 --against 再测一次，"
        "可知供应商自己的 API 是否允许更多。",
    )
