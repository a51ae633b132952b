"""Model names and fingerprints that change during a run are listed with their times, as no
accusation.
"""

from pathlib import Path

import pytest

from analysis.numbers.markers import COLUMNS, MOST, markers
from analysis.reading.load import load
from analysis.report.report import look
from analysis.report.sections.markers import section
from tests.analysis.runs import make, record


def section_text(folder: Path, *names: str | None, field: str = "system_fingerprint") -> str:
    rows = [record(i, **{field: name}) for i, name in enumerate(names)]
    view = look(load(make(folder, *rows)))
    return str(section(view))


@pytest.mark.parametrize("field", ["system_fingerprint", "model_returned"])
def test_a_single_value_makes_no_section(tmp_path: Path, field: str) -> None:
    assert "fp_1" not in section_text(tmp_path / "r", "fp_1", "fp_1", None, field=field)


@pytest.mark.parametrize("field", ["system_fingerprint", "model_returned"])
def test_the_replies_of_each_value_are_counted(tmp_path: Path, field: str) -> None:
    rows = [record(i, **{field: name}) for i, name in enumerate(["a", "b", "a", None])]
    run = load(make(tmp_path / "r", *rows))
    (changes,) = markers(run.rows.frame(list(COLUMNS)))
    assert {value.text: value.replies for value in changes.values} == {"a": 2, "b": 1}
    assert changes.unnamed == 1
    text = str(section(look(run)))
    assert "This is no accusation" in text and "1 reply does not state one" in text


def test_a_new_value_for_each_reply_is_not_listed(tmp_path: Path) -> None:
    text = section_text(tmp_path / "r", *(f"fp_{i}" for i in range(MOST + 1)))
    assert "name no backend" in text and "fp_3" not in text


def test_values_of_failed_requests_do_not_count(tmp_path: Path) -> None:
    rows = [record(0, system_fingerprint="a"),
            record(1, system_fingerprint="b", outcome="http_5xx", success=False)]  # fmt: skip
    assert not markers(load(make(tmp_path / "r", *rows)).rows.frame(list(COLUMNS)))
