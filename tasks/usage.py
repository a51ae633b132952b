"""Reads tokens and cost of an answer in every known dialect. Pure.

Sources: OpenAI's API reference (usage), OpenRouter (usage.cost, is_byok, cost_details), xAI
(cost_in_usd_ticks, reasoning beside the completion), LiteLLM (x-litellm-response-cost), DeepSeek
(prompt_cache_hit_tokens), Anthropic (input_tokens, cache_*_input_tokens), Google (usageMetadata),
Bedrock (inputTokens, inputTokenCount), Cohere (meta.tokens), Groq (x_groq.usage), Moonshot
(choices[0].usage, cached_tokens), Perplexity (cost.total_cost), DeepInfra (estimated_cost). A field
that is absent or of the wrong type is None: unknown, never 0.
"""

from collections.abc import Iterator, Mapping
from itertools import product
from typing import TypedDict

from recording.json_values import Json, as_json, at, first, mapping, numeric, whole_number
from tasks.amount import accepted, amount, other_unit


class Usage(TypedDict, total=False):
    """Tokens and cost of one exchange, named as the record names them."""

    prompt_tokens: int | None
    completion_tokens: int | None
    total_tokens: int | None
    cached_tokens: int | None
    cache_write_tokens: int | None
    reasoning_tokens: int | None
    tokens_beside: str | None
    api_cost: float | None
    header_cost: float | None
    upstream_cost: float | None
    cost_source: str


COUNTS: dict[str, tuple[str, ...]] = {
    "prompt_tokens": ("prompt_tokens", "input_tokens", "inputTokens", "promptTokens",
                      "promptTokenCount", "prompt_token_count", "inputTokenCount",
                      "input_token_count", "prompt_eval_count"),
    "completion_tokens": ("completion_tokens", "output_tokens", "outputTokens",
                          "completionTokens", "candidatesTokenCount", "candidates_token_count",
                          "completion_token_count", "outputTokenCount", "output_token_count",
                          "eval_count"),
    "total_tokens": ("total_tokens", "totalTokens", "totalTokenCount", "total_token_count"),
    "cached_tokens": ("prompt_cache_hit_tokens", "cache_read_input_tokens",
                      "cacheReadInputTokens", "cached_tokens", "cachedContentTokenCount",
                      "cached_content_token_count"),
    "cache_write_tokens": ("cache_write_tokens", "cache_creation_tokens",
                           "cache_creation_input_tokens", "cacheWriteInputTokens"),
    "reasoning_tokens": ("reasoning_tokens", "reasoningTokens", "thoughtsTokenCount",
                         "thoughts_token_count"),
}  # fmt: skip
"""Each count's names, OpenAI's first."""
IN_DETAIL = {
    "cached_tokens": (("prompt_tokens_details", "input_tokens_details"), ("cached_tokens",)),
    "cache_write_tokens": (
        ("prompt_tokens_details", "input_tokens_details"),
        ("cache_write_tokens", "cache_creation_tokens", "cache_creation_input_tokens"),
    ),
    "reasoning_tokens": (
        ("completion_tokens_details", "output_tokens_details"), ("reasoning_tokens",)
    ),
}  # fmt: skip
_BESIDE = ("cache_read_input_tokens", "cacheReadInputTokens")
"""Anthropic's and Bedrock's names: these counts are not part of the input tokens."""
COSTS = ("cost", "total_cost", "estimated_cost", "cost_usd", "total_cost_usd")
_TICKS = "cost_in_usd_ticks"
_IN_USD = frozenset(("cost_usd", "total_cost_usd", _TICKS, "usd", "total_usd"))
"""Names that contain the unit: they are not used for runs in another currency."""
_CURRENCY = ("currency", "cost_currency")
COST_NAMES = frozenset((*COSTS, *_CURRENCY, _TICKS, "cost_details", "is_byok"))
MOST_TOKENS = 100_000_000
"""No request has more; a higher count is not believed and is left out of every sum."""
_IN_COST = ("total_cost", "total", "amount", "value", "usd", "total_usd")
"""Fields of `usage` with the cost, and those of an object there (Perplexity's `total_cost`)."""
_PARTS = frozenset(
    f"{side}{tokens}{cost}"
    for side in ("input", "output", "prompt", "completion", "cache_read", "cache_write", "cached")
    for tokens in ("", "_tokens")
    for cost in ("", "_cost")
)
_COST_HEADER = "x-litellm-response-cost"
_SHOWN_CHARS = 80
_TICKS_PER_USD = 10_000_000_000


