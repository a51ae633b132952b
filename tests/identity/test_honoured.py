"""Settings:

an honest gateway is never accused, one that ignores them is, and one reply is not enough.
"""

from collections.abc import Sequence
from random import Random
from typing import Any

import pytest
from scipy.stats import binom, fisher_exact

from identity import alpha, honoured, setting
from identity.alpha import LOOKS
from identity.honoured import Honoured, Reply, Why
from identity.looks import Asked, Verdict
from identity.reference import Seeded
from identity.setting import ALIKE, CACHE, CAP, STOP
from identity.tail import at_least, critical, fisher, smallest_rate

RUN, MODEL = "run-1", "m"
OTHERS = [n for n in range(10) if n not in ALIKE]


def test_the_levels_of_all_tests_sum_to_one_percent() -> None:
    shares = (alpha.TEMPERATURE, alpha.SEED, alpha.CONTEXT, alpha.LOGPROBS, alpha.TOOLS)
    assert sum(share for _, share in LOOKS) + sum(shares) == pytest.approx(alpha.WHOLE)
    assert alpha.WHOLE == 0.01


@pytest.mark.parametrize(("k", "n", "rate"), [(0, 5, 0.2), (9, 36, 0.2), (36, 36, 0.9)])
def test_the_tail_of_the_binomial_is_scipys(k: int, n: int, rate: float) -> None:
    assert at_least(k, n, rate) == pytest.approx(binom.sf(k - 1, n, rate))


@pytest.mark.parametrize(("a", "n", "b", "m"), [(0, 24, 9, 24), (3, 40, 3, 12), (24, 24, 1, 24)])
def test_the_tail_of_fishers_test_is_scipys(a: int, n: int, b: int, m: int) -> None:
    table = [[b, m - b], [a, n - a]]
    assert fisher(a, n, b, m) == pytest.approx(fisher_exact(table, alternative="greater").pvalue)


def test_the_smallest_rate_is_detected_with_90_percent() -> None:
    rate = smallest_rate(2, 9)
    assert rate is not None
    assert binom.sf(1, 9, rate) >= 0.9 > binom.sf(1, 9, rate - 0.01)
    assert smallest_rate(critical(lambda k: 1.0, 5, 0.01), 5) is None


def replies(scenario: str, said: Sequence[str | None], **stated: Sequence[Any]) -> list[Reply]:
    """The replies of a phase, and what each states."""
    return [
        Reply(n, None if text is None else setting.fact(scenario, n, RUN, MODEL, text),
              **{name: values[n] for name, values in stated.items()})
        for n, text in enumerate(said)
    ]  # fmt: skip


def own(n: int, scenario: str = CACHE) -> str:
    return setting.word(scenario, n, RUN, MODEL)


def letters(dice: Random) -> str:
    return "".join(dice.choices("abcdefghijklmnopqrstuvwxyz", k=24))


def of_cache(
    names: Sequence[str | None], texts: Sequence[str], created: Sequence[int | None]
) -> Honoured:
    reply_texts = [texts[n] if n in ALIKE else own(n) for n in range(10)]
    return honoured.cache(replies(CACHE, reply_texts, name=names, created=created))


IDS = [f"id-{n}" for n in range(10)]
TEXTS = [f"text {n}" for n in range(10)]
TIMES = [1000 + n for n in range(10)]


def test_different_replies_are_no_cache() -> None:
    result = of_cache(IDS, TEXTS, TIMES)
    assert (result.verdict, result.seen, result.of) == (Verdict.NOT_SHOWN, 0, 9)
    assert result.smallest == 0.37


def test_an_earlier_reply_sent_again_is_a_cache() -> None:
    names = ["first" if n in ALIKE else IDS[n] for n in range(10)]
    result = of_cache(names, ["same"] * 10, TIMES)
    assert (result.verdict, result.seen) == (Verdict.DIFFERS, 5)


def test_a_cache_with_new_ids_is_found_by_its_times() -> None:
    """By the gateway's own clock, the reply was made before another request was answered."""
    created = [1000 if n in ALIKE else TIMES[n] for n in range(10)]
    result = of_cache(IDS, ["same"] * 10, created)
    assert (result.verdict, result.seen) == (Verdict.DIFFERS, 4)


