"""Is the run good enough? Each condition of `--fail-on` and objective of `--slo`, by phase.

An unknown number is never good enough: it fails its condition. So does a phase that was planned but
not run, because nobody knows what it would have shown.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import fsum, inf
from typing import Any, Literal

from analysis.numbers.phase_numbers import PhaseNumbers
from analysis.numbers.unanswered import READ, percentile, time_and_percent
from analysis.numbers.warmup import NEEDED, trimmed, warmup_s
from analysis.page.words import Words
from analysis.pairs.verdict import Conclusion
from analysis.report.event_text import clause
from analysis.report.flags import flagged, outliers_of
from analysis.report.run_metric import of_run
from analysis.report.view import View
from recording.arms import SUFFIX
from recording.events import Ended, Failed, Refused, RunEnd, Stopped, StopRule
from recording.outcome import Outcome
from rules import condition_names
from rules.censoring import bears, enough
from rules.conditions import Condition, Metric, Where, has, metric_of
from rules.percentiles import decimal
from rules.slo import Slo, SloError

RUN = "the run"
_EXAMPLES = 5
_WHOLE = frozenset({Where.RUN, Where.PAIRS})
ABSTAINED = frozenset({Conclusion.NOT_COMPARABLE, Conclusion.NOT_ENOUGH})


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was judged, and the result.

    `subject` is a phase or RUN. `condition` is None if a `claim` was judged instead of a number.
    `finding` says what was found, and for a claim `finding_zh` says it in Chinese. `wall_s` is how
    many seconds the subject was under load (0: unknown). `value` is the number that was compared,
    in the condition's unit (None: unknown), and `shown` is the table cell for a value that is not a
    single number.
    """

    subject: str
    condition: Condition | None
    verdict: Literal["passed", "failed", "unknown"]
    finding: str
    wall_s: float = 0.0
    value: float | None = None
    claim: str = "complete"
    shown: str = ""
    finding_zh: str = ""

    @property
    def passed(self) -> bool:
        """Whether the check passed; an unknown value does not pass."""
        return self.verdict == "passed"

    @property
    def requirement(self) -> str:
        """What was required: `rpm/m/600: not p95_s>10`."""
        return f"{self.subject}: {f'not {self.condition}' if self.condition else self.claim}"

    def __str__(self) -> str:
        """What was found: `rpm/m/600: p95_s is 12.3 s (fails if >10)`, on one line."""
        if self.condition is None:
            text = f"{self.subject} {self.finding}"
        else:
            text = f"{self.subject}: {self.finding} (fails if {self.condition.bound})"
        return " ".join(text.split())

    def text(self, t: Words) -> str:
        """`str` in the language of `t`; the Chinese leaves out why a value is unknown."""
        subject = "本次运行" if self.subject == RUN else f"{self.subject} "
        if self.condition is None:
            return t(str(self), f"{subject}{self.finding_zh}")
        shown = "" if self.value is None else _figure(self.value, self.condition)
        shown = self.shown.replace(" (", "（").replace(")", "）") or shown
        value = f"为 {shown}" if shown else "未知"
        if shown and self.verdict == "unknown":
            value = f"为 {shown}，无法判定"
        chinese = (
            f"{subject.rstrip()}：{self.condition.metric} {value}（要求 {self.condition.kept}）"
        )
        return t(str(self), chinese)


def judge(view: View, conditions: Sequence[Condition], slo: Slo | None = None) -> list[Check]:
    """All checks of a run, in this order.

    1. Whether the run is complete.
    2. What fails a run without any condition: faults in Weighbridge itself, grave differences
       between plain and streamed replies to one prompt, and, in modes smoke and compat, models that
       answered nothing.
    3. Every cell that `--require` of mode compat names.
    4. Every condition, on everything that it applies to.
    5. With `slo`, each of its objectives, on each phase that it applies to. Raises SloError if it
       applies to none: an SLO that judges nothing would pass everything.
    """
    whole, view = view, view.of_gateway()
    if slo is not None:
        _see_that_it_judges(view, slo)
    return [
        _complete(whole),
        *_faults(view),
        *_disagreements(view),
        *_answers(view),
        *_features(whole),
        *judge_conditions(whole, conditions),
        *([] if slo is None else judge_objectives(view, slo)),
    ]


def judge_conditions(view: View, conditions: Sequence[Condition]) -> list[Check]:
    """Every condition, on everything that it applies to.

    In a run with two routes only the gateway's is judged, but costs are those of both.
    """
    gateway = view.of_gateway()
    return [
        check
        for condition in conditions
        for check in _judge(view if _metric(condition).where in _WHOLE else gateway, condition)
    ]


