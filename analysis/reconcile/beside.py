"""The gateway's log and its balances, as sections of the statement and as plain data."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from analysis.page.blocks import Block, Remark, Section, Text
from analysis.page.columns import Column, Name, table
from analysis.page.vocabulary import (
    AGREE,
    DISAGREE,
    MODEL,
    OUTCOME,
    REQUESTS,
    TASK_ID,
    TRIES,
    WHAT,
)
from analysis.page.words import ABSENT, Words, integer, milliseconds, seconds
from analysis.reconcile.arrivals import Arrival, Arrivals, Request
from analysis.reconcile.balances import Balances
from analysis.reconcile.logs.reading import Log
from recording.counted import counted

_SHOWN = 50  # requests of one kind in the Markdown; the JSON has all

_NAMES: dict[Arrival, Callable[[Words], str]] = {
    Arrival.NOT_LOGGED: lambda t: t("answered, and not in the log", "有应答，但日志中没有"),
    Arrival.NEVER_ARRIVED: lambda t: t(
        "never arrived: neither answered nor in the log", "未到达：无应答，日志中也没有"
    ),
    Arrival.ANSWERED_TWICE: lambda t: t(
        "answered more often inside than it was sent", "网关内部应答次数多于发送次数"
    ),
    Arrival.FAILED_OUTSIDE: lambda t: t(
        "a success by the log, without a whole answer to us", "日志记为成功，我方未收到完整应答"
    ),
    Arrival.RETRIED_INSIDE: lambda t: t("retried inside", "网关内部重试过"),
}


def unit(log: Log) -> str:
    """What the log's amounts are in."""
    if log.per_unit == 1:
        return log.currency
    return f"quota, {log.per_unit:,} = 1 {log.currency}"


def exact(amount: Decimal | None) -> str:
    """An amount to its last decimal."""
    return ABSENT if amount is None else f"{amount.normalize():f}"


def arrivals_sentence(arrivals: Arrivals, t: Words) -> str:
    """What the log shows, in a sentence."""
    log, sent = arrivals.log, len(arrivals.requests)
    counts = {kind: len(arrivals.of(kind)) for kind in Arrival}
    logged = sum(bool(request.entries) for request in arrivals.requests)
    kinds = [f"{counts[kind]} {name(t)}" for kind, name in _NAMES.items() if counts[kind]]
    if arrivals.unrecorded:
        kinds.append(
            t(f"{len(arrivals.unrecorded)} under this run's names that no row has",
              f"{len(arrivals.unrecorded)} 条以本次运行命名但我方无记录")
        )  # fmt: skip
    head = t(
        f"The log ({log.reader.name}) has {logged} of {counted(sent, 'request')}",
        f"日志（{log.reader.name}）含 {sent} 个请求中的 {logged} 个",
    )
    return head + (t.colon + t.join(kinds) if kinds else "") + t.stop


def arrivals_section(arrivals: Arrivals, t: Words) -> Section:
    """The log beside the rows: counts, money, times, and the requests of each kind."""
    log, times = arrivals.log, arrivals.times
    blocks: list[Block] = [
        Remark("good" if arrivals.agrees else "bad", arrivals_sentence(arrivals, t)),
        *_notes(arrivals, t),
        table(
            t,
            [(kind, arrivals.of(kind)) for kind in Arrival],
            [
                WHAT.of(lambda each: _NAMES[each[0]](t)),
                REQUESTS.of(lambda each: len(each[1])),
                TRIES.of(lambda each: _tries(each[1]), integer),
            ],
            how=t(
                f"{log.path.name}: {counted(len(log.entries), 'entry')}, {arrivals.foreign} of "
                f"them for other requests; amounts in {unit(log)}.",
                f"{log.path.name}：{len(log.entries)} 条，其中 {arrivals.foreign} 条属于其他请求；"
                f"金额单位 {unit(log)}。",
            ),
        ),
    ]
    if arrivals.charged is not None:
        blocks.append(
            Text(
                t(
                    f"By the log this run's requests cost {exact(arrivals.charged)} "
                    f"{log.currency}, all of its entries {exact(log.total)} {log.currency}.",
                    f"按日志，本次运行的请求共 {exact(arrivals.charged)} {log.currency}，"
                    f"全部条目共 {exact(log.total)} {log.currency}。",
                )
            )
        )
    if times.count:
        blocks.append(
            Text(
                t(
                    f"Time outside and inside, {times.count} successful requests that have both: "
                    f"median {seconds(times.outside_p50_s)} and {seconds(times.inside_p50_s)}; the "
                    f"difference of a request is {milliseconds(times.beside_p50_s)} in the median, "
                    f"{milliseconds(times.beside_p95_s)} at P95 (network, and what the gateway "
                    f"does not count{_resolution(log, t)}).",
                    f"外部与内部耗时（{times.count} 个两者皆有的成功请求）：中位数 "
                    f"{seconds(times.outside_p50_s)} 与 {seconds(times.inside_p50_s)}；单个请求差值"
                    f"中位数 {milliseconds(times.beside_p50_s)}，P95 "
                    f"{milliseconds(times.beside_p95_s)}（网络及网关未计入的时间"
                    f"{_resolution(log, t)}）。",
                )
            )
        )
    for kind in Arrival:
        if requests := arrivals.of(kind):
            blocks.append(table(t, requests[:_SHOWN], _REQUEST, title=f"{kind}: {_NAMES[kind](t)}"))
    return Section(t("The gateway's log", "网关日志"), blocks)


