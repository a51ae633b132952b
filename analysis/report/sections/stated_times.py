"""The times that the gateway's headers state, next to the measured ones."""

from collections.abc import Callable
from typing import Any

from analysis.numbers.phase_numbers import Percentiles, PhaseNumbers
from analysis.page.blocks import Block
from analysis.page.columns import Name, table
from analysis.page.vocabulary import PHASE, SUCCESS, PhaseColumn
from analysis.page.words import ABSENT, integer, milliseconds
from analysis.report.view import View
from recording.untrusted_text import quoted


def lines(view: View) -> list[str]:
    """For a terminal: a sentence for each phase whose answers state the gateway's overhead."""
    return [
        view.t(
            f"{phase.phase}: the gateway says it added {milliseconds(p50)} (P50), "
            f"{milliseconds(p95)} (P95), in {integer(count)} of {integer(phase.success)} "
            f"answers, by {_sources(view, phase)}",
            f"{phase.phase}：网关自称增加 {milliseconds(p50)}（P50）、"
            f"{milliseconds(p95)}（P95），{integer(phase.success)} 个应答中 "
            f"{integer(count)} 个给出，见应答头 {_sources(view, phase)}",
        )
        for phase in view.phases
        if (count := phase.stated_overhead_count)
        for p50, p95 in [(phase.stated_overhead.p50_s, phase.stated_overhead.p95_s)]
    ]


def blocks(view: View) -> list[Block]:
    """A table with a row for each phase whose answers state such a time; nothing if none do."""
    t = view.t
    phases = [p for p in view.phases if p.stated_overhead_count or p.stated_upstream_count]
    if not phases:
        return []
    times_table = table(
        t,
        phases,
        [
            PHASE,
            SUCCESS,
            *_time_columns(Name("Overhead", "网关开销"), _overhead),
            *_time_columns(Name("Upstream", "上游耗时"), _upstream),
            Name("From the header", "来源应答头").of(lambda p: _sources(view, p)),
            Name("Measured P50", "实测 P50").of(lambda p: p.latency.p50_s, milliseconds),
        ],
        title=t("Times that the gateway states", "网关自报耗时"),
        how=t(
            "Times stated in the headers of successes: they cannot be checked, and nothing here is "
            "added to a measured time or subtracted from one. A stated time that is invalid, or "
            "longer than the whole answer took, is unknown and flagged stated_time.",
            "以上为成功应答的应答头所述，无从核实；任何实测时间均未据此加减。"
            "无效的、或超过整个应答耗时的自报值按未知处理，并标记为 stated_time。",
        ),
    )
    return [times_table]


def _overhead(phase: PhaseNumbers) -> tuple[int, Percentiles]:
    return phase.stated_overhead_count, phase.stated_overhead


def _upstream(phase: PhaseNumbers) -> tuple[int, Percentiles]:
    return phase.stated_upstream_count, phase.stated_upstream


def _time_columns(
    name: Name, time_of: Callable[[PhaseNumbers], tuple[int, Percentiles]]
) -> list[PhaseColumn[Any]]:
    """The columns for one stated time: how many answers state it, and its percentiles."""
    en, zh = name
    return [
        Name(f"{en}: stated in", f"{zh}：给出数").of(lambda p: time_of(p)[0] or None, integer),
        Name(f"{en} P50", f"{zh} P50").of(lambda p: time_of(p)[1].p50_s, milliseconds),
        Name(f"{en} P95", f"{zh} P95").of(lambda p: time_of(p)[1].p95_s, milliseconds),
    ]


def _sources(view: View, phase: PhaseNumbers) -> str:
    """The headers' names, each once."""
    names = dict.fromkeys(name for text in phase.stated_times_from for name in text.split())
    return view.t.join([quoted(name, 60) for name in names]) or ABSENT
