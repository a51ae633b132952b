"""One row per request: its columns, units and meanings, and how a row is written as text. Pure.

The CSV cell of None is empty, of a bool `true` or `false`, of a float its shortest exact form.
Text that a spreadsheet would run as a formula is quoted with an apostrophe; what UTF-8 or a CSV
cannot hold (lone surrogates, NUL) becomes U+FFFD.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from math import isfinite
from operator import attrgetter
from typing import Any, get_args, get_type_hints

SCHEMA_VERSION = 2  # recording/formats.py has them all
CONTENT_LIMIT_CHARS = 2000


def column(meaning: str, **kwargs: Any) -> Any:
    """A dataclass field that carries what its column means (shown in the README)."""
    return field(metadata={"meaning": meaning}, **kwargs)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRecord:
    """What is known about one planned request. None: unknown, or there is none."""

    schema_version: int = column("version of this table's columns", default=SCHEMA_VERSION)
    run_id: str = column("the run; also the name of its folder")
    timestamp: str = column("wall clock at completion, ISO 8601, UTC: a label, never subtracted")
    worker: str = column("the process that sent the request (`local`, or a Locust worker)")
    attempt: int | None = column(
        "the attempt at the run it belongs to, from 1: a resumed run has several", default=None
    )
    phase: str = column("the block of the plan, e.g. `rpm/gpt-5.4-nano/600`")
    mode: str = column("the test: `rpm`, `tpm`, ...")
    scenario: str = column("what was asked for within the mode: `chat`, `stream`, ...")
    target: int | None = column("the phase's target: RPM, TPM or concurrency, by mode")
    duration_s: float | None = column("the phase's scheduled window, seconds")
    model_requested: str = column("the model asked for")
    model_returned: str | None = column("the model the gateway says it used", default=None)
    task_id: str | None = column("the request's own name; in its body when not streamed")
    trace_id: str | None = column(
        "trace id that was sent, in `traceparent` and as `x-request-id`: the first 32 digits of "
        "SHA-256 over run_id, phase and task_id, a line feed between them",
        default=None,
    )
    stream: bool = column("whether the reply was asked for as a stream")
    max_tokens: int | None = column("the output budget that was sent, tokens", default=None)
    request_index: int = column("the request's number within its phase, from 0")
    scheduled_offset_s: float | None = column(
        "when it was due, seconds after the phase began; empty when closed-loop", default=None
    )
    sent_offset_s: float | None = column(
        "when its first byte was written (cold connections: when connecting began)", default=None
    )
    done_offset_s: float | None = column("when its last byte was read, or it failed", default=None)
    send_lag_s: float | None = column("sent - due: the generator's own lateness", default=None)
    http_status: int | None = column("HTTP status; empty when there was no answer", default=None)
    outcome: str = column("how it ended: one name of a closed set (recording/outcome.py)")
    success: bool = column("outcome is `ok`")
    elapsed_sec: float | None = column("send to last byte, seconds", default=None)
    elapsed_from_due_s: float | None = column(
        "due to last byte: the latency a punctual client would have seen", default=None
    )
    first_byte_s: float | None = column("send to first byte of the answer", default=None)
    ttft_s: float | None = column(
        "streams: send to first token, reasoning or visible", default=None
    )
    first_visible_s: float | None = column("streams: send to first visible token", default=None)
    last_token_s: float | None = column(
        "streams: send to the last chunk that carried content, reasoning or a tool call",
        default=None,
    )
    inter_chunk_p50_s: float | None = column(
        "streams: median gap between content chunks (nearest rank)", default=None
    )
    inter_chunk_max_s: float | None = column(
        "streams: longest gap between content chunks", default=None
    )
    chunks: int | None = column("streams: chunks that carried content or reasoning", default=None)
    arrivals: int | None = column(
        "streams: moments at which chunks came; chunks less than 0.1 ms apart count as one moment",
        default=None,
    )
    stalls: int | None = column(
        "streams: gaps between content chunks longer than `--stall-limit`", default=None
    )
    chunk_gaps: str | None = column(
        "streams: gaps between content chunks counted by bucket, as `bucket:count` separated by "
        "spaces; bucket 0 is below 1 us, b from 10^((b-1)/50) to 10^(b/50) us",
        default=None,
    )
    response_bytes: int | None = column("bytes of the answer's body as received", default=None)
    connection_reused: bool | None = column("sent on a connection already open", default=None)
    connect_s: float | None = column(
        "time to open the connection, when one was opened for it", default=None
    )
    prompt_tokens: int | None = column("usage.prompt_tokens", default=None)
    completion_tokens: int | None = column(
        "usage.completion_tokens (reasoning included where the gateway includes it)", default=None
    )
    total_tokens: int | None = column("usage.total_tokens", default=None)
    cached_tokens: int | None = column("prompt tokens read from the prompt cache", default=None)
    cache_write_tokens: int | None = column("prompt tokens written to the cache", default=None)
    reasoning_tokens: int | None = column("completion tokens spent on reasoning", default=None)
    tokens_beside: str | None = column(
        "counts that the gateway states in addition to the total that usually includes them: "
        "`reasoning` (of the completion), `cached`, `cache_write` (of the prompt)",
        default=None,
    )
    api_cost: float | None = column(
        "what it cost according to `cost_source`, in the run's currency", default=None
    )
    header_cost: float | None = column(
        "the cost stated in a header, kept besides the body's", default=None
    )
    upstream_cost: float | None = column(
        "what the provider charges to your own key at the gateway, in addition to `api_cost`",
        default=None,
    )
    cost_source: str = column(
        "the source of the cost: the gateway (`body`, `header`), your `price_table`, or none "
        "(`unknown`)",
        default="unknown",
    )
    finish_reason: str | None = column("why the model stopped", default=None)
    content: str | None = column("the visible reply, cut at 2,000 characters", default=None)
    reasoning_content_present: bool | None = column(
        "whether reasoning text came back", default=None
    )
    reasoning_in_content: bool | None = column(
        "reasoning text was inside the content, between tags such as `<think>`; `content` is the "
        "text after it",
        default=None,
    )
    tool_calls: int | None = column("how many tool calls the reply makes", default=None)
    marker_ok: bool | None = column("the reply is the marker asked for", default=None)
    check: str | None = column(
        "a probe's verdict (`pass`, `fail`), then flags (tasks/answer_flags.py), separated by "
        "spaces",
        default=None,
    )
    check_detail: str | None = column(
        "JSON: the reason, with the flags' reasons under `flags`; for own traffic also `line` and "
        "`turn`",
        default=None,
    )
    error_type: str | None = column("the gateway's error type or code, or ours", default=None)
    error_message: str | None = column("the error, cut at 2,000 characters", default=None)
    refused_sends: int | None = column(
        "how many times it was refused for a field of its body, and sent again without that field, "
        "before this answer",
        default=None,
    )
    retry_after_s: float | None = column(
        "how long the gateway asks the client to wait", default=None
    )
    ratelimit_limit_requests: int | None = column("advertised request limit", default=None)
    ratelimit_remaining_requests: int | None = column("requests left of it", default=None)
    ratelimit_limit_tokens: int | None = column("advertised token limit", default=None)
    ratelimit_remaining_tokens: int | None = column("tokens left of it", default=None)
    gateway_request_id: str | None = column("the gateway's name for the request", default=None)
    completion_id: str | None = column("the `id` of the reply", default=None)
    completion_created: int | None = column(
        "`created` of the reply, unix seconds by the gateway's clock", default=None
    )
    stated_overhead_s: float | None = column(
        "the time that the gateway says it added (`x-litellm-overhead-duration-ms` and the like)",
        default=None,
    )
    stated_upstream_s: float | None = column(
        "the time that it says its upstream took (`openai-processing-ms`, "
        "`x-envoy-upstream-service-time`)",
        default=None,
    )
    stated_times_from: str | None = column(
        "the headers that state these times, separated by spaces", default=None
    )
    in_flight: int | None = column(
        "requests of this process in flight when it was sent, itself included", default=None
    )
    provider: str | None = column(
        "which provider answered, as a routing gateway says (`provider`, `x-inference-provider`, "
        "`x-litellm-model-id` ...); cut at 100 characters",
        default=None,
    )
    arm: str | None = column(
        "with --against: the route it took, `gateway` or `reference`; requests 2i and 2i + 1 of a "
        "phase are a pair",
        default=None,
    )
    cancel_after: str | None = column(
        "when this request was to be cancelled on purpose (`--cancel-after`): `3chunks`, `500ms`; "
        "such a request counts in no rate and no time, however it ended",
        default=None,
    )
    received_chars: int | None = column(
        "for a request that was cancelled on purpose: characters of text, reasoning and tool calls "
        "received before that",
        default=None,
    )
    system_fingerprint: str | None = column(
        "`system_fingerprint` of the reply: which backend and configuration, as the vendor says; "
        "cut at 100 characters",
        default=None,
    )


def _type(hint: Any) -> type:
    """The type of a column's values other than None."""
    kind: type = next((t for t in get_args(hint) if t is not type(None)), hint)
    return kind


