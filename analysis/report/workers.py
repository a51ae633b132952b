"""What happened to the sending processes: lost, stalled, late, or with another clock.

Read from events.jsonl alone; empty for a run of one process.
"""

from analysis.page.blocks import Remark
from analysis.page.words import Words, integer, seconds
from analysis.reading.load import Run
from analysis.reading.moment import moment
from analysis.report.event_text import clause
from analysis.report.view import View
from recording.counted import counted
from recording.events import Event, PhaseStart, RunEnd, WorkerBack, WorkerLate, WorkerLost

CLOCK_TOLD_S = 0.1
"""From this offset on a worker's clock is mentioned; the offset is corrected in any case."""


def remarks(view: View) -> list[Remark]:
    """A sentence for each worker that was lost, stalled, idle or had another clock."""
    return [*_lost(view), *_late(view), *_clocks(view), *_foreign(view)]


def clock_offsets_s(run: Run) -> dict[str, float]:
    """Each worker's largest clock offset: the master's clock minus its own.

    It is measured before each phase. A run of one process compares no clocks and gives {}.
    """
    worst: dict[str, float] = {}
    for event in run.events_of(PhaseStart):
        for name, offset in zip(event.generators, event.clock_offsets_s, strict=False):
            if name != "local" and abs(offset) >= abs(worst.get(name, 0.0)):
                worst[name] = offset
    return worst


def _lost(view: View) -> list[Remark]:
    """Workers whose heartbeats stopped: for good, or until they came back."""
    remarks, t = [], view.t
    returns = view.run.events_of(WorkerBack)
    for event in view.run.events_of(WorkerLost):
        back = next((b for b in returns if _same_loss(event, b)), None)
        if back is None:
            head = t("A worker was lost", "丢失一个 worker")
            remarks.append(Remark("bad", _sentence(t, head, clause(t, event))))
            continue
        returns.remove(back)
        worker, phase, away = event.worker, event.phase, seconds(_away_s(event, back))
        text = t(
            f"{worker} stalled in {phase}: it was lost, and came back {away} later. Requests due "
            "meanwhile were sent late, as the send lag shows.",
            f"{worker} 在 {phase} 中停顿：失联后又过 {away} 才恢复。其间应发的请求延后发出，"
            "见发送滞后。",
        )
        remarks.append(Remark("note", text))
    return remarks


def _same_loss(lost: WorkerLost, back: WorkerBack) -> bool:
    return back.worker == lost.worker and (_away_s(lost, back) or 0.0) >= 0


def _away_s(lost: Event, back: Event) -> float | None:
    """Seconds between two events; None if they have no times."""
    since, until = moment(lost.at), moment(back.at)
    return None if since is None or until is None else (until - since).total_seconds()


def _late(view: View) -> list[Remark]:
    t = view.t
    return [
        Remark(
            "note",
            t(
                f"{event.worker} joined during the run and got no requests to send.",
                f"{event.worker} 在运行期间加入，未分配任何请求。",
            ),
        )
        for event in view.run.events_of(WorkerLate)
    ]


def _clocks(view: View) -> list[Remark]:
    """Workers whose clock differs enough from the master's to matter when reading their logs."""
    t, remarks = view.t, []
    for name, offset in clock_offsets_s(view.run).items():
        if abs(offset) < CLOCK_TOLD_S:
            continue
        by, behind = seconds(abs(offset)), offset > 0
        text = t(
            f"The clock of {name} is {by} {'behind' if behind else 'ahead of'} the master's. This "
            "was measured, and every due time and offset is corrected for it.",
            f"{name} 的时钟比 master {'慢' if behind else '快'} {by}。"
            "已测量，所有计划时刻与偏移均已按此校正。",
        )
        remarks.append(Remark("note", text))
    return remarks


def _foreign(view: View) -> list[Remark]:
    t = view.t
    refused = sum(event.foreign_rows or 0 for event in view.run.events_of(RunEnd))
    if not refused:
        return []
    text = t(
        f"{counted(refused, 'row')} of another run had to be refused: a worker was left over from "
        "an earlier master.",
        f"拒收了 {integer(refused)} 行其他运行的记录：有 worker 属于先前的 master。",
    )
    return [Remark("note", text)]


def _sentence(t: Words, head: str, why: str) -> str:
    return f"{head}{t.colon}{why.removesuffix('.')}{t.stop}" if why else head
