"""The most that a plan may use, if every prompt is known in advance. Pure.

No tokenizer makes more tokens of a text than it has bytes (byte-level BPE; SentencePiece falls back
to bytes). What models add (roles, a template, the description of tools) is counted at more than any
known model adds, a picture at the highest known tariff: gpt-4o-mini's, 2,833 tokens and 5,667 for
each tile of 512 x 512 (OpenAI, "Images and vision"). What a gateway adds itself cannot be bounded.
"""

import base64
import json
import struct
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from loadshapes.phase import Phase
from settings.body_profile import BUDGETS
from settings.options import Options
from tasks.builders import build
from tasks.prompts import body

FORMAT_TOKENS = 100  # of a prompt: roles, and the system prompt that some templates bring along
TOOL_TOKENS = 600  # where tools are offered; Anthropic's prompt for them has up to 530
IMAGE_TOKENS, TILE_TOKENS, TILE_PX = 2_833, 5_667, 512
MOST_TILES = 8  # a picture is scaled to 2,048 x 768 at the most
_TOLD = ("messages", "tools", "response_format")


class Bound(NamedTuple):
    """At most so many tokens; `output_tokens` None: a body has no output budget."""

    prompt_tokens: int
    output_tokens: int | None


def of_phase(phase: Phase, options: Options) -> Bound:
    """The most that the requests of a phase may use."""
    bounds = [
        of_body(body(phase, index, build(phase, phase.number(index), options), options))
        for index in range(phase.count or 0)
    ]
    return together(bounds)


def together(bounds: list[Bound]) -> Bound:
    """The most that several may use together."""
    outputs = [bound.output_tokens for bound in bounds]
    most = None if None in outputs else sum(bound for bound in outputs if bound is not None)
    return Bound(sum(bound.prompt_tokens for bound in bounds), most)


def of_body(body: Mapping[str, Any]) -> Bound:
    """The most that one request may use, with all of its replies (`n`)."""
    settings = {name: body[name] for name in _TOLD if name in body}
    text = json.dumps(_without_pictures(settings), ensure_ascii=False, separators=(",", ":"))
    prompt = len(text.encode("utf-8", "surrogatepass")) + FORMAT_TOKENS
    prompt += TOOL_TOKENS if body.get("tools") else 0
    prompt += sum(IMAGE_TOKENS + TILE_TOKENS * tiles(url) for url in _pictures(settings))
    budgets = [body[name] for name in BUDGETS if isinstance(body.get(name), int)]
    replies = body.get("n") or 1
    return Bound(prompt, max(budgets) * replies if budgets else None)


def tiles(url: str) -> int:
    """How many tiles cover a picture; MOST_TILES where its size is not known."""
    head = base64.b64decode(url.partition(",")[2][:64]) if url.startswith("data:") else b""
    if head[:8] != b"\x89PNG\r\n\x1a\n" or len(head) < 24:
        return MOST_TILES
    width, height = (int(side) for side in struct.unpack(">II", head[16:24]))
    return min(MOST_TILES, max(1, -(-width // TILE_PX) * -(-height // TILE_PX)))


def _pictures(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "image_url":
                url = inner.get("url") if isinstance(inner, dict) else inner
                yield url if isinstance(url, str) else ""
            else:
                yield from _pictures(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _pictures(inner)


def _without_pictures(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: "" if k == "image_url" else _without_pictures(v) for k, v in value.items()}
    return [_without_pictures(v) for v in value] if isinstance(value, list) else value
