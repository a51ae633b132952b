"""The objectives of the run, and the conditions on which it fails."""

from collections.abc import Sequence
from itertools import chain

from analysis.page.blocks import Remark
from analysis.page.words import Words, integer
from analysis.report.check import Check
from analysis.report.condition_checks import judge_conditions, judge_objectives
from analysis.report.view import View
from recording.counted import counted
from rules.conditions import Condition, ConditionError, parse

_SHOWN = 5


def remarks(view: View) -> list[Remark]:
    """One remark on the objectives of `--slo`, and one on the conditions of `--fail-on`."""
    t, slo = view.t, view.slo
    verdicts = []
    if slo is not None and (checks := judge_objectives(view, slo)):
        missed = [check for check in checks if not check.passed]
        count, total = integer(len(missed)), integer(len(checks))
        if missed:
            head = t(
                f"{count} of {counted(len(checks), 'objective')} missed",
                f"{total} 项目标中 {count} 项未达到",
            )
            verdicts.append(_failed(t, head, missed))
        else:
            text = t(
                f"Every objective is met ({total} judged, phase by phase).",
                f"各项目标均已达到（逐阶段共判定 {total} 项）。",
            )
            head = t("every objective is met", "各项目标均已达到")
            verdicts.append(Remark("good", text, head))
    checks = judge_conditions(view, _conditions(view))
    if checks:
        failed = [check for check in checks if not check.passed]
        count, total = integer(len(failed)), integer(len(checks))
        if failed:
            head = t(f"--fail-on: {count} of {counted(len(checks), 'check')} failed",
                     f"--fail-on：{total} 项检查中 {count} 项未通过")  # fmt: skip
            verdicts.append(_failed(t, head, failed))
        else:
            text = t(
                f"Every condition of --fail-on holds (checks: {total}).",
                f"--fail-on 的各项条件均满足（{total} 项检查）。",
            )
            head = t("every condition of --fail-on holds", "--fail-on 的各项条件均满足")
            verdicts.append(Remark("good", text, head))
    return verdicts


def requirements(view: View) -> list[str]:
    """Everything that was required of the run, each once: `ttft_p95_s ≤ 1`."""
    planned = [(phase.get("mode"), phase.get("model")) for phase in view.run.plan]
    objectives = [] if view.slo is None else [view.slo.of(*phase).statements for phase in planned]
    conditions = [*chain.from_iterable(objectives), *_conditions(view)]
    return list(dict.fromkeys(f"{c.metric} {c.requirement}" for c in conditions))


def _conditions(view: View) -> tuple[Condition, ...]:
    """The conditions that the run was given; none if another version spelled them differently."""
    try:
        return parse(str(view.run.options.get("fail_on") or ""))
    except ConditionError:
        return ()


def _failed(t: Words, head: str, checks: Sequence[Check]) -> Remark:
    texts = [check.text(t) for check in checks[:_SHOWN]]
    more = len(checks) - _SHOWN
    if more > 0:
        texts.append(t(f"and {integer(more)} more", f"另有 {integer(more)} 项"))
    return Remark("bad", f"{head}{t.colon}{t.clauses(texts)}{t.stop}", head)
