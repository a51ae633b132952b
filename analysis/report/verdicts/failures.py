"""What failed, how often, and with which messages: a failing run says so, and why."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from analysis.numbers.phase_numbers import PhaseNumbers
from analysis.numbers.warmup import warmup_s
from analysis.page.blocks import Level, Remark
from analysis.page.words import Words, integer, percent
from analysis.report.failure_causes import Cause, Failures, failures
from analysis.report.view import View
from identity import context, first_token, long_reply, setting, tools
from recording.counted import counted
from recording.events import Doubtful
from recording.outcome import Outcome
from recording.untrusted_text import quoted
from rules.hints import Hint, hint

SMALL_SHARE = 0.01
"""Failures up to this share of a phase's requests are only a note. A phase in which nothing
succeeded is bad, however small it is."""

_SOUGHT = {
    "limits": frozenset({Outcome.RATE_LIMITED.value}),
    "compat": frozenset(outcome.value for outcome in Outcome),  # its checks judge them
    "billing/refused": frozenset({Outcome.BAD_REQUEST.value}),
    "billing/limited": frozenset({Outcome.RATE_LIMITED.value}),
}
"""Outcomes that a mode, or a scenario of it, provokes on purpose: they are no failures."""
_MAY_BE_REFUSED = (
    setting.PREFIX, first_token.PREFIX, context.PREFIX, long_reply.PREFIX, tools.SCENARIO
)  # fmt: skip
"""How the scenarios of mode identity begin in which a refusal is an answer."""


ALIKE = 3
"""Up to so many phases that failed in the same way get a remark each; more of them share one."""


class _Failed(NamedTuple):
    """A phase with failures."""

    phase: PhaseNumbers
    failures: Failures

    @property
    def kind(self) -> tuple[Level, bool, str, int | None]:
        """What phases that failed in the same way have in common."""
        first = self.failures.causes[0]
        all_failed = self.failures.failed == self.failures.sent
        return _level(self.phase.mode, self.failures), all_failed, first.outcome, first.status


def remarks(view: View) -> list[Remark]:
    """One remark per phase with failures, or one for many phases that failed in the same way."""
    kinds: dict[tuple[Level, bool, str, int | None], list[_Failed]] = {}
    for failed in _failed(view):
        kinds.setdefault(failed.kind, []).append(failed)
    verdicts = []
    for (level, *_), alike in kinds.items():
        if len(alike) > ALIKE:
            verdicts.append(Remark(level, _of_many(view, alike), _head(view.t, alike)))
        else:
            verdicts += [
                Remark(level, _text(view, *failed), _head(view.t, [failed])) for failed in alike
            ]
    return verdicts


def _sought(phase: PhaseNumbers) -> frozenset[str]:
    """What a phase provokes on purpose."""
    if phase.mode == "identity" and phase.scenario.startswith(_MAY_BE_REFUSED):
        return frozenset({Outcome.BAD_REQUEST.value})
    of_mode = _SOUGHT.get(phase.mode, frozenset())
    return _SOUGHT.get(f"{phase.mode}/{phase.scenario}", of_mode)


def _failed(view: View) -> list[_Failed]:
    failing = []
    for phase in view.phases:
        if not phase.failures and not warmup_s(view.run):
            continue  # with a warm-up, requests that the numbers leave out may have failed, too
        of_phase = failures(view, phase.phase, _sought(phase))
        if of_phase.causes:
            failing.append(_Failed(phase, of_phase))
    return failing


def _head(t: Words, alike: Sequence[_Failed]) -> str:
    """`rate_limited (HTTP 429) in 89 phases`."""
    phase, of_phase = alike[0]
    first, name = of_phase.causes[0], quoted(phase.phase, 80)
    status = _status(t, first)
    many = len(alike)
    return t(
        f"{first.outcome}{status} in {name if many == 1 else f'{many} phases'}",
        f"{name if many == 1 else f'{many} 个阶段'} 出现 {first.outcome}{status}",
    )


def _of_many(view: View, alike: Sequence[_Failed]) -> str:
    """The causes of many phases that failed in the same way, in one text."""
    t = view.t
    counts: dict[tuple[str, int | None], int] = {}
    for cause in (cause for failed in alike for cause in failed.failures.causes):
        key = cause.outcome, cause.status
        counts[key] = counts.get(key, 0) + cause.count
    first = alike[0].failures.causes[0]
    causes = [Cause(*key, count, "") for key, count in counts.items()]
    causes.sort(key=lambda cause: (cause.outcome != first.outcome, -cause.count))
    causes[0] = replace(causes[0], words=first.words)
    sent = sum(failed.failures.sent for failed in alike)
    many = len(alike)
    names = t.shortened(t.join(quoted(failed.phase.phase, 80) for failed in alike[:ALIKE]), 1)
    who = t(f"{many} phases ({names})", f"{many} 个阶段（{names}）")
    advice = hint(first.outcome, first.status, first.words)
    return _described(view, Failures(sent, tuple(causes)), who, advice)


def _level(mode: str, of_phase: Failures) -> Level:
    if of_phase.failed == of_phase.sent:
        return "bad"
    if mode == "capacity":
        return "note"  # its trials overload the gateway on purpose: the objectives judge them
    return "bad" if of_phase.share > SMALL_SHARE else "note"


def _text(view: View, numbers: PhaseNumbers, of_phase: Failures) -> str:
    first = of_phase.causes[0]
    advice = hint(first.outcome, first.status, first.words)
    if first.outcome == Outcome.NOT_FOUND and (
        doubt := _from_doubts(view, numbers.model_requested)
    ):
        advice = doubt
    return _described(view, of_phase, numbers.phase, advice)


def _described(view: View, of_phase: Failures, phase: str, advice: Hint | None) -> str:
    """How often and why the requests failed of the phase, or phases, that `phase` names."""
    t = view.t
    failed, sent = integer(of_phase.failed), integer(of_phase.sent)
    all_sent = counted(of_phase.sent, "request")
    share = percent(of_phase.share)
    if of_phase.failed == of_phase.sent:
        head = t(
            f"{phase}: nothing succeeded, {failed} of {all_sent} failed",
            f"{phase}：没有一个请求成功，{sent} 个请求中 {failed} 个失败",
        )
    else:
        head = t(
            f"{phase}: {failed} of {all_sent} failed ({share})",
            f"{phase}：{sent} 个请求中 {failed} 个失败（{share}）",
        )
    first, *rest = of_phase.causes
    causes = t.clauses([_clause(t, first), *(_brief(t, cause) for cause in rest[:4])])
    text = f"{head}{t.colon}{t.shortened(causes, len(rest) - 4)}{t.stop}"
    return f"{text}{t.gap}{_sentence(t, advice.en, advice.zh)}" if advice else text


def _from_doubts(view: View, model: str) -> Hint | None:
    """What the look before the run found: another base URL, or models with similar names."""
    for event in view.run.events_of(Doubtful):
        if event.kind == "model" and event.asked != model:
            continue
        near = [quoted(name, 80) for name in event.near]
        if near and event.kind == "base_url":
            return Hint(
                f"did you mean the base URL {near[0]}? It has /models, and the one given has none",
                f"base URL 是否应为 {near[0]}？该地址有 /models，而给出的地址没有",
            )
        if event.kind == "model":
            en, zh = " or ".join(near), "、".join(near)
            return Hint(
                "the gateway does not list this model" + (f": did you mean {en}?" if near else ""),
                "网关的模型列表中没有它" + (f"：是否应为 {zh}？" if near else ""),
            )
    return None


def _clause(t: Words, cause: Cause) -> str:
    """`10 auth, HTTP 401, "Incorrect API key provided"`."""
    text = _brief(t, cause)
    if not cause.words:
        return text
    words = quoted(cause.words)
    return text + t(f', "{words}"', f"，“{words}”")


def _brief(t: Words, cause: Cause) -> str:
    return f"{integer(cause.count)} {cause.outcome}{_status(t, cause)}"


def _status(t: Words, cause: Cause) -> str:
    status = "" if cause.status is None else f"HTTP {cause.status}"
    return t(f" ({status})", f"（{status}）") if status else ""


def _sentence(t: Words, en: str, zh: str) -> str:
    text = t(en, zh)
    end = "" if text.endswith(("?", "？")) else t.stop
    return text[:1].upper() + text[1:] + end
