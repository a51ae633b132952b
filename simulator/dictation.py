"""What a conversation dictates: the reply's text, where the request leaves no choice about it.

In this order: JSON by a schema; what images and files say; what a system or developer message
dictates; what the prompt dictates (`Reply exactly: X`); the codes that a tool returned, or that the
conversation told and the prompt asks for.
"""

import json
import re
from collections.abc import Iterable
from functools import lru_cache

from simulator import documents, images, schema
from simulator.chat_request import ChatRequest, texts

_DICTATED = re.compile(
    r"\b(?:reply|respond|answer)\s+"
    r"(?:(?:exactly|only)\s+with|with\s+(?:exactly|only)|exactly|only)\b[ \t]*(:?)[ \t]*([^\r\n]+)",
    re.IGNORECASE,
)
_LENGTH = re.compile(
    r"\b(?:write|reply|respond|answer)\s+(?:with|in)?\s*(?:exactly\s+)?(\d{1,6})\s+tokens\b",
    re.IGNORECASE,
)
_APPENDED = re.compile(
    r"\b(?:append|end (?:your|every|each) (?:reply|answer) with):?\s+[\"'`]?([^\s\"'`]+)",
    re.IGNORECASE,
)
_ASKS_FOR_CODES = re.compile(r"\bcodes?\b", re.IGNORECASE)
# A word like KORVAL-4821, or what follows `code`: `code 7f3`, `the code is 7f3`.
_CODE = re.compile(
    r"\b([A-Z]{3,}-\d{2,})\b|\bcode(?:\s+word)?(?:\s+is)?:?\s+[\"'`]?([\w-]*\d[\w-]*)"
)


@lru_cache(maxsize=16_384)
def dictated(prompt: str) -> str | None:
    """The reply a prompt dictates (`Reply exactly: X`, `reply exactly with X.`), or None.

    After a colon X is the rest of the line; without one it ends at the sentence's full stop.
    """
    instructions = _DICTATED.findall(prompt)
    if not instructions:
        return None
    colon, text = instructions[-1][0], instructions[-1][1].strip()
    if not colon:
        text = re.split(r"[.!?](?:\s|$)", text, maxsplit=1)[0]
    quoted = re.fullmatch(r"[\"'`“](.+)[\"'`”]\.?", text)
    return quoted[1] if quoted else text


def length(prompt: str) -> int | None:
    """The number of tokens a prompt asks for (`Write 200 tokens`), or None."""
    # Looking for a word costs a hundredth of the search, which takes 2 ms on 40 kB.
    found = _LENGTH.search(prompt) if "tokens" in prompt.lower() else None
    return int(found[1]) if found else None


def reply(request: ChatRequest) -> str | None:
    """The text that a request leaves no choice about; None where the model speaks freely."""
    if request.json_schema is not None:
        return _structured(request.json_schema, request.prompt)
    if request.images or request.files:
        read = [*map(images.read, request.images), *map(documents.read, request.files)]
        return "\n".join(read)
    if len(request.messages) == 1:
        return _prompted(request)
    told = _prompted(request)
    appended = []
    for message in request.messages:
        if message["role"] in ("system", "developer"):
            for instruction in texts(message):
                told = dictated(instruction) or told
                appended += [word.rstrip(".,") for word in _APPENDED.findall(instruction)]
    if appended:
        return " ".join([told or "Noted.", *appended])
    return told


def codes(said: Iterable[str]) -> list[str]:
    """The codes in some texts, each once, in order."""
    found = (match[1] or match[2] for text in said for match in _CODE.finditer(text))
    return [*dict.fromkeys(found)]


def _prompted(request: ChatRequest) -> str | None:
    """What the conversation's own turns dictate."""
    last = request.messages[-1]
    if last["role"] == "tool":
        returned = [m for m in request.messages if m["role"] == "tool"]
        return " ".join(codes(text for m in returned for text in texts(m))) or None
    told = dictated(request.prompt)
    # "Answer only with the code" names a code; it does not dictate those two words.
    asked = told or request.prompt
    if "code" in asked.lower() and _ASKS_FOR_CODES.search(asked):
        if told is not None and codes([told]):
            return told
        known = codes(text for message in request.messages for text in texts(message))
        return " ".join(known) or told
    return told


def _structured(wanted: schema.Schema, prompt: str) -> str:
    """JSON by a schema: what the prompt dictates where that fits, else the least that does."""
    told = dictated(prompt) or ""
    if told.startswith(("{", "[")):
        try:
            if schema.fits(wanted, json.loads(told)):
                return told
        except (ValueError, RecursionError):
            pass
    return json.dumps(schema.instance(wanted), ensure_ascii=False, separators=(",", ":"))
