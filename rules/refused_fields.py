"""Finds the body fields that a gateway's 4xx refuses entirely, not just their values. Pure.

The wordings are those of OpenAI, Azure, vLLM, Mistral, Groq, Cerebras, Fireworks, Databricks,
Bedrock, Google's compatible endpoint, and of the libraries behind many others (pydantic, serde,
Go's json, Jackson, ajv, zod, jsonschema), as quoted in users' reports.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from itertools import islice
from typing import Any

NEVER = frozenset({401, 402, 403, 407, 408, 429})
"""Statuses that refuse the caller or the moment, never a field."""

LONGEST_CHARS = 4000  # of one text that is looked through

_CODES = ("unknown", "unsupported", "unrecognized", "extra_forbidden", "additional", "extra.forbid",
          "value_error.extra", "unexpected")  # fmt: skip
_NOT = (
    r"(?:unrecogni[sz]ed|unknown|unsupported|unexpected|unpermitted|disallowed|forbidden|extra"
    r"|additional|additional\s?properties|extraneous|deprecated)"
)
_NOUN = (
    r"(?:request|keyword|argument|parameter|param|field|propert(?:y|ies)|key|input|name|option"
    r"|attribute|member|body|json|value|top-level)(?:s|\(s\))?"
)
_LINK = (
    r"(?:supplied|found|provided|passed|specified|included|present|given|for|in|the|object|are|is"
    r"|not|allowed|permitted|inputs?|fields?|was|were)"
)
_NAME = r"""["'`“‘]?[\w.$\[\]-]+["'`”’]?"""
_MARKS = r"""[\s"'`“‘”’\\\[\](){}<>:=,*]*"""
_AFTER = (
    r"(?:(?:parameter|argument|field|property|option|key|value)\s+)?(?:of\s+\S+\s+)?"
    r"(?:(?:is|was|are|were)\s+)?(?:currently\s+|also\s+)?(?:an?\s+)?"
    r"(?:(?:not|un)[\s-]?(?:defined|supported|allowed|permitted|recogni[sz]ed|accepted|expected|known"
    r"|available|a\s+(?:known|valid|supported|recogni[sz]ed)\s+\w+)"
    r"|(?:not|un)(?:\s+yet)?\s+(?:supported|implemented)"
    r"|deprecated|forbidden|disallowed|extraneous|does\s+not\s+(?:support|exist)|cannot\s+be\s+used"
    r"|extra\s+(?:inputs|fields)\s+(?:are\s+)?not\s+(?:permitted|allowed)|cannot\s+find\s+field)"
)
_PATH = r"(?:(?:body|request|root|#|\$)?[./]*(?:stream_options[./])?)"
_NOT_ZH = r"(?:未知|不支持|无法识别|未识别|不允许|多余|不识别|不接受)"
_NOUN_ZH = r"(?:参数|字段|属性|请求参数)"


def refused_fields(status: int, error: object, sent: Mapping[str, Any]) -> list[str]:
    """The fields of `sent` (a body) that the gateway refuses in `said` (its body, JSON or text).

    Empty if it names none, names others, objects to a value, or quotes the request.
    """
    if not 400 <= status < 500 or status in NEVER:
        return []
    names = [name for name in sent if name not in ("model", "messages")]
    refused = [*_located(error, names)]
    if not refused and not _elsewhere(error):
        prompt = _plain(json.dumps(sent.get("messages"), ensure_ascii=False))
        texts = list(_texts(error))
        refused = [name for name in names if any(_refuses(text, name, prompt) for text in texts)]
    return [name for name in names if name in refused]


def refused_field(words: str) -> str | None:
    """The field that a refusal names, whatever was sent; None: it names none.

    For readers that have only the text: each name in it is tested as `refused_fields` tests the
    names that were sent.
    """
    text = words[:LONGEST_CHARS]
    if re.search(r"(?:unsupported|invalid)[\s_]+value", text, re.I):
        return None
    for candidate in islice(_CANDIDATE.finditer(text), _MOST_CANDIDATES):
        name = candidate[candidate.lastgroup or 0].strip(".")
        if _pattern(name).search(text) or _invalid(name).search(text) or _in_loc(text, name):
            return name
    return None


_MOST_CANDIDATES = 20
_CANDIDATE = re.compile(
    r"""["'`“‘](?P<quoted>[a-z][\w.]{0,63})["'`”’](?!\s*:)|\b(?P<snake>[a-z]+_[\w.]{1,63})"""
    r"""|(?<=[:=]\s)(?P<bare>[a-z][\w.]{0,63})(?=\s*(?:[.,;)\]]|$|\s(?:is|are|was)\s))""",
    re.IGNORECASE,
)
"""Names in text: in quotes (not a JSON key), with an underscore, or alone after a colon."""


def _located(error: object, names: Sequence[str], depth: int = 0) -> Iterator[str]:
    """Fields named by the structure: `param`, pydantic's `loc`, ajv's and zod's lists."""
    if depth > 6:
        return
    if isinstance(error, list):
        for item in error[:50]:
            yield from _located(item, names, depth + 1)
        return
    if not isinstance(error, dict):
        return
    words = " ".join(str(error.get(n) or "") for n in ("code", "type", "keyword", "message", "msg"))
    words += " ".join(str(error.get(n) or "") for n in ("reason", "detail", "title", "rule"))
    for name in names:
        if any(_is(error.get(key), name) for key in _NAMES) and _unwanted(words, name):
            yield name
        other = _OTHER.get(name, "")
        misses = re.search(r"missing|required", words, re.I) and other and other not in names
        if misses and any(_is(error.get(key), other) for key in _NAMES):
            yield name  # the missing field is the same one under its other name
        if _forbids(_flat(error.get(name))):  # {"task_id": ["Unknown field."]}
            yield name
    place = error.get("loc")
    if isinstance(place, list) and _forbids(words):
        path = [str(step) for step in place if step not in ("body", "request")]
        if path[:1] and path[0] in names:
            yield path[0]
    more = error.get("params")
    extra = more.get("additionalProperty") if isinstance(more, dict) else None
    # Only at the top level: a property of a message has the message's path before it.
    if extra in names and not error.get("instancePath") and not error.get("dataPath"):
        yield str(extra)
    keys = error.get("keys")
    if error.get("code") == "unrecognized_keys" and isinstance(keys, list):
        within = error.get("path")
        outer = within[:1] if isinstance(within, list) else []
        yield from (key for key in outer or keys if key in names and len(within or ()) < 2)
    for key, inner in error.items():
        if key not in ("input", "ctx", "body", "request") and isinstance(inner, dict | list):
            yield from _located(inner, names, depth + 1)


_NAMES = ("param", "field", "parameter", "pointer", "property", "attribute", "name", "path")
_FAMILY = {
    "stream_options": ("stream_options", "include_usage", "streamOptions"),
    "task_id": ("task_id", "taskId"),
    "max_tokens": ("max_tokens", "maxTokens"),
}
"""A field, its subfield that we set, and its name in gateways that use camel case."""
_OTHER = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}