def _see_that_it_judges(view: View, slo: Slo) -> None:
    phases = _phases(view).values()
    if phases and not any(slo.of(mode, model).statements for mode, model in phases):
        modes, models = (
            ", ".join(dict.fromkeys(str(name) for name in names if name))
            for names in zip(*phases, strict=True)
        )
        raise SloError(
            f"no objective of the SLO applies to a phase of {view.run.run_id}: name its mode "
            f"({modes}) or its model ({models})."
        )


def judge_objectives(view: View, slo: Slo) -> list[Check]:
    """Every objective of an SLO, on each phase that it applies to.

    The phases of a capacity search are left out: they miss their objectives on purpose.
    """
    phases_of: dict[Condition, list[str]] = {}
    for name, (mode, model) in _phases(view).items():
        if mode == "capacity":
            continue
        for condition in slo.of(mode, model).statements:
            phases_of.setdefault(condition, []).append(name)
    return [
        check for condition in phases_of for check in _judge(view, condition, phases_of[condition])
    ]


def sentence(checks: Sequence[Check], t: Words) -> str:
    """What failed, in one sentence; empty if nothing did."""
    failed = [check.text(t) for check in checks if not check.passed]
    if not failed:
        return ""
    if len(checks) == 1:
        return f"{failed[0]}{t.stop}"
    texts = failed[:_EXAMPLES]
    if (more := len(failed) - _EXAMPLES) > 0:
        texts.append(t(f"and {more} more", f"另有 {more} 项"))
    head = t(f"{len(failed)} of {len(checks)} checks failed",
             f"{len(checks)} 项检查中 {len(failed)} 项未通过")  # fmt: skip
    return f"{head}{t.colon}{t.clauses(texts)}{t.stop}"


def _complete(view: View) -> Check:
    run, wall_s = view.run, _wall_s(view)
    if run.interrupted:
        text, zh = "was interrupted and never recorded its end", "中断，没有记录结束"
        return Check(RUN, None, "failed", text, wall_s, finding_zh=zh)
    if run.events_of(RunEnd)[-1].completed is False:
        reasons = [
            event
            for kind in (StopRule, Refused, Stopped, Ended, Failed)
            for event in run.events_of(kind)
        ]
        reason = f" ({clause(Words('en'), reasons[-1])})" if reasons else ""
        reason_zh = f"（{clause(Words('zh'), reasons[-1])}）" if reasons else ""
        text, zh = f"ended before its plan was done{reason}", f"未执行完计划就结束{reason_zh}"
        return Check(RUN, None, "failed", text, wall_s, finding_zh=zh)
    text, zh = "went through its plan to the end", "执行完全部计划"
    return Check(RUN, None, "passed", text, wall_s, finding_zh=zh)


def _faults(view: View) -> list[Check]:
    """The phases with requests that failed because of a fault in Weighbridge itself."""
    name, text = Outcome.INTERNAL_ERROR.value, "requests failed by a fault in Weighbridge itself"
    return [
        Check(phase.phase, None, "failed", f"{count} {text}", claim="no internal error",
              finding_zh=f"有 {count} 个请求因 Weighbridge 自身的故障而失败")
        for phase in view.phases
        if (count := phase.outcomes.get(name, 0))
    ]  # fmt: skip


def _disagreements(view: View) -> list[Check]:
    """The phases whose streams disagree gravely with the plain reply to the same prompt."""
    by_phase: dict[str, list[str]] = {}
    for difference in view.differences:
        if difference.grave:
            by_phase.setdefault(difference.streamed["phase"], []).append(difference.flag)
    walls = {phase.phase: phase.wall_s or 0.0 for phase in view.phases}
    text = "does not agree with the plain reply to the same prompt"
    return [
        Check(name, None, "failed", f"{text} ({', '.join(kinds)})", walls[name], None, "agrees",
              finding_zh=f"与同一 prompt 的非流式应答不一致（{'、'.join(kinds)}）")
        for name, kinds in by_phase.items()
    ]  # fmt: skip


def _answers(view: View) -> list[Check]:
    """In mode smoke, the models that answered nothing: finding them is its purpose."""
    if view.run.mode != "smoke":
        return []
    good: dict[str, int] = {}
    for phase in view.phases:
        name = phase.model_requested
        good[name] = good.get(name, 0) + phase.success
    mute = [name for name, count in good.items() if not count]
    return [
        Check(name, None, "failed", "answered nothing", claim="answers", finding_zh="没有任何应答")
        for name in mute
    ]