_BESIDE_USAGE = ("billing", "meta", "metadata", "extra")
"""Objects besides usage in which a gateway may state a cost."""
_ENVELOPES = ("meta", "data", "result", "response")
"""Places of a `usage` one level down."""


def stated_usage(body: Json) -> Json:
    """The `usage` of a body or chunk: the first of `_places`, and Cohere's `tokens` in it."""
    used = body.get("usage") or next(_elsewhere(body), None)
    return _opened(mapping(used))


def _elsewhere(body: Json) -> Iterator[object]:
    """Each `usage` that does not stand in its usual place: Groq's, its first choice's (Moonshot),
    Google's, Bedrock's, in an envelope, and Cohere's `meta.tokens` (what was counted; its
    `billed_units` may be fewer)."""
    if "x_groq" in body and (used := mapping(body["x_groq"]).get("usage")):
        yield used
    choices = body.get("choices")
    if isinstance(choices, list) and choices and (used := mapping(choices[0]).get("usage")):
        yield used
    for name in ("usageMetadata", "usage_metadata", "amazon-bedrock-invocationMetrics"):
        if name in body and (used := body[name]):
            yield used
    for name in _ENVELOPES:
        if name in body and isinstance(inner := body[name], dict):
            for place in ("usage", "usageMetadata", *(("tokens",) if name == "meta" else ())):
                if isinstance(used := inner.get(place), dict) and used:
                    yield used


def _opened(used: Json) -> Json:
    tokens = used.get("tokens")
    return {**tokens, **used} if isinstance(tokens, dict) else used


def contradiction(body: Json) -> str | None:
    """A description of a count that one answer states twice with different values; None: there is
    none.

    By another name or in another place. A 0 may stand for "not counted here", and two that differ
    by the cached, written or reasoning tokens count by two conventions: neither is told.
    """
    places = [_opened(mapping(used)) for used in (body.get("usage"), *_elsewhere(body)) if used]
    parts = [{0, *(n for used in places for n in _counted(used, name))} for name in IN_DETAIL]
    known = {sum(chosen) for chosen in product(*parts)}
    for name in ("prompt_tokens", "completion_tokens", "total_tokens"):
        counts = {n for used in places for n in _counted(used, name) if n > 0}
        if len(counts) > 1 and max(counts) - min(counts) not in known:
            return f"{name} is {' and '.join(map(str, sorted(counts)[:4]))}"
    return None


def count(used: Json, name: str) -> int | None:
    """One of the six counts of a `usage`, in any dialect."""
    value = used.get(name)  # as OpenAI names it, nearly always
    if type(value) is not int or name in IN_DETAIL:
        value = next(_counted(used, name), None)
    return value if value is None or abs(value) <= MOST_TOKENS else None


def beyond(used: Json) -> list[str]:
    """The counts of a `usage` that are too large to believe, in words."""
    if _small(used):
        return []
    counts = ((name, next(_counted(used, name), None)) for name in COUNTS)
    return [f"{name} is {n}" for name, n in counts if n is not None and abs(n) > MOST_TOKENS]


def _small(used: Json) -> bool:
    """Whether no number in it can be past counting: looked at before each count is sought."""
    for value in used.values():
        if isinstance(value, dict):
            if not _small(value):
                return False
        elif isinstance(value, str) or isinstance(value, int | float) and abs(value) > MOST_TOKENS:
            return False
    return True


