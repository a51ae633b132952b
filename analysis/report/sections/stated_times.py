"""What the gateway's headers say of its own time, beside what was measured."""

from typing import Any

from analysis.numbers.stated_times import KINDS
from analysis.page.blocks import Block, Table
from analysis.page.words import ABSENT, integer, milliseconds
from analysis.report.view import View
from recording.untrusted_text import quoted


def lines(view: View) -> list[str]:
    """A sentence for each phase whose answers state the gateway's overhead, for a terminal."""
    return [
        view.t(
            f"{phase['phase']}: the gateway says it added {milliseconds(p50)} (P50), "
            f"{milliseconds(p95)} (P95), in {integer(count)} of {integer(phase['success'])} "
            f"answers, by {_sources(view, phase)}",
            f"{phase['phase']}：网关自称增加 {milliseconds(p50)}（P50）、"
            f"{milliseconds(p95)}（P95），{integer(phase['success'])} 个应答中 "
            f"{integer(count)} 个给出，见响应头 {_sources(view, phase)}",
        )
        for phase in view.phases
        if (count := phase["stated_overhead_count"])
        for p50, p95 in [(phase["stated_overhead_p50_s"], phase["stated_overhead_p95_s"])]
    ]


def blocks(view: View) -> list[Block]:
    """A table with a row for each phase whose answers state such a time; nothing without any."""
    t = view.t
    phases = [p for p in view.phases if any(p[f"stated_{kind}_count"] for kind in KINDS)]
    if not phases:
        return []
    names = (t("Overhead", "网关开销"), t("Upstream", "上游耗时"))
    table = Table(
        title=t("Times that the gateway states", "网关自报耗时"),
        headers=(
            t("Phase", "阶段"),
            t("Success", "成功"),
            *(
                head
                for name in names
                for head in (
                    t(f"{name}: stated in", f"{name}：给出数"),
                    f"{name} P50",
                    f"{name} P95",
                )
            ),
            t("From the header", "来源响应头"),
            t("Measured P50", "实测 P50"),
        ),
        rows=[
            (
                phase["phase"],
                integer(phase["success"]),
                *(cell for kind in KINDS for cell in _cells(phase, kind)),
                _sources(view, phase),
                milliseconds(phase["latency_p50_s"]),
            )
            for phase in phases
        ],
        how=t(
            "What headers of the answers say, of successes: nobody can check it, and nothing here "
            "is added to a measured time or subtracted from one. A stated time that is none, or "
            "longer than the whole answer took, is unknown and flagged stated_time.",
            "以上为成功应答的响应头所述，无从核实；任何实测时间均未据此加减。"
            "无效的、或超过整个应答耗时的自报值按未知处理，并标记为 stated_time。",
        ),
    )
    return [table]


def _cells(phase: dict[str, Any], kind: str) -> tuple[str, ...]:
    count = phase[f"stated_{kind}_count"]
    if not count:
        return (ABSENT,) * 3
    times = (phase[f"stated_{kind}_{rank}_s"] for rank in ("p50", "p95"))
    return (integer(count), *map(milliseconds, times))


def _sources(view: View, phase: dict[str, Any]) -> str:
    """The headers' names, each once."""
    names = dict.fromkeys(name for text in phase["stated_times_from"] for name in text.split())
    return view.t.join([quoted(name, 60) for name in names]) or ABSENT
