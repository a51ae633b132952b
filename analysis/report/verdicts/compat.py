"""Whether every feature works, on the first page: a sentence a model."""

from collections import Counter

from analysis.page.blocks import Remark
from analysis.page.words import Words, integer
from analysis.report.sections.compat import WORDS
from analysis.report.view import View
from compat.cells import Cell
from compat.verdict import WORST_FIRST, Verdict

_NAMED = 5


def remarks(view: View) -> list[Remark]:
    """What was found of each model; and the required cells that do not pass."""
    features = view.features
    found = [
        _remark(view.t, model, [cell for cell in features.cells if cell.model == model],
                features.ended.get(model, ""), model in features.mute)
        for model in features.models if features.cells
    ]  # fmt: skip
    return [*_required(view), *found]


def _remark(t: Words, model: str, cells: list[Cell], ended: str, mute: bool) -> Remark:
    if mute:
        return Remark("bad", t(
            f"{model} could not be checked: {ended}. Nothing else was sent.",
            f"{model} 无法检查：{ended}。其余请求均未发送。",
        ))  # fmt: skip
    tried = [cell for cell in cells if cell.verdict is not Verdict.NOT_TRIED]
    works = sum(cell.verdict is Verdict.WORKS for cell in tried)
    rest = Counter[Verdict](c.verdict for c in tried if c.verdict is not Verdict.WORKS)
    end = t(f" Not all of it was sent: {ended}.", f"未全部发送：{ended}。") if ended else ""
    if not rest and tried:
        text = t(f"{model}: all {integer(works)} features that were tried work.",
                 f"{model}：已检查的 {integer(works)} 项功能全部可用。")  # fmt: skip
        return Remark("note" if ended else "good", text + end)
    clauses = []
    for verdict in WORST_FIRST:
        names = [cell.check for cell in tried if cell.verdict is verdict]
        if rest.get(verdict):
            more = " …" if len(names) > _NAMED else ""
            listed = t.join(names[:_NAMED]) + more
            word = t(*WORDS[verdict])
            clauses.append(
                t(f"{len(names)} {word} ({listed})", f"{len(names)} 项{word}（{listed}）")
            )
    text = t(
        f"{model}: {integer(works)} of {integer(len(tried))} features that were tried work; "
        f"{t.clauses(clauses)}.",
        f"{model}：已检查 {integer(len(tried))} 项功能，{integer(works)} 项可用；"
        f"{t.clauses(clauses)}。",
    )
    accused = any(verdict.accuses for verdict in rest)
    return Remark("bad" if accused else "note", text + end)


def _required(view: View) -> list[Remark]:
    t, judged = view.t, view.features.required
    if not judged:
        return []
    failed = [one for one in judged if not one.passes]
    if not failed:
        return [Remark("good", t(
            f"Every required feature passes ({integer(len(judged))} cells).",
            f"必需的功能全部通过（共 {integer(len(judged))} 项）。",
        ))]  # fmt: skip
    said = [
        f"{one.check} ({one.model}): "
        + t(*WORDS[one.cell.verdict if one.cell else Verdict.NOT_TRIED])
        for one in failed[:_NAMED]
    ]
    more = " …" if len(failed) > _NAMED else ""
    return [Remark("bad", t(
        f"{integer(len(failed))} of {integer(len(judged))} required features do not pass: "
        f"{t.clauses(said)}{more}.",
        f"{integer(len(judged))} 项必需功能中 {integer(len(failed))} 项未通过："
        f"{t.clauses(said)}{more}。",
    ))]  # fmt: skip
