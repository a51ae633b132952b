"""The names of a phase's numbers: those that summary.json, its schema and conditions use."""

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
    (numbers,) = of_phases(
        load(make(folder, record(0), failed(1), options={"percentiles": "99.9"}))
    )
    return numbers


def test_every_number_has_a_description() -> None:
    hints = get_type_hints(PhaseNumbers, include_extras=True)
    for item in fields(PhaseNumbers):
        *_, meaning = get_args(hints[item.name])
        assert isinstance(meaning, str) and meaning, item.name


def test_each_percentile_is_a_number_of_its_own(tmp_path: Path) -> None:
    """The usual ones and those asked for, each by its rank; the field of all percentiles is
    none.
    """
    numbers = phase(tmp_path / "r")
    assert numbers.latency.at(Fraction("99.9")) == numbers.number("latency_p99_9_s") == 2.0
    assert numbers.latency.p95_s == numbers.as_dict()["latency_p95_s"]
    assert "latency" not in numbers.as_dict()


def test_a_percentile_that_was_not_asked_for_is_none(tmp_path: Path) -> None:
    numbers = phase(tmp_path / "r")
    assert numbers.latency.at(75) is None
    assert Percentiles({}).p50_s is None


def test_an_unknown_name_raises_an_error(tmp_path: Path) -> None:
    """None would read as a number that is unknown."""
    with pytest.raises(KeyError):
        phase(tmp_path / "r").number("latency_p75_s")


def test_numbers_of_a_phase_cannot_be_assigned(tmp_path: Path) -> None:
    with pytest.raises(FrozenInstanceError):
        phase(tmp_path / "r").success = 3  # type: ignore[misc]


def test_a_group_has_the_numbers_of_a_phase_except_those_of_phases_only(
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


def test_every_grouping_is_by_columns_that_exist() -> None:
    """`task_prefix` is the beginning of one."""
    assert set(GROUPS.values()) - {"task_prefix"} <= set(COLUMNS)
