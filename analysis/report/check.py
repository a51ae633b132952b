"""Is the run good enough? Each condition of `--fail-on` and objective of `--slo`, by phase.

An unknown number is never good enough: it fails its condition. So does a phase that was planned and
not run, because nobody knows what it would have shown.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import fsum, inf
from typing import Any, Literal

from analysis.numbers.phase_numbers import PhaseNumbers
from analysis.numbers.unanswered import READ, percentile
from analysis.numbers.unanswered import asked as ranked
from analysis.numbers.warmup import NEEDED, trimmed, warmup_s
from analysis.page.words import Words
from analysis.pairs.verdict import Said
from analysis.report.event_text import told
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
ABSTAINED = frozenset({Said.NOT_COMPARABLE, Said.NOT_ENOUGH})


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was judged, and how it came out.

    `subject` is a phase or RUN, `condition` None where `claim` was judged, not a number,
    `wall_s` how long the subject was under load, seconds (0: not known), and `value` what was
    compared, if known; `shown` is the table cell for a value that is not a single number, and
    `found_zh` is what was found in Chinese, for a claim.
    """

    subject: str
    condition: Condition | None
    verdict: Literal["passed", "failed", "unknown"]
    found: str
    wall_s: float = 0.0
    value: float | None = None
    claim: str = "complete"
    shown: str = ""
    found_zh: str = ""

    @property
    def passed(self) -> bool:
        """Whether it passed."""
        return self.verdict == "passed"

    @property
    def wish(self) -> str:
        """What was required: `rpm/m/600: not p95_s>10`."""
        return f"{self.subject}: {f'not {self.condition}' if self.condition else self.claim}"

    def __str__(self) -> str:
        """What was found: `rpm/m/600: p95_s is 12.3 s (fails if >10)`, on one line."""
        if self.condition is None:
            text = f"{self.subject} {self.found}"
        else:
            text = f"{self.subject}: {self.found} (fails if {self.condition.bound})"
        return " ".join(text.split())

    def told(self, t: Words) -> str:
        """The same in the language of `t`; in Chinese the reasons for an unknown value are left
        out.
        """
        subject = "本次运行" if self.subject == RUN else f"{self.subject} "
        if self.condition is None:
            return t(str(self), f"{subject}{self.found_zh}")
        shown = "" if self.value is None else _figure(self.value, self.condition)
        shown = self.shown.replace(" (", "（").replace(")", "）") or shown
        value = f"为 {shown}" if shown else "未知"
        if shown and self.verdict == "unknown":
            value = f"为 {shown}，无法判定"
        said = f"{subject.rstrip()}：{self.condition.metric} {value}（要求 {self.condition.kept}）"
        return t(str(self), said)


