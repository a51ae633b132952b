"""One chat request on its way through the gateway: checked, limited, answered, charged."""

import time
from collections.abc import Mapping
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Any

from simulator import faults, latency, refusals, strictness
from simulator.answer import Answer, answer, count_prompt
from simulator.delivery import Delivery
from simulator.dialects import Stamp
from simulator.ledger import Row
from simulator.profile import Latency, Model
from simulator.question import BadRequest, Question, parse
from simulator.refusals import Error
from simulator.wire import BodyTooLarge, Exchange, Headers

if TYPE_CHECKING:
    from simulator.gateway import Gateway

# A request can name its own fault in this header: one gateway then serves tests of all of them.
FAULT_HEADER = b"x-simulator-fault"


class Chat:
    """One chat request on its way through the gateway."""

    def __init__(
        self,
        gateway: "Gateway",
        exchange: Exchange,
        row: Row,
        stamp: Stamp,
        number: int,
        named: str = "",
    ) -> None:
        self.gateway = gateway
        self.settings = gateway.settings
        self.dialect = gateway.dialect
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
            refusal = self.gateway.check_key(exchange)
            if refusal is not None:
                return await self._refuse(refusal)
            question = parse(body, self._check)
            question.model = self.named or question.model
        except BodyTooLarge:
            return await self._refuse(Error(413, "The body is too large.", "invalid_request_error"))
        except BadRequest as bad:
            return await self._refuse(
                Error(bad.status, str(bad), "invalid_request_error", bad.param, bad.code)
            )
        question.task_id = question.task_id or exchange.header(b"x-task-id")
        self._note(question)
        model = self.gateway.model(question.model)
        if model is None:
            return await self._refuse(refusals.unknown_model(question.model))
        most = self.settings.max_concurrency
        if most is not None and row.in_flight > most:
            row.fault = "concurrency_limit"
            message = f"Too many concurrent requests: the limit is {most}."
            return await self._refuse(refusals.rate_limited(message, "concurrency", []))
        await self._limited(question, model)

    def _check(self, data: Mapping[str, Any]) -> None:
        """What this gateway refuses of a body's fields. Raises BadRequest."""
        strictness.refused(data, self.settings.refuse_fields)
        self.dialect.check(data)

    async def _limited(self, question: Question, model: Model) -> None:
        limits = self.gateway.limits
        if not limits.active:
            return await self._answer(question, model)
        key = self.exchange.header(self.dialect.key_header) or ""
        charged = count_prompt(question, model.tokens) + (question.max_tokens or 16)
        refusal = limits.admit(key, charged)
        shown = limits.headers(key, self.dialect.ratelimit_prefix)
        if refusal is not None:
            self.row.fault = refusal.reason
            message = (
                f"Rate limit reached for {question.model} on {refusal.unit} per min: "
                f"Limit {refusal.limit}. Please try again in {refusal.wait_s:.3f}s."
            )
            retry = limits.retry_headers(refusal)
            error = refusals.rate_limited(message, refusal.unit, retry)
            return await self.gateway.refuse(self.exchange, self.stamp, error, shown)
        try:
            await self._answer(question, model, shown)
        finally:
            limits.settle(key, charged, self.row.total_tokens or 0)

    async def _answer(
        self, question: Question, model: Model, limits: Headers | None = None
    ) -> None:
        gateway, settings, row, exchange = self.gateway, self.settings, self.row, self.exchange
        dice = gateway.dice(question)
        pressure = gateway.pressure(model)
        fault = self._fault(dice)
        row.fault = fault
        if fault in faults.REFUSALS:
            return await refusals.inject(
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
        reply = answer(question, model, dice, gateway.cache, now, identity)
        sound = replace(reply)  # what a later request may get by mistake has no fault of its own
        faults.spoil(reply, fault, question.stream)
        name = f"{question.model}-substitute" if fault == "wrong_model" else question.model
        stamp = Stamp(self.stamp.id, self.stamp.created, name, question.task_id)
        mixed = gateway.replies.other(question, sound, stamp)
        pace, waits = model.latency, True
        if fault == "cross":
            reply = mixed
        elif fault == "response_cache":
            given, repeated = gateway.replies.again(question, reply, stamp)
            if repeated:
                reply, stamp, pace, waits = given.reply, given.stamp, Latency(), False
        stated = None if fault in ("missing_cost", "missing_usage") else reply.cost
        usage = None if fault == "missing_usage" else self.dialect.usage(reply, stated)
        self._charge(reply, stated, fault, question)
        delivery = Delivery(
            exchange,
            self.dialect,
            stamp,
            [*self.dialect.headers(stamp, stated, question.stream), *(limits or ())],
            pace,
            latency.first_token_s(pace, reply.prompt_tokens, pressure, dice) if waits else 0.0,
            fault if fault in faults.MISHAPS else None,
            settings.pace,
        )
        try:
            if question.stream:
                shown = usage if question.include_usage or self.dialect.always_usage else None
                await delivery.stream(reply, shown, question.include_usage)
            elif fault == "stream_error":
                await refusals.inject("error_body_200", exchange, self.dialect, stamp, 0, "")
            else:
                await delivery.plain(reply, usage)
        finally:
            # An interrupted reply was computed, so its prefix is cached all the same.
            gateway.cache.store(reply.cache_blocks, model.cache, time.monotonic())
            if question.stream:
                row.chunks = len(delivery.chunk_times_s)
                row.chunk_times_unix_s = delivery.chunk_times_s
                row.first_token_unix_s = delivery.first_token_s

    def _note(self, question: Question) -> None:
        row = self.row
        row.task_id = question.task_id
        row.model = question.model
        row.stream = question.stream
        row.max_tokens = question.max_tokens
        row.tool_choice = question.tool_choice
        row.tools = len(question.tools)
        row.images = len(question.images)
        row.prompt_sha256 = question.prompt_sha256

    def _fault(self, dice: Random) -> str | None:
        forced = self.exchange.header(FAULT_HEADER)
        if forced in faults.FAULTS:
            return forced
        return self.settings.faults.draw(self.number, dice)

    def _charge(
        self, reply: Answer, stated: float | None, fault: str | None, question: Question
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
        if self.dialect.states_cost_of(question.stream):
            row.cost = stated

    async def _refuse(self, error: Error) -> None:
        await self.gateway.refuse(self.exchange, self.stamp, error)
