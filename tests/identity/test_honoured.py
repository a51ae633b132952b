"""Settings: an honest gateway is never accused, one that ignores them is, and one reply is none."""

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


def test_all_tests_share_one_percent() -> None:
    shares = (alpha.TEMPERATURE, alpha.SEED, alpha.CONTEXT, alpha.LOGPROBS, alpha.TOOLS)
    assert sum(share for _, share in LOOKS) + sum(shares) == pytest.approx(alpha.WHOLE)
    assert alpha.WHOLE == 0.01


@pytest.mark.parametrize(("k", "n", "rate"), [(0, 5, 0.2), (9, 36, 0.2), (36, 36, 0.9)])
def test_the_binomial_tail_is_scipys(k: int, n: int, rate: float) -> None:
    assert at_least(k, n, rate) == pytest.approx(binom.sf(k - 1, n, rate))


@pytest.mark.parametrize(("a", "n", "b", "m"), [(0, 24, 9, 24), (3, 40, 3, 12), (24, 24, 1, 24)])
def test_fishers_tail_is_scipys(a: int, n: int, b: int, m: int) -> None:
    table = [[b, m - b], [a, n - a]]
    assert fisher(a, n, b, m) == pytest.approx(fisher_exact(table, alternative="greater").pvalue)


def test_the_smallest_rate_is_found_with_90_percent() -> None:
    rate = smallest_rate(2, 9)
    assert rate is not None
    assert binom.sf(1, 9, rate) >= 0.9 > binom.sf(1, 9, rate - 0.01)
    assert smallest_rate(critical(lambda k: 1.0, 5, 0.01), 5) is None


def replies(scenario: str, said: Sequence[str | None], **stated: Sequence[Any]) -> list[Reply]:
    """Replies of a phase, and what each states."""
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
    said = [texts[n] if n in ALIKE else own(n) for n in range(10)]
    return honoured.cache(replies(CACHE, said, name=names, created=created))


IDS = [f"id-{n}" for n in range(10)]
TEXTS = [f"text {n}" for n in range(10)]
TIMES = [1000 + n for n in range(10)]


def test_replies_of_their_own_are_no_cache() -> None:
    found = of_cache(IDS, TEXTS, TIMES)
    assert (found.verdict, found.seen, found.of) == (Verdict.NOT_SHOWN, 0, 9)
    assert found.smallest == 0.37


def test_an_earlier_reply_again_is_a_cache() -> None:
    names = ["first" if n in ALIKE else IDS[n] for n in range(10)]
    found = of_cache(names, ["same"] * 10, TIMES)
    assert (found.verdict, found.seen) == (Verdict.DIFFERS, 5)


def test_a_cache_that_makes_new_ids_is_found_by_its_times() -> None:
    """A reply that was made before another request was answered, by the gateway's own clock."""
    created = [1000 if n in ALIKE else TIMES[n] for n in range(10)]
    found = of_cache(IDS, ["same"] * 10, created)
    assert (found.verdict, found.seen) == (Verdict.DIFFERS, 4)


@pytest.mark.parametrize(
    ("names", "created"),
    [
        (["chatcmpl-1"] * 10, TIMES),  # an id that names nothing
        (IDS, [0] * 10),  # a time that says nothing
        ([None] * 10, [None] * 10),
        (IDS, [1000] * 10),  # all within a second
    ],
)
def test_ids_and_times_that_name_no_reply_accuse_nobody(
    names: list[str | None], created: list[int | None]
) -> None:
    """A model that says the same each time is not told from a cache: nothing is said."""
    found = of_cache(names, ["same"] * 10, created)
    assert (found.verdict, found.why) == (Verdict.NOT_ENOUGH, Why.ALIKE)


def test_another_requests_word_in_two_replies_is_a_mix_up() -> None:
    said = [TEXTS[n] if n in ALIKE else own(n) for n in range(10)]
    said[OTHERS[1]] = own(OTHERS[0])
    once = honoured.cache(replies(CACHE, said, name=IDS))
    assert (once.verdict, once.why) == (Verdict.NOT_ENOUGH, Why.ONCE)
    said[OTHERS[3]] = own(OTHERS[2])
    assert honoured.cache(replies(CACHE, said, name=IDS)).verdict is Verdict.DIFFERS


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
def test_stop(reply: str, verdict: Verdict) -> None:
    said = [reply.format(word=own(n, STOP)) for n in range(3)]
    assert honoured.stop(replies(STOP, said)).verdict is verdict


def test_one_reply_past_its_stop_accuses_nobody() -> None:
    said = [f"alpha {own(0, STOP)} beta", "alpha", "alpha"]
    found = honoured.stop(replies(STOP, said))
    assert (found.verdict, found.why) == (Verdict.NOT_ENOUGH, Why.ONCE)


