"""How the bodies to one model are written, where gateways differ. Pure.

The operator decides (`--task-id`, `--output-budget-field`, `--stream-usage`, `--extra-body`), or
`auto` leaves it to the gateway: each body is the seed's until a refusal names a field.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from recording.body_change import BodyChange
from settings.options import Options

AUTO, HEADER, METADATA, OFF = "auto", "header", "metadata", "off"
TASK_HEADER = "X-Task-ID"
BUDGETS = ("max_tokens", "max_completion_tokens")


@dataclass(frozen=True, slots=True)
class BodyProfile:
    """How a model's bodies are written; the defaults are the seed's.

    `task_id`: empty (in the body of requests that are not streamed), or the place where it goes.
    `budget`: empty (the seed's field, or the one that a line of own traffic names), or the field
    for every output budget. `temperature`: whether the temperature of probes is sent.
    """

    task_id: str = ""
    budget: str = ""
    stream_usage: bool = True
    temperature: bool = True

    @classmethod
    def of(cls, options: Options) -> "BodyProfile":
        """The profile from the options."""
        task_id = options.task_id if options.task_id in (HEADER, METADATA, OFF) else ""
        budget = options.output_budget_field
        return cls(task_id, "" if budget == AUTO else budget, options.stream_usage != OFF)

    def after(self, change: BodyChange) -> "BodyProfile":
        """The profile after applying a change."""
        name, to = change.field, change.to
        if name == "task_id":
            return replace(self, task_id=to)
        if name in BUDGETS:
            return replace(self, budget=to)
        if name == "stream_options":
            return replace(self, stream_usage=False)
        return replace(self, temperature=False)


def change(
    name: str, ways: BodyProfile, options: Options, own_traffic: bool
) -> tuple[str, str] | None:
    """The old and new place of a refused field; None: we may not change it.

    Each field changes once. Values from the operator or from a line of own traffic
    (`own_traffic`) stay; only the name of an output budget may change in both, because it means
    the same.
    """
    if name in extra_body(options.extra_body):
        return None
    if name == "task_id" and options.task_id == AUTO and not ways.task_id:
        return "body", HEADER
    if name in BUDGETS and options.output_budget_field == AUTO and not ways.budget:
        return name, BUDGETS[1 - BUDGETS.index(name)]
    if name == "stream_options" and options.stream_usage == AUTO and ways.stream_usage:
        return "on", OFF
    if name == "temperature" and ways.temperature and not own_traffic:
        return "the probe's", OFF
    return None


def undecided(ways: BodyProfile, options: Options) -> bool:
    """Whether a refusal could still change a field that every body has."""
    return (
        change("task_id", ways, options, False) is not None
        or change("max_tokens", ways, options, False) is not None
        or change("stream_options", ways, options, False) is not None
    )


def way_of(change: BodyChange) -> str:
    """The result of a change, in a few words."""
    if change.field == "task_id":
        return f"the task_id in header {TASK_HEADER}"
    return change.to if change.field in BUDGETS else f"without {change.field}"


def task_line(task_id: str) -> bytes:
    """The header line with a request's task_id; invisible characters are percent-encoded."""
    safe = task_id if task_id.isascii() and task_id.isprintable() else quote(task_id, safe="/:,=+@")
    return f"{TASK_HEADER}: {safe}\r\n".encode()


# ---- --extra-body

FIXED = {
    "messages": "the mode, --prompts or --trace determine the prompt",
    "stream": "--stream decides whether to stream",
    "model": "--model names it",
    "max_tokens": "give --max-tokens",
    "max_completion_tokens": "give --max-tokens and --output-budget-field",
    "task_id": "each request has its own, and --task-id decides where it goes",
}
"""Fields that --extra-body may not set; `null` removes all but the first two."""


@lru_cache(maxsize=8)
def extra_body(text: str) -> Mapping[str, Any]:
    """The object of `--extra-body`; empty if absent or invalid (see `faults`)."""
    try:
        body = json.loads(text) if text.strip() else {}
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def faults(options: Options) -> Iterator[str]:
    """The faults of `--extra-body`, one sentence each."""
    text = options.extra_body
    if not text.strip():
        return
    try:
        body = json.loads(text)
        json.dumps(body, allow_nan=False, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        yield (
            f"--extra-body is not JSON ({error}): write an object such as "
            '\'{"reasoning_effort": "low"}\', in single quotes for the shell.'
        )
        return
    if not isinstance(body, dict):
        yield '--extra-body must be a JSON object, such as \'{"reasoning_effort": "low"}\'.'
        return
    for name in sorted(body.keys() & FIXED.keys()):
        if body[name] is not None:
            yield f"--extra-body sets {name}: remove it; {FIXED[name]}."
        elif name in ("messages", "stream"):
            yield f"--extra-body removes {name}, which every request needs: remove it."
    if body.get("n") not in (None, 1):
        yield (
            "--extra-body asks for several choices (n), but only one is read and judged: ask for 1."
        )
    removed = body.keys() & set(BUDGETS)
    if removed and (options.budget or options.budget_tokens):
        yield (
            "--extra-body removes the output budget, but --budget needs an upper limit for each "
            "request: keep it."
        )
