"""What became of cancelled requests behind the gateway: hung_up.md and hung_up.json."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from analysis.failover.hung_up import LATE_S, HungUp, Statement
from analysis.page import markdown
from analysis.page.blocks import Level, Page, Remark, Section, Table
from analysis.page.columns import Name, table
from analysis.page.vocabulary import BEHIND, CHARGED, PHASE, REQUESTS, RESULT, SIMULATED_RUN
from analysis.page.words import Lang, Words, integer, percent, seconds
from analysis.reading.atomic_file import replace_text
from recording.untrusted_text import as_json

STATEMENT_VERSION = 1
APART_S = 0.05  # clocks that are further apart are reported


def write(statement: Statement, lang: Lang, checks: Sequence[dict[str, Any]]) -> tuple[Path, Path]:
    """Write both files; return their paths. Raises OSError."""
    folder = statement.run.folder
    paths = folder / "hung_up.md", folder / "hung_up.json"
    texts = (
        markdown.render(compose(statement, Words(lang))),
        as_json(plain(statement, checks)) + "\n",
    )
    for path, text in zip(paths, texts, strict=True):
        replace_text(path, text)
    return paths


def plain(statement: Statement, checks: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What hung_up.json holds; amounts are text, exact."""
    return {
        "schema_version": STATEMENT_VERSION,
        "run_id": statement.run.run_id,
        "simulated": statement.run.simulated,
        "clocks_apart_s": statement.apart_s,
        "groups": [
            asdict(phase)
            | {
                "charged": f"{phase.charged:f}",
                "whole": None if phase.whole is None else f"{phase.whole:f}",
            }
            for phase in statement.phases
        ],
        "checks": [*checks],
    }


def compose(statement: Statement, t: Words) -> Page:
    """The statement as a page."""
    return Page(
        lang="zh-CN" if t.lang == "zh" else "en",
        title=t(
            f"Cancelled requests: {statement.run.run_id}", f"取消的请求：{statement.run.run_id}"
        ),
        subtitle=t(*BEHIND),
        banner=t(*SIMULATED_RUN) if statement.run.simulated else None,
        tiles=[],
        sections=[
            Section(t(*RESULT), [Remark(level, text) for level, text in _judgements(statement, t)]),
            Section(t("Behind the gateway", "网关后方"), [_table(statement.phases, t)]),
        ],
        footer="",
    )


def sentences(statement: Statement, t: Words) -> list[str]:
    """A sentence for each phase."""
    return [text for _, text in _judgements(statement, t)]


def _judgements(statement: Statement, t: Words) -> list[tuple[Level, str]]:
    judgements: list[tuple[Level, str]] = [_sentence(phase, t) for phase in statement.phases]
    if statement.apart_s > APART_S:
        text = t(
            f"The upstream's clock is at least {statement.apart_s:.2f} s behind: how long it "
            "went on is not known exactly.",
            f"上游时钟至少慢 {statement.apart_s:.2f} 秒：无法准确判断其继续写了多久。",
        )
        judgements.append(("note", text))
    return judgements


def _sentence(phase: HungUp, t: Words) -> tuple[Level, str]:
    place = t(f"{phase.phase}, after {phase.when}", f"{phase.phase}，{phase.when} 后")
    paid = t(f"{phase.charged:f} was charged", f"计费 {phase.charged:f}")
    if phase.whole:
        share = percent(float(phase.charged / phase.whole))
        paid += t(f", {share} of what as many whole replies cost", f"，为同数量完整回复的 {share}")
    level: Level = "good"
    if not phase.arrived:
        level, text = "note", t(
            f"none of {phase.requests} cancelled requests reached an upstream.",
            f"{phase.requests} 个取消的请求均未到达上游。",
        )  # fmt: skip
    elif phase.again:
        level, text = ("bad" if phase.again > 1 else "note"), t(
            f"the gateway asked an upstream {phase.asked_after} times for {phase.again} of "
            f"{phase.requests} requests after they were cancelled; {paid}.",
            f"{phase.requests} 个请求中有 {phase.again} 个在取消后，网关仍向上游发起 "
            f"{phase.asked_after} 次请求；{paid}。",
        )  # fmt: skip
    elif phase.went_on:
        level, text = ("bad" if phase.went_on > 1 else "note"), t(
            f"the upstream went on with {phase.went_on} of {phase.requests} cancelled requests, "
            f"for {seconds(phase.went_on_max_s)} at most; {paid}.",
            f"{phase.requests} 个取消的请求中有 {phase.went_on} 个上游仍继续写，最长 "
            f"{seconds(phase.went_on_max_s)}；{paid}。",
        )  # fmt: skip
    elif phase.noticed == phase.arrived:
        text = t(
            f"the upstream stopped with all {phase.arrived} cancelled requests that reached it, "
            f"{seconds(phase.went_on_max_s)} after at the latest; {paid}.",
            f"到达上游的 {phase.arrived} 个取消的请求均已停止，最迟在 "
            f"{seconds(phase.went_on_max_s)} 后；{paid}。",
        )
    else:
        level, text = "note", t(
            f"{phase.arrived - phase.noticed} of {phase.arrived} replies were over within "
            f"{LATE_S:g} s of the hang-up: they cannot be judged; {paid}.",
            f"{phase.arrived} 个回复中有 {phase.arrived - phase.noticed} 个在断开后 {LATE_S:g} "
            f"秒内已写完，不下结论；{paid}。",
        )  # fmt: skip
    return level, f"{place}{t.colon}{text}"


def _table(phases: Sequence[HungUp], t: Words) -> Table:
    return table(
        t,
        phases,
        [
            PHASE.of(lambda phase: phase.phase),
            Name("Cancelled after", "取消时机").of(lambda phase: phase.when),
            REQUESTS.of(lambda phase: phase.requests),
            Name("Reached an upstream", "到达上游").of(lambda phase: phase.arrived, integer),
            Name("Missed there", "被察觉").of(lambda phase: phase.noticed, integer),
            Name("Went on", "继续写").of(lambda phase: phase.went_on, integer),
            Name("For, median", "持续（中位数）").of(lambda phase: phase.went_on_p50_s, seconds),
            Name("For, longest", "持续（最长）").of(lambda phase: phase.went_on_max_s, seconds),
            Name("Asked after", "断开后才请求").of(lambda phase: phase.asked_after, integer),
            Name("Chunks here, median", "我方收到的 chunk（中位数）").of(
                lambda phase: phase.chunks_p50, _number
            ),
            Name("Tokens there, median", "上游写出 token（中位数）").of(
                lambda phase: phase.tokens_p50, _number
            ),
            Name("Tokens there, most", "上游写出 token（最多）").of(
                lambda phase: phase.tokens_max, integer
            ),
            CHARGED.of(lambda phase: f"{phase.charged:f}"),
        ],
        how=t(
            f"Went on: written for more than {LATE_S:g} s after the connection was closed here. "
            "Asked after: attempts that the gateway only then began. Charged: by the upstreams, in "
            "their own currency.",
            f"继续写：我方关闭连接后仍写了超过 {LATE_S:g} 秒。"
            "断开后才请求：网关在此之后才发起的尝试。计费：上游所收，按其币种。",
        ),
    )


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"
