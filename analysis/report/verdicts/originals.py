"""Whether replies belong to their requests: caches, replays, replies to others.

replayed  the same `id`, `created` and text came before in this run, for another request. If a
          gateway gives all replies of a model the same id, its ids are no evidence.
crossed   the reply is the marker that another request of the phase asked for. A truncated marker
          does not count: `ok-1` for `ok-12` is what a small output budget leaves.

Neither accuses the gateway because of a single row.
"""

import re
from typing import TYPE_CHECKING

from analysis.page.blocks import Remark
from analysis.page.words import integer, percent
from analysis.reading.load import rows
from analysis.report.view import View
from recording.counted import counted

if TYPE_CHECKING:
    from pandas import DataFrame

MOST_ROWS = 1_000_000
"""Only the ids of the first so many rows are compared: they take much memory."""
_LEAST = 2
_EXAMPLES = 3
_MARKER = re.compile(r"\s*(ok|TPM-OK)-([0-9]{1,9})\s*")
_NAMED = ["task_id", "phase", "request_index", "content"]


def remarks(view: View) -> list[Remark]:
    """Prompts read from a cache, replies given before, and replies to other requests."""
    return [*_cached(view), *_replayed(view), *_crossed(view)]


def _same(view: View) -> bool:
    return bool(view.run.options.get("same_prompts"))


def _cached(view: View) -> list[Remark]:
    """The share of prompt tokens that came from a cache, except in mode cache."""
    t, notes = view.t, []
    counts: dict[str, list[int]] = {}
    for phase in view.phases:
        if phase.mode != "cache" and phase.cached_tokens is not None:
            known = counts.setdefault(phase.model_requested, [0, 0])
            known[0] += phase.cached_tokens
            known[1] += phase.prompt_tokens or 0
    reason = (
        t(" (asked for by --same-prompts)", "（由 --same-prompts 指定）") if _same(view) else ""
    )
    for model, (cached, prompt) in counts.items():
        if cached > 0 and prompt:
            text = t(
                f"{percent(cached / prompt, 1)} of the prompt tokens of {model} came from a prompt "
                f"cache{reason}: this lowers latency and cost.",
                f"{model} 的 prompt token 有 {percent(cached / prompt, 1)} "
                f"来自 Prompt Cache{reason}，延迟与费用因此偏低。",
            )
            notes.append(Remark("note", text))
    return notes


def _replayed(view: View) -> list[Remark]:
    t, all_rows = view.t, view.run.rows
    if not len(all_rows) or len(all_rows) > MOST_ROWS:
        return []
    names = ["model_requested", "success", "completion_id", "completion_created"]
    frame = all_rows.frame(names)
    frame = frame[frame["success"].astype(bool) & frame["completion_id"].notna()]
    frame = frame[frame["completion_created"].notna()]
    several = frame.groupby("model_requested")["completion_id"].transform("nunique") > 1
    frame = frame[several]
    key = ["model_requested", "completion_id", "completion_created"]
    frame = frame[frame.duplicated(key, keep=False)]
    if not len(frame):
        return []
    replies = all_rows.at(frame.index.tolist(), [*_NAMED, "check_detail"]).set_index(frame.index)
    on_purpose = replies["check_detail"].fillna("").str.contains('"counted"')
    replies = replies[~on_purpose]
    frame = frame.loc[replies.index]
    frame = frame.assign(content=replies["content"])
    again = frame.index[frame["content"].notna() & frame.duplicated([*key, "content"])]
    if not len(again):
        return []
    text = t(
        f"{counted(len(again), 'reply')} had been given before in this run: same id, same time, "
        f"same text ({_example_names(view, replies.loc[again])}). A response cache answers, not "
        "the model.",
        f"{integer(len(again))} 个应答在本次运行中已出现过：id、时间与文本均相同"
        f"（{_example_names(view, replies.loc[again])}）。它们来自应答缓存，而非模型。",
    )
    grave = len(again) >= _LEAST and not _same(view)
    head = t("replies out of a response cache", "有应答来自缓存")
    return [Remark("bad" if grave else "note", text, head)]


def _crossed(view: View) -> list[Remark]:
    t, all_rows = view.t, view.run.rows
    if not len(all_rows):
        return []
    marked = all_rows.frame(["marker_ok"])["marker_ok"]
    wrong = marked.index[(~marked.fillna(True)).to_numpy(dtype=bool)][:MOST_ROWS]
    if not len(wrong):
        return []
    frame = all_rows.at(wrong.tolist(), _NAMED)
    planned = {phase.phase: phase.planned for phase in view.phases}
    crossed = [
        _of_another(row["content"], row["request_index"], planned.get(row["phase"], 0))
        for row in rows(frame)
    ]
    frame = frame[crossed]
    if not len(frame):
        return []
    text = t(
        f"{counted(len(frame), 'reply belongs', 'replies belong')} to another request "
        f"({_example_names(view, frame)}).",
        f"{integer(len(frame))} 个应答属于其他请求（{_example_names(view, frame)}）。",
    )
    head = t("replies that belong to other requests", "有应答属于其他请求")
    return [Remark("bad" if len(frame) >= _LEAST else "note", text, head)]


def _of_another(content: str | None, index: int, planned: int) -> bool:
    """Whether a reply is the complete marker of another request of the phase."""
    marker = _MARKER.fullmatch(content or "")
    if marker is None:
        return False
    number = int(marker[2])
    return number < planned and not str(index).startswith(str(number))


def _example_names(view: View, frame: "DataFrame") -> str:
    names = [
        row["task_id"] or f"{row['phase']}#{row['request_index']}"
        for row in rows(frame.head(_EXAMPLES))
    ]
    return view.t.shortened(view.t.join(names), len(frame) - len(names))
