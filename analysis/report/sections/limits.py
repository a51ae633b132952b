"""Rate limits: what the gateway states, what it enforces, and the evidence."""

from dataclasses import replace
from typing import Any

from analysis.numbers import rate_limit_audit
from analysis.numbers.model_numbers import LimitFit, LimitNumbers
from analysis.numbers.rate_limit_audit import Audit
from analysis.numbers.short_windows import ShortWindow
from analysis.page.blocks import Block, Remark, Section, Table
from analysis.page.columns import Name, table
from analysis.page.vocabulary import FOUND, SENT, WHAT
from analysis.page.words import ABSENT, Words, integer, seconds
from analysis.report.view import View
from recording.counted import counted
from recording.events import PhaseStart
from rules.rate_limit import SELDOM, Fit

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
    "unknown": ("unknown", "无法判断"),
}


def section(view: View) -> Section:
    """For each model: what was found, how well each kind fits, and the result of every step."""
    t = view.t
    blocks: list[Block] = []
    for audit in of(view):
        blocks += [_remark(t, audit), _limit_table(t, audit)]
        if audit.fits:
            blocks.append(_fits(t, audit))
        blocks.append(_steps(t, audit))
    return Section(t("Rate limits", "限流"), blocks)


def of(view: View) -> list[Audit]:
    """The audit of each model."""
    begun = {
        event.phase: event.t0_unix_s
        for event in view.run.events_of(PhaseStart)
        if event.phase and event.t0_unix_s
    }
    by_model: dict[str, list[dict[str, Any]]] = {}
    for row in view.rows("limits"):
        by_model.setdefault(row["model_requested"], []).append(row)
    return [rate_limit_audit.audit(model, rows, begun) for model, rows in by_model.items()]


def findings(view: View) -> list[Remark]:
    """The limit of each model in a sentence, for the first page."""
    t = view.t
    remarks = [_remark(t, audit) for audit in of(view)]
    return [replace(remark, head=t.first_sentence(remark.text)) for remark in remarks]


def numbers(view: View) -> list[LimitNumbers]:
    """The audits, as in summary.json."""
    return [
        LimitNumbers(
            model=audit.model,
            advertised_rpm=audit.advertised_requests,
            advertised_tpm=audit.advertised_tokens,
            kind=audit.fit.kind if audit.fit else None,
            at_once=audit.at_once,
            enforced_low=audit.fit.low if audit.fit else None,
            enforced_high=audit.fit.high if audit.fit else None,
            unit=audit.unit,
            unit_by=audit.by,
            short_window_s=audit.short.window_s if audit.short else None,
            tokens_low=audit.token_low,
            tokens_high=audit.token_high,
            retry_after_s=audit.wait.until.wait_s if audit.wait else None,
            retry_after=audit.wait.truth if audit.wait else None,
            fits=[
                LimitFit(kind=f.kind, low=f.low, high=f.high, wrong=f.wrong, of=f.attempts)
                for f in audit.fits
            ],
        )
        for audit in of(view)
    ]


