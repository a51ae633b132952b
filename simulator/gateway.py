"""The gateway: routes, keys, limits, faults, the answer, and a row in the ledger."""

import asyncio
import time
from dataclasses import dataclass, field
from hashlib import blake2b
from random import Random

from simulator import faults, latency, refusals
from simulator.answer import Answer, answer, count_prompt
from simulator.cache import PromptCache
from simulator.delivery import Delivery, Pace
from simulator.dialects import Nonelinear, Stamp, encode
from simulator.faults import Faults
from simulator.latency import Pressure, Traffic
from simulator.ledger import Ledger, Row
from simulator.limits import Limits
from simulator.profile import Model, Profile
from simulator.question import BadRequest, Question, parse
from simulator.refusals import Error
from simulator.wire import JSON, BodyTooLarge, ClientGone, Exchange, Headers, Receive, Scope, Send

PREFIXES = ("/api/v1", "/v1", "")
FAULT_HEADER = b"x-simulator-fault"
_REMEMBERED = 200_000


@dataclass(frozen=True, slots=True)
class Settings:
    """How one gateway behaves; see the command line's help."""

    profile: Profile
    dialect: Nonelinear
    faults: Faults
    seed: int = 0
    key: str | None = None
    max_concurrency: int | None = None
    rpm_limit: int | None = None
    tpm_limit: int | None = None
    retry_lie: float = 1.0
    retry_after_s: float = 1.0
    redirect_to: str = "/v1/elsewhere"
    pace: Pace = field(default_factory=Pace)


class Gateway:
    """The ASGI application."""

    def __init__(self, settings: Settings, ledger: Ledger) -> None:
        self.settings = settings
        self.dialect = settings.dialect
        self.ledger = ledger
        self.cache = PromptCache()
        self.limits = Limits(
            settings.rpm_limit, settings.tpm_limit, time.monotonic, settings.retry_lie
        )
        self.traffic: dict[str, Traffic] = {}
        self.number = 0  # chat requests so far
        self.in_flight = 0
        self.most_in_flight = 0
        self._seen: dict[bytes, int] = {}
        self._models: dict[str, Model] = {}
        self._dice = Random()
        self._salt = int.from_bytes(blake2b(str(settings.seed).encode()).digest())
        # One run's ids differ from another seed's, and are the same when the run is repeated.
        self._run = blake2b(str(settings.seed).encode(), digest_size=4).hexdigest()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP request."""
        if scope["type"] != "http":
            return
        exchange = Exchange(scope, receive, send)
        path = scope["path"]
        route = next(path[len(p) :] for p in PREFIXES if path.startswith(p))
        if route == "/chat/completions" and scope["method"] == "POST":
            await self._logged(exchange)
            return
        try:
            await self._plain_routes(exchange, route)
        except ClientGone:
            return

    async def _plain_routes(self, exchange: Exchange, route: str) -> None:
        method = exchange.scope["method"]
        if route == "/health" and method == "GET":
            state = {
                "status": "ok",
                "profile": self.settings.profile.name,
                "requests": self.number,
                "in_flight": self.in_flight,
                "most_in_flight": self.most_in_flight,
            }
            await exchange.reply(200, [JSON], encode(state))
        elif route in ("/models", "/health", "/chat/completions"):
            if route != "/models" or method != "GET":
                message = f"Not allowed to {method} on {exchange.scope['path']}."
                await self._refuse(
                    exchange, self._stamp(), Error(405, message, "invalid_request_error")
                )
            elif (refusal := self._check_key(exchange)) is not None:
                await self._refuse(exchange, self._stamp(), refusal)
            else:
                await exchange.reply(200, [JSON], encode(self._listed()))
        else:
            message = f"Unknown request URL: {method} {exchange.scope['path']}."
            error = Error(404, message, "invalid_request_error", code="unknown_url")
            await self._refuse(exchange, self._stamp(), error)

    def _listed(self) -> dict[str, object]:
        profile = self.settings.profile
        models = [*profile.models.values()] or [profile.default]
        data = [
            {"id": model.name, "object": "model", "created": 1_779_148_800, "owned_by": model.owner}
            for model in models
        ]
        return {"object": "list", "data": data}

    async def _logged(self, exchange: Exchange) -> None:
        """Serve a chat request and write its row, however it ends."""
        self.number += 1
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        stamp = self._stamp(self.number)
        row = Row(stamp.id, exchange.arrival_s, exchange.connection, self.in_flight)
        try:
            await _Chat(self, exchange, row, stamp, self.number).serve()
        except ClientGone:
            row.fault = "client_gone"
        except asyncio.CancelledError:
            row.fault = "stopped"
        finally:
            self.in_flight -= 1
            row.status = exchange.status
            row.first_byte_unix_s = exchange.first_byte_s
            row.last_byte_unix_s = exchange.last_byte_s
            self.ledger.add(row)

    def _stamp(self, number: int = 0) -> Stamp:
        identity = f"{self.dialect.id_prefix}{self._run}{number:016x}"
        return Stamp(identity, int(time.time()), "")

    def _check_key(self, exchange: Exchange) -> Error | None:
        header = exchange.header(b"authorization") or ""
        scheme, _, key = header.partition(" ")
        if scheme.lower() != "bearer" or not key.strip():
            return refusals.NO_KEY
        if self.settings.key is not None and key.strip() != self.settings.key:
            wrong = refusals.WRONG_KEY
            return Error(
                self.dialect.wrong_key_status, wrong.message, wrong.kind, wrong.param, wrong.code
            )
        return None

    async def _refuse(
        self, exchange: Exchange, stamp: Stamp, error: Error, limits: Headers | None = None
    ) -> None:
        await refusals.refuse(exchange, self.dialect, stamp, error, limits or [])

    def model(self, name: str) -> Model | None:
        """The served model of that name; those made up for `any_model` are remembered."""
        found = self._models.get(name) or self.settings.profile.model(name)
        if found is not None and len(self._models) < 1000:
            self._models[name] = found
        return found

    def dice(self, question: Question) -> Random:
        """Random numbers that depend on the seed, the prompt, the task_id and how often this
        pair was seen, but not on the order in which different requests arrive."""
        text = f"{question.task_id}\n{question.prompt_sha256}"
        digest = blake2b(text.encode("utf-8", "backslashreplace"), digest_size=8).digest()
        self._seen[digest] = times = self._seen.get(digest, 0) + 1
        if len(self._seen) > _REMEMBERED:
            del self._seen[next(iter(self._seen))]
        number = int.from_bytes(digest) + times
        # One generator, seeded anew, is cheaper than a new one; nobody keeps it over an await.
        self._dice.seed(number ^ self._salt)
        return self._dice

    def pressure(self, model: Model) -> Pressure:
        """The model's traffic, this request included."""
        if not latency.needs_pressure(model.latency):
            return Pressure()
        return self.traffic.setdefault(model.name, Traffic()).arrive(time.monotonic())


