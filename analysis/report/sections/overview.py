"""The overview: the article's first table, each conclusion computed from the rows."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from analysis.numbers.phase_numbers import PhaseNumbers
from analysis.numbers.providers import comparable
from analysis.page.blocks import Section
from analysis.page.columns import Name, table
from analysis.page.vocabulary import CONCURRENCY
from analysis.page.words import Words, integer, percent, rate, ratio, seconds, tally
from analysis.report.sections import vision
from analysis.report.sections.cache import saving
from analysis.report.sections.cache_pairs import MEASURED
from analysis.report.sections.detail import detail
from analysis.report.view import View
from recording.counted import counted

PLACE = 10  # in the report
_MOST = 10
"""A line shows the results of at most so many models; the tables contain all of them."""
Phases = list[PhaseNumbers]


class _Line(NamedTuple):
    """One dimension, and the run's result for it."""

    dimension: str
    result: str


def section(view: View) -> Section:
    """One row per dimension of the gateway that the run measured."""
    view = view.of_gateway()
    t = view.t
    lines: list[Callable[[View], _Line | None]] = [
        _chat, _stream, _ladder, _rpm, _tpm, _tracing, _cost, _cache, _tools, _reasoning, _vision,
    ]  # fmt: skip
    measured = [result for line in lines if (result := line(view)) is not None]
    if not measured:
        return Section("")
    results = table(
        t,
        measured,
        [
            Name("Dimension", "维度").of(lambda line: line.dimension),
            Name("Result", "评测结果").of(lambda line: line.result),
        ],
        how=t("Each result is computed from the tables below.", "各项结果由下文各表计算得出。"),
    )
    return Section(t("Overview", "核心数据"), [results])


def _best(phases: Phases, number: Callable[[PhaseNumbers], float | None]) -> Phases:
    """Each model's phase with the highest number; models without a known number are left out."""
    best: dict[str, tuple[float, PhaseNumbers]] = {}
    for phase in phases:
        amount = number(phase)
        if amount is None:
            continue
        highest = best.get(phase.model_requested)
        if highest is None or amount > highest[0]:
            best[phase.model_requested] = amount, phase
    return [phase for _, phase in best.values()]


def _window(phases: Phases) -> str:
    return "/".join(f"{s:g}" for s in sorted({p.duration_s for p in phases if p.duration_s}))


def _listed(t: Words, texts: Sequence[str]) -> list[str]:
    """The texts of the first models, and how many more models there are."""
    more = len(texts) - _MOST
    if more <= 0:
        return list(texts)
    return [*texts[:_MOST], t(f"and {more} more", f"另有 {more} 个模型")]


def _chat(view: View) -> _Line | None:
    t = view.t
    rows = [row for row in view.rows("smoke") if not row["stream"]]
    if not rows:
        return None
    good = t.join(_listed(t, [row["model_requested"] for row in rows if row["success"]]))
    bad = t.join(
        _listed(t, [f"{r['model_requested']} {r['outcome']}" for r in rows if not r["success"]])
    )
    parts = [t(f"{good} returned 200", f"{good} 返回 200")] if good else []
    parts += [t(f"failed: {bad}", f"失败：{bad}")] if bad else []
    return _Line(t("Basic chat", "基础 chat"), t.clauses(parts))


def _stream(view: View) -> _Line | None:
    t = view.t
    rows = [row for row in view.rows("smoke") if row["stream"]]
    if not rows:
        return None
    texts = [
        t(
            f"{row['model_requested']} streamed, TTFT {seconds(row['ttft_s'])}",
            f"{row['model_requested']} 流式请求成功，TTFT {seconds(row['ttft_s'])}",
        )
        if row["success"]
        else f"{row['model_requested']}{t.colon}{row['outcome']}"
        for row in rows
    ]
    return _Line("stream", t.clauses(_listed(t, texts)))


