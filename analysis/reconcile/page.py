"""The result of a reconciliation, as reconcile.md and reconcile.json in the run's folder."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from analysis.page import markdown
from analysis.page.blocks import Block, Page, Remark, Section, Table
from analysis.page.columns import Column, Name, table
from analysis.page.vocabulary import (
    AGREE,
    BILL_BY_CASE,
    DISAGREE,
    MODEL,
    OUTCOME,
    REQUESTS,
    RESULT,
    SIMULATED_RUN,
    SOURCE,
    TASK_ID,
    WHAT,
    money,
)
from analysis.page.words import ABSENT, Lang, Words, integer
from analysis.reading.atomic_file import replace_text
from analysis.reconcile import beside, billing_cases, cancelled
from analysis.reconcile.reconciliation import Finding, Line, Reconciliation, at_stake
from analysis.reconcile.sums import Balance, balance, grouped, plain
from recording.counted import counted
from recording.exact_amount import money_sum
from recording.untrusted_text import as_json

_OURS = Name("Ours", "我方记录")
_TABLE = Name("Tokens x price", "token × 价格")
_BILL = Name("The bill", "账单")
_SHOWN = 50  # lines of one finding in the Markdown; the JSON has all


def write(result: Reconciliation, lang: Lang) -> tuple[Path, Path]:
    """Write both files; return their paths. Raises OSError."""
    paths = result.run.folder / "reconcile.md", result.run.folder / "reconcile.json"
    texts = (
        markdown.render(compose(result, lang)),
        as_json(plain(result) | _of_billing(result)) + "\n",
    )
    for path, text in zip(paths, texts, strict=True):
        replace_text(path, text)
    return paths


def _of_billing(result: Reconciliation) -> dict[str, Any]:
    """What the JSON holds of the cases of mode billing."""
    return {
        "cancelled": [asdict(charge) for charge in cancelled.of(result)],
        "billing": {
            model: [finding.as_dict() for finding in found]
            for model, found in billing_cases.findings(result).items()
        },
    }


def sentences(result: Reconciliation, t: Words) -> list[str]:
    """The result: one sentence each on the money, the log and the balances, and on the cases and
    the cancelled requests of mode billing.
    """
    texts = [t(_sentence(result), _sentence_zh(result))] if result.prices or result.bill else []
    if result.arrivals is not None:
        texts.append(beside.arrivals_sentence(result.arrivals, t))
    if result.balances is not None:
        texts.append(beside.balances_sentence(result.balances, t))
        texts += beside.explanations(result.balances, t) if not result.balances.agrees else []
    of_mode = [*billing_cases.remarks(t, result), *cancelled.remarks(t, result)]
    return texts + [remark.text for remark in of_mode if isinstance(remark, Remark)]


def _sentence(result: Reconciliation) -> str:
    """The result of the money in one sentence, in English."""
    with_prices = result.prices and (result.compares_prices or not result.bill)
    what = " and ".join(
        [*(["the price table"] if with_prices else []), *(["the bill"] if result.bill else [])]
    )
    counts = {f: len(result.of(f)) for f in Finding}
    if result.share is not None:
        return _by_sums(result, Words("en"))
    if not result.compares:
        return "No request has two amounts that could be compared."
    if result.money_agrees:
        agree, rest = len(result.lines) - result.uncompared, result.uncompared
        more = f" Not compared, for want of a second amount: {rest}." if rest else ""
        verb = "request agrees" if agree == 1 else "requests agree"
        return f"{agree} {verb} with {what} (tolerance {result.tolerance:g}).{more}"
    findings = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    off = sum(bool(line.findings) for line in result.lines)
    of, do = counted(len(result.lines), "request"), "does" if off == 1 else "do"
    return f"{off} of {of} {do} not agree with {what}: {findings}."


def compose(result: Reconciliation, lang: Lang) -> Page:
    """The Markdown as a page: the result, the sums, then the lines of every finding."""
    t, run = Words(lang, result.run.currency), result.run
    sections = []
    if result.prices or result.bill:
        sections += [
            Section(t(*RESULT), [*_remarks(t, result)]),
            Section(t("Sums", "合计"), [_sums(t, result), _models(t, result)]),
            Section(t("By outcome", "按结果"), [_outcomes(t, result)]),
            Section(t("Findings", "差异明细"), [*_findings(t, result)]),
        ]
    cases = billing_cases.remarks(t, result)
    sections.append(Section(t(*BILL_BY_CASE), cases))
    sections.append(Section(t("Cancelled requests", "取消的请求"), cancelled.remarks(t, result)))
    if result.arrivals is not None:
        sections.append(beside.arrivals_section(result.arrivals, t))
    if result.balances is not None:
        sections.append(beside.balances_section(result.balances, t))
    simulated = t(*SIMULATED_RUN)
    return Page(
        lang="zh-CN" if lang == "zh" else "en",
        title=t(f"Reconciliation: {run.run_id}", f"费用对账：{run.run_id}"),
        subtitle=" · ".join(
            [
                *([t("against the price table", "对照价格表")] if result.prices else []),
                *([t("against the bill", "对照账单")] if result.bill else []),
                *([t("against the gateway's log", "对照网关日志")] if result.arrivals else []),
                *([t("against its balances", "对照余额")] if result.balances else []),
            ]
        ),
        banner=simulated if run.simulated else None,
        tiles=[],
        sections=sections,
        footer=t(
            f"Amounts at most {result.tolerance:g} apart agree; `-` means not known or nothing.",
            f"相差不超过 {result.tolerance:g} 视为一致；“-”表示未知或无。",
        ),
    )


def _remarks(t: Words, result: Reconciliation) -> list[Block]:
    remarks: list[Block] = [
        Remark(
            "bad" if not result.money_agrees else "good" if result.compares else "note",
            t(_sentence(result), _sentence_zh(result)),
        )
    ]
    if result.bill is not None and result.foreign:
        money = t.money(money_sum(charge.cost for charge in result.foreign))
        count = len(result.foreign)
        remarks.append(
            Remark(
                "note",
                t(
                    f"{counted(count, 'row')} of the bill ({money}) "
                    f"{'names' if count == 1 else 'name'} no request of this run: other traffic "
                    "of the key, or columns that do not match.",
                    f"账单中有 {count} 行（{money}）不属于本次运行：同一密钥的其他流量，"
                    "或所选列不匹配。",
                ),
            )
        )
    if result.ambiguous:
        count = result.ambiguous
        text = t(
            f"{counted(count, 'id names', 'ids name')} more than one request, and cannot be "
            "joined.",
            f"{count} 个 id 对应多个请求，未参与匹配。",
        )
        remarks.append(Remark("note", text))
    return remarks


def _by_sums(result: Reconciliation, t: Words) -> str:
    """The result if the sums decide: how far apart they are, and how many requests differ."""
    names = {"table": ("the price table", "价格表"), "bill": ("the bill", "账单")}
    if not result.differences:
        return t("no request has two amounts that could be compared.", "没有可供比较的金额。")
    differences = t.join(
        t(f"{share:.2%} from {names[kind][0]}", f"与{names[kind][1]}相差 {share:.2%}")
        for kind, share in result.differences.items()
    )
    off = integer(sum(bool(line.findings) for line in result.lines))
    all_ = counted(len(result.lines), "request")
    verb = t(*(AGREE if result.money_agrees else DISAGREE))
    return t(
        f"the sums {verb} within {result.share:.6g} of their amount ({differences}); single "
        f"amounts of {off} of {all_} differ.",
        f"合计在容差 {result.share:.6g}（占比）内{verb}（{differences}）；"
        f"{integer(len(result.lines))} 个请求中有 {off} 个单项金额不一致。",
    )


def _sentence_zh(result: Reconciliation) -> str:
    if result.share is not None:
        return _by_sums(result, Words("zh"))
    with_prices = result.prices and (result.compares_prices or not result.bill)
    what = "、".join([*(["价格表"] if with_prices else []), *(["账单"] if result.bill else [])])
    if not result.compares:
        return "没有可供比较的金额。"
    if result.money_agrees:
        agree, rest = len(result.lines) - result.uncompared, result.uncompared
        more = f"另有 {rest} 个缺少可供比较的金额，未作比较。" if rest else ""
        return f"{agree} 个请求与{what}一致（容差 {result.tolerance:g}）。{more}"
    off = sum(bool(line.findings) for line in result.lines)
    words = Words("zh")
    findings = "、".join(f"{_NAMES[f](words)} {n}" for f in Finding if (n := len(result.of(f))))
    return f"{len(result.lines)} 个请求中有 {off} 个与{what}不一致：{findings}。"


def _sums(t: Words, result: Reconciliation) -> Table:
    lines = result.lines
    kinds = [(_OURS, "ours")]
    kinds += [(_TABLE, "table")] if result.prices else []
    kinds += [(_BILL, "billed")] if result.bill else []
    return table(
        t,
        kinds,
        [
            WHAT.of(lambda kind: t(*kind[0])),
            REQUESTS.of(lambda kind: sum(getattr(line, kind[1]) is not None for line in lines)),
            money(Name("Sum", "合计"), lambda kind: getattr(balance(lines), kind[1])),
            money(
                Name("Minus ours, where both know", "两者皆知时减我方记录"),
                lambda kind: _beside(lines, kind[1])[0],
            ),
            money(
                Name("Where ours is unknown", "我方未知部分"),
                lambda kind: _beside(lines, kind[1])[1],
            ),
        ],
        how=t(
            "Ours is what the gateway stated with each reply, else tokens x price; a request that "
            "neither prices is unknown and in no sum of ours. The bill's sum is of the rows that "
            "name a request of this run.",
            "我方记录为各应答自报费用，未报时按 token × 价格；两者皆无即为未知，不计入我方合计。"
            "账单合计仅含属于本次运行的行。",
        ),
    )


def _beside(lines: Sequence[Line], name: str) -> tuple[float | None, float | None]:
    """Their money minus ours where both are known, and their money where ours is not."""
    theirs = [(getattr(line, name), line.ours) for line in lines]
    both = [them - ours for them, ours in theirs if them is not None and ours is not None]
    alone = [them for them, ours in theirs if them is not None and ours is None]
    return money_sum(both) if both else None, money_sum(alone) if alone else None


def _sums_by(result: Reconciliation, name: str) -> list[tuple[str | None, Balance]]:
    """The sums of the lines of each model, outcome, ..."""
    return [(key, balance(lines)) for key, lines in grouped(result.lines, name).items()]


def _counted(result: Reconciliation) -> list[Column[tuple[str | None, Balance], Any]]:
    """How many requests are in a sum, and how many of them the bill charges for."""
    return [
        REQUESTS.of(lambda group: group[1].lines),
        Name("Charged", "被计费").of(
            lambda group: group[1].charged if result.bill else None, integer
        ),
    ]


def _models(t: Words, result: Reconciliation) -> Table:
    named: dict[str | None, Counter[str]] = {}
    for line in result.lines:
        named.setdefault(line.model, Counter()).update(c.model for c in line.charges if c.model)
    sums, counted = _sums_by(result, "model"), _counted(result)
    return table(
        t,
        sums,
        [
            MODEL.of(lambda group: group[0] or ABSENT),
            *counted,
            money(_OURS, lambda group: group[1].ours),
            money(_TABLE, lambda group: group[1].table),
            money(_BILL, lambda group: group[1].billed),
            Name("The bill's names", "账单中的模型名").of(
                lambda group: t.join(named.get(group[0], ())) or ABSENT
            ),
        ],
        title=t("By model", "按模型"),
        how=t("Models as the operator gave them.", "按请求的模型名分组。"),
    )


def _outcomes(t: Words, result: Reconciliation) -> Table:
    sums, counted = _sums_by(result, "outcome"), _counted(result)
    return table(
        t,
        sums,
        [
            OUTCOME.of(lambda group: group[0] or ABSENT),
            *counted,
            money(_OURS, lambda group: group[1].ours),
            money(_BILL, lambda group: group[1].billed),
        ],
        how=t(
            "What the bill charges for requests that failed, were cut off or cancelled stands "
            "beside what the gateway said of them.",
            "失败、截断、取消的请求：账单计费与网关自报对照。",
        ),
    )


_NAMES: dict[Finding, Callable[[Words], str]] = {
    Finding.OFF_PRICE: lambda t: t("The stated cost is not tokens x price", "自报费用与价格表不符"),
    Finding.DIFFERS: lambda t: t("The bill charges another amount", "账单金额不同"),
    Finding.MISSING: lambda t: t("Not in the bill, though it has a cost", "账单漏计"),
    Finding.DOUBLED: lambda t: t("Charged several times", "重复计费"),
    Finding.FAILURE_CHARGED: lambda t: t(
        "Charged although it failed and no cost was stated", "失败请求被计费（应答未报费用）"
    ),
    Finding.UNSTATED: lambda t: t("Charged, its cost was unknown", "被计费但应答未报费用"),
    Finding.NEVER_SENT: lambda t: t("Charged, but it was never sent", "从未发出却被计费"),
    Finding.UNRECORDED: lambda t: t(
        "Charged under this run's names, but in no row", "账单含本次运行名下、我方无记录的请求"
    ),
}


_LINES: list[Column[Line, Any]] = [
    TASK_ID.of(lambda line: line.task_id or line.request_id or ABSENT),
    MODEL.of(lambda line: line.model or ABSENT),
    OUTCOME.of(lambda line: line.outcome or ABSENT),
    money(_OURS, lambda line: line.ours),
    SOURCE.of(lambda line: line.source or ABSENT),
    money(_TABLE, lambda line: line.table),
    money(_BILL, lambda line: line.billed),
    Column(
        Name("Bill lines", "账单行号"),
        lambda line: [str(charge.line) for charge in line.charges],
        lambda t, places: t.join(places) or ABSENT,
    ),
]
"""What is shown of a request."""


def _findings(t: Words, result: Reconciliation) -> list[Block]:
    blocks: list[Block] = []
    for finding in Finding:
        lines = result.of(finding)
        if not lines:
            continue
        more = t(f", the first {_SHOWN} here", f"，此处列出前 {_SHOWN} 条")
        much = t.money(money_sum(at_stake(line, finding) for line in lines))
        blocks.append(
            table(
                t,
                lines[:_SHOWN],
                _LINES,
                title=f"{finding}: {_NAMES[finding](t)}",
                how=t(
                    f"{counted(len(lines), 'request')}, {much} at stake",
                    f"{len(lines)} 个请求，涉及 {much}",
                )
                + (more if len(lines) > _SHOWN else "")
                + t.stop,
            )
        )
    return blocks