class _Chat:
    """One chat request on its way through the gateway."""

    def __init__(
        self, gateway: Gateway, exchange: Exchange, row: Row, stamp: Stamp, number: int
    ) -> None:
        self.gateway = gateway
        self.settings = gateway.settings
        self.dialect = gateway.dialect
        self.exchange = exchange
        self.row = row
        self.stamp = stamp
        self.number = number

    async def serve(self) -> None:
        """Answer or refuse the request. Raises ClientGone."""
        exchange, row = self.exchange, self.row
        try:
            body = await exchange.body()
            row.body_read_unix_s = time.time()
            refusal = self.gateway._check_key(exchange)
            if refusal is not None:
                return await self._refuse(refusal)
            question = parse(body)
        except BodyTooLarge:
            return await self._refuse(Error(413, "The body is too large.", "invalid_request_error"))
        except BadRequest as bad:
            return await self._refuse(
                Error(400, str(bad), "invalid_request_error", bad.param, bad.code)
            )
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

    async def _limited(self, question: Question, model: Model) -> None:
        limits = self.gateway.limits
        if not limits.active:
            return await self._answer(question, model)
        key = self.exchange.header(b"authorization") or ""
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
            return await self.gateway._refuse(self.exchange, self.stamp, error, shown)
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
        faults.spoil(reply, fault)
        name = f"{question.model}-substitute" if fault == "wrong_model" else question.model
        stamp = Stamp(self.stamp.id, self.stamp.created, name, question.task_id)
        stated = None if fault in ("missing_cost", "missing_usage") else reply.cost
        usage = None if fault == "missing_usage" else self.dialect.usage(reply, stated)
        self._charge(reply, stated, fault, question)
        delivery = Delivery(
            exchange,
            self.dialect,
            stamp,
            [*self.dialect.headers(stamp, stated, question.stream), *(limits or ())],
            model.latency,
            latency.first_token_s(model.latency, reply.prompt_tokens, pressure, dice),
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
        await self.gateway._refuse(self.exchange, self.stamp, error)
