"""docs/reference/dialects.md: what is understood in an answer, from the tables that read it."""

from rules.local_errors import LIMITS
from tasks.causes import CAUSES
from tasks.error_bodies import CODES, MESSAGES
from tasks.finish_reasons import WORDS
from tasks.proxy_pages import PROXY_STATUSES
from tasks.usage import COSTS, COUNTS, IN_DETAIL

_ENDS = {
    "finished": "the model finished: `ok`",
    "cut": "the output budget was used up: `ok`, or `budget_spent` if no text arrived",
    "tools": "the model calls a tool: `ok`",
    "filtered": "a content filter ended it: `filtered`, whatever had arrived",
    "failed": "the gateway says that it failed: `server_error`, in a stream `stream_error`",
}


def page() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *_reasons(), *_usage(), *_causes(), *_others(), *_machine(), ""])


def _names(words: object) -> str:
    return ", ".join(f"`{word}`" for word in words)  # type: ignore[attr-defined]


def _reasons() -> list[str]:
    rows = [f"| {_ENDS[end]} | {_names(words.split())} |" for end, words in WORDS.items()]
    return [_REASONS, "| what it means | finish reasons |", "|---|---|", *rows]


def _usage() -> list[str]:
    rows = []
    for column, names in COUNTS.items():
        groups, inner = IN_DETAIL.get(column, ((), ()))
        deeper = [f"{group}.{name}" for group in groups for name in inner]
        rows.append(f"| `{column}` | {_names([*deeper, *names])} |")
    rows.append(f"| `api_cost` | {_names([*COSTS, 'cost_in_usd_ticks'])} |")
    return [_USAGE, "| column | names in `usage`, in order of precedence |", "|---|---|", *rows]


def _causes() -> list[str]:
    rows = [f"| `{end.value}` | {_names(words.split())} |" for end, words in CAUSES.items()]
    head = [_CAUSED.format(messages=_names(MESSAGES), codes=_names(CODES))]
    return [*head, "| outcome | words in `type`, `code` or `reason` |", "|---|---|", *rows]


def _others() -> list[str]:
    rows = [f"| {status} | {meaning} |" for status, meaning in PROXY_STATUSES.items()]
    return [_FOREIGN, "| status | whose |", "|---|---|", *rows]


def _machine() -> list[str]:
    rows = [f"| `{name}` | {limit.en} | {limit.advice_en} |" for name, limit in LIMITS.items()]
    return [_OURS, "| errno | what ran out | what to do |", "|---|---|---|", *rows]