def _flat(value: object) -> str:
    """A text or a list of texts as one text; empty for anything else."""
    texts = value if isinstance(value, list) else [value]
    return " ".join(text for text in texts if isinstance(text, str))


def _is(param: object, name: str) -> bool:
    """Whether a `param` names the field: `task_id`, `body.task_id`, `task_id.of_that`."""
    if isinstance(param, list) and param:
        param = "/".join(str(step) for step in param)
    if not isinstance(param, str):
        return False
    path = re.sub(r"^(?:\$|#|body|request)?[./]*", "", param)
    return re.split(r"[./\[]", path)[0] in _FAMILY.get(name, (name,))


def _unwanted(words: str, name: str) -> bool:
    """Whether the text about a field (named by `param`) refuses the field and not its value."""
    if name in ("task_id", "stream_options"):
        return True  # the operator never sets the value of these
    if name == "temperature" and re.search(r"unsupported|only|does not|must be 1\b", words, re.I):
        return True
    lower = words.lower()
    if any(code in lower for code in _CODES[:4]) and "unsupported_value" not in lower:
        return True
    if re.search(r"\bunexpected(?:[_ ](?:field|param\w*|property|key))?(?!\w|\s+\w)", lower):
        return True
    return bool(_pattern(name).search(words) or _instead(name, words))


def _forbids(words: str) -> bool:
    lower = words.lower()
    return any(code in lower for code in _CODES) or bool(
        re.search(r"not (?:permitted|allowed|supported)", lower)
    )


def _elsewhere(body: object) -> bool:
    """Whether `param` blames the prompt: then a name in the message is a quotation."""
    error = body.get("error") if isinstance(body, dict) else None
    for part in (body, error):
        param = part.get("param") if isinstance(part, dict) else None
        if isinstance(param, str) and re.match(r"(?:body\.)?(?:messages|prompt|tools)\b", param):
            return True
    return False


def _texts(error: object, depth: int = 0) -> Iterator[str]:
    """Every text by which a gateway explains its refusal, except the parts of the request that
    it echoes.
    """
    if depth > 6:
        return
    if isinstance(error, str):
        yield error[:LONGEST_CHARS]
        inner = error[error.find("{") :] if "{" in error else ""
        if inner:
            # LiteLLM and other gateways embed the upstream's JSON in a text.
            with suppress(ValueError, RecursionError):
                yield from _texts(json.loads(inner), depth + 1)
    elif isinstance(error, list):
        for item in error[:50]:
            yield from _texts(item, depth + 1)
    elif isinstance(error, dict):
        for key in ("message", "msg", "detail", "details", "error", "errors", "title", "reason",
                    "description", "cause", "metadata", "raw", "error_message"):  # fmt: skip
            if key in error:
                yield from _texts(error[key], depth + 1)