def _counted(used: Json, name: str) -> Iterator[int]:
    groups, names = IN_DETAIL.get(name, ((), ()))
    for group in groups:
        detail = used.get(group)
        if isinstance(detail, dict):
            for inner in names:
                if (value := _number(detail.get(inner))) is not None:
                    yield value
    for alias in COUNTS[name]:
        if alias in used and (value := _number(used[alias])) is not None:
            yield value


def _number(value: object) -> int | None:
    """A whole number of any length: what no column can hold is to be told, not overlooked."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 100:
        return int(value)
    return None


def unread_cost(used: Json, currency: str = "") -> str | None:
    """A stated cost that cannot be read, and why; None: there is none."""
    names = [name for name in (*COSTS, _TICKS) if used.get(name) not in (None, "", {})]
    if not names or _cost(used, currency) is not None:
        return None
    value = used[names[0]]
    value_text = as_json(value)
    value_text = (
        value_text if len(value_text) <= _SHOWN_CHARS else value_text[: _SHOWN_CHARS - 1] + "…"
    )
    unit = currency or "USD"
    if names[0] in _IN_USD and not accepted("USD", currency):
        return (
            f"the cost {names[0]} {value_text} is in USD, not in {unit}: if it is not, say "
            f"--cost-field usage.{names[0]}"
        )
    if _foreign(used, currency) or other_unit(value, currency):
        return f"the cost {value_text} is not in {unit}: --currency says what the costs are in"
    return f"the cost {value_text} is no number"


def cost_elsewhere(body: Json, currency: str = "") -> str | None:
    """A value besides the `usage` that looks like a cost and is not read; None: there is none.

    It may be credits, cents or a balance, which only the operator knows.
    """
    for where in ("", *_BESIDE_USAGE):
        place = mapping(body.get(where)) if where else body
        for name in COSTS:
            if (cost := amount(place.get(name), currency)) is not None:
                path = f"{where}.{name}" if where else name
                return f"{path} is {cost:g} and is not read: if it is the cost, --cost-field {path}"
    return None


def usage(
    body: Json, headers: Mapping[str, str], *, ok: bool, cost_field: str = "", currency: str = ""
) -> Usage:
    """Tokens and cost from a body's `usage` and the answer's headers (names in lower case).

    `cost_field`, a path in the body or a header's name, comes before the usual places. The body's
    cost wins over the header's; both are kept. A header's 0 counts only on a success (`ok`): on an
    error LiteLLM says "0" without knowing. A cost in another currency than `currency` is unknown.
    """
    used = stated_usage(body)
    in_body = first(money(at(body, cost_field), currency), _cost(used, currency))
    in_header = first(
        *(amount(headers.get(n), currency) for n in (cost_field.lower(), _COST_HEADER))
    )
    if not ok and not in_header:
        in_header = None
    cost = in_body if in_body is not None else in_header
    source = "body" if in_body is not None else "header" if cost is not None else "unknown"
    result: Usage = {
        "prompt_tokens": count(used, "prompt_tokens"),
        "completion_tokens": count(used, "completion_tokens"),
        "total_tokens": count(used, "total_tokens"),
        "cached_tokens": count(used, "cached_tokens"),
        "cache_write_tokens": count(used, "cache_write_tokens"),
        "reasoning_tokens": count(used, "reasoning_tokens"),
        "api_cost": cost,
        "header_cost": in_header,
        "upstream_cost": _upstream(used),
        "cost_source": source,
    }
    result["tokens_beside"] = " ".join(_beside(result, used)) or None
    return result


def money(value: object, currency: str = "") -> float | None:
    """A cost: an amount, or an object with its total, or of nothing but the parts we know."""
    if not isinstance(value, dict):
        return amount(value, currency)
    if _foreign(value, currency):
        return None
    value = {name: part for name, part in value.items() if name not in _CURRENCY}
    total = first(*(amount(value.get(name), currency) for name in _in_unit(_IN_COST, currency)))
    if total is not None or not value or not _PARTS.issuperset(value):
        return total
    parts = [amount(part, currency) for part in value.values()]
    return None if None in parts else sum(part for part in parts if part is not None)


def _foreign(used: Json, currency: str) -> bool:
    """Whether a cost's neighbour names another currency than the run's."""
    named = (used.get(name) for name in _CURRENCY)
    return any(isinstance(name, str) and name and not accepted(name, currency) for name in named)


def _cost(used: Json, currency: str = "") -> float | None:
    if _foreign(used, currency):
        return None
    stated_cost = first(*(money(used.get(name), currency) for name in _in_unit(COSTS, currency)))
    if stated_cost is not None or _TICKS not in used or not accepted("USD", currency):
        return stated_cost
    ticks = numeric(used[_TICKS])
    return None if ticks is None else ticks / _TICKS_PER_USD


def _in_unit(names: tuple[str, ...], currency: str) -> tuple[str, ...]:
    """The names whose amount may be in the run's currency."""
    if not currency or accepted("USD", currency):
        return names
    return tuple(name for name in names if name not in _IN_USD)


