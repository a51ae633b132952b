"""Whether every feature works, on the first page: one sentence per model."""

from analysis.page.blocks import Level, Remark
from analysis.page.words import Words, integer
from analysis.report.view import View
from compat.cells import Cell
from compat.verdict import WORDS, WORST_FIRST, Verdict

_NAMED = 5


def remarks(view: View) -> list[Remark]:
    """The required features that do not pass, then the result for each model."""
    features = view.features
    per_model = [
        _remark(view.t, model, [cell for cell in features.of_gateway if cell.model == model],
                features.ended.get(model, ""), model in features.mute)
        for model in features.models if features.cells
    ]  # fmt: skip
    return [*_required(view), *per_model]


def _remark(t: Words, model: str, cells: list[Cell], ended: str, mute: bool) -> Remark:
    if mute:
        head = t(f"{model} could not be checked: {ended}", f"{model} 无法检查：{ended}")
        return Remark("bad", head + t(". Nothing else was sent.", "。其余请求均未发送。"), head)
    tried = [cell for cell in cells if cell.verdict is not Verdict.NOT_TRIED]
    works, of = (integer(n) for n in (_count(tried, Verdict.WORKS), len(tried)))
    head = t(f"{model}: {works} of the {of} features that were tried work",
             f"{model}：已检查 {of} 项功能，{works} 项可用")  # fmt: skip
    rest = [verdict for verdict in WORST_FIRST
            if verdict is not Verdict.WORKS and _count(tried, verdict)]  # fmt: skip
    clauses = [head, *(_clause(t, tried, verdict) for verdict in rest)]
    if ended:
        clauses.append(t(f"not all of it was sent: {ended}", f"未全部发送：{ended}"))
    level: Level = "good" if tried and len(clauses) == 1 else "note"
    if any(verdict.accuses for verdict in rest):
        level = "bad"
    return Remark(level, t.clauses(clauses) + t.stop, head)


def _count(cells: list[Cell], verdict: Verdict) -> int:
    return sum(cell.verdict is verdict for cell in cells)


def _clause(t: Words, cells: list[Cell], verdict: Verdict) -> str:
    """`2 ignored (stop, n)`."""
    names = [cell.check for cell in cells if cell.verdict is verdict]
    listed = t.shortened(t.join(names[:_NAMED]), len(names) - _NAMED)
    word = t(*WORDS[verdict])
    return t(f"{len(names)} {word} ({listed})", f"{len(names)} 项{word}（{listed}）")


def _required(view: View) -> list[Remark]:
    t, every_required = view.t, view.features.required
    if not every_required:
        return []
    failed = [required for required in every_required if not required.passes]
    total = integer(len(every_required))
    if not failed:
        head = t(f"all {total} required features pass", f"{total} 项必需功能全部通过")
        return [Remark("good", head[:1].upper() + head[1:] + t.stop, head)]
    texts = [
        f"{required.check}{t.aside(required.model)}{t.colon}"
        + t(*WORDS[required.cell.verdict if required.cell else Verdict.NOT_TRIED])
        for required in failed[:_NAMED]
    ]
    listed = t.shortened(t.clauses(texts), len(failed) - _NAMED)
    head = t(f"{integer(len(failed))} of {total} required features do not pass",
             f"{total} 项必需功能中 {integer(len(failed))} 项未通过")  # fmt: skip
    return [Remark("bad", f"{head}{t.colon}{listed}{t.stop}", head)]
