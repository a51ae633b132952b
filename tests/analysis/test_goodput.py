"""Goodput and attainment, against hand-worked tables and a plain loop."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.__main__ import main
from analysis.numbers import goodput
from analysis.numbers.summarize import of_groups, of_phases
from analysis.page import markdown
from analysis.page.words import Words
from analysis.reading.load import load
from analysis.report import report
from analysis.report.check import sentence
from analysis.report.condition_checks import judge_objectives
from analysis.report.run_checks import judge
from recording.record import RequestRecord
from rules.conditions import parse as conditions
from rules.slo import parse
from tests.analysis.runs import PHASE, dropped, failed, make, phase, probe, record

SLOWEST = "e2e_p99_s cannot be judged from 1 (a P99 takes 100): the slowest took 2 s"


def measured(folder: Path, slo: dict[str, Any] | None, *records: RequestRecord) -> dict[str, Any]:
    (numbers,) = of_phases(load(make(folder, *records, slo=slo)))
    return numbers.as_dict()


STREAM = {"stream": True, "ttft_s": 0.5, "completion_tokens": 11, "elapsed_sec": 1.5}
"""TPOT of (1.5 - 0.5) / 10 = 0.1 s."""


def test_attainment_and_goodput_are_those_worked_by_hand(tmp_path: Path) -> None:
    """Six of ten within 6 s, in 120 s: attainment 0.6, goodput 0.05 per second."""
    records = [record(i, elapsed_sec=float(i + 1), done_offset_s=120.0) for i in range(8)]
    numbers = measured(tmp_path / "r", {"e2e_p99_s": 6}, *records, failed(8), dropped(9))
    assert (numbers["good"], numbers["attainment"]) == (6, 0.6)
    assert numbers["goodput_rps"] == pytest.approx(6 / 120)


def test_a_value_equal_to_its_limit_meets_it(tmp_path: Path) -> None:
    """So does 0.1 + 0.2 a limit of 0.3: binary rounding is no time."""
    records = [record(0, elapsed_sec=0.1 + 0.2), record(1, elapsed_sec=0.3001)]
    assert measured(tmp_path / "r", {"e2e_p50_s": 0.3}, *records)["good"] == 1


@pytest.mark.parametrize(
    ("slo", "row", "good"),
    [
        ({"success_rate": 1}, {}, True),
        ({"e2e_s": 1.5, "attainment": 1}, STREAM, True),
        ({"e2e_s": 1.4, "attainment": 1}, STREAM, False),
        ({"ttft_p95_s": 0.5}, STREAM, True),
        ({"ttft_p95_s": 0.4}, STREAM, False),
        ({"ttft_p95_s": 0.4}, {}, True),  # no stream: there is no first token to wait for
        ({"ttft_p95_s": 0.4}, STREAM | {"ttft_s": None}, False),  # should be known
        ({"tpot_p99_s": 0.1}, STREAM, True),
        ({"tpot_p99_s": 0.09}, STREAM, False),
        ({"tpot_p99_s": 0.09}, {}, True),
        ({"tpot_p99_s": 0.09}, STREAM | {"completion_tokens": 1}, True),  # has none to exceed
        ({"tpot_p99_s": 0.09}, STREAM | {"completion_tokens": None}, False),
        ({"e2e_p99_s": 2, "ttft_p95_s": 0.4}, STREAM, False),  # every limit, not some
        ({"mode": {"tpm": {"e2e_p99_s": 1}}, "success_rate": 1}, {}, True),
        ({"model": {"gpt-5.4-nano": {"e2e_p99_s": 1}}, "success_rate": 1}, {}, False),
    ],
)
def test_a_request_is_good_if_it_meets_every_limit_that_applies(
    tmp_path: Path, slo: dict[str, Any], row: dict[str, Any], good: bool
) -> None:
    """Worked by hand."""
    numbers = measured(tmp_path / "r", slo, record(0, **row))
    assert (numbers["good"], numbers["attainment"]) == (int(good), float(good))


def test_goodput_is_unknown_without_objectives(tmp_path: Path) -> None:
    """Without an SLO, or with one that does not apply to the phase: None, not 0 and not 1."""
    for number, slo in enumerate([None, {"model": {"other": {"e2e_p99_s": 1}}}]):
        numbers = measured(tmp_path / str(number), slo, record(0))
        assert (numbers["good"], numbers["goodput_rps"], numbers["attainment"]) == (
            None,
            None,
            None,
        )


def test_goodput_of_a_group_is_unknown_unless_all_its_phases_have_limits(tmp_path: Path) -> None:
    """Each row is judged by the limits of its own phase."""
    records = [record(0), record(1, elapsed_sec=9.0), record(0, phase="t", mode="tpm", target=1,
               elapsed_sec=9.0)]  # fmt: skip
    both = {"mode": {"rpm": {"e2e_p99_s": 5}, "tpm": {"e2e_p99_s": 10}}}
    ((_, group),) = of_groups(load(make(tmp_path / "a", *records, slo=both)), "model_requested")
    assert (group.good, group.attainment) == (2, 2 / 3)
    half = {"mode": {"rpm": {"e2e_p99_s": 5}}}
    ((_, group),) = of_groups(load(make(tmp_path / "b", *records, slo=half)), "model_requested")
    assert group.good is None


def test_planned_requests_without_a_row_count_against_attainment(tmp_path: Path) -> None:
    plan = [phase(count=10)]
    folder = make(tmp_path / "r", record(0), plan=plan, slo={"success_rate": 0.5})
    (numbers,) = of_phases(load(folder))
    assert numbers.attainment == 0.1


rows = st.lists(
    st.tuples(
        st.sampled_from(["ok", "failed", "dropped"]),
        st.floats(0.01, 10),
        st.booleans(),
        st.one_of(st.none(), st.floats(0, 1)),
        st.one_of(st.none(), st.integers(0, 50)),
    ),
    min_size=1,
    max_size=30,
)


@settings(max_examples=40, deadline=None)
@given(rows, st.floats(0.5, 8), st.floats(0.1, 1), st.floats(0.01, 1))
def test_goodput_and_attainment_are_those_of_a_plain_loop(
    tmp_path_factory: pytest.TempPathFactory,
    requests: list[tuple[str, float, bool, float | None, int | None]],
    e2e_s: float,
    ttft_s: float,
    tpot_s: float,
) -> None:
    """Whatever is known of the requests."""
    records, good = [], 0
    for index, (end, elapsed, stream, first, tokens) in enumerate(requests):
        first = elapsed * first if stream and first is not None else None
        known = {"elapsed_sec": elapsed, "stream": stream, "ttft_s": first,
                 "completion_tokens": tokens}  # fmt: skip
        if end == "ok":
            records.append(record(index, **known))
            met = elapsed <= e2e_s
            if stream:
                met = met and first is not None and first <= ttft_s
                if tokens is None:
                    met = False
                elif tokens >= 2 and first is not None:
                    met = met and (elapsed - first) / (tokens - 1) <= tpot_s
            good += met
        else:
            records.append((failed if end == "failed" else dropped)(index))
    slo = parse({"e2e_p99_s": e2e_s, "ttft_p99_s": ttft_s, "tpot_p99_s": tpot_s}, "f")
    frame = load(make(tmp_path_factory.mktemp("r"), *records)).requests
    assert goodput.of(frame, len(requests), 2.0, slo).as_dict() == {
        "good": good, "goodput_rps": good / 2.0, "attainment": good / len(requests),
    }  # fmt: skip


def judgements_of(
    folder: Path, slo: dict[str, Any], *records: RequestRecord, **made: Any
) -> list[str]:
    """The verdict on each statement of an SLO."""
    view = report.look(load(make(folder, *records, slo=slo, **made)))
    _, *checks = judge(view, (), parse(slo, "f"))
    return [f"{check.verdict} {check}" for check in checks]


def test_each_objective_is_judged_on_every_phase_that_it_applies_to(tmp_path: Path) -> None:
    slo = {"e2e_p99_s": 1.0, "mode": {"tpm": {"e2e_p99_s": 30}}, "attainment": 0.5}
    records = [record(0), record(0, phase="tpm/x", mode="tpm")]
    assert sorted(judgements_of(tmp_path / "r", slo, *records)) == [
        f"failed {PHASE}: attainment is 0 (fails if <0.5)",
        f"failed {PHASE}: {SLOWEST} (fails if >1)",
        "passed tpm/x: attainment is 1 (fails if <0.5)",
        f"passed tpm/x: {SLOWEST} (fails if >30)",
    ]


def test_the_attainment_of_a_phase_that_was_not_run_is_unknown(tmp_path: Path) -> None:
    plan = [phase(), phase("rpm/gpt-5.4-nano/900")]
    judgements = judgements_of(tmp_path / "r", {"attainment": 0.1}, record(0), plan=plan)
    assert judgements[1] == (
        "unknown rpm/gpt-5.4-nano/900: attainment is unknown, it was not run (fails if <0.1)"
    )


def test_a_limit_on_streams_is_judged_on_streams_and_unknown_without_any(tmp_path: Path) -> None:
    slo = {"ttft_p95_s": 1.0}
    stream = probe("smoke", "s", **STREAM)
    assert judgements_of(tmp_path / "a", slo, record(0), stream) == [
        "passed smoke/s: ttft_p95_s cannot be judged from 1 (a P95 takes 20): the slowest took 0.5 "
        "s (fails if >1)"
    ]
    assert judgements_of(tmp_path / "b", slo, record(0)) == [
        "unknown the run: ttft_p95_s is unknown, no phase has one (fails if >1)"
    ]


def test_check_judges_a_run_by_an_slo_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1 and one sentence naming what failed; the JUnit file has it too."""
    folder, junit = str(make(tmp_path / "r", record(0))), tmp_path / "junit.xml"
    slo = tmp_path / "slo.toml"
    slo.write_text("e2e_p99_s = 1\nsuccess_rate = 0.9\n", encoding="utf-8")
    assert main(["check", folder, "--slo", str(slo), "--junit", str(junit)]) == 1
    assert capsys.readouterr().err == (
        f"weighbridge: 1 of 3 checks failed: {PHASE}: {SLOWEST} (fails if >1).\n"
    )
    assert SLOWEST in junit.read_text(encoding="utf-8")
    slo.write_text("e2e_p99_s = 2\n", encoding="utf-8")
    assert main(["check", folder, "--slo", str(slo)]) == 0
    slo.write_text("e2e_p99 = 2\n", encoding="utf-8")
    capsys.readouterr()
    assert main(["check", folder, "--slo", str(slo)]) == 2
    assert capsys.readouterr().err.startswith(f"weighbridge: {slo}: e2e_p99 is unknown")


