"""The result of a reconciliation, as reconcile.md and reconcile.json in the run's folder."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from math import fsum
from pathlib import Path
from typing import Any

from analysis.page import markdown
from analysis.page.blocks import Block, Page, Remark, Section, Table
from analysis.page.columns import Column, Name, table
from analysis.page.vocabulary import (
    AGREE,
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
from analysis.reading.atomic_file import replacing
from analysis.reconcile import beside, cancelled
from analysis.reconcile.reconciliation import Finding, Line, Reconciliation, at_stake
from analysis.reconcile.sums import Balance, balance, grouped, plain
from recording.untrusted_text import as_json

_OURS = Name("Ours", "我方记录")
_TABLE = Name("Tokens x price", "token × 价格")
_BILL = Name("The bill", "账单")
_SHOWN = 50  # lines of one finding in the Markdown; the JSON has all


def write(found: Reconciliation, lang: Lang) -> tuple[Path, Path]:
    """Write both files; return their paths. Raises OSError."""
    paths = found.run.folder / "reconcile.md", found.run.folder / "reconcile.json"
    texts = (
        markdown.render(compose(found, lang)),
        as_json(plain(found) | {"cancelled": [asdict(one) for one in cancelled.of(found)]}) + "\n",
    )
    for path, text in zip(paths, texts, strict=True):
        with replacing(path) as file:
            file.write(text)
    return paths


def sentences(found: Reconciliation, t: Words) -> list[str]:
    """The result: one sentence each on the money, the log and the balances."""
    said = [t(_sentence(found), _sentence_zh(found))] if found.prices or found.bill else []
    if found.arrivals is not None:
        said.append(beside.arrivals_sentence(found.arrivals, t))
    if found.balances is not None:
        said.append(beside.balances_sentence(found.balances, t))
        said += beside.explanations(found.balances, t) if not found.balances.agrees else []
    return said


def _sentence(found: Reconciliation) -> str:
    """The result of the money in one sentence, in English."""
    what = " and ".join(
        [*(["the price table"] if found.prices else []), *(["the bill"] if found.bill else [])]
    )
    counts = {f: len(found.of(f)) for f in Finding}
    if found.share is not None:
        return _by_sums(found, Words("en"))
    if found.money_agrees:
        return f"{len(found.lines)} requests agree with {what} (tolerance {found.tolerance:g})."
    said = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    off = sum(bool(line.findings) for line in found.lines)
    return f"{off} of {len(found.lines)} requests do not agree with {what}: {said}."


def compose(found: Reconciliation, lang: Lang) -> Page:
    """The Markdown as a page: the result, the sums, then the lines of every finding."""
    t, run = Words(lang, found.run.currency), found.run
    sections = []
    if found.prices or found.bill:
        sections += [
            Section(t(*RESULT), [*_remarks(t, found)]),
            Section(t("Sums", "合计"), [_sums(t, found), _models(t, found)]),
            Section(t("By outcome", "按结果"), [_outcomes(t, found)]),
            Section(t("Findings", "差异明细"), [*_findings(t, found)]),
        ]
    sections.append(Section(t("Cancelled requests", "取消的请求"), cancelled.remarks(t, found)))
    if found.arrivals is not None:
        sections.append(beside.arrivals_section(found.arrivals, t))
    if found.balances is not None:
        sections.append(beside.balances_section(found.balances, t))
    simulated = t(*SIMULATED_RUN)
    return Page(
        lang="zh-CN" if lang == "zh" else "en",
        title=t(f"Reconciliation: {run.run_id}", f"费用对账：{run.run_id}"),
        subtitle=" · ".join(
            [
                *([t("against the price table", "对照价格表")] if found.prices else []),
                *([t("against the bill", "对照账单")] if found.bill else []),
                *([t("against the gateway's log", "对照网关日志")] if found.arrivals else []),
                *([t("against its balances", "对照余额")] if found.balances else []),
            ]
        ),
        banner=simulated if run.simulated else None,
        tiles=[],
        sections=sections,
        footer=t(
            f"Amounts at most {found.tolerance:g} apart agree; `-` means not known or nothing.",
            f"相差不超过 {found.tolerance:g} 视为一致；“-”表示未知或无。",
        ),
    )


def _remarks(t: Words, found: Reconciliation) -> list[Block]:
    said: list[Block] = [
        Remark("good" if found.money_agrees else "bad", t(_sentence(found), _sentence_zh(found)))
    ]
    if found.bill is not None and found.foreign:
        money = t.money(fsum(charge.cost for charge in found.foreign))
        count = len(found.foreign)
        said.append(
            Remark(
                "note",
                t(
                    f"{count} rows of the bill ({money}) name no request of this run: other "
                    "traffic of the key, or columns that do not match.",
                    f"账单中有 {count} 行（{money}）不属于本次运行：同一密钥的其他流量，"
                    "或所选列不匹配。",
                ),
            )
        )
    if found.ambiguous:
        count = found.ambiguous
        text = t(
            f"{count} ids name more than one request and join nothing.",
            f"{count} 个 id 对应多个请求，未参与匹配。",
        )
        said.append(Remark("note", text))
    return said


def _by_sums(found: Reconciliation, t: Words) -> str:
    """The result if the sums decide: how far apart they are, and how many requests differ."""
    names = {"table": ("the price table", "价格表"), "bill": ("the bill", "账单")}
    if not found.differences:
        return t("no request has two amounts that could be compared.", "没有可供比较的金额。")
    said = t.join(
        t(f"{share:.2%} from {names[kind][0]}", f"与{names[kind][1]}相差 {share:.2%}")
        for kind, share in found.differences.items()
    )
    off = integer(sum(bool(line.findings) for line in found.lines))
    all_ = integer(len(found.lines))
    verb = t(*(AGREE if found.money_agrees else DISAGREE))
    return t(
        f"the sums {verb} within {found.share:.6g} of their amount ({said}); single amounts of "
        f"{off} of {all_} requests differ.",
        f"合计在容差 {found.share:.6g}（占比）内{verb}（{said}）；{all_} 个请求中有 {off} 个"
        "单项金额不一致。",
    )


def _sentence_zh(found: Reconciliation) -> str:
    if found.share is not None:
        return _by_sums(found, Words("zh"))
    what = "、".join([*(["价格表"] if found.prices else []), *(["账单"] if found.bill else [])])
    if found.money_agrees:
        return f"{len(found.lines)} 个请求与{what}一致（容差 {found.tolerance:g}）。"
    off = sum(bool(line.findings) for line in found.lines)
    words = Words("zh")
    said = "、".join(f"{_NAMES[f](words)} {n}" for f in Finding if (n := len(found.of(f))))
    return f"{len(found.lines)} 个请求中有 {off} 个与{what}不一致：{said}。"


def _sums(t: Words, found: Reconciliation) -> Table:
    lines = found.lines
    kinds = [(_OURS, "ours")]
    kinds += [(_TABLE, "table")] if found.prices else []
    kinds += [(_BILL, "billed")] if found.bill else []
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
    return fsum(both) if both else None, fsum(alone) if alone else None


def _sums_by(found: Reconciliation, name: str) -> list[tuple[str | None, Balance]]:
    """The sums of the lines of each model, outcome, ..."""
    return [(key, balance(lines)) for key, lines in grouped(found.lines, name).items()]


def _counted(found: Reconciliation) -> list[Column[tuple[str | None, Balance], Any]]:
    """How many requests are in a sum, and how many of them the bill charges for."""
    return [
        REQUESTS.of(lambda one: one[1].lines),
        Name("Charged", "被计费").of(lambda one: one[1].charged if found.bill else None, integer),
    ]


def _models(t: Words, found: Reconciliation) -> Table:
    named: dict[str | None, Counter[str]] = {}
    for line in found.lines:
        named.setdefault(line.model, Counter()).update(c.model for c in line.charges if c.model)
    sums, counted = _sums_by(found, "model"), _counted(found)
    return table(
        t,
        sums,
        [
            MODEL.of(lambda one: one[0] or ABSENT),
            *counted,
            money(_OURS, lambda one: one[1].ours),
            money(_TABLE, lambda one: one[1].table),
            money(_BILL, lambda one: one[1].billed),
            Name("The bill's names", "账单中的模型名").of(
                lambda one: t.join(named.get(one[0], ())) or ABSENT
            ),
        ],
        title=t("By model", "按模型"),
        how=t("Models as the operator gave them.", "按请求的模型名分组。"),
    )


def _outcomes(t: Words, found: Reconciliation) -> Table:
    sums, counted = _sums_by(found, "outcome"), _counted(found)
    return table(
        t,
        sums,
        [
            OUTCOME.of(lambda one: one[0] or ABSENT),
            *counted,
            money(_OURS, lambda one: one[1].ours),
            money(_BILL, lambda one: one[1].billed),
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


def _findings(t: Words, found: Reconciliation) -> list[Block]:
    blocks: list[Block] = []
    for finding in Finding:
        lines = found.of(finding)
        if not lines:
            continue
        more = t(f", the first {_SHOWN} here", f"，此处列出前 {_SHOWN} 条")
        much = t.money(fsum(at_stake(line, finding) for line in lines))
        blocks.append(
            table(
                t,
                lines[:_SHOWN],
                _LINES,
                title=f"{finding}: {_NAMES[finding](t)}",
                how=t(
                    f"{len(lines)} requests, {much} at stake",
                    f"{len(lines)} 个请求，涉及 {much}",
                )
                + (more if len(lines) > _SHOWN else "")
                + t.stop,
            )
        )
    return blocks
