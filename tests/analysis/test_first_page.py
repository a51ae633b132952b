"""The first screen: what was asked, what was found, whether to trust it; the rest is folded."""

import re
from pathlib import Path
from typing import Any

import pytest

from analysis.page import html, markdown
from analysis.page.blocks import Answer, Page
from analysis.page.words import Lang
from analysis.reading.load import load
from analysis.report import report
from recording.arms import GATEWAY, arm
from recording.record import RequestRecord
from tests.analysis.runs import PHASE, failed, make, phase, probe, record


def page(folder: Path, *rows: RequestRecord, lang: Lang = "en", **run: Any) -> Page:
    return report.compose(report.look(load(make(folder / "r", *rows, **run)), lang))


def answers(folder: Path, *rows: RequestRecord, lang: Lang = "en", **run: Any) -> list[Answer]:
    return [*page(folder, *rows, lang=lang, **run).answers]


def many(count: int = 30, **known: Any) -> list[RequestRecord]:
    return [record(i, **known) for i in range(count)]


SLO = {"success_rate": 0.99, "ttft_p95_s": 1.0}


def test_the_first_answer_states_load_and_objectives(tmp_path: Path) -> None:
    asked, _, _ = answers(tmp_path, *many(), slo=SLO)
    assert asked.text == (
        "Mode rpm on gpt-5.4-nano: 30 requests in 1 phase, 600 requests per minute. "
        "Required: ttft_p95_s ≤ 1, success_rate ≥ 0.99."
    )


def test_a_condition_of_fail_on_is_stated_as_what_must_hold(tmp_path: Path) -> None:
    asked, finding, _ = answers(
        tmp_path, *many(), options={"fail_on": "p95_s>=10,success_rate<0.9"}
    )
    assert asked.text.endswith("Required: p95_s < 10, success_rate ≥ 0.9.")
    assert finding.level == "good" and "every condition of --fail-on holds" in finding.text


def test_a_complete_run_that_kept_time_is_trusted(tmp_path: Path) -> None:
    _, finding, believed = answers(tmp_path, *many())
    assert finding.text == "30 of 30 requests succeeded (100%); P95 latency 2.000s."
    assert believed.level == "good" and believed.text.startswith("Yes: the run is complete")


def test_a_late_generator_makes_a_run_untrusted_and_is_no_finding(tmp_path: Path) -> None:
    _, finding, believed = answers(tmp_path, *many(send_lag_s=1.5))
    assert (finding.level, believed.level) == ("good", "bad")
    assert believed.text == "Not all of it: a phase that the generator limited."


def test_a_failing_gateway_is_a_finding_and_the_run_is_trusted(tmp_path: Path) -> None:
    rows = [*many(20), *(failed(20 + i, "rate_limited", http_status=429) for i in range(10))]
    _, finding, believed = answers(tmp_path, *rows)
    assert (finding.level, believed.level) == ("bad", "good")
    assert f"rate_limited (HTTP 429) in {PHASE}" in finding.text


def test_an_interrupted_run_is_not_trusted(tmp_path: Path) -> None:
    _, _, believed = answers(tmp_path, *many(), events=[])
    assert believed.level == "bad" and "the run was interrupted" in believed.text


def test_a_run_that_sent_nothing_is_not_trusted(tmp_path: Path) -> None:
    _, _, believed = answers(tmp_path, plan=[phase(count=5)], events=[])
    assert believed.level == "bad" and "no request was sent" in believed.text


def test_a_run_of_the_simulator_says_nothing_about_a_gateway(tmp_path: Path) -> None:
    gateway = {"base_url": "http://127.0.0.1:1/v1", "simulated": True}
    _, _, believed = answers(tmp_path, *many(), gateway=gateway)
    assert believed.level == "note" and "nothing about a gateway" in believed.text


@pytest.mark.parametrize(("count", "too_few"), [(19, True), (20, False)])
def test_a_p95_of_fewer_than_20_requests_is_replaced_by_a_note(
    tmp_path: Path, count: int, too_few: bool
) -> None:
    _, finding, believed = answers(tmp_path, *many(count))
    assert ("too few for a P95" in believed.text) == too_few
    assert ("P95" in finding.text) != too_few


def test_a_probe_is_not_noted_as_too_small_a_sample(tmp_path: Path) -> None:
    _, _, believed = answers(tmp_path, probe("tools", "m"))
    assert "P95" not in believed.text


@pytest.mark.parametrize(("count", "cells"), [
    (1, "max 2.000s | max 2.000s | max 2.000s"),
    (2, "2.000s | max 2.000s | max 2.000s"),
    (20, "2.000s | 2.000s | max 2.000s"),
    (100, "2.000s | 2.000s | 2.000s"),
])  # fmt: skip
def test_a_percentile_is_shown_only_where_the_sample_is_large_enough(
    tmp_path: Path, count: int, cells: str
) -> None:
    """P50 of 2, P95 of 20, P99 of 100; of fewer, no time lies beyond the rank."""
    assert f"| {cells} |" in markdown.render(page(tmp_path, *many(count)))


