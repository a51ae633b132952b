"""What an event of events.jsonl says beyond its name, its place and its time, for a reader."""

from analysis.page.words import Words
from recording.events import Ended, Event, Refused, Stopped, StopRule, WorkerLost
from recording.reasons import Reason
from recording.untrusted_text import quoted

_ENDS: dict[str | None, tuple[str, str]] = {
    "run": (", and so would all others: the run ended", "，其余请求也会如此：运行已终止"),
    "model": (", so its model's other phases were left out", "，因此该模型的其余阶段不再运行"),
    "mode": (", so its model's other phases of this mode were left out",
             "，因此该模型在此模式下的其余阶段不再运行"),
    None: ("", ""),
}  # fmt: skip


def told(t: Words, event: Event) -> str:
    """One clause on an event; of one that we do not know, its fields as they stand."""
    match event:
        case StopRule(counted=int(), completed=int()):
            outcomes = t.join(f"{n} {name}" for name, n in (event.outcomes or {}).items())
            shown = t(f" ({outcomes})", f"（{outcomes}）") if outcomes else ""
            return t(
                f"{event.counted} of the last {event.completed} completed requests failed{shown}",
                f"最近 {event.completed} 个完成的请求中 {event.counted} 个失败{shown}",
            )
        case Refused(counted=int(), outcome=str()):
            return _refused(t, event)
        case Ended(cause=Reason() as cause):
            return t(str(event.reason), cause.said.zh)
        case WorkerLost(reason=Reason() as reason):
            who = t(f"{event.worker}: ", f"{event.worker}：") if event.worker else ""
            return who + t(*reason.said)
        case Stopped(reason=Reason() as reason):
            return t(*reason.said)
    return event.details()


def _refused(t: Words, event: Refused) -> str:
    said = t.join(
        [f"{event.outcome}"]
        + ([] if event.http_status is None else [f"HTTP {event.http_status}"])
        + ([t(f'"{quoted(w)}"', f"“{quoted(w)}”")] if (w := event.words) else [])
    )
    last, ends = event.which == "last", _ENDS.get(event.ends, _ENDS[None])
    return t(
        f"the {'last' if last else 'first'} {event.counted} requests all ended in the same refusal "
        f"({said}){ends[0]}",
        f"{'最后' if last else '最初'} {event.counted} 个请求全部以同样的方式被拒绝（{said}）"
        f"{ends[1]}",
    )


def sentence(t: Words, head: str, why: str) -> str:
    """A sentence and, after a colon, its reason, where there is one."""
    stop = t(".", "。")
    return f"{head}{t(': ', '：')}{why.removesuffix('.')}{stop}" if why else f"{head}{stop}"
