"""Whether a gateway streams at all, and how often its streams stall."""

from analysis.page.blocks import Remark
from analysis.page.words import integer, percent, seconds
from analysis.report.sections.streams import stall_limit_s
from analysis.report.view import View
from recording.untrusted_text import quoted
from rules.wilson import wilson

FEWEST = 5
"""Streams that a verdict needs: of five out of five the interval begins at 57 %."""
LATE_S = 0.05
"""P99 lag of the event loop up to which clumps are not its own: that most streams of ten chunks
came as one, it would have to be this late for most of them. The limit of the phase will not do: it
is taken from the gaps, and those of a gateway that does not stream are none."""
_MOST = 0.5
_STALLED = 2


def remarks(view: View) -> list[Remark]:
    """What the streams of each model show, over all phases that the generator kept up with."""
    return [*_held_back(view), *_stalled(view)]


def _held_back(view: View) -> list[Remark]:
    t, found = view.t, []
    counts: dict[str, list[int]] = {}
    for phase in view.phases:
        if (phase.loop_lag_p99_s or 0.0) <= LATE_S:  # a late reader makes clumps of its own
            known = counts.setdefault(phase.model_requested, [0, 0])
            known[0] += phase.streams_buffered
            known[1] += phase.streams_judged
    for model, (held, judged) in counts.items():
        if judged < FEWEST:
            continue
        low, high = wilson(held, judged)
        if low <= _MOST:
            continue
        share = f"{percent(low, 0)}-{percent(high, 0)}"
        text = t(
            f"The gateway does not stream {model}: {integer(held)} of {integer(judged)} streams "
            f"(95 % interval {share}) were held back and came in one clump. Their TTFT is the "
            "time of the whole reply, and the times between tokens are unknown.",
            f"网关并未真正流式返回 {model}：{integer(judged)} 个流中有 {integer(held)} 个"
            f"（95% 区间 {share}）被缓存后一次性到达。"
            "其 TTFT 实为整个应答的时间，token 间隔未知。",
        )
        head = t(f"{quoted(model, 60)} is not streamed", f"{quoted(model, 60)} 并未真正流式返回")
        found.append(Remark("bad", text, head))
    return found


def _stalled(view: View) -> list[Remark]:
    t, limit = view.t, stall_limit_s(view)
    return [
        Remark(
            "note",
            t(
                f"{phase.phase}: {integer(phase.stalled_streams)} of "
                f"{integer(phase.streams)} streams stood still for more than {limit:g} s, the "
                f"longest for {seconds(phase.inter_chunk_max_s)}.",
                f"{phase.phase}：{integer(phase.streams)} 个流中有 "
                f"{integer(phase.stalled_streams)} 个停顿超过 {limit:g} 秒，最长 "
                f"{seconds(phase.inter_chunk_max_s)}。",
            ),
        )
        for phase in view.phases
        if (phase.stalled_streams or 0) >= _STALLED
    ]
