"""Is it the model that was paid for? One line per test: the finding, and its cost."""

from datetime import datetime

from analysis.numbers.identity import Identity, Test
from analysis.page.blocks import Block, Remark, Section, Text
from analysis.page.columns import Name, table
from analysis.page.vocabulary import CHARGED, money
from analysis.page.words import Words, integer
from analysis.report.identity import numbers, reference_of
from analysis.report.identity_lengths import read
from analysis.report.identity_long_reply import cut
from analysis.report.identity_settings import title, told
from analysis.report.identity_tools import called
from analysis.report.identity_weights import weighed
from analysis.report.identity_words import age, answered, counted, limits
from analysis.report.view import View
from identity.looks import Verdict
from recording.untrusted_text import quoted
from rules.prices import Prices

PLACE = 97  # in the report
WORDS = {
    Verdict.DIFFERS: ("differs", "有差异"),
    Verdict.NOT_SHOWN: ("no difference shown", "未见差异"),
    Verdict.NOT_ENOUGH: ("not enough", "证据不足"),
}


def section(view: View) -> Section:
    """A table a model, the sentences under it, and what they do not say."""
    t = view.t
    found = numbers(view)
    if not found:
        return Section("", [])
    blocks: list[Block] = []
    for one in found:
        blocks += [_table(t, one), *(Text(text) for text in sentences(view, one))]
    for reference in (reference_of(view, one.model) for one in found):
        if reference is not None and (old := age(t, reference, _began(view))):
            blocks.append(Text(old))
    blocks.append(Text(limits(t)))
    return Section(t("Is it the model?", "是否为所购模型"), blocks)


def _began(view: View) -> datetime | None:
    """When the run did, as its manifest says."""
    try:
        return datetime.fromisoformat(view.run.started_at or "")
    except ValueError:
        return None


def remarks(view: View) -> list[Remark]:
    """For the first page: a sentence a model and test that says something."""
    return [
        Remark("good" if verdict is Verdict.NOT_SHOWN and not unsent else "note", text)
        for one in numbers(view)
        for verdict, unsent, text in _told(view, one)
    ]


def sentences(view: View, one: Identity) -> list[str]:
    """Everything that is said of a model."""
    t = view.t
    found = [text for *_, text in _told(view, one)]
    if len(one.names) > 1:
        names = t.join([f"{quoted(name, 60)} ({integer(n)})" for name, n in one.names.items()])
        found.append(
            t(
                f"Replies call the model by several names: {names}.",
                f"应答中的模型名不止一个：{names}。",
            )
        )
    if one.cells:
        kinds = [cell.kind for cell in one.cells]
        spread, fixed = kinds.count("spread"), kinds.count("concentrated")
        found.append(
            t(
                f"Asked for a reference: {spread} questions with several answers and {fixed} with "
                "one. `python -m analysis enrol RUN` writes it.",
                f"已为建立参照提问：{spread} 个问题有多种答案，{fixed} 个只有一种。"
                "用 `python -m analysis enrol RUN` 写出参照文件。",
            )
        )
    return found


