"""Mode billing beside a reference: what its counts show, and that no honest gateway is accused."""

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from analysis.numbers.billing import ModelBill, judge
from analysis.numbers.billing_findings import Kind
from analysis.page.words import Words
from analysis.report.sections import billing
from rules.billing_cases import BESIDE, COUNTED, repeats
from rules.token_slopes import CHAT_TOKENS, KNOWN
from tests.analysis.test_billing import PRICE, PRICES, Change, inflate, rows

UNKNOWN = "glm-5"  # its tokenizer is not known: nobody but the reference counts


def honest(row: dict[str, Any]) -> None:
    """Replies that are repeatable: the same prompt and budget have the same reply."""
    prompt = repeats(row["scenario"], row["request_index"]) or row["scenario"]
    reply_text = f"reply to {prompt} within {row['max_tokens']}"
    row |= {"content": reply_text, "check": None, "tool_calls": None}
    row["reasoning_content_present"] = False
    if row["completion_tokens"] is not None:
        row["completion_tokens"] = 10 if row["scenario"] in ("count", "cut") else 20
    if row["scenario"] == "tools":
        row |= {"content": None, "check": "pass", "tool_calls": 1}
    if row["prompt_tokens"] is not None and repeats(row["scenario"], row["request_index"]) is None:
        row["prompt_tokens"] = 80 + len(row["scenario"])


def gateway(change: Change = lambda row: None, seed: int = 0) -> list[Any]:
    def both(row: dict[str, Any]) -> None:
        honest(row)
        change(row)

    return rows(both, seed)


def reference(change: Change = lambda row: None) -> list[Any]:
    """Two requests of each case that is sent to the reference, and nine repeated texts."""
    rows_of_reference = [
        {**row, "arm": "reference"}
        for row in gateway(change, seed=5)
        if row["scenario"] in BESIDE
        and row["request_index"] < (len(COUNTED) if row["scenario"] == "count" else 2)
    ]
    return rows_of_reference


def kinds(bill: ModelBill) -> list[tuple[Kind, str | None]]:
    return [(one.kind, one.case) for one in bill.findings]


def against(
    change: Change = lambda row: None, theirs: Change = lambda row: None, model: str = UNKNOWN
) -> ModelBill:
    return judge(model, gateway(change), PRICES, reference(theirs))


def double_calls(row: dict[str, Any]) -> None:
    if row["scenario"] == "tools":
        row["completion_tokens"] *= 2


def dear_prompts(case: str, more: int) -> Change:
    def change(row: dict[str, Any]) -> None:
        if row["scenario"] == case and row["prompt_tokens"]:
            row["prompt_tokens"] += more

    return change


def long_streams(row: dict[str, Any]) -> None:
    if row["scenario"] == "stream":
        row["completion_tokens"] *= 4


def offset(tokens: int) -> Change:
    def change(row: dict[str, Any]) -> None:
        row["prompt_tokens"] = row["prompt_tokens"] and row["prompt_tokens"] + tokens

    return change


@pytest.mark.parametrize(
    ("change", "finding", "grave"),
    [
        (inflate, (Kind.ABOVE_REFERENCE, None), True),
        (offset(60), (Kind.HIDDEN_PROMPT, None), False),
        (double_calls, (Kind.OUTPUT_ABOVE_REFERENCE, "tools"), True),
        (long_streams, (Kind.OUTPUT_ABOVE_REFERENCE, "stream"), True),
        (dear_prompts("image", 500), (Kind.PROMPT_ABOVE_REFERENCE, "image"), True),
        (dear_prompts("tools", 9), (Kind.PROMPT_ABOVE_REFERENCE, "tools"), False),
    ],
)
def test_a_reference_reveals_what_the_gateways_own_counts_cannot(
    change: Change, finding: tuple[Kind, str | None], grave: bool
) -> None:
    bill = against(change)
    assert kinds(bill) == [finding] and bill.findings[0].grave is grave
    assert finding not in kinds(judge(UNKNOWN, gateway(change), PRICES)), (
        "or else no reference needed"
    )


