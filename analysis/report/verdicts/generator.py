"""Whether the load generator kept time: if it was late, it measured itself."""

from analysis.features.cells import MODE as COMPAT
from analysis.numbers.phase_numbers import PhaseNumbers
from analysis.page.blocks import Level, Remark
from analysis.page.words import Words, integer, milliseconds, seconds
from analysis.report.event_text import sentence
from analysis.report.view import View
from recording.counted import counted
from recording.events import PhaseEnd
from recording.outcome import Outcome
from recording.untrusted_text import quoted
from rules.local_errors import LIMITS
from rules.punctuality import FEWEST, GAP_SHARE, GRAIN_S, LAG_SHARE

ALIKE = 3
"""Up to so many phases that were late have a remark each; more of them share one."""
UNTIMED = (COMPAT, "identity")  # modes that measure no times


def remarks(view: View) -> list[Remark]:
    """Whether requests were sent when they were due, and answers were read when they arrived."""
    t = view.t
    with_verdict = [
        phase for phase in view.phases
        if phase.generator_limited is not None and phase.mode not in UNTIMED
    ]  # fmt: skip
    limited = [phase for phase in with_verdict if phase.generator_limited]
    verdicts, alike = [], dict[Level, list[PhaseNumbers]]()
    for phase in limited:
        if _waited_for_budget(view, phase.phase) or phase.local_limits:
            verdicts.append(_remark(view, phase))
        else:
            alike.setdefault(_level(phase), []).append(phase)
    for level, phases in alike.items():
        if len(phases) > ALIKE:
            verdicts.append(_of_many(t, level, phases))
        else:
            verdicts += [_remark(view, phase) for phase in phases]
    if with_verdict and not limited:
        sends = [p.send_lag.p99_s for p in with_verdict if p.send_lag.p99_s is not None]
        loops = [p.loop_lag_p99_s for p in with_verdict if p.loop_lag_p99_s is not None]
        worst = [
            t(f"{what} {milliseconds(max(lags))}", f"{zh} {milliseconds(max(lags))}")
            for what, zh, lags in (("send", "发送", sends), ("event loop", "事件循环", loops))
            if lags
        ]
        text = t(
            "The generator kept time: the P99 lag of its sends and of its event loop stayed within "
            f"the limits of every phase (worst: {t.join(worst)}).",
            f"压测端准时发送：各阶段发送与事件循环的 P99 滞后均未超限（最大：{t.join(worst)}）。",
        )
        verdicts.append(Remark("good", text))
    return verdicts


def _remark(view: View, phase: PhaseNumbers) -> Remark:
    """What limited one phase: its budget, limits of our own machine, or late sends and reads."""
    t, name = view.t, phase.phase
    text = t(f"{name} is generator-limited, do not trust it", f"{name} 受压测端限制，结果不可信")
    if _only_gaps(phase):
        text = t(
            f"do not trust the gaps between the chunks of {name} (generator-limited; its other "
            "times are within their limits)",
            f"{name} 的 chunk 间隔不可信（受压测端限制；其余时间未超限）",
        )
    if waiting := _waited_for_budget(view, name):
        text = t(
            f"{name} was held back by its budget, do not trust its rate: "
            f"{counted(waiting, 'request')} waited until those in flight had released enough of "
            "it for their worst case (give a larger budget)",
            f"{name} 受预算限制，其速率不可信：{integer(waiting)} "
            "个请求等待在途请求释放足够的最坏情况预留（请提高预算）",
        )
    why = [*_limits(view, phase), *_lateness(t, phase)]
    head = t("a phase that the generator limited", "有阶段受压测端限制")
    return Remark(_level(phase), sentence(t, text, t.clauses(why)), head)


def _of_many(t: Words, level: Level, phases: list[PhaseNumbers]) -> Remark:
    """Many phases whose requests or answers were late, and how late the latest of them was."""

    def lag_s(phase: PhaseNumbers) -> float:
        return max(phase.send_lag.p99_s or 0.0, phase.loop_lag_p99_s or 0.0)

    many, worst = len(phases), max(phases, key=lag_s)
    names = t.shortened(t.join(quoted(phase.phase, 80) for phase in phases[:ALIKE]), 1)
    text = t(
        f"{many} phases ({names}) are generator-limited, do not trust them; the worst is "
        f"{worst.phase}",
        f"{many} 个阶段（{names}）受压测端限制，结果不可信；最严重的是 {worst.phase}",
    )
    head = t(f"{many} phases that the generator limited", f"{many} 个阶段受压测端限制")
    return Remark(level, sentence(t, text, t.clauses(_lateness(t, worst))), head)


