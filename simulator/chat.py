"""One request to a model on its way through the gateway: checked, limited, answered, charged."""

import time
from dataclasses import replace
from random import Random
from typing import Any

from simulator import billing, errors, faults, features, latency, strictness
from simulator.answer import Answer, answer, count_prompt, cut
from simulator.chat_request import ChatRequest, parse
from simulator.delivery import Delivery
from simulator.dialects import Stamp
from simulator.endpoints import ChatCompletions
from simulator.errors import Error
from simulator.fields import BadRequest, load
from simulator.ledger import Row
from simulator.profile import Billing, Latency, Model
from simulator.state import State
from simulator.wire import BodyTooLarge, ClientGone, Exchange, Headers

# A request can name its own fault in this header: one gateway then serves tests of all of them.
FAULT_HEADER = b"x-simulator-fault"
_HONEST = Billing()


class Chat:
    """One request to a model on its way through the gateway, at whichever endpoint."""

    def __init__(
        self,
        state: State,
        exchange: Exchange,
        row: Row,
        stamp: Stamp,
        number: int,
        endpoint: ChatCompletions,
        named: str = "",
    ) -> None:
        self.state = state
        self.settings = state.settings
        self.dialect = state.dialect
        self.exchange = exchange
        self.row = row
        self.stamp = stamp
        self.number = number
        self.endpoint = endpoint
        self.named = named  # the model, where the path says it
        self.used: dict[str, str] = {}  # the features it uses that do not work, and their states

    async def serve(self) -> None:
        """Answer or refuse the request. Raises ClientGone."""
        exchange, row = self.exchange, self.row
        try:
            body = await exchange.body()
            row.body_read_unix_s = time.time()
            refusal = self.state.check_key(exchange)
            if refusal is not None:
                return await self._refuse(refusal)
            data = load(body)
            if self.settings.features:
                row.features = self.used  # what is noted there later is written, too
                self._touch(data)
            data = self.endpoint.chat_fields(data, self.state.conversations)
            strictness.refused(data, self.settings.refuse_fields)
            self.endpoint.check(self.dialect, data)
            request = parse(data)
            request.model = self.named or request.model
        except BodyTooLarge:
            return await self._refuse(Error(413, "The body is too large.", "invalid_request_error"))
        except BadRequest as bad:
            return await self._refuse_body(bad)
        request.task_id = request.task_id or exchange.header(b"x-task-id")
        self._note(request)
        model = self.state.model(request.model)
        if model is None:
            if self.settings.features.get("error.model") == "broken":
                return await self._refuse_body(features.broken(503))
            return await self._refuse(errors.unknown_model(request.model))
        if model.tokens.context_window is not None:
            refused = self._refused_length(request, model, model.tokens.context_window)
            if refused is not None:
                return await self._refuse(refused)
        most = self.settings.max_concurrency
        if most is not None and row.in_flight > most:
            row.fault = "concurrency_limit"
            message = f"Too many concurrent requests: the limit is {most}."
            return await self._refuse(errors.rate_limited(message, "concurrency", []))
        await self._limited(request, model)

    def _touch(self, data: dict[str, Any]) -> None:
        """Read which features that do not work the request uses. Raises BadRequest."""
        if self.state.broken_off is not None and "cancel" in self.settings.features:
            self.used["cancel"] = self.settings.features["cancel"]
            if self.used["cancel"] == "broken":
                self.state.broken_off = None
                raise features.broken()
        model = self.state.model(self.named or str(data.get("model")))
        if model is not None:  # what asks for no served model is about that alone
            reasons = model.reasoning.tokens > 0
            surface = self.endpoint.surface
            features.touch(self.settings.features, data, self.used, surface, reasons)

    def _refused_length(self, request: ChatRequest, model: Model, window: int) -> Error | None:
        """The error for a prompt that is longer than the model's context window."""
        count = count_prompt(request, model.tokens)
        if count <= window:
            return None
        state = self.settings.features.get("error.context", "works")
        if state == "works":
            return errors.too_long(window, count)
        self.used["error.context"] = state
        return errors.BROKEN if state == "broken" else None

    async def _limited(self, request: ChatRequest, model: Model) -> None:
        limits = self.state.limits
        if not limits.active:
            return await self._answer(request, model)
        key = self.state.limited_as(self.exchange)
        charged = count_prompt(request, model.tokens) + (request.max_tokens or 16)
        refusal = limits.admit(key, charged)
        shown = limits.headers(key, self.dialect.ratelimit_prefix)
        if refusal is not None:
            self.row.fault = refusal.reason
            message = (
                f"Rate limit reached for {request.model} on {refusal.unit} per min: "
                f"Limit {refusal.limit}. Please try again in {refusal.wait_s:.3f}s."
            )
            retry = limits.retry_headers(refusal)
            error = errors.rate_limited(message, refusal.unit, retry)
            return await self.state.refuse(self.exchange, self.stamp, error, shown)
        try:
            await self._answer(request, model, shown)
        finally:
            limits.settle(key, charged, self.row.total_tokens or 0)

    async def _answer(
        self, request: ChatRequest, model: Model, limits: Headers | None = None
    ) -> None:
        state, settings, row, exchange = self.state, self.settings, self.row, self.exchange
        dice = state.dice(request)
        pressure = state.pressure(model)
        fault = self._fault(dice)
        row.fault = fault
        if fault in faults.REFUSALS:
            return await errors.inject(
                fault,
                exchange,
                self.dialect,
                self.stamp,
                settings.retry_after_s,
                settings.redirect_to,
            )
        if fault == "hang":
            await exchange.gone()
        identity = self.stamp.id.removeprefix(self.endpoint.id_prefix(self.dialect))
        now = time.monotonic()
        reply = answer(request, model, dice, state.cache, now, identity)
        true = billing.counts(reply)
        if model.billing != _HONEST:
            billing.state(reply, model, request.stream)
        if self.settings.features and not self._spoil(reply, request, model):
            return await self._refuse(errors.BROKEN)
        sound = replace(reply)  # what a later request may get by mistake has no fault of its own
        faults.spoil(reply, fault, request.stream)
        name = f"{request.model}-substitute" if fault == "wrong_model" else request.model
        tier = "default" if request.service_tier == "auto" else request.service_tier
        stamp = Stamp(self.stamp.id, self.stamp.created, name, request.task_id, tier)
        mixed = state.earlier.other(request, sound, stamp)
        pace, waits = self._pace(model), True
        if fault == "cross":
            reply = mixed
        elif fault == "response_cache":
            given, repeated = state.earlier.again(request, reply, stamp)
            if repeated:
                reply, stamp, pace, waits = given.reply, given.stamp, Latency(), False
        if "cache.key" in self.used:
            given, repeated = state.earlier.again(request, sound, stamp)
            if repeated and self.used["cache.key"] == "broken":
                return await self._refuse(errors.BROKEN)
            reply = given.reply if repeated else reply
        if self.used.get("cancel") == "wrong" and state.broken_off is not None:
            reply, state.broken_off = state.broken_off, None
        stated = None if fault in ("missing_cost", "missing_usage") else reply.cost
        usage = None if fault == "missing_usage" else self.dialect.usage(reply, stated)
        if usage is not None and self.used.get("cache.prompt") == "ignored":
            usage.pop("prompt_tokens_details", None)
        self._charge(reply, stated, fault, request)
        billing.weigh(row, true, model, dice)
        self.endpoint.remember(stamp, request, reply, state.conversations)
        delivery = Delivery(
            exchange,
            self.endpoint,
            self.dialect,
            stamp,
            [*self.dialect.headers(stamp, stated, request.stream), *(limits or ())],
            pace,
            latency.first_token_s(pace, true.prompt_tokens, pressure, dice) if waits else 0.0,
            true.completion_tokens,
            self._mishap(fault),
            settings.pace,
            self._change if features.spoils_bodies(self.used) else None,
        )
        try:
            if request.stream:
                shown = usage if request.include_usage or self.dialect.always_usage else None
                await delivery.stream(reply, shown, request.include_usage)
            elif fault == "stream_error":
                await errors.inject("error_body_200", exchange, self.dialect, stamp, 0, "")
            else:
                await delivery.plain(reply, usage)
        except ClientGone:
            if request.stream:
                state.broken_off = reply
            billing.charge_aborted(row, reply, true, model, self._sent_tokens(delivery, reply))
            raise
        finally:
            # An interrupted reply was computed, so its prefix is cached all the same.
            state.cache.store(reply.cache_blocks, model.cache, time.monotonic())
            if request.stream:
                row.chunks = len(delivery.chunk_times_s)
                row.chunk_times_unix_s = delivery.chunk_times_s
                row.first_token_unix_s = delivery.first_token_s

    def _spoil(self, reply: Answer, request: ChatRequest, model: Model) -> bool:
        """Change the answer as the features say; false where it breaks instead."""
        caching = self.settings.features.get("cache.prompt")
        if caching is not None and reply.prompt_tokens >= model.cache.min_tokens:
            self.used["cache.prompt"] = caching
            if caching == "broken" and reply.cached_tokens:
                return False
            if caching == "ignored":
                reply.cached_tokens, reply.cache_blocks = 0, ()
                cut(reply, model, reply.prompt_tokens)
        if self.used.get("error.context") == "wrong" and model.tokens.context_window:
            cut(reply, model, model.tokens.context_window)
        features.spoil_answer(self.used, reply, request)
        return True

    def _pace(self, model: Model) -> Latency:
        """How fast the model is at this moment."""
        rule = model.latency
        if not rule.drift_amplitude:
            return rule
        factor = latency.drift(rule, self.exchange.started - self.state.started)
        self.row.latency_factor = round(factor, 6)
        return latency.drifted(rule, factor)

    def _sent_tokens(self, delivery: Delivery, reply: Answer) -> int:
        """The completion tokens that a client had got when it left, hidden reasoning included."""
        if not delivery.tokens_sent:
            return 0
        shown = self.dialect.reasoning_key and any(c.reasoning_ids for c in reply.choices)
        return delivery.tokens_sent + (0 if shown else reply.reasoning_tokens)

    def _change(self, bodies: list[dict[str, Any]], stream: bool) -> None:
        features.spoil_bodies(self.used, bodies, stream)

    def _mishap(self, fault: str | None) -> str | None:
        if self.used.get("stream.increments") == "wrong":
            return "buffer"
        return fault if fault in faults.MISHAPS else None

    def _note(self, request: ChatRequest) -> None:
        row = self.row
        row.task_id = request.task_id
        row.model = request.model
        row.stream = request.stream
        row.max_tokens = request.max_tokens
        row.tool_choice = request.tool_choice
        row.tools = len(request.tools)
        row.images = len(request.images)
        row.prompt_sha256 = request.prompt_sha256

    def _fault(self, dice: Random) -> str | None:
        forced = self.exchange.header(FAULT_HEADER)
        if forced in faults.FAULTS:
            return forced
        return self.settings.faults.draw(self.number, dice)

    def _charge(
        self, reply: Answer, stated: float | None, fault: str | None, request: ChatRequest
    ) -> None:
        row = self.row
        row.prompt_tokens = reply.prompt_tokens
        row.completion_tokens = reply.completion_tokens
        row.total_tokens = reply.total_tokens
        row.cached_tokens = reply.cached_tokens
        row.reasoning_tokens = reply.reasoning_tokens
        row.finish_reason = reply.choices[0].finish_reason
        if fault != "reset":
            row.billed = reply.cost
        # LiteLLM states the cost in a header that streams do not have.
        if self.dialect.states_cost_of(request.stream):
            row.cost = stated

    async def _refuse_body(self, bad: BadRequest) -> None:
        await self._refuse(Error(bad.status, str(bad), bad.kind, bad.param, bad.code))

    async def _refuse(self, error: Error) -> None:
        await self.state.refuse(self.exchange, self.stamp, error)
