"""Rate limits: what the gateway states, what it enforces, and the evidence."""

from typing import Any

from analysis.numbers.model_numbers import LimitFit, LimitNumbers
from analysis.numbers.rate_limit_audit import Audit, audit
from analysis.page.blocks import Block, Remark, Section, Table
from analysis.page.columns import Name, table
from analysis.page.vocabulary import FOUND, SENT, WHAT
from analysis.page.words import ABSENT, Words, integer, seconds
from analysis.report.view import View
from recording.events import PhaseStart
from rules.rate_limit import SELDOM

PLACE = 100  # in the report
KINDS = {
    "bucket": ("token bucket", "令牌桶"),
    "fixed": ("fixed window", "固定窗口"),
    "sliding": ("sliding window", "滑动窗口"),
}
TRUTHS = {
    "true": ("true", "属实"),
    "too short": ("too short: still refused after it", "偏短：到时仍被拒"),
    "too long": ("too long: let through before its end", "偏长：未到时已放行"),
    "unknown": ("cannot be told", "无法判断"),
}


def section(view: View) -> Section:
    """For each model: what was found, how the kinds fit, and what every step met."""
    t = view.t
    blocks: list[Block] = []
    for one in of(view):
        blocks += [_remark(t, one), _found(t, one)]
        if one.found:
            blocks.append(_fits(t, one))
        blocks.append(_steps(t, one))
    return Section(t("Rate limits", "限流"), blocks)


def of(view: View) -> list[Audit]:
    """The audits of the run, a model each."""
    begun = {
        event.phase: event.t0_unix_s
        for event in view.run.events_of(PhaseStart)
        if event.phase and event.t0_unix_s
    }
    by_model: dict[str, list[dict[str, Any]]] = {}
    for row in view.rows("limits"):
        by_model.setdefault(row["model_requested"], []).append(row)
    return [audit(model, rows, begun) for model, rows in by_model.items()]


def numbers(view: View) -> list[LimitNumbers]:
    """The audits, as summary.json has them."""
    return [
        LimitNumbers(
            model=one.model,
            advertised_rpm=one.advertised_requests,
            advertised_tpm=one.advertised_tokens,
            kind=one.fit.kind if one.fit else None,
            at_once=one.at_once,
            enforced_low=one.fit.low if one.fit else None,
            enforced_high=one.fit.high if one.fit else None,
            unit=one.unit,
            unit_by=one.by,
            short_window_s=one.short.window_s if one.short else None,
            tokens_low=one.token_low,
            tokens_high=one.token_high,
            retry_after_s=one.wait.until.wait_s if one.wait else None,
            retry_after=one.wait.truth if one.wait else None,
            fits=[
                LimitFit(kind=f.kind, low=f.low, high=f.high, wrong=f.wrong, of=f.attempts)
                for f in one.found
            ],
        )
        for one in of(view)
    ]


def _remark(t: Words, one: Audit) -> Remark:
    if not one.refused:
        sent = integer(sum(step.sent for step in one.steps.values()))
        text = t(
            f"{one.model}: none of {sent} requests was refused: no limit was reached.",
            f"{one.model}：{sent} 个请求均未被拒，未触及限流。",
        )
        return Remark("note", text)
    fit = one.fit
    if one.at_once is not None and one.unit is None:
        text = t(
            f"{one.model}: at most {one.at_once} requests go through at once, because of a limit "
            "on concurrency or in a window of a few seconds: which of them is unknown. No limit on "
            "requests per minute was reached.",
            f"{one.model}：至多同时放行 {one.at_once} 个请求；是并发限制还是数秒窗口的限制，"
            "无法判断。未触及每分钟请求数的上限。",
        )
        return Remark("note", text)
    if one.at_once is not None:
        text = t(
            f"{one.model}: at most {one.at_once} requests in flight at once; that is a concurrency "
            "limit, and no limit on requests per minute was reached.",
            f"{one.model}：同时在途请求至多 {one.at_once} 个；这是并发限制，"
            "未触及每分钟请求数的上限。",
        )
        return Remark("good", text)
    if fit is None:
        return Remark("note", _untold(t, one))
    truth = one.wait.truth if one.wait else "unknown"
    told = one.advertised_requests
    off = told is not None and one.unit == "requests" and not _agrees(told, fit.low, fit.high)
    what, size = t(*KINDS[fit.kind]), _range(fit.low, fit.high)
    unit = t("requests", "个请求")
    if one.by == "long prompts":
        unit = t("requests (or of that many output budgets)", "个请求（或同样多份输出预算）")
    text = t(
        f"{one.model}: a {what} of {size} {unit} a minute; its Retry-After: {t(*TRUTHS[truth])}.",
        f"{one.model}：{what}，每分钟 {size} {unit}；Retry-After {t(*TRUTHS[truth])}。",
    )
    return Remark("bad" if off or truth in ("too short", "too long") else "good", text)


