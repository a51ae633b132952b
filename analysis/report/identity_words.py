"""The result of mode identity, in words: findings with their reasons, never a score.

"Differs" never means "another model": several reasons fit, all are named and none is chosen.
"""

from datetime import datetime

from analysis.page.identity_parts import filtered
from analysis.page.words import Words, integer, spaced
from identity.counting import TEMPLATE_TOKENS, TOLERATED_TOKENS, Counting, Kind
from identity.looks import SELF_ALPHA, Audit, Verdict, Why
from identity.power import SHARED, Detectable
from identity.reference import OLD_DAYS, Reference
from identity.tokenizers import TITLES
from recording.untrusted_text import quoted


def counting_sentence(t: Words, counting: Counting, input_price: float | None = None) -> str:
    """Whose tokenizer counts; `input_price` is per million prompt tokens (None: unknown)."""
    slopes = "/".join(f"{slope:g}" for slope in counting.slopes)
    theirs = "/".join(str(slope) for slope in counting.expected)
    family = t(*TITLES[counting.family]) if counting.family else ""
    match counting.kind:
        case Kind.CLAIMED:
            text = t(
                f"tokens are counted as {family} counts them (3 of 3 texts, exact).",
                f"token 计数与{spaced(family)}完全一致（3/3 个文本，精确）。",
            )
        case Kind.REFERENCE:
            text = t(
                "repeated texts are counted as the reference counts them (3 of 3 texts, exact).",
                "重复文本的计数与参照完全一致（3/3 个文本，精确）。",
            )
        case Kind.OTHER:
            text = t(
                f"the claimed model's tokenizer would state {theirs} tokens per repeat; {slopes} "
                f"were stated, as {family} counts. The gateway does not count with the model's "
                "tokenizer; a different model is the simplest explanation, but not the only one.",
                f"所称模型的分词器每次重复应计 {theirs} 个 token，实际给出 {slopes}，"
                f"与{spaced(family)}相符。"
                "网关计数所用的分词器与该模型不同；最简单的解释是模型不同，但并非唯一解释。",
            )
        case Kind.INFLATED if counting.factor is not None:
            low, high = counting.factor
            text = t(
                f"for every text, {low:.3f} to {high:.3f} times as many tokens are stated as the "
                f"claimed model's tokenizer counts ({slopes} per repeat, not {theirs}).",
                f"各文本给出的计数均为所称模型分词器的 {low:.3f} 至 {high:.3f} 倍"
                f"（每次重复 {slopes} 个 token，而非 {theirs}）。",
            )
        case Kind.NOT_REFERENCE:
            text = t(
                f"the reference counts {theirs} tokens per repeat, this route {slopes}: the counts "
                "are not from the same tokenizer.",
                f"参照每次重复计 {theirs} 个 token，本路由计 "
                f"{slopes}：两者计数并非出自同一分词器。",
            )
        case Kind.VARIES:
            listed = t.join([integer(n) for n in counting.varying])
            text = t(
                f"identical requests were counted as {listed} tokens: a hidden prompt that "
                "changes (one with the time of day, say), or several counters. Not judged.",
                f"完全相同的请求被计为 {listed} 个 token："
                "可能有会变化的隐藏 prompt（如含当前时间），"
                "也可能有多个计数器。不作判断。",
            )
        case Kind.NO_KNOWN | Kind.INFLATED:
            text = t(
                f"{slopes} tokens per repeat were stated where the claimed model's tokenizer "
                f"states {theirs}: no tokenizer known here counts like that, and no single factor "
                "explains it.",
                f"每次重复给出 {slopes} 个 token，而所称模型的分词器应为 {theirs}："
                "已知分词器均不如此计数，也无法用统一倍数解释。",
            )
        case Kind.UNCLAIMED:
            like = t(f" So does {family}.", f"与{spaced(family)}相符。") if family else ""
            text = t(
                f"no tokenizer is known here for a model of that name; the gateway states {slopes} "
                f"tokens per repeat.{like} A reference would tell more.",
                f"未内置该名称模型的分词器；每次重复给出 {slopes} 个 token。{like}"
                "有参照才能进一步判断。",
            )
        case Kind.NOT_STATED:
            text = t(
                "too few requests state prompt tokens to tell which tokenizer counts.",
                "给出的 prompt token 数过少，无法判断由谁计数。",
            )
    return text + _unsent(t, counting, input_price)


