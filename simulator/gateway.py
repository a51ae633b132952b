"""The gateway: its routes, and one row in the ledger per request to a model."""

import asyncio
from collections.abc import Mapping

from simulator import errors
from simulator.batches import Files
from simulator.chat import Chat
from simulator.dialects import encode
from simulator.embed import embed
from simulator.endpoints import ChatCompletions
from simulator.errors import Error
from simulator.ledger import Ledger, Row
from simulator.responses import Responses
from simulator.schedule import DEAD
from simulator.settings import Settings
from simulator.state import State
from simulator.wire import JSON, BodyTooLarge, ClientGone, Exchange, Receive, Scope, Send

_CHAT = ChatCompletions()
_ROUTES = ("/models", "/health", "/chat/completions", "/responses", "/embeddings")
_KEPT = ("files", "batches")  # the first part of a path


class Ports:
    """The ASGI application of a process with several ports, one gateway per port."""

    def __init__(self, gateways: Mapping[int, "Gateway"]) -> None:
        self._gateways = gateways

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one HTTP request with the gateway of its port."""
        if scope["type"] == "http":
            await self._gateways[scope["server"][1]](scope, receive, send)


class Gateway:
    """The ASGI application of one port; `beside` is the first port's, `place` counts from 0."""

    def __init__(
        self,
        settings: Settings,
        ledger: Ledger,
        beside: "Gateway | None" = None,
        place: int = 0,
    ) -> None:
        self.settings = settings
        self.dialect = settings.dialect
        self.ledger = ledger
        self.state: State = State(settings, None if beside is None else beside.state, place)
        self.files = Files(self.state, self)
        self.number = 0  # chat requests so far
        self.in_flight = 0
        self.most_in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one HTTP request."""
        if scope["type"] != "http":
            return
        exchange = Exchange(scope, receive, send)
        route, named = self.dialect.place(scope["path"], scope.get("query_string", b""))
        if scope["method"] == "POST":
            if route == "/chat/completions":
                await self._logged(exchange, _CHAT, named)
                return
            if route == "/responses":
                await self._logged(exchange, Responses(), named)
                return
            if route == "/embeddings":
                await self._logged(exchange, None, named)
                return
        try:
            if route.split("/")[1:2] and route.split("/")[1] in _KEPT:
                await self.files.answer(exchange, route)
            else:
                await self._plain_routes(exchange, route)
        except (ClientGone, BodyTooLarge):
            return

    async def _plain_routes(self, exchange: Exchange, route: str) -> None:
        method = exchange.scope["method"]
        if route == "/health" and method == "GET":
            health = {
                "status": "ok",
                "profile": self.settings.profile.name,
                "currency": self.settings.profile.currency,
                "requests": self.number,
                "in_flight": self.in_flight,
                "most_in_flight": self.most_in_flight,
            }
            await exchange.reply(200, [JSON], encode(health))
        elif route in _ROUTES:
            if route != "/models" or method != "GET":
                message = f"Not allowed to {method} on {exchange.scope['path']}."
                await self._refuse(exchange, Error(405, message, "invalid_request_error"))
            elif (refusal := self.state.check_key(exchange)) is not None:
                await self._refuse(exchange, refusal)
            elif self.settings.features.get("models.list") == "broken":
                await self._refuse(exchange, errors.BROKEN)
            else:
                await exchange.reply(200, [JSON], encode(self._listed()))
        else:
            message = f"Unknown request URL: {method} {exchange.scope['path']}."
            error = Error(404, message, "invalid_request_error", code="unknown_url")
            await self._refuse(exchange, error)

    async def _refuse(self, exchange: Exchange, error: Error) -> None:
        await self.state.refuse(exchange, self.state.stamp(), error)

    def _listed(self) -> dict[str, object]:
        profile = self.settings.profile
        models = [*profile.models.values()] or [profile.default]
        if self.settings.features.get("models.list") == "wrong":
            models = []
        data = [
            {"id": model.name, "object": "model", "created": 1_779_148_800, "owned_by": model.owner}
            for model in models
        ]
        return {"object": "list", "data": data}

    async def _logged(
        self, exchange: Exchange, endpoint: ChatCompletions | None, named: str
    ) -> None:
        """Serves a request to a model (None: to embeddings) and writes its row, however it ends."""
        self.number += 1
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        prefix = "emb-" if endpoint is None else endpoint.id_prefix(self.dialect)
        stamp = self.state.stamp(self.number, prefix)
        row = Row(stamp.id, exchange.arrival_s, exchange.connection, self.in_flight)
        row.port = exchange.scope["server"][1]
        row.trace_id = _trace_id(exchange)
        self.settings.schedule.begin()
        try:
            if endpoint is None:
                await embed(self.state, exchange, row, stamp, named)
            else:
                row.endpoint = endpoint.name
                await Chat(self.state, exchange, row, stamp, self.number, endpoint, named).serve()
        except ClientGone:
            row.fault = row.fault or "client_gone"
            if self._dead():  # we broke it off ourselves
                row.fault, row.client_gone_unix_s = DEAD, None
        except asyncio.CancelledError:
            row.fault = "stopped"
        finally:
            self.in_flight -= 1
            row.status = exchange.status
            row.first_byte_unix_s = exchange.first_byte_s
            row.last_byte_unix_s = exchange.last_byte_s
            self.ledger.add(row)

    def _dead(self) -> bool:
        window = self.settings.schedule.now(self.state.place)
        return window is not None and window.fault == DEAD


def _trace_id(exchange: Exchange) -> str | None:
    """The trace that a request belongs to, as W3C Trace Context or `x-request-id` says."""
    parts = (exchange.header(b"traceparent") or "").split("-")
    return parts[1] if len(parts) == 4 else exchange.header(b"x-request-id")