def _untold(t: Words, one: Audit) -> str:
    """Why no kind of limit is named."""
    best = one.found[0] if one.found else None
    if one.unit == "tokens":
        return t(
            f"{one.model}: tokens ran out, not requests; how they are counted is unknown.",
            f"{one.model}：耗尽的是 token 而非请求数；其计数方式无法判断。",
        )
    if best is None:
        return t(
            f"{one.model}: it refuses requests; a limit per minute and one on concurrency explain "
            "it equally well.",
            f"{one.model}：有拒绝；每分钟限制与并发限制均可解释，无法区分。",
        )
    if best.wrong_share > SELDOM:
        return t(
            f"{one.model}: it refuses requests, but no kind of limit explains what it admits.",
            f"{one.model}：有拒绝，但放行规律与各类限流均不符。",
        )
    if one.unit is None:
        size = _range(best.low, best.high)
        return t(
            f"{one.model}: about {size} short requests a minute. Whether requests or tokens ran "
            "out is unknown, and so is how they are counted.",
            f"{one.model}：每分钟约 {size} 个短请求。耗尽的是请求数还是 token 数无法判断，"
            "计数方式亦无从得知。",
        )
    if one.short is not None:
        count, window_s = one.short.size, one.short.window_s
        return t(
            f"{one.model}: a window of seconds explains what was let through as well (e.g. {count} "
            f"requests in {window_s:g} s), so no limit on requests per minute is named.",
            f"{one.model}：数秒的窗口同样可以解释放行情况（例如 {window_s:g} 秒 {count} 个请求），"
            "因此不给出每分钟请求数。",
        )
    alike = t.join(t(*KINDS[f.kind]) for f in one.found if f.wrong_share <= SELDOM)
    return t(
        f"{one.model}: {_range(best.low, best.high)} requests a minute; these kinds explain it "
        f"alike: {alike}.",
        f"{one.model}：每分钟 {_range(best.low, best.high)} 个请求；以下类型均可解释：{alike}。",
    )


def _found(t: Words, one: Audit) -> Table:
    fit, wait = one.fit, one.wait
    kind = t(*KINDS[fit.kind]) if fit else t(*TRUTHS["unknown"])
    rows = [
        (
            t("Requests a minute", "每分钟请求"),
            integer(one.advertised_requests),
            _enforced(t, one),
            _filled(t, one),
        ),
        (t("How it counts", "计数方式"), ABSENT, kind, _why_kind(t, one)),
        (t("What runs out", "耗尽的是"), ABSENT, _unit(t, one), _why_unit(t, one)),
        (
            t("Tokens a minute", "每分钟 token"),
            integer(one.advertised_tokens),
            _tokens(t, one),
            _why_tokens(t, one),
        ),
        (
            "Retry-After",
            seconds(wait.until.wait_s) if wait else ABSENT,
            t(*TRUTHS[wait.truth]) if wait else ABSENT,
            _why_wait(t, one),
        ),
    ]
    return table(
        t,
        rows,
        [
            WHAT.of(lambda row: row[0]),
            Name("Stated", "声明").of(lambda row: row[1]),
            FOUND.of(lambda row: row[2]),
            Name("Evidence", "依据").of(lambda row: row[3]),
        ],
        title=one.model,
        how=t(
            "Stated is what the reply's headers say; found is how the requests fared.",
            "声明取自应答头，实测取自请求结果。",
        ),
    )


def _enforced(t: Words, one: Audit) -> str:
    if one.fit is not None:
        return _range(one.fit.low, one.fit.high)
    fill = one.steps.get("fill")
    if fill is None:
        return ABSENT
    if one.at_once is not None:
        return t("not reached", "未触及")
    if fill.refused:
        return t(f"about {fill.admitted}", f"约 {fill.admitted}")
    return t(f"more than {fill.admitted}", f"大于 {fill.admitted}")


def _filled(t: Words, one: Audit) -> str:
    fill = one.steps.get("fill")
    if fill is None:
        return ABSENT
    return t(
        f"{fill.admitted} let through and {fill.refused} refused within {fill.lasted_s:.1f} s",
        f"{fill.lasted_s:.1f} 秒内放行 {fill.admitted}，拒绝 {fill.refused}",
    )


def _why_kind(t: Words, one: Audit) -> str:
    if not one.found:
        return ABSENT
    said = t.join(f"{t(*KINDS[f.kind])} {f.wrong}" for f in one.found)
    return t(
        f"of {one.found[0].attempts} decisions it would have taken otherwise: {said}",
        f"{one.found[0].attempts} 次判定中不一致次数：{said}",
    )


