"""The JSON schemas of manifest.json and summary.json, made from the code that writes them.

Both stay open: a newer version may add fields, so a reader must ignore what it does not know.
"""

import json
from dataclasses import fields
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from loadshapes.phase import Phase
from loadshapes.schedule import At, Closed, Even, Kind, Poisson
from recording.formats import FORMATS
from recording.outcome import Outcome
from settings.options import Options

Schema = dict[str, Any]
_PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean", NoneType: "null"}
TEXT: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}
COUNTS: Schema = {"type": "object", "additionalProperties": COUNT}


def _of(hint: Any) -> Schema:
    """The schema of a field's type."""
    if hint in _PLAIN:
        return {"type": _PLAIN[hint]}
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        return {"enum": list(inner)}
    if origin in (Union, UnionType):
        return {"anyOf": [_of(one) for one in inner]}
    if origin is tuple:
        return {"type": "array", "items": _of(inner[0])}
    return {}


def _object(properties: Schema, required: list[str] | None = None, **more: Any) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties) if required is None else required,
        "additionalProperties": True,
        **more,
    }


def _or_null(kind: str, **more: Any) -> Schema:
    return {"type": [kind, "null"], **more}


def _head(title: str, text: str) -> Schema:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "description": text,
    }


def manifest() -> Schema:
    """With what, where and how a run was made."""
    hints, planned = get_type_hints(Options), get_type_hints(Phase)
    del planned["schedule"]
    for schedule in (Even, Poisson, At, Closed):  # the last has the widest types
        own = {item.name for item in fields(schedule)}
        planned |= {name: hint for name, hint in get_type_hints(schedule).items() if name in own}
    planned["kind"] = Kind
    options = {
        item.name: {**_of(hints[item.name]), "description": item.metadata["help"]}
        for item in fields(Options)
    }
    phase = {name: _of(hint) for name, hint in planned.items()}
    note = _object({"kind": TEXT, "count": COUNT, "names": {"type": "array", "items": TEXT}})
    change = _object(
        {
            "model": TEXT,
            "field": {**TEXT, "description": "the field of the body that was refused"},
            "from": TEXT,
            "to": {**TEXT, "description": "where it goes since, or the field in its place"},
            "status": COUNT,
            "said": {**TEXT, "description": "the gateway's words"},
            "phase": TEXT,
            "task_id": TEXT,
        }
    )
    properties = {
        "schema_version": {"enum": list(FORMATS)},
        "needs_version": TEXT,
        "run_id": {**TEXT, "minLength": 1},
        "started_at": {**TEXT, "format": "date-time"},
        "mode": TEXT,
        "weighbridge": _object({"version": TEXT, "git_commit": _or_null("string")}),
        "versions": _object({"python": TEXT}) | {"additionalProperties": TEXT},
        "host": _object({"name": TEXT, "system": TEXT, "cores": _or_null("integer")}),
        "gateway": _object(
            {
                "base_url": {**TEXT, "description": "what looks like a secret in it is left out"},
                "simulated": {"type": "boolean"},
                "source": {**_or_null("string"), "description": "what named it: -H, a variable"},
                "key_source": {**_or_null("string"), "description": "the key's variable"},
                "auth": {**TEXT, "description": "bearer, none, or the key's header"},
                "headers": {"type": "array", "items": TEXT, "description": "names alone"},
                "sdk_variables_sent": {"type": "array", "items": TEXT},
                "sdk_variables_withheld": {"type": "array", "items": TEXT},
            },
            ["base_url", "simulated"],
        ),
        "currency": _or_null("string"),
        "workers": COUNT,
        "options": _object(options, ["mode", "model", "target", "duration", "timeout", "seed"]),
        "sent_options": {"type": "array", "items": TEXT},
        "drawn": {"type": "object", "properties": options},
        "plan": {
            "type": "array",
            "items": _object(phase, ["name", "mode", "scenario", "model", "kind", "count"]),
        },
        "traffic": _object({"lines": COUNT, "notes": {"type": "array", "items": note}}),
        "body_changes": {"type": "array", "items": change},
        "clock": {"type": "object"},
    }
    head = _head("manifest.json of a Weighbridge run", "Written when the run starts; no secret.")
    # A run of version 1 has none, or only some runs have them.
    later = ("needs_version", "sent_options", "drawn", "traffic", "body_changes")
    return head | _object(properties, [name for name in properties if name not in later])


def summary() -> Schema:
    """The numbers of a run."""
    from analysis.report.report import SUMMARY_VERSION

    number, share = _or_null("number"), _or_null("number", minimum=0, maximum=1)
    seconds = _or_null("number", minimum=0)
    ranked = ("latency", "latency_from_due", "ttft", "first_visible", "tpot", "inter_chunk")
    phase: Schema = {
        "phase": TEXT,
        "mode": TEXT,
        "scenario": TEXT,
        "model_requested": TEXT,
        "target": _or_null("integer"),
        "duration_s": seconds,
        "planned": COUNT,
        "wall_s": seconds,
        "recorded": COUNT,
        "sent": COUNT,
        "success": COUNT,
        "unanswered": COUNT,
        "failures": COUNT,
        "dropped": COUNT,
        "success_rate": share,
        "status_counts": COUNTS,
        "outcomes": {**COUNTS, "propertyNames": {"enum": [name.value for name in Outcome]}},
        "observed_rpm": number,
        "observed_tpm": number,
        **{f"{name}_p{p}_s": seconds for name in ranked for p in (50, 95, 99)},
        **{f"send_lag_p{p}_s": number for p in (50, 95, 99)},  # a clock may be a hair early
        "cost_sum": number,
        "cost_unknown_count": COUNT,
        "cost_per_success": number,
        "generator_limited": _or_null("boolean"),
    }
    for kind in ("prompt", "completion", "reasoning", "cached", "total"):
        phase[f"{kind}_tokens"] = _or_null("integer", minimum=0)
    bracket: Schema = {
        "model_requested": TEXT,
        "unit": {"enum": ["rpm", "concurrency"]},
        "met": _or_null("integer"),
        "missed": _or_null("integer"),
        "confidence": _or_null("number", minimum=0, maximum=1),
        "windows": COUNT,
        "answered": COUNT,
        "causes": {"type": "array", "items": TEXT},
        "missed_objectives": {"type": "array", "items": TEXT},
        "limited_by_us": {"type": "boolean"},
    }
    verdict = _object({"level": {"enum": ["good", "note", "bad"]}, "text": TEXT})
    properties = {
        "schema_version": {"const": SUMMARY_VERSION},
        "run_id": TEXT,
        "started_at": _or_null("string"),
        "mode": _or_null("string"),
        "simulated": {"type": "boolean"},
        "interrupted": {"type": "boolean"},
        "currency": _or_null("string"),
        "verdicts": {"type": "array", "items": verdict},
        "not_run": {"type": "array", "items": TEXT},
        "phases": {"type": "array", "items": _object(phase)},
        "capacity": {"type": "array", "items": _object(bracket)},
    }
    text = "Numbers end in their units; null is not known, never 0."
    return _head("summary.json of a Weighbridge run", text) | _object(properties)


def written(schema: Schema) -> str:
    """The schema as its file holds it."""
    return json.dumps(schema, ensure_ascii=False, indent=2) + "\n"