def _refuses(text: str, name: str, prompt: str) -> bool:
    """Whether a text refuses the field, in words that are not quoted from the request."""
    family = [part for part in _FAMILY.get(name, (name,)) if part in text]
    if not family:
        return False
    for part in family:
        if any(_plain(match[0]) not in prompt for match in _pattern(part).finditer(text)):
            return True
    if _in_loc(text, name):
        return True
    words = _instead(name, text)
    if words and _plain(words) not in prompt:
        return True
    if name == "temperature":
        fixed = re.search(
            rf"\b{name}\b{_MARKS}\s*(?:may\s+only|must\s+be\s+1\b|only\s+(?:the\s+default|1))"
            rf"|(?:invalid|unsupported)\s+(?:value:?\s*)?{_MARKS}{name}{_MARKS}"
            r"(?:only|does\s+not\s+support)",
            text,
            re.I,
        )
        return bool(fixed and _plain(fixed[0]) not in prompt)
    return False


def _instead(name: str, text: str) -> str:
    """The words that suggest the other name of the output budget; empty: there are none."""
    other = _OTHER.get(name)
    match = other and re.search(
        rf"\b(?:use|using|favou?r\s+of|replaced\s+(?:by|with)|you\s+mean){_MARKS}(?:the\s+)?"
        rf"(?:parameter\s+|field\s+)?{_MARKS}{other}\b"
        rf"|instead\s+of{_MARKS}{name}\b.{{0,40}}\buse{_MARKS}{other}\b"
        rf"|\buse{_MARKS}{other}\b{_MARKS}instead\s+of{_MARKS}{name}\b",
        text,
        re.I,
    )
    return match[0] if match else ""


def _in_loc(text: str, name: str) -> bool:
    """pydantic's list of faults, as a text: `'loc': ('body', 'task_id'), 'msg': ...`."""
    for match in _LOC.finditer(text):
        path = [part.strip(" \"'") for part in match[1].split(",") if part.strip(" \"'")]
        path = [part for part in path if part not in ("body", "request")]
        if path[:1] == [name] and _forbids(match[0]):
            return True
    return False


_LOC = re.compile(r"""\{[^{}]*?["']?loc["']?\s*:\s*[\[(]([^\])]*)[\])][^{}]{0,200}""")


def _invalid(name: str) -> re.Pattern[str]:
    """A pattern that calls a field itself invalid: `Invalid field: top_k`."""
    return re.compile(rf"invalid\s+(?:{_NOUN}\s*)+{_MARKS}{_field(name)}", re.IGNORECASE)


def _field(name: str) -> str:
    return rf"(?<![A-Za-z0-9_.\]]){_PATH}{re.escape(name)}(?![A-Za-z0-9_-])"


@lru_cache(256)
def _pattern(name: str) -> re.Pattern[str]:
    """A pattern for words before or after a field that refuse it."""
    field = _field(name)
    listed = rf"(?:{_NAME}\s*(?:,|\band\b|&)\s*)*"
    before = (
        rf"{_NOT}\s+(?:{_NOUN}\s+|{_NOUN}(?=[:\s(\[\"'`])|{_LINK}\s+|{_LINK}(?=[:,\s(\[])){{0,8}}"
        rf"(?:,?\s*field)?{_MARKS}{listed}{_MARKS}{field}"
    )
    after = rf"{field}{_MARKS}\s*-?\s*{_AFTER}"
    keyed = rf"(?:propert(?:y|ies)|field|parameter|key)\s+{_MARKS}{field}{_MARKS}\s*{_AFTER}"
    chinese = rf"{_NOT_ZH}(?:的|此|该)?{_NOUN_ZH}?{_MARKS}[：，]?{_MARKS}{field}"
    chinese += rf"|{field}{_MARKS}{_NOUN_ZH}?(?:是|为|暂)?(?:{_NOT_ZH}|无法被?识别|不被支持|不存在)"
    ways = [before, after, keyed, chinese]
    if name in (*_FAMILY["task_id"], *_FAMILY["stream_options"]):  # its value cannot be wrong
        ways.append(rf"{field}{_MARKS}{_NOUN_ZH}?(?:无效|非法|不合法|有误)")
        ways.append(rf"(?:无效|非法|不合法)的?{_NOUN_ZH}{_MARKS}[：，]?{_MARKS}{field}")
        ways.append(rf"invalid\s+(?:{_NOUN}\s*)+{_MARKS}{field}")
        ways.append(rf"{field}{_MARKS}\s*is\s+(?:invalid|not\s+valid)")
    return re.compile("|".join(ways), re.IGNORECASE)


def _plain(text: str) -> str:
    """Only letters, digits and underscores, so that a quotation is found in any style of
    quoting.
    """
    return re.sub(r"\W|\\[nrt]", "", text).casefold()
