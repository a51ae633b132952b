"""Replies that were given before: what a response cache, or a mixed-up gateway, hands out again."""

from dataclasses import dataclass, field

from simulator.answer import Answer
from simulator.chat_request import ChatRequest
from simulator.dialects import Stamp

_MOST = 10_000  # replies that are remembered, the oldest goes first


@dataclass(frozen=True, slots=True)
class Given:
    """A reply and what it was called."""

    reply: Answer
    stamp: Stamp


@dataclass(slots=True)
class EarlierReplies:
    """The replies of one gateway, by model and messages, and the last of each model."""

    _known: dict[tuple[str, str], Given] = field(default_factory=dict)
    _last: dict[str, Given] = field(default_factory=dict)

    def again(self, request: ChatRequest, reply: Answer, stamp: Stamp) -> tuple[Given, bool]:
        """The reply to these messages: that of the first time; whether it was given before."""
        key = (request.model, request.prompt_sha256)
        if (known := self._known.get(key)) is not None:
            return known, True
        if len(self._known) >= _MOST:
            del self._known[next(iter(self._known))]
        self._known[key] = given = Given(reply, stamp)
        return given, False

    def other(self, request: ChatRequest, reply: Answer, stamp: Stamp) -> Answer:
        """The reply that the model gave last, to whomever; its own where it gave none."""
        before = self._last.get(request.model)
        self._last[request.model] = Given(reply, stamp)
        return before.reply if before is not None else reply
