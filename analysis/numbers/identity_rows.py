"""What the rows of mode identity hold: answers, counts, calls, log-probabilities. Pure."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from identity import (
    asked,
    context,
    first_token,
    long_reply,
    setting,
    tools,
)
from identity.asked import Row
from identity.bank import BANK
from identity.called import Called
from identity.cells import Cell, choose, enough
from identity.counting import Count
from identity.first_token import Stated
from identity.honoured import Reply
from identity.looks import Asked
from recording.json_values import mapping
from recording.outcome import Outcome

Given = Mapping[str, Any]
"""A row, by its columns."""


def of_scenarios(rows: Iterable[Given], *scenarios: str) -> list[Given]:
    return [row for row in rows if row["scenario"] in scenarios]


def looks_of(rows: Iterable[Given]) -> list[Given]:
    """The rows of the looks, the first look first."""
    prefix = f"{asked.LOOK}-"
    looks = [row for row in rows if str(row["scenario"]).startswith(prefix)]
    return sorted(looks, key=lambda row: int(str(row["scenario"]).removeprefix(prefix)))


def in_order(rows: Iterable[Given]) -> list[Row]:
    return [_row(row) for row in sorted(rows, key=lambda row: row["request_index"])]


def _row(row: Given) -> Row:
    tokens = row["prompt_tokens"]
    return Row(
        row["outcome"],
        row["check_detail"],
        row["completion_id"],
        int(row["request_index"]),
        None if tokens is None else int(tokens),
        row["attempt"],
    )


def counts_of(rows: Sequence[Given]) -> list[Count]:
    """The stated tokens of the repeated texts, plain and streamed."""
    return [
        count
        for scenario in (asked.COUNT, asked.STREAM)
        for count in asked.counts(scenario, map(_row, of_scenarios(rows, scenario)))
    ]


def repeated_counts(rows: Sequence[Given]) -> list[set[int]]:
    """The stated prompt tokens of requests that were sent several times, byte for byte, each as
    one set. A reply that came before states its own tokens, or none: it is left out."""
    stated_of, counted = dict[tuple[str, int], set[int]](), set[str]()
    for row in rows:
        alike, tokens, name = _alike(row), row["prompt_tokens"], row["completion_id"]
        if alike is None or not tokens or name in counted or not row["success"]:
            continue
        counted |= {name} if name else set()
        stated_of.setdefault(alike, set()).add(int(tokens))
    return [*stated_of.values()]


def _alike(row: Given) -> tuple[str, int] | None:
    """What a row has in common with those whose requests have the same bytes; None: it is alone."""
    scenario = str(row["scenario"])
    if scenario == setting.CACHE:
        return (scenario, 0) if row["request_index"] in setting.ALIKE else None
    if scenario in (setting.WARM, setting.COLD, setting.COLD_MORE, setting.FREE):
        question = _fact(row).get("question")
        return (scenario, question) if isinstance(question, int) else None
    return None


def asked_of(rows: Sequence[Given]) -> list[Asked]:
    """The questions of some rows in the order of their phases, and their words."""
    questions: list[Asked] = []
    for phase in dict.fromkeys(row["phase"] for row in rows):
        of_phase = [row for row in rows if row["phase"] == phase]
        questions += asked.questions_asked(in_order(of_phase))
    return questions


def chosen(rows: Iterable[Given]) -> list[Cell]:
    """The cells chosen by the answers of the phase `choose`; none if those are too few."""
    words: dict[int, list[str]] = {}
    for answer in asked_of(of_scenarios(rows, asked.CHOOSE)):
        if answer.word and answer.question < len(BANK):
            words.setdefault(answer.question, []).append(answer.word)
    cells = choose(words)
    return cells if enough(cells) else []


def stated_logprobs(rows: Sequence[Given]) -> Stated:
    """The stated log-probabilities of some rows, without repeated replies."""
    by_prompt: list[list[Mapping[str, float]]] = [[] for _ in first_token.PROMPTS]
    counted, top = set[tuple[int, str]](), 0
    for row in sorted(first_token_rows(rows), key=lambda row: row["request_index"]):
        fact = _fact(row)
        place, by_token = fact.get("prompt"), mapping(fact.get("logprobs"))
        if not by_token or not isinstance(place, int) or place >= len(by_prompt):
            continue
        key = (place, row["completion_id"] or f"row {row['request_index']}")
        if key not in counted:
            counted.add(key)
            top = int(str(row["scenario"]).removeprefix(first_token.PREFIX))
            by_prompt[place].append({str(token): float(value) for token, value in by_token.items()})
    return Stated(top, tuple(map(tuple, by_prompt)))


def first_token_rows(rows: Iterable[Given]) -> list[Given]:
    return [row for row in rows if str(row["scenario"]).startswith(first_token.PREFIX)]


def called(rows: Sequence[Given]) -> Called | None:
    """What a reference keeps of its tool calls; None: there are too few."""
    tool_rows = of_scenarios(rows, tools.SCENARIO)
    replies = tool_replies(tool_rows)
    return tools.counted(replies) if tool_rows and len(replies) >= 0.8 * len(tool_rows) else None


def tool_replies(rows: Sequence[Given]) -> list[tools.Reply]:
    """What answered rows show; a reply without a call is a wrong one."""
    facts = [_fact(row) for row in rows]
    return [
        tools.Reply(fact["valid"] is True, fact.get("exact") is True)
        for fact in facts
        if "valid" in fact
    ]


def context_reply(row: Given) -> context.Reply:
    recalled = _fact(row).get("recalled")
    codes = [code is True for code in recalled] if isinstance(recalled, list) else []
    tokens = row["prompt_tokens"]
    return context.Reply(
        codes if len(codes) == len(context.DEPTHS) else None,
        None if tokens is None else int(tokens),
        refused_body(row),
    )


def long_reply_of(row: Given) -> long_reply.Reply:
    """Reasoning may be among the completion tokens, beside them, or in the total alone: the largest
    of these sums is not less than the reply has."""
    fact, tokens = _fact(row), row["completion_tokens"]
    lines, total, prompt = fact.get("lines"), row["total_tokens"], row["prompt_tokens"]
    beyond = 0 if total is None or prompt is None else int(total) - int(prompt)
    return long_reply.Reply(
        int(row["request_index"]),
        int(row["max_tokens"]),
        None if tokens is None else max(int(tokens) + int(row["reasoning_tokens"] or 0), beyond),
        fact.get("cut") is True,
        lines if isinstance(lines, int) else None,
        fact.get("pure") is True,
        refused_body(row),
    )


def setting_reply(row: Given) -> Reply:
    fact = _fact(row)
    numbers = ("completion_created", "completion_tokens", "reasoning_tokens", "max_tokens")
    created, tokens, thought, cap = (
        None if row[name] is None else int(row[name]) for name in numbers
    )
    return Reply(
        int(row["request_index"]), fact or None, refused_body(row), row["completion_id"], created,
        tokens, thought, cap,
    )  # fmt: skip


def refused_body(row: Given) -> bool:
    """Whether it was refused because of its body."""
    return bool(row["outcome"] == Outcome.BAD_REQUEST)


def _fact(row: Given) -> Mapping[str, Any]:
    """What an answered row's reply showed."""
    try:
        return mapping(json.loads(row["check_detail"] or "{}")) if row["success"] else {}
    except ValueError:
        return {}
