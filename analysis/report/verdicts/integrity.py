"""Whether a run is complete: did it end, and did it run and record everything planned?"""

from analysis.page.blocks import Remark
from analysis.page.words import integer
from analysis.report import workers
from analysis.report.event_text import clause, sentence
from analysis.report.view import View
from recording.counted import counted
from recording.events import Ended, Refused, RunEnd, Stopped, StopRule
from recording.outcome import Outcome

_EXAMPLES = 5


def remarks(view: View) -> list[Remark]:
    """What ended early, what was not run, what left no row, and which workers were lost."""
    return [*_faults(view), *_stops(view), *_completeness(view), *_parted(view), *_losses(view)]


def _faults(view: View) -> list[Remark]:
    """Requests that failed because of a fault of ours, which says nothing about the gateway."""
    name, t = Outcome.INTERNAL_ERROR.value, view.t
    count = sum(phase.outcomes.get(name, 0) for phase in view.phases)
    if not count:
        return []
    text = t(
        f"{counted(count, 'request')} failed because of a fault in Weighbridge itself ({name}), "
        "which says nothing about the gateway. The log has the traceback; please report it.",
        f"{integer(count)} 个请求因 Weighbridge 自身的缺陷失败（{name}），与网关无关。"
        "日志中有错误堆栈，请反馈给我们。",
    )
    return [Remark("bad", text, t("a fault in Weighbridge itself", "有 Weighbridge 自身的缺陷"))]


def _completeness(view: View) -> list[Remark]:
    """Whether the run ended, ran everything planned, and left complete files."""
    t, run = view.t, view.run
    verdicts = []
    if run.interrupted:
        text = t(
            "The run was interrupted: it never recorded its end. Its finished requests are below.",
            "本次运行被中断：没有结束记录。以下为中断前已完成的部分。",
        )
        verdicts.append(Remark("bad", text, t("the run was interrupted", "运行被中断")))
    ends = run.events_of(RunEnd)
    completed = bool(ends) and ends[-1].completed is not False  # a resumed run has several
    stops = [] if completed else [*run.events_of(Stopped), *run.events_of(Ended)]
    for event in stops:
        where = t(f" in {event.phase}", f"（{event.phase}）") if event.phase else ""
        text = t(f"The run was stopped before its end{where}", f"运行被提前停止{where}")
        verdicts.append(Remark("note", sentence(t, text, clause(t, event))))
    cut = [*view.run.events_of(StopRule), *view.run.events_of(Refused)]
    if not stops and not cut and ends and not completed:
        text = t("The run ended before its plan was done.", "运行在计划完成前结束。")
        verdicts.append(Remark("note", text))
    missing = view.not_run
    if missing:
        listed = view.t.shortened(view.t.join(missing[:_EXAMPLES]), len(missing) - _EXAMPLES)
        text = t(
            f"Planned phases without any request: {listed} ({len(missing)}).",
            f"{len(missing)} 个计划阶段没有请求：{listed}。",
        )
        verdicts.append(Remark("note", text))
    verdicts += [Remark("note", t(*odd)) for odd in run.remarks]
    return verdicts


def _stops(view: View) -> list[Remark]:
    """The phases that the stop rule ended, or that ended because all requests were refused."""
    t, verdicts = view.t, []
    for event in view.run.events:
        where = event.phase
        if isinstance(event, StopRule):
            head = t(f"The stop rule ended {where}", f"停止规则终止了 {where}")
        elif isinstance(event, Refused):
            head = t(f"{where} was ended", f"{where} 被提前终止")
        else:
            continue
        early = t("a phase that was ended early", "有阶段被提前终止")
        verdicts.append(Remark("bad", sentence(t, head, clause(t, event)), early))
    return verdicts


def _parted(view: View) -> list[Remark]:
    """Bursts sent by several attempts at the run, so never at their nominal concurrency."""
    t, verdicts = view.t, []
    bursts = {phase["name"] for phase in view.run.plan if phase.get("kind") == "burst"}
    for phase in view.phases:
        parts = phase.parts if phase.phase in bursts else None
        if not parts:
            continue
        name, part_sizes = phase.phase, t.join(map(str, parts))
        text = t(
            f"{name} was resumed: it was sent in {len(parts)} parts, of {part_sizes} requests, and "
            f"never as {phase.sent} at once. Do not read it as a burst of that size; to measure "
            "one, start a new run.",
            f"{name} 为续跑：分 {len(parts)} 次发出（{part_sizes} 个请求），"
            f"从未同时发出 {phase.sent} 个。不可视为该并发的结果；如需测量请重新运行。",
        )
        verdicts.append(Remark("bad", text, t("a burst sent in parts", "有并发分次发出")))
    return verdicts


def _losses(view: View) -> list[Remark]:
    """What was planned but never sent or recorded, and what became of the workers."""
    t = view.t
    verdicts = []
    dropped = [phase for phase in view.phases if phase.dropped]
    if dropped:
        where = t.join(f"{phase.phase} {phase.dropped}" for phase in dropped[:_EXAMPLES])
        total = sum(phase.dropped for phase in dropped)
        text = t(
            f"{counted(total, 'planned request was', 'planned requests were')} never sent "
            f"({where}).",
            f"{integer(total)} 个计划请求未发出（{where}）。",
        )
        verdicts.append(Remark("note", text))
    if lost := sum(phase.outcomes.get("lost", 0) for phase in view.phases):
        text = t(
            f"{counted(lost, 'request was', 'requests were')} held by a process that died or was "
            "lost: each may have been sent and paid for, at an unknown cost",
            f"{integer(lost)} 个请求所在的进程已终止或失联：可能已发出并计费，费用未知",
        )
        if (most := _dearest(view)) is not None:
            text += t(
                f" (at the highest cost seen for their model, {t.money(most)} together)",
                f"（若均按同一模型中最贵的一次计，合计 {t.money(most)}）",
            )
        text += t.stop
        verdicts.append(Remark("bad", text, t("requests that were lost", "有请求丢失")))
    unsaid = sum(p.planned - p.recorded for p in view.phases)
    if unsaid:
        text = t(
            f"{counted(unsaid, 'planned request')} left no row.",
            f"{integer(unsaid)} 个计划请求没有记录。",
        )
        verdicts.append(Remark("note", text))
    return verdicts + workers.remarks(view)


def _dearest(view: View) -> float | None:
    """The cost of the lost requests if each cost as much as the dearest known one of its model.

    In the run's currency; None if no cost is known for one of the models.
    """
    frame = view.run.rows.frame(["outcome", "model_requested", "api_cost"])
    dearest = frame.groupby("model_requested")["api_cost"].max()
    models = frame.loc[frame["outcome"] == Outcome.LOST.value, "model_requested"]
    costs = models.astype(str).map(dearest)
    return None if costs.isna().any() else float(costs.sum())
