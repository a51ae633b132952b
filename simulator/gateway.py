"""The gateway: routes, keys, what all requests share, and a row in the ledger for each chat."""

import asyncio
import time
from hashlib import blake2b
from random import Random

from simulator import latency, refusals
from simulator.cache import PromptCache
from simulator.chat import Chat
from simulator.dialects import Stamp, encode
from simulator.latency import Pressure, Traffic
from simulator.ledger import Ledger, Row
from simulator.limits import Limits
from simulator.profile import Model
from simulator.question import Question
from simulator.refusals import Error
from simulator.replies import Replies
from simulator.settings import Settings
from simulator.wire import JSON, ClientGone, Exchange, Headers, Receive, Scope, Send

_REMEMBERED = 200_000


class Gateway:
    """The ASGI application."""

    def __init__(self, settings: Settings, ledger: Ledger) -> None:
        self.settings = settings
        self.dialect = settings.dialect
        self.ledger = ledger
        self.cache = PromptCache()
        self.replies = Replies()
        self.limits = Limits(
            settings.rpm_limit,
            settings.tpm_limit,
            time.time if settings.limit_kind == "fixed" else time.monotonic,
            settings.retry_lie,
            settings.limit_kind,
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
        route, named = self.dialect.place(scope["path"], scope.get("query_string", b""))
        if route == "/chat/completions" and scope["method"] == "POST":
            await self._logged(exchange, named)
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
                "currency": self.settings.profile.currency,
                "requests": self.number,
                "in_flight": self.in_flight,
                "most_in_flight": self.most_in_flight,
            }
            await exchange.reply(200, [JSON], encode(state))
        elif route in ("/models", "/health", "/chat/completions"):
            if route != "/models" or method != "GET":
                message = f"Not allowed to {method} on {exchange.scope['path']}."
                await self.refuse(
                    exchange, self._stamp(), Error(405, message, "invalid_request_error")
                )
            elif (refusal := self.check_key(exchange)) is not None:
                await self.refuse(exchange, self._stamp(), refusal)
            else:
                await exchange.reply(200, [JSON], encode(self._listed()))
        else:
            message = f"Unknown request URL: {method} {exchange.scope['path']}."
            error = Error(404, message, "invalid_request_error", code="unknown_url")
            await self.refuse(exchange, self._stamp(), error)

    def _listed(self) -> dict[str, object]:
        profile = self.settings.profile
        models = [*profile.models.values()] or [profile.default]
        data = [
            {"id": model.name, "object": "model", "created": 1_779_148_800, "owned_by": model.owner}
            for model in models
        ]
        return {"object": "list", "data": data}

    async def _logged(self, exchange: Exchange, named: str) -> None:
        """Serve a chat request and write its row, however it ends."""
        self.number += 1
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        stamp = self._stamp(self.number)
        row = Row(stamp.id, exchange.arrival_s, exchange.connection, self.in_flight)
        try:
            await Chat(self, exchange, row, stamp, self.number, named).serve()
        except ClientGone:
            row.fault = row.fault or "client_gone"
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

    def check_key(self, exchange: Exchange) -> Error | None:
        """The error for a missing or wrong key; None for a good one."""
        scheme, key = "bearer", exchange.header(self.dialect.key_header) or ""
        if self.dialect.key_header == b"authorization":
            scheme, _, key = key.partition(" ")
        if scheme.lower() != "bearer" or not key.strip():
            return refusals.NO_KEY
        if self.settings.key is not None and key.strip() != self.settings.key:
            wrong = refusals.WRONG_KEY
            return Error(
                self.dialect.wrong_key_status, wrong.message, wrong.kind, wrong.param, wrong.code
            )
        return None

    async def refuse(
        self, exchange: Exchange, stamp: Stamp, error: Error, limits: Headers | None = None
    ) -> None:
        """Send an error in the gateway's dialect. Raises ClientGone."""
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
