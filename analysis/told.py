"""What an event of events.jsonl says beyond its name, its place and its time, for a reader."""

from typing import Any

from analysis.seed import details
from analysis.words import Words

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
}


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
    reason = event.get("reason")
    if event.get("cause") in _CAUSES:
        return t(str(reason), _CAUSES[event["cause"]])
    if reason in _REASONS:
        who = t(f"{event['worker']}: ", f"{event['worker']}：") if event.get("worker") else ""
        return who + t(reason, _REASONS[reason])
    return details(event)


def sentence(t: Words, head: str, why: str) -> str:
    """A sentence and, after a colon, its reason, where there is one."""
    stop = t(".", "。")
    return f"{head}{t(': ', '：')}{why.removesuffix('.')}{stop}" if why else f"{head}{stop}"
