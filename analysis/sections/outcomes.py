"""How every planned request ended, by phase and by error."""

from analysis.load import rows
from analysis.page import Block, Section, Table
from analysis.sections import View
from analysis.words import ABSENT, integer, percent, tally

_ERRORS = 20
_CUT_CHARS = 160


def section(view: View) -> Section:
    """Outcome and status counts a phase, then the commonest errors with an example of each."""
    t = view.t
    if not view.phases:
        return Section("")
    blocks: list[Block] = [
        Table(
            headers=(
                t("Phase", "阶段"),
                t("Planned", "计划请求"),
                t("Success rate", "成功率"),
                t("Outcomes", "结果分布"),
                t("HTTP status", "状态分布"),
            ),
            rows=[
                (
                    phase["phase"],
                    integer(phase["planned"]),
                    percent(phase["success_rate"]),
                    tally(phase["outcomes"]),
                    tally(phase["status_counts"]),
                )
                for phase in view.phases
            ],
            how=t(
                "Success rate = successes / planned, so failures and requests never sent count "
                "against it; None is a request without an HTTP answer.",
                "成功率 = 成功 / 计划，失败与未发出的请求都计入分母；None 为没有 HTTP 应答的请求。",
            ),
        )
    ]
    errors = _errors(view)
    if errors:
        columns = (t("Error", "错误类型"), t("Rows", "行数"), t("Example", "示例"))
        headers = (t("Outcome", "结果"), "HTTP", *columns)
        how = t(
            f"The {_ERRORS} commonest kinds, with the first message of each.",
            f"最常见的 {_ERRORS} 类，各附首条错误信息。",
        )
        blocks.append(Table(headers, errors, how, t("Errors", "错误")))
    return Section(t("Outcomes", "结果分布"), blocks)


def _errors(view: View) -> list[tuple[str, ...]]:
    frame = view.run.requests
    failed = frame[~frame["success"]]
    key = ["outcome", "http_status", "error_type"]
    kinds = failed.groupby(key, dropna=False, sort=False).agg(
        count=("request_index", "size"), example=("error_message", "first")
    )
    commonest = kinds.sort_values("count", ascending=False, kind="stable").head(_ERRORS)
    return [
        (
            row["outcome"],
            integer(row["http_status"]),
            row["error_type"] or ABSENT,
            integer(row["count"]),
            _cut(row["example"]),
        )
        for row in rows(commonest.reset_index())
    ]


def _cut(text: str | None) -> str:
    if text is None:
        return ABSENT
    line = " ".join(text.split())
    return line if len(line) <= _CUT_CHARS else line[: _CUT_CHARS - 1] + "…"
