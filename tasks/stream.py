"""A streamed reply: SDK chunks put together into one message, with the time of each."""

from typing import Any

from tasks.reply import Json, Message, mapping, reasoning_of, text_of


class StreamedReply:
    """Gathers chunks. Times are those given to `add`, in the clock's seconds.

    `token_times` holds one time for every chunk that carried content, reasoning or a piece of a
    tool call; `first_visible` the first with content or a tool call. A role-only or empty delta
    is not a token.
    """

    def __init__(self) -> None:
        self.message = Message()
        self.token_times: list[float] = []
        self.first_visible: float | None = None
        self.usage_chunk: Json = {}
        self._content: list[str] = []
        self._reasoning: list[str] = []
        self._calls: dict[int, dict[str, Any]] = {}

    def add(self, chunk: Json, at: float) -> None:
        """Take in one decoded chunk that arrived at time `at`."""
        if chunk.get("usage"):
            self.usage_chunk = chunk
        model = chunk.get("model")
        if isinstance(model, str) and model:
            self.message.model = model
        choices = chunk.get("choices")
        if not isinstance(choices, list) or not choices:
            return
        choice = mapping(choices[0])
        reason = choice.get("finish_reason")
        if isinstance(reason, str):
            self.message.finish_reason = reason
        delta = mapping(choice.get("delta"))
        content, reasoning = text_of(delta.get("content")), reasoning_of(delta)
        calls = delta.get("tool_calls")
        if content:
            self._content.append(content)
        if reasoning:
            self._reasoning.append(reasoning)
        if isinstance(calls, list):
            for call in calls:
                self._add_call(mapping(call))
        if content or calls:
            self.first_visible = self.first_visible if self.first_visible is not None else at
        if content or reasoning or calls:
            self.token_times.append(at)

    def _add_call(self, piece: Json) -> None:
        index = piece.get("index")
        call = self._calls.setdefault(
            index if isinstance(index, int) else 0,
            {"type": "function", "function": {"name": "", "arguments": ""}},
        )
        if piece.get("id"):
            call["id"] = piece["id"]
        for name, text in mapping(piece.get("function")).items():
            if isinstance(text, str):
                call["function"][name] = call["function"].get(name, "") + text

    def finish(self) -> Message:
        """The message as far as it came."""
        self.message.content = "".join(self._content) or None
        self.message.reasoning = "".join(self._reasoning) or None
        self.message.tool_calls = [self._calls[index] for index in sorted(self._calls)]
        return self.message

    def gaps_s(self) -> list[float]:
        """The gaps between token-bearing chunks, ascending."""
        times = self.token_times
        return sorted(late - early for early, late in zip(times, times[1:], strict=False))
