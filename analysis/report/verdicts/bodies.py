"""Body fields that the gateway refused, and how requests have been sent since."""

from analysis.page.blocks import Remark
from analysis.page.words import Words, integer
from analysis.report.view import View
from recording.body_change import BodyChange
from recording.events import BodyChanged
from recording.untrusted_text import quoted


def remarks(view: View) -> list[Remark]:
    """A note for each model and field; a last one says how many requests were sent again."""
    t, notes, reported = view.t, list[Remark](), set[tuple[str, str]]()
    for event in view.run.events_of(BodyChanged):
        change = event.change
        key = (change.model, change.field)
        if key not in reported:  # a resumed run may have learnt it twice
            reported.add(key)
            notes.append(Remark("note", _text(t, change)))
    count = int(view.run.rows.frame(["refused_sends"])["refused_sends"].sum()) if notes else 0
    if count:
        text = t(
            f"Sends refused because of such a field: {integer(count)}; each was repeated at once "
            "as the same request, and its row has the last answer.",
            f"共 {integer(count)} 次发送因上述字段被拒，均作为同一请求立即重发，"
            "记录以最后的应答为准。",
        )
        notes.append(Remark("note", text))
    return notes


def _text(t: Words, change: BodyChange) -> str:
    model, name = quoted(change.model, 80), change.field
    status, words = change.status, quoted(change.said)
    en, zh = _ways(change)
    return t(
        f"{model} refuses the field {name} (HTTP {status}: {words}), so its requests were sent "
        f"{en} from then on.",
        f"{model} 拒绝字段 {name}（HTTP {status}：{words}），此后的请求{zh}。",
    )


def _ways(change: BodyChange) -> tuple[str, str]:
    if change.field == "task_id":
        return "with their task_id in the header X-Task-ID", "改由请求头 X-Task-ID 携带 task_id"
    if change.field == "stream_options":
        return (
            "without it, and streams may not state their tokens",
            "不再携带该字段，流式回复可能不给出 token 数",
        )
    if change.field == "temperature":
        return "without it, at the model's own temperature", "不再携带该字段，采用模型默认温度"
    return f"with {change.to}", f"改用 {change.to}"
