"""Reads from a row of mode identity which question was asked and which word came back. Pure."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from identity.counting import Count
from identity.looks import Asked
from identity.texts import COUNTED, STREAMED
from identity.word import FILTERED
from recording.json_values import mapping
from recording.outcome import Outcome

COUNT, STREAM, CHOOSE, ENROL, LOOK = "count", "count_stream", "choose", "enrol", "look"
"""The scenarios of the mode's phases."""


class Row(NamedTuple):
    """What is needed of a row: its outcome, `check_detail`, the reply's id, its number (both
    requests of a pair have the same) and tokens, and the attempt at the run that sent it."""

    outcome: str
    detail: str | None
    completion_id: str | None
    request_index: int
    prompt_tokens: int | None = None
    attempt: int | None = None


def questions_asked(rows: Iterable[Row]) -> list[Asked]:
    """The requests with a question, in their order; without replies that came twice.

    A cache on the way may answer a request with an earlier reply, although each is another: its id
    comes again. It is the answer of no request then. Ids that are the same for different questions
    name no reply.
    """
    return [one for _, one in _answers(rows)]


def pairs(ours: Iterable[Row], theirs: Iterable[Row]) -> list[tuple[Asked, Asked]]:
    """The questions of a phase that both routes were asked, in their order: ours, then theirs.

    Where one attempt at the run asked the one and another the other, hours may lie between: then
    neither has an answer.
    """
    others = {row.request_index: (row, answer) for row, answer in _answers(theirs)}
    both_asked = list[tuple[Asked, Asked]]()
    for row, answer in _answers(ours):
        if row.request_index in others:
            beside, other = others[row.request_index]
            apart = row.attempt != beside.attempt
            both = (answer, other)
            both_asked.append(
                (replace(answer, word=None), replace(other, word=None)) if apart else both
            )
    return both_asked


def _answers(rows: Iterable[Row]) -> list[tuple[Row, Asked]]:
    parsed = [(row, _question_and_word(row)) for row in rows]
    names_replies = _names_replies(parsed)
    ids_seen, answers = set[tuple[int, str]](), list[tuple[Row, Asked]]()
    for row, (question, word) in parsed:
        if question is None:
            continue
        key = (question, row.completion_id or "")
        again = names_replies and bool(row.completion_id) and key in ids_seen
        ids_seen.add(key)
        answers.append((row, Asked(question, None if again else word)))
    return answers


def counts(scenario: str, rows: Iterable[Row]) -> list[Count]:
    """The stated tokens of the repeated texts in the rows of a scenario."""
    streamed = scenario == STREAM
    places: Sequence[tuple[int, int]] = STREAMED if streamed else COUNTED
    return [
        Count(*places[row.request_index], row.prompt_tokens, streamed)
        for row in rows
        if row.prompt_tokens is not None and row.request_index < len(places)
        and row.outcome in (Outcome.OK, Outcome.EMPTY, Outcome.BUDGET_SPENT)
    ]  # fmt: skip


def _question_and_word(row: Row) -> tuple[int | None, str | None]:
    try:
        detail = mapping(json.loads(row.detail or "{}"))
    except ValueError:
        return None, None
    question, word = detail.get("question"), detail.get("word")
    if not isinstance(question, int):
        return None, None
    if row.outcome == Outcome.OK and isinstance(word, str):
        return question, word
    if row.outcome == Outcome.BUDGET_SPENT:
        return question, ""
    return question, FILTERED if row.outcome == Outcome.FILTERED else None


def _names_replies(parsed: Sequence[tuple[Row, tuple[int | None, str | None]]]) -> bool:
    """Whether the gateway's ids name replies: none is that of two questions."""
    questions: dict[str, set[int | None]] = defaultdict(set)
    for row, (question, _) in parsed:
        if row.completion_id:
            questions[row.completion_id].add(question)
    return all(n == 1 for n in Counter({i: len(q) for i, q in questions.items()}).values())