def _told(view: View, one: Identity) -> list[tuple[Verdict, bool, str]]:
    """Of each test: its verdict, whether unexplained tokens are stated, and the sentences."""
    t, reference, name = view.t, reference_of(view, one.model), quoted(one.model, 60)
    count, prices = one.counting, Prices.from_dict(view.run.manifest.get("prices"))
    price = prices.of(one.model) if prices is not None else None
    said = counted(t, count, price.input if price is not None else None)
    found = [(count.verdict, count.unexplained, name + t.colon + said)]
    found += _of_settings(t, one, name)
    if one.fidelity is not None:
        calls, _ = one.fidelity
        found.append((calls.verdict, False, name + t.colon + called(t, calls)))
    found += [
        (length.verdict, False, name + t.colon + read(t, length)) for length, _ in one.lengths
    ]
    if one.long_reply is not None:
        long, _ = one.long_reply
        found.append((long.verdict, False, name + t.colon + cut(t, long)))
    if one.weights is not None and reference is not None:
        text = weighed(t, one.weights, reference)
        found.append((one.weights.verdict, False, name + t.colon + text))
    if one.audit is not None and reference is not None:
        text = answered(t, one.audit, reference, one.seen)
        found.append((one.audit.verdict, False, name + t.colon + text))
    elif view.run.options.get("against"):
        text = t(
            f"{name}: answers are not judged: the second route gave too few answers of one word "
            "to compare with (errors, a model that thinks before each answer, or not all was "
            "asked).",
            f"{name}：不对答案作判断：第二条线路给出的单词答案过少，无法比较"
            "（出错、模型在作答前先思考，或未全部提问）。",
        )
        found.append((Verdict.NOT_ENOUGH, False, text))
    return found


def _of_settings(t: Words, one: Identity, name: str) -> list[tuple[Verdict, bool, str]]:
    """A text for each setting, but one for all that show no difference."""
    found: list[tuple[Verdict, bool, str]] = [
        (each.verdict, False, name + t.colon + told(t, each))
        for each, _ in one.settings
        if each.verdict is not Verdict.NOT_SHOWN
    ]
    if fine := [told(t, each) for each, _ in one.settings if each.verdict is Verdict.NOT_SHOWN]:
        rest = [text[:1].upper() + text[1:] for text in fine[1:]]
        text = name + t.colon + t.gap.join([fine[0], *rest])
        found.append((Verdict.NOT_SHOWN, False, text))
    return found


def _table(t: Words, one: Identity) -> Block:
    rows: list[tuple[str, str, Test]] = [
        (t("Who counts", "由谁计数"), t(*WORDS[one.counting.verdict]), one.counted)
    ]
    rows += [(title(t, each), t(*WORDS[each.verdict]), test) for each, test in one.settings]
    if one.weights is not None:
        verdict = t(*WORDS[one.weights.verdict])
        rows.append((t("Log-probabilities", "对数概率"), verdict, one.weighed))
    if one.fidelity is not None:
        calls, test = one.fidelity
        rows.append((t("Tool calls", "工具调用"), t(*WORDS[calls.verdict]), test))
    rows += [
        (t(f"Context of {integer(length.size)} tokens", f"上下文 {integer(length.size)} 个 token"),
         t(*WORDS[length.verdict]), test)
        for length, test in one.lengths
    ]  # fmt: skip
    if one.long_reply is not None:
        long, test = one.long_reply
        rows.append((t("Long replies", "长应答"), t(*WORDS[long.verdict]), test))
    if one.audit is not None:
        rows.append((t("Who answers", "由谁应答"), t(*WORDS[one.audit.verdict]), one.audited))
    if one.enrolling.requests:
        rows.append((t("Reference", "建立参照"), "-", one.enrolling))
    return table(
        t,
        rows,
        [
            Name("Test", "测试").of(lambda row: row[0]),
            Name("Verdict", "结论").of(lambda row: row[1]),
            Name("Requests", "请求数").of(lambda row: row[2].requests, integer),
            money(CHARGED, lambda row: row[2].cost),
        ],
        title=one.model,
        how=t(
            "Who counts: exact arithmetic of repeated texts. Settings: what only a gateway that "
            "honours them, or only one that does not, can reply. Who answers: words counted by "
            "question, an exact permutation test and Fisher's test in three looks. By all tests "
            "and models together, a healthy gateway is said to differ in at most 1 run of 100.",
            "由谁计数：对重复文本作精确算术。参数：只有生效（或未生效）时才会出现的应答。"
            "由谁应答：按问题统计词频，在三个阶段分别作精确置换检验与 "
            "Fisher 检验。所有测试与模型合计，正常网关被判为有差异的概率不超过 1 %。",
        ),
    )
