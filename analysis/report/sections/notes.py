"""Notes for the reader, as in the article: token counts, markers, token rates, window lengths."""

from collections.abc import Iterable
from typing import NamedTuple

from analysis.numbers.phase_numbers import PhaseNumbers
from analysis.page.blocks import Block, Section, Table
from analysis.page.columns import Name, field, table
from analysis.page.vocabulary import CACHED, COMPLETION, PHASE, PROMPT
from analysis.page.words import integer, percent, rate
from analysis.report.view import View
from recording.events import PhaseEnd

PLACE = 160  # in the report
SHORT_WINDOW_S = 600


class _Note(NamedTuple):
    """What a reader should consider, its evidence, and what to do about it."""

    concern: str
    evidence: str
    advice: str


def section(view: View) -> Section:
    """A table of tokens by phase, then the notes that the data calls for."""
    t = view.t
    with_tokens = [phase for phase in view.phases if phase.total_tokens is not None]
    blocks: list[Block] = []
    if with_tokens:
        blocks.append(_tokens(view, with_tokens))
    gateway = view.of_gateway()
    notes = [*_reasoning(gateway), *_markers(gateway), *_overshoot(gateway), *_windows(gateway)]
    if notes:
        blocks.append(
            table(
                t,
                notes,
                [
                    Name("Concern", "关注项").of(lambda note: note.concern),
                    Name("Evidence", "本轮证据").of(lambda note: note.evidence),
                    Name("Advice", "建议").of(lambda note: note.advice),
                ],
                how=t("Computed from the rows of this run.", "由本次运行的记录计算得出。"),
            )
        )
    return Section(t("Reading notes", "解读注意事项"), blocks, folded=True)


def _tokens(view: View, phases: list[PhaseNumbers]) -> Table:
    t = view.t
    return table(
        t,
        phases,
        [
            PHASE,
            PROMPT.of(lambda p: p.prompt_tokens, integer),
            COMPLETION.of(lambda p: p.completion_tokens, integer),
            field("reasoning").of(lambda p: p.reasoning_tokens, integer),
            CACHED.of(lambda p: p.cached_tokens, integer),
            field("total").of(lambda p: p.total_tokens, integer),
            Name("Marker replies", "marker 正确率").of(lambda p: p.marker_rate, percent),
        ],
        how=t(
            "Tokens as stated in the API's usage, summed over the successes; marker replies is the "
            "share of replies that are the requested marker.",
            "token 为成功请求 usage 字段之和；marker 正确率为回复恰为所要求 marker 的占比。",
        ),
    )


def _by_model(phases: Iterable[PhaseNumbers]) -> dict[str, list[PhaseNumbers]]:
    by_model: dict[str, list[PhaseNumbers]] = {}
    for phase in phases:
        by_model.setdefault(phase.model_requested, []).append(phase)
    return by_model


def _reasoning(view: View) -> list[_Note]:
    t = view.t
    notes: list[_Note] = []
    with_reasoning = [phase for phase in view.phases if phase.reasoning_tokens is not None]
    for model, phases in _by_model(with_reasoning).items():
        reasoning = sum(p.reasoning_tokens or 0 for p in phases)
        completion = sum(p.completion_tokens or 0 for p in phases)
        if reasoning and completion:
            share = percent(reasoning / completion, 1)
            notes.append(
                _Note(
                    t(f"{model}: reasoning tokens", f"{model} reasoning 口径"),
                    t(
                        f"{integer(reasoning)} reasoning beside {integer(completion)} completion "
                        f"({share})",
                        f"reasoning {integer(reasoning)} / completion "
                        f"{integer(completion)}（{share}）",
                    ),
                    t(
                        "Read prompt, completion and total tokens separately before comparing cost "
                        "or TPM.",
                        "同时披露 prompt、completion、total token，明确 reasoning 口径。",
                    ),
                )
            )
    return notes


def _markers(view: View) -> list[_Note]:
    t = view.t
    notes: list[_Note] = []
    marked = [phase for phase in view.phases if phase.marker_rate is not None]
    for model, phases in _by_model(marked).items():
        rates = [(phase.marker_rate or 0.0, phase.phase) for phase in phases]
        worst, name = min(rates, key=lambda pair: pair[0])
        if worst < 1:
            notes.append(
                _Note(
                    t(f"{model}: markers", f"{model} 编号测试"),
                    t(
                        f"{percent(worst)} of the replies in {name} are the marker",
                        f"{name} 中 {percent(worst)} 的回复为所要求 marker",
                    ),
                    t(
                        "Use a shorter marker, or a larger output budget.",
                        "换更短 marker，或明确 reasoning/输出参数。",
                    ),
                )
            )
    return notes


def _overshoot(view: View) -> list[_Note]:
    t = view.t
    notes: list[_Note] = []
    for phase in view.of_modes("tpm"):
        target, observed = phase.target_awaited, phase.observed_tpm
        if not target or observed is None or abs(observed / target - 1) <= 0.02:
            continue
        off = f"{(observed / target - 1) * 100:+.1f}%"
        notes.append(
            _Note(
                t(f"{phase.phase}: token rate", f"{phase.phase} token 速率"),
                t(
                    f"observed {rate(observed)} TPM for {integer(round(target))} ({off})",
                    f"观测 {rate(observed)} TPM，目标 {integer(round(target))}（{off}）",
                ),
                _why_off(view, phase, observed / target - 1),
            )
        )
    return notes


def _why_off(view: View, phase: PhaseNumbers, off: float) -> str:
    """Why a window missed its token rate, as far as its pacing tells."""
    t, name = view.t, phase.phase
    pacers = [pacer for end in view.run.events_of(PhaseEnd, name)[-1:] for pacer in end.pacers]
    errors = [pacer.expected_error for pacer in pacers if pacer.expected_error is not None]
    if not errors:
        return t(
            "The plan estimates prompt tokens; judge by the observed rate.",
            "计划按估算 token 数排定，请以观测值为准。",
        )
    expected = max(errors)
    text = t(
        f"The expected error of this window was ±{expected * 100:.1f}%",
        f"该窗口的预期误差为 ±{expected * 100:.1f}%",
    )
    if abs(off) <= expected:
        return text + t(
            ": when the last answers come cannot be planned (the wall clock includes the drain). "
            "A longer --duration makes the error smaller.",
            "：最后一批应答何时完成无法预先安排（收尾时间计入墙钟）。加长 --duration 可减小误差。",
        )
    if phase.success < phase.awaited:
        return text + t(
            "; requests that did not succeed bring no tokens, see the outcomes.",
            "；未成功的请求不产生 token，见结果分布。",
        )
    return text + t(
        "; the drain after the window took longer than the calibration showed: compare the rate "
        "inside the window.",
        "；窗口后的收尾时间超出校准所见：请对照窗口内速率。",
    )


def _windows(view: View) -> list[_Note]:
    t = view.t
    lengths = {p.duration_s for p in view.of_modes("rpm", "tpm") if p.duration_s is not None}
    if not lengths or max(lengths) >= SHORT_WINDOW_S:
        return []
    lengths_text = "/".join(f"{s:g}" for s in sorted(lengths))
    return [
        _Note(
            t("Window length", "RPM/TPM 长窗口"),
            t(f"scheduled windows of {lengths_text} s", f"本轮为 {lengths_text} 秒调度窗口"),
            t(
                "Add windows of 10 to 30 minutes, at several hours of the day.",
                "后续补 10-30 分钟窗口和跨时段测试。",
            ),
        )
    ]
