"""One request to a model: checked, limited, answered, charged."""

import time
from dataclasses import replace
from random import Random
from typing import Any

from simulator import billing, errors, faults, latency, strictness
from simulator.answer import Answer, answer, count_prompt
from simulator.billing import Counts
from simulator.chat_request import ChatRequest, parse
from simulator.delivery import Delivery, Pace
from simulator.dialects import Stamp
from simulator.endpoints import ChatCompletions
from simulator.errors import Error
from simulator.features.touched import NOTHING, Touched
from simulator.fields import BadRequest, load
from simulator.ledger import Row
from simulator.profile import Billing, Latency, Model
from simulator.schedule import DEAD, Window
from simulator.settings import Settings
from simulator.state import State
from simulator.wire import BodyTooLarge, ClientGone, Exchange, Headers

# A request can name its own fault in this header, so one gateway can serve tests of all faults.
FAULT_HEADER = b"x-simulator-fault"
_HONEST = Billing()


class _KeyRefused(Exception):
    """Raised for a missing or wrong key."""

    def __init__(self, error: Error) -> None:
        super().__init__(error.message)
        self.error = error


class Chat:
    """One request to a model, at any endpoint."""

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
        self.named = named  # the model, if the path names it
        states = self.settings.features
        self.touched = Touched(states) if states else NOTHING

    async def serve(self) -> None:
        """Answers or refuses the request. Raises ClientGone."""
        try:
            request = await self._read()
            request.task_id = request.task_id or self.exchange.header(b"x-task-id")
            self._note(request)
            model = self.state.model(request.model)
            if model is None:
                return await self._refuse(self.touched.unknown_model(request.model))
            refusal = self._refusal(request, model)
            if refusal is not None:
                return await self._refuse(refusal)
            await self._limited(request, model)
        except BodyTooLarge:
            await self._refuse(Error(413, "The body is too large.", "invalid_request_error"))
        except BadRequest as bad:
            await self._refuse(errors.of(bad))
        except _KeyRefused as refused:
            await self._refuse(refused.error)

    async def _read(self) -> ChatRequest:
        """The request, with its key and fields checked.

        Raises ClientGone, and the exceptions that `serve` answers.
        """
        body = await self.exchange.body()
        self.row.body_read_unix_s = time.time()
        refusal = self.state.check_key(self.exchange)
        if refusal is not None:
            raise _KeyRefused(refusal)
        data = load(body)
        named = data.get("task_id")  # so that a refused request has its model in the ledger
        self.row.task_id = named if isinstance(named, str) else None
        if self.touched.states:
            self._touch(data)
        data = self.endpoint.chat_fields(data, self.state.conversations)
        strictness.refused(data, self.settings.refuse_fields)
        self.endpoint.check(self.dialect, data)
        request = parse(data)
        request.model = self.named or request.model
        return request

    def _touch(self, data: dict[str, Any]) -> None:
        """Finds out which broken features the request uses. Raises BadRequest."""
        self.row.features = self.touched.used  # what is noted there later is written as well
        if self.state.broken_off is not None:
            try:
                self.touched.follows_broken_off()
            except BadRequest:
                self.state.broken_off = None
                raise
        model = self.state.model(self.named or str(data.get("model")))
        if model is not None:  # a request for an unknown model is about nothing else
            self.touched.read(data, self.endpoint.surface, model.reasoning.tokens > 0)

    def _refusal(self, request: ChatRequest, model: Model) -> Error | None:
        """The error for a prompt that is too long, or for too many requests in flight."""
        window = model.tokens.context_window
        if window is not None and (count := count_prompt(request, model.tokens)) > window:
            error = self.touched.too_long(window, count)
            if error is not None:
                return error
        most = self.settings.max_concurrency
        if most is not None and self.row.in_flight > most:
            self.row.fault = "concurrency_limit"
            message = f"Too many concurrent requests: the limit is {most}."
            return errors.rate_limited(message, "concurrency", [])
        return None

    async def _limited(self, request: ChatRequest, model: Model) -> None:
        limits = self.state.limits
        if not limits.active:
            return await self._answer(request, model)
        key = self.state.limited_as(self.exchange)
        charged = count_prompt(request, model.tokens) + (request.max_tokens or 16)
        refusal = limits.admit(key, charged)
        limit_headers = limits.headers(key, self.dialect.ratelimit_prefix)
        if refusal is not None:
            self.row.fault = refusal.reason
            message = (
                f"Rate limit reached for {request.model} on {refusal.unit} per min: "
                f"Limit {refusal.limit}. Please try again in {refusal.wait_s:.3f}s."
            )
            retry = limits.retry_headers(refusal)
            error = errors.rate_limited(message, refusal.unit, retry)
            return await self.state.refuse(self.exchange, self.stamp, error, limit_headers)
        try:
            await self._answer(request, model, limit_headers)
        finally:
            limits.settle(key, charged, self.row.total_tokens or 0)

    async def _answer(
        self, request: ChatRequest, model: Model, limits: Headers | None = None
    ) -> None:
        state, settings, row, exchange = self.state, self.settings, self.row, self.exchange
        dice = state.dice(request)
        pressure = state.pressure(model)
        window = settings.schedule.now(state.place)
        fault = self._fault(dice, window)
        row.fault = fault
        wait_s, mishap_pace = _lasting(settings, window)
        if fault in faults.REFUSALS:
            row.retry_after_s = wait_s if fault in errors.STATING_A_WAIT else None
            return await errors.inject(
                fault, exchange, self.dialect, self.stamp, wait_s, settings.redirect_to
            )
        if fault == DEAD:
            return await exchange.reset()
        if fault == "hang":
            await exchange.until_gone()
        identity = self.stamp.id.removeprefix(self.endpoint.id_prefix(self.dialect))
        reply = answer(request, model, dice, state.cache, time.monotonic(), identity)
        true = billing.counts(reply)
        if model.billing != _HONEST:
            billing.state(reply, model, request.stream, dice)
        self.touched.spoil(reply, request, model)
        reply, stamp, pace = self._spoilt(reply, request, fault, self._pace(model))
        stated_cost = None if fault in ("missing_cost", "missing_usage") else reply.cost
        # LiteLLM states the cost in a header, which streams do not have.
        cost_in_reply = stated_cost if self.dialect.states_cost_of(request.stream) else None
        billing.charge(row, reply, cost_in_reply, fault != "reset")
        billing.weigh(row, true, model, dice)
        self.endpoint.remember(stamp, request, reply, state.conversations)
        delivery = Delivery(
            exchange,
            self.endpoint,
            self.dialect,
            stamp,
            [*self.dialect.headers(stamp, stated_cost, request.stream), *(limits or ())],
            pace or Latency(),
            latency.first_token_s(pace, true.prompt_tokens, pressure, dice) if pace else 0.0,
            true.completion_tokens,
            "buffer" if self.touched.held_back else fault if fault in faults.MISHAPS else None,
            mishap_pace,
            self.touched.change,
        )
        try:
            await self._deliver(delivery, reply, request, fault, stated_cost)
        except ClientGone:
            self._broken_off(delivery, reply, request, true, model)
            if model.hang_up.goes_on:
                await delivery.rest()
            row.produced_until_unix_s = time.time()
            raise
        else:
            row.produced_tokens, row.produced_until_unix_s = true.completion_tokens, time.time()
        finally:
            # An interrupted reply was computed, so its prefix is cached nevertheless.
            state.cache.store(reply.cache_blocks, model.cache, time.monotonic())
            if request.stream:
                row.chunks = len(delivery.chunk_times_s)
                row.chunk_times_unix_s = delivery.chunk_times_s
                row.first_token_unix_s = delivery.first_token_s

    def _spoilt(
        self, reply: Answer, request: ChatRequest, fault: str | None, pace: Latency
    ) -> tuple[Answer, Stamp, Latency | None]:
        """The reply to send, its stamp, and its pace (None: at once).

        Raises BadRequest.
        """
        earlier = self.state.earlier
        sound = replace(
            reply
        )  # a reply that a later request may get by mistake has no fault of its own
        faults.spoil(reply, fault, request.stream)
        name = f"{request.model}-substitute" if fault == "wrong_model" else request.model
        tier = "default" if request.service_tier == "auto" else request.service_tier
        stamp = Stamp(self.stamp.id, self.stamp.created, name, request.task_id, tier)
        mixed = earlier.other(request, sound, stamp)
        if fault == "cross":
            return mixed, stamp, pace
        if fault == "response_cache":
            first_reply, repeated = earlier.again(request, reply, stamp)
            if repeated:
                return first_reply.reply, first_reply.stamp, None
        if "cache.key" in self.touched.used:
            first_reply, repeated = earlier.again(request, sound, stamp)
            reply = self.touched.repeated(reply, first_reply.reply if repeated else None)
        if self.touched.used.get("cancel") == "wrong" and self.state.broken_off is not None:
            reply, self.state.broken_off = self.state.broken_off, None
        return reply, stamp, pace

    async def _deliver(
        self,
        delivery: Delivery,
        reply: Answer,
        request: ChatRequest,
        fault: str | None,
        stated_cost: float | None,
    ) -> None:
        """Sends the reply. Raises ClientGone."""
        usage = None if fault == "missing_usage" else self.dialect.usage(reply, stated_cost)
        self.touched.spoil_usage(usage)
        if request.stream:
            usage_sent = usage if request.include_usage or self.dialect.always_usage else None
            await delivery.stream(reply, usage_sent, request.include_usage)
        elif fault == "stream_error":
            stamp = delivery.stamp
            await errors.inject("error_body_200", self.exchange, self.dialect, stamp, 0, "")
        else:
            await delivery.plain(reply, usage)

    def _broken_off(
        self, delivery: Delivery, reply: Answer, request: ChatRequest, true: Counts, model: Model
    ) -> None:
        """Charges a request whose client has left."""
        self.row.client_gone_unix_s = time.time()
        if request.stream:
            self.state.broken_off = reply
        reasoning_shown = bool(self.dialect.reasoning_key) and any(
            c.reasoning_ids for c in reply.choices
        )
        sent = billing.sent_tokens(true, *delivery.token_events(), reasoning_shown)
        billing.charge_aborted(self.row, reply, true, model, sent)

    def _pace(self, model: Model) -> Latency:
        """How fast the model is at this moment."""
        rule = model.latency
        if not rule.drift_amplitude:
            return rule
        factor = latency.drift(rule, self.exchange.started - self.state.started)
        self.row.latency_factor = round(factor, 6)
        return latency.drifted(rule, factor)

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

    def _fault(self, dice: Random, window: Window | None) -> str | None:
        forced = self.exchange.header(FAULT_HEADER)
        if forced in faults.FAULTS:
            return forced
        if window is not None and dice.random() < window.share:
            return window.fault
        return self.settings.faults.draw(self.number, dice)

    async def _refuse(self, error: Error) -> None:
        await self.state.refuse(self.exchange, self.stamp, error)


def _lasting(settings: Settings, window: Window | None) -> tuple[float, Pace]:
    """How long a reply asks to wait, and how long mishaps take, from the window or else from the
    command line."""
    if window is None or window.seconds is None:
        return settings.retry_after_s, settings.pace
    long_s = window.seconds
    return long_s, replace(settings.pace, slow_headers_s=long_s, stall_s=long_s)
