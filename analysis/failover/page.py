"""The gateway's behaviour under each fault, as failover.md and failover.json."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from analysis.failover.joined import Joined
from analysis.failover.numbers import Group, Streams, added_s
from analysis.failover.upstream_log import DEAD, Window
from analysis.page import markdown
from analysis.page.blocks import Block, Level, Page, Remark, Section, Table
from analysis.page.columns import Column, Name, table
from analysis.page.vocabulary import BEHIND, FAULT, NO_FAULT, REQUESTS, RESULT, SIMULATED_RUN
from analysis.page.words import ABSENT, Lang, Words, integer, seconds, tally
from analysis.reading.atomic_file import replace_text
from recording.counted import counted
from recording.untrusted_text import as_json

STATEMENT_VERSION = 1
_APART_S = 0.05  # clocks that are further apart are reported

_FAULTS: dict[str, tuple[str, str]] = {
    "error_500": ("HTTP 500", "HTTP 500"),
    "error_502": ("HTTP 502", "HTTP 502"),
    "error_503": ("HTTP 503", "HTTP 503"),
    "rate_limited": ("HTTP 429 with Retry-After", "HTTP 429（带 Retry-After）"),
    "rate_limited_bare": ("HTTP 429", "HTTP 429"),
    "hang": ("no answer, ever", "始终不应答"),
    "slow_headers": ("slow to begin", "迟迟不开始应答"),
    "truncated_stream": ("answers cut in the middle", "应答中途截断"),
    "reset_mid_body": ("connection reset in the middle", "应答中途连接被重置"),
    "stream_error": ("an error in the middle of a stream", "流式应答中途报错"),
    DEAD: ("nobody listens", "端口无人监听"),
}


def write(
    joined: Joined, groups: Sequence[Group], lang: Lang, checks: Sequence[dict[str, Any]] = ()
) -> tuple[Path, Path]:
    """Write both files; return their paths. `checks` of conditions stand in failover.json.

    Raises OSError.
    """
    folder = joined.run.folder
    paths = folder / "failover.md", folder / "failover.json"
    page = compose(joined, groups, Words(lang, joined.run.currency))
    texts = (markdown.render(page), as_json(plain(joined, groups) | {"checks": [*checks]}) + "\n")
    for path, text in zip(paths, texts, strict=True):
        replace_text(path, text)
    return paths


def plain(joined: Joined, groups: Sequence[Group]) -> dict[str, Any]:
    """What failover.json holds; amounts are text, exact."""
    return {
        "schema_version": STATEMENT_VERSION,
        "run_id": joined.run.run_id,
        "simulated": joined.run.simulated,
        "requests": len(joined.requests),
        "attempts": len(joined.log.attempts),
        "foreign_attempts": joined.foreign,
        "clocks_apart_s": joined.apart_s,
        "groups": [
            asdict(group)
            | {
                "name": name(group.window, joined, Words("en")),
                "wasted_cost": f"{group.wasted_cost:f}",
                "added_s": added_s(group),
            }
            for group in groups
        ],
    }


def compose(joined: Joined, groups: Sequence[Group], t: Words) -> Page:
    """The page: the result, then what it cost in time, work and money."""
    met = [group for group in groups if group.requests or group.recovery]
    simulated = t(*SIMULATED_RUN)
    sections = [
        Section(t(*RESULT), [*_remarks(joined, groups, t)]),
        Section(t("What the client met", "客户端所见"), [_client(joined, met, t)]),
        Section(t("What it cost", "代价"), [_cost(met, t)]),
        Section(t("Retry-After", "Retry-After"), [*_waits(met, t)]),
        Section(t("Streams cut in the middle", "中途截断的流"), [*_streams(met, t)]),
        Section(t("Leaving and coming back", "避开与恢复"), [*_recovery(met, t)]),
    ]
    return Page(
        lang="zh-CN" if t.lang == "zh" else "en",
        title=t(f"Failover: {joined.run.run_id}", f"故障转移：{joined.run.run_id}"),
        subtitle=t(*BEHIND),
        banner=simulated if joined.run.simulated else None,
        tiles=[],
        sections=[section for section in sections if section.blocks],
        footer=t(
            "An attempt is a request that reached an upstream; a dead one logs none.",
            "“尝试”指到达上游的一次请求；无人监听的端口不会留下记录。",
        ),
    )


def sentences(joined: Joined, groups: Sequence[Group], t: Words) -> list[str]:
    """What became of each fault's requests, one sentence per fault."""
    return [text for _, text in _judgements(joined, groups, t)]


def _remarks(joined: Joined, groups: Sequence[Group], t: Words) -> list[Block]:
    return [Remark(level, text) for level, text in _judgements(joined, groups, t)]


