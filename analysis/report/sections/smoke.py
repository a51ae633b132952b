"""Smoke: one chat per model and one stream, as in section 1 of the article."""

from typing import Any

from analysis.page.blocks import Section
from analysis.page.columns import Name, table
from analysis.page.vocabulary import API_COST, HTTP, MODEL, NOTE, SCENARIO, Cost, failed, scenario
from analysis.page.words import Words, integer, seconds
from analysis.report.view import View
from recording.counted import counted

PLACE = 50  # in the report


def section(view: View) -> Section:
    """Scenario, model, HTTP, latency or TTFT, cost, note."""
    t, rows = view.t, view.rows("smoke")
    requests = table(
        t,
        rows,
        [
            SCENARIO.of(lambda row: scenario(t, row["scenario"])),
            MODEL.of(lambda row: row["model_requested"]),
            HTTP.of(lambda row: row["http_status"], integer),
            Name("Latency/TTFT", "延迟/TTFT").of(_latency),
            API_COST.of(lambda row: Cost(row["api_cost"])),
            NOTE.of(lambda row: _note(t, row)),
        ],
        how=t(
            "One request per row: latency from the first byte sent to the last byte received; "
            "for streams the time to the first token.",
            "每行一次请求：延迟从发出首字节到收到末字节；流式为到首个 token 的时间。",
        ),
    )
    title = t("OpenAI-compatible basics", "OpenAI-compatible 基础链路")
    return Section(title, [requests] if rows else [])


def _latency(row: dict[str, Any]) -> str:
    if row["stream"] and row["ttft_s"] is not None:
        return f"TTFT {seconds(row['ttft_s'])}"
    return seconds(row["elapsed_sec"])


def _note(t: Words, row: dict[str, Any]) -> str:
    if not row["success"]:
        return failed(t, row["outcome"])
    if row["stream"]:
        elapsed = seconds(row["elapsed_sec"])
        buffered = "stream_buffered" in (row["check"] or "").split()
        clump = t(", all at once", "，一次性到达") if buffered else ""
        if row["chunks"] is None:  # an imported run
            return t(f"{elapsed} in all{clump}", f"总耗时 {elapsed}{clump}")
        return t(
            f"{counted(int(row['chunks']), 'chunk')}, {elapsed} in all{clump}",
            f"{row['chunks']} chunks，总耗时 {elapsed}{clump}",
        )
    if row["reasoning_content_present"]:
        return t("reasoning fields returned", "返回 reasoning 相关字段")
    return t("text reply", "基础文本请求成功") if row["content"] else t("no text", "无文本输出")
