"""The report: the article's tables in its order and words, nothing empty, nothing dangerous."""

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest

from analysis.__main__ import main
from analysis.page import html, markdown
from analysis.page.blocks import Page
from analysis.page.words import Lang
from analysis.reading.load import load
from analysis.report import report
from analysis.report.verdicts import verdicts
from tests.analysis.runs import PHASE, dropped, failed, hostile, make, phase, probe, record


def page(folder: Path, lang: Lang = "en") -> Page:
    return report.compose(report.look(load(folder), lang))


def text(folder: Path, lang: Lang = "en") -> str:
    return markdown.render(page(folder, lang))


@pytest.fixture(scope="module")
def english(whole: Path) -> str:
    return text(whole)


@pytest.fixture(scope="module")
def chinese(whole: Path) -> str:
    return text(whole, "zh")


def test_the_sections_are_in_the_articles_order(whole: Path) -> None:
    titles = [s.title for s in page(whole).sections if s.blocks]
    assert titles == [
        "Verdicts", "Overview", "What was run", "OpenAI-compatible basics", "Concurrency ladder",
        "RPM/TPM: scheduled windows of 60 s", "Cost and request tracing", "Prompt cache",
        "Tool calls", "Thinking / reasoning", "Multimodal smoke", "Reading notes", "Streams",
        "Load and generator", "Outcomes",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "header",
    [
        "| 维度 | 评测结果 |",
        "| 场景 | 模型 | HTTP | 延迟/TTFT | API 返回费用 | 备注 |",
        "| 并发 | 成功 | 成功率 | P95 延迟 | 墙钟耗时 | API 返回费用 |",
        "| 模型 | 目标 RPM | 计划请求 | 成功 | 状态分布 | 观测 RPM | 观测 TPM | P50 延迟 "
        "| P95 延迟 | P99 延迟 | API 返回费用 |",
        "| 模型 | 调度目标 TPM | 计划请求 | 成功 | 状态分布 | 观测 RPM | 观测 TPM | total_tokens "
        "| P50 延迟 | P95 延迟 | P99 延迟 | API 返回费用 |",
        "| Run | 输入 token | cached_tokens | API 返回费用 | 结论 |",
        "| 模型 | 样本 | max_tokens | HTTP | content | reasoning_content | API 返回费用 |",
        "| 关注项 | 本轮证据 | 建议 |",
    ],
)
def test_the_tables_have_the_articles_columns(chinese: str, header: str) -> None:
    assert header.removesuffix(" |") in chinese


@pytest.mark.parametrize(
    "line",
    [
        "| chat | gpt-5.4-nano | 200 | 3.578s | ¥0.000050 | text reply |",
        "| stream | s | 200 | TTFT 2.053s | ¥0.000069 | 42 chunks, 2.347s in all |",
        "| 5 | 5/5 | 100% | max 2.000s | 2.000s | ¥0.000345 | 4.00 ms | ok:5 |",
        "| 1 | 11719 | 0 | ¥0.016477 | first request | 0% | - | 2.000s |",
        "| 2 | 11719 | 11008 | ¥0.002607 | hit | 93.9% | 84% | 2.000s |",
        "| 3 | 11719 | 11008 | ¥0.002607 | hit again | 93.9% | 84% | 2.000s |",
        "| gpt-5.4-nano | 3 | 3 | 3 | 3 | 3 | 3 | ¥0.000207 |",
        "| thinker | plain | 200 | mostly reasoning | yes | length | 16 | ¥0.000069 |",
        "| gone | plain | - | failed: dropped |",
        "a hit cost 84% less",
    ],
)
def test_the_cells_are_formatted_as_in_the_article(english: str, line: str) -> None:
    assert line in english


def test_every_computed_table_says_how(english: str) -> None:
    tables = re.findall(r"\|---.*\n(?:\|.*\n)+\n(.*)", english)
    assert len(tables) >= 15
    facts = [after for after in tables if not after.startswith("*")]
    assert len(facts) == 1  # what was run is read off, not computed


def test_the_chinese_report_has_no_english_sentence(chinese: str) -> None:
    assert not re.findall(r"\b(?:the|of|is|are|over|were)\b", chinese)


STOPPED = {"event": "stopped", "phase": PHASE, "reason": "the run was stopped by hand"}
LOST = {
    "event": "worker_lost", "worker": "w1", "phase": PHASE,
    "reason": "its heartbeats stopped: its requests that were not sent are dropped",
}  # fmt: skip
RULE = {
    "event": "stop_rule", "phase": PHASE, "generator": "local", "counted": 7, "completed": 20,
    "outcomes": {"rate_limited": 4, "server_error": 3},
}  # fmt: skip


