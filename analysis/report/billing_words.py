"""The findings of mode billing in words."""

from analysis.numbers.billing_findings import Finding, Kind
from analysis.page.words import Words, integer
from rules.billing_cases import NAMED

_OTHER_UNIT = 50  # no price is off by such a factor
_ASK = ("Ask the gateway.", "请向网关确认。")


def sentence(t: Words, model: str, finding: Finding) -> str:
    """A finding about a model's bill, as one paragraph."""
    case = t(NAMED[finding.case].en, NAMED[finding.case].zh) if finding.case else ""
    tokens, paid, rows = (
        integer(round(abs(finding.amount))),
        t.exact_money(abs(finding.amount)),
        finding.rows,
    )
    way_en, way_zh = ("more", "多") if finding.amount > 0 else ("less", "少")
    worth = (
        ""
        if finding.worth is None
        else t(
            f" ({t.exact_money(finding.worth)} by the price table)",
            f"（按价格表为 {t.exact_money(finding.worth)}）",
        )
    )
    match finding.kind:
        case Kind.INFLATED:
            text = t(
                f"prompt tokens are at least {finding.amount:.3f} times what the model's tokenizer "
                "counts, by the same factor for all texts. Ask the gateway.",
                f"给出的 prompt token 数至少为该模型分词器计数的 {finding.amount:.3f} 倍，"
                "且各文本倍数相同。请向网关确认。",
            )
        case Kind.OTHER_TOKENIZER:
            text = t(
                "the counts of repeated texts are neither those of the tokenizer of the model of "
                "that name nor a constant multiple of them: another tokenizer counts, or another "
                "model answers.",
                "重复文本的计数与该名称模型的分词器不符，也不成统一倍数：计数用的是另一种分词器，"
                "或由另一模型应答。",
            )
        case Kind.NO_LINE:
            text = t(
                "the counts of repeated texts do not grow linearly: one prompt is counted in "
                "several ways, or the counts are estimates. They are not judged.",
                "重复文本的计数不成直线："
                "同一 prompt 有多种计数方式，或为估算值，因此不对计数下结论。",
            )
        case Kind.HIDDEN_PROMPT:
            text = t(
                f"at least {tokens} tokens of every prompt are not explained by what was sent: the "
                "gateway or the provider adds a prompt, and you pay for it.",
                f"每个 prompt 中至少有 {tokens} 个 token 无法由所发送内容解释："
                "网关或供应商附加了 prompt，由你付费。",
            )
        case Kind.STATED_OTHERWISE:
            text = t(
                f"{case}: all {rows} requests state a different number of prompt tokens than plain "
                f"requests with the same text do, {tokens} tokens {way_en} in all.",
                f"{case}：全部 {rows} 个请求给出的 prompt token 数与相同文本的非流式请求不同，"
                f"合计{way_zh} {tokens} 个 token。",
            )
        case Kind.OVER_BUDGET:
            text = t(
                f"{case}: all {rows} replies state more output tokens than their budget allows: "
                "the budget is not honoured, or the count is not that of the output.",
                f"{case}：全部 {rows} 个应答给出的输出 token 数超过其预算："
                "预算未被遵守，或计数与输出不符。",
            )
        case Kind.OFF_PRICE:
            text = t(
                f"{rows} requests, the plain ones among them, do not cost what the price table "
                f"says, {paid} {way_en} in all{_factor(t, finding)}: correct the table, or ask the "
                "gateway. Other cases are compared only with plain ones of the same usage.",
                f"{rows} 个请求（含非流式请求）的费用与价格表不符，合计{way_zh} {paid}"
                f"{_factor(t, finding)}：请更正价格表或向网关确认。"
                "其他情形只与用量相同的非流式请求比较。",
            )
        case Kind.CHARGED_OTHERWISE if finding.beside_plain:
            text = t(
                f"{case}: all {rows} requests cost {paid} {way_en} in all than plain ones of the "
                "same usage, also those sent in between. Ask the gateway.",
                f"{case}：全部 {rows} 个请求比用量相同的非流式请求（含其间发送的）合计{way_zh} "
                f"{paid}。请向网关确认。",
            )
        case Kind.CHARGED_OTHERWISE:
            which, which_zh = _which(finding)
            tokens_en, tokens_zh = (
                (
                    "such replies to the same prompt that state their tokens",
                    "给出 token 数的同类回复",
                )
                if finding.case == "stream_no_usage"
                else ("their stated tokens", "其给出的 token 数")
            )
            least_en, least_zh = ("at least ", "至少") if finding.at_least else ("", "")
            text = t(
                f"{case}: {which} are not charged as {tokens_en}, {least_en}{paid} {way_en} in "
                f"all, while others sent in between are. {_one_reply(t, finding)}",
                f"{case}：{which_zh}请求的费用与{tokens_zh}不符，合计{least_zh}{way_zh} {paid}，"
                f"而其间发送的其他情形相符。{_one_reply(t, finding)}",
            )
        case Kind.CHARGED_AFTER:
            text = t(
                f"the {rows} requests that were sent right after one of the case '{case}' are not "
                f"charged as their stated tokens, {paid} {way_en} in all, while others of their "
                f"cases are ({_cases(t, finding)}). Ask the gateway.",
                f"紧跟“{case}”之后发送的 {rows} 个请求的费用与其给出的 token 数不符，合计{way_zh} "
                f"{paid}，而相同情形的其他请求相符（{_cases(t, finding)}）。请向网关确认。",
            )
        case Kind.READ_AGAIN:
            text = t(
                f"the {rows} requests that read the same prompt from the cache a second time or "
                f"later are not charged as their stated tokens, {paid} {way_en} in all, while the "
                f"first ones are ({_cases(t, finding)}). Ask the gateway.",
                f"同一 prompt 第二次及以后命中缓存的 {rows} 个请求的费用与其给出的 token 数不符，"
                f"合计{way_zh} {paid}，而首次命中的相符（{_cases(t, finding)}）。请向网关确认。",
            )
        case Kind.MINIMUM_CHARGE:
            each = t.exact_money(finding.each)
            text = t(
                f"no request costs less than {each}, a minimum that the price table does not have: "
                f"{rows} requests cost {paid} more in all than the table says. If it was agreed, "
                "put it in the table (minimum); otherwise ask the gateway.",
                f"每个请求至少计费 {each}，价格表中没有这一最低收费：{rows} 个请求合计比价格表多 "
                f"{paid}。若有此约定，请写入价格表（minimum），否则请向网关确认。",
            )
        case Kind.ROUNDED_UP:
            each = t.exact_money(finding.each)
            ask = ("", "") if finding.slight else (" Ask the gateway.", "请向网关确认。")
            text = t(
                f"every charge is rounded up to a multiple of {each}: {rows} requests cost {paid} "
                f"more in all than the price table says.{ask[0]}",
                f"每笔费用均向上取整到 {each} 的倍数：{rows} 个请求合计比价格表多 {paid}。{ask[1]}",
            )
        case Kind.CACHE_NOT_CREDITED:
            text = t(
                f"tokens read from the cache are charged like any others: {rows} requests, {paid} "
                "more in all than the price table says.",
                f"缓存命中的 token 按普通输入计费：{rows} 个请求，合计比价格表多 {paid}。",
            )
        case Kind.REFUSED_CHARGED:
            text = t(
                f"{case}: {rows} refused requests state a cost, {paid} in all.",
                f"{case}：{rows} 个被拒绝的请求给出了费用，合计 {paid}。",
            )
        case Kind.ABOVE_REFERENCE:
            text = t(
                f"prompt tokens are at least {finding.amount:.3f} times what the reference states "
                "for the same texts, by the same factor for all of them. Ask the gateway.",
                f"给出的 prompt token 数至少为参照路由对相同文本计数的 {finding.amount:.3f} 倍，"
                "且各文本倍数相同。请向网关确认。",
            )
        case Kind.PROMPT_ABOVE_REFERENCE:
            text = t(
                f"{case}: all {rows} requests state more prompt tokens than the reference does for "
                f"the same request, {tokens} in all{worth}, while repeated texts count alike. "
                + _possible_reason(t, finding),
                f"{case}：全部 {rows} 个请求给出的 prompt token 数多于参照路由对相同请求的计数，"
                f"合计多 {tokens} 个{worth}，而重复文本计数一致。" + _possible_reason(t, finding),
            )
        case Kind.OUTPUT_ABOVE_REFERENCE:
            text = t(
                f"{case}: {rows} replies state more output tokens than the reference does for the "
                f"same reply, {tokens} in all{worth}. Ask the gateway.",
                f"{case}：{rows} 个应答给出的输出 token 数多于参照路由对相同应答的计数，"
                f"合计多 {tokens} 个{worth}。请向网关确认。",
            )
        case Kind.OUTPUT_OTHERWISE:
            text = t(
                f"{case}: {rows} replies state more output tokens than plain requests with the "
                f"same reply, {tokens} in all{worth}. Ask the gateway.",
                f"{case}：{rows} 个应答给出的输出 token 数多于应答相同的非流式请求，"
                f"合计多 {tokens} 个{worth}。请向网关确认。",
            )
        case Kind.NOT_TOLD_FROM_TIME:
            text = t(
                f"{case}: {rows} requests are not charged as their stated tokens, {paid} {way_en} "
                "in all. No other case that was sent in between shows that the price was the same, "
                "so the price may have changed for that time. Run it again with --repeat 3.",
                f"{case}：{rows} 个请求的费用与其给出的 token 数不符，合计{way_zh} {paid}。"
                "其间没有其他情形的请求可证明价格未变，所以也可能是价格在这段时间有变。"
                "请以 --repeat 3 重新测试。",
            )
        case Kind.SINGLE_CHARGES if finding.grave:
            text = t(
                f"{rows} single requests ({_cases(t, finding)}) are charged several times, {paid} "
                f"more in all{_factor(t, finding)}, while others of the same case are not. Ask the "
                "gateway.",
                f"{rows} 个零散的请求（{_cases(t, finding)}）被重复计费，合计多 {paid}"
                f"{_factor(t, finding)}，而同一情形的其他请求没有。请向网关确认。",
            )
        case Kind.SINGLE_CHARGES:
            text = t(
                f"{rows} single requests ({_cases(t, finding)}) are not charged as their stated "
                f"tokens, {paid} {way_en} in all{_factor(t, finding)}, while others of the same "
                "case are: some requests are charged differently, or the price changed for a "
                "moment.",
                f"{rows} 个零散的请求（{_cases(t, finding)}）的费用与其给出的 token 数不符，"
                f"合计{way_zh} {paid}{_factor(t, finding)}，而同一情形的其他请求相符："
                "个别请求计费不同，或价格曾短暂变动。",
            )
        case Kind.PRICE_CHANGED:
            off, off_zh = (
                (
                    f" {rows} requests cost {paid} {way_en} in all than the price table says.",
                    f"{rows} 个请求合计比价格表{way_zh} {paid}。",
                )
                if rows
                else ("", "")
            )
            text = t(
                "requests of one case cost different amounts, and so do those of others: the price "
                "changed during the run, or depends on something that no reply states, such as "
                f"who answers.{off} No case is therefore judged by its cost; run it again.",
                "同一情形的请求费用不一，其他情形也是如此：测试期间价格有变，"
                f"或取决于应答未说明的因素（如由谁应答）。{off_zh}"
                "因此不按费用对各情形下结论，请重新测试。",
            )
    return t(f"{model}: {text}", f"{model}：{text}")


