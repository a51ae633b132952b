"""Gateways with unusual mixtures of faults: each is found in its own cells and no others.

A healthy gateway is behind a layer that alters requests or replies.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from compat.check import Ask, Check
from compat.checks.own import checks_of
from compat.evidence import Evidence
from compat.verdict import Verdict
from tests.compat.sending import run_all, send
from tests.compat.test_own import ALL
from tests.compat.test_truth import CHAT, OF_CHAT, gateway, setting

Layer = Callable[[str, Ask], Evidence]
CHECKS: list[Check] = [*OF_CHAT, *checks_of(ALL)]


def asked(ask: Ask, *names: str) -> bool:
    return all((ask.body or {}).get(name) for name in names)


def without(ask: Ask, *names: str) -> Ask:
    return replace(ask, body={k: v for k, v in (ask.body or {}).items() if k not in names})


def forwarded(url: str, ask: Ask, changed: Ask) -> Evidence:
    """The answer to another request, sent as the answer to this one."""
    return replace(send(url, changed), sent=ask.body)


def rewritten(evidence: Evidence, change: Callable[[bytes], bytes]) -> Evidence:
    return replace(evidence, pieces=tuple((at_s, change(raw)) for at_s, raw in evidence.pieces))


def no_tools_in_streams(url: str, ask: Ask) -> Evidence:
    if asked(ask, "stream", "tools"):
        return forwarded(
            url, ask, without(ask, "tools", "tool_choice", "parallel_tool_calls")
        )  # fmt: skip
    return send(url, ask)


def no_usage_with_tools(url: str, ask: Ask) -> Evidence:
    """As in proxies that rebuild a reply around a call and lose the usage."""
    evidence = send(url, ask)

    def change(raw: bytes) -> bytes:
        try:
            body: dict[str, Any] = json.loads(raw)
        except ValueError:
            return raw
        return json.dumps({k: v for k, v in body.items() if k != "usage"}).encode()

    plain = asked(ask, "tools") and not asked(ask, "stream") and evidence.status == 200
    return rewritten(evidence, change) if plain else evidence


def one_choice_in_streams(url: str, ask: Ask) -> Evidence:
    return forwarded(url, ask, without(ask, "n")) if asked(ask, "stream", "n") else send(url, ask)


def enums_of_strict_schemas_violated(url: str, ask: Ask) -> Evidence:
    """Strict schemas are accepted but decoded without the grammar of enums."""

    def change(raw: bytes) -> bytes:
        for good in (b"gram", b"unit_00"):
            for quote in (b'"', b'\\"'):
                raw = raw.replace(quote + good + quote, quote + b"stone" + quote)
        return raw

    return rewritten(send(url, ask), change)


def stop_text_echoed(url: str, ask: Ask) -> Evidence:
    """The stop text is matched but left at the end of a plain reply."""
    evidence = send(url, ask)
    if not asked(ask, "stop") or asked(ask, "stream") or evidence.status != 200:
        return evidence
    body = json.loads(evidence.body)
    message = body["choices"][0]["message"]
    message["content"] += (ask.body or {})["stop"][0]
    return rewritten(evidence, lambda raw: json.dumps(body).encode())


MIXTURES: list[tuple[Layer, dict[str, str]]] = [
    (no_tools_in_streams, {
        "tool.required": "ignored", "tool.named": "ignored",
        "tool.parallel.stream": "unsure",  # a model may make no two calls
        "own.tool.stream.book_room": "ignored", "own.tool.stream.book": "ignored",
    }),
    (no_usage_with_tools, {"tool.auto": "wrong"}),
    (one_choice_in_streams, {"n": "ignored"}),
    (enums_of_strict_schemas_violated, {"tool.strict": "ignored", "json.schema.deep": "wrong"}),
    (stop_text_echoed, {"stop": "wrong"}),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("layer", "expected"), MIXTURES, ids=lambda one: getattr(one, "__name__", "")
)
def test_a_mixture_is_found_in_its_cells_alone(
    tmp_path: Path, layer: Layer, expected: dict[str, str]
) -> None:
    with gateway(tmp_path, {}) as started:
        by_check = run_all(started.url, CHECKS, setting("chat", CHAT), send=layer)
    other = {
        name: str(one.verdict) for name, one in by_check.items()
        if one.verdict not in (Verdict.WORKS, Verdict.NOT_TRIED)
    }  # fmt: skip
    assert other == expected, {name: one.fact for name, one in by_check.items() if name in other}