@pytest.mark.parametrize("table", ['[model."gpt-5.4-nan"]', "[mode.tpm]"])
def test_an_slo_that_applies_to_no_phase_is_an_operator_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], table: str
) -> None:
    """A misspelt model, or a mode that was not run: no objective was judged, so none was met."""
    folder, slo = str(make(tmp_path / "r", record(0))), tmp_path / "slo.toml"
    slo.write_text(f"{table}\ne2e_p99_s = 9\n", encoding="utf-8")
    assert main(["check", folder, "--slo", str(slo)]) == 2
    assert capsys.readouterr().err == (
        "weighbridge: no objective of the SLO applies to a phase of r: name its mode (rpm) or its "
        "model "
        "(gpt-5.4-nano).\n"
    )


def test_a_run_is_checked_by_its_own_slo_unless_another_is_given(tmp_path: Path) -> None:
    """The manifest keeps a copy."""
    folder = str(make(tmp_path / "r", record(0), slo={"e2e_p99_s": 1.0}))
    assert main(["check", folder]) == 1
    (tmp_path / "slo.toml").write_text("e2e_p99_s = 3", encoding="utf-8")
    assert main(["check", folder, "--slo", str(tmp_path / "slo.toml")]) == 0


def test_goodput_and_attainment_can_be_conditions_of_fail_on(tmp_path: Path) -> None:
    folder = make(tmp_path / "r", record(0, done_offset_s=4.0), slo={"e2e_p99_s": 1.0})
    view = report.look(load(folder))
    verdict = sentence(judge(view, conditions("attainment<0.5,goodput_rps<0.1")), Words("en"))
    assert verdict == (
        f"2 of 3 checks failed: {PHASE}: attainment is 0 (fails if <0.5); "
        f"{PHASE}: goodput_rps is 0 per second (fails if <0.1)."
    )


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_report_states_the_limits_of_a_good_request_and_each_objectives_verdict(
    tmp_path: Path, lang: Any
) -> None:
    slo = {"e2e_p99_s": 1.0, "success_rate": 0.9}
    folder = make(tmp_path / "r", record(0), record(1, elapsed_sec=1.0), slo=slo)
    text = markdown.render(report.compose(report.look(load(folder), lang)))
    assert "E2E ≤ 1 s (e2e_p99_s)" in text
    assert "e2e_p99_s ≤ 1 | max 2 (n = 2) | " + ("MISSED" if lang == "en" else "未达到") in text
    assert "success_rate ≥ 0.9 | 1 | " + ("met" if lang == "en" else "达到") in text
    table = text.split("RPM results" if lang == "en" else "RPM 结果")[1].split("\n\n")[1]
    assert ("Attainment" if lang == "en" else "达标率") in table
    assert "| 50% |" in table