def _tries(requests: list[Request]) -> int | None:
    known = [request.tries for request in requests if request.tries is not None]
    return sum(known) if known else None


def _resolution(log: Log, t: Words) -> str:
    if log.reader.resolution_s < 0.5:
        return ""
    return t("; the log rounds to whole seconds", "；日志按整秒取整")


def _notes(arrivals: Arrivals, t: Words) -> list[Block]:
    notes = []
    if arrivals.currency not in (None, arrivals.log.currency) and arrivals.charged is not None:
        notes.append(
            t(f"Its amounts are in {arrivals.log.currency} and the run's in {arrivals.currency}: "
              "they are not compared.",
              f"日志金额为 {arrivals.log.currency}，本次运行为 {arrivals.currency}：未作比较。")
        )  # fmt: skip
    if arrivals.omitted_failures:
        count = arrivals.omitted_failures
        notes.append(
            t(f"{count} failed requests are not in the log, which may omit failures.",
              f"{count} 个失败请求不在日志中：日志可能不记录失败请求。")
        )  # fmt: skip
    if arrivals.omitted_ends:
        count = arrivals.omitted_ends
        notes.append(
            t(f"{counted(count, 'answered request')} before its first or after its last entry "
              "cannot be found: the export may be cut there.",
              f"日志首条之前或末条之后缺少 {count} 个有应答的请求：导出可能被截断。")
        )  # fmt: skip
    if arrivals.ambiguous:
        notes.append(
            t(f"{counted(arrivals.ambiguous, 'id names', 'ids name')} more than one request, and "
              "cannot be joined.",
              f"{arrivals.ambiguous} 个 id 对应多个请求，未参与匹配。")
        )  # fmt: skip
    return [Remark("note", note) for note in notes]


_REQUEST: list[Column[Request, Any]] = [
    TASK_ID.of(lambda request: request.task_id or ABSENT),
    MODEL.of(lambda request: request.model or ABSENT),
    OUTCOME.of(lambda request: request.outcome),
    TRIES.of(lambda request: request.tries, integer),
    Name("Outside", "外部耗时").of(lambda request: request.outside_s, seconds),
    Name("Inside", "内部耗时").of(lambda request: request.inside_s, seconds),
    Column(
        Name("Log lines", "日志行号"),
        lambda request: list(dict.fromkeys(str(entry.line) for entry in request.entries)),
        lambda t, lines: t.join(lines) or ABSENT,
    ),
]
"""What is shown of a request."""


def balances_sentence(balances: Balances, t: Words) -> str:
    """What the balances show, in a sentence."""
    charged, ours = exact(balances.charged), exact(balances.ours)
    per_unit, code = balances.before.per_unit, balances.currency
    units = "" if per_unit == 1 else f" ({per_unit:,} quota = 1 {code})"
    sentence = t(
        f"By its balances the account was charged {charged} {code}{units}",
        f"按余额，账户被扣 {charged} {code}{units}",
    )
    if balances.difference is None:
        return sentence + t(
            "; the run's costs are in another currency and not compared.",
            "；本次运行的费用为其他币种，未作比较。",
        )
    allowed = exact(balances.tolerance)
    verb = t(*(AGREE if balances.agrees else DISAGREE))
    return sentence + t(
        f", the run's rows come to {ours}: they {verb} (difference {exact(balances.difference)}, "
        f"of which rounding explains {allowed} at most).",
        f"，本次运行记录合计 {ours}：{verb}（相差 {exact(balances.difference)}，取整最多可解释 "
        f"{allowed}）。",
    )