def _level(phase: PhaseNumbers) -> Level:
    """Bad, or a note for fewer than FEWEST requests: one late probe of the loop is its P99 then."""
    return "bad" if phase.sent >= FEWEST or phase.local_limits else "note"


def _waited_for_budget(view: View, phase: str) -> int:
    """How many requests of a phase waited for the budget to be released."""
    return sum(end.held_by_budget or 0 for end in view.run.events_of(PhaseEnd, phase))


def _limits(view: View, phase: PhaseNumbers) -> list[str]:
    """Which limits of our own machine a phase's requests reached, and what to raise."""
    if not phase.local_limits:
        return []
    t, clauses = view.t, []
    frame = view.requests(phase, "outcome", "error_type")
    met = frame.loc[frame["outcome"] == Outcome.LOCAL_LIMIT.value, "error_type"]
    for name, count in met.value_counts().items():
        limit = LIMITS.get(str(name))
        many, sent = integer(int(count)), counted(int(count), "request")
        if limit is None:
            clauses.append(t(f"{sent} never left this machine ({name})",
                             f"{many} 个请求未能从本机发出（{name}）"))  # fmt: skip
        else:
            clauses.append(t(
                f"{sent} never left this machine because it ran out of {limit.en} ({name}): "
                f"{limit.advice_en}",
                f"{many} 个请求因{limit.zh}不足（{name}）未能从本机发出：{limit.advice_zh}",
            ))  # fmt: skip
    return clauses


def _lateness(t: Words, phase: PhaseNumbers) -> list[str]:
    """Which of the generator's lags exceeds which limit, one clause each."""
    clauses = []
    sent, loop = phase.send_lag.p99_s, phase.loop_lag_p99_s
    measured, name = phase.latency.p50_s, t("the median latency", "中位延迟")
    if _above(sent, phase.send_lag_limit_s):
        lag, limit = milliseconds(sent), milliseconds(phase.send_lag_limit_s)
        share = _share(t, LAG_SHARE, name, measured)
        clauses.append(
            t(
                f"P99 send lag {lag} exceeds {limit}, {share}",
                f"P99 发送滞后 {lag} 超过 {limit}（{share}）",
            )
        )
    if phase.ttft.p50_s is not None:
        measured, name = phase.ttft.p50_s, t("the median TTFT", "中位 TTFT")
    gap = t("the median gap between chunks", "chunk 间隔中位数")
    passed = [
        t(f"{milliseconds(limit_s)}, {share}", f"{milliseconds(limit_s)}（{share}）")
        for limit_s, share in (
            (phase.loop_lag_limit_s, _share(t, LAG_SHARE, name, measured)),
            (phase.chunk_lag_limit_s, _share(t, GAP_SHARE, gap, phase.inter_chunk.p50_s)),
        )
        if _above(loop, limit_s)
    ]
    if passed:
        lag, limits = milliseconds(loop), t(" and ", "与").join(dict.fromkeys(passed))
        clauses.append(
            t(
                f"the generator read answers up to {lag} late (P99 lag of its event loop), more "
                f"than {limits}",
                f"压测端读取应答最多迟 {lag}（事件循环 P99 滞后），超过 {limits}",
            )
        )
    return clauses


def _only_gaps(phase: PhaseNumbers) -> bool:
    """Whether lag distorted nothing but the gaps between chunks, which are the shortest times."""
    sent_late = _above(phase.send_lag.p99_s, phase.send_lag_limit_s)
    read_late = _above(phase.loop_lag_p99_s, phase.loop_lag_limit_s)
    gaps = _above(phase.loop_lag_p99_s, phase.chunk_lag_limit_s)
    return gaps and not (sent_late or read_late or phase.local_limits)


def _above(lag_s: float | None, limit_s: float | None) -> bool:
    return lag_s is not None and limit_s is not None and lag_s > limit_s


def _share(t: Words, share: float, name: str, measured_s: float | None) -> str:
    """Where a limit comes from: a share of a measured time, or the resolution of a lag."""
    if measured_s is None or share * measured_s < GRAIN_S:
        return t("the smallest lag that can be distinguished from noise", "可与噪声区分的最小值")
    value = seconds(measured_s)
    return t(f"{share:.0%} of {name} ({value})", f"{name} {value} 的 {share:.0%}")