def test_a_report_without_an_slo_has_no_goodput(tmp_path: Path) -> None:
    text = markdown.render(report.compose(report.look(load(make(tmp_path / "r", record(0))))))
    assert "Goodput" not in text and "Attainment" not in text


@pytest.mark.parametrize(
    ("count", "limit", "verdict", "text"),
    [
        (200, 3, "unknown", "cannot be judged from 200 (a P99.9 takes 1000): the slowest took only "
         "2 s, which does not show it"),
        (200, 1, "failed", "cannot be judged from 200 (a P99.9 takes 1000): the slowest took 2 s"),
        (1000, 3, "passed", "e2e_p99_9_s is 2 s"),
        (1000, 1, "failed", "e2e_p99_9_s is 2 s"),
    ],
)  # fmt: skip
def test_an_objective_on_a_percentile_never_passes_on_too_small_a_sample(
    tmp_path: Path, count: int, limit: float, verdict: str, text: str
) -> None:
    """P99.9 of 200 requests does not pass and says so; of 1,000 it is judged."""
    records = [record(i) for i in range(count)]
    folder = make(tmp_path / "r", *records, slo={"e2e_p99_9_s": limit})
    view = report.look(load(folder))
    (check,) = judge_objectives(view, parse({"e2e_p99_9_s": limit}, "slo"))
    assert check.verdict == verdict and text in check.finding
    again = judge(view, conditions(f"p99_9_s>{limit}"))[1]
    assert again.verdict == verdict
    assert main(["check", str(folder)]) == (verdict != "passed")
    assert view.phases[0].good == (count if limit == 3 else 0)  # goodput is by its limit
