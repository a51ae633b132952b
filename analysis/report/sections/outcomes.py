"""How every planned request ended, by phase and by error."""

from typing import NamedTuple

from analysis.page.blocks import Block, Section
from analysis.page.columns import Name, table
from analysis.page.vocabulary import HTTP, OUTCOME, OUTCOMES, PHASE, PLANNED, STATUSES, SUCCESS_RATE
from analysis.page.words import ABSENT, integer
from analysis.reading.load import rows
from analysis.report.view import View
from recording.outcome import ON_PURPOSE

PLACE = 190  # in the report
_ERRORS = 20
_CUT_CHARS = 160


class _Failures(NamedTuple):
    """Requests that failed in one way, and the first message among them."""

    outcome: str
    status: int | None
    kind: str | None
    requests: int
    example: str | None


def section(view: View) -> Section:
    """Outcome and status counts per phase, then the commonest errors with an example of each."""
    t = view.t
    if not view.phases:
        return Section("")
    blocks: list[Block] = [
        table(
            t,
            view.phases,
            [
                PHASE,
                PLANNED,
                SUCCESS_RATE,
                OUTCOMES,
                STATUSES,
            ],
            how=t(
                "Success rate = successes / planned, so failures and requests that were never sent "
                "count against it; requests drawn to be cancelled do not. None means a request "
                "without an HTTP answer, dropped one that was not sent.",
                "成功率 = 成功 / 计划，失败与未发出的请求都计入分母，抽中主动取消的请求除外；"
                "None 为没有 HTTP 应答的请求，dropped 为未发送的请求。",
            ),
        )
    ]
    errors = _errors(view)
    if errors:
        blocks.append(
            table(
                t,
                errors,
                [
                    OUTCOME.of(lambda failed: failed.outcome),
                    HTTP.of(lambda failed: failed.status, integer),
                    Name("Error", "错误类型").of(lambda failed: failed.kind or ABSENT),
                    Name("Rows", "行数").of(lambda failed: failed.requests, integer),
                    Name("Example", "示例").of(lambda failed: failed.example, _cut),
                ],
                title=t("Errors", "错误"),
                how=t(
                    f"The {_ERRORS} commonest kinds, with the first message of each.",
                    f"最常见的 {_ERRORS} 类，各附首条错误信息。",
                ),
            )
        )
    return Section(t(*OUTCOMES.name), blocks, folded=True)


def _errors(view: View) -> list[_Failures]:
    import numpy as np

    key = ["outcome", "http_status", "error_type"]
    frame = view.run.rows.frame([*key, "success"])
    failed = frame.loc[~frame["success"] & ~frame["outcome"].isin(ON_PURPOSE), key]
    kind = failed.groupby(key, dropna=False, sort=False).ngroup().to_numpy()
    kinds = failed.drop_duplicates().assign(count=np.bincount(kind)).reset_index(drop=True)
    commonest = kinds.sort_values("count", ascending=False, kind="stable").head(_ERRORS)
    return [
        _Failures(
            row["outcome"],
            row["http_status"],
            row["error_type"],
            row["count"],
            _example(view, failed.index[kind == number].tolist()),
        )
        for number, row in zip(commonest.index, rows(commonest), strict=True)
    ]


def _example(view: View, places: list[int]) -> str | None:
    """The first message of the given rows; None if none has one."""
    begin, count = 0, 1  # the first row nearly always has one: read few rows first
    while begin < len(places):
        frame = view.run.rows.at(places[begin : begin + count], ["error_message"])
        if messages := frame["error_message"].dropna().tolist():
            return str(messages[0])
        begin, count = begin + count, count * 10
    return None


def _cut(text: str | None) -> str:
    if text is None:
        return ABSENT
    line = " ".join(text.split())
    return line if len(line) <= _CUT_CHARS else line[: _CUT_CHARS - 1] + "…"
