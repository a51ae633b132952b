"""Suggestions from the free check of a gateway about its address and models. Pure.

A base URL without its `/v1`, or a model's name with a letter too few, answers HTTP 404 to every
request. GET /models shows the mistake and costs nothing. Lists of models are often incomplete, so a
missing model causes a warning, never a refusal.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from recording.json_values import mapping
from recording.untrusted_text import quoted
from settings.address import MODEL, Address
from tasks.answer_flags import same_model

_NEAR = 3
_SHOWN = 5
_MOST = 10_000  # models that are looked at


@dataclass(frozen=True, slots=True)
class Doubt:
    """One doubt from the check: `kind` is `base_url` or `model`, `asked` the given value, `near`
    the probable alternatives, likeliest first. Without any, `listed` begins the gateway's list.
    """

    kind: str
    asked: str
    near: tuple[str, ...]
    listed: tuple[str, ...] = ()

    def __str__(self) -> str:
        """The doubt in one sentence."""
        near = " or ".join(quoted(name, 80) for name in self.near)
        if self.kind == "base_url":
            return (
                f"{self.asked} has no /models, but {near} has: did you mean that as the base URL?"
            )
        sentence = f"the gateway does not list the model {quoted(self.asked, 80)}"
        if near:
            return f"{sentence}: did you mean {near}?"
        if not self.listed:
            return f"{sentence}: is its name right?"
        listed = ", ".join(quoted(name, 80) for name in self.listed)
        return f"{sentence}: is its name right? The list begins with {listed}."


def other_base(where: Address) -> Address | None:
    """The probable base URL of a gateway without /models at its address; None: none is likely."""
    if where.base.endswith("/v1") or MODEL in where.base:
        return None
    return Address(f"{where.base}/v1", where.query)


def listed(answer: object) -> list[str]:
    """The models that an answer to GET /models names: OpenAI's list, or a bare one."""
    entries = mapping(answer).get("data", mapping(answer).get("models", answer))
    if not isinstance(entries, list):
        return []
    names = [
        entry if isinstance(entry, str) else mapping(entry).get("id") for entry in entries[:_MOST]
    ]
    return [name for name in names if isinstance(name, str) and name]


def unlisted(model_names: Iterable[str], models: list[str]) -> list[Doubt]:
    """The models that a list of models does not have; none of a list that is empty."""
    doubts = []
    for model in dict.fromkeys(model_names):
        if not models or any(same_model(model, known) for known in models):
            continue
        folded = {name.casefold(): name for name in models}
        near = get_close_matches(model.casefold(), list(folded), n=_NEAR, cutoff=0.6)
        listed = () if near else tuple(models[:_SHOWN])
        doubts.append(Doubt("model", model, tuple(folded[name] for name in near), listed))
    return doubts