def judge(view: View, conditions: Sequence[Condition], slo: Slo | None = None) -> list[Check]:
    """Whether the run is complete, then every condition on everything that it applies to.

    Between them, if there are any, the grave differences between plain and streamed replies to one
    prompt, faults in Weighbridge itself, and in modes smoke and compat the models that answered
    nothing: all three fail a run unasked. Then every cell that `--require` of mode compat names.

    Last, with `slo`, each of its objectives on each phase that it applies to. Raises SloError if it
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
        *held(whole, conditions),
        *([] if slo is None else objectives(view, slo)),
    ]


def held(view: View, conditions: Sequence[Condition]) -> list[Check]:
    """Every condition on everything that it applies to: with two routes only on the gateway's,
    except for costs, which are those of both."""
    own = view.of_gateway()
    return [
        check
        for condition in conditions
        for check in _judge(view if _metric(condition).where in _WHOLE else own, condition)
    ]


def _see_that_it_judges(view: View, slo: Slo) -> None:
    phases = _phases(view).values()
    if phases and not any(slo.of(mode, model).statements for mode, model in phases):
        modes, models = (
            ", ".join(dict.fromkeys(str(name) for name in names if name))
            for names in zip(*phases, strict=True)
        )
        raise SloError(
            f"no objective of the SLO is of a phase of {view.run.run_id}: name its mode ({modes}) "
            f"or its model ({models})."
        )


def objectives(view: View, slo: Slo) -> list[Check]:
    """Every objective of an SLO on each phase that it applies to.

    A capacity search misses them on purpose: its phases are left out.
    """
    asked: dict[Condition, list[str]] = {}
    for name, (mode, model) in _phases(view).items():
        if mode == "capacity":
            continue
        for condition in slo.of(mode, model).statements:
            asked.setdefault(condition, []).append(name)
    return [check for condition in asked for check in _judge(view, condition, asked[condition])]


def sentence(checks: Sequence[Check], t: Words) -> str:
    """What failed, in one sentence; empty when nothing did."""
    failed = [check.told(t) for check in checks if not check.passed]
    if not failed:
        return ""
    if len(checks) == 1:
        return f"{failed[0]}{t.stop}"
    said = failed[:_EXAMPLES]
    if (more := len(failed) - _EXAMPLES) > 0:
        said.append(t(f"and {more} more", f"另有 {more} 项"))
    head = t(f"{len(failed)} of {len(checks)} checks failed",
             f"{len(checks)} 项检查中 {len(failed)} 项未通过")  # fmt: skip
    return f"{head}{t.colon}{t.clauses(said)}{t.stop}"


def _complete(view: View) -> Check:
    run, wall_s = view.run, _wall_s(view)
    if run.interrupted:
        text, zh = "was interrupted and never recorded its end", "中断，没有记录结束"
        return Check(RUN, None, "failed", text, wall_s, found_zh=zh)
    if run.events_of(RunEnd)[-1].completed is False:
        why = [
            event
            for kind in (StopRule, Refused, Stopped, Ended, Failed)
            for event in run.events_of(kind)
        ]
        said = f" ({told(Words('en'), why[-1])})" if why else ""
        said_zh = f"（{told(Words('zh'), why[-1])}）" if why else ""
        text, zh = f"ended before its plan was done{said}", f"未执行完计划就结束{said_zh}"
        return Check(RUN, None, "failed", text, wall_s, found_zh=zh)
    text, zh = "went through its plan to the end", "执行完全部计划"
    return Check(RUN, None, "passed", text, wall_s, found_zh=zh)


def _faults(view: View) -> list[Check]:
    """The phases with requests that failed because of a fault in Weighbridge itself."""
    name, text = Outcome.INTERNAL_ERROR.value, "requests failed by a fault in Weighbridge itself"
    return [
        Check(phase.phase, None, "failed", f"{count} {text}", claim="no internal error",
              found_zh=f"有 {count} 个请求因 Weighbridge 自身的故障而失败")
        for phase in view.phases
        if (count := phase.outcomes.get(name, 0))
    ]  # fmt: skip


def _disagreements(view: View) -> list[Check]:
    """The phases whose streams disagree gravely with the plain reply to the same prompt."""
    flags: dict[str, list[str]] = {}
    for one in view.differences:
        if one.grave:
            flags.setdefault(one.streamed["phase"], []).append(one.flag)
    walls = {phase.phase: phase.wall_s or 0.0 for phase in view.phases}
    text = "does not agree with the plain reply to the same prompt"
    return [
        Check(name, None, "failed", f"{text} ({', '.join(found)})", walls[name], None, "agrees",
              found_zh=f"与同一 prompt 的非流式应答不一致（{'、'.join(found)}）")
        for name, found in flags.items()
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
        Check(name, None, "failed", "answered nothing", claim="answers", found_zh="没有任何应答")
        for name in mute
    ]


def _features(view: View) -> list[Check]:
    """In mode compat: the models that answered nothing, and every cell that `--require` names."""
    features, found = view.features, list[Check]()
    for model in features.mute:
        why = features.ended.get(model, "")
        said, zh = f"answered nothing: {why}", f"没有任何应答：{why}"
        found.append(Check(model, None, "failed", said, claim="answers", found_zh=zh))
    for one in features.required:
        verdict = str(one.cell.verdict) if one.cell else "not tried"
        fact = f" ({one.cell.evidence})" if one.cell and one.cell.evidence else ""
        told: Literal["passed", "failed", "unknown"] = (
            "passed" if one.passes
            else "unknown" if one.cell is None or not one.cell.verdict.accuses else "failed"
        )  # fmt: skip
        said, zh = f"{one.check} is {verdict}{fact}", f"{one.check} 为 {verdict}{fact}"
        claim = f"{one.check} works"
        found.append(Check(one.model, None, told, said, claim=claim, found_zh=zh))
    return found


def _phases(view: View) -> dict[str, tuple[str | None, str | None]]:
    """Every phase that was planned or measured: its mode and its model."""
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
    asked = [
        name
        for name in (dict.fromkeys([*planned, *measured]) if among is None else among)
        if _applies(metric, planned.get(name, {}), measured.get(name))
    ]
    if metric.where is Where.PAIRS:
        yield from _overhead(view, condition, asked)
        return
    if metric.where is Where.OBJECTIVES:
        slo, found = view.slo, _phases(view)
        asked = [name for name in asked if slo is not None and slo.of(*found[name])]
    for name in asked:
        numbers = measured.get(name)
        gap = "it was not run" if name in skipped else _gap(metric, numbers)
        wall_s = (numbers and numbers.wall_s) or 0.0
        if ranked(metric_name) and numbers:
            yield _ranked(view, numbers, condition, gap, wall_s)
        else:
            yield _compare(view, name, condition, _value(view, metric, numbers), gap, wall_s)
    if not asked:
        yield _compare(view, RUN, condition, None, "no phase has one", 0.0)


def _overhead(view: View, condition: Condition, phases: Sequence[str]) -> Iterator[Check]:
    """A condition on the gateway's overhead: certain only if both ends of its interval agree."""
    name = _metric(condition).number
    phases = [phase for phase in phases if not phase.endswith(SUFFIX)]
    for phase in phases:
        found = view.routes.verdict(phase, name) if view.routes is not None else None
        low, high = (None, None) if found is None else (found.low, found.high)
        if found is None or low is None or high is None or found.said in ABSTAINED:
            why = "there are no pairs" if found is None else str(found.said)
            text = f"{condition.metric} is unknown, {why}"
            yield Check(phase, condition, "unknown", text)
            continue
        ends = [condition.met(end * 1000) for end in (low, high)]
        verdict: Literal["passed", "failed", "unknown"] = "failed" if all(ends) else "passed"
        text = f"{condition.metric} is {low * 1000:.1f} to {high * 1000:.1f} ms (95 % interval)"
        if any(ends) and not all(ends):
            verdict, text = "unknown", f"{text}, which holds the limit: send more pairs"
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
    """A metric's value in a phase's numbers; None: it is not known."""
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
    """One comparison; `gap` says why there is no value, if there is none."""
    if value is None:
        why = f", {gap}" if gap else ""
        return Check(subject, condition, "unknown", f"{condition.metric} is unknown{why}", wall_s)
    unit = _metric(condition).unit
    shown = _figure(value, condition)
    if unit:
        shown += f" {view.run.currency or '' if unit == 'money' else unit}"
    verdict: Literal["passed", "failed"] = "failed" if condition.met(value) else "passed"
    found = f"{condition.metric} is {shown.rstrip()}"
    return Check(subject, condition, verdict, found, wall_s, value)


