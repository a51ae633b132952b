"""Whether tools are called as at the reference, by fixed prompts that give the arguments. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from compat.bodies import function
from identity import alpha
from identity.called import Called
from identity.looks import LEAST_ANSWERED, Verdict
from identity.tail import critical, fisher, smallest_rate

SCENARIO = "tools"
ROUNDS, OUTPUT_TOKENS = 15, 160
_TOOL = function(
    "reserve",
    {
        "cart": {"type": "string"},
        "hours": {"type": "integer"},
        "load": {
            "type": "object",
            "properties": {
                "kind": {"type": "string", "enum": ["sand", "gravel", "salt"]},
                "weights": {"type": "array", "items": {"type": "number"}},
            },
            "required": ["kind", "weights"],
            "additionalProperties": False,
        },
    },
    about="Reserve a cart for so many hours, with its load.",
)
TOOLS = [_TOOL]
WANTED: tuple[dict[str, Any], ...] = (
    {"cart": "north-7", "hours": 3, "load": {"kind": "sand", "weights": [12.5, 8]}},
    {"cart": 'the "old" one', "hours": 11, "load": {"kind": "salt", "weights": []}},
    {"cart": "称重车 4", "hours": 1, "load": {"kind": "gravel", "weights": [1, 2, 3, 4, 5, 6]}},
    {"cart": "a\\b/c", "hours": 240, "load": {"kind": "sand", "weights": [0.001, 99999]}},
)


class Why(StrEnum):
    """Why nothing is said."""

    UNANSWERED = "too few replies"
    UNASKED = "the reference was not asked"
    UNABLE = "the reference calls them wrongly, too"


class Reply(NamedTuple):
    """A reply: whether it calls the tool by its schema, and with the arguments that were given."""

    valid: bool
    exact: bool


@dataclass(frozen=True, slots=True)
class Fidelity:
    """`invalid` and `inexact` of `replies` calls, here and at the reference (`before`). `p` is the
    smaller of both tests', doubled. `smallest`: the share of wrong calls that would have shown."""

    verdict: Verdict
    invalid: int
    inexact: int
    replies: int
    before: Called | None = None
    why: Why | None = None
    p: float | None = None
    smallest: float | None = None


def prompt(index: int) -> str:
    """What request `index` says."""
    arguments = json.dumps(WANTED[index % len(WANTED)], ensure_ascii=False)
    return f"Call reserve with {arguments}"


def fact(index: int, calls: Sequence[Mapping[str, Any]]) -> dict[str, bool]:
    """What the calls of a reply show."""
    reply = _reply_of(WANTED[index % len(WANTED)], calls)
    return {"valid": reply.valid, "exact": reply.exact}


def _reply_of(expected: Mapping[str, Any], calls: Sequence[Mapping[str, Any]]) -> Reply:
    called = calls[0].get("function") if len(calls) == 1 else None
    if not isinstance(called, Mapping) or called.get("name") != "reserve":
        return Reply(False, False)
    try:
        arguments = json.loads(called.get("arguments") or "")
    except (TypeError, ValueError, RecursionError):
        return Reply(False, False)
    return Reply(_fits(arguments), arguments == expected)


def _fits(arguments: Any) -> bool:
    """Whether the arguments are those of the schema."""
    import jsonschema  # not above: it takes 0.15 s, and most runs do without

    schema = _TOOL["function"]["parameters"]
    return bool(jsonschema.Draft202012Validator(schema).is_valid(arguments))


def counted(replies: Sequence[Reply]) -> Called:
    """What a reference keeps."""
    return Called(
        sum(not one.valid for one in replies), sum(not one.exact for one in replies), len(replies)
    )


def judge(
    reference: Called | None, replies: Sequence[Reply], requests: int, models: int = 1
) -> Fidelity:
    """Whether more calls are invalid, or not exact, than at the reference: Fisher's exact test of
    each, at half of the share."""
    here = counted(replies)

    def result(verdict: Verdict, why: Why | None = None, **rest: Any) -> Fidelity:
        return Fidelity(verdict, here.invalid, here.inexact, here.replies, reference, why, **rest)

    if reference is None or not reference.replies:
        return result(Verdict.NOT_ENOUGH, Why.UNASKED)
    if not replies or len(replies) < LEAST_ANSWERED * requests:
        return result(Verdict.NOT_ENOUGH, Why.UNANSWERED)
    reference_replies, of = reference.replies, here.replies
    share = alpha.of_each(alpha.TOOLS, models)

    def p_of(before: int, k: int) -> float:
        return min(1.0, 2 * fisher(before, reference_replies, k, of))

    p = min(p_of(reference.invalid, here.invalid), p_of(reference.inexact, here.inexact))
    if p <= share:
        return result(Verdict.DIFFERS, p=p)
    needed = critical(lambda k: p_of(reference.inexact, k), of, share)
    smallest = smallest_rate(needed, of)
    if smallest is None:
        return result(Verdict.NOT_ENOUGH, Why.UNABLE)
    return result(Verdict.NOT_SHOWN, p=p, smallest=smallest)