def _unsent(t: Words, count: Counting, input_price: float | None) -> str:
    def each(tokens: int) -> str:
        if input_price is None:
            return ""
        money = t.money(tokens * input_price / 1e6)
        return t(f" ({money} per request)", f"（每个请求 {money}）")

    if count.beyond is not None and count.beyond > TOLERATED_TOKENS:
        return t(
            f" Every request carries {integer(count.beyond)} input tokens more than at the "
            f"reference{each(count.beyond)}: a hidden prompt or padded counting; the count alone "
            "cannot tell which.",
            f"每个请求比参照多 {integer(count.beyond)} 个输入 token{each(count.beyond)}："
            "或有隐藏 prompt，或计数有附加；仅凭计数无法区分。",
        )
    more = ""
    if count.unsent is not None and count.unsent > TEMPLATE_TOKENS:
        more = t(
            f" {integer(count.unsent)} input tokens of every request are not explained by what was "
            f"sent{each(count.unsent)}: a hidden prompt, a template of the model's own, or padded "
            "counting.",
            f"每个请求有 {integer(count.unsent)} 个输入 token 无法由所发送内容解释"
            f"{each(count.unsent)}："
            "可能是隐藏 prompt、模型自身的模板，或计数有附加。",
        )
    if count.streamed:
        apart, way = integer(abs(count.streamed)), count.streamed > 0
        more += t(
            f" Streams state {apart} tokens {'more' if way else 'less'} for the same text.",
            f"相同文本的流式请求{'多' if way else '少'}计 {apart} 个 token。",
        )
    return more


def answers_sentence(t: Words, audit: Audit, reference: Reference, power: Detectable | None) -> str:
    """Whether the answers are those of the reference; `power` says what would have been seen."""
    when, host = reference.ended[:10], quoted(reference.host, 60)
    if audit.verdict is Verdict.DIFFERS:
        return _differing(t, audit, when, host) + _filtered(t, audit) + _changed(t, audit)
    if audit.verdict is Verdict.NOT_SHOWN:
        return (
            t(
                f"no difference from the reference of {when} over {host} is shown in "
                f"{integer(audit.answered)} answers. ",
                f"{integer(audit.answered)} 个答案与 {when} 经 {host} 建立的参照之间未见差异。",
            )
            + _would(t, power)
            + _filtered(t, audit)
            + _changed(t, audit)
        )
    thinks = t(
        f" (of {integer(audit.thought)}, because the model thinks until its budget is spent)",
        f"（其中 {integer(audit.thought)} 个因模型先思考而用满输出上限）",
    )
    whys = {
        Why.UNPAIRED: t(
            f"{integer(audit.asked - audit.answered)} of {integer(audit.asked)} questions have no "
            "answer over both routes",
            f"{integer(audit.asked)} 个问题中有 {integer(audit.asked - audit.answered)} 个"
            "未在两条路由上都得到答案",
        )
        + (thinks if audit.thought else ""),
        Why.REFERENCE: t(
            f"the reference differs from itself ({_p(audit.self_p)}, at most {SELF_ALPHA:g}), so "
            "nothing can be judged by it",
            f"参照自身前后不一致（{_p(audit.self_p)}，不超过 {SELF_ALPHA:g}），不能作为依据",
        ),
        Why.UNANSWERED: t(
            f"{integer(audit.asked - audit.answered)} of {integer(audit.asked)} questions have no "
            "answer of their own (errors, or repeated earlier replies)",
            f"{integer(audit.asked)} 个问题中有 {integer(audit.asked - audit.answered)} 个"
            "没有自己的答案（出错，或重复返回了先前的应答）",
        ),
        Why.THINKS: t(
            "the model thinks before each answer, until its budget is spent",
            "模型在作答前先思考，用满了输出上限",
        ),
        Why.UNFINISHED: t(
            f"only {integer(audit.asked)} questions were asked, which show no difference so far",
            f"只问了 {integer(audit.asked)} 个问题，迄今未见差异",
        )
        if audit.asked
        else t("no question was asked", "未提问任何问题"),
        Why.FILTERED: t(
            f"a content filter withheld answers to {integer(len(audit.filtered))} questions, and "
            "too few others are left",
            f"有 {integer(len(audit.filtered))} 个问题的答案曾被内容过滤拦截，其余问题过少",
        ),
        Why.REPEATED: t(
            "no question ever got a second answer, although the reference has several for some of "
            "them: a response cache that gives old replies new ids, or a temperature that is not "
            "honoured",
            "每个问题的答案从不变化，而参照中有些问题有多种答案："
            "可能是应答缓存为旧应答换了新 id，也可能是温度未生效",
        ),
    }
    why = whys[audit.why or Why.UNFINISHED]
    return t(f"answers are not judged: {why}.", f"不对答案作判断：{why}。")


