"""The result of mode identity, in words: findings with their reasons, never a score.

"Differs" is never "another model": several reasons fit, all are named, none is chosen.
"""

from datetime import datetime

from analysis.page.words import Words, integer
from identity.counting import TEMPLATE_TOKENS, TOLERATED_TOKENS, Counting, Kind
from identity.looks import SELF_ALPHA, Audit, Verdict, Why
from identity.power import SHARED, Seen
from identity.reference import OLD_DAYS, Reference
from identity.tokenizers import TITLES
from recording.untrusted_text import quoted


def counted(t: Words, found: Counting, input_price: float | None = None) -> str:
    """Who counts, in words; `input_price`: money per million prompt tokens, where it is known."""
    own = "/".join(f"{slope:g}" for slope in found.slopes)
    theirs = "/".join(str(slope) for slope in found.expected)
    family = t(*TITLES[found.family]) if found.family else ""
    match found.kind:
        case Kind.CLAIMED:
            said = t(
                f"tokens are counted as {family} counts them (3 of 3 texts, exact).",
                f"token 计数与 {family} 完全一致（3/3 个文本，精确）。",
            )
        case Kind.REFERENCE:
            said = t(
                "repeated texts are counted as at the reference (3 of 3 texts, exact).",
                "重复文本的计数与参照完全一致（3/3 个文本，精确）。",
            )
        case Kind.OTHER:
            said = t(
                f"the claimed model's tokenizer would state {theirs} tokens a repeat; {own} were "
                f"stated, as {family} counts. The gateway counts with another tokenizer than the "
                "model's; that the model is another one is the simplest explanation, not the only "
                "one.",
                f"所称模型的分词器每次重复应计 {theirs} 个 token，实际给出 {own}，"
                f"与 {family} 相符。"
                "网关计数所用的分词器与该模型不同；最简单的解释是模型不同，但并非唯一解释。",
            )
        case Kind.INFLATED if found.factor is not None:
            low, high = found.factor
            said = t(
                f"every text is stated as {low:.3f} to {high:.3f} times what the claimed model's "
                f"tokenizer counts ({own} tokens a repeat, not {theirs}).",
                f"各文本给出的计数均为所称模型分词器的 {low:.3f} 至 {high:.3f} 倍"
                f"（每次重复 {own} 个 token，而非 {theirs}）。",
            )
        case Kind.NOT_REFERENCE:
            said = t(
                f"the reference counts {theirs} tokens a repeat, this route {own}: the counts are "
                "not of one tokenizer.",
                f"参照每次重复计 {theirs} 个 token，本线路计 {own}：两者计数并非出自同一分词器。",
            )
        case Kind.VARIES:
            listed = t.join([integer(n) for n in found.varying])
            said = t(
                f"one and the same request was counted as {listed} tokens: a hidden prompt that "
                "changes (one with the time of day, say), or several counters. Not judged.",
                f"完全相同的请求被计为 {listed} 个 token："
                "可能有会变化的隐藏 prompt（如含当前时间），"
                "也可能有多个计数器。不作判断。",
            )
        case Kind.NO_KNOWN | Kind.INFLATED:
            said = t(
                f"{own} tokens a repeat were stated where the claimed model's tokenizer states "
                f"{theirs}: no tokenizer known here counts so, and no one factor explains it.",
                f"每次重复给出 {own} 个 token，而所称模型的分词器应为 {theirs}："
                "已知分词器均不如此计数，也无法用统一倍数解释。",
            )
        case Kind.UNCLAIMED:
            like = t(f" So counts {family}.", f"与 {family} 相符。") if family else ""
            said = t(
                f"the tokenizer of a model of that name is not known here; {own} tokens a repeat "
                f"were stated.{like} A reference would tell more.",
                f"未内置该名称模型的分词器；每次重复给出 {own} 个 token。{like}"
                "有参照才能进一步判断。",
            )
        case Kind.NOT_STATED:
            said = t(
                "too few prompt tokens are stated to tell who counts.",
                "给出的 prompt token 数过少，无法判断由谁计数。",
            )
    return said + _unsent(t, found, input_price)