def _possible_reason(t: Words, finding: Finding) -> str:
    """What a higher count of prompt tokens may mean."""
    if finding.slight:
        return t(
            "So few may come from the way the gateway passes the request on.",
            "差额较小，可能由网关转换请求格式所致。",
        )
    return t(*_ASK)


def _which(finding: Finding) -> tuple[str, str]:
    """Which requests of the case a finding is about."""
    rows = finding.rows
    if finding.partly:
        return (
            f"{rows} requests, all with some of its prompts,",
            f"其中部分 prompt 的全部 {rows} 个",
        )
    if finding.hits:
        return f"all {rows} requests that read from the cache", f"全部 {rows} 个命中缓存的"
    return f"all {rows} requests", f"全部 {rows} 个"


def _one_reply(t: Words, finding: Finding) -> str:
    if finding.slight:
        return t(
            "That is what is due if the stated output is that of one of the two replies.",
            "若给出的输出只是两个回复之一的，则费用相符。",
        )
    return t(*_ASK)


def _cases(t: Words, finding: Finding) -> str:
    """The cases of single requests, each with how many."""
    return t.join([f"{t(NAMED[name].en, NAMED[name].zh)} {n}" for name, n in finding.cases])


def _factor(t: Words, finding: Finding) -> str:
    """By which factor all of them are off, if by one; a large one is that of another unit."""
    factor = finding.factor
    if not factor:
        return ""
    by = f"{factor:.4g}" if factor < _OTHER_UNIT else f"{factor:,.0f}"
    text = t(f", each {by} times what is due", f"，均为应付的 {by} 倍")
    if factor < _OTHER_UNIT:
        return text
    return text + t(
        " (as if in another unit, such as cents or quota)", "（像是以分或额度等其他单位计）"
    )