def _upstream(used: Json) -> float | None:
    """What the provider charges to the operator's own key, which the gateway's cost leaves out."""
    if used.get("is_byok") is not True:
        return None
    return numeric(mapping(used.get("cost_details")).get("upstream_inference_cost"))


def _beside(result: Usage, used: Json) -> list[str]:
    """The counts that are not included in their total, as the total or the dialect's names show."""
    prompt, completion, total = (
        result["prompt_tokens"], result["completion_tokens"], result["total_tokens"]
    )  # fmt: skip
    reasoning, cached = result["reasoning_tokens"] or 0, result["cached_tokens"] or 0
    written = result["cache_write_tokens"] or 0
    if prompt is None or completion is None or min(prompt, completion) < 0:
        return []
    rest = None if total is None else total - prompt - completion
    if rest:
        for parts in _SUMS:
            values = {"reasoning": reasoning, "cached": cached, "cache_write": written}
            if all(values[part] > 0 for part in parts) and rest == sum(
                values[part] for part in parts
            ):
                return list(parts)
        return []
    names = []
    if rest is None and reasoning > completion:
        names.append("reasoning")
    if cached > prompt and any(whole_number(used.get(name)) == cached for name in _BESIDE):
        names.append("cached")
        if written:
            names.append("cache_write")
    return names


_SUMS = (
    ("reasoning",), ("cached",), ("cached", "cache_write"), ("cache_write",),
    ("reasoning", "cached"), ("reasoning", "cached", "cache_write"),
)  # fmt: skip


class Usages:
    """The usage of one stream, which several chunks may state.

    The rule: the largest complete one counts (prompt and completion tokens known; the largest sum
    of both, of equals the one of the larger cost, then the later one), and what it leaves out is
    taken from the others, the later first. `differs` says where a later one stated less, or
    where two after the end of the answer are not the same.
    """

    def __init__(self) -> None:
        self.differs: str | None = None
        self._best: Json = {}
        self._rank: tuple[int, float] = (-1, 0.0)
        self._rest: Json = {}
        self._last: tuple[int, int] | None = None
        self._final: tuple[int, int] | None = None

    def add(self, used: Json, *, after_end: bool) -> None:
        """Add the usage of one chunk; `after_end`: its answer had ended, or ends in it."""
        known = {name: value for name, value in used.items() if value is not None}
        self._rest = {**self._rest, **known}
        prompt, completion = count(known, "prompt_tokens"), count(known, "completion_tokens")
        if prompt is None or completion is None:
            return
        pair = (prompt, completion)
        rank = (prompt + completion, _cost(known) or 0.0)
        if rank >= self._rank:
            self._best, self._rank = known, rank
        if pair == (0, 0) and self._last is None:
            return  # a placeholder: nothing was counted yet
        before = self._final or self._last
        less = self._last is not None and (prompt < self._last[0] or completion < self._last[1])
        if before is not None and (less or (self._final is not None and pair != self._final)):
            self.differs = f"first {before[0]} + {before[1]} tokens, then {prompt} + {completion}"
        self._last = pair
        if after_end:
            self._final = pair

    @property
    def merged(self) -> Json:
        """The usage that counts; empty if none was stated."""
        return {**self._rest, **self._best}