def _ladder(view: View) -> _Line | None:
    t = view.t
    top = _best(view.of_modes("ladder"), lambda phase: phase.target)
    if not top:
        return None
    highest = {phase.target for phase in top}
    if len(highest) == 1:
        texts = [f"{p.model_requested} {ratio(p.success, p.awaited)}" for p in top]
        text = t.join(_listed(t, texts)) + t(" succeeded", " 成功")
        step = integer(highest.pop())
        return _Line(t(f"{step} concurrent", f"{step} 并发"), text)
    texts = [
        t(
            f"{p.model_requested} {ratio(p.success, p.awaited)} at {p.target}",
            f"{p.model_requested} 在 {p.target} 并发下 {ratio(p.success, p.awaited)} 成功",
        )
        for p in top
    ]
    return _Line(t(*CONCURRENCY.name), t.clauses(_listed(t, texts)))


def _rpm(view: View) -> _Line | None:
    t = view.t
    top = _best(view.of_modes("rpm"), lambda phase: phase.observed_rpm)
    if not top:
        return None
    length = _window(top)
    label = t(f"RPM, {length} s scheduled", f"{length} 秒调度 RPM")
    return _Line(label, t.clauses(_listed(t, [_served(t, phase) for phase in top])))


def _served(t: Words, phase: PhaseNumbers) -> str:
    """The offered load, how much of it was served, and the article's rate over the wall clock."""
    name, observed = phase.model_requested, rate(phase.observed_rpm)
    served, planned = integer(phase.success), integer(phase.awaited)
    offered = integer(phase.target)
    if phase.success == phase.awaited:
        return t(
            f"{name}: offered {offered} RPM, all {planned} served (observed {observed} RPM)",
            f"{name} 按 {offered} RPM 发出，{planned} 个请求全部成功（最高观测 {observed} RPM）",
        )
    return t(
        f"{name}: offered {offered} RPM, {served} of {planned} served (observed {observed} RPM)",
        f"{name} 按 {offered} RPM 发出，{planned} 个请求中 {served} 个成功"
        f"（最高观测 {observed} RPM）",
    )


def _tpm(view: View) -> _Line | None:
    t = view.t
    top = _best(view.of_modes("tpm"), lambda phase: phase.target)
    if not top:
        return None
    texts = [
        t(
            f"{p.model_requested} {integer(p.observed_tpm)} TPM for {_target_tpm(p)}",
            f"{p.model_requested} {integer(p.observed_tpm)} TPM（目标 {_target_tpm(p)}）",
        )
        for p in top
    ]
    text = t.join(_listed(t, texts))
    length = _window(top)
    label = t(f"TPM, {length} s scheduled", f"{length} 秒调度 TPM")
    return _Line(label, t(f"observed: {text}", f"实际观测：{text}"))


def _target_tpm(phase: PhaseNumbers) -> str:
    """The target, without the share of requests drawn to be cancelled."""
    target = phase.target_awaited
    return integer(None if target is None else round(target))


def _tracing(view: View) -> _Line | None:
    t, count = view.t, len(view.run.rows)
    if not count:
        return None
    named, distinct = view.run.rows.task_ids().count()
    text = t(
        f"{integer(named)} of {integer(count)} rows carry a task_id, {integer(distinct)} distinct",
        f"{integer(count)} 行中 {integer(named)} 行带 task_id，{integer(distinct)} 个互不相同",
    )
    return _Line(t("Request tracing", "请求追踪"), text)


def _cost(view: View) -> _Line | None:
    t, phases = view.t, view.phases
    if not phases:
        return None
    known = [p.cost_sum for p in phases if p.cost_sum is not None]
    good = sum(p.success for p in phases)
    priced = good - sum(p.cost_unknown_success_count for p in phases)
    sources: dict[str, int] = {}
    for phase in phases:
        for name, count in phase.cost_sources.items():
            sources[name] = sources.get(name, 0) + count
    total = t.money(sum(known) if known else None)
    text = t(
        f"the cost of {integer(priced)} of {counted(good, 'success')} is known, {total} in all "
        f"({tally(sources)})",
        f"{integer(good)} 个成功请求中 {integer(priced)} 个费用已知，合计 "
        f"{total}（{tally(sources)}）",
    )
    if not known and good:
        text = t(
            "no reply states a cost; a price table (--prices) supplies it",
            "应答均未给出费用；可用价格表（--prices）计算",
        )
    return _Line(t("Cost visibility", "费用可观测"), text)


