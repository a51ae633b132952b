"""Counts the rows of a file that are not sent exactly as written, by kind. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from recording.manifest_content import Note

NAMES_SHOWN = 6
FORMATS: Mapping[str, str] = {
    "OpenAI Batch": "OpenAI Batch",
    "a batch's output": "批处理结果",
    "a log of bodies": "请求体日志",
    "bodies as sent": "完整请求体",
    "fine-tuning": "微调数据",
    "preference tuning": "偏好微调数据",
    "our own": "Weighbridge 自有",
    "ShareGPT": "ShareGPT",
    "Bailian's trace (times in seconds)": "百炼 trace（时间以秒计）",
    "Mooncake (times in milliseconds)": "Mooncake（时间以毫秒计）",
    "Azure's LLM trace": "Azure LLM trace",
    "BurstGPT": "BurstGPT",
    "a trace of named columns (numbers are seconds)": "带列名的 trace（数值以秒计）",
    "plain prompts": "纯 prompt",
}
"""The Chinese names of the formats that files of `--prompts` and `--trace` may have."""

_SAID: dict[str, tuple[str, str]] = {
    "shape": ("read as {names} ({count})", "按 {names} 格式读取（{count}）"),
    "answers": ("recorded answers, which are not sent: {count}", "记录的回复不发送：{count} 行"),
    "prefills": (
        "requests that end with an assistant message and are sent as they are (the model continues "
        "it, or the gateway refuses it): {count}",
        "以 assistant 消息结尾并原样发送的请求（模型会续写，或被网关拒绝）：{count} 个",
    ),
    "ours": (
        "rows with {names}, which is not used (--model and --stream decide it, and one reply is "
        "measured): "
        "{count}",
        "不使用 {names} 的行（由 --model 与 --stream 决定，且只测一个回复）：{count} 行",
    ),
    "vendor": (
        "rows with {names}, which goes into the body as a field of the gateway: {count}",
        "{names} 作为网关自有字段放入请求体：{count} 行",
    ),
    "unused": ("rows with {names}, which is not used: {count}", "不使用 {names} 的行：{count} 行"),
    "hashes": (
        "rows with hash_ids, which is not used (generated prompts share no prefix, so no cache "
        "helps): "
        "{count}",
        "不使用 hash_ids 的行（生成的 prompt 没有公共前缀，缓存不起作用）：{count} 行",
    ),
    "zero": (
        "rows of zero tokens (failed, or unfinished when recorded), left out: {count}",
        "略去 0 token 的记录（录制时失败或未完成）：{count} 行",
    ),
    "failed": ("rows that had failed, left out: {count}", "略去失败的记录：{count} 行"),
    "silent": (
        "conversations without a user turn, left out: {count}",
        "略去没有用户发言的对话：{count} 个",
    ),
    "first_turns": (
        "conversations whose first turn alone is sent (later turns wait for a reply, which needs a "
        "closed loop): {count}",
        "只发送第一轮的对话（后续各轮需等待回复，只有闭环模式才能发送）：{count} 个",
    ),
    "other_urls": (
        "rows for an endpoint other than /chat/completions, left out: {count}",
        "略去发往 /chat/completions 以外接口的请求：{count} 行",
    ),
    "outside": (
        "rows outside --trace-from and --trace-to, left out: {count}",
        "略去 --trace-from 与 --trace-to 之外的记录：{count} 行",
    ),
    "repeats": (
        "lines are sent more than once: {count} requests are planned and the file has {names} "
        "lines (request i takes line i mod {names}; a cache may answer repeats)",
        "计划 {count} 个请求而文件只有 {names} 行，同一行会多次发送（第 i 个请求取第 i mod {names} "
        "行，缓存可能直接应答）",
    ),
    "again": (
        "after all {names} lines were sent, sending starts again from the first; a cache may "
        "answer repeats",
        "全部 {names} 行发送完后从第一行重新开始，缓存可能直接应答",
    ),
    "silence_dated": (
        "the first request is due after {names}: a later --trace-from removes that pause",
        "第一个请求在 {names} 之后才到期：可用更晚的 --trace-from 去掉这段空白",
    ),
    "silence": (
        "the first request is due after {names}: --trace-from {count} removes that pause",
        "第一个请求在 {names} 之后才到期：可用 --trace-from {count} 去掉这段空白",
    ),
}


class Notes:
    """The notes on one file: by kind, how many rows, and which names."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._names: dict[str, dict[str, None]] = {}

    def add(self, kind: str, names: Iterable[str] = (), count: int = 1) -> None:
        """One row more of a kind."""
        self._counts[kind] += count
        if names:
            self._names.setdefault(kind, {}).update(dict.fromkeys(names))

    def as_list(self) -> list[Note]:
        """All notes, in the order of the table, for the plan and the manifest."""
        return [
            {"kind": kind, "count": self._counts[kind], "names": [*self._names.get(kind, ())]}
            for kind in _SAID
            if kind in self._counts
        ]


def patterns() -> dict[str, str]:
    """The Chinese of each English clause, as `recording.chinese` reads it: `…` and `{0}`."""
    places = {}
    for english, translated in _SAID.values():
        order = list(dict.fromkeys(re.findall(r"\{(\w+)\}", english)))
        if len(order) < len(re.findall(r"\{\w+\}", english)):
            continue  # a value stands in it twice: said of what is sent, never in an error
        values = {name: f"{{{order.index(name)}:+}}" for name in order}
        places[re.sub(r"\{\w+\}", "…", english)] = translated.format(**values)
    return places


def clause(note: Note, place: int = 0) -> str:
    """A note as a clause, in English or, with `place` 1, in Chinese."""
    names = [str(name)[:40] for name in note["names"]]
    if place and note["kind"] == "shape":
        names = [FORMATS.get(name, name) for name in names]
    listed = ", ".join(names[:NAMES_SHOWN]) + (" ..." if len(names) > NAMES_SHOWN else "")
    count = note["count"]
    number = f"{count:,}" if note["kind"] != "silence" else f"{count}"
    return _SAID[note["kind"]][place].format(count=number, names=listed)