@pytest.mark.long
def test_two_hundred_phases_fit_the_first_screen(tmp_path: Path) -> None:
    """Phases that failed in the same way share a remark, and long tables are folded."""
    names = [f"rpm/provider/{'long-model-name-' * 4}/{i}" for i in range(200)]
    rows = [
        one
        for name in names
        for one in (
            record(0, phase=name),
            failed(1, "rate_limited", phase=name, http_status=429, error_message="slow down"),
        )
    ]
    report_page = page(tmp_path, *rows)
    assert "rate_limited (HTTP 429) in 200 phases" in report_page.answers[1].text
    judged = [
        block for block in report_page.sections[0].blocks if "429" in getattr(block, "text", "")
    ]
    assert len(judged) == 1 and "200 of 400 requests failed (50%): 200 rate" in judged[0].text  # type: ignore[union-attr]
    unfolded = re.sub(r"<details.*?</details>", "", html.render(report_page), flags=re.S)
    assert unfolded.count("<tr>") < 40


def test_the_overview_names_ten_models_and_counts_the_others(tmp_path: Path) -> None:
    rows = [record(0, phase=f"rpm/m{i}/600", model_requested=f"m{i:02}") for i in range(12)]
    found = markdown.render(page(tmp_path, *rows)).split("## Overview")[1].split("##")[0]
    assert found.count(": offered ") == 10 and "m09: " in found and "m10" not in found
    assert "; and 2 more |" in found
    few = markdown.render(page(tmp_path / "few", *rows[:10]))
    assert few.split("## Overview")[1].count(": offered ") == 10 and "more |" not in few


def test_three_failed_phases_have_a_remark_each(tmp_path: Path) -> None:
    rows = [failed(0, "timeout", phase=f"rpm/m/{i}") for i in range(3)]
    texts = [getattr(block, "text", "") for block in page(tmp_path, *rows).sections[0].blocks]
    assert sum("1 of 1 request failed" in text for text in texts) == 3


def test_folded_sections_are_in_the_page_and_links_lead_inside_them(whole: Path) -> None:
    """A link to an element inside of `details` unfolds it; a link to `details` itself does not."""
    drawn = html.render(report.compose(report.look(load(whole))))
    folded = re.findall(r'<details class="part"><summary>.*?</summary>\s*<div id="(s\d+)">', drawn)
    assert len(folded) >= 5
    assert all(f'href="#{anchor}"' in drawn for anchor in folded)
    assert drawn.count("<details") == drawn.count("</details>")


def test_the_chinese_answers_hold_no_english_word(tmp_path: Path) -> None:
    rows = [*many(19, send_lag_s=1.5), failed(19, "rate_limited", http_status=429)]
    chinese = answers(tmp_path, *rows, lang="zh", slo=SLO, events=[])
    known = r"rpm|gpt-[\w.-]+|success_rate|ttft_p95_s|rate_limited|HTTP|P95"
    for answer in chinese:
        text = re.sub(known, "", answer.question + answer.text)
        assert not re.findall(r"[A-Za-z]{2,}", text), answer.text


@pytest.mark.parametrize(
    ("phases", "folded"), [(3, False), pytest.param(100, True, marks=pytest.mark.long)]
)
def test_only_a_long_report_prints_without_its_folded_parts_and_says_so(
    tmp_path: Path, phases: int, folded: bool
) -> None:
    """200 phases took 100 pages of paper; a short report is printed in full."""
    rows = [record(0, phase=f"rpm/m/{i}") for i in range(phases)]
    drawn = html.render(page(tmp_path, *rows))
    assert ('<body class="long">' in drawn) == folded
    assert ("are not printed" in drawn) == folded


def test_of_two_routes_only_the_gateways_failures_are_findings(tmp_path: Path) -> None:
    """The reference's failures and requests do not count."""
    routes = {i: arm("seed", i) for i in range(60)}
    rows = [
        record(i, arm=to) if to == GATEWAY else failed(i, "server_error", http_status=500, arm=to)
        for i, to in routes.items()
    ]
    plan = [phase(pairs="seed", count=30)]
    asked, finding, _ = answers(tmp_path, *rows, plan=plan)
    assert "30 requests in 1 phase" in asked.text and "to a reference" in asked.text
    assert finding.text.startswith("30 of 30 requests succeeded (100%)")


def test_requests_that_were_not_sent_are_told_apart_from_failures(tmp_path: Path) -> None:
    """34 of 75 succeeded sounds like a broken gateway, if 34 others were not sent at all."""
    rows = [
        *many(20),
        *(
            record(20 + i, outcome="dropped", success=False, http_status=None, elapsed_sec=None)
            for i in range(10)
        ),
    ]
    whole = page(tmp_path, *rows)
    assert whole.answers[1].text.startswith(
        "20 of 30 requests succeeded (66.66%); 10 were not sent"
    )
    text = markdown.render(whole)
    assert "200:20, dropped:10" in text and "None:" not in text


def test_a_run_without_a_known_cost_says_what_supplies_it(tmp_path: Path) -> None:
    rows = many(api_cost=None, cost_source="unknown")
    text = markdown.render(page(tmp_path, *rows))
    assert (
        "| Cost visibility | no reply states a cost; a price table (--prices) supplies it |" in text
    )
