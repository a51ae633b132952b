"""Flags for answers that do not match the request: another model, wrong usage. Pure.

model_mismatch   the reply names another model than the one asked for
usage_missing    a complete answer states no tokens
usage_unreadable it states a usage, but none of its names is known
usage_sum        total_tokens is neither prompt_tokens + completion_tokens nor, as some dialects
                 count, that and the reasoning or cached tokens beside them
usage_absurd     an impossible number: negative, absurdly large, or a part larger than its whole
usage_twice      an answer states its usage twice, and differently (of several in a stream the
                 largest complete one counts, of several names or places the first)
cost_unreadable  the stated cost is not a number, or is in another currency than the run's
cost_elsewhere   something that looks like a cost is beside the usage, where it is not read
finish_reason    it is missing or unknown, or `tool_calls` without a tool call
budget_spent     reasoning used up the whole output budget, so the requested words are missing
                 (if not even the reasoning is shown, this is the outcome)
tool_call_shape  a tool call that had to be repaired: no index or id, or arguments not a string
content_type     the body is not what its Content-Type says (it was read as what it is)
retry_after      the wait that a refusal states is not a time, or longer than a month
stated_time      a header states a time of the gateway or its upstream that is not a time, or
                 longer than the whole answer took
not_the_gateway  a proxy or firewall answered: its page, its text or its status

A flag does not change the outcome: the answer arrived, and the reader decides what it is worth.
Costs are judged over the whole run (analysis/numbers/outliers.py).
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from recording.json_values import Json, mapping
from tasks.finish_reasons import end_of
from tasks.prompts import Judgement
from tasks.reply import Message
from tasks.usage import COST_NAMES, MOST_TOKENS, Usage, beyond, unread_cost

_SHOWN_CHARS = 80

# What a name may carry and still be the same model: routing variants, vendors as Bedrock writes
# them, and at its end a date or a snapshot number.
_VARIANT = re.compile(r":(?:free|nitro|floor|online|extended|exacto|beta)$")
_VENDOR = re.compile(
    r"^(?:(?:us|eu|apac|global)\.)?"
    r"(?:ai21|amazon|anthropic|cohere|deepseek|google|meta|mistral|openai|qwen)\."
)
_VERSION = re.compile(
    r"(?:[-@:](?:latest|\d{4}-\d{2}-\d{2}|\d{2}-\d{2}|\d{2}-\d{4}|\d{8}|\d{6}|\d{4}|\d{3}"
    r"|v\d+:\d+))+$"
)
_NO_DATE = re.compile(r"-v\d+:\d+|\D")
_ROUTERS = frozenset(("auto",))


def flags(
    requested: str,
    message: Message,
    used: Usage,
    *,
    ok: bool,
    usage_said: Json | None = None,
    currency: str = "",
) -> dict[str, str]:
    """Each flag of an answer and why, e.g. `{"usage_sum": "total 9 is not 5 + 2"}`.

    `ok`: the answer is complete, so absent fields are missing. `usage_said` is its raw `usage`.
    """
    odd = dict(message.odd)
    raw_usage = usage_said or {}
    if message.model not in (None, requested) and not same_model(requested, message.model):
        odd["model_mismatch"] = (
            f"asked for {_shortened(requested)}, got {_shortened(message.model)}"
        )
    prompt, completion, total = (
        used.get("prompt_tokens"), used.get("completion_tokens"), used.get("total_tokens")
    )  # fmt: skip
    absurd = [*_absurd(message, used), *beyond(raw_usage)]
    if ok and not absurd and prompt is None and completion is None and total is None:
        if raw_usage and not COST_NAMES.issuperset(raw_usage):
            odd["usage_unreadable"] = f"usage of unknown names: {', '.join(list(raw_usage)[:8])}"
        else:
            odd["usage_missing"] = "the answer states no tokens"
    if None not in (prompt, completion, total) and total != (prompt or 0) + (completion or 0):
        beside = (used.get("tokens_beside") or "").split()
        counts: Mapping[str, Any] = used
        rest = sum(counts.get(f"{name}_tokens") or 0 for name in beside)
        if not beside or total != (prompt or 0) + (completion or 0) + rest:
            odd["usage_sum"] = f"total {total} is not {prompt} + {completion}"
    if used.get("cost_source") != "body" and (cost := unread_cost(raw_usage, currency)) is not None:
        odd["cost_unreadable"] = cost
    if absurd:
        odd["usage_absurd"] = ", ".join(absurd)
    if ok and (wrong := _reason(message)) is not None:
        odd["finish_reason"] = wrong
    return odd


def spent(message: Message | None, used: Usage) -> bool:
    """Whether a reply ended at its output budget without a visible word or a tool call."""
    if message is None or message.content or message.tool_calls:
        return False
    if end_of(message.finish_reason or "") != "cut":
        return False
    return used.get("completion_tokens") != 0


def combined(
    judgement: Judgement | None, flagged: dict[str, str], place: Mapping[str, int] | None = None
) -> tuple[str | None, str | None]:
    """The row's `check` and `check_detail`: the probe's verdict first, then the flags.

    `check` is words with spaces between, e.g. `pass usage_sum`. `check_detail` is the probe's JSON
    object; `place` (line and turn of own traffic) is in it, and with flags one more key, `flags`.
    """
    if not flagged and not place:
        return (None, None) if judgement is None else (judgement.check, judgement.detail)
    words, detail = list(flagged), dict[str, object](place or {})
    if judgement is not None:
        words.insert(0, judgement.check)
        try:
            detail.update(mapping(json.loads(judgement.detail)) or {"judge": judgement.detail})
        except ValueError:
            detail["judge"] = judgement.detail
    if flagged:
        detail["flags"] = flagged
    return " ".join(words) or None, json.dumps(detail, ensure_ascii=False)


def same_model(requested: str, returned: str) -> bool:
    """Whether two names can mean one model.

    Providers in front (`openai/gpt-4o`), a date that only one of them has (`gpt-4o-2024-08-06`),
    routing variants (`:free`) and capitals make no difference; two different dates, or any other
    word, do.
    """
    requested_name, returned_name = _name(requested), _name(returned)
    if requested_name == returned_name or requested_name in _ROUTERS:
        return True
    asked_version, got_version = _version(requested_name), _version(returned_name)
    if requested_name.removesuffix(asked_version) != returned_name.removesuffix(got_version):
        return False
    digits = [_NO_DATE.sub("", version) for version in (asked_version, got_version)]
    return "" in digits or digits[0] == digits[1]


def _name(model: str) -> str:
    last = model.strip().casefold().rsplit("/", 1)[-1]
    return _VENDOR.sub("", _VARIANT.sub("", last))


def _version(name: str) -> str:
    match = _VERSION.search(name)
    return match[0] if match is not None and match.start() else ""


def _absurd(message: Message, used: Usage) -> Iterator[str]:
    for name, value in used.items():
        most = MOST_TOKENS if name.endswith("_tokens") else math.inf
        if isinstance(value, int | float) and not 0 <= value <= most:
            yield f"{name} is {value}"
    prompt, completion = used.get("prompt_tokens"), used.get("completion_tokens")
    total, cached = used.get("total_tokens"), used.get("cached_tokens")
    reasoning = used.get("reasoning_tokens")
    beside = (used.get("tokens_beside") or "").split()
    if prompt == 0 and not (cached and "cached" in beside):
        yield "prompt_tokens is 0"
    if completion == 0 and not message.empty and "reasoning" not in beside:
        yield "completion_tokens is 0, and there is a reply"
    inside = "cached" not in beside and prompt is not None and cached is not None
    if inside and (cached or 0) > (prompt or 0) >= 0:
        yield f"{cached} of {prompt} prompt tokens are cached"
    if "reasoning" not in beside and completion is not None and reasoning is not None:
        # Some gateways count reasoning beside the completion, and into the total.
        counted = total is not None and total >= (prompt or 0) + completion + reasoning
        if reasoning > completion >= 0 and not counted:
            yield f"{reasoning} of {completion} completion tokens are reasoning"


def _reason(message: Message) -> str | None:
    if message.finish_reason is None:
        return "none is given"
    end = end_of(message.finish_reason)
    if end in (None, "filtered", "failed"):
        return _shortened(message.finish_reason)
    if end == "tools" and not message.tool_calls:
        return f"{message.finish_reason}, and there is no tool call"
    return None


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARS else text[: _SHOWN_CHARS - 1] + "…"