def _judgements(joined: Joined, groups: Sequence[Group], t: Words) -> list[tuple[Level, str]]:
    judgements: list[tuple[Level, str]] = []
    for group in groups:
        if group.window is None:
            if group.failed or group.attempts > group.requests:
                judgements.append(("bad" if group.answered_twice else "note", _without(group, t)))
        elif group.requests:
            bad = group.failed or group.streams.repeated or group.streams.wrong
            judgements.append(("bad" if bad else "good", _sentence(joined, group, t)))
        else:
            called = name(group.window, joined, t)
            judgements.append(
                ("note", called + t(": no request met it.", "：没有请求遇到此故障。"))
            )
    if joined.foreign:
        name_none = counted(joined.foreign, "attempt names", "attempts name")
        text = t(
            f"{name_none} no request of this run.", f"{joined.foreign} 次尝试不属于本次运行的请求。"
        )
        judgements.append(("note", text))
    if joined.apart_s > _APART_S:
        text = t(
            f"The upstream's clock is at least {joined.apart_s:.2f} s behind: which requests were "
            "sent while it was dead is not known exactly.",
            f"上游时钟至少慢 {joined.apart_s:.2f} 秒：无法准确判断哪些请求在其无人监听期间发出。",
        )
        judgements.append(("note", text))
    return judgements


def _without(group: Group, t: Words) -> str:
    counts = t(
        f"Of {counted(group.requests, 'request')} that met no fault {group.failed} failed; they "
        f"took {counted(group.attempts, 'attempt')}",
        f"未遇故障的 {group.requests} 个请求中有 {group.failed} 个失败；共 {group.attempts} 次尝试",
    )
    return t.clauses([counts, *_twice(group, t)]) + t.stop


def _twice(group: Group, t: Words) -> list[str]:
    if not group.answered_twice:
        return []
    count = group.answered_twice
    return [
        t(
            f"{count} {'was' if count == 1 else 'were'} answered more than once",
            f"{count} 个被重复应答",
        )
    ]


def _sentence(joined: Joined, group: Group, t: Words) -> str:
    window, streams = group.window, group.streams
    assert window is not None
    clauses = [
        t(f"{group.ok} of {counted(group.requests, 'request')} "
          f"{'was' if group.ok == 1 else 'were'} "
          f"answered, with {group.attempts / group.requests:.2f} attempts each",
          f"{group.requests} 个请求中有 {group.ok} 个得到应答，平均 "
          f"{group.attempts / group.requests:.2f} 次尝试")
    ]  # fmt: skip
    if group.failed:
        clauses.append(t(f"the client met {tally(group.outcomes)}",
                         f"客户端遇到 {tally(group.outcomes)}"))  # fmt: skip
    clauses += _twice(group, t)
    if streams.repeated:
        repeat = counted(streams.repeated, "stream repeats its", "streams repeat their")
        clauses.append(t(f"{repeat} beginning", f"{streams.repeated} 个流重复了开头"))
    if streams.wrong:
        clauses.append(t(f"{counted(streams.wrong, 'stream')} ended as if whole, with another text",
                         f"{streams.wrong} 个流看似完整但内容有误"))  # fmt: skip
    return f"{name(window, joined, t)}{t.colon}{t.clauses(clauses)}{t.stop}"


def name(window: Window | None, joined: Joined, t: Words) -> str:
    """What a fault is called: what it is, where, and when, seconds after the first attempt."""
    if window is None:
        return t(*NO_FAULT)
    fault = t(*_FAULTS.get(window.fault, (window.fault, window.fault)))
    where = "" if window.port is None else t(f" at port {window.port}", f"，端口 {window.port}")
    first = joined.log.attempts[0].arrived_unix_s if joined.log.attempts else None
    if window.from_unix_s is None or window.to_unix_s is None or first is None:
        return fault + where
    begin, end = window.from_unix_s - first, window.to_unix_s - first
    return fault + where + t(f", {begin:.0f} to {end:.0f} s", f"，{begin:.0f}–{end:.0f} 秒")


def _named(joined: Joined, t: Words) -> Column[Group, Any]:
    return FAULT.of(lambda group: name(group.window, joined, t))


def _fault(t: Words) -> Column[Group, Any]:
    """The fault and its port, without its time."""

    def short(group: Group) -> str:
        window = group.window
        if window is None:
            return t(*NO_FAULT)
        fault = t(*_FAULTS.get(window.fault, (window.fault, window.fault)))
        return fault if window.port is None else fault + t.aside(str(window.port))

    return FAULT.of(short)