@pytest.mark.parametrize(
    ("names", "created"),
    [
        (["chatcmpl-1"] * 10, TIMES),  # an id that names nothing
        (IDS, [0] * 10),  # a time that says nothing
        ([None] * 10, [None] * 10),
        (IDS, [1000] * 10),  # all within a second
    ],
)
def test_ids_and_times_that_identify_no_reply_show_no_cache(
    names: list[str | None], created: list[int | None]
) -> None:
    """A model that gives the same answer each time cannot be distinguished from a cache."""
    result = of_cache(names, ["same"] * 10, created)
    assert (result.verdict, result.why) == (Verdict.NOT_ENOUGH, Why.ALIKE)


def test_the_word_of_another_request_in_two_replies_is_a_mix_up() -> None:
    reply_texts = [TEXTS[n] if n in ALIKE else own(n) for n in range(10)]
    reply_texts[OTHERS[1]] = own(OTHERS[0])
    once = honoured.cache(replies(CACHE, reply_texts, name=IDS))
    assert (once.verdict, once.why) == (Verdict.NOT_ENOUGH, Why.ONCE)
    reply_texts[OTHERS[3]] = own(OTHERS[2])
    assert honoured.cache(replies(CACHE, reply_texts, name=IDS)).verdict is Verdict.DIFFERS


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        ("alpha ", Verdict.NOT_SHOWN),
        ("alpha", Verdict.NOT_SHOWN),
        ("alpha {word}", Verdict.NOT_SHOWN),  # some servers leave the stop text in
        ("alpha {word}.", Verdict.NOT_SHOWN),
        ("alpha {word} beta", Verdict.DIFFERS),
        ("Sure! alpha {word} beta", Verdict.DIFFERS),
        ("alpha beta", Verdict.NOT_ENOUGH),  # a model that leaves the word out
        ("I cannot do that.", Verdict.NOT_ENOUGH),
    ],
)
def test_a_stop_string_is_honoured_if_no_reply_goes_past_it(reply: str, verdict: Verdict) -> None:
    reply_texts = [reply.format(word=own(n, STOP)) for n in range(3)]
    assert honoured.stop(replies(STOP, reply_texts)).verdict is verdict


def test_one_reply_past_its_stop_string_is_not_enough() -> None:
    reply_texts = [f"alpha {own(0, STOP)} beta", "alpha", "alpha"]
    result = honoured.stop(replies(STOP, reply_texts))
    assert (result.verdict, result.why) == (Verdict.NOT_ENOUGH, Why.ONCE)


@pytest.mark.parametrize(
    ("chars", "tokens", "thought", "verdict"),
    [
        (60, 16, None, Verdict.NOT_SHOWN),
        (60, 18, None, Verdict.NOT_SHOWN),  # one or two for the format
        (60, 400, 384, Verdict.NOT_SHOWN),  # thinking is not the reply
        (60, None, None, Verdict.NOT_SHOWN),
        (200, 40, None, Verdict.DIFFERS),
        (60, 400, None, Verdict.NOT_ENOUGH),  # nor is thinking that nobody states
        (900, 16, None, Verdict.DIFFERS),  # what is stated cannot be true
    ],
)
def test_max_tokens_is_honoured_if_no_reply_is_longer(
    chars: int, tokens: int | None, thought: int | None, verdict: Verdict
) -> None:
    result = honoured.cap(
        replies(CAP, ["x" * chars] * 3, cap=[16] * 3, completion_tokens=[tokens] * 3,
                reasoning_tokens=[thought] * 3)
    )  # fmt: skip
    assert result.verdict is verdict


def test_a_setting_that_is_refused_is_not_ignored() -> None:
    refusals = [Reply(n, None, refused=True) for n in range(3)]
    for result in (honoured.stop(refusals), honoured.cap(refusals)):
        assert (result.verdict, result.why) == (Verdict.NOT_ENOUGH, Why.REFUSED)


def drawn(question: int, heat: str, dice: Random, unsteady: float, ties: bool) -> str:
    """An answer to a question:

    a Zipf tail at temperature 1; at 0 the first, except for what is unsteady.
    """
    words = [f"w{question}-{rank}" for rank in range(8)]
    if heat == "cold" and dice.random() >= unsteady:
        return words[0]
    if heat == "cold" and ties:
        return words[dice.random() < 0.5]
    return dice.choices(words, [1 / (rank + 1) for rank in range(8)])[0]