def _unsent(t: Words, found: Counting, input_price: float | None) -> str:
    def each(tokens: int) -> str:
        if input_price is None:
            return ""
        money = t.money(tokens * input_price / 1e6)
        return t(f" ({money} per request)", f"（每个请求 {money}）")

    if found.beyond is not None and found.beyond > TOLERATED_TOKENS:
        return t(
            f" Every request carries {integer(found.beyond)} input tokens more than at the "
            f"reference{each(found.beyond)}: a hidden prompt or padded counting; the count alone "
            "cannot tell which.",
            f"每个请求比参照多 {integer(found.beyond)} 个输入 token{each(found.beyond)}："
            "或有隐藏 prompt，或计数有附加；仅凭计数无法区分。",
        )
    more = ""
    if found.unsent is not None and found.unsent > TEMPLATE_TOKENS:
        more = t(
            f" {integer(found.unsent)} input tokens of every request are not explained by what was "
            f"sent{each(found.unsent)}: a hidden prompt, a template of the model's own, or padded "
            "counting.",
            f"每个请求有 {integer(found.unsent)} 个输入 token 无法由所发送内容解释"
            f"{each(found.unsent)}："
            "可能是隐藏 prompt、模型自身的模板，或计数有附加。",
        )
    if found.streamed:
        apart, way = integer(abs(found.streamed)), found.streamed > 0
        more += t(
            f" Streams state {apart} tokens {'more' if way else 'less'} for the same text.",
            f"相同文本的流式请求{'多' if way else '少'}计 {apart} 个 token。",
        )
    return more


def answered(t: Words, found: Audit, reference: Reference, seen: Seen | None) -> str:
    """Who answers, in words."""
    when, host = reference.ended[:10], quoted(reference.host, 60)
    if found.verdict is Verdict.DIFFERS:
        look = found.looks[-1]
        effect = f"{look.spread.effect:.2f}" if look.spread is not None else "-"
        return t(
            f"answers differ from the reference of {when} over {host} ({_p(look.p)} at "
            f"{look.rounds} answers a question; effect {effect}; {look.strays} of {look.answers} "
            f"fixed answers came otherwise; self-check {_p(found.self_p)}). Possible reasons: "
            "another model or version, some answers from elsewhere, quantisation, a hidden prompt, "
            "other sampling settings, a guardrail.",
            f"答案与 {when} 经 {host} 建立的参照有差异（每题 {look.rounds} 个答案时 "
            f"{_p(look.p)}；效应量 {effect}；"
            f"固定答案 {look.answers} 个中有 {look.strays} 个不同；"
            f"参照自检 {_p(found.self_p)}）。"
            "可能的原因：模型或版本不同、部分应答来自别处、量化、"
            "隐藏 prompt、采样参数不同、内容防护。",
        ) + _changed(t, found)
    if found.verdict is Verdict.NOT_SHOWN:
        return (
            t(
                f"no difference from the reference of {when} over {host} shown in "
                f"{integer(found.answered)} answers. ",
                f"{integer(found.answered)} 个答案与 {when} 经 {host} 建立的参照之间未见差异。",
            )
            + _would(t, seen)
            + _changed(t, found)
        )
    thinks = t(
        f" (of {integer(found.thought)}, because the model thinks until its budget is spent)",
        f"（其中 {integer(found.thought)} 个因模型先思考而用尽输出预算）",
    )
    whys = {
        Why.UNPAIRED: t(
            f"{integer(found.asked - found.answered)} of {integer(found.asked)} questions have no "
            "answer over both routes",
            f"{integer(found.asked)} 个问题中有 {integer(found.asked - found.answered)} 个"
            "未在两条线路上都得到答案",
        )
        + (thinks if found.thought else ""),
        Why.REFERENCE: t(
            f"the reference differs from itself ({_p(found.self_p)}, at most {SELF_ALPHA:g}): "
            "it can judge nobody",
            f"参照自身前后不一致（{_p(found.self_p)}，不超过 {SELF_ALPHA:g}），不能作为依据",
        ),
        Why.UNANSWERED: t(
            f"{integer(found.asked - found.answered)} of {integer(found.asked)} questions have no "
            "answer of their own (errors, or earlier replies that came again)",
            f"{integer(found.asked)} 个问题中有 {integer(found.asked - found.answered)} 个"
            "没有自己的答案（出错，或重复返回了先前的应答）",
        ),
        Why.THINKS: t(
            "the model thinks before each answer, until its budget is spent",
            "模型在作答前先思考，输出预算因此用尽",
        ),
        Why.UNFINISHED: t(
            f"only {integer(found.asked)} questions were asked, which show no difference so far",
            f"只问了 {integer(found.asked)} 个问题，迄今未见差异",
        ),
    }
    why = whys[found.why or Why.UNFINISHED]
    return t(f"answers are not judged: {why}.", f"不对答案作判断：{why}。")


