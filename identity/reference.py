"""A reference: what a model answered over a route that its owner trusts, and when. Pure.

A file of JSON that is readable without Weighbridge (docs/reference/identity-reference.json is its
schema): words and how often they were said, never a reply.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, NamedTuple, get_args

from identity.bank import BANK, OUTPUT_TOKENS, TEMPERATURE, protocol
from identity.called import Called
from identity.cells import Cell, Kind
from identity.exact import Counts
from identity.first_token import PROMPTS, Stated
from identity.texts import COUNTED
from recording.errors import InputError
from recording.json_files import json_of

SCHEMA, KIND = 1, "weighbridge identity reference"
OLD_DAYS = 14
"""Older than that, a reference may be of another version of the model: told, not judged."""
MOST_WORDS = 10_000


class Seeded(NamedTuple):
    """Of answers with one seed: their questions, how many strayed from their question's usual
    answer, and how many there are."""

    questions: tuple[int, ...]
    strays: int
    answers: int


@dataclass(frozen=True, slots=True)
class Reference:
    """`first` and `second` are the halves of the answers, by question and word; `tokens` the
    prompt tokens that were stated of the repeated texts (`identity.texts.COUNTED`, in its order;
    None: not stated). `began` and `ended` are ISO 8601, UTC; `host` the route's; `extra_body` what
    the operator added to every body; `made_by` the Weighbridge; `requests` and `cost` what it took.
    """

    model: str
    host: str
    began: str
    ended: str
    cells: tuple[Cell, ...]
    first: Mapping[int, Counts]
    second: Mapping[int, Counts]
    tokens: tuple[int | None, ...] = ()
    extra_body: str = ""
    made_by: str = ""
    requests: int = 0
    cost: float | None = None
    currency: str | None = None
    seed: Seeded | None = None
    logprobs: Stated | None = None
    tools: Called | None = None

    def counts(self) -> dict[int, Counter[str]]:
        """All answers, by question and word."""
        return {
            cell.question: Counter(self.first.get(cell.question, {}))
            + Counter(self.second.get(cell.question, {}))
            for cell in self.cells
        }

    def age_days(self, now: datetime) -> float:
        """Since its last answer."""
        return (now - datetime.fromisoformat(self.ended)).total_seconds() / 86400

    def as_dict(self) -> dict[str, Any]:
        """The file's content; `sha256` is of all the rest, so that no part of it is changed by
        mistake."""
        content = {
            "kind": KIND,
            "schema": SCHEMA,
            "weighbridge": self.made_by,
            "model": self.model,
            "host": self.host,
            "began": self.began,
            "ended": self.ended,
            "protocol_sha256": protocol(),
            "parameters": {
                "max_tokens": OUTPUT_TOKENS,
                "temperature": TEMPERATURE,
                "extra_body": self.extra_body,
            },
            "counted_texts": [
                {"text": text, "repeats": k, "prompt_tokens": tokens}
                for (text, k), tokens in self._tokens_stated().items()
            ],
            "cells": [self._cell(cell) for cell in self.cells],
            "requests": self.requests,
        }
        if self.seed is not None:
            content["seed"] = self.seed._asdict() | {"questions": [*self.seed.questions]}
        if self.logprobs is not None:
            rows = [[dict(row) for row in prompt] for prompt in self.logprobs.rows]
            content["logprobs"] = {"top": self.logprobs.top, "rows": rows}
        if self.tools is not None:
            content["tools"] = self.tools._asdict()
        if self.cost is not None:
            content["cost"] = self.cost
        if self.currency is not None:
            content["currency"] = self.currency
        return content | {"sha256": digest(content)}

    def _tokens_stated(self) -> dict[tuple[int, int], int]:
        """What is stated of each repeated text, where all is."""
        tokens_by_text = {
            place: tokens
            for place, tokens in zip(COUNTED, self.tokens, strict=False)
            if tokens is not None
        }
        return tokens_by_text if len(tokens_by_text) == len({*COUNTED}) else {}

    def _cell(self, cell: Cell) -> dict[str, Any]:
        return {
            "number": cell.question,
            "question": BANK[cell.question],
            "kind": cell.kind,
            "usual": cell.usual,
            "first": _sorted(self.first.get(cell.question, {})),
            "second": _sorted(self.second.get(cell.question, {})),
        }


def digest(content: Mapping[str, Any]) -> str:
    """Of all but the digest itself."""
    rest = {name: value for name, value in content.items() if name != "sha256"}
    text = json.dumps(rest, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def read(text: bytes | str) -> Reference:
    """The reference of a file's content. Raises InputError, with a sentence."""
    content = json_of(text)
    if not isinstance(content, dict) or content.get("kind") != KIND:
        raise InputError("is no reference of mode identity: make one with `analysis enrol`")
    if content.get("schema") != SCHEMA:
        raise InputError(
            f"is a reference of schema {content.get('schema')!r}, and this Weighbridge reads "
            f"{SCHEMA}: enrol it again"
        )
    if content.get("sha256") != digest(content):
        raise InputError("was changed after it was made (its sha256 does not fit): enrol it again")
    if content.get("protocol_sha256") != protocol():
        raise InputError(
            "was made with other questions or parameters than this Weighbridge asks: enrol it again"
        )
    try:
        return _read(content)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise InputError("lacks what a reference has, or says it otherwise: enrol again") from None