def _remark(t: Words, audit: Audit) -> Remark:
    if not audit.refused:
        sent = sum(step.sent for step in audit.steps.values())
        text = t(
            f"{audit.model}: none of {counted(sent, 'request')} was refused: no limit was reached.",
            f"{audit.model}：{integer(sent)} 个请求均未被拒，未触及限流。",
        )
        return Remark("note", text)
    fit = audit.fit
    if audit.at_once is not None and audit.unit is None:
        text = t(
            f"{audit.model}: at most {counted(audit.at_once, 'request goes', 'requests go')} "
            "through at once, because of a "
            "limit on concurrency or on a window of a few seconds; which of the two is unknown. No "
            "limit on requests per minute was reached.",
            f"{audit.model}：至多同时放行 {audit.at_once} 个请求；是并发限制还是数秒窗口的限制，"
            "无法判断。未触及每分钟请求数的上限。",
        )
        return Remark("note", text)
    if audit.at_once is not None:
        text = t(
            f"{audit.model}: at most {counted(audit.at_once, 'request')} in flight at once; that "
            "is a concurrency limit, and no limit on requests per minute was reached.",
            f"{audit.model}：同时在途请求至多 {audit.at_once} 个；这是并发限制，"
            "未触及每分钟请求数的上限。",
        )
        return Remark("good", text)
    if fit is None:
        return Remark("note", _why_undetermined(t, audit))
    truth = audit.wait.truth if audit.wait else "unknown"
    advertised = audit.advertised_requests
    disagrees = (
        advertised is not None
        and audit.unit == "requests"
        and not _agrees(advertised, fit.low, fit.high)
    )
    what, size = t(*KINDS[fit.kind]), _range(fit.low, fit.high)
    unit = t("requests", "个请求")
    if audit.by == "long prompts":
        unit = t("requests (or as many output budgets)", "个请求（或按输出上限折算的 token）")
    text = t(
        f"{audit.model}: a {what} of {size} {unit} a minute; its Retry-After: {t(*TRUTHS[truth])}.",
        f"{audit.model}：{what}，每分钟 {size} {unit}；Retry-After {t(*TRUTHS[truth])}。",
    )
    return Remark("bad" if disagrees or truth in ("too short", "too long") else "good", text)


def _why_undetermined(t: Words, audit: Audit) -> str:
    """Why no kind of limit is named."""
    best = audit.fits[0] if audit.fits else None
    if audit.unit == "tokens":
        return t(
            f"{audit.model}: tokens ran out, not requests; how they are counted is unknown.",
            f"{audit.model}：耗尽的是 token 而非请求数；其计数方式无法判断。",
        )
    if best is None:
        return t(
            f"{audit.model}: it refuses requests; a limit per minute explains that as well as a "
            "limit on concurrency.",
            f"{audit.model}：有拒绝；每分钟限制与并发限制均可解释，无法区分。",
        )
    if audit.short is not None:
        return _why_short(t, audit.model, audit.short, best) + _measure_it(t, audit)
    if best.wrong_share > SELDOM:
        return t(
            f"{audit.model}: it refuses requests, but no kind of limit explains what it admits.",
            f"{audit.model}：有拒绝，但放行规律与各类限流均不符。",
        ) + _measure_it(t, audit)
    if audit.unit is None:
        size = _range(best.low, best.high)
        return t(
            f"{audit.model}: about {size} short requests a minute. It is unknown whether requests "
            "or tokens ran out, and how they are counted.",
            f"{audit.model}：每分钟约 {size} 个短请求。耗尽的是请求数还是 token 数无法判断，"
            "计数方式也无法得知。",
        )
    alike = t.join(t(*KINDS[f.kind]) for f in audit.fits if f.wrong_share <= SELDOM)
    return t(
        f"{audit.model}: {_range(best.low, best.high)} requests a minute; these kinds explain it "
        f"equally well: {alike}.",
        f"{audit.model}：每分钟 {_range(best.low, best.high)} 个请求；以下类型均可解释：{alike}。",
    )


def _why_short(t: Words, model: str, short: ShortWindow, best: Fit) -> str:
    """Why a window of seconds leaves the limit per minute open."""
    count, window_s = short.size, short.window_s
    if best.wrong_share <= SELDOM:
        return t(
            f"{model}: a window of seconds would explain equally well what was let through "
            f"(for example {count} requests in {window_s:g} s), so no limit on requests per minute "
            "is named.",
            f"{model}：数秒的窗口同样可以解释放行情况"
            f"（例如 {window_s:g} 秒 {count} 个请求），因此不给出每分钟请求数。",
        )
    return t(
        f"{model}: about {count} requests go through at once, and then it refuses. A window of "
        f"seconds (for example {count} requests in {window_s:g} s) or a token bucket that holds "
        "less than a minute's worth would explain this; a limit per minute would not.",
        f"{model}：一次约放行 {count} 个请求，随后拒绝。数秒的窗口"
        f"（例如 {window_s:g} 秒 {count} 个请求）或容量不足一分钟的令牌桶可以解释，"
        "每分钟限额则不能。",
    )


