"""The format versions of a run's files, and the columns of each. Pure.

Columns are found by the file's first line, not by position: a column that its version did not have
yet is None in every row. Each release that adds columns gets a version number here. Files newer
than this program are refused, because their unknown columns would be lost.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from recording.errors import InputError
from recording.record import COLUMNS, SCHEMA_VERSION


class Format(NamedTuple):
    """`weighbridge`: the first release that writes and reads it; `columns`: the columns of its
    rows.
    """

    weighbridge: str
    columns: tuple[str, ...]


FIRST = (
    "schema_version", "run_id", "timestamp", "worker", "phase", "mode", "scenario", "target",
    "duration_s", "model_requested", "model_returned", "task_id", "stream", "max_tokens",
    "request_index", "scheduled_offset_s", "sent_offset_s", "done_offset_s", "send_lag_s",
    "http_status", "outcome", "success", "elapsed_sec", "elapsed_from_due_s", "first_byte_s",
    "ttft_s", "first_visible_s", "inter_chunk_p50_s", "inter_chunk_max_s", "chunks",
    "response_bytes", "connection_reused", "connect_s", "prompt_tokens", "completion_tokens",
    "total_tokens", "cached_tokens", "cache_write_tokens", "reasoning_tokens", "api_cost",
    "header_cost", "cost_source", "finish_reason", "content", "reasoning_content_present",
    "marker_ok", "check", "check_detail", "error_type", "error_message", "retry_after_s",
    "ratelimit_limit_requests", "ratelimit_remaining_requests", "ratelimit_limit_tokens",
    "ratelimit_remaining_tokens", "gateway_request_id", "in_flight",
)  # fmt: skip
"""The columns of version 1. Every version has all of them."""

FORMATS: dict[int, Format] = {1: Format("0.1.0.dev0", FIRST), 2: Format("0.1.0", COLUMNS)}
"""Version 1 is that of the previews of 0.1.0, which called themselves 0.1.0 as well."""


class FormatError(InputError):
    """The file's version is not one that this program reads; the message says which Weighbridge to
    use.
    """


def check(version: object, made_by: str = "") -> None:
    """Check that a version can be read; `made_by` is the Weighbridge to use if not. Raises
    FormatError.
    """
    if isinstance(version, int) and not isinstance(version, bool) and version in FORMATS:
        return
    use = f"Weighbridge {made_by} or newer" if made_by else "the version that made the run"
    raise FormatError(
        f"is of schema version {version}, and this Weighbridge reads versions 1 to "
        f"{SCHEMA_VERSION}: use {use}"
    )


def needs(manifest: Mapping[str, object]) -> str:
    """The oldest Weighbridge that reads a run, by its manifest; empty: it does not say."""
    made_by = manifest.get("weighbridge")
    named = manifest.get("needs_version") or (
        isinstance(made_by, Mapping) and made_by.get("version")
    )
    return named if isinstance(named, str) else ""


def columns(present: Sequence[str], made_by: str = "") -> tuple[str, ...]:
    """The checked columns of a part file's first line. Raises FormatError."""
    if tuple(present) == COLUMNS:
        return COLUMNS
    missing = [name for name in FIRST if name not in present]
    unknown = [name for name in present if name not in COLUMNS]
    if unknown and not missing:
        use = f"Weighbridge {made_by} or newer" if made_by else "the version that wrote it"
        raise FormatError(
            f"columns that this Weighbridge does not know ({_some(unknown)}): use {use}"
        )
    if missing or len(set(present)) < len(present):
        raise FormatError(
            f"not the columns of schema version {SCHEMA_VERSION} or an earlier one "
            f"(missing: {_some(missing)}; unknown: {_some(unknown)}); restore it"
        )
    return tuple(present)


def _some(names: Sequence[str]) -> str:
    """The first few of the names: an arbitrary file may have any number of them."""
    first_few = ", ".join(name[:40] for name in names[:5])
    return (f"{first_few} and {len(names) - 5} more" if len(names) > 5 else first_few) or "none"
