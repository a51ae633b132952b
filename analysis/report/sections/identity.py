"""Is it the model that was paid for? One line per test: the finding, and its cost."""

import re
from datetime import datetime

from analysis.numbers.identity import Identity, Test
from analysis.page.blocks import Block, Remark, Section, Text
from analysis.page.columns import Name, table
from analysis.page.vocabulary import CHARGED, money
from analysis.page.words import Words, integer
from analysis.report import (
    identity_lengths,
    identity_long_reply,
    identity_settings,
    identity_tools,
    identity_weights,
)
from analysis.report.identity import numbers, reference_of
from analysis.report.identity_settings import title
from analysis.report.identity_words import age, answers_sentence, counting_sentence, limits
from analysis.report.view import View
from identity.looks import Verdict
from recording.untrusted_text import quoted
from rules.prices import Prices

PLACE = 97  # in the report
_IN_BRACKETS = re.compile(
    r" ?\([^()]*\)|(?P<latin>(?<=[!-~])（[^（）]*）(?=[\u4e00-\u9fff]))|（[^（）]*）"
)  # `latin`: between a Latin and a Chinese letter, where a space takes its place
WORDS = {
    Verdict.DIFFERS: ("differs", "有差异"),
    Verdict.NOT_SHOWN: ("no difference shown", "未见差异"),
    Verdict.NOT_ENOUGH: ("not enough", "证据不足"),
}


def section(view: View) -> Section:
    """Per model a table and the sentences under it; then what they cannot show."""
    t = view.t
    models = numbers(view)
    if not models:
        return Section("", [])
    blocks: list[Block] = []
    for model in models:
        blocks += [_table(t, model), *(Text(text) for text in sentences(view, model))]
    for reference in (reference_of(view, model.model) for model in models):
        if reference is not None and (old := age(t, reference, _began(view))):
            blocks.append(Text(old))
    blocks.append(Text(limits(t)))
    return Section(t("Is it the model?", "是否为所购模型"), blocks)


def _began(view: View) -> datetime | None:
    """When the run began, by its manifest; None if that is unreadable."""
    try:
        return datetime.fromisoformat(view.run.started_at or "")
    except ValueError:
        return None


def remarks(view: View) -> list[Remark]:
    """For the first page: a sentence per model and test that has a result."""
    return [
        Remark(
            "good" if verdict is Verdict.NOT_SHOWN and not unsent else "note",
            text,
            head=_IN_BRACKETS.sub(
                lambda match: " " if match["latin"] else "", view.t.first_sentence(text)
            ),
        )
        for model in numbers(view)
        for verdict, unsent, text in _results(view, model)
    ]


def sentences(view: View, model: Identity) -> list[str]:
    """Everything that is said about a model."""
    t = view.t
    texts = [text for *_, text in _results(view, model)]
    if len(model.names) > 1:
        names = t.join([quoted(name, 60) + t.aside(integer(n)) for name, n in model.names.items()])
        texts.append(
            t(
                f"Replies call the model by several names: {names}.",
                f"应答中的模型名不止一个：{names}。",
            )
        )
    if model.cells:
        kinds = [cell.kind for cell in model.cells]
        spread, fixed = kinds.count("spread"), kinds.count("concentrated")
        texts.append(
            t(
                f"For a reference: {spread} questions have several answers and {fixed} have one. "
                "`weighbridge enrol RUN` writes it.",
                f"已为建立参照提问：{spread} 个问题有多种答案，{fixed} 个只有一种。"
                "用 `weighbridge enrol RUN` 写出参照文件。",
            )
        )
    return texts