def _ranked(
    view: View, phase: PhaseNumbers, condition: Condition, gap: str, wall_s: float
) -> Check:
    """A percentile that counts unanswered requests too: it is judged only where it is certain.

    If no request lies beyond its rank, it is the slowest one's time, and reported as such.
    """
    time, percent = ranked(condition.metric) or ("e2e", 50)
    rows, _ = trimmed(view.requests(phase, *dict.fromkeys([*READ, *NEEDED])), warmup_s(view.run))
    found = percentile(rows, time, percent)
    untold = phase.tpot_unknown_count if time == "tpot" else 0
    if found is None or found.count == untold:
        return _compare(view, phase.phase, condition, None, gap, wall_s)
    worst, best = condition.met(found.high), condition.met(found.low)
    verdict: Literal["passed", "failed", "unknown"] = (
        "unknown" if worst is not best else "failed" if worst else "passed"
    )
    low, high = (_figure(value, condition) for value in (found.low, found.high))
    if found.low == found.high:
        text, shown = f"is {low} s", low
    elif found.high == inf:
        text, shown = f"is more than {low} s", f"> {low}"
    else:
        text, shown = f"is from {low} to {high} s", f"{low} … {high}"
    if verdict == "unknown":
        text = f"is not known, it {text}"
    if found.few:
        text = (
            f"cannot be judged from {found.count} (a P{decimal(percent)} takes {enough(percent)}): "
            f"the slowest {text.replace('is ', 'took ', 1) if verdict != 'unknown' else text}"
        )
        shown = f"max {shown} (n = {found.count})"
    if found.unanswered > untold:
        text += f", {found.unanswered - untold} of {found.count} had no answer"
    if untold:
        text += f", the chunks of {untold} of {found.count} do not tell when their tokens came"
    if verdict == "passed" and not bears(percent, found.count):
        verdict = "unknown"
        text = text.replace("took ", "took only ", 1) + ", which does not show it"
    value = found.low if found.low == found.high and not found.few else None
    claimed = f"{condition.metric} {text}"
    return Check(phase.phase, condition, verdict, claimed, wall_s, value, shown=shown)


def _figure(value: float, condition: Condition) -> str:
    """The value in few digits, but in enough that it does not seem to lie beyond the limit."""
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
    if metric.number.startswith("tpot") and (untold := numbers.tpot_unknown_count):
        return f"the chunks of {untold} of {numbers.streams} streams do not tell when tokens came"
    return "none was measured"


def _metric(condition: Condition) -> Metric:
    metric = metric_of(condition.metric)
    assert metric is not None, condition.metric  # else it could not be parsed
    return metric


def _wall_s(view: View) -> float:
    return fsum(phase.wall_s for phase in view.phases if phase.wall_s is not None)