def test_the_verdicts_on_a_bad_run_have_no_english_word_in_chinese(tmp_path: Path) -> None:
    """Damaged files, a stop by hand, the stop rule and a lost worker."""
    late = {"send_lag_s": 3.0, "check": "fail"}
    rows = [record(0, **late), failed(1, "rate_limited"), dropped(2)]
    events = [STOPPED, LOST, RULE, {"event": "run_end", "completed": False}]
    folder = make(tmp_path / "r", *rows, plan=[phase(), phase("rpm/x/1")], events=events)
    with (folder / "requests-local.csv").open("a") as file:
        file.write("1,torn")
    (folder / "requests-w2.csv").write_text("")
    view = report.look(load(folder), "zh")
    texts = [verdict.text for verdict in verdicts(view)]
    assert len(texts) >= 9
    known = r"rpm/[\w./-]+|requests-\w+\.csv|worker|w1|P99|ms|dropped|nl-[\w.-]+|fail|rate_limited"
    for text in texts:
        assert not re.findall(r"[A-Za-z]{2,}", re.sub(f"{known}|server_error", "", text)), text


def test_sections_without_rows_are_left_out(tmp_path: Path) -> None:
    markdown_text = text(make(tmp_path / "r", record(0)))
    titles = re.findall("^#+ (.*)", markdown_text, re.M)
    assert titles == [
        "Load test report: r", "Verdicts", "Overview", "What was run",
        "RPM/TPM: scheduled windows of 60 s", "RPM results", "Cost and request tracing",
        "Where the costs come from", "Reading notes", "Load and generator",
        "Offered and achieved", "Lag of the generator", "Latency from send and from due",
        "Outcomes",
    ]  # fmt: skip


def test_a_run_that_sent_nothing_has_a_report(tmp_path: Path) -> None:
    markdown_text = text(make(tmp_path / "r", plan=[phase(count=5)], events=[]))
    assert "The run was interrupted" in markdown_text
    assert f"Planned phases without any request: {PHASE} (1)." in markdown_text


def test_a_run_of_the_simulator_says_so_in_every_format(tmp_path: Path) -> None:
    simulated = {"base_url": "http://127.0.0.1:8089/v1", "simulated": True}
    folder = make(tmp_path / "r", record(0), gateway=simulated)
    assert text(folder).count("SIMULATED") == 2
    drawn = html.render(page(folder))
    assert '<p class="banner"' in drawn and '@top-center { content: "SIMULATED"; }' in drawn
    assert "SIMULATED" not in html.render(page(make(tmp_path / "real", record(0))))


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        ({"event": "stop_rule", "phase": "p", "reason": "8 of 20"}, "stop rule ended p: reason: 8"),
        ({"event": "worker_lost", "worker": "w1"}, "A worker was lost: worker: w1."),
        (RULE, f"stop rule ended {PHASE}: 7 of the last 20 completed requests failed (4 rate_"),
        (LOST, "A worker was lost: w1: its heartbeats stopped: its requests that were not sent"),
        (
            {"event": "phase_end", "phase": PHASE, "generator": {"loop_lag_p99_s": 0.25}},
            "the generator read answers up to 250.00 ms late (P99 lag of its event loop), more "
            "than 100.00 ms, 5% of the median latency (2.000s).",
        ),
        ({"event": "stopped", "by": "SIGTERM"}, "stopped before its end: by: SIGTERM."),
        ({"event": "stopped", "phase": "p"}, "stopped before its end in p."),
        ({"event": "run_end", "completed": False}, "The run ended before its plan was done."),
    ],
)
def test_page_one_has_a_sentence_for_each_event_that_ended_something(
    tmp_path: Path, event: dict[str, Any], sentence: str
) -> None:
    assert sentence in text(make(tmp_path / "r", record(0), events=[event]))


def test_a_ladder_with_hold_is_reported_as_a_closed_loop(tmp_path: Path) -> None:
    """It has no burst: the observed RPM takes the place of the release skew."""
    name = "ladder/m/5"
    held = {"duration_s": 60.0, "phase": name, "target": 5, "done_offset_s": 60.0}
    steady = phase(name, mode="ladder", kind="steady", duration_s=60.0, target=5)
    records = [probe("ladder", "m", i, **held) for i in range(3)]
    markdown_text = text(make(tmp_path / "r", *records, plan=[steady]))
    assert "| 5 | 3/3 | 100% | max 2.000s | 60.000s | ¥0.000207 | 3.000 | ok:3 |" in markdown_text
    assert "Closed loop: each step keeps its concurrency in flight for 60 s" in markdown_text
    assert "Release skew" not in markdown_text and "released at one instant" not in markdown_text


