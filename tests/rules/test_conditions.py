"""The grammar of `--fail-on`."""

import math
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.conditions import METRICS, Condition, ConditionError, parse

SIGNS = ("<", "<=", ">", ">=")
PLAIN = sorted(name for name, metric in METRICS.items() if not metric.share)
conditions = st.builds(
    Condition,
    st.sampled_from(PLAIN),
    st.sampled_from(SIGNS),
    st.floats(min_value=0, allow_infinity=False),
)


def test_conditions_are_read_in_order_with_every_sign() -> None:
    """Spaces do not matter."""
    assert parse(" success_rate < 0.99,p95_s>=10 ,cost>.5,dropped<=2.,p99_s>1e1") == (
        Condition("success_rate", "<", 0.99),
        Condition("p95_s", ">=", 10.0),
        Condition("cost", ">", 0.5),
        Condition("dropped", "<=", 2.0),
        Condition("p99_s", ">", 10.0),
    )


@pytest.mark.parametrize("text", ["", "  ", "\n"])
def test_an_empty_text_has_no_conditions(text: str) -> None:
    """A CI variable that is not set asks for nothing."""
    assert parse(text) == ()


def test_a_condition_given_twice_counts_once() -> None:
    """However it is written."""
    assert parse("cost>0.5,cost > 5e-1") == (Condition("cost", ">", 0.5),)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("latency>1", "--fail-on latency is unknown: use success_rate, p50_s"),
        ("P95_S>1", "--fail-on P95_S is unknown"),
        ("p95_s", "--fail-on 'p95_s' is not a condition: write a metric, <, <=, > or >="),
        ("p95_s>", "'p95_s>' is not a condition"),
        (">10", "'>10' is not a condition"),
        ("p95_s=10", "'p95_s=10' is not a condition"),
        ("p95_s==10", "'p95_s==10' is not a condition"),
        ("p95_s!=10", "'p95_s!=10' is not a condition"),
        ("p95_s>>10", "'p95_s>>10' is not a condition"),
        ("p95_s>10s", "'p95_s>10s' is not a condition"),
        ("p95_s>-1", "'p95_s>-1' is not a condition"),
        ("p95_s>nan", "'p95_s>nan' is not a condition"),
        ("p95_s>inf", "'p95_s>inf' is not a condition"),
        ("p95_s>1_0", "'p95_s>1_0' is not a condition"),
        ("p95_s>١", "'p95_s>١' is not a condition"),
        ("p95_s>.", "'p95_s>.' is not a condition"),
        ("10<p95_s", "'10<p95_s' is not a condition"),
        ("success_rate<0,99", "'99' is not a condition"),
        ("cost>1 p95_s>1", "'cost>1 p95_s>1' is not a condition"),
        ("cost>1;p95_s>1", "is not a condition"),
        ("cost>1,", "'' is not a condition"),
        (",", "'' is not a condition"),
        ("cost>1e999", "1e999 is too large"),
        ("success_rate<99", "success_rate is a share from 0 to 1, so its limit cannot be 99"),
    ],
)
def test_a_malformed_condition_is_one_sentence(text: str, says: str) -> None:
    """It names the part that is wrong, and shows how a condition is written."""
    with pytest.raises(ConditionError) as caught:
        parse(text)
    assert says in str(caught.value)
    assert str(caught.value).startswith("--fail-on ") and str(caught.value).endswith(".")


@given(st.lists(conditions, min_size=1, unique=True))
def test_a_condition_is_read_back_from_its_text(drawn: list[Condition]) -> None:
    assert parse(",".join(map(str, drawn))) == tuple(drawn)


@given(st.text(alphabet=st.one_of(st.characters(), st.sampled_from(string.printable + "<>=,"))))
def test_any_text_is_conditions_or_a_condition_error(text: str) -> None:
    """Every limit is a finite number of at least 0."""
    try:
        parsed = parse(text)
    except ConditionError as error:
        assert str(error).startswith("--fail-on ")
    else:
        assert all(math.isfinite(one.limit) and one.limit >= 0 for one in parsed)


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.sampled_from(SIGNS))
def test_a_comparison_of_whole_numbers_is_what_its_sign_says(
    value: int, limit: int, sign: str
) -> None:
    truth = {"<": value < limit, "<=": value <= limit, ">": value > limit, ">=": value >= limit}
    assert Condition("dropped", sign, float(limit)).met(value) is truth[sign]


def test_float_rounding_does_not_decide_a_condition() -> None:
    """0.1 + 0.2 is not above 0.3, and a twelfth decimal still counts."""
    assert not Condition("cost", ">", 0.3).met(0.1 + 0.2)
    assert Condition("cost", ">", 0.3).met(0.300000000001)
