"""The endpoints of a model: how each reads a body and writes an answer."""

from collections.abc import Mapping, Sequence
from typing import Any

from simulator import stream
from simulator.answer import Answer
from simulator.chat_request import ChatRequest
from simulator.dialects import Dialect, Stamp
from simulator.stream import DONE, Event

Conversations = dict[str, Sequence[Mapping[str, Any]]]  # messages by response id


class ChatCompletions:
    """POST /chat/completions."""

    name = "chat/completions"
    surface = "chat"  # of the features that its bodies use
    end = DONE  # of a stream

    def id_prefix(self, dialect: Dialect) -> str:
        """The prefix of the reply's id."""
        return dialect.id_prefix

    def chat_fields(self, data: dict[str, Any], known: Conversations) -> dict[str, Any]:
        """The body as that of a chat request. Raises BadRequest."""
        return data

    def check(self, dialect: Dialect, data: Mapping[str, Any]) -> None:
        """Refuses fields that the gateway does not accept. Raises BadRequest."""
        dialect.check(data)

    def remember(
        self, stamp: Stamp, request: ChatRequest, answer: Answer, known: Conversations
    ) -> None:
        """Keeps what a later request may refer to."""

    def plain(
        self, dialect: Dialect, stamp: Stamp, answer: Answer, usage: dict[str, Any] | None
    ) -> dict[str, Any]:
        """The body of a plain reply; `usage` is None if a fault hides it."""
        return dialect.reply(stamp, answer, usage)

    def events(
        self,
        dialect: Dialect,
        stamp: Stamp,
        answer: Answer,
        usage: dict[str, Any] | None,
        include_usage: bool,
    ) -> list[Event]:
        """The events of a streamed reply except its end; `include_usage`: usage was asked for."""
        return stream.events(dialect, stamp, answer, usage, include_usage)
