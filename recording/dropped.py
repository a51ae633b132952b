"""What became of a file's rows that are not sent as they stand: counted, and said once. Pure."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

NAMES_SHOWN = 6

_SAID: dict[str, tuple[str, str]] = {
    "shape": ("read as {names}", "按 {names} 格式读取"),
    "answers": (
        "the recorded answers of {count} rows are not sent",
        "{count} 行中记录的回复不发送",
    ),
    "prefills": (
        "{count} requests end with an assistant's message and are sent so: the model goes on from "
        "it, or the gateway refuses it",
        "{count} 个请求以 assistant 消息结尾，原样发送：模型会续写，或被网关拒绝",
    ),
    "ours": (
        "{names} of {count} rows are not used: --model and --stream say these, and one reply is "
        "measured",
        "{count} 行中的 {names} 不使用：由 --model 与 --stream 决定，且只测一个回复",
    ),
    "vendor": (
        "{names} of {count} rows go into the body as the gateway's own fields",
        "{count} 行中的 {names} 作为网关自有字段放入请求体",
    ),
    "unused": ("{names} of {count} rows are not used", "{count} 行中的 {names} 不使用"),
    "hashes": (
        "hash_ids of {count} rows are not used: made prompts share no prefix, so no cache helps",
        "{count} 行的 hash_ids 不使用：生成的 prompt 没有公共前缀，缓存不起作用",
    ),
    "zero": (
        "{count} rows of zero tokens (failed, or unfinished when recorded) are left out",
        "略去 {count} 行 0 token 的记录（录制时失败或未完成）",
    ),
    "failed": ("{count} rows that had failed are left out", "略去 {count} 行失败的记录"),
    "silent": (
        "{count} conversations without a user's turn are left out",
        "略去 {count} 个没有用户发言的对话",
    ),
    "first_turns": (
        "of {count} conversations only the first turn is sent: a later one waits for a reply, "
        "which needs a closed loop",
        "{count} 个对话只发送第一轮：后续各轮需等待回复，只有闭环模式才能发送",
    ),
    "other_urls": (
        "{count} rows for another endpoint than /chat/completions are left out",
        "略去 {count} 行发往 /chat/completions 以外接口的请求",
    ),
    "outside": (
        "{count} rows outside --trace-from and --trace-to are left out",
        "略去 --trace-from 与 --trace-to 之外的 {count} 行",
    ),
    "repeats": (
        "{count} requests are planned for {names} lines, so lines are sent more than once: request "
        "i takes line i mod {names}, and a cache may answer what it has seen",
        "计划 {count} 个请求而只有 {names} 行，因此同一行会多次发送：第 i 个请求取第 i mod {names} "
        "行，缓存可能直接应答",
    ),
    "silence": (
        "the first request is due after {names}: --trace-from {count} takes that silence off",
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

    def as_list(self) -> list[dict[str, Any]]:
        """All notes, in the order of the table, for the plan and the manifest."""
        return [
            {"kind": kind, "count": self._counts[kind], "names": [*self._names.get(kind, ())]}
            for kind in _SAID
            if kind in self._counts
        ]


def said(note: dict[str, Any], place: int = 0) -> str:
    """A note as a clause: in English, or with `place` 1 in Chinese."""
    names = [str(name)[:40] for name in note["names"]]
    shown = ", ".join(names[:NAMES_SHOWN]) + (" ..." if len(names) > NAMES_SHOWN else "")
    count = note["count"]
    number = f"{count:,}" if note["kind"] != "silence" else f"{count}"
    return _SAID[note["kind"]][place].format(count=number, names=shown)