def _results(view: View, model: Identity) -> list[tuple[Verdict, bool, str]]:
    """For each test: its verdict, whether it has unexplained tokens, and its sentences."""
    t, reference, name = view.t, reference_of(view, model.model), quoted(model.model, 60)
    count, prices = model.counting, Prices.from_dict(view.run.manifest.get("prices"))
    price = prices.of(model.model) if prices is not None else None
    sentence = counting_sentence(t, count, price.input if price is not None else None)
    results = [(count.verdict, count.unexplained, name + t.colon + sentence)]
    results += _of_settings(t, model, name)
    if model.fidelity is not None:
        calls, _ = model.fidelity
        results.append((calls.verdict, False, name + t.colon + identity_tools.sentence(t, calls)))
    results += [
        (length.verdict, False, name + t.colon + identity_lengths.sentence(t, length))
        for length, _ in model.lengths
    ]
    if model.long_reply is not None:
        long, _ = model.long_reply
        results.append(
            (
                long.verdict,
                False,
                name
                + t.colon
                + identity_long_reply.sentence(t, long, bool(view.run.options.get("against"))),
            )
        )
    if model.weights is not None and reference is not None:
        text = identity_weights.sentence(t, model.weights, reference)
        results.append((model.weights.verdict, False, name + t.colon + text))
    if model.audit is not None and reference is not None:
        text = answers_sentence(t, model.audit, reference, model.detectable)
        results.append((model.audit.verdict, False, name + t.colon + text))
    elif view.run.options.get("against"):
        text = t(
            f"{name}: answers are not judged: the second route gave too few answers of one word "
            "to compare with (errors, a model that thinks before each answer, or not everything "
            "was asked).",
            f"{name}：不对答案作判断：第二条路由给出的单词答案过少，无法比较"
            "（出错、模型在作答前先思考，或未全部提问）。",
        )
        results.append((Verdict.NOT_ENOUGH, False, text))
    return results


def _of_settings(t: Words, model: Identity, name: str) -> list[tuple[Verdict, bool, str]]:
    """A text for each setting, but only one for all that show no difference."""
    results: list[tuple[Verdict, bool, str]] = [
        (setting.verdict, False, name + t.colon + identity_settings.sentence(t, setting))
        for setting, _ in model.settings
        if setting.verdict is not Verdict.NOT_SHOWN
    ]
    if fine := [each for each, _ in model.settings if each.verdict is Verdict.NOT_SHOWN]:
        text = name + t.colon + identity_settings.honoured(t, fine)
        results.append((Verdict.NOT_SHOWN, False, text))
    return results


def _table(t: Words, model: Identity) -> Block:
    rows: list[tuple[str, str, Test]] = [
        (t("Who counts", "由谁计数"), t(*WORDS[model.counting.verdict]), model.counted)
    ]
    rows += [
        (title(t, setting), t(*WORDS[setting.verdict]), test) for setting, test in model.settings
    ]
    if model.weights is not None:
        verdict = t(*WORDS[model.weights.verdict])
        rows.append((t("Log-probabilities", "对数概率"), verdict, model.weighed))
    if model.fidelity is not None:
        calls, test = model.fidelity
        rows.append((t("Tool calls", "工具调用"), t(*WORDS[calls.verdict]), test))
    rows += [
        (t(f"Context of {integer(length.size)} tokens", f"上下文 {integer(length.size)} 个 token"),
         t(*WORDS[length.verdict]), test)
        for length, test in model.lengths
    ]  # fmt: skip
    if model.long_reply is not None:
        long, test = model.long_reply
        rows.append((t("Long replies", "长应答"), t(*WORDS[long.verdict]), test))
    if model.audit is not None:
        rows.append((t("Who answers", "由谁应答"), t(*WORDS[model.audit.verdict]), model.audited))
    if model.enrolling.requests:
        rows.append((t("Reference", "建立参照"), "-", model.enrolling))
    return table(
        t,
        rows,
        [
            Name("Test", "测试").of(lambda row: row[0]),
            Name("Verdict", "结论").of(lambda row: row[1]),
            Name("Requests", "请求数").of(lambda row: row[2].requests, integer),
            money(CHARGED, lambda row: row[2].cost),
        ],
        title=model.model,
        how=t(
            "Who counts: exact arithmetic on repeated texts. Settings: replies that only a gateway "
            "that honours them, or only one that does not, can give. Who answers: words counted by "
            "question, an exact permutation test and Fisher's test in three looks. All tests and "
            "models together report a healthy gateway as different in at most 1 run of 100.",
            "由谁计数：对重复文本作精确算术。参数：只有生效（或未生效）时才会出现的应答。"
            "由谁应答：按问题统计词频，分三轮，每轮作精确置换检验与 "
            "Fisher 检验。所有测试与模型合计，正常网关被判为有差异的概率不超过 1 %。",
        ),
    )
