"""The English and Chinese sentences of verdicts and findings, and the section that holds them."""

import re
from dataclasses import replace

import numpy as np
import pytest

from analysis.page.blocks import Remark, Table
from analysis.page.chart import Chart, svg
from analysis.page.words import Words
from analysis.pairs.costs import Costs
from analysis.pairs.guards import findings
from analysis.pairs.pairing import paired
from analysis.pairs.ratio import Growth
from analysis.pairs.sentences import costs, growth, precision, sentence
from analysis.pairs.verdict import Conclusion, Verdict, judge_pairs
from analysis.report.sections.pairs import first_page, section
from estimates.precision import outlook
from tests.analysis.pairs.test_guards import TRAPS
from tests.analysis.pairs.world import World, constant

EN, ZH = Words("en", "CNY"), Words("zh", "CNY")
ADDS = Verdict(
    "rpm/m/600", "m", "ttft", Conclusion.ADDS, 400,
    least=0.0118, most=0.0118, low=0.0109, high=0.0126, p=0.0002, adjusted=0.001, visible=0.0012,
)  # fmt: skip


def test_added_latency_is_one_sentence_with_its_interval() -> None:
    assert sentence(EN, ADDS, "at 10 requests/s") == (
        "The gateway adds 11.8 ms (95 % interval 10.9 to 12.6) to TTFT at 10 requests/s."
    )
    assert sentence(ZH, ADDS, "每秒 10 个请求时") == (
        "每秒 10 个请求时，网关使 TTFT 增加 11.8 ms（95% 区间 10.9 至 12.6）。"
    )


def test_each_kind_of_verdict_has_its_own_sentence() -> None:
    saves = replace(
        ADDS, conclusion=Conclusion.SAVES, least=-0.0118, most=-0.0118, low=-0.0126, high=-0.0109
    )
    none = replace(ADDS, conclusion=Conclusion.NOT_SHOWN, low=-0.001, high=0.002)
    few = replace(ADDS, conclusion=Conclusion.NOT_ENOUGH, pairs=7)
    tail = replace(ADDS, metric="ttft_p95")
    cost = replace(ADDS, metric="cost", least=0.000012, most=0.000012, low=0.00001, high=0.000014)
    rate = replace(
        ADDS,
        metric="success",
        conclusion=Conclusion.SAVES,
        least=-0.02,
        most=-0.02,
        low=-0.03,
        high=-0.01,
    )
    assert [sentence(EN, v) for v in (saves, none, few, tail, cost, rate)] == [
        "The gateway saves 11.8 ms (95 % interval -12.6 to -10.9) of TTFT.",
        "No difference in TTFT is shown (95 % interval -1.0 to 2.0; four of five such runs would "
        "have shown 1.2 ms).",
        "TTFT: 7 pairs are not enough to tell, it takes at least 20.",
        "The gateway adds 11.8 ms (95 % interval 10.9 to 12.6) to P95 of TTFT.",
        "The gateway adds ¥0.000012 (95 % interval ¥0.000010 to ¥0.000014) to cost per request.",
        "The gateway lowers the success rate by 2.0 points (95 % interval -3.0 to -1.0).",
    ]


def test_a_difference_known_only_in_part_is_stated_as_a_bound_or_a_range() -> None:
    open_ended = replace(ADDS, least=5.0, most=float("inf"), low=4.6, high=float("inf"))
    assert sentence(EN, open_ended) == (
        "The gateway adds more than 5,000.0 ms (95 % interval above 4,600.0 ms) to TTFT."
    )
    between = replace(ADDS, most=0.0121)
    assert "adds 11.8 ms to 12.1 ms" in sentence(EN, between)


def test_a_verdict_on_first_requests_alone_says_so() -> None:
    assert "from the first request of each pair only, because the order matters" in sentence(
        EN, replace(ADDS, first_only=True)
    )


