"""Whether tools are called as at the reference, in words."""

from analysis.page.vocabulary import TOO_FEW_REPLIES
from analysis.page.words import Words, integer
from identity.looks import Verdict
from identity.tools import Fidelity, Why


def called(t: Words, one: Fidelity) -> str:
    """A sentence on tool calls."""
    of, inexact, invalid = (integer(n) for n in (one.replies, one.inexact, one.invalid))
    if one.why is not None or one.before is None:
        why = {
            Why.UNANSWERED: t(*TOO_FEW_REPLIES),
            Why.UNASKED: t("the reference was made without --identity-tools", "建立参照时未核对"),
            Why.UNABLE: t("the reference calls them wrongly, too", "参照处的调用同样有误"),
        }[one.why or Why.UNASKED]
        return t(f"tool calls are not judged: {why}.", f"对工具调用不作判断：{why}。")
    before, whole = integer(one.before.inexact), integer(one.before.replies)
    said = t(
        f"{inexact} of {of} tool calls have other arguments than were given or none ({invalid} "
        f"break the schema), and {before} of {whole} at the reference",
        f"{of} 个工具调用中有 {inexact} 个参数与给定不符或没有调用（{invalid} 个不合 schema），"
        f"参照为 {before}/{whole}",
    )
    if one.verdict is Verdict.DIFFERS:
        p = "p < 0.0001" if (one.p or 0) < 0.0001 else f"p = {one.p:.2g}"
        return said + t(
            f" ({p}): another model or version, quantisation, or a gateway that rewrites calls.",
            f"（{p}）：模型或版本不同、量化，或网关改写了调用。",
        )
    return said + t(
        f". Had {one.smallest or 0:.0%} been wrong, it would have shown with 90 %.",
        f"。若有 {one.smallest or 0:.0%} 有误，则有 90 % 的把握发现。",
    )