def _measure_it(t: Words, audit: Audit) -> str:
    """What to do where the limit per minute remains unknown."""
    advertised = audit.advertised_requests
    target = f" --target {advertised}" if advertised is not None else ""
    return t(
        f" The rate that it sustains is unknown: measure it with mode rpm{target}.",
        f"可持续的速率未知：请用 rpm 模式{f'（--target {advertised}）' if target else ''}测量。",
    )


def _limit_table(t: Words, audit: Audit) -> Table:
    fit, wait = audit.fit, audit.wait
    kind = t(*KINDS[fit.kind]) if fit else t(*TRUTHS["unknown"])
    rows = [
        (
            t("Requests a minute", "每分钟请求"),
            integer(audit.advertised_requests),
            _enforced(t, audit),
            _filled(t, audit),
        ),
        (t("How it counts", "计数方式"), ABSENT, kind, _why_kind(t, audit)),
        (t("What runs out", "耗尽的是"), ABSENT, _unit(t, audit), _why_unit(t, audit)),
        (
            t("Tokens a minute", "每分钟 token"),
            integer(audit.advertised_tokens),
            _tokens(t, audit),
            _why_tokens(t, audit),
        ),
        (
            "Retry-After",
            seconds(wait.until.wait_s) if wait else ABSENT,
            t(*TRUTHS[wait.truth]) if wait else ABSENT,
            _why_wait(t, audit),
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
        title=audit.model,
        how=t(
            "Stated: what the headers of replies say. Found: what became of the requests.",
            "声明取自应答头，实测取自请求结果。",
        ),
    )


def _enforced(t: Words, audit: Audit) -> str:
    if audit.fit is not None:
        return _range(audit.fit.low, audit.fit.high)
    fill = audit.steps.get("fill")
    if fill is None:
        return ABSENT
    if audit.at_once is not None or audit.unit == "tokens":
        return t("not reached", "未触及")
    if fill.refused:
        best = audit.fits[0] if audit.fits else None
        if best is None or audit.short is not None or best.wrong_share > SELDOM:
            return t(*TRUTHS["unknown"])
        size = _range(best.low, best.high)
        return t(f"about {size}", f"约 {size}")
    return t(f"more than {fill.admitted}", f"大于 {fill.admitted}")


def _filled(t: Words, audit: Audit) -> str:
    fill = audit.steps.get("fill")
    if fill is None:
        return ABSENT
    return t(
        f"{fill.admitted} let through and {fill.refused} refused within {fill.lasted_s:.1f} s",
        f"{fill.lasted_s:.1f} 秒内放行 {fill.admitted}，拒绝 {fill.refused}",
    )


def _why_kind(t: Words, audit: Audit) -> str:
    if not audit.fits:
        return ABSENT
    wrong = t.join(f"{t(*KINDS[f.kind])} {f.wrong}" for f in audit.fits)
    return t(
        f"decisions that each kind would have made differently, of {audit.fits[0].attempts}: "
        f"{wrong}",
        f"{audit.fits[0].attempts} 次判定中不一致次数：{wrong}",
    )


def _unit(t: Words, audit: Audit) -> str:
    names = {
        "requests": t("requests", "请求数"),
        "tokens": t("tokens", "token 数"),
        "concurrency": t("places for requests in flight", "并发名额"),
    }
    if audit.unit == "requests" and audit.by == "long prompts":
        return t("requests, or output tokens", "请求数或输出 token 数")
    return names[audit.unit] if audit.unit else t(*TRUTHS["unknown"])


def _why_unit(t: Words, audit: Audit) -> str:
    fill, long = audit.steps.get("fill"), audit.steps.get("tokens")
    match audit.by:
        case "headers":
            return t("the headers of the refusals", "拒绝时的应答头")
        case "words":
            return t("the words of the refusals", "拒绝应答的文字")
        case "headers and words":
            return t("the headers and the words of the refusals", "拒绝时的应答头与文字")
    if fill is None or long is None or audit.by is None:
        return ABSENT
    return t(
        f"{integer(fill.tokens)} tokens of short requests against {integer(long.tokens)} of long "
        "ones in a minute; all had the same output budget, so a limit on output tokens would look "
        "the same",
        f"一分钟内短请求 {integer(fill.tokens)} token，长请求 {integer(long.tokens)} token；"
        "各请求的输出上限相同，因此与输出 token 限流无法区分",
    )


def _tokens(t: Words, audit: Audit) -> str:
    if audit.token_low is None:
        return ABSENT
    if audit.token_high is None:
        return t(f"more than {integer(audit.token_low)}", f"大于 {integer(audit.token_low)}")
    return _range(audit.token_low, audit.token_high)


def _why_tokens(t: Words, audit: Audit) -> str:
    long, fill = audit.steps.get("tokens"), audit.steps.get("fill")
    if audit.unit == "tokens" and fill is not None:
        return t(
            f"short requests were refused after {integer(fill.tokens)} billed tokens; the upper "
            "end counts their whole output budgets",
            f"短请求在计费 {integer(fill.tokens)} token 后被拒；上界按每个请求都用满输出上限计",
        )
    if long is None:
        return ABSENT
    return t(
        f"{counted(long.admitted, 'long prompt')} let through and {long.refused} refused within "
        f"{long.lasted_s:.1f} s",
        f"{long.lasted_s:.1f} 秒内放行 {long.admitted} 个长 prompt，拒绝 {long.refused}",
    )


def _why_wait(t: Words, audit: Audit) -> str:
    wait = audit.wait
    if wait is None:
        return t("no refusal states one", "拒绝应答未声明")
    parts = [
        t(f"{off_s:+.2f} s: {en}", f"{off_s:+.2f} 秒：{zh}")
        for off_s, let in ((wait.before_s, wait.before), (wait.after_s, wait.after))
        if off_s is not None
        for en, zh in [("let through", "放行") if let else ("refused", "拒绝")]
    ]
    if wait.before_s is None:
        parts.insert(0, t("the wait is too short to try sooner", "等待过短，无法提前尝试"))
    return t.clauses(parts)


def _fits(t: Words, audit: Audit) -> Table:
    return table(
        t,
        audit.fits,
        [
            Name("Kind of limit", "限流类型").of(lambda fit: t(*KINDS[fit.kind])),
            Name("Size a minute", "每分钟额度").of(lambda fit: _range(fit.low, fit.high)),
            Name("Decisions", "判定").of(lambda fit: fit.attempts, integer),
            Name("Different", "不符").of(lambda fit: fit.wrong, integer),
        ],
        how=t(
            "Each kind is replayed against every short request in order, with the size that fits "
            "best: how often would it have decided differently from the gateway? A kind is "
            "accepted if it is wrong in at most 3 % of decisions and every other kind more than "
            "twice as often.",
            "各类限流按最优额度逐条重放短请求，统计与网关判定不一致的次数；"
            "不符至多 3%，且其余类型不符次数超过其两倍时，才采信。",
        ),
    )


def _steps(t: Words, audit: Audit) -> Table:
    first = min((step.begun_unix_s for step in audit.steps.values()), default=0.0)
    return table(
        t,
        [*audit.steps.values()],
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


def _agrees(advertised: int, low: int, high: int) -> bool:
    """Whether a stated limit is the one found, to within the 2 % that a replay cannot resolve."""
    return 0.98 * low <= advertised <= 1.02 * high
