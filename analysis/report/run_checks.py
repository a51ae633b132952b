"""Is the run good enough? Whether it is complete and sound, then every condition and objective."""

from collections.abc import Sequence
from typing import Literal

from analysis.page.words import Words
from analysis.report.check import RUN, Check
from analysis.report.condition_checks import (
    judge_conditions,
    judge_objectives,
    modes_and_models,
    wall_s_of,
)
from analysis.report.event_text import clause
from analysis.report.view import View
from recording.events import Ended, Failed, Refused, RunEnd, Stopped, StopRule
from recording.outcome import Outcome
from rules.conditions import Condition
from rules.slo import Slo, SloError


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
    both_routes, view = view, view.of_gateway()
    if slo is not None:
        _require_objectives(view, slo)
    return [
        _complete(both_routes),
        *_faults(view),
        *_disagreements(view),
        *_answers(view),
        *_features(both_routes),
        *judge_conditions(both_routes, conditions),
        *([] if slo is None else judge_objectives(view, slo)),
    ]


def _require_objectives(view: View, slo: Slo) -> None:
    phases = modes_and_models(view).values()
    if phases and not any(slo.of(mode, model).statements for mode, model in phases):
        modes, models = (
            ", ".join(dict.fromkeys(str(name) for name in names if name))
            for names in zip(*phases, strict=True)
        )
        raise SloError(
            f"no objective of the SLO applies to a phase of {view.run.run_id}: name its mode "
            f"({modes}) or its model ({models})."
        )


def _complete(view: View) -> Check:
    run, wall_s = view.run, wall_s_of(view)
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
