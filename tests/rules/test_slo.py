"""slo.toml: what it may state, what applies to a phase, and a sentence for every error."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import percentiles
from rules.conditions import METRICS, Condition, metric_of
from rules.slo import (
    AT_MOST,
    KEYS,
    REQUEST_LIMITS,
    SHARES,
    TIMES,
    Limit,
    Slo,
    SloError,
    parse,
    ranked,
    read,
)

WHOLE = """
success_rate = 0.99
e2e_p99_s = 10

[mode.tpm]
e2e_p99_s = 30
goodput_rps = 0.5

[model."gpt-5.4-nano"]
ttft_p95_s = 2
e2e_p99_s = 5
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "slo.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_objectives_of_the_model_override_those_of_the_mode_and_the_general_ones(
    tmp_path: Path,
) -> None:
    """Key by key."""
    slo = read(written(tmp_path, WHOLE), ("rpm", "tpm"))
    assert slo.of("rpm", "m").values == {"e2e_p99_s": 10, "success_rate": 0.99}
    assert slo.of("tpm", "m").values == {"e2e_p99_s": 30, "success_rate": 0.99, "goodput_rps": 0.5}
    nano = slo.of("tpm", "gpt-5.4-nano").values
    assert nano == {"ttft_p95_s": 2, "e2e_p99_s": 5, "success_rate": 0.99, "goodput_rps": 0.5}


def test_the_limit_of_a_request_is_stated_or_that_of_the_highest_percentile() -> None:
    """`e2e_s` before `e2e_p99_s` before `e2e_p50_s`, with the key it came from."""
    stated = {"e2e_s": 3, "e2e_p99_s": 10, "attainment": 0.9, "ttft_p50_s": 1, "ttft_p95_s": 2}
    limits = parse(stated, "f").of("rpm", "m").limits
    assert limits == {"e2e": Limit(3, "e2e_s"), "ttft": Limit(2, "ttft_p95_s")}


def test_an_objective_becomes_the_condition_of_its_failure() -> None:
    """Limits of a request state nothing about a phase."""
    slo = parse({"e2e_s": 3, "attainment": 0.9, "cost_per_success": 0.1, "e2e_p50_s": 2}, "f")
    assert set(slo.of(None, None).statements) == {
        Condition("attainment", "<", 0.9),
        Condition("cost_per_success", ">", 0.1),
        Condition("e2e_p50_s", ">", 2.0),
    }


def test_every_objective_is_a_metric_of_fail_on() -> None:
    assert set(KEYS) - set(REQUEST_LIMITS) <= set(METRICS)


