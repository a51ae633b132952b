"""A streamed reply: SDK chunks put together into one message, with the time of each."""

from typing import Any

from tasks import thinking
from tasks.reply import (
    Json,
    Message,
    calls_of,
    first_choice,
    index_of,
    mapping,
    reason_of,
    reasoning_of,
    spoken,
    stated,
    trouble,
)


class StreamedReply:
    """Gathers chunks. Times are those given to `add`, in the clock's seconds.

    `token_times` holds one time for every chunk that carried content, reasoning or a piece of a
    tool call; `first_visible` the first with content or a tool call (reasoning that stands inside
    the content apart: that is known in `finish`). A role-only or empty delta is not a token.
    `head` holds `id` and `created` of the reply. Of several choices, the one that came first is the
    reply. `wrong` is what a chunk said went wrong.
    """

    def __init__(self) -> None:
        self.message = Message()
        self.token_times: list[float] = []
        self.first_visible: float | None = None
        self.usage_chunk: Json = {}
        self.wrong: object | None = None
        self.head: Json = {}
        self._content: list[str] = []
        self._content_at: list[float] = []
        self._reasoning: list[str] = []
        self._calls: dict[int, dict[str, Any]] = {}
        self._choice: int | None = None

    def add(self, chunk: Json, at: float) -> None:
        """Take in one decoded chunk that arrived at time `at`."""
        if used := stated(chunk):  # of several, a later one replaces what it states
            said = {name: value for name, value in used.items() if value is not None}
            known = mapping(self.usage_chunk.get("usage"))
            self.usage_chunk = {**chunk, "usage": {**known, **said}}
        if not self.head and chunk.get("id"):
            self.head = {"id": chunk["id"], "created": chunk.get("created")}
        model = chunk.get("model")
        if isinstance(model, str) and model:
            self.message.model = model
        choices = chunk.get("choices")
        if not isinstance(choices, list) or not choices:
            self.wrong = trouble(chunk)
            return
        choice = choices[0]
        if len(choices) > 1 or not isinstance(choice, dict) or choice.get("index") != self._choice:
            choice = first_choice(choices, self._choice)
            if self._choice is None:
                self._choice = index_of(choice)
        if chunk.get("error") or choice.get("error"):
            self.wrong = trouble(chunk)
        if (reason := reason_of(choice)) is not None:
            self.message.finish_reason = reason
        delta = mapping(choice.get("delta"))
        content, reasoning, calls = spoken(delta), reasoning_of(delta), calls_of(delta)
        if content:
            self._content.append(content)
            self._content_at.append(at)
        if reasoning:
            self._reasoning.append(reasoning)
        for call in calls:
            self._add_call(mapping(call))
        if content or calls:
            self.first_visible = self.first_visible if self.first_visible is not None else at
        if content or reasoning or calls:
            self.token_times.append(at)

    def _add_call(self, piece: Json) -> None:
        name, index = piece.get("id"), index_of(piece)
        if name and self._calls.get(index, {}).get("id", name) != name:
            # Google's endpoint numbers every call 0: the id tells them apart.
            same = (n for n, call in self._calls.items() if call.get("id") == name)
            index = next(same, max(self._calls) + 1)
        elif not name and "index" not in piece and self._calls:
            index = max(self._calls)
        call = self._calls.setdefault(
            index, {"type": "function", "function": {"name": "", "arguments": ""}}
        )
        if name:
            call["id"] = name
        for key, text in mapping(piece.get("function")).items():
            if isinstance(text, str) and (key != "name" or text != call["function"]["name"]):
                call["function"][key] = call["function"].get(key, "") + text

    def finish(self) -> Message:
        """The message as far as it came."""
        text = "".join(self._content)
        thought, rest = thinking.split(text)
        self.message.content = rest or None
        self.message.inner_reasoning = thought
        if thought is not None:
            self._see_again(len(text) - len(rest) if rest else None)
        self.message.reasoning = "".join(self._reasoning) or None
        self.message.tool_calls = [self._calls[index] for index in sorted(self._calls)]
        return self.message

    def _see_again(self, begin: int | None) -> None:
        """Visible text begins at a character of the content; None: there is none."""
        if self._calls:
            return  # when they came is not kept apart: the first that may be seen stands
        self.first_visible = None
        for piece, at in zip(self._content, self._content_at, strict=True):
            if begin is not None and (begin := begin - len(piece)) < 0:
                self.first_visible = at
                return
