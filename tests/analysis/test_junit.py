"""The checks as JUnit XML, parsed back."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.reading.load import Run, load
from analysis.report import junit, report
from analysis.report.check import RUN, Check
from analysis.report.run_checks import judge
from recording.untrusted_text import printable
from rules.conditions import parse
from tests.analysis.runs import PHASE, make, record

SUITE = {"name", "tests", "failures", "errors", "skipped", "time", "timestamp"}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return load(make(tmp_path / "r", record(0), record(1, api_cost=None, done_offset_s=61.5)))


def test_each_check_is_a_test_case(run: Run, tmp_path: Path) -> None:
    """Names, counts and times are those of the checks; an unknown one is a failure of that type."""
    checks = judge(report.look(run), parse("success_rate<0.99,p50_s>1.5,cost>9"))
    path = tmp_path / "new" / "junit.xml"
    junit.write(checks, run, path)
    suites = ElementTree.parse(path).getroot()
    (suite,) = suites
    assert suites.tag == "testsuites" and suite.tag == "testsuite"
    assert set(suite.attrib) == SUITE
    assert suite.attrib["timestamp"] == "2026-11-24T00:00:00"
    for totals in (suites.attrib, suite.attrib):
        assert {k: totals[k] for k in ("tests", "failures", "errors", "time")} == {
            "tests": "4", "failures": "2", "errors": "0", "time": "61.500",
        }  # fmt: skip
    cases = suite.findall("testcase")
    assert [case.attrib for case in cases] == [
        {"classname": "weighbridge", "name": name, "time": "61.500"}
        for name in (
            "the run: complete",
            f"{PHASE}: not success_rate<0.99",
            f"{PHASE}: not p50_s>1.5",
            "the run: not cost>9",
        )
    ]
    assert [[child.tag for child in case] for case in cases] == [
        ["system-out"], ["system-out"], ["failure"], ["failure"],
    ]  # fmt: skip
    failures = [case[0].attrib for case in cases[2:]]
    assert failures == [
        {"type": "failed", "message": f"{PHASE}: p50_s is 2 s (fails if >1.5)"},
        {
            "type": "unknown",
            "message": "the run: cost is unknown, 1 of 2 successes state none (fails if >9)",
        },
    ]


@given(st.text())
def test_any_name_gives_well_formed_xml(name: str) -> None:
    """Markup is escaped, invisible characters are shown escaped, and the rest is read back
    unchanged.
    """
    made_run = Run(Path(), {"run_id": name, "plan": []}, None, [], [])  # type: ignore[arg-type]
    text = junit.render(
        [Check(RUN, None, "failed", name), Check(name, None, "passed", "")], made_run
    )
    (suite,) = ElementTree.fromstring(text.encode("utf-8"))
    expected = "".join("\ufffd" if c in "\ufffe\uffff" else c for c in printable(name))
    assert suite.attrib["name"] == expected
    assert suite.findall("testcase")[1].attrib["name"] == f"{expected}: complete"
