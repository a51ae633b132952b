"""What log-probabilities show, in words."""

from math import ceil

from analysis.page.words import Words, integer
from identity.logprobs import Weights, Why
from identity.looks import Verdict
from identity.reference import Reference


def sentence(t: Words, one: Weights, reference: Reference) -> str:
    """A sentence on the first token's log-probabilities."""
    when = reference.ended[:10]
    if one.why is not None:
        why = {
            Why.ABSENT: t(
                f"the gateway states them in {integer(one.rows)} of {integer(one.asked)} replies",
                f"{integer(one.asked)} 个应答中给出的有 {integer(one.rows)} 个",
            ),
            Why.UNASKED: t("the reference has none", "参照中没有"),
            Why.PROMPT: t(
                "prompts contain tokens that were not sent, or a varying number of tokens, so they "
                "may not be the reference's",
                "prompt 含有未发送的 token，或数目不定，未必与参照的 prompt 相同",
            ),
            Why.OLD: t(
                f"they differ by {one.gap or 0:.3f} nats on average, but the reference of {when} "
                "is hours old, and a date in a chat template has the same effect. Enrol and test "
                "on the same day, or use --against",
                f"平均相差 {one.gap or 0:.3f} nat，但 {when} 的参照已过数小时，"
                "对话模板中的日期也会造成差异；请在同一天建立参照并提问，或使用 --against",
            ),
        }[one.why]
        return t(f"log-probabilities are not judged: {why}.", f"不对对数概率作判断：{why}。")
    least = f"{ceil((one.smallest or 0) * 1000) / 1000:g}"  # never less than would have shown
    gap, most = f"{one.gap or 0:.3f}", f"{one.tolerated or 0:.2f}"
    if one.verdict is Verdict.DIFFERS:
        return t(
            f"log-probabilities of the first token differ from the reference of {when} by {gap} "
            f"nats on average (p = {one.p or 0:.2g}; up to {most} is tolerated). Possible reasons: "
            "quantisation, another model or version, other software or hardware, a hidden prompt "
            "of the same length.",
            f"首个 token 的对数概率与 {when} 的参照平均相差 {gap} nat（p = {one.p or 0:.2g}；"
            f"容许 {most}）。可能的原因：量化、模型或版本不同、软件或硬件不同、"
            "长度相同的隐藏 prompt。",
        )
    return t(
        f"no difference in log-probabilities from the reference of {when} is shown: {gap} nats on "
        f"average. A difference of {least} would have been detected; 8-bit weights often cause "
        "more, but not always.",
        f"首个 token 的对数概率与 {when} 的参照之间未见差异：平均相差 {gap} nat。"
        f"相差 {least} 即会发现；8 位量化的影响往往更大，但不一定。",
    )