def _features(view: View) -> list[Check]:
    """In mode compat: the models that answered nothing, and every cell that `--require` names."""
    features, checks = view.features, list[Check]()
    for model in features.mute:
        why = features.ended.get(model, "")
        text, zh = f"answered nothing: {why}", f"没有任何应答：{why}"
        checks.append(Check(model, None, "failed", text, claim="answers", finding_zh=zh))
    for required in features.required:
        cell = required.cell
        verdict = str(cell.verdict) if cell else "not tried"
        evidence = f" ({cell.evidence})" if cell and cell.evidence else ""
        result: Literal["passed", "failed", "unknown"] = (
            "passed" if required.passes
            else "unknown" if cell is None or not cell.verdict.accuses else "failed"
        )  # fmt: skip
        text = f"{required.check} is {verdict}{evidence}"
        zh = f"{required.check} 为 {verdict}{evidence}"
        claim = f"{required.check} works"
        checks.append(Check(required.model, None, result, text, claim=claim, finding_zh=zh))
    return checks


def _phases(view: View) -> dict[str, tuple[str | None, str | None]]:
    """The mode and the model of every phase that was planned or measured, by its name."""
    planned: dict[str, tuple[str | None, str | None]] = {
        phase["name"]: (phase.get("mode"), phase.get("model")) for phase in view.run.plan
    }
    measured = {p.phase: (p.mode, p.model_requested) for p in view.phases}
    return planned | measured


def _judge(view: View, condition: Condition, among: Sequence[str] | None = None) -> Iterator[Check]:
    """A condition on every phase it applies to, limited to `among` if given."""
    metric, metric_name = _metric(condition), condition.metric
    if metric.where is Where.RUN:
        amount, gap = of_run(view, metric)
        yield _compare(view, RUN, condition, amount, gap, _wall_s(view))
        return
    skipped = set(view.not_run)
    measured = {phase.phase: phase for phase in view.phases}
    planned = {phase["name"]: phase for phase in view.run.plan}
    names = [
        name
        for name in (dict.fromkeys([*planned, *measured]) if among is None else among)
        if _applies(metric, planned.get(name, {}), measured.get(name))
    ]
    if metric.where is Where.PAIRS:
        yield from _overhead(view, condition, names)
        return
    if metric.where is Where.OBJECTIVES:
        slo, phases = view.slo, _phases(view)
        names = [name for name in names if slo is not None and slo.of(*phases[name])]
    for name in names:
        numbers = measured.get(name)
        gap = "it was not run" if name in skipped else _gap(metric, numbers)
        wall_s = (numbers and numbers.wall_s) or 0.0
        if time_and_percent(metric_name) and numbers:
            yield _ranked(view, numbers, condition, gap, wall_s)
        else:
            yield _compare(view, name, condition, _value(view, metric, numbers), gap, wall_s)
    if not names:
        yield _compare(view, RUN, condition, None, "no phase has one", 0.0)


def _overhead(view: View, condition: Condition, phases: Sequence[str]) -> Iterator[Check]:
    """A condition on the gateway's overhead: certain only if both ends of its interval agree."""
    name = _metric(condition).number
    phases = [phase for phase in phases if not phase.endswith(SUFFIX)]
    for phase in phases:
        comparison = view.routes.verdict(phase, name) if view.routes is not None else None
        low, high = (None, None) if comparison is None else (comparison.low, comparison.high)
        if comparison is None or low is None or high is None or comparison.conclusion in ABSTAINED:
            why = "there are no pairs" if comparison is None else str(comparison.conclusion)
            text = f"{condition.metric} is unknown, {why}"
            yield Check(phase, condition, "unknown", text)
            continue
        ends = [condition.met(end * 1000) for end in (low, high)]
        verdict: Literal["passed", "failed", "unknown"] = "failed" if all(ends) else "passed"
        text = f"{condition.metric} is {low * 1000:.1f} to {high * 1000:.1f} ms (95 % interval)"
        if any(ends) and not all(ends):
            verdict, text = "unknown", f"{text}, which contains the limit: send more pairs"
        shown = f"{low * 1000:.1f} … {high * 1000:.1f} ms"
        yield Check(phase, condition, verdict, text, shown=shown)
    if not phases:
        yield _compare(view, RUN, condition, None, "the run has one route (--against)", 0.0)


def _applies(metric: Metric, planned: Mapping[str, Any], numbers: PhaseNumbers | None) -> bool:
    """Whether a phase has the metric: by its plan, or because it was measured anyway."""
    if metric.where is Where.WINDOWS:
        return has(metric.where, planned)
    return has(metric.where, planned) or (
        numbers is not None and numbers.as_dict().get(metric.number) is not None
    )


