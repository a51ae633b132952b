"""One chat request on its way through the gateway: checked, limited, answered, charged."""

import time
from collections.abc import Mapping
from dataclasses import replace
from random import Random
from typing import Any

from simulator import errors, faults, latency, strictness
from simulator.answer import Answer, answer, count_prompt
from simulator.chat_request import BadRequest, ChatRequest, parse
from simulator.delivery import Delivery
from simulator.dialects import Stamp
from simulator.errors import Error
from simulator.ledger import Row
from simulator.profile import Latency, Model
from simulator.state import State
from simulator.wire import BodyTooLarge, Exchange, Headers

# A request can name its own fault in this header: one gateway then serves tests of all of them.
FAULT_HEADER = b"x-simulator-fault"


class Chat:
    """One chat request on its way through the state."""

    def __init__(
        self,
        state: State,
        exchange: Exchange,
        row: Row,
        stamp: Stamp,
        number: int,
        named: str = "",
    ) -> None:
        self.state = state
        self.settings = state.settings
        self.dialect = state.dialect
        self.exchange = exchange
        self.row = row
        self.stamp = stamp
        self.number = number
        self.named = named  # the model, where the path says it

    async def serve(self) -> None:
        """Answer or refuse the request. Raises ClientGone."""
        exchange, row = self.exchange, self.row
        try:
            body = await exchange.body()
            row.body_read_unix_s = time.time()
            refusal = self.state.check_key(exchange)
            if refusal is not None:
                return await self._refuse(refusal)
            request = parse(body, self._check)
            request.model = self.named or request.model
        except BodyTooLarge:
            return await self._refuse(Error(413, "The body is too large.", "invalid_request_error"))
        except BadRequest as bad:
            return await self._refuse(
                Error(bad.status, str(bad), "invalid_request_error", bad.param, bad.code)
            )
        request.task_id = request.task_id or exchange.header(b"x-task-id")
        self._note(request)
        model = self.state.model(request.model)
        if model is None:
            return await self._refuse(errors.unknown_model(request.model))
        most = self.settings.max_concurrency
        if most is not None and row.in_flight > most:
            row.fault = "concurrency_limit"
            message = f"Too many concurrent requests: the limit is {most}."
            return await self._refuse(errors.rate_limited(message, "concurrency", []))
        await self._limited(request, model)

    def _check(self, data: Mapping[str, Any]) -> None:
        """What this gateway refuses of a body's fields. Raises BadRequest."""
        strictness.refused(data, self.settings.refuse_fields)
        self.dialect.check(data)

    async def _limited(self, request: ChatRequest, model: Model) -> None:
        limits = self.state.limits
        if not limits.active:
            return await self._answer(request, model)
        key = self.exchange.header(self.dialect.key_header) or ""
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
        identity = self.stamp.id.removeprefix(self.dialect.id_prefix)
        now = time.monotonic()
        reply = answer(request, model, dice, state.cache, now, identity)
        sound = replace(reply)  # what a later request may get by mistake has no fault of its own
        faults.spoil(reply, fault, request.stream)
        name = f"{request.model}-substitute" if fault == "wrong_model" else request.model
        stamp = Stamp(self.stamp.id, self.stamp.created, name, request.task_id)
        mixed = state.earlier.other(request, sound, stamp)
        pace, waits = model.latency, True
        if fault == "cross":
            reply = mixed
        elif fault == "response_cache":
            given, repeated = state.earlier.again(request, reply, stamp)
            if repeated:
                reply, stamp, pace, waits = given.reply, given.stamp, Latency(), False
        stated = None if fault in ("missing_cost", "missing_usage") else reply.cost
        usage = None if fault == "missing_usage" else self.dialect.usage(reply, stated)
        self._charge(reply, stated, fault, request)
        delivery = Delivery(
            exchange,
            self.dialect,
            stamp,
            [*self.dialect.headers(stamp, stated, request.stream), *(limits or ())],
            pace,
            latency.first_token_s(pace, reply.prompt_tokens, pressure, dice) if waits else 0.0,
            fault if fault in faults.MISHAPS else None,
            settings.pace,
        )
        try:
            if request.stream:
                shown = usage if request.include_usage or self.dialect.always_usage else None
                await delivery.stream(reply, shown, request.include_usage)
            elif fault == "stream_error":
                await errors.inject("error_body_200", exchange, self.dialect, stamp, 0, "")
            else:
                await delivery.plain(reply, usage)
        finally:
            # An interrupted reply was computed, so its prefix is cached all the same.
            state.cache.store(reply.cache_blocks, model.cache, time.monotonic())
            if request.stream:
                row.chunks = len(delivery.chunk_times_s)
                row.chunk_times_unix_s = delivery.chunk_times_s
                row.first_token_unix_s = delivery.first_token_s

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
        row.finish_reason = reply.finish_reason
        if fault != "reset":
            row.billed = reply.cost
        # LiteLLM states the cost in a header that streams do not have.
        if self.dialect.states_cost_of(request.stream):
            row.cost = stated

    async def _refuse(self, error: Error) -> None:
        await self.state.refuse(self.exchange, self.stamp, error)
