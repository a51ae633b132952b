"""The text of an event beyond its name, place and time, in English and Chinese. Pure.

The web page shows it during the run and the report afterwards, in the same words.
"""

from recording.arms import REFERENCE
from recording.bilingual import Bilingual
from recording.events import Ended, Event, Refused, Stopped, StopRule, WorkerLost
from recording.reasons import Reason
from recording.untrusted_text import quoted

_ENDS: dict[str | None, tuple[str, str]] = {
    "run": (", as all others would: the run ended", "，其余请求也会如此：运行已终止"),
    "model": (", so its model's other phases were left out", "，因此该模型的其余阶段不再运行"),
    "mode": (", so its model's other phases of this mode were left out",
             "，因此该模型在此模式下的其余阶段不再运行"),
    None: ("", ""),
}  # fmt: skip


def clause(event: Event) -> Bilingual:
    """One clause about an event; for an unknown event, its fields unchanged."""
    match event:
        case StopRule(counted=int(), completed=int()):
            counts = [f"{n} {name}" for name, n in (event.outcomes or {}).items()]
            en, zh = (f" ({', '.join(counts)})", f"（{'、'.join(counts)}）") if counts else ("", "")
            return Bilingual(
                f"{event.counted} of the last {event.completed} completed requests failed{en}",
                f"最近 {event.completed} 个完成的请求中 {event.counted} 个失败{zh}",
            )
        case Refused(counted=int(), outcome=str()):
            return _refused(event)
        case Ended(cause=Reason() as cause):
            return Bilingual(str(event.reason), cause.clause.zh)
        case WorkerLost(reason=Reason() as reason):
            who = (f"{event.worker}: ", f"{event.worker}：") if event.worker else ("", "")
            return Bilingual(who[0] + reason.clause.en, who[1] + reason.clause.zh)
        case Stopped(reason=Reason() as reason):
            return reason.clause
    details = event.details()
    return Bilingual(details, details)


def _refused(event: Refused) -> Bilingual:
    status = [] if event.http_status is None else [f"HTTP {event.http_status}"]
    named, words = [f"{event.outcome}", *status], event.words
    en = ", ".join([*named, *([f'"{quoted(words)}"'] if words else [])])
    zh = "、".join([*named, *([f"“{quoted(words)}”"] if words else [])])
    to_reference = event.arm == REFERENCE
    last, ends = event.which == "last", _ENDS.get(event.ends, _ENDS[None])
    return Bilingual(
        f"the {'last' if last else 'first'} {event.counted} requests"
        f"{' to the reference' if to_reference else ''} all ended in the same refusal "
        f"({en}){ends[0]}",
        f"{'发往参照路由的' if to_reference else ''}{'最后' if last else '最初'} {event.counted} "
        f"个请求全部以同样的方式被拒绝（{zh}）"
        f"{ends[1]}",
    )
