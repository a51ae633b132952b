"""Sends an answer, plain or streamed, when it is due, and with its mishap if it has one."""

import asyncio
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from simulator.answer import Answer
from simulator.dialects import Dialect, Stamp, encode
from simulator.endpoints import ChatCompletions
from simulator.latency import token_s
from simulator.profile import Latency
from simulator.stream import Change, Event, altered, error_event
from simulator.wire import JSON, Exchange, Headers

COALESCED = 5  # events that are sent together
_MIDDLE_PAUSE_S = 0.02  # time for the first half of a broken reply to leave


@dataclass(frozen=True, slots=True)
class Pace:
    """How long the mishaps take, in seconds."""

    slow_headers_s: float = 30.0
    trickle_interval_s: float = 0.5
    stall_s: float = 1.0


@dataclass(slots=True)
class Delivery:
    """One answer being sent; `chunk_times_s` and `first_token_s` are unix seconds."""

    exchange: Exchange
    endpoint: ChatCompletions
    dialect: Dialect
    stamp: Stamp
    headers: Headers
    latency: Latency
    first_s: float  # when the first token is due, seconds after arrival
    tokens: int  # of the whole reply; a plain reply is sent when its last token is due
    mishap: str | None
    pace: Pace
    change: Change | None = None
    chunk_times_s: list[float] = field(default_factory=list)
    first_token_s: float | None = None
    events: Sequence[Event] = ()  # of a stream, whether sent already or not

    def token_events(self) -> tuple[int, int]:
        """How many events of a stream carry a token, and how many of them were sent."""
        sent = self.events[: len(self.chunk_times_s)]
        return sum(event.token for event in self.events), sum(event.token for event in sent)

    async def rest(self) -> None:
        """Waits until the last token is due, although the client has left."""
        due_s = self.latency.fixed_s
        if due_s is None:
            due_s = self.first_s + token_s(self.latency, self.tokens)
        await asyncio.sleep(max(0.0, self.exchange.started + due_s - time.monotonic()))

    async def plain(self, answer: Answer, usage: dict[str, Any] | None) -> None:
        """Sends the whole reply when its last token is due. Raises ClientGone."""
        reply = self.endpoint.plain(self.dialect, self.stamp, answer, usage)
        if self.change is not None:
            self.change([reply], False)
        body = encode(reply)
        due_s = self.latency.fixed_s
        if due_s is None:
            due_s = self.first_s + token_s(self.latency, self.tokens)
        await self.exchange.until(due_s)
        if self.mishap is None:
            await self.exchange.reply(200, [*self.headers, JSON], body)
        else:
            await self._plain_mishap(body)

    async def _plain_mishap(self, body: bytes) -> None:
        exchange, headers = self.exchange, [*self.headers, JSON]
        half = len(body) // 2
        length = (b"content-length", str(len(body)).encode())
        match self.mishap:
            case "slow_headers":
                await exchange.until(self.pace.slow_headers_s)
                await exchange.reply(200, headers, body)
            case "trickle":
                await exchange.start(200, [*headers, length])
                await self._trickle(body)
            case "reset":
                await exchange.reset()
            case "reset_mid_body" | "truncated_stream":
                await exchange.start(200, [*headers, length])
                await exchange.write(body[:half])
                await asyncio.sleep(_MIDDLE_PAUSE_S)
                await (exchange.reset() if self.mishap == "reset_mid_body" else exchange.close())
            case "malformed":
                await exchange.reply(200, headers, body[:half])
            case "invalid_utf8":
                await exchange.reply(200, headers, _invalid(body))
            case "gzip":
                packed = zlib.compressobj(wbits=31)
                coded = packed.compress(body) + packed.flush()
                await exchange.reply(200, [*headers, (b"content-encoding", b"gzip")], coded)
            case _:
                await exchange.reply(200, headers, body)

    def _stream_head(self) -> Headers:
        return [(b"content-type", self.dialect.stream_type), (b"cache-control", b"no-cache")]

    async def stream(
        self, answer: Answer, usage: dict[str, Any] | None, include_usage: bool
    ) -> None:
        """Sends the reply as server-sent events, each when it is due. Raises ClientGone."""
        events = self.endpoint.events(self.dialect, self.stamp, answer, usage, include_usage)
        if self.change is not None:
            events = altered(events, self.change)
        self.events = events
        exchange, headers = self.exchange, [*self.headers, *self._stream_head()]
        if self.mishap == "gzip":
            headers.append((b"content-encoding", b"gzip"))
        if self.mishap == "slow_headers":
            await exchange.until(self.pace.slow_headers_s)
        if self.mishap == "reset":
            await exchange.until(self.first_s)
            await exchange.reset()
            return
        if self.mishap == "early_role" or self.dialect.comments:
            await exchange.start(200, headers)
            for comment in self.dialect.comments:
                await exchange.write(self._coded(comment))
            if self.mishap == "early_role":
                await self._send(events[:1])
                events = events[1:]
        await exchange.until(self.first_s)
        if exchange.status is None:
            await exchange.start(200, headers)
        await self._events(events)

    async def _events(self, events: list[Event]) -> None:
        half = max(1, len(events) // 2)
        match self.mishap:
            case "trickle":
                await self._trickle(b"".join(event.data for event in events) + self.endpoint.end)
            case "truncated_stream":
                await self._paced(events[:half])
                await self.exchange.write(b"", more=False)
            case "reset_mid_body":
                await self._paced(events[:half])
                await asyncio.sleep(_MIDDLE_PAUSE_S)
                await self.exchange.reset()
            case "stream_error":
                await self._paced(events[:half])
                body = self.dialect.error(
                    502, "The upstream provider failed.", "server_error", None, "upstream_error"
                )
                await self.exchange.write(error_event(body), more=False)
            case "buffer":
                await self.exchange.until(self.first_s + token_s(self.latency, events[-1].number))
                await self._send(events)
                await self.exchange.write(self.endpoint.end, more=False)
            case "coalesce":
                for start in range(0, len(events), COALESCED):
                    group = events[start : start + COALESCED]
                    due_s = token_s(self.latency, group[-1].number)
                    await self.exchange.until(self.first_s + due_s)
                    await self._send(group)
                await self.exchange.write(self.endpoint.end, more=False)
            case "stall":
                await self._paced(events[:half])
                await asyncio.sleep(self.pace.stall_s)
                await self._paced(events[half:])
                await self.exchange.write(self.endpoint.end, more=False)
            case _:
                if self.mishap in ("malformed", "invalid_utf8"):
                    middle = events[half].data
                    broken = (
                        middle[:-12] + b"\n\n" if self.mishap == "malformed" else _invalid(middle)
                    )
                    events[half] = Event(broken, events[half].number, events[half].token)
                await self._paced(events)
                await self.exchange.write(self._coded(self.endpoint.end, end=True), more=False)

    async def _paced(self, events: list[Event]) -> None:
        """Sends the events when they are due; those due together leave in one write."""
        start = 0
        while start < len(events):
            due_s = token_s(self.latency, events[start].number)
            end = start + 1
            while end < len(events) and token_s(self.latency, events[end].number) == due_s:
                end += 1
            await self.exchange.until(self.first_s + due_s)
            await self._send(events[start:end])
            start = end

    async def _send(self, group: list[Event]) -> None:
        now = await self.exchange.write(self._coded(b"".join([event.data for event in group])))
        self.chunk_times_s += [now] * len(group)
        if self.first_token_s is None and any(event.token for event in group):
            self.first_token_s = now

    async def _trickle(self, body: bytes) -> None:
        for index in range(len(body)):
            last = index == len(body) - 1
            await self.exchange.write(body[index : index + 1], more=not last)
            await asyncio.sleep(self.pace.trickle_interval_s)

    _packer: Any = None

    def _coded(self, data: bytes, end: bool = False) -> bytes:
        """The bytes in the content-encoding; every part can be decoded as soon as it arrives."""
        if self.mishap != "gzip":
            return data
        if self._packer is None:
            self._packer = zlib.compressobj(wbits=31)
        mode = zlib.Z_FINISH if end else zlib.Z_SYNC_FLUSH
        return bytes(self._packer.compress(data) + self._packer.flush(mode))


def _invalid(data: bytes) -> bytes:
    """The data with two bytes that never occur in UTF-8 inside its content string."""
    for mark in (b'"content":"', b'"reasoning_content":"', b'"reasoning":"', b'"model":"'):
        before, marked, after = data.partition(mark)
        if marked:
            return before + marked + b"\xff\xfe" + after
    return data