COLUMNS: tuple[str, ...] = tuple(f.name for f in fields(RequestRecord))
TYPES: dict[str, type] = {n: _type(h) for n, h in get_type_hints(RequestRecord).items()}
MEANINGS: dict[str, str] = {f.name: f.metadata["meaning"] for f in fields(RequestRecord)}
_REQUIRED = frozenset(
    n for n, h in get_type_hints(RequestRecord).items() if type(None) not in get_args(h)
)
_values = attrgetter(*COLUMNS)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")


def clean(text: str) -> str:
    """The text without characters that UTF-8 or a CSV reader cannot hold."""
    valid_unicode = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return valid_unicode.replace("\0", "\ufffd")


def _cell(value: object) -> str:
    if value is None:
        return ""
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, float):
        return repr(value) if isfinite(value) else ""  # what is no number is not known
    if isinstance(value, str):
        if not value.isascii() or "\0" in value:
            value = clean(value)
        return "'" + value if value.startswith(_FORMULA) else value
    return str(value)


def encode(record: RequestRecord) -> list[str]:
    """The record as CSV cells, in the order of COLUMNS."""
    return [_cell(value) for value in _values(record)]


def decode(cells: Sequence[str], columns: Sequence[str] = COLUMNS) -> RequestRecord:
    """The record of one CSV row of a file with these columns (recording/formats.py).

    A column that the file lacks keeps its default, None (unknown). Raises ValueError, with the
    column's name, for a row that `encode` cannot have written.
    """
    if len(cells) != len(columns):
        raise ValueError(f"{len(cells)} cells instead of {len(columns)}")
    return RequestRecord(
        **{name: _decode(name, cell) for name, cell in zip(columns, cells, strict=True)}
    )


def _decode(name: str, cell: str) -> Any:
    kind = TYPES[name]
    if kind is str and cell.startswith("'"):
        cell = cell[1:]
    elif not cell and name not in _REQUIRED:
        return None
    if kind is str:
        return cell
    if kind is bool:
        if cell not in ("true", "false"):
            raise ValueError(f"{name} is {cell[:40]!r}, not true or false")
        return cell == "true"
    try:
        if not cell.isascii() or "_" in cell or cell != cell.strip():
            raise ValueError  # Python reads more as a number than `encode` writes
        number = kind(cell)
        if kind is float and not isfinite(number):
            raise ValueError
        return number
    except ValueError:
        raise ValueError(f"{name} is {cell[:40]!r}, not {kind.__name__}") from None
