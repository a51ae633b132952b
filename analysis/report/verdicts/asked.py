"""The objectives of the run, and the conditions on which it fails."""

from collections.abc import Sequence

from analysis.page.blocks import Remark
from analysis.page.words import Words, integer
from analysis.report.check import Check, held, objectives
from analysis.report.view import View
from rules.conditions import Condition, ConditionError, parse

_SHOWN = 5


def remarks(view: View) -> list[Remark]:
    """One remark on the objectives of `--slo` and one on `--fail-on`, where they were given."""
    t, slo = view.t, view.slo
    found = []
    if slo is not None and (checks := objectives(view, slo)):
        missed = [check for check in checks if not check.passed]
        count, every = integer(len(missed)), integer(len(checks))
        if missed:
            head = t(f"{count} of {every} objectives missed", f"{every} 项目标中 {count} 项未达到")
            found.append(_failed(t, head, missed))
        else:
            text = t(
                f"Every objective is met ({every} judged, phase by phase).",
                f"各项目标均已达到（逐阶段共判定 {every} 项）。",
            )
            head = t("every objective is met", "各项目标均已达到")
            found.append(Remark("good", text, head))
    checks = held(view, _conditions(view))
    if checks:
        failed = [check for check in checks if not check.passed]
        count, every = integer(len(failed)), integer(len(checks))
        if failed:
            head = t(f"--fail-on: {count} of {every} checks failed",
                     f"--fail-on：{every} 项检查中 {count} 项未通过")  # fmt: skip
            found.append(_failed(t, head, failed))
        else:
            text = t(
                f"Every condition of --fail-on holds (checks: {every}).",
                f"--fail-on 的各项条件均满足（{every} 项检查）。",
            )
            head = t("every condition of --fail-on holds", "--fail-on 的各项条件均满足")
            found.append(Remark("good", text, head))
    return found


def wishes(view: View) -> list[str]:
    """Every condition that the run was asked to hold, each once: `ttft_p95_s ≤ 1`."""
    asked = [(phase.get("mode"), phase.get("model")) for phase in view.run.plan]
    statements = [] if view.slo is None else [view.slo.of(*one).statements for one in asked]
    every = [*(one for some in statements for one in some), *_conditions(view)]
    return list(dict.fromkeys(f"{c.metric} {c.kept}" for c in every))


def _conditions(view: View) -> tuple[Condition, ...]:
    """The conditions that the run was given; none where it was made by a version that spelled
    them otherwise."""
    try:
        return parse(str(view.run.options.get("fail_on") or ""))
    except ConditionError:
        return ()


def _failed(t: Words, head: str, checks: Sequence[Check]) -> Remark:
    said = [check.told(t) for check in checks[:_SHOWN]]
    more = len(checks) - _SHOWN
    if more > 0:
        said.append(t(f"and {integer(more)} more", f"另有 {integer(more)} 项"))
    return Remark("bad", f"{head}{t.colon}{t.clauses(said)}{t.stop}", head)