def _unit(t: Words, one: Audit) -> str:
    names = {
        "requests": t("requests", "请求数"),
        "tokens": t("tokens", "token 数"),
        "concurrency": t("places for requests in flight", "并发名额"),
    }
    if one.unit == "requests" and one.by == "long prompts":
        return t("requests, or output tokens", "请求数或输出 token 数")
    return names[one.unit] if one.unit else t(*TRUTHS["unknown"])


def _why_unit(t: Words, one: Audit) -> str:
    fill, long = one.steps.get("fill"), one.steps.get("tokens")
    match one.by:
        case "headers":
            return t("the headers of the refusals", "拒绝时的应答头")
        case "words":
            return t("the words of the refusals", "拒绝应答的文字")
        case "headers and words":
            return t("the headers and the words of the refusals", "拒绝时的应答头与文字")
    if fill is None or long is None or one.by is None:
        return ABSENT
    return t(
        f"{integer(fill.tokens)} tokens of short requests against {integer(long.tokens)} of long "
        "ones in a minute; all asked for one output budget, so a limit of output tokens looks the "
        "same",
        f"一分钟内短请求 {integer(fill.tokens)} token，长请求 {integer(long.tokens)} token；"
        "输出预算均相同，故输出 token 限制与之无从区分",
    )


def _tokens(t: Words, one: Audit) -> str:
    if one.token_low is None:
        return ABSENT
    if one.token_high is None:
        return t(f"more than {integer(one.token_low)}", f"大于 {integer(one.token_low)}")
    return _range(one.token_low, one.token_high)


def _why_tokens(t: Words, one: Audit) -> str:
    long, fill = one.steps.get("tokens"), one.steps.get("fill")
    if one.unit == "tokens" and fill is not None:
        return t(
            f"short requests were refused after {integer(fill.tokens)} billed tokens; the upper "
            "end has their whole output budgets",
            f"短请求在计费 {integer(fill.tokens)} token 后被拒；上限按全部输出预算计",
        )
    if long is None:
        return ABSENT
    return t(
        f"{long.admitted} long prompts let through and {long.refused} refused within "
        f"{long.lasted_s:.1f} s",
        f"{long.lasted_s:.1f} 秒内放行 {long.admitted} 个长 prompt，拒绝 {long.refused}",
    )


def _why_wait(t: Words, one: Audit) -> str:
    wait = one.wait
    if wait is None:
        return t("no refusal states one", "拒绝应答未声明")
    parts = [
        t(f"{off_s:+.2f} s: {en}", f"{off_s:+.2f} 秒：{zh}")
        for off_s, let in ((wait.before_s, wait.before), (wait.after_s, wait.after))
        if off_s is not None
        for en, zh in [("let through", "放行") if let else ("refused", "拒绝")]
    ]
    if wait.before_s is None:
        parts.insert(0, t("too short a wait to try sooner", "等待过短，无法提前尝试"))
    return t.clauses(parts)


def _fits(t: Words, one: Audit) -> Table:
    return table(
        t,
        one.found,
        [
            Name("Kind of limit", "限流类型").of(lambda fit: t(*KINDS[fit.kind])),
            Name("Size a minute", "每分钟额度").of(lambda fit: _range(fit.low, fit.high)),
            Name("Decisions", "判定").of(lambda fit: fit.attempts, integer),
            Name("Otherwise", "不符").of(lambda fit: fit.wrong, integer),
        ],
        how=t(
            "Each kind is replayed against every short request in order, with the size that fits "
            "best: how often would it have decided differently from the gateway? A kind is "
            "accepted if it is wrong in at most 3 % of decisions and every other kind more than "
            "twice as often.",
            "各类限流按最优额度逐条重放短请求，统计与网关判定不一致的次数；"
            "不符至多 3%，且其余类型不符次数超过其两倍时，方予采信。",
        ),
    )


def _steps(t: Words, one: Audit) -> Table:
    first = min((step.begun_unix_s for step in one.steps.values()), default=0.0)
    return table(
        t,
        [*one.steps.values()],
        [
            Name("Step", "步骤").of(lambda step: step.name),
            Name("Begins", "开始").of(lambda step: step.begun_unix_s - first, seconds),
            SENT.of(lambda step: step.sent),
            Name("Let through", "放行").of(lambda step: step.admitted, integer),
            Name("Refused", "拒绝").of(lambda step: step.refused, integer),
            Name("Lasted", "持续").of(lambda step: step.lasted_s, seconds),
            Name("Tokens", "token").of(lambda step: step.tokens, integer),
        ],
        how=t(
            "Fills end at the first refusal; requests then in flight are counted too.",
            "加压请求在首次被拒时停止，届时在途的请求一并计入。",
        ),
    )


def _range(low: int, high: int) -> str:
    return integer(low) if low == high else f"{integer(low)}-{integer(high)}"


def _agrees(stated: int, low: int, high: int) -> bool:
    """Whether a stated limit is what was found, give or take what a replay cannot tell: 2 %."""
    return 0.98 * low <= stated <= 1.02 * high