def test_a_phase_that_no_table_names_has_no_objectives() -> None:
    slo = parse({"model": {"a": {"e2e_p99_s": 1}}}, "f")
    assert slo.of("rpm", "a") and not slo.of("rpm", "b") and not slo.of(None, None)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "holds no objective: give one or more of ttft_s"),
        ("[mode.rpm]", "holds no objective"),
        ("p95_s = 1", "p95_s is unknown: use ttft_s, e2e_s"),
        ("e2e_p99 = 1", "e2e_p99 is unknown"),
        ("e2e_p99_s = '10'", "e2e_p99_s must be a number, not '10'"),
        ("e2e_p99_s = true", "e2e_p99_s must be a number, not True"),
        ("e2e_p99_s = [1]", "e2e_p99_s must be a number, not [1]"),
        ("e2e_p99_s = 0", "e2e_p99_s must be above 0, not 0"),
        ("e2e_p99_s = -1", "e2e_p99_s must be above 0, not -1"),
        ("e2e_p99_s = nan", "e2e_p99_s must be a finite number, not nan"),
        ("e2e_p99_s = inf", "e2e_p99_s must be a finite number, not inf"),
        ("goodput_rps = 0", "goodput_rps must be above 0"),
        ("success_rate = 99", "success_rate must be a share from 0 to 1, not 99"),
        ("attainment = -0.1", "attainment must be a share from 0 to 1"),
        ("cost_per_success = -1", "cost_per_success must not be below 0"),
        ("mode = 1", "mode must be a table: write [mode.NAME]"),
        ("[model]\ne2e_p99_s = 1", "model.e2e_p99_s holds no objectives: put them under "
                                   "[model.NAME]"),
        ("[mode.rpm]\nx = 1", "mode.rpm.x is unknown"),
        ("[mode.rmp]\ne2e_p99_s = 1", "[mode.rmp] is not a mode: use one of rpm, tpm"),
        ("[model.gpt-5.4-nano]\ne2e_p99_s = 1", "model.gpt-5.4-nano is a table: objectives are"),
        ("[slo]\ne2e_p99_s = 1", "slo is a table"),
        ("e2e_s = 1", "e2e_s limits single requests: add attainment"),
        ("success_rate = 1\n[model.a]\nttft_s = 1", "ttft_s limits single requests"),
        ("e2e_p0_s = 1", "e2e_p0_s is unknown"),
        ("e2e_p100_s = 1", "e2e_p100_s is unknown"),
        ("e2e_p99_90_s = 1", "e2e_p99_90_s is unknown"),
        ("itl_p90_s = 1", "itl_p90_s is unknown"),
        ("e2e_p99_9_s = 0", "e2e_p99_9_s must be above 0, not 0"),
        ("e2e_p99.9_s = 1", "e2e_p99.9_s: write e2e_p99_9_s, with _ for the decimal point"),
        ("e2e_p99_s = ", "is not valid TOML"),
        ("e2e_p99_s = 1\ne2e_p99_s = 2", "is not valid TOML"),
    ],
)  # fmt: skip
def test_an_error_in_the_slo_is_one_sentence_that_names_the_file(
    tmp_path: Path, text: str, says: str
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(SloError) as caught:
        read(path, ("rpm", "tpm"))
    message = str(caught.value)
    assert message.startswith(str(path)) and says in message
    assert message.endswith(".") and "\n" not in message


def test_an_slo_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for path, says in [
        (tmp_path / "none", "cannot be read (No such file or directory)"),
        (tmp_path, "cannot be read (Is a directory)"),
        (tmp_path / "binary", "is not UTF-8 text"),
    ]:
        with pytest.raises(SloError, match="is not|cannot") as caught:
            read(path)
        assert str(path) in str(caught.value) and says in str(caught.value)


def _value(key: str) -> st.SearchStrategy[float]:
    return st.floats(0, 1) if key in SHARES else st.floats(1e-6, 1e6)


tables = st.lists(st.sampled_from(KEYS), unique=True).flatmap(
    lambda keys: st.fixed_dictionaries(
        {"attainment": _value("attainment")} | {key: _value(key) for key in keys}
    )
)


@given(tables, st.dictionaries(st.text(), tables), st.dictionaries(st.text(), tables))
def test_an_slo_is_read_back_from_the_manifest(
    general: dict[str, Any], modes: dict[str, Any], models: dict[str, Any]
) -> None:
    slo = parse(general | {"mode": modes, "model": models}, "f")
    assert isinstance(slo, Slo)
    assert parse(slo.as_dict(), "again") == slo


@given(tables, st.floats(0, 1e7))
def test_an_objective_fails_beyond_its_limit_and_not_at_it(
    table: dict[str, Any], value: float
) -> None:
    for condition in parse(table, "f").of(None, None).statements:
        assert not condition.met(condition.limit)
        above = round(value, 12) > round(condition.limit, 12)
        below = round(value, 12) < round(condition.limit, 12)
        assert condition.met(value) is (above if condition.metric in AT_MOST else below)


def test_any_percentile_is_a_key_and_the_highest_limits_a_request(tmp_path: Path) -> None:
    """As conditions take them: in a file, in order, as a statement and in the manifest."""
    text = "e2e_p99_9_s = 9\ne2e_p90_s = 2\nttft_p97_5_s = 1\ne2e_p99_s = 5\nsuccess_rate = 1"
    slo = read(written(tmp_path, text))
    objectives = slo.of("rpm", "m")
    times = ["ttft_p97_5_s", "e2e_p90_s", "e2e_p99_s", "e2e_p99_9_s"]
    assert list(objectives.values) == [*times, "success_rate"]
    assert objectives.limits == {"ttft": Limit(1, "ttft_p97_5_s"), "e2e": Limit(9, "e2e_p99_9_s")}
    assert Condition("e2e_p99_9_s", ">", 9.0) in objectives.statements
    assert parse(slo.as_dict(), "again") == slo
    assert all(metric_of(key) is not None for key in objectives.values)


@given(st.integers(1, 9999999))
def test_a_key_is_a_percentile_where_a_condition_is(millionths: int) -> None:
    percent = Fraction(millionths, 100_000)
    for time in TIMES:
        key = f"{time}_{percentiles.label(percent)}_s"
        assert ranked(key) == (time, percent) and metric_of(key) is not None