def _differing(t: Words, audit: Audit, when: str, host: str) -> str:
    """What differs, in numbers of answers, then how likely chance is, then every reason."""
    last_look = audit.looks[-1]
    facts = list[str]()
    if last_look.answers:
        facts.append(
            t(
                f"{integer(last_look.strays)} of {integer(last_look.answers)} fixed answers were "
                f"different ({integer(last_look.before)} of {integer(last_look.whole)} at the "
                "reference)",
                f"固定答案 {integer(last_look.answers)} 个中有 {integer(last_look.strays)} 个不同"
                f"（参照为 {integer(last_look.before)}/{integer(last_look.whole)}）",
            )
        )
    if last_look.spread is not None:
        share = max(0.0, last_look.spread.effect)
        facts.append(
            t(
                f"about {share:.0%} of the answers to open questions are other words than there, "
                "beyond what chance explains",
                f"开放题答案中约有 {share:.0%} 与参照用词不同，超出偶然所能解释的范围",
            )
        )
    return t(
        f"answers differ from the reference of {when} over {host}: {t.clauses(facts)}. Chance "
        f"alone would hardly show that ({_p(last_look.p)} at {integer(last_look.rounds)} answers "
        f"per question; the reference's own halves: {_p(audit.self_p)}). Possible reasons: another "
        "model or version, some answers from elsewhere, a response cache, quantisation, a hidden "
        "prompt, other sampling settings, a guardrail.",
        f"答案与 {when} 经 {host} 建立的参照有差异：{t.clauses(facts)}。"
        f"仅凭偶然几乎不会如此（每题 {integer(last_look.rounds)} 个答案时 {_p(last_look.p)}；"
        f"参照自身前后两半 {_p(audit.self_p)}）。"
        "可能的原因：模型或版本不同、部分应答来自别处、应答缓存、量化、"
        "隐藏 prompt、采样参数不同、内容防护。",
    )


def _filtered(t: Words, audit: Audit) -> str:
    """A sentence if questions are left out because of a content filter; else empty."""
    return t.gap + filtered(t, len(audit.filtered)) if audit.filtered else ""


def _changed(t: Words, audit: Audit) -> str:
    """A sentence if the second route's own answers changed during the run; else empty."""
    if audit.self_p > SELF_ALPHA:
        return ""
    text = t(
        f"The second route's own answers changed during the run ({_p(audit.self_p)}). Both routes "
        "were asked in pairs, so a change on both is no difference, but a new version that reaches "
        "one of them first is.",
        f"运行期间第二条路由自身的答案有变化（{_p(audit.self_p)}）。两条路由成对提问，"
        "因此同时变化不算差异；若新版本先到达其中一条，则算。",
    )
    return t.gap + text


def _p(value: float) -> str:
    return "p < 0.0001" if value < 0.0001 else f"p = {value:.2g}"


def _would(t: Words, power: Detectable | None) -> str:
    """Which differences the run would have shown."""
    sentences = []
    if power is not None and power.swapped is not None:
        sentences.append(
            t(
                f"If {power.swapped:.0%} of the answers had come from a model that shares "
                f"{SHARED:.0%} of the fixed answers, this run would have detected it with 90 % "
                "probability.",
                f"若有 {power.swapped:.0%} 的答案来自另一个与其共享 {SHARED:.0%} 固定答案的模型，"
                "本次测试有 90 % 的把握发现。",
            )
        )
    if power is not None and power.moved is not None:
        sentences.append(
            t(
                f"The same holds if {power.moved:.0%} of the answers to open questions had been "
                "another word.",
                f"若有 {power.moved:.0%} 的开放题答案变成另一个词，同样有 90 % 的把握发现。",
            )
        )
    if not sentences:
        return t("This run could not have detected any difference.", "本次测试本就无法发现差异。")
    sentences.append(
        t(
            "A difference between 8-bit and 16-bit weights would not have been detected.",
            "8 位与 16 位权重之间的差异无法看出。",
        )
    )
    return t.gap.join(sentences)


def limits(t: Words) -> str:
    """What no verdict of this section can show."""
    return t(
        "Matching counts do not prove which model answers: a gateway can count with one tokenizer "
        "and send another model's answers. Hidden reasoning cannot be counted from outside.",
        "计数相符不能证明模型身份：网关可以用某一分词器计数而返回另一模型的应答。"
        "未展示的推理，外部无法核对。",
    )


def age(t: Words, reference: Reference, began: datetime | None) -> str:
    """A sentence if the reference was old when the run began; empty if not, or if unknown."""
    days = 0.0 if began is None or began.tzinfo is None else reference.age_days(began)
    if days <= OLD_DAYS:
        return ""
    return t(
        f"The reference was {days:.0f} days old: the model may have changed since.",
        f"参照建立于 {days:.0f} 天前，其间模型可能已更换版本。",
    )