def _client(joined: Joined, groups: Sequence[Group], t: Words) -> Table:
    return table(
        t,
        groups,
        [
            _named(joined, t),
            REQUESTS.of(lambda group: group.requests),
            Name("Attempts", "尝试").of(lambda group: group.attempts, integer),
            Name("Most", "最多").of(lambda group: group.most_attempts, integer),
            Name("Answered", "得到应答").of(lambda group: group.ok, integer),
            Name("Failed at the client", "客户端失败").of(lambda group: group.outcomes, tally),
        ],
        how=t(
            "A request counts where it met its first fault; where nobody listens, by when it was "
            "sent. Seconds are after the first attempt.",
            "请求按其首次遇到的故障归类；端口无人监听时按发送时刻归类。秒数自首次尝试起算。",
        ),
    )


def _cost(groups: Sequence[Group], t: Words) -> Table:
    return table(
        t,
        groups,
        [
            _fault(t),
            Name("Median when answered", "应答中位数").of(lambda group: group.ok_p50_s, seconds),
            Name("Added", "增加").of(added_s, seconds),
            Name("Slowest", "最慢").of(lambda group: group.ok_max_s, seconds),
            Name("Until the last attempt", "至最后一次尝试").of(
                lambda group: group.lost_p50_s, seconds
            ),
            Name("Median when failed", "失败中位数").of(lambda group: group.failed_p50_s, seconds),
            Name("Answered twice", "重复应答").of(lambda group: group.answered_twice, integer),
            Name("Output tokens for nothing", "白费输出 token").of(
                lambda group: group.wasted_tokens, integer
            ),
            Name("Charged for nothing", "白费费用").of(lambda group: f"{group.wasted_cost:f}"),
        ],
        how=t(
            "Added: the median less that of requests without a fault just before and after it. For "
            "nothing: what the upstreams charged for attempts whose answer no client was given, in "
            "their own currency.",
            "增加：中位数减去该故障前后未遇故障请求的中位数。"
            "白费：上游对未交付给客户端的尝试所收的费用，"
            "按上游币种。",
        ),
    )


def _waits(groups: Sequence[Group], t: Words) -> list[Table]:
    refused = [group for group in groups if group.told_to_wait or group.waits]
    columns: list[Column[Group, Any]] = [
        _fault(t),
        Name("429 at the client", "客户端收到 429").of(lambda group: group.told_to_wait, integer),
        Name("with Retry-After", "带 Retry-After").of(lambda group: group.passed_wait_on, integer),
        Name("Same upstream asked again", "再次请求同一上游").of(
            lambda group: group.waits, integer
        ),
        Name("before that time", "早于要求时间").of(lambda group: group.too_soon, integer),
    ]
    how = t(
        "Of requests whose upstream answered 429 and said how long to wait.",
        "仅计上游返回 429 并给出等待时间的请求。",
    )
    return [table(t, refused, columns, how=how)] if refused else []


_FATES: dict[str, tuple[str, str]] = {
    "passed_on": ("the client was told", "告知客户端"),
    "whole": ("the whole text, once", "完整且仅一次"),
    "repeated": ("the beginning twice", "开头重复"),
    "wrong": ("another text, as if whole", "内容有误但看似完整"),
    "unjudged": ("not judged", "无法判断"),
}


def _streams(groups: Sequence[Group], t: Words) -> list[Table]:
    with_streams = [group for group in groups if group.streams.count]

    def count(fate: str) -> Callable[[Group], int]:
        return lambda group: int(getattr(group.streams, fate))

    columns = [
        _fault(t),
        Name("Streams", "流").of(lambda group: group.streams.count, integer),
        *(Name(*_FATES[fate]).of(count(fate), integer) for fate in Streams.__slots__),
    ]
    how = t(
        "Streams of which an upstream had sent a part. The text is known where a request asks for "
        "a marker, as those of modes rpm, ladder and soak do.",
        "上游已发送一部分的流。请求要求回复指定标记时（rpm、ladder、soak 等模式）可判断其内容。",
    )
    return [table(t, with_streams, columns, how=how)] if with_streams else []


def _recovery(groups: Sequence[Group], t: Words) -> list[Table]:
    recoveries = [(each, each.recovery) for each in groups if each.recovery is not None]
    columns: list[Column[Any, Any]] = [
        _fault(t).on(lambda each: each[0]),
        Name("Attempts sent there", "期间仍发往该上游").of(
            lambda each: each[1].sent_there, integer
        ),
        Name("the last after", "最后一次于").of(lambda each: each[1].last_there_s, seconds),
        Name("Tried again", "重新尝试").of(lambda each: each[1].tried_s, seconds),
        Name("Answered again", "恢复应答").of(lambda each: each[1].answered_s, seconds),
    ]
    how = t(
        f"Seconds after the fault began (the last attempt there), and after it ended; {ABSENT}: "
        "not in this run, or the upstream was dead and logged none.",
        f"秒数自故障开始（最后一次）及自故障结束起算；{ABSENT}：本次运行中未发生，或端口无人监听而"
        "无记录。",
    )
    return [table(t, recoveries, columns, how=how)] if recoveries else []
