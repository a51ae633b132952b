"""Whether a gateway streams at all, and how often its streams stall."""

from analysis.page.blocks import Remark
from analysis.page.words import integer, percent, seconds
from analysis.report.sections.streams import stall_limit_s
from analysis.report.view import View
from recording.untrusted_text import quoted
from rules.wilson import wilson

FEWEST = 5
"""How many streams a verdict needs: for five of five the interval begins at 57 %."""
LATE_S = 0.05
"""Up to this P99 lag of the event loop, it is not why streams arrived all at once: for most streams
of ten chunks to look like that, most reads would have to be this late. The phase's own lag limit
cannot be used: it derives from the gaps, and a gateway that does not stream has none."""
_MOST = 0.5
_STALLED = 2


def remarks(view: View) -> list[Remark]:
    """What the streams of each model show, over all phases in which the generator kept up."""
    return [*_held_back(view), *_stalled(view)]


def _held_back(view: View) -> list[Remark]:
    t, verdicts = view.t, []
    counts: dict[str, list[int]] = {}
    for phase in view.phases:
        if (phase.loop_lag_p99_s or 0.0) <= LATE_S:  # a late reader finds chunks together
            known = counts.setdefault(phase.model_requested, [0, 0])
            known[0] += phase.streams_buffered
            known[1] += phase.streams_judged
    for model, (held_back, judgeable) in counts.items():
        if judgeable < FEWEST:
            continue
        low, high = wilson(held_back, judgeable)
        if low <= _MOST:
            continue
        share = f"{percent(low, 0)}-{percent(high, 0)}"
        text = t(
            f"The gateway does not stream {model}: {integer(held_back)} of {integer(judgeable)} "
            f"streams (95 % interval {share}) were held back and came all at once. Their TTFT is "
            "the time of the whole reply, and the times between tokens are unknown.",
            f"网关并未真正流式返回 {model}：{integer(judgeable)} 个流中有 {integer(held_back)} 个"
            f"（95% 区间 {share}）被缓存后一次性到达。"
            "其 TTFT 实为整个应答的时间，token 间隔未知。",
        )
        head = t(f"{quoted(model, 60)} is not streamed", f"{quoted(model, 60)} 并未真正流式返回")
        verdicts.append(Remark("bad", text, head))
    return verdicts


def _stalled(view: View) -> list[Remark]:
    t, limit = view.t, stall_limit_s(view)
    return [
        Remark(
            "note",
            t(
                f"{phase.phase}: {integer(phase.stalled_streams)} of "
                f"{integer(phase.streams)} streams stalled for more than {limit:g} s, the "
                f"longest for {seconds(phase.inter_chunk_max_s)}.",
                f"{phase.phase}：{integer(phase.streams)} 个流中有 "
                f"{integer(phase.stalled_streams)} 个卡顿超过 {limit:g} 秒，最长 "
                f"{seconds(phase.inter_chunk_max_s)}。",
            ),
        )
        for phase in view.phases
        if (phase.stalled_streams or 0) >= _STALLED
    ]