def balances_section(balances: Balances, t: Words) -> Section:
    """The balances beside the rows, and what else may explain a difference."""
    level: Any = "note" if balances.difference is None else "good" if balances.agrees else "bad"
    blocks: list[Block] = [Remark(level, balances_sentence(balances, t))]
    blocks += [Text(text) for text in explanations(balances, t)] if not balances.agrees else []
    return Section(t("Balance before and after", "运行前后余额"), blocks)


_STATE_NO_COST = (
    "successful request states no cost and is", "successful requests state no cost and are"
)  # fmt: skip


def explanations(balances: Balances, t: Words) -> list[str]:
    """What else could explain a difference, the likeliest first."""
    texts = []
    if balances.other_requests:
        texts.append(
            t(f"The account counts {counted(balances.other_requests, 'more request')} than the "
              "run has rows with a cost: other traffic, internal retries, or failures that are "
              "charged.",
              f"账户计数比有费用的记录多 {balances.other_requests} 个请求：其他流量、内部重试或"
              "失败被计费。")
        )  # fmt: skip
    if balances.unknown:
        texts.append(
            t(f"{counted(balances.unknown, *_STATE_NO_COST)} not in our sums: give --prices.",
              f"{balances.unknown} 个成功请求未报费用，未计入我方合计：请提供 --prices。")
        )  # fmt: skip
    if balances.failed:
        texts.append(
            t(f"{counted(balances.failed, 'request')} failed after being sent and may have been "
              "charged.",
              f"{balances.failed} 个请求发出后失败，可能已被计费。")
        )  # fmt: skip
    if balances.by_left:
        texts.append(
            t("These balances are what is left: a payment or a refund between them counts, too.",
              "所比较的是剩余额度：期间的充值或退款同样计入。")
        )  # fmt: skip
    elif balances.paid_in:
        texts.append(
            t(f"{exact(balances.paid_in)} {balances.currency} were paid in meanwhile, which does "
              "not matter here.",
              f"期间充值 {exact(balances.paid_in)} {balances.currency}，与此处比较无关。")
        )  # fmt: skip
    if balances.difference is not None and balances.difference < 0:
        texts.append(
            t("Less was charged than the sum of the rows: many gateways book with a delay; save "
              "the balance again after some minutes.",
              "扣费少于记录：许多网关延迟入账，请数分钟后再次保存余额。")
        )  # fmt: skip
    texts.append(
        t("Other traffic of the same account or key between the two balances, or requests of a "
          "connection check, also count.",
          "两次余额之间同一账户或密钥的其他流量（含连通性检查）同样会被扣费。")
    )  # fmt: skip
    return texts


def plain_arrivals(arrivals: Arrivals | None) -> dict[str, Any] | None:
    """What reconcile.json holds of the log; amounts are text, exact."""
    if arrivals is None:
        return None
    log, times = arrivals.log, arrivals.times
    return {
        "path": str(log.path), "kind": log.reader.name, "entries": len(log.entries),
        "foreign_entries": arrivals.foreign, "unrecorded_entries": len(arrivals.unrecorded),
        "other_records": log.other, "ambiguous_ids": arrivals.ambiguous,
        "currency": log.currency, "units_per_currency": exact(log.per_unit),
        "charged": None if arrivals.charged is None else exact(arrivals.charged),
        "log_sum": None if log.total is None else exact(log.total),
        "requests": len(arrivals.requests),
        "logged": sum(bool(request.entries) for request in arrivals.requests),
        "arrivals": {str(kind): len(arrivals.of(kind)) for kind in Arrival},
        "untold_failures": arrivals.omitted_failures, "untold_ends": arrivals.omitted_ends,
        "times": {name: getattr(times, name) for name in times.__slots__},
        "lines": [
            {"task_id": request.task_id, "arrival": str(request.arrival),
             "outcome": request.outcome, "tries": request.tries,
             "outside_s": request.outside_s, "inside_s": request.inside_s,
             "log_lines": [entry.line for entry in request.entries]}
            for request in arrivals.requests if request.arrival is not None
        ],
    }  # fmt: skip


def plain_balances(balances: Balances | None) -> dict[str, Any] | None:
    """What reconcile.json holds of the balances; amounts are text, exact."""
    if balances is None:
        return None
    difference = balances.difference
    return {
        "kind": balances.before.kind, "currency": balances.currency,
        "units_per_currency": exact(balances.before.per_unit), "by_what_is_left": balances.by_left,
        "charged": exact(balances.charged), "ours": exact(balances.ours),
        "difference": None if difference is None else exact(difference),
        "tolerance": exact(balances.tolerance), "agrees": balances.agrees,
        "unknown_count": balances.unknown, "failed_count": balances.failed,
        "other_requests": balances.other_requests,
    }  # fmt: skip
