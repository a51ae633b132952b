"""Who counts tokens: each truth gives its one finding, and an honest counter none."""

from collections import Counter
from collections.abc import Callable
from random import Random

import bpe_openai
import pytest

from identity.counting import Count, Kind, judge, steady
from identity.looks import Verdict
from identity.texts import COUNTED, REPEATS, TEXTS, prompt
from identity.tokenizers import KNOWN, TITLES, claimed
from identity.word import word
from rules.token_slopes import CHAT_TOKENS

Change = Callable[[int, int], int]
"""What is stated of request `i` whose true count is `n`."""


def counts(family: str, change: Change = lambda i, n: n) -> list[Count]:
    lines = KNOWN[family]
    true = [lines[text].tokens(k) + CHAT_TOKENS for text, k in COUNTED]
    return [
        Count(*place, change(i, n)) for i, (place, n) in enumerate(zip(COUNTED, true, strict=True))
    ]


@pytest.mark.parametrize(("name", "encoding"), [("o200k", "o200k_base"), ("cl100k", "cl100k_base")])
def test_the_stored_lines_are_those_of_the_tokenizers(name: str, encoding: str) -> None:
    tokenizer = bpe_openai.get_encoding(encoding)
    for text in range(len(TEXTS)):
        for k in (1, 2, 3, 6, 9):
            assert KNOWN[name][text].tokens(k) == len(tokenizer.encode(prompt(text, k)))


def test_any_two_tokenizers_differ_by_five_tokens_per_repeat_in_some_text() -> None:
    names = [*KNOWN]
    for place, name in enumerate(names):
        for other in names[:place]:
            pairs = zip(KNOWN[name], KNOWN[other], strict=True)
            assert max(abs(a.slope - b.slope) for a, b in pairs) >= 5, (name, other)
    assert {*TITLES} == {*KNOWN}


def test_an_honest_count_fits_its_model() -> None:
    result = judge("openai/gpt-4o-mini", counts("o200k"))
    assert (result.verdict, result.kind, result.unsent) == (Verdict.NOT_SHOWN, Kind.CLAIMED, 0)


@pytest.mark.parametrize("family", [name for name in KNOWN if name != "o200k"])
def test_the_count_of_another_tokenizer_is_named(family: str) -> None:
    result = judge("gpt-4o", counts(family))
    assert (result.verdict, result.kind, result.family) == (Verdict.DIFFERS, Kind.OTHER, family)


@pytest.mark.parametrize("factor", [1.05, 1.1, 1.5, 2.0])
def test_an_inflated_count_is_reported_with_its_factor(factor: float) -> None:
    result = judge("gpt-4o", counts("o200k", lambda i, n: round(n * factor)))
    assert (result.verdict, result.kind) == (Verdict.DIFFERS, Kind.INFLATED)
    assert result.factor is not None and result.factor[0] <= factor <= result.factor[1]


def test_a_hidden_prompt_is_not_taken_for_another_tokenizer() -> None:
    result = judge("gpt-4o", counts("o200k", lambda i, n: n + 4170))
    assert (result.verdict, result.kind, result.unsent) == (Verdict.NOT_SHOWN, Kind.CLAIMED, 4170)


def test_a_hidden_prompt_beyond_the_references_is_counted_exactly() -> None:
    before = [count.tokens for count in counts("qwen")]
    result = judge("some-model", counts("qwen", lambda i, n: n + 812), before)
    assert (result.verdict, result.kind, result.beyond) == (Verdict.DIFFERS, Kind.REFERENCE, 812)


def test_three_tokens_more_than_the_reference_are_no_hidden_prompt() -> None:
    before = [count.tokens for count in counts("qwen")]
    assert judge("m", counts("qwen", lambda i, n: n + 3), before).verdict is Verdict.NOT_SHOWN


def test_a_reference_can_stand_for_an_unknown_tokenizer() -> None:
    strange = counts("qwen", lambda i, n: n + 7 * COUNTED[i][1])
    same = judge("new-model", strange, [count.tokens for count in strange])
    another_tokenizer = judge("new-model", counts("qwen"), [count.tokens for count in strange])
    assert (same.verdict, same.kind) == (Verdict.NOT_SHOWN, Kind.REFERENCE)
    assert (another_tokenizer.verdict, another_tokenizer.kind) == (
        Verdict.DIFFERS,
        Kind.NOT_REFERENCE,
    )