_HEAD = """# How answers are read

Gateways write the same thing in many ways. This page is generated from the tables that read them.
In `tests/tasks/test_gateway_shapes.py` a scripted server answers in each of these shapes, both to
the SDK's typed methods (mode smoke) and to its plain ones: both give the same row.

One parser reads streams with any line end (LF, CR, CRLF, mixed), with or without a byte order
mark, a last empty line, `[DONE]`, comments and event names. An error is recognised as an event,
as an event named `error`, as a line `error: {...}`, or as bare JSON. If the body is not what its
Content-Type says, it is read as what it is, and the row is flagged `content_type`.

By the standard, a line inside a stream with blanks or a byte order mark before its `data:` is not
data, and the SDK drops it silently; `data:  [DONE]` with two blanks makes the SDK fail. A program
would lose text or break, so both are `malformed`, and the row shows the line. A body in a content
coding that was not requested (zstd, unless the machine's Python has a library for it) is
`malformed` under HTTP 200; under any other status it keeps that status's outcome.

The simulator speaks dialects of this kind, so that you can try them: `python -m simulator
--dialect xai`, `anthropic-compat`, `byok` (your own provider key at OpenRouter) and `proxy`
(errors are pages).
"""
_REASONS = """
## Why it ended

Case and hyphens make no difference; if the reason is an object, its `type` is read.
Any other word is flagged `finish_reason` and does not change the outcome (Google documents OTHER
as "all other reasons").
"""
_USAGE = """
## Tokens and cost

`usage` is looked for in the body or chunk, in `x_groq`, in the first choice, as `usageMetadata`
or `amazon-bedrock-invocationMetrics`, and one level down in `meta`, `data`, `result` or
`response`. Cohere's `tokens` are read; its `billed_units` are not, because less may be billed
than was counted. If one answer states a count under two names or in two places, the first counts;
if the two contradict each other (and differ by more than the cached or reasoning tokens), the row
is flagged `usage_twice`. Of several usages in one stream, the largest complete one counts (prompt
and completion tokens known); what it omits is taken from the others, and if they contradict each
other the row is flagged `usage_twice`. A count above 100 million is flagged `usage_absurd` and
not believed. A usage in which all names are unknown is flagged `usage_unreadable`.

`tokens_beside` names the tokens that a dialect counts separately from the whole: `reasoning` if
the total is prompt + completion + reasoning (xAI, Google), `cached` and `cache_write` if the
prompt does not include them (Anthropic, Bedrock). This is not an alarm; the first page mentions
it once per model, and prices and hit rates take it into account.

A cost may be a number, a number as text with or without its currency (`$0.0012`, `0.0012 USD`,
`1,234.5`; `1,234` is ambiguous and is not read), an object with `total_cost`, `total` or its
parts, or xAI's ticks (10^10 are one US dollar). With your own provider key at OpenRouter
(`is_byok`), the gateway's charge is `api_cost` and the provider's is `upstream_cost`.

Currencies are never mixed. An amount in a currency other than the run's is unknown and flagged
`cost_unreadable`; if the run's currency is unknown (`--currency`), US dollars are the only named
currency that is accepted. A `cost` beside `usage` is read only with `--cost-field cost`, because
it may be credits, cents or a balance.
"""
_CAUSED = """
## What went wrong

The stated cause takes precedence over the HTTP status: `insufficient_quota` under 429 is
`payment_required`, because waiting does not help. A code of 402 or 429 in a body takes precedence
over another status. Errors under HTTP 200 and inside streams are classified by the same words; an
error that names no cause is `server_error`, in a stream `stream_error`.

If there is no code, a message in English or Chinese can also name a cause: no money
("insufficient balance", 余额不足, 该令牌额度已用尽, 预扣费额度失败) and too many requests
("API rate limit exceeded", 请求过于频繁, 当前分组上游负载已饱和) under every status; a refused
key ("No API key found", 令牌无效, 无权访问) under 200 and 400; an unknown model or route only under
200.
A message that is just the name of a status ("Too Many Requests") stands for that status. Only
errors are searched for such words, never a reply that has choices.

408, 499, 504, 520 to 527 and 529 are `server_error`: the gateway or its proxy gave up, and the
request is not to blame. In percentiles, 408, 504, 522 and 524 count as waits without an
answer.

If `error` is a text or `true` and there is a message beside it (Spring, Go, OAuth), the message is
shown and `error` becomes the row's `error_type`. JSON quoted inside a message is read as JSON.

The message is read from {messages} (a list is joined, each item with its place), the code from
{codes}, in the body or in its `error`, `errors`, `base_resp`, `fault` or `Response`.

The wait is read from `Retry-After` (seconds or a date) and `retry-after-ms`; for a 429 otherwise
from fields of the body, Google's `retryDelay`, the provider's headers that OpenRouter passes on,
and the message's own words ("try again in 6m0s"). A wait that is not a time is flagged
`retry_after`.
"""
_FOREIGN = """
## Answers that are not the gateway's

A page in HTML or XML, the texts of Envoy, Traefik and Cloudflare, and the statuses below are
flagged `not_the_gateway`. The row's message is the page's title.
"""
_OURS = """
## What our own machine refuses

A connection that our own machine refused to make is `local_limit`; its errno is the row's
`error_type`, and the phase is generator-limited. `unreachable` means that there is no network
route to the gateway. Before a run, the limit on open files is checked against the plan.
"""
