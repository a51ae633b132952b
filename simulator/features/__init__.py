"""Features that work, are ignored, refused, wrong or broken, as a profile's `[features]` says.

    [features]
    stop = "ignored"
    "tool.parallel.stream" = "wrong"

The ids are those of the compatibility checks. Features that are not named work; a gateway where all
of them work does no extra work. To add a feature, add it to `table.FEATURES`; if it can go wrong,
add how to `wrong`.
"""

from collections.abc import Mapping
from typing import Any

from simulator.answer import Answer
from simulator.chat_request import ChatRequest
from simulator.features import uses, wrong
from simulator.features.table import FEATURES, states
from simulator.fields import BadRequest

STATES = ("works", "ignored", "refused", "wrong", "broken")
_UNSUPPORTED = "unsupported_parameter"


class FeatureError(Exception):
    """Raised for an unknown feature or state."""


def parse(table: Mapping[str, Any]) -> Mapping[str, str]:
    """The features that do not work, from a profile's table. Raises FeatureError."""
    for name, state in table.items():
        if name not in FEATURES:
            raise FeatureError(f"unknown feature {name!r}; known: {', '.join(FEATURES)}")
        if state not in (known := states(name)):
            raise FeatureError(f"feature {name} cannot be {state!r}; it can be {', '.join(known)}")
    return {name: state for name, state in table.items() if state != "works"}


def touch(
    features: Mapping[str, str],
    data: dict[str, Any],
    used: dict[str, str],
    surface: str = "chat",
    reasons: bool = False,
) -> None:
    """Records in `used` which of the features this request uses, and drops ignored ones from it.

    `surface`: chat, responses, embeddings or files. `reasons`: whether the model reasons. Raises
    BadRequest if a feature is refused or broken.
    """
    # Test all features before any of them changes the body.
    if surface == "chat" and not uses.well_formed(data):
        return
    known = [(name, FEATURES[name]) for name in features]
    names = [name for name, f in known if f.surface == surface and f.uses(data)]
    for name in names:
        if name == "reasoning.apart" and not reasons:
            continue
        feature, state = FEATURES[name], features[name]
        used[name] = state
        if state in feature.elsewhere:
            continue
        if state == "refused":
            param = feature.param
            if name == "error.field":
                param = next(key for key in data if feature.uses({key: data[key]}))
            message = f"Unsupported parameter: '{param}' is not supported here ({name})."
            raise BadRequest(message, param, _UNSUPPORTED)
        if state == "broken":
            raise broken()
        if state == "ignored" and feature.ignore is not None:
            feature.ignore(data)
        elif state == "wrong" and name in wrong.REQUEST:
            wrong.REQUEST[name](data)


def broken(status: int = 500) -> BadRequest:
    """The error of a gateway that breaks."""
    return BadRequest("The server had an error.", None, None, status, "server_error")


def spoil_answer(used: Mapping[str, str], answer: Answer, request: ChatRequest) -> None:
    """Changes an answer in place as the features that go wrong demand."""
    if used.get("reasoning.apart") == "ignored":
        wrong.thoughts_hidden(answer)
    for name, state in used.items():
        if state == "wrong" and name in wrong.ANSWER:
            wrong.ANSWER[name](answer, request)


def spoil_bodies(used: Mapping[str, str], bodies: list[dict[str, Any]], stream: bool) -> None:
    """Changes a reply's body, or a stream's chunks, in place in the same way."""
    for name, state in used.items():
        if state == "wrong" and name in wrong.BODY:
            wrong.BODY[name](bodies, stream)


def spoils_bodies(used: Mapping[str, str]) -> bool:
    """Whether `spoil_bodies` would change anything."""
    return any(state == "wrong" and name in wrong.BODY for name, state in used.items())
