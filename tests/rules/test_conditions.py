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


def test_conditions_are_read_in_order() -> None:
    """Spaces do not count, and every sign is one."""
    assert parse(" success_rate < 0.99,p95_s>=10 ,cost>.5,dropped<=2.,p99_s>1e1") == (
        Condition("success_rate", "<", 0.99),
        Condition("p95_s", ">=", 10.0),
        Condition("cost", ">", 0.5),
        Condition("dropped", "<=", 2.0),
        Condition("p99_s", ">", 10.0),
    )


@pytest.mark.parametrize("text", ["", "  ", "\n"])
def test_an_empty_text_holds_no_condition(text: str) -> None:
    """A CI variable that is not set asks for nothing."""
    assert parse(text) == ()


def test_a_condition_given_twice_is_one() -> None:
    """However it is spelled."""
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
def test_a_broken_condition_is_answered_with_a_sentence(text: str, says: str) -> None:
    """It names the part that is wrong, and how a right one is written."""
    with pytest.raises(ConditionError) as caught:
        parse(text)
    assert says in str(caught.value)
    assert str(caught.value).startswith("--fail-on ") and str(caught.value).endswith(".")


@given(st.lists(conditions, min_size=1, unique=True))
def test_what_is_written_is_read_back(made: list[Condition]) -> None:
    """A condition's text is a condition, and the same one."""
    assert parse(",".join(map(str, made))) == tuple(made)


@given(st.text(alphabet=st.one_of(st.characters(), st.sampled_from(string.printable + "<>=,"))))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Nothing but ConditionError comes of a text, and every limit is a number at or above 0."""
    try:
        found = parse(text)
    except ConditionError as error:
        assert str(error).startswith("--fail-on ")
    else:
        assert all(math.isfinite(one.limit) and one.limit >= 0 for one in found)


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.sampled_from(SIGNS))
def test_a_comparison_is_the_plain_one(value: int, limit: int, sign: str) -> None:
    """Of whole numbers, exactly what the sign says."""
    truth = {"<": value < limit, "<=": value <= limit, ">": value > limit, ">=": value >= limit}
    assert Condition("dropped", sign, float(limit)).met(value) is truth[sign]


def test_binary_dust_is_not_money() -> None:
    """0.1 + 0.2 is not above 0.3, and a twelfth decimal still counts."""
    assert not Condition("cost", ">", 0.3).met(0.1 + 0.2)
    assert Condition("cost", ">", 0.3).met(0.300000000001)