def _cache(view: View) -> _Line | None:
    t, texts = view.t, []
    rows = view.rows("cache")
    for phase in view.of_modes("cache"):
        if phase.scenario in MEASURED:
            continue
        good = [row for row in rows if row["phase"] == phase.phase]
        name, good = phase.model_requested, [row for row in good if row["success"]]
        later = [row for row in good[1:] if row["cached_tokens"]]
        alike = [row for row in later if comparable(good[0], row, routed=False)]
        saved = saving(alike[-1], good[0]) if alike else None
        if len(good) < 2:
            texts.append(
                t(
                    f"{name} not known: {len(good)} of {counted(phase.planned, 'run')} succeeded",
                    f"{name} 未知：{phase.planned} 次样本仅成功 {len(good)} 次",
                )
            )
        elif good[0]["cached_tokens"]:
            texts.append(
                t(
                    f"{name} hit on the first run already: the saving of a hit is unknown",
                    f"{name} 首次即命中，无法得出命中后的节省",
                )
            )
        elif not later:
            texts.append(
                t(
                    f"{name} no hit in {counted(len(good), 'run')}",
                    f"{name} {len(good)} 次样本未命中",
                )
            )
        elif not alike:
            texts.append(
                t(
                    f"{name} hit, but at another provider than the first run: the saving of a hit "
                    "is unknown",
                    f"{name} 命中，但应答的供应商与首次不同，无法得出命中后的节省",
                )
            )
        elif saved is None:
            texts.append(t(f"{name} hit, cost unknown", f"{name} 命中，费用未知"))
        else:
            share = percent(saved, 0)
            texts.append(
                t(
                    f"{name} with the same prefix {len(good)} times: a hit cost {share} less",
                    f"{name} 相同长前缀 {len(good)} 次样本中，命中后的单次费用下降约 {share}",
                )
            )
    return _Line("Prompt Cache", t.clauses(_listed(t, texts))) if texts else None


def _tools(view: View) -> _Line | None:
    t, phases = view.t, view.of_modes("tools")
    if not phases:
        return None
    rows = view.rows("tools")
    texts = []
    for phase in phases:
        replies = [row for row in rows if row["phase"] == phase.phase]
        right = sum(1 for row in replies if detail(row).get("arguments_right") is True)
        texts.append(f"{phase.model_requested} {ratio(right, phase.planned)}")
    text = t.join(_listed(t, texts))
    result = t(f"right call and arguments: {text}", f"调用及参数正确：{text}")
    return _Line("Tool Call", result)


def _reasoning(view: View) -> _Line | None:
    t, rows = view.t, view.rows("reasoning")
    if not rows:
        return None
    models = dict.fromkeys(r["model_requested"] for r in rows if r["reasoning_content_present"])
    text = t.join(_listed(t, list(models)))
    result = (
        t(f"{text} return reasoning_content", f"{text} 可返回 reasoning_content")
        if models
        else t("no model returned reasoning_content", "没有模型返回 reasoning_content")
    )
    return _Line("Thinking/Reasoning", result)


def _vision(view: View) -> _Line | None:
    t, phases = view.t, view.of_modes("vision")
    if not phases:
        return None
    rows = view.rows("vision")
    texts = []
    for phase in phases:
        share = vision.text_share([row for row in rows if row["phase"] == phase.phase])
        text = t(f"text found {percent(share, 0)}", f"识别文字 {percent(share, 0)}")
        where = f"{phase.model_requested} @ {phase.target}"
        texts.append(where + t.colon + t.join([ratio(phase.success, phase.awaited), text]))
    return _Line(t(*vision.TITLE), t.clauses(_listed(t, texts)))