def test_a_hidden_prompt_of_varying_length_is_not_accused() -> None:
    """One with the time in it: the same request counts differently a minute later."""
    for seed in range(200):
        dice = Random(seed)
        result = judge("gpt-4o", counts("o200k", lambda i, n, d=dice: n + 50 + d.randrange(3)))
        assert result.kind is Kind.VARIES or result.verdict is not Verdict.DIFFERS, seed


def test_a_reference_made_while_its_hidden_prompt_changed_gives_no_slopes() -> None:
    """It would accuse every honest route afterwards."""
    dated = counts("o200k", lambda i, n: n + 50 + (i in (2, 9)))
    assert steady(dated) == ()
    result = judge("gpt-4o", counts("o200k"), steady(dated))
    assert (result.verdict, result.kind) == (Verdict.NOT_SHOWN, Kind.CLAIMED)
    honest = counts("o200k")
    assert list(steady(honest)) == [count.tokens for count in honest]


def test_an_unknown_model_is_not_judged_without_a_reference() -> None:
    result = judge("acme-1", counts("deepseek"))
    assert (result.verdict, result.kind, result.family) == (
        Verdict.NOT_ENOUGH, Kind.UNCLAIMED, "deepseek",
    )  # fmt: skip


def test_a_family_with_several_tokenizers_is_not_accused_of_an_unknown_one() -> None:
    unknown = counts("qwen", lambda i, n: n + COUNTED[i][1] * (1 + COUNTED[i][0]))
    assert judge("qwen4-max", unknown).verdict is Verdict.NOT_ENOUGH
    assert judge("gpt-4o", unknown).kind is Kind.NO_KNOWN


def test_unstated_counts_are_not_judged() -> None:
    few = [count for count in counts("o200k") if count.repeats != REPEATS[1]]
    assert judge("gpt-4o", few).kind is Kind.NOT_STATED


def test_streams_that_are_counted_differently_are_reported() -> None:
    plain = counts("o200k")
    streams = [count._replace(tokens=count.tokens + 9, streamed=True) for count in plain[:2]]
    assert judge("gpt-4o", [*plain, *streams]).streamed == 9


@pytest.mark.parametrize(
    ("name", "families"),
    [
        ("gpt-4o", ("o200k",)), ("gpt-4-turbo", ("cl100k",)), ("deepseek-v3.2", ("deepseek",)),
        ("openai/gpt-5.4-nano", ("o200k",)), ("Qwen/Qwen3-32B", ("qwen", "qwen3.5")),
        ("deepseek-r1-distill-qwen-32b", ("qwen",)), ("claude-sonnet-4.6", ()),
    ],
)  # fmt: skip
def test_a_models_name_claims_its_tokenizers(name: str, families: tuple[str, ...]) -> None:
    assert claimed(name) == families


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("Blue.", "blue"), ("**Blue**", "blue"), ("  'Crimson', of course", "crimson"),
        ("42", "42"), ("", ""), ("...", ""), ("蓝色。", "蓝色"), ("well-known", "well-known"),
    ],
)  # fmt: skip
def test_a_reply_counts_by_its_first_word(reply: str, expected: str) -> None:
    assert word(reply) == expected


def test_a_second_counter_is_not_taken_for_another_tokenizer() -> None:
    """A share of requests is counted nine tokens higher. Where both rounds happen to agree, other
    requests that were sent again tell; without these some of 2,000 gateways would be accused."""
    accused = Counter[bool]()
    for seed in range(2000):
        dice = Random(seed)
        share = dice.choice([0.05, 0.1, 0.3, 0.5])

        def stated(_: int, n: int, dice: Random = dice, share: float = share) -> int:
            return n + 9 * (dice.random() < share)

        own = counts("o200k", stated)
        again = [{stated(0, 30) for _ in range(10)} for _ in range(6)]
        for others in ([], again):
            differs = judge("gpt-4o", own, (), others).verdict is Verdict.DIFFERS
            accused[bool(others)] += differs
    assert accused[False] > 5 and accused[True] <= 1


def test_a_model_distilled_into_another_has_that_ones_tokenizer() -> None:
    assert claimed("deepseek-ai/DeepSeek-R1-0528-Qwen3-8B") == claimed("qwen3-8b")[:1] == ("qwen",)
