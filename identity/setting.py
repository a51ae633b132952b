"""Settings of a request that a gateway may ignore, and the requests that show it. Pure.

Each asks for what can only come where the setting is honoured, or cannot come where it is.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from hashlib import sha256
from typing import Any

from compat.bodies import reply_exactly
from compat.check import Setting as Nonces
from identity.bank import OUTPUT_TOKENS


class Setting(StrEnum):
    """In the order of their price. Its value is the field of the body that the operator may have
    set himself: then nothing is asked."""

    CACHE = "cache"
    STOP = "stop"
    CAP = "max_tokens"
    TEMPERATURE = "temperature"
    SEED = "seed"


PREFIX = "setting-"
CACHE, STOP, CAP = f"{PREFIX}cache", f"{PREFIX}stop", f"{PREFIX}cap"
WARM, COLD, COLD_MORE = f"{PREFIX}warm", f"{PREFIX}cold", f"{PREFIX}cold-more"
FREE, SEED = f"{PREFIX}free", f"{PREFIX}seed"
"""The scenarios of their phases. A refusal is an answer there."""
ALIKE = (0, 3, 6, 7, 8, 9)
"""Of the requests of the phase CACHE: those that are one and the same, byte for byte; the others
ask for a word of their own, between them."""
COUNTS: Mapping[str, int] = {CACHE: 10, STOP: 3, CAP: 3}
WARM_QUESTIONS = range(30)
"""Of identity.bank.BANK, by twos: what many answers are right to."""
WARM_ROUNDS, FREE_ROUNDS, SEED_ROUNDS = 2, 5, 16
COLD_QUESTIONS, SEED_QUESTIONS, LEAST_VARIED = 6, 6, 3
COLD_ANSWERS = 60
SEED_SENT = 7
STOP_TOKENS = 24
_LETTERS = "Write 24 letters of the alphabet in random order, nothing else."
_STORY = "Tell me a long story about a cart called"


def prompt(scenario: str, index: int, run: str, model: str) -> str:
    """What request `index` says; its words are other ones in every run."""
    if scenario == CACHE:
        return _LETTERS if index in ALIKE else reply_exactly(word(scenario, index, run, model))
    nonce = word(scenario, index, run, model)
    return reply_exactly(f"alpha {nonce} beta") if scenario == STOP else f"{_STORY} {nonce}."


def fields(scenario: str, index: int, run: str, model: str) -> dict[str, Any]:
    """What its body has besides."""
    if scenario == CACHE:
        return {"temperature": 1}
    return {"stop": [word(scenario, index, run, model)]} if scenario == STOP else {}


def word(scenario: str, index: int, run: str, model: str) -> str:
    """A nonce such as KORVAL-4821."""
    return Nonces(model, seed=run).word("identity", scenario, index)


def fact(scenario: str, index: int, run: str, model: str, text: str) -> dict[str, Any]:
    """What a reply shows, without its words."""
    if scenario == CACHE:
        places = [n for n in range(COUNTS[CACHE]) if n not in ALIKE]
        marks = [n for n in places if word(scenario, n, run, model) in text]
        digest = sha256(text.encode("utf-8", "replace")).hexdigest()[:16]
        return {"marks": marks} | ({"digest": digest} if index in ALIKE else {})
    if scenario == STOP:
        return {"stop": _stopped(word(scenario, index, run, model), text)}
    return {"chars": len(text)}


def _stopped(nonce: str, text: str) -> str:
    before, at_nonce, after = text.partition(nonce)
    if at_nonce:
        return "past" if after.strip(" .\"'`*") else "left"
    return "kept" if "alpha" in before and "beta" not in before else "unlike"


def output_tokens(scenario: str) -> int:
    """At most, of each reply."""
    return STOP_TOKENS if scenario == STOP else OUTPUT_TOKENS


def chosen(strays: Mapping[int, int]) -> Sequence[int]:
    """The questions to ask at temperature 0: those that had the most different answers at 1; none
    where too few had any."""
    varied = sorted((-n, question) for question, n in strays.items() if n)
    questions = [question for _, question in varied[:COLD_QUESTIONS]]
    return questions if len(questions) >= LEAST_VARIED else []
