"""The first screen of the report: what was asked, what was found, and whether to believe it."""

from collections import Counter
from collections.abc import Iterable, Sequence

from analysis.numbers.phase_numbers import PhaseNumbers
from analysis.page.blocks import Answer, Level, Remark
from analysis.page.words import Words, integer, percent, seconds
from analysis.report.verdicts.asked import requirements
from analysis.report.view import PROBES, View
from recording.counted import counted
from recording.untrusted_text import quoted
from rules.censoring import enough

_NAMED = 3
"""So many models, conditions or findings are named; the rest are only counted."""
_LONGEST_CHARS = 120
_RATES = {
    "rpm": ("requests per minute", "请求/分钟"),
    "tpm": ("tokens per minute", "token/分钟"),
    "ladder": ("concurrent", "并发"),
}
_RANK = 95


def answers(view: View, remarks: Sequence[Remark]) -> list[Answer]:
    """The three answers; `remarks` are all verdicts on the run, the gravest first.

    In a run with two routes they describe only the gateway's, and what it adds to the other.
    """
    t, gateway = view.t, view.of_gateway()
    findings = [remark for remark in remarks if not remark.doubt]
    doubts = [remark for remark in remarks if remark.doubt]
    return [
        Answer(t("What was asked?", "测了什么？"), "note", _plan_and_requirements(gateway)),
        Answer(
            t("What was found?", "测得什么？"),
            _gravest(gateway, findings),
            _outcome(gateway, findings),
        ),
        Answer(t("Can it be believed?", "是否可信？"), *_believed(gateway, doubts)),
    ]


def _gravest(view: View, remarks: Sequence[Remark]) -> Level:
    """The level of all findings: bad if any is, good if all succeeded, else a note."""
    if any(remark.level == "bad" for remark in remarks):
        return "bad"
    if view.features.cells:
        works = all(r.level == "good" for r in remarks if r.head)
        return "good" if works else "note"
    return "good" if all(phase.success == phase.awaited for phase in view.phases) else "note"


# ---- what was asked


def _plan_and_requirements(view: View) -> str:
    t = view.t
    mode = quoted(view.run.mode or "-", 40)
    models = list(dict.fromkeys(phase.model_requested for phase in view.phases))
    phases, planned = len(view.run.plan), sum(phase.planned for phase in view.phases)
    many = t(f"{len(models)} models", f"{len(models)} 个模型") if len(models) > 1 else ""
    names = _list(view, models)
    who = t(f"{many} ({names})", f"{many}（{names}）") if many else names
    load = view.t.join([part for part in (_load(view), _routes(view)) if part])
    text = t(
        f"Mode {mode}{f' on {who}' if models else ''}: {counted(planned, 'request')} in "
        f"{counted(phases, 'phase')}{f', {load}' if load else ''}.",
        f"模式 {mode}{f'，{who}' if models else ''}：{integer(phases)} 个阶段，"
        f"{integer(planned)} 个请求{f'，{load}' if load else ''}。",
    )
    required = requirements(view)
    if not required:
        return text + t(" No objective was set.", "未设定目标。")
    return text + t(f" Required: {_list(view, required)}.", f"要求：{_list(view, required)}。")


def _routes(view: View) -> str:
    if view.routes is None:
        return ""
    return view.t("each sent to the gateway and to a reference", "每个请求同时发往网关与参照路由")


def _load(view: View) -> str:
    """`300 to 600 requests per minute`, for a run of one mode with targets; else empty."""
    t, modes = view.t, {phase.mode for phase in view.phases}
    if modes == {"capacity"}:
        return _searched(view)
    targets = sorted({phase.target for phase in view.phases if phase.target is not None})
    if len(modes) != 1 or not targets or (unit := _RATES.get(modes.pop())) is None:
        return ""
    return f"{_span(t, targets)} {t(*unit)}"


def _span(t: Words, levels: Sequence[float]) -> str:
    """`300 to 600`, of levels in order; one level alone."""
    first, last = integer(levels[0]), integer(levels[-1])
    return first if first == last else t(f"{first} to {last}", f"{first} 至 {last}")


def _searched(view: View) -> str:
    """What the levels of mode capacity are, and between which it searched."""
    t = view.t
    levels = sorted({phase.target for phase in view.phases if phase.target is not None})
    if not levels:
        return ""
    tried = _span(t, levels)
    if view.run.options.get("search") == "concurrency":
        return t(
            f"a search for the highest concurrency ({tried} requests at once tried)",
            f"搜索最高并发（试过 {tried} 并发）",
        )
    return t(
        f"a search for the highest rate ({tried} requests per minute tried)",
        f"搜索最高速率（试过 {tried} 请求/分钟）",
    )


# ---- what was found


