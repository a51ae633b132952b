"""Whether tools are called as well as at the reference, in words."""

from analysis.page.vocabulary import TOO_FEW_REPLIES
from analysis.page.words import Words, integer
from identity.looks import Verdict
from identity.tools import Fidelity, Why


def sentence(t: Words, fidelity: Fidelity) -> str:
    """A sentence on tool calls."""
    total, inexact, invalid = (
        integer(n) for n in (fidelity.replies, fidelity.inexact, fidelity.invalid)
    )
    if fidelity.why is not None or fidelity.before is None:
        why = {
            Why.UNANSWERED: t(*TOO_FEW_REPLIES),
            Why.UNASKED: t("the reference was made without --identity-tools", "建立参照时未核对"),
            Why.UNABLE: t("the reference calls them wrongly, too", "参照处的调用同样有误"),
        }[fidelity.why or Why.UNASKED]
        return t(f"tool calls are not judged: {why}.", f"对工具调用不作判断：{why}。")
    before, reference_calls = integer(fidelity.before.inexact), integer(fidelity.before.replies)
    text = t(
        f"{inexact} of {total} tool calls are missing or have wrong arguments ({invalid} "
        f"break the schema), and {before} of {reference_calls} at the reference",
        f"{total} 个工具调用中有 {inexact} 个参数与给定不符或没有调用（{invalid} 个不合 schema），"
        f"参照为 {before}/{reference_calls}",
    )
    if fidelity.verdict is Verdict.DIFFERS:
        p = "p < 0.0001" if (fidelity.p or 0) < 0.0001 else f"p = {fidelity.p:.2g}"
        return text + t(
            f" ({p}): another model or version, quantisation, or a gateway that rewrites calls.",
            f"（{p}）：模型或版本不同、量化，或网关改写了调用。",
        )
    return text + t(
        f". If {fidelity.smallest or 0:.0%} had been wrong, this would have been detected with "
        "90 % probability.",
        f"。若有 {fidelity.smallest or 0:.0%} 有误，则有 90 % 的把握发现。",
    )
