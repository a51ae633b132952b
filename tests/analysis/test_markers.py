"""Names and fingerprints that change while a run goes on are told with their times, and accuse
nobody."""

from pathlib import Path

import pytest

from analysis.numbers.markers import COLUMNS, MOST, markers
from analysis.reading.load import load
from analysis.report.report import look
from analysis.report.sections.markers import section
from tests.analysis.runs import make, record


def found(folder: Path, *names: str | None, field: str = "system_fingerprint") -> str:
    rows = [record(i, **{field: name}) for i, name in enumerate(names)]
    view = look(load(make(folder, *rows)))
    return str(section(view))


@pytest.mark.parametrize("field", ["system_fingerprint", "model_returned"])
def test_one_value_is_no_section(tmp_path: Path, field: str) -> None:
    assert "fp_1" not in found(tmp_path / "r", "fp_1", "fp_1", None, field=field)


@pytest.mark.parametrize("field", ["system_fingerprint", "model_returned"])
def test_each_value_is_counted(tmp_path: Path, field: str) -> None:
    rows = [record(i, **{field: name}) for i, name in enumerate(["a", "b", "a", None])]
    run = load(make(tmp_path / "r", *rows))
    (one,) = markers(run.rows.frame(list(COLUMNS)))
    assert {value.text: value.replies for value in one.values} == {"a": 2, "b": 1}
    assert one.unnamed == 1
    text = str(section(look(run)))
    assert "This is no accusation" in text and "1 replies do not say" in text


def test_a_value_for_each_reply_names_no_backend(tmp_path: Path) -> None:
    text = found(tmp_path / "r", *(f"fp_{i}" for i in range(MOST + 1)))
    assert "name no backend" in text and "fp_3" not in text


def test_failures_say_nothing(tmp_path: Path) -> None:
    rows = [record(0, system_fingerprint="a"),
            record(1, system_fingerprint="b", outcome="http_5xx", success=False)]  # fmt: skip
    assert not markers(load(make(tmp_path / "r", *rows)).rows.frame(list(COLUMNS)))