def _changed(t: Words, found: Audit) -> str:
    """A sentence if the second route's own answers changed while both were asked."""
    if found.self_p > SELF_ALPHA:
        return ""
    said = t(
        f"The second route's own answers changed during the run ({_p(found.self_p)}). Both routes "
        "were asked in pairs, so that a change of both is no difference; a new version that "
        "reaches one of them first is.",
        f"运行期间第二条线路自身的答案有变化（{_p(found.self_p)}）。两条线路成对提问，"
        "因此同时变化不算差异；若新版本先到达其中一条，则算。",
    )
    return t.gap + said


def _p(value: float) -> str:
    return "p < 0.0001" if value < 0.0001 else f"p = {value:.2g}"


def _would(t: Words, seen: Seen | None) -> str:
    """Which differences the run would have shown."""
    found = []
    if seen is not None and seen.swapped is not None:
        found.append(
            t(
                f"Had {seen.swapped:.0%} of the answers come from a model that shares "
                f"{SHARED:.0%} of the fixed answers, this run would have shown it with 90 %.",
                f"若有 {seen.swapped:.0%} 的答案来自另一个与其共享 {SHARED:.0%} 固定答案的模型，"
                "本次测试有 90 % 的把握发现。",
            )
        )
    if seen is not None and seen.moved is not None:
        found.append(
            t(
                f"So it would, had {seen.moved:.0%} of the answers to open questions come out as "
                "another word.",
                f"若有 {seen.moved:.0%} 的开放题答案变成另一个词，同样有 90 % 的把握发现。",
            )
        )
    if not found:
        return t("It could have shown no difference at all.", "本次测试本就无法发现差异。")
    found.append(
        t(
            "8-bit against 16-bit weights would not have been seen.",
            "8 位与 16 位权重之间的差异无法看出。",
        )
    )
    return t.gap.join(found)


def limits(t: Words) -> str:
    """What no verdict on the page can say."""
    return t(
        "A fit proves no model: a gateway can count with one tokenizer and send another model's "
        "answers. Reasoning that is not shown cannot be counted by anybody outside.",
        "计数相符不能证明模型身份：网关可以用某一分词器计数而返回另一模型的应答。"
        "未展示的推理，外部无法核对。",
    )


def age(t: Words, reference: Reference, began: datetime | None) -> str:
    """A sentence if the reference was old when the run began; empty: it was not, or its age is
    unknown."""
    days = 0.0 if began is None or began.tzinfo is None else reference.age_days(began)
    if days <= OLD_DAYS:
        return ""
    return t(
        f"The reference was {days:.0f} days old: the model may have a new version since.",
        f"参照建立于 {days:.0f} 天前，其间模型可能已更换版本。",
    )