@pytest.mark.parametrize("name", TRAPS)
def test_every_finding_has_a_clause_in_both_languages(name: str) -> None:
    (pairs,) = paired(TRAPS[name][0](World().rows(60, 4)))
    (finding,) = findings(pairs)
    en, zh = finding.clause(EN), finding.clause(ZH)
    assert re.search("[a-z]{4}", en) and re.search("[一-鿿]{4}", zh)


def test_the_section_has_a_remark_and_a_row_per_verdict_and_one_plot() -> None:
    rows = World(constant(0.3)).rows(60, 1)
    comparison = judge_pairs(rows)
    for t in (EN, ZH):
        drawn = section(t, rows, comparison, {})
        tables = [b for b in drawn.blocks if isinstance(b, Table)]
        charts = [b for b in drawn.blocks if isinstance(b, Chart)]
        remarks = [b for b in drawn.blocks if isinstance(b, Remark)]
        assert len(tables) == 1 and len(tables[0].rows) == len(comparison.verdicts)
        assert len(remarks) == len(comparison.verdicts) + 2
        assert len(charts) == 1 and len(charts[0].series[0].points) == 60
        assert svg(charts[0]).startswith("<svg")


def test_precision_costs_and_growth_are_sentences_in_both_languages() -> None:
    assert precision(EN, "ttft", outlook(0.053, 60, 0.0265, 0.0002)) == (
        "TTFT is known to ±53.0 ms so far; ±26.5 ms would take about 240 pairs, 180 more, for "
        "¥0.036000."
    )
    assert costs(EN, Costs(1.5, 1.25, 60, 2)) == (
        "In the 60 pairs with both costs known, the gateway's requests cost ¥1.500000 and the "
        "reference's ¥1.250000."
    )
    grows = replace(ADDS, growth=Growth(0.0005, 0.0004, 0.0006, 400))
    assert "by 0.500 ms per output token (95 % interval 0.400 to 0.600)" in growth(EN, grows)
    assert growth(EN, replace(ADDS, growth=Growth(0.0005, -0.0004, 0.0006, 400))) == ""
    for text in (precision(ZH, "ttft", outlook(0.05, 60, 0.02, None)), growth(ZH, grows)):
        assert re.search("[一-鿿]{4}", text)
        assert not re.search("[一-鿿][A-Za-z0-9]|[A-Za-z0-9][一-鿿]", text)


def test_page_one_has_one_sentence_per_phase() -> None:
    rows = World(constant(0.3)).rows(60, 1)
    (remark,) = first_page(EN, judge_pairs(rows), {"pairs/m": "at 10 requests/s"})
    assert remark.level == "note"
    assert re.fullmatch(
        r"The gateway adds [0-9.]+ ms \(95 % interval [0-9.]+ to [0-9.]+\) to TTFT at 10 "
        r"requests/s\.", remark.text,
    )  # fmt: skip


def test_a_spoiled_comparison_is_bad_on_page_one_and_missing_pairs_are_counted() -> None:
    rows = TRAPS["rate_limited"][0](World().rows(60, 1))
    rows = rows[~((rows["request_index"] == 3) & (rows["arm"] == "a"))]
    (remark,) = first_page(EN, judge_pairs(rows), {})
    assert remark.level == "bad" and "not comparable" in remark.text and "429" in remark.text
    texts = [
        b.text for b in section(EN, rows, judge_pairs(rows), {}).blocks if isinstance(b, Remark)
    ]
    assert any("1 have only the reference's request" in text for text in texts)


def test_without_streams_page_one_and_the_plot_show_total_time() -> None:
    rows = World(constant(0.3)).rows(60, 1).assign(stream=False, ttft_s=np.nan, last_token_s=np.nan)
    comparison = judge_pairs(rows)
    (remark,) = first_page(EN, comparison, {})
    assert "to total time" in remark.text
    (chart,) = (b for b in section(EN, rows, comparison, {}).blocks if isinstance(b, Chart))
    assert "total time" in chart.title
