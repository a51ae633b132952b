"""Compatibility: which features work for which model, and what each fault means in code.

First the matrix, with the groups that have the worst cells on top; then a line for each cell that
is not `works`, with its evidence.
"""

from collections.abc import Callable, Iterable, Sequence

from analysis.features.cells import Features
from analysis.page.blocks import Block, Section, Table, Text
from analysis.page.columns import Name, field, table
from analysis.page.vocabulary import API_COST, HTTP, MODEL, REQUESTS, TASK_ID, Cost
from analysis.page.words import ABSENT, Words, integer
from analysis.report.view import View
from compat.attribution import Cause
from compat.cells import Cell, worst
from compat.registry import find
from compat.untried import words_of
from compat.verdict import WORDS, WORST_FIRST, Verdict
from recording.bilingual import Bilingual

PLACE = 95  # in the report
CHECK = Name("Check", "检查项")
GROUPS = {
    "basics": Bilingual("replies and streams", "应答与流式"),
    "messages": Bilingual("messages", "消息"),
    "lengths": Bilingual("lengths", "长度"),
    "sampling": Bilingual("sampling", "采样"),
    "structured": Bilingual("structured output", "结构化输出"),
    "tools": Bilingual("tools", "工具"),
    "reasoning": Bilingual("reasoning", "推理"),
    "media": Bilingual("pictures and files", "图片与文件"),
    "caching": Bilingual("caches", "缓存"),
    "fields": Bilingual("other fields", "其他字段"),
    "errors": Bilingual("errors and closing", "错误与取消"),
    "responses": Bilingual("Responses API", "Responses API"),
    "embeddings": Bilingual("embeddings", "向量"),
    "files": Bilingual("files and batches", "文件与批处理"),
    "own": Bilingual("your tools and schemas", "自备工具与 schema"),
}


CAUSES = {
    Cause.GATEWAY: Bilingual(
        "the gateway's: the direct route gives another verdict", "网关：参照路由的结论不同"
    ),
    Cause.MODEL: Bilingual(
        "the model's or its provider's: the direct route gives the same verdict",
        "模型或供应商：参照路由的结论相同",
    ),
    Cause.UNKNOWN: Bilingual("not known", "未知"),
}


def section(view: View) -> Section:
    """The matrix, what does not work, and what was not tried."""
    t, features = view.t, view.features
    if not features.cells:
        return Section("", [])
    blocks: list[Block] = [matrix] if (matrix := _matrix(t, features)).rows else []
    faulty = [cell for cell in features.of_gateway
            if cell.verdict not in (Verdict.WORKS, Verdict.NOT_TRIED)]  # fmt: skip
    if faulty:
        blocks.append(
            _evidence(t, sorted(faulty, key=lambda cell: WORST_FIRST.index(cell.verdict)))
        )
    blocks += _untried(t, features)
    return Section(t("Compatibility", "兼容性"), blocks)


def symbol_and_name(t: Words, verdict: Verdict) -> str:
    """A verdict as its symbol and its name."""
    symbol = Cell("", "", verdict).symbol
    return f"{symbol} {t(*WORDS[verdict])}"


def _matrix(t: Words, features: Features) -> Table:
    """Checks by models, without checks that were tried with no model; the worst groups first."""
    by_key = {(cell.check, cell.model): cell for cell in features.of_gateway}
    tried = [cell for cell in features.of_gateway if cell.verdict is not Verdict.NOT_TRIED]
    names = list(dict.fromkeys(cell.check for cell in tried))
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(_group(name), []).append(name)

    def gravity(group: str) -> int:
        cells = [cell for cell in tried if _group(cell.check) == group]
        return WORST_FIRST.index(worst(cells))

    ordered = [name for group in sorted(groups, key=gravity) for name in groups[group]]

    def shown_of(model: str) -> Callable[[str], str]:
        def cell(name: str) -> str:
            known = by_key.get((name, model))
            return ABSENT if known is None else symbol_and_name(t, known.verdict)

        return cell

    return table(
        t,
        ordered,
        [
            Name("Group", "类别").of(lambda name: _named(t, GROUPS.get(_group(name)), ABSENT)),
            Name("Feature", "功能").of(lambda name: _title(t, name)),
            CHECK.of(lambda name: name),
            *(field(model).of(shown_of(model)) for model in features.models),
        ],
        how=t(
            "Each check is a request that only a working feature can answer correctly. Works: in "
            "every repetition. Ignored: HTTP 200, and the reply is that of a request without the "
            "feature. Refused: an error that names it. Wrong: an effect that breaks the contract. "
            "Broken: 5xx, no JSON, a cut stream. Checks that did not work were sent again; if the "
            "tries differ, the result is unsure.",
            "每项检查都是只有该功能真正可用才能答对的请求。可用：每次均成立；被忽略：HTTP 200，"
            "但与不使用该功能的结果相同；被拒绝：错误信息指明该功能；结果有误：有效果但不符合约定；"
            "出错：5xx、非 JSON、流中断。未通过的都会重新发送；多次结果不一致记为无法判断。",
        ),
    )  # fmt: skip


def _evidence(t: Words, cells: Sequence[Cell]) -> Table:
    """One line per cell: the finding, its evidence, and what it means for the user's code."""
    return table(
        t,
        cells,
        [
            CHECK.of(lambda cell: cell.check),
            MODEL.of(lambda cell: cell.model),
            Name("Found", "结论").of(lambda cell: symbol_and_name(t, cell.verdict)),
            Name("Whose fault", "责任方").of(lambda cell: t(*CAUSES[cell.cause])),
            Name("Evidence", "证据").of(lambda cell: cell.evidence or ABSENT),
            Name("In your code", "对代码的影响").of(lambda cell: _named(t, cell.in_code, ABSENT)),
            HTTP.of(lambda cell: integer(cell.status)),
            field("request id").of(lambda cell: cell.request_id or ABSENT),
            TASK_ID.of(lambda cell: cell.task_id or ABSENT),
            REQUESTS.of(lambda cell: cell.sent),
            API_COST.of(lambda cell: Cost(cell.cost)),
        ],
        title=t("What does not work, or is unsure", "不可用或无法判断的功能"),
        how=t(
            "The raw replies are in evidence.jsonl, the cells in compat.json.",
            "原始应答见 evidence.jsonl，结论见 compat.json。",
        ),
    )


def _untried(t: Words, features: Features) -> Iterable[Text]:
    """What was not tried, and why: one line per model and reason."""
    by_reason: dict[tuple[str, str], list[str]] = {}
    for cell in features.of_gateway:
        if cell.verdict is Verdict.NOT_TRIED:
            by_reason.setdefault((cell.model, cell.evidence), []).append(cell.check)
    for (model, reason), names in by_reason.items():
        listed, why = t.join(names), t(*words_of(reason))
        yield Text(t(f"{model}, not tried ({why}): {listed}.",
                     f"{model} 未检查（{why}）：{listed}。"))  # fmt: skip


def _group(name: str) -> str:
    check = find(name)
    return check.group if check else ""


def _title(t: Words, name: str) -> str:
    check = find(name)
    return _named(t, check.title if check else None, name)


def _named(t: Words, words: Bilingual | None, otherwise: str) -> str:
    return otherwise if words is None else t(*words)