@pytest.mark.parametrize(
    ("chars", "tokens", "thought", "verdict"),
    [
        (60, 16, None, Verdict.NOT_SHOWN),
        (60, 18, None, Verdict.NOT_SHOWN),  # one or two for the format
        (60, 400, 384, Verdict.NOT_SHOWN),  # thinking is not the reply
        (60, None, None, Verdict.NOT_SHOWN),
        (200, 40, None, Verdict.DIFFERS),
        (900, 16, None, Verdict.DIFFERS),  # what is stated cannot be true
    ],
)
def test_cap(chars: int, tokens: int | None, thought: int | None, verdict: Verdict) -> None:
    found = honoured.cap(
        replies(CAP, ["x" * chars] * 3, cap=[16] * 3, completion_tokens=[tokens] * 3,
                reasoning_tokens=[thought] * 3)
    )  # fmt: skip
    assert found.verdict is verdict


def test_a_setting_that_is_refused_is_not_ignored() -> None:
    shown = [Reply(n, None, refused=True) for n in range(3)]
    for found in (honoured.stop(shown), honoured.cap(shown)):
        assert (found.verdict, found.why) == (Verdict.NOT_ENOUGH, Why.REFUSED)


def drawn(question: int, heat: str, dice: Random, unsteady: float, ties: bool) -> str:
    """A question's answer: a Zipf tail at 1; at 0 the first, but for what is unsteady."""
    words = [f"w{question}-{rank}" for rank in range(8)]
    if heat == "cold" and dice.random() >= unsteady:
        return words[0]
    if heat == "cold" and ties:
        return words[dice.random() < 0.5]
    return dice.choices(words, [1 / (rank + 1) for rank in range(8)])[0]


def of_temperature(
    unsteady: float, dice: Random, questions: int = 6, lost: float = 0.0, ties: bool = False
) -> Honoured:
    """As the mode asks: a second time where the first varies."""

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
    found = [of_temperature(1.0, Random(n)).verdict for n in range(50)]
    assert found.count(Verdict.DIFFERS) == 50


def test_what_it_would_have_shown_it_shows() -> None:
    """The smallest share that is named is found in about nine of ten."""
    share = of_temperature(0.0, Random(1)).smallest
    assert share is not None and 0.3 <= share <= 0.9
    found = [of_temperature(share, Random(n)).verdict for n in range(200)]
    assert found.count(Verdict.DIFFERS) >= 150


def test_half_of_what_was_to_be_asked_is_not_judged() -> None:
    cold = [Asked(n % 6, f"w{n}") for n in range(60)]
    assert honoured.temperature([cold], {}, refused=False).why is Why.UNANSWERED


@pytest.mark.parametrize("unsteady", [0.0, 0.05, 0.2])
def test_a_temperature_that_is_honoured_by_a_restless_server_is_none(unsteady: float) -> None:
    found = {of_temperature(unsteady, Random(n), lost=0.15).verdict for n in range(100)}
    assert found <= {Verdict.NOT_SHOWN, Verdict.NOT_ENOUGH}  # the latter where a fifth is lost


@pytest.mark.slow
@pytest.mark.parametrize("questions", [3, 6])
def test_of_10000_honest_servers_at_the_limit_a_thousandth_alarms(questions: int) -> None:
    """Every fifth answer at temperature 0 comes otherwise: the most that is tolerated."""
    alarms = sum(
        of_temperature(0.2 * 8 / 5, Random(n), questions, ties=True).verdict is Verdict.DIFFERS
        for n in range(10_000)
    )
    assert alarms <= binom.ppf(0.999, 10_000, alpha.TEMPERATURE)


def test_answers_that_are_alike_at_any_temperature_tell_nothing() -> None:
    cold = [Asked(n % 3, "same") for n in range(60)]
    found = honoured.temperature([cold], {q: ["same"] * 4 for q in range(3)}, refused=False)
    assert (found.verdict, found.why) == (Verdict.NOT_ENOUGH, Why.ALIKE)


@pytest.mark.parametrize("refused", [True, False])
def test_a_temperature_that_is_refused_or_not_answered_is_not_judged(refused: bool) -> None:
    cold = [Asked(n % 6, None) for n in range(60)]
    found = honoured.temperature([cold], {0: ["a", "b"]}, refused=refused)
    assert found.verdict is Verdict.NOT_ENOUGH
    assert found.why is (Why.REFUSED if refused else Why.UNANSWERED)


def of_seed(dice: Random, unsteady: float, before: tuple[int, int] | None) -> Honoured:
    answers = [Asked(n % 6, drawn(n % 6, "cold", dice, unsteady, False)) for n in range(96)]
    reference = None if before is None else Seeded((0, 1, 2, 3, 4, 5), *before)
    return honoured.seed(answers, reference, refused=False)


def test_a_seed_is_judged_beside_a_reference_alone() -> None:
    dice = Random(1)
    assert of_seed(dice, 1.0, None).why is Why.UNASKED
    found = [of_seed(Random(n), 1.0, (0, 96)).verdict for n in range(30)]
    assert found.count(Verdict.DIFFERS) >= 25
    assert {of_seed(Random(n), 0.1, (0, 96)).verdict for n in range(100)} == {Verdict.NOT_SHOWN}


def test_a_seed_that_the_reference_does_not_honour_tells_nothing() -> None:
    found = {
        (one.verdict, one.why) for one in (of_seed(Random(n), 1.0, (54, 96)) for n in range(9))
    }
    assert found == {(Verdict.NOT_ENOUGH, Why.ALIKE)}
