"""The operator's own traffic as requests: lines, generated prompts, and conversations. Pure."""

from dataclasses import replace
from hashlib import sha256
from typing import Any

from loadshapes.own_traffic.line import Json, Line
from loadshapes.phase import Phase
from recording.json_values import text_of
from tasks.prompts import Request
from tasks.reply import Message

# Common short words: one token each, with the space before it, in the tokenizers we know.
WORDS = (  # noqa: SIM905 (a list of so many quotes cannot be read)
    "time year people way day man thing woman life child world school state family student group "
    "country problem hand part place case week company system program question work number night"
).split()
LEAD_TOKENS = 20  # about what the words around the padding count


def request(line: Line, phase: Phase, index: int) -> Request:
    """A line as a request; for a conversation, its first turn."""
    messages: list[Json] = [*line.messages, *line.turns[:1]]
    if line.prompt_tokens is not None:
        messages = [{"role": "user", "content": padding(line.prompt_tokens, phase.task_id(index))}]
    text = "\n".join(text_of(message.get("content")) or "" for message in messages)
    return Request(text, messages=messages, extra=dict(line.settings), place=_place(line))


def _place(line: Line) -> dict[str, Any]:
    return {"line": line.number, **line.name}


def padding(prompt_tokens: int, name: str) -> str:
    """A prompt of about this many tokens. It begins with a hash of `name`, so that none is
    cached.
    """
    head = f"{sha256(name.encode()).hexdigest()[:6]}: tell a long story with these words:"
    words = [WORDS[place % len(WORDS)] for place in range(prompt_tokens - LEAD_TOKENS)]
    return " ".join([head, *words])


class Conversation:
    """One user's way through a line's turns: each is sent after the gateway's reply to the last."""

    def __init__(self, line: Line, phase: Phase) -> None:
        self.phase = phase
        self._line = line
        self._history: list[Json] = list(line.messages)
        self._turns_left = list(line.turns)
        self._turns = len(line.turns)
        self._answered = True

    @property
    def over(self) -> bool:
        """Whether no turn is left, or the last one got no usable reply."""
        return not self._turns_left or not self._answered

    def turn(self) -> Request:
        """The next turn, with the history before it."""
        self._history.append(self._turns_left.pop(0))
        self._answered = False
        text = "\n".join(text_of(message.get("content")) or "" for message in self._history)
        extra = dict(self._line.settings)
        place = {**_place(self._line), "turn": self._turns - len(self._turns_left)}
        return Request(
            text, messages=list(self._history), extra=extra, heard=self._hear, place=place
        )

    def _hear(self, reply: Message) -> None:
        if reply.content and not reply.tool_calls:
            self._history.append({"role": "assistant", "content": reply.content})
            self._answered = True


def begin(line: Line, phase: Phase) -> Conversation:
    """A line as a conversation; a line with only `messages` is a single turn of all of them."""
    if line.turns:
        return Conversation(line, phase)
    *before, last = line.messages
    return Conversation(replace(line, messages=tuple(before), turns=(last,)), phase)