def _outcome(view: View, remarks: Sequence[Remark]) -> str:
    t = view.t
    good, planned = (sum(getattr(p, name) for p in view.phases) for name in ("success", "awaited"))
    if not planned:
        return t("Nothing: no request was planned.", "没有结果：未计划任何请求。")
    if view.features.cells:  # refusals are what some of its checks are after
        return t.clauses(_heads(view, (r for r in remarks if r.level == "bad" or r.head))) + t.stop
    share = percent(good / planned)
    parts = [
        t(
            f"{integer(good)} of {counted(planned, 'request')} succeeded ({share})",
            f"{integer(planned)} 个请求中 {integer(good)} 个成功（{share}）",
        )
    ]
    if unsent := sum(phase.dropped for phase in view.phases):
        parts.append(t(f"{integer(unsent)} were not sent", f"{integer(unsent)} 个未发送"))
    if (times := _slowest(view)) is not None:
        parts.append(times)
    parts += _heads(view, (r for r in remarks if r.level == "bad" or r.head))
    return t.clauses(parts) + t.stop


def _slowest(view: View) -> str | None:
    """The highest P95 latency of the phases; None if none has enough successes for one."""
    t = view.t
    timed = [
        (time_s, phase)
        for phase in _loaded(view)
        if phase.success >= enough(_RANK) and (time_s := phase.latency.at(_RANK)) is not None
    ]
    if not timed:
        return None
    time_s, phase = max(timed, key=lambda pair: pair[0])
    where = quoted(phase.phase, 80)
    if len(timed) == 1:
        return t(f"P95 latency {seconds(time_s)}", f"P95 延迟 {seconds(time_s)}")
    least = min(time for time, _ in timed)
    return t(
        f"P95 latency {seconds(least)} to {seconds(time_s)} (highest in {where})",
        f"P95 延迟 {seconds(least)} 至 {seconds(time_s)}（{where} 最高）",
    )


def _loaded(view: View) -> list[PhaseNumbers]:
    """The phases that put a load on the gateway: a probe's few requests are no sample."""
    return [phase for phase in view.phases if phase.mode not in (*PROBES, "billing")]


# ---- whether to believe it


def _believed(view: View, doubts: Sequence[Remark]) -> tuple[Level, str]:
    level, text = _measured(view, doubts)
    if not view.run.simulated:
        return level, text
    says = view.t(
        "Only about the simulator: these numbers say nothing about a gateway. ",
        "仅就模拟器而言：这些数据与任何真实网关无关。",
    )
    return ("note" if level == "good" else level), says + text


def _measured(view: View, doubts: Sequence[Remark]) -> tuple[Level, str]:
    """What is known about the measurement itself."""
    t = view.t
    if not any(phase.sent for phase in view.phases):
        return "bad", t("There is nothing to judge: no request was sent.", "未发送任何请求。")
    if grave := [remark for remark in doubts if remark.level == "bad"]:
        why = t.clauses(_heads(view, grave))
        return "bad", t(f"Not all of it: {why}.", f"不可全信：{why}。")
    parts = []
    if all(phase.generator_limited is None for phase in view.phases):
        parts.append(
            t("it is unknown whether the generator kept time", "无法得知压测端是否准时发送")
        )
    loaded = _loaded(view)
    if few := [phase for phase in loaded if phase.success < enough(_RANK)]:
        parts.append(
            t(
                f"{len(few)} of {counted(len(loaded), 'phase')} under load have fewer than "
                f"{enough(_RANK)} successes, too few for a P95",
                f"{len(loaded)} 个压测阶段中有 {len(few)} 个的成功请求不足 {enough(_RANK)} 个，"
                "不足以得出 P95",
            )
        )
    if notes := sum(remark.level == "note" for remark in doubts):
        parts.append(t(f"see {counted(notes, 'note')} below", f"另见下文 {notes} 条说明"))
    if parts:
        return "note", t(f"Yes, but {t.clauses(parts)}.", f"可信，但有保留：{t.clauses(parts)}。")
    return "good", t(
        "Yes: the run is complete, and the generator was not the bottleneck.",
        "可信：运行完整，压测端未成为瓶颈。",
    )


# ---- words


def _heads(view: View, remarks: Iterable[Remark]) -> list[str]:
    """The heads of the first remarks, each once, with how often it occurs if more than once."""
    counts = Counter(
        remark.head or quoted(remark.text, _LONGEST_CHARS).removesuffix(view.t.stop)
        for remark in remarks
    )
    heads = [
        head + view.t(f" (×{count})", f"（×{count}）") if count > 1 else head
        for head, count in counts.items()
    ]
    return _first(view, heads)


def _list(view: View, names: Sequence[str]) -> str:
    return view.t.join(_first(view, [quoted(name, 60) for name in names]))


def _first(view: View, texts: list[str]) -> list[str]:
    more = len(texts) - _NAMED
    if more <= 0:
        return texts
    return [*texts[:_NAMED], view.t(f"and {more} more", f"另 {more} 个")]
