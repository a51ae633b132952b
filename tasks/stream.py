"""Assembles a streamed reply from SDK chunks, with the time of each."""

from recording.json_values import Json, mapping
from tasks import thinking
from tasks.error_bodies import trouble
from tasks.finish_reasons import end_of
from tasks.provider import stated_in
from tasks.reply import Message, first_choice, index_of, reason_of, reasoning_of, spoken_text
from tasks.tool_calls import Calls, calls_of
from tasks.usage import Usages, stated_usage


class StreamedReply:
    """Gathers chunks. Times are those given to `add`, in the clock's seconds.

    `token_times` holds one time for every chunk that carried content, reasoning or a piece of a
    tool call; `first_visible` the first with content or a tool call (reasoning that stands inside
    the content apart: that is known in `finish`). A role-only or empty delta is not a token.
    `head` holds `id`, `created` and `system_fingerprint` of the reply, `provider` who a router
    says made it. Of several choices, the one that came first is the reply. `wrong` is what a chunk
    said went wrong; `whole_reply`: a choice came with a `message` in place of a delta.
    """

    def __init__(self) -> None:
        self.message = Message()
        self.token_times: list[float] = []
        self.first_visible: float | None = None
        self.usages = Usages()
        self.whole_reply = False
        self.wrong: object | None = None
        self.head: Json = {}
        self.provider: str | None = None
        self._content: list[str] = []
        self._content_at: list[float] = []
        self._reasoning: list[str] = []
        self._calls = Calls()
        self._usage_chunk: Json = {}
        self._failed = False
        self._choice: int | None = None

    def add(self, chunk: Json, at: float) -> None:
        """Add one decoded chunk that arrived at time `at`."""
        used = stated_usage(chunk)
        if "id" not in self.head and chunk.get("id"):
            self.head = {**self.head, "id": chunk["id"], "created": chunk.get("created")}
        if "system_fingerprint" not in self.head and chunk.get("system_fingerprint"):
            self.head = {**self.head, "system_fingerprint": chunk["system_fingerprint"]}
        if self.provider is None:
            self.provider = stated_in(chunk)
        model = chunk.get("model")
        if isinstance(model, str) and model:
            self.message.model = model
        choices = chunk.get("choices")
        if not isinstance(choices, list) or not choices:
            self.wrong = trouble(chunk)
            self._count(used, chunk)
            return
        choice = choices[0]
        if len(choices) > 1 or not isinstance(choice, dict) or choice.get("index") != self._choice:
            choice = first_choice(choices, self._choice)
            if self._choice is None:
                self._choice = index_of(choice)
        if chunk.get("error") or choice.get("error"):
            self.wrong = trouble(chunk)
        if (reason := reason_of(choice)) is not None and not self._failed:
            self.message.finish_reason = reason
            self._failed = end_of(reason) == "failed"  # and stays so, whatever follows
        if used:
            self._count(used, chunk)
        if "message" in choice and "delta" not in choice:
            self.whole_reply = True
        delta = mapping(choice.get("delta"))
        content, reasoning, calls = spoken_text(delta), reasoning_of(delta), calls_of(delta)
        if content:
            self._content.append(content)
            self._content_at.append(at)
        if reasoning:
            self._reasoning.append(reasoning)
        if calls:
            self._calls.add(calls)
        if content or calls:
            self.first_visible = self.first_visible if self.first_visible is not None else at
        if content or reasoning or calls:
            self.token_times.append(at)

    def _count(self, used: Json, chunk: Json) -> None:
        if used:
            self.usages.add(used, after_end=self.message.finish_reason is not None)
            self._usage_chunk = {**self._usage_chunk, **chunk}

    @property
    def usage_chunk(self) -> Json:
        """The chunks that stated usage as one body, with the usage that counts; empty: none did."""
        return {**self._usage_chunk, "usage": self.usages.merged} if self._usage_chunk else {}

    def finish(self) -> Message:
        """The message received so far."""
        text = "".join(self._content)
        thought, rest = thinking.split(text)
        self.message.content = rest or None
        self.message.inner_reasoning = thought
        if thought is not None:
            self._see_again(len(text) - len(rest) if rest else None)
        self.message.reasoning = "".join(self._reasoning) or None
        self.message.tool_calls = self._calls.collected()
        self.message.odd = self._calls.odd
        return self.message

    def _see_again(self, begin: int | None) -> None:
        """Visible text begins at a character of the content; None: there is none."""
        if self._calls.collected():
            return  # when they came is not kept apart: the first that may be seen stands
        self.first_visible = None
        for piece, at in zip(self._content, self._content_at, strict=True):
            if begin is not None and (begin := begin - len(piece)) < 0:
                self.first_visible = at
                return
