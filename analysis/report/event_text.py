"""What an event of events.jsonl says beyond its name, its place and its time, for a reader."""

from typing import Any

from analysis.export.article_jsonl import details
from analysis.page.words import Words
from recording.untrusted_text import quoted

# What we write into an event's `reason`, in Chinese.
_REASONS = {
    "the run was stopped by hand": "人工停止",
    "its heartbeats stopped: its requests that were not sent are dropped": (
        "心跳中断，其未发出的请求记为 dropped"
    ),
    "its heartbeats stopped: what it may have sent since its last message is lost": (
        "心跳中断，自其最后一条消息以来可能已发出的请求记为 lost"
    ),
}
_CAUSES = {
    "budget": "预算已用尽",
    "unpriced": "网关未给出费用，无法遵守预算",
    "payment_required": "网关要求付费（HTTP 402）",
    "disk": "无法写入记录文件",
    "fault": "压测程序自身出错",
    "refused": "全部请求以同样的方式被拒绝",
}


_ENDS: dict[str | None, tuple[str, str]] = {
    "run": (", and so would all others: the run ended", "，其余请求也会如此：运行已终止"),
    "model": (", so its model's other phases were left out", "，因此该模型的其余阶段不再运行"),
    "mode": (", so its model's other phases of this mode were left out",
             "，因此该模型在此模式下的其余阶段不再运行"),
    None: ("", ""),
}  # fmt: skip


def told(t: Words, event: dict[str, Any]) -> str:
    """One clause on an event; of one that we do not know, its fields as they stand."""
    if event["event"] == "stop_rule" and {"counted", "completed"} <= event.keys():
        outcomes = t.join(f"{count} {name}" for name, count in event.get("outcomes", {}).items())
        shown = t(f" ({outcomes})", f"（{outcomes}）") if outcomes else ""
        counted, completed = event["counted"], event["completed"]
        return t(
            f"{counted} of the last {completed} completed requests failed{shown}",
            f"最近 {completed} 个完成的请求中 {counted} 个失败{shown}",
        )
    if event["event"] == "refused" and {"counted", "outcome"} <= event.keys():
        return _refused(t, event)
    reason = event.get("reason")
    if event.get("cause") in _CAUSES:
        return t(str(reason), _CAUSES[event["cause"]])
    if reason in _REASONS:
        who = t(f"{event['worker']}: ", f"{event['worker']}：") if event.get("worker") else ""
        return who + t(reason, _REASONS[reason])
    return details(event)


def _refused(t: Words, event: dict[str, Any]) -> str:
    count, status = event["counted"], event.get("http_status")
    said = t.join(
        [f"{event['outcome']}"]
        + ([] if status is None else [f"HTTP {status}"])
        + ([t(f'"{quoted(w)}"', f"“{quoted(w)}”")] if (w := event.get("words")) else [])
    )
    last = event.get("which") == "last"
    return t(
        f"the {'last' if last else 'first'} {count} requests all ended in the same refusal ({said})"
        f"{_ENDS[event.get('ends')][0]}",
        f"{'最后' if last else '最初'} {count} 个请求全部以同样的方式被拒绝（{said}）"
        f"{_ENDS[event.get('ends')][1]}",
    )


def sentence(t: Words, head: str, why: str) -> str:
    """A sentence and, after a colon, its reason, where there is one."""
    stop = t(".", "。")
    return f"{head}{t(': ', '：')}{why.removesuffix('.')}{stop}" if why else f"{head}{stop}"