def _read(content: Mapping[str, Any]) -> Reference:
    cells, first, second = list[Cell](), dict[int, Counts](), dict[int, Counts]()
    for one in content["cells"]:
        number, kind = _whole_number(one["number"]), one["kind"]
        if kind not in get_args(Kind) or BANK[number] != one["question"] or number in first:
            raise ValueError
        cells.append(Cell(number, kind, str(one["usual"])))
        first[number], second[number] = _counts(one["first"]), _counts(one["second"])
    if not cells:
        raise ValueError
    counted = {
        (_whole_number(one["text"]), _whole_number(one["repeats"])): _whole_number(
            one["prompt_tokens"]
        )
        for one in content["counted_texts"]
    }
    for moment in (content["began"], content["ended"]):
        if datetime.fromisoformat(moment).tzinfo is None:
            raise ValueError
    cost, currency, seed = (content.get(name) for name in ("cost", "currency", "seed"))
    return Reference(
        model=str(content["model"]),
        host=str(content["host"]),
        began=content["began"],
        ended=content["ended"],
        cells=tuple(cells),
        first=first,
        second=second,
        tokens=tuple(counted.get(place) for place in COUNTED),
        extra_body=str(content["parameters"]["extra_body"]),
        made_by=str(content["weighbridge"]),
        requests=_whole_number(content["requests"]),
        cost=None if cost is None else float(cost),
        currency=None if currency is None else str(currency),
        seed=None if seed is None else _seeded(seed),
        tools=None if content.get("tools") is None else _called(content["tools"]),
        logprobs=None if content.get("logprobs") is None else _logprobs_of(content["logprobs"]),
    )


def _seeded(one: Mapping[str, Any]) -> Seeded:
    questions = tuple(_whole_number(number) for number in one["questions"])
    if any(number >= len(BANK) for number in questions):
        raise ValueError
    return Seeded(questions, _whole_number(one["strays"]), _whole_number(one["answers"]))


def _called(one: Mapping[str, Any]) -> Called:
    return Called(*(_whole_number(one[name]) for name in Called._fields))


def _logprobs_of(one: Mapping[str, Any]) -> Stated:
    rows = tuple(
        tuple({str(token): float(value) for token, value in row.items()} for row in prompt)
        for prompt in one["rows"]
    )
    if len(rows) != len(PROMPTS) or any(not row for prompt in rows for row in prompt):
        raise ValueError
    return Stated(_whole_number(one["top"]), rows)


def utc(unix_s: float) -> str:
    """A moment as the file states it: ISO 8601, UTC, seconds."""
    return datetime.fromtimestamp(unix_s, UTC).isoformat(timespec="seconds")


def _counts(answers: Mapping[str, Any]) -> dict[str, int]:
    counts = {str(word): _whole_number(n) for word, n in answers.items()}
    if sum(counts.values()) > MOST_WORDS:
        raise ValueError
    return counts


def _whole_number(number: Any) -> int:
    if isinstance(number, bool) or not isinstance(number, int) or number < 0:
        raise ValueError
    return number


def _sorted(counts: Counts) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