def test_doubled_output_tokens_are_counted_with_their_price() -> None:
    """Three calls of 20 tokens, counted as 40; an output token costs 4 per million."""
    bill = judge("gpt-5.4-nano", gateway(double_calls), PRICES, reference())
    (finding,) = bill.findings
    assert (finding.kind, finding.case, finding.amount, finding.rows) == (
        Kind.OUTPUT_ABOVE_REFERENCE, "tools", 60, 3
    )  # fmt: skip
    assert finding.worth == pytest.approx(60 * PRICE.output / 1e6)
    (first, *_) = billing.remarks(Words("en", "CNY"), bill)
    assert "tool call: 3 replies state more output tokens" in str(getattr(first, "text", ""))


def test_streams_that_count_more_output_than_plain_replies_need_no_reference() -> None:
    bill = judge("gpt-5.4-nano", gateway(long_streams), PRICES)
    assert kinds(bill) == [(Kind.OUTPUT_OTHERWISE, "stream")] and bill.findings[0].amount == 180


def cl100k(row: dict[str, Any]) -> None:
    place = repeats(row["scenario"], row["request_index"])
    if place and row["prompt_tokens"]:
        row["prompt_tokens"] = KNOWN["cl100k"][place[0]].tokens(place[1]) + CHAT_TOKENS


def chatty(row: dict[str, Any]) -> None:
    if row["completion_tokens"]:
        row |= {"completion_tokens": 90, "finish_reason": "stop"}


@pytest.mark.parametrize("theirs", [cl100k, lambda row: (cl100k(row), chatty(row))])
@pytest.mark.parametrize("ours", [lambda row: None, chatty, dear_prompts("image", 900)])
def test_a_reference_with_another_tokenizer_accuses_nobody(ours: Change, theirs: Change) -> None:
    bill = against(ours, theirs)
    assert not bill.findings
    texts = [str(getattr(one, "text", "")) for one in billing.remarks(Words("en", "CNY"), bill)]
    assert any("counts repeated texts in another way" in one for one in texts)


def test_a_reference_that_states_no_tokens_is_not_used() -> None:
    bill = judge(UNKNOWN, gateway(inflate), PRICES, [{**r, **dict.fromkeys(
        ("prompt_tokens", "completion_tokens"))} for r in reference()])  # fmt: skip
    assert not bill.findings and bill.second is not None and not bill.second.sufficient


def moody(dice: Random) -> Change:
    """Hidden reasoning: the same reply counts differently each time."""

    def change(row: dict[str, Any]) -> None:
        if row["completion_tokens"]:
            row["completion_tokens"] = dice.randint(20, 300)

    return change


def fewer(row: dict[str, Any]) -> None:
    row["prompt_tokens"] = row["prompt_tokens"] and round(row["prompt_tokens"] / 1.1)


@pytest.mark.parametrize("model", [UNKNOWN, "gpt-5.4-nano"])
def test_an_honest_gateway_is_not_accused_beside_any_reference(model: str) -> None:
    """200 seeds: a reference like it, one with another template, and one with hidden reasoning."""
    for seed in range(200):
        dice = Random(seed)
        theirs: Callable[[dict[str, Any]], None] = dice.choice(
            [lambda row: None, offset(dice.randint(1, 30)), moody(dice), cl100k]
        )
        bill = judge(model, gateway(seed=seed), PRICES, reference(theirs))
        assert not [one for one in bill.findings if one.grave], seed


def test_a_reference_that_counts_fewer_is_not_used_where_the_tokenizer_is_known() -> None:
    assert not against(theirs=fewer, model="gpt-5.4-nano").findings


def test_one_sample_of_the_reference_is_not_enough_for_a_finding() -> None:
    once = [row for row in reference() if row["scenario"] == "count" or not row["request_index"]]
    assert not judge(UNKNOWN, gateway(double_calls), PRICES, once).findings


def test_each_case_states_the_references_count_beside_its_own() -> None:
    by_case = {case_of_bill.case: case_of_bill for case_of_bill in against(offset(12)).cases}
    for case in ("plain", "stream", "cached", "tools", "image", "n", "plain_again"):
        case_of_bill = by_case[case]
        assert case_of_bill.above_reference == 12 * case_of_bill.answered, case
    assert by_case["count"].above_reference == 12 * 18
    assert by_case["refused"].reference is None
