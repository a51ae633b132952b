"""Records for the tests of this package."""

from dataclasses import fields
from typing import Any

from hypothesis import strategies as st

from recording.record import TYPES, RequestRecord

BASE: dict[str, Any] = {
    "run_id": "run",
    "timestamp": "2026-05-19T12:00:00+00:00",
    "worker": "local",
    "phase": "rpm/m/60",
    "mode": "rpm",
    "scenario": "chat",
    "target": 60,
    "duration_s": 60.0,
    "model_requested": "m",
    "model_returned": "m",
    "task_id": "p-0",
    "stream": False,
    "request_index": 0,
    "outcome": "ok",
    "success": True,
}


def row(**changes: Any) -> RequestRecord:
    return RequestRecord(**{**BASE, **changes})


HOSTILE = (
    "", "'", "''", "'=1+1", "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "'\n",
    'say "no"', '"', '""', ",", ",,", "\n", "\r", "\r\n", "a\nb\r\nc\rd", "\0", "a\0b",
    "\ud800", "\udfff x", "\ud83d\ude00", "\ufeff", "\ufffd", "\u2028", "\x85", "\x1a", "\\",
    "\\N", "NULL", "None", "nan", "true", "1", " ", " x ", "汉字", "😀", "ö" * 2000,
    "<script>alert(1)</script>", ";", "a;b", "{}", "x" * 100_000,
)  # fmt: skip
texts = st.sampled_from(HOSTILE) | st.text(st.characters(), max_size=40)
_VALUES: dict[type, st.SearchStrategy[Any]] = {
    str: texts,
    int: st.integers(-(2**63), 2**63 - 1),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
}
_OPTIONAL = {item.name for item in fields(RequestRecord) if "None" in str(item.type)}
records = st.builds(
    RequestRecord,
    **{
        name: st.none() | _VALUES[kind] if name in _OPTIONAL else _VALUES[kind]
        for name, kind in TYPES.items()
    },
)