def _value(view: View, metric: Metric, numbers: PhaseNumbers | None) -> float | None:
    """A metric's value in a phase's numbers; None: unknown."""
    if numbers is None:
        return None
    if metric.number == "flagged":
        return flagged(view, numbers.phase)
    if metric.number == "cost_outlier":
        return len(outliers_of(view, numbers.phase))
    named = numbers.as_dict()
    if metric.number not in named and condition_names.meaning(metric.number) is not None:
        return condition_names.count(metric.number, named)
    value: float | None = named.get(metric.number)
    return value


def _compare(
    view: View, subject: str, condition: Condition, value: float | None, gap: str, wall_s: float
) -> Check:
    """One comparison; `gap` says why there is no value, if it is None."""
    if value is None:
        why = f", {gap}" if gap else ""
        return Check(subject, condition, "unknown", f"{condition.metric} is unknown{why}", wall_s)
    unit = _metric(condition).unit
    shown = _figure(value, condition)
    if unit:
        shown += f" {view.run.currency or '' if unit == 'money' else unit}"
    verdict: Literal["passed", "failed"] = "failed" if condition.met(value) else "passed"
    text = f"{condition.metric} is {shown.rstrip()}"
    return Check(subject, condition, verdict, text, wall_s, value)


def _ranked(
    view: View, phase: PhaseNumbers, condition: Condition, gap: str, wall_s: float
) -> Check:
    """A percentile that includes unanswered requests: judged only if every possible value agrees.

    If no request lies beyond its rank, it is the time of the slowest, and is reported as such.
    """
    time, percent = time_and_percent(condition.metric) or ("e2e", 50)
    rows, _ = trimmed(view.requests(phase, *dict.fromkeys([*READ, *NEEDED])), warmup_s(view.run))
    measured = percentile(rows, time, percent)
    unresolved = phase.tpot_unknown_count if time == "tpot" else 0
    if measured is None or measured.count == unresolved:
        return _compare(view, phase.phase, condition, None, gap, wall_s)
    worst, best = condition.met(measured.high), condition.met(measured.low)
    verdict: Literal["passed", "failed", "unknown"] = (
        "unknown" if worst is not best else "failed" if worst else "passed"
    )
    low, high = (_figure(value, condition) for value in (measured.low, measured.high))
    if measured.low == measured.high:
        text, shown = f"is {low} s", low
    elif measured.high == inf:
        text, shown = f"is more than {low} s", f"> {low}"
    else:
        text, shown = f"is from {low} to {high} s", f"{low} … {high}"
    if verdict == "unknown":
        text = f"is not known, it {text}"
    if measured.few:
        text = (
            f"cannot be judged from {measured.count} "
            f"(a P{decimal(percent)} takes {enough(percent)}): "
            f"the slowest {text.replace('is ', 'took ', 1) if verdict != 'unknown' else text}"
        )
        shown = f"max {shown} (n = {measured.count})"
    if measured.unanswered > unresolved:
        text += f", {measured.unanswered - unresolved} of {measured.count} had no answer"
    if unresolved:
        text += (
            f", the chunks of {unresolved} of {measured.count} do not tell when their tokens came"
        )
    if verdict == "passed" and not bears(percent, measured.count):
        verdict = "unknown"
        text = text.replace("took ", "took only ", 1) + ", which does not show it"
    value = measured.low if measured.low == measured.high and not measured.few else None
    claimed = f"{condition.metric} {text}"
    return Check(phase.phase, condition, verdict, claimed, wall_s, value, shown=shown)


def _figure(value: float, condition: Condition) -> str:
    """The value in few digits, but in enough to show on which side of the limit it lies."""
    if value == inf:
        return "-"
    short = f"{value:.6g}" if abs(value) < 1e6 else f"{value:.0f}"
    return short if condition.met(float(short)) == condition.met(value) else repr(value)


def _gap(metric: Metric, numbers: PhaseNumbers | None) -> str:
    if numbers is None or not numbers.success:
        return "no request succeeded"
    if metric.unit == "money":
        unpriced, good = numbers.cost_unknown_success_count, numbers.success
        return f"{unpriced} of {good} successes state none"
    if metric.number.startswith("tpot") and (unresolved := numbers.tpot_unknown_count):
        return (
            f"the chunks of {unresolved} of {numbers.streams} streams do not tell when tokens came"
        )
    return "none was measured"


def _metric(condition: Condition) -> Metric:
    metric = metric_of(condition.metric)
    assert metric is not None, condition.metric  # else it could not be parsed
    return metric


def _wall_s(view: View) -> float:
    return fsum(phase.wall_s for phase in view.phases if phase.wall_s is not None)
