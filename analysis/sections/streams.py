"""Token timing of streams: TTFT, first visible token, TPOT, gaps between chunks."""

from analysis.page import Section, Table
from analysis.sections import View, slo
from analysis.words import integer, milliseconds, seconds


def section(view: View) -> Section:
    """One row a phase that streamed."""
    t = view.t
    table = Table(
        headers=(
            t("Phase", "阶段"),
            t("Streams", "流式请求"),
            *(f"TTFT P{p}" for p in (50, 95, 99)),
            t("No answer", "无应答"),
            t("First visible P50", "首个可见 P50"),
            *(f"TPOT P{p}" for p in (50, 95, 99)),
            t("Chunk gap P50", "chunk 间隔 P50"),
            t("Chunk gap P99", "chunk 间隔 P99"),
            t("Longest gap", "最长间隔"),
            *slo.headers(view),
        ),
        rows=[
            (
                phase["phase"],
                integer(phase["streams"]),
                *(seconds(phase[f"ttft_p{p}_s"]) for p in (50, 95, 99)),
                integer(phase["unanswered"]),
                seconds(phase["first_visible_p50_s"]),
                *(milliseconds(phase[f"tpot_p{p}_s"]) for p in (50, 95, 99)),
                milliseconds(phase["inter_chunk_p50_s"]),
                milliseconds(phase["inter_chunk_p99_s"]),
                milliseconds(phase["inter_chunk_max_s"]),
                *slo.cells(view, phase),
            )
            for phase in view.phases
            if phase["streams"]
        ],
        how=t(
            "TTFT runs from send to the first token, reasoning or visible; TPOT = (last byte - "
            "first token) / (completion tokens - 1); chunk gaps are percentiles over each stream's "
            "own median gap, for a chunk is not a token.",
            "TTFT 为从发送到首个 token（推理或可见）；TPOT =（末字节 − 首 token）/（completion "
            "token − 1）；"
            "chunk 间隔为各流自身中位间隔的百分位（chunk 不等于 token）。",
        ),
    )
    return Section(t("Streams", "流式时延"), [table] if table.rows else [])