def test_a_ladder_of_bursts_is_reported_as_bursts(whole: Path) -> None:
    markdown_text = text(whole)
    assert "All requests of a step are released at one instant" in markdown_text
    assert "Release skew" in markdown_text and "Closed loop" not in markdown_text


def test_late_sends_make_a_phase_untrustworthy(tmp_path: Path) -> None:
    markdown_text = text(make(tmp_path / "r", record(0, send_lag_s=0.5)))
    assert (
        "generator-limited, do not trust it: P99 send lag 500.00 ms exceeds 100.00 ms"
        in markdown_text
    )
    assert "| generator-limited |" in markdown_text


def test_dropped_and_flagged_rows_are_counted_on_page_one(tmp_path: Path) -> None:
    odd = record(1, check="model_mismatch")
    markdown_text = text(make(tmp_path / "r", record(0), odd, dropped(2)))
    assert f"1 planned request was never sent ({PHASE} 1)." in markdown_text
    assert "1 row (33.33%) is flagged model_mismatch (the answer names" in markdown_text


def test_reasoning_that_used_up_the_budget_is_explained_once(tmp_path: Path) -> None:
    """By model and budget, without a fault: a first run of mode full has hundreds of them."""
    spent = [record(i, check="budget_spent", max_tokens=16) for i in (1, 2)]
    more = record(3, check="budget_spent", max_tokens=64, model_requested="n")
    view = report.look(load(make(tmp_path / "r", record(0), *spent, more)))
    [said] = [one for one in verdicts(view) if "budget_spent" in one.text]
    assert said.level == "note"
    assert said.text.startswith("3 replies (75%) contain only reasoning and no visible text")
    assert "budget of 16, 64 tokens (flag budget_spent): gpt-5.4-nano (2), n (1). " in said.text
    unstated = text(make(tmp_path / "u", record(0, check="budget_spent", max_tokens=None)))
    assert "1 reply (100%) contains only reasoning" in unstated
    assert "used up the output budget (flag budget_spent)" in unstated


def test_requests_without_a_cost_are_counted_beside_the_sum(tmp_path: Path) -> None:
    unpriced = record(1, api_cost=None, cost_source="unknown")
    assert "¥0.000069 (+1 unknown)" in text(make(tmp_path / "a", record(0), unpriced))
    assert "unknown (1)" in text(make(tmp_path / "b", unpriced))


@pytest.mark.parametrize("lang", get_args(Lang))
def test_a_gateways_words_cannot_run_in_or_break_the_page(tmp_path: Path, lang: Lang) -> None:
    """In names, flags, verdicts, events and the labels of charts; test_browser.py draws it."""
    folder = hostile(tmp_path / "r")
    drawn = html.render(page(folder, lang))
    assert drawn.count("&lt;img src=x") > 20 and drawn.count("<svg") > 1
    assert "<img" not in drawn and "<script" not in drawn and "style=" not in drawn
    written = text(folder, lang)
    assert "<img" not in written and "\n# H" not in written


@pytest.mark.parametrize("command", ["compare", "timeline"])
def test_a_gateways_words_cannot_break_the_pages_of_several_runs(
    tmp_path: Path, command: str
) -> None:
    runs = [str(hostile(tmp_path / name)) for name in "ab"]
    out = tmp_path / "out" / "timeline.html"
    where = ["--html", str(out)] if command == "compare" else ["--output", str(out.parent)]
    assert main([command, *runs, *where]) == 0
    drawn = out.read_text(encoding="utf-8")
    assert "&lt;img" in drawn
    assert "<img" not in drawn and "<script" not in drawn and "style=" not in drawn


def test_the_page_has_no_addresses_and_its_csp_allows_only_its_own_style(whole: Path) -> None:
    """The CSP permits the one style sheet by its hash."""
    drawn = html.render(page(whole))
    style = re.search(r"<style>(.*?)</style>", drawn, re.S)
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}'" in drawn
    links = re.findall(r'(?:src|href|action)="([^"]*)"', drawn)
    assert links and all(link == "data:," or link.startswith("#") for link in links)
    assert "url(" not in style[1] and "@import" not in style[1]


def test_the_page_stays_small_with_8000_rows(tmp_path: Path) -> None:
    records = [record(i, elapsed_sec=9.5 if i == 7777 else 1 + i % 13 / 10) for i in range(8_000)]
    drawn = html.render(page(make(tmp_path / "r", *records)))
    assert len(drawn) < 200_000


def test_the_report_is_written_to_three_files(tmp_path: Path) -> None:
    folder = make(tmp_path / "r", record(0))
    paths = report.write(report.look(load(folder)))
    assert [path.name for path in paths] == ["report.md", "report.html", "summary.json"]
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    assert summary["run_id"] == "r" and summary["simulated"] is False
    assert [p["phase"] for p in summary["phases"]] == [PHASE]
