"""Parts of the operator's own file that were not sent exactly as written."""

from analysis.page.blocks import Remark
from analysis.report.view import View
from recording.row_notes import clause
from recording.untrusted_text import quoted


def remarks(view: View) -> list[Remark]:
    """One note: each kind of change with its count, and the format in which the file was read."""
    t = view.t
    traffic = view.run.manifest.get("traffic")
    if not traffic or not traffic["notes"]:
        return []
    clauses = t.clauses([t(clause(note), clause(note, 1)) for note in traffic["notes"]])
    text = t(f"Your own traffic: {clauses}.", f"自备请求：{clauses}。")
    return [Remark("note", quoted(text, 2000))]
