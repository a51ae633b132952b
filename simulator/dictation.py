"""What a conversation dictates: the reply's text, if the request leaves no choice about it.

In this order: JSON by a schema; what images and files say; what a system or developer message
dictates; what the prompt dictates (`Reply exactly: X`); the codes that a tool returned, or that the
conversation mentioned and the prompt asks for.
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
    """The reply that a prompt dictates (`Reply exactly: X`, `reply exactly with X.`), or None.

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
    """The number of tokens that a prompt asks for (`Write 200 tokens`), or None."""
    # Looking for a word costs a hundredth of the regex search, which takes 2 ms on 40 kB.
    match = _LENGTH.search(prompt) if "tokens" in prompt.lower() else None
    return int(match[1]) if match else None


def reply(request: ChatRequest) -> str | None:
    """The text that a request dictates; None if the model writes freely."""
    if request.json_schema is not None:
        return _structured(request.json_schema, request.prompt)
    if request.images or request.files:
        read = [*map(images.read, request.images), *map(documents.read, request.files)]
        return "\n".join(read)
    if len(request.messages) == 1:
        return _prompted(request)
    text = _prompted(request)
    appended = []
    for message in request.messages:
        if message["role"] in ("system", "developer"):
            for instruction in texts(message):
                text = dictated(instruction) or text
                appended += [word.rstrip(".,") for word in _APPENDED.findall(instruction)]
    if appended:
        return " ".join([text or "Noted.", *appended])
    return text


def codes(texts: Iterable[str]) -> list[str]:
    """The codes in some texts, each once, in order."""
    candidates = (match[1] or match[2] for text in texts for match in _CODE.finditer(text))
    return [*dict.fromkeys(candidates)]


def _prompted(request: ChatRequest) -> str | None:
    """What the conversation's own turns dictate."""
    last = request.messages[-1]
    if last["role"] == "tool":
        returned = [m for m in request.messages if m["role"] == "tool"]
        return " ".join(codes(text for m in returned for text in texts(m))) or None
    answer = dictated(request.prompt)
    # "Answer only with the code" names a code; it does not dictate those two words.
    question = answer or request.prompt
    if "code" in question.lower() and _ASKS_FOR_CODES.search(question):
        if answer is not None and codes([answer]):
            return answer
        known = codes(text for message in request.messages for text in texts(message))
        return " ".join(known) or answer
    return answer


def _structured(wanted_schema: schema.Schema, prompt: str) -> str:
    """JSON by a schema: what the prompt dictates if it fits, else the smallest value that does."""
    text = dictated(prompt) or ""
    if text.startswith(("{", "[")):
        try:
            if schema.fits(wanted_schema, json.loads(text)):
                return text
        except (ValueError, RecursionError):
            pass
    return json.dumps(schema.instance(wanted_schema), ensure_ascii=False, separators=(",", ":"))
