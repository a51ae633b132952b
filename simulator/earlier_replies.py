"""Earlier replies, which a response cache or a gateway that mixes up requests sends again."""

from dataclasses import dataclass, field

from simulator.answer import Answer
from simulator.chat_request import ChatRequest
from simulator.dialects import Stamp

_MOST = 10_000  # replies that are kept; the oldest are dropped first


@dataclass(frozen=True, slots=True)
class StampedReply:
    """A reply and its stamp."""

    reply: Answer
    stamp: Stamp


@dataclass(slots=True)
class EarlierReplies:
    """The replies of one gateway, by model and messages, and the last of each model."""

    _known: dict[tuple[str, str], StampedReply] = field(default_factory=dict)
    _last: dict[str, StampedReply] = field(default_factory=dict)

    def again(self, request: ChatRequest, reply: Answer, stamp: Stamp) -> tuple[StampedReply, bool]:
        """The first reply to these messages, and whether it was given before."""
        key = (request.model, request.prompt_sha256)
        if (known := self._known.get(key)) is not None:
            return known, True
        if len(self._known) >= _MOST:
            del self._known[next(iter(self._known))]
        self._known[key] = stamped_reply = StampedReply(reply, stamp)
        return stamped_reply, False

    def other(self, request: ChatRequest, reply: Answer, stamp: Stamp) -> Answer:
        """The model's latest reply to any client; the given one if there is none."""
        before = self._last.get(request.model)
        self._last[request.model] = StampedReply(reply, stamp)
        return before.reply if before is not None else reply
