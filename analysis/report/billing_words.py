"""The findings of mode billing in words."""

from analysis.numbers.billing_findings import Finding, Kind
from analysis.page.words import Words, integer
from rules.billing_cases import NAMED


def sentence(t: Words, model: str, finding: Finding) -> str:
    """A finding about a model's bill, as one paragraph."""
    case = t(NAMED[finding.case].en, NAMED[finding.case].zh) if finding.case else ""
    tokens, paid, rows = (
        integer(round(abs(finding.amount))),
        t.money(abs(finding.amount)),
        finding.rows,
    )
    way_en, way_zh = ("more", "多") if finding.amount > 0 else ("less", "少")
    worth = (
        ""
        if finding.worth is None
        else t(
            f" ({t.money(finding.worth)} by the price table)",
            f"（按价格表为 {t.money(finding.worth)}）",
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
                "同一 prompt 有多种计数方式，或为估算值，故不对计数下结论。",
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
                f"even plain replies do not cost what the price table says ({paid} {way_en} "
                f"for {rows} requests): correct the table, or ask the gateway. Other cases are "
                "compared only with plain ones of the same usage.",
                f"非流式请求的费用已与价格表不符（{rows} 个请求合计{way_zh} {paid}）："
                "请更正价格表或向网关确认。其他情形只与用量相同的非流式请求比较。",
            )
        case Kind.CHARGED_OTHERWISE:
            read, read_zh = (
                (" that read from the cache", "命中缓存的") if finding.hits else ("", "")
            )
            text = t(
                f"{case}: all {rows} requests{read} are not charged as their stated tokens, "
                f"{paid} {way_en} in all, while others sent in between are. Ask the gateway.",
                f"{case}：全部 {rows} 个{read_zh}请求的费用与其给出的 token 数不符，"
                f"合计{way_zh} {paid}，而其间发送的其他情形相符。请向网关确认。",
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
                f"给出的 prompt token 数至少为参照方对相同文本计数的 {finding.amount:.3f} 倍，"
                "且各文本倍数相同。请向网关确认。",
            )
        case Kind.PROMPT_ABOVE_REFERENCE:
            text = t(
                f"{case}: all {rows} requests state more prompt tokens than the reference does for "
                f"the same request, {tokens} in all{worth}, while repeated texts count alike. "
                + _asked(t, finding),
                f"{case}：全部 {rows} 个请求给出的 prompt token 数多于参照方对相同请求的计数，"
                f"合计多 {tokens} 个{worth}，而重复文本计数一致。" + _asked(t, finding),
            )
        case Kind.OUTPUT_ABOVE_REFERENCE:
            text = t(
                f"{case}: {rows} replies state more output tokens than the reference does for the "
                f"same reply, {tokens} in all{worth}. Ask the gateway.",
                f"{case}：{rows} 个应答给出的输出 token 数多于参照方对相同应答的计数，"
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
                "其间没有其他情形的请求可证明价格未变，故也可能是价格在这段时间有变。"
                "请以 --repeat 3 重新测试。",
            )
        case Kind.SINGLE_CHARGES:
            text = t(
                f"{rows} single requests are not charged as their stated tokens, {paid} {way_en} "
                "in all, while others of the same case are: some requests are charged differently, "
                "or the price changed for a moment.",
                f"{rows} 个个别请求的费用与其给出的 token 数不符，合计{way_zh} {paid}，"
                "而同一情形的其他请求相符：个别请求计费不同，或价格曾短暂变动。",
            )
        case Kind.PRICE_CHANGED:
            text = t(
                "the price changed during the run: requests of one case cost different amounts at "
                "different times, and so do others sent then. Costs are therefore not judged; run "
                "it again.",
                "测试期间价格有变：同一情形的请求在不同时间费用不同，同时发送的其他情形亦然。"
                "故不对费用下结论，请重新测试。",
            )
    return t(f"{model}: {text}", f"{model}：{text}")


def _asked(t: Words, finding: Finding) -> str:
    """What a higher count of prompt tokens may mean."""
    if finding.slight:
        return t(
            "So few may come from the way the gateway passes the request on.",
            "差额较小，可能由网关转换请求格式所致。",
        )
    return t("Ask the gateway.", "请向网关确认。")
