"""The broken features that one request uses, and their effects on it."""

from collections.abc import Mapping
from typing import Any

from simulator import errors, features
from simulator.answer import Answer, cut
from simulator.chat_request import ChatRequest
from simulator.errors import Error
from simulator.profile import Model
from simulator.stream import Change


class Touched:
    """`used` has the states of the features that the request uses, for the ledger.

    In a gateway where everything works, one object serves all requests, since it never changes.
    """

    def __init__(self, states: Mapping[str, str]) -> None:
        self.states = states
        self.used: dict[str, str] = {}

    def read(self, data: dict[str, Any], surface: str, reasons: bool) -> None:
        """Records what the body uses, and changes it. Raises BadRequest."""
        features.touch(self.states, data, self.used, surface, reasons)

    def follows_broken_off(self) -> None:
        """Records that the client broke off its previous stream. Raises BadRequest."""
        if "cancel" in self.states:
            self.used["cancel"] = self.states["cancel"]
            if self.used["cancel"] == "broken":
                raise features.broken()

    def unknown_model(self, name: str) -> Error:
        """The error for a model that is not served."""
        if self.states.get("error.model") == "broken":
            return errors.of(features.broken(503))
        return errors.unknown_model(name)

    def too_long(self, window: int, count: int) -> Error | None:
        """The error for a prompt that is longer than the context window; None if it is accepted."""
        state = self.states.get("error.context", "works")
        if state == "works":
            return errors.too_long(window, count)
        self.used["error.context"] = state
        return errors.BROKEN if state == "broken" else None

    def spoil(self, reply: Answer, request: ChatRequest, model: Model) -> None:
        """Changes the answer in place. Raises BadRequest if the gateway breaks instead."""
        if not self.states:
            return
        caching = self.states.get("cache.prompt")
        if caching is not None and reply.prompt_tokens >= model.cache.min_tokens:
            self.used["cache.prompt"] = caching
            if caching == "broken" and reply.cached_tokens:
                raise features.broken()
            if caching == "ignored":
                reply.cached_tokens, reply.cache_blocks = 0, ()
                cut(reply, model, reply.prompt_tokens)
        if self.used.get("error.context") == "wrong" and model.tokens.context_window:
            cut(reply, model, model.tokens.context_window)
        features.spoil_answer(self.used, reply, request)

    def repeated(self, reply: Answer, earlier: Answer | None) -> Answer:
        """The reply, or an earlier one to the same messages. Raises BadRequest."""
        if earlier is None:
            return reply
        if self.used["cache.key"] == "broken":
            raise features.broken()
        return earlier

    def spoil_usage(self, usage: dict[str, Any] | None) -> None:
        """Changes the usage in place."""
        if usage is not None and self.used.get("cache.prompt") == "ignored":
            usage.pop("prompt_tokens_details", None)

    @property
    def change(self) -> Change | None:
        """The change of the bodies that are sent; None if there is none."""
        if not features.spoils_bodies(self.used):
            return None
        return lambda bodies, stream: features.spoil_bodies(self.used, bodies, stream)

    @property
    def held_back(self) -> bool:
        """Whether a stream is held back and sent at once at its end."""
        return self.used.get("stream.increments") == "wrong"


NOTHING = Touched({})
