"""Whether settings are honoured, in words: what was seen, and what would have been detected."""

from collections.abc import Sequence

from analysis.page.words import Words, integer
from identity.honoured import TOLERATED, Honoured, Why
from identity.looks import Verdict
from identity.setting import Setting

TITLES = {
    Setting.CACHE: ("Response cache", "应答缓存"),
    Setting.STOP: ("Stop text", "停止文本"),
    Setting.CAP: ("Output budget", "输出上限"),
    Setting.TEMPERATURE: ("Temperature", "温度"),
    Setting.SEED: ("Seed", "随机种子"),
}


def title(t: Words, one: Honoured) -> str:
    """The name of the test in the table."""
    return t(*TITLES[one.setting])


def sentence(t: Words, one: Honoured) -> str:
    """A sentence on one setting that differs, or that cannot be judged."""
    return _differs(t, one) if one.verdict is Verdict.DIFFERS else _not_enough(t, one)


def _differs(t: Words, one: Honoured) -> str:
    count, of = integer(one.seen), integer(one.of)
    match one.setting:
        case Setting.CACHE:
            return t(
                f"{count} of {of} requests were answered with the reply to an earlier or another "
                "request: a response cache, or mixed-up replies. It says nothing about the model, "
                "but no new reply was made for what was charged.",
                f"{of} 个请求中有 {count} 个得到的是先前请求或其他请求的应答："
                "网关有应答缓存，或应答错位。这与模型无关，但所计费用并未换来新的应答。",
            )
        case Setting.STOP:
            return t(
                f"{count} of {of} replies go on after the stop text: `stop` is not honoured.",
                f"{of} 个应答中有 {count} 个越过了停止文本：`stop` 未生效。",
            )
        case Setting.CAP:
            return t(
                f"{count} of {of} replies exceed their output budget: it is not honoured.",
                f"{of} 个应答中有 {count} 个超出输出上限：该上限未生效。",
            )
        case Setting.TEMPERATURE:
            return t(
                f"at temperature 0, {count} of {of} answers are not the usual one for their "
                f"question ({_p(one.p)} if up to {TOLERATED:.0%} may vary): the temperature is not "
                "honoured, or several models answer in turn.",
                f"温度为 0 时，{of} 个答案中有 {count} 个不是该问题的通常答案"
                f"（允许至多 {TOLERATED:.0%} 有变化时，{_p(one.p)}）："
                "温度未生效，或由多个模型轮流应答。",
            )
        case _:
            before, at_reference = integer(one.before or 0), integer(one.whole or 0)
            return t(
                f"with one seed, {count} of {of} answers are not the usual one for their "
                f"question, and {before} of {at_reference} at the reference ({_p(one.p)}): the "
                "seed is honoured less than there.",
                f"使用同一种子时，{of} 个答案中有 {count} 个不是该问题的通常答案，"
                f"参照为 {before}/{at_reference}（{_p(one.p)}）：种子不如参照那样生效。",
            )


def honoured(t: Words, settings: Sequence[Honoured]) -> str:
    """One sentence on all settings that show no difference, and what would have been noticed."""
    listed = t.clauses([_as_expected(t, one) + _share(t, one) for one in settings])
    return t(
        f"settings are honoured as far as was asked: {listed}. In brackets: the smallest share of "
        "wrong replies that 9 of 10 such audits would notice.",
        f"就所发请求来看，参数均生效：{listed}。"
        "括号内为十次这样的检测中有九次能发现的最小异常比例。",
    )


def _as_expected(t: Words, one: Honoured) -> str:
    of, usual = integer(one.of), integer(one.of - one.seen)
    match one.setting:
        case Setting.CACHE:
            return t(
                f"{usual} of {of} replies were new and their own request's",
                f"{of} 个应答中有 {usual} 个是新的，且属于各自的请求",
            )
        case Setting.STOP:
            return t(
                f"`stop` ended {usual} of {of} replies",
                f"{of} 个应答中有 {usual} 个在停止文本处结束",
            )
        case Setting.CAP:
            return t(
                f"{usual} of {of} replies kept to their output budget",
                f"{of} 个应答中有 {usual} 个未超出输出上限",
            )
        case Setting.TEMPERATURE:
            return t(
                f"at temperature 0, {usual} of {of} answers were the usual one for their question",
                f"温度为 0 时，{of} 个答案中有 {usual} 个是该问题的通常答案",
            )
        case _:
            at, at_reference = (
                integer((one.whole or 0) - (one.before or 0)),
                integer(one.whole or 0),
            )
            return t(
                f"with one seed, {usual} of {of} answers were the usual one for their question, "
                f"and {at} of {at_reference} at the reference",
                f"使用同一种子时，{of} 个答案中有 {usual} 个是该问题的通常答案，"
                f"参照为 {at}/{at_reference}",
            )


def _share(t: Words, one: Honoured) -> str:
    if one.smallest is None:
        return t(" (too few to notice a part)", "（样本太少，只在部分请求中发生时未必能发现）")
    return t(f" ({one.smallest:.0%})", f"（{one.smallest:.0%}）")


def _not_enough(t: Words, one: Honoured) -> str:
    name = title(t, one)
    alike = t(
        "its replies are alike in any case (or a cache gives them new ids)"
        if one.setting is Setting.CACHE
        else "the answers vary too little (here or at the reference) to tell",
        "应答本来就相同（也可能是缓存换了新 id）"
        if one.setting is Setting.CACHE
        else "答案（此处或参照处）的变化不足以判断",
    )
    if one.setting is Setting.SEED and one.why is Why.ALIKE:
        alike = t(
            "answers with one seed vary at the reference, too", "参照处使用同一种子的答案同样多变"
        )
    why = {
        Why.UNANSWERED: t(
            "too few replies (errors, repeated earlier replies, a model that thinks first, or not "
            "everything was asked)",
            "可用的应答太少（出错、重复返回先前应答、模型先思考，或未全部提问）",
        ),
        Why.REFUSED: t("the gateway refuses the setting, and says so", "网关明确拒绝该参数"),
        Why.ONCE: t(
            f"only {integer(one.seen)} of {integer(one.of)} replies is not as it should be, and "
            "one proves nothing",
            f"{integer(one.of)} 个应答中只有 {integer(one.seen)} 个异常，单个不足为据",
        ),
        Why.ALIKE: alike,
        Why.UNREAD: t(
            "replies state more tokens than their budget, but their text is too short for so many: "
            "reasoning that is neither shown nor stated, or padded counting",
            "应答给出的 token 数超出上限，但可见文本没有这么长："
            "可能是未展示也未单独计数的推理，也可能是计数有附加",
        ),
        Why.UNASKED: t("the reference was not asked for it", "参照中没有可比的数据"),
    }[one.why or Why.UNANSWERED]
    return t(f"{name} is not judged: {why}.", f"对{name}不作判断：{why}。")


def _p(value: float | None) -> str:
    return "p < 0.0001" if value is None or value < 0.0001 else f"p = {value:.2g}"
