"""The result of a probe in a row: its `check` and the JSON object in `check_detail`."""

import json
from typing import Any


def detail(row: dict[str, Any]) -> dict[str, Any]:
    """The facts that were judged; empty if there are none, or they are not a JSON object."""
    try:
        facts = json.loads(row["check_detail"] or "{}")
    except ValueError:
        return {}
    return facts if isinstance(facts, dict) else {}
