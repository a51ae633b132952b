"""The names of a phase's numbers: what summary.json, its schema and conditions go by."""

from dataclasses import FrozenInstanceError, fields
from fractions import Fraction
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from analysis.numbers.phase_numbers import Numbers, Percentiles, PhaseNumbers
from analysis.numbers.summarize import GROUPS, costs_of_groups, of_groups, of_phases
from analysis.reading.load import load
from recording.record import COLUMNS
from tests.analysis.runs import failed, make, record


def phase(folder: Path) -> PhaseNumbers:
    (found,) = of_phases(load(make(folder, record(0), failed(1), options={"percentiles": "99.9"})))
    return found


def test_every_number_says_what_it_means() -> None:
    hints = get_type_hints(PhaseNumbers, include_extras=True)
    for item in fields(PhaseNumbers):
        *_, meaning = get_args(hints[item.name])
        assert isinstance(meaning, str) and meaning, item.name


def test_a_percentile_has_a_name_of_its_own(tmp_path: Path) -> None:
    """The usual ones and those that were asked for, each by its rank; the field itself is none."""
    found = phase(tmp_path / "r")
    assert found.latency.at(Fraction("99.9")) == found.number("latency_p99_9_s") == 2.0
    assert found.latency.p95_s == found.as_dict()["latency_p95_s"]
    assert "latency" not in found.as_dict()


def test_a_percentile_that_nobody_asked_for_is_not_known(tmp_path: Path) -> None:
    found = phase(tmp_path / "r")
    assert found.latency.at(75) is None
    assert Percentiles({}).p50_s is None


def test_a_name_that_is_no_number_is_an_error(tmp_path: Path) -> None:
    """Not None: that would read as a number that is not known."""
    with pytest.raises(KeyError):
        phase(tmp_path / "r").number("latency_p75_s")


def test_numbers_do_not_change(tmp_path: Path) -> None:
    with pytest.raises(FrozenInstanceError):
        phase(tmp_path / "r").success = 3  # type: ignore[misc]


def test_a_group_has_the_numbers_of_a_phase_but_for_those_that_only_a_phase_has(
    tmp_path: Path,
) -> None:
    run = load(make(tmp_path / "r", record(0), failed(1)))
    ((model, numbers),) = of_groups(run, GROUPS["model"])
    assert model == "gpt-5.4-nano"
    of_phase = of_phases(run)[0].as_dict()
    assert numbers.as_dict().items() <= of_phase.items()
    assert {item.name for item in fields(Numbers)} < {item.name for item in fields(PhaseNumbers)}
    ((_, costs),) = [(one.name, one.as_dict()) for one in costs_of_groups(run, GROUPS["model"])]
    assert {k: v for k, v in costs.items() if k != "name"}.items() <= numbers.as_dict().items()


def test_requests_are_grouped_by_columns_that_exist() -> None:
    """`task_prefix` is the beginning of one."""
    assert set(GROUPS.values()) - {"task_prefix"} <= set(COLUMNS)