def of_temperature(
    unsteady: float, dice: Random, questions: int = 6, lost: float = 0.0, ties: bool = False
) -> Honoured:
    """As the mode does: asked a second time where the first answers vary."""

    def cold() -> list[Asked]:
        asked = [n % questions for n in range(setting.COLD_ANSWERS)]
        return [
            Asked(q, None if dice.random() < lost else drawn(q, "cold", dice, unsteady, ties))
            for q in asked
        ]

    parts = [cold()]
    if honoured.restless(parts[0]):
        parts.append(cold())
    free = {q: [drawn(q, "warm", dice, 0, False) for _ in range(5)] for q in range(questions)}
    return honoured.temperature(parts, free, refused=False)


def test_a_temperature_that_is_ignored_differs() -> None:
    verdicts = [of_temperature(1.0, Random(n)).verdict for n in range(50)]
    assert verdicts.count(Verdict.DIFFERS) == 50


def test_the_smallest_share_that_the_temperature_test_names_is_detected() -> None:
    """In about nine of ten."""
    share = of_temperature(0.0, Random(1)).smallest
    assert share is not None and 0.3 <= share <= 0.9
    verdicts = [of_temperature(share, Random(n)).verdict for n in range(200)]
    assert verdicts.count(Verdict.DIFFERS) >= 150


def test_temperature_is_not_judged_by_half_of_its_requests() -> None:
    cold = [Asked(n % 6, f"w{n}") for n in range(60)]
    assert honoured.temperature([cold], {}, refused=False).why is Why.UNANSWERED


@pytest.mark.parametrize("unsteady", [0.0, 0.05, 0.2])
def test_an_unsteady_server_that_honours_temperature_is_not_accused(unsteady: float) -> None:
    verdicts = {of_temperature(unsteady, Random(n), lost=0.15).verdict for n in range(100)}
    assert verdicts <= {Verdict.NOT_SHOWN, Verdict.NOT_ENOUGH}  # the latter where a fifth is lost


@pytest.mark.slow
@pytest.mark.parametrize("questions", [3, 6])
def test_of_10000_honest_servers_at_the_tolerated_limit_one_in_a_thousand_alarms(
    questions: int,
) -> None:
    """Every fifth answer at temperature 0 is another: the most that is tolerated."""
    alarms = sum(
        of_temperature(0.2 * 8 / 5, Random(n), questions, ties=True).verdict is Verdict.DIFFERS
        for n in range(10_000)
    )
    assert alarms <= binom.ppf(0.999, 10_000, alpha.TEMPERATURE)


def test_temperature_is_not_judged_where_answers_never_vary() -> None:
    cold = [Asked(n % 3, "same") for n in range(60)]
    result = honoured.temperature([cold], {q: ["same"] * 4 for q in range(3)}, refused=False)
    assert (result.verdict, result.why) == (Verdict.NOT_ENOUGH, Why.ALIKE)


@pytest.mark.parametrize("refused", [True, False])
def test_a_refused_or_unanswered_temperature_is_not_judged(refused: bool) -> None:
    cold = [Asked(n % 6, None) for n in range(60)]
    result = honoured.temperature([cold], {0: ["a", "b"]}, refused=refused)
    assert result.verdict is Verdict.NOT_ENOUGH
    assert result.why is (Why.REFUSED if refused else Why.UNANSWERED)


def of_seed(dice: Random, unsteady: float, before: tuple[int, int] | None) -> Honoured:
    answers = [Asked(n % 6, drawn(n % 6, "cold", dice, unsteady, False)) for n in range(96)]
    reference = None if before is None else Seeded((0, 1, 2, 3, 4, 5), *before)
    return honoured.seed(answers, reference, refused=False)


def test_a_seed_is_judged_only_beside_a_reference() -> None:
    dice = Random(1)
    assert of_seed(dice, 1.0, None).why is Why.UNASKED
    verdicts = [of_seed(Random(n), 1.0, (0, 96)).verdict for n in range(30)]
    assert verdicts.count(Verdict.DIFFERS) >= 25
    assert {of_seed(Random(n), 0.1, (0, 96)).verdict for n in range(100)} == {Verdict.NOT_SHOWN}


def test_a_seed_that_the_reference_ignores_is_not_judged() -> None:
    results = {
        (one.verdict, one.why) for one in (of_seed(Random(n), 1.0, (54, 96)) for n in range(9))
    }
    assert results == {(Verdict.NOT_ENOUGH, Why.ALIKE)}
