"""A slow target of known slowness: answers after `--delay` seconds, or streams at a fixed pace.

Run as a program, it prints its port, serves until its input ends, and then writes
`arrival,answered` of every request (seconds of its monotonic clock) to `--log`. It reads no body
and parses as little as possible, so that it is faster than what it measures.
"""

import argparse
import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from benchmarks.nginx import completion, events

_LENGTH = re.compile(rb"(?i)content-length: *(\d+)")


class Slow(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self, delay_s: float, pace_s: float, chunks: int, log: list[str]) -> None:
        self._delay_s, self._pace_s, self._log = delay_s, pace_s, log
        self._held = b""
        body = json.dumps(completion()).encode()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\n%s\r\n\r\n"
        self._whole = head % (b"application/json", b"Content-Length: %d" % len(body)) + body
        self._start = head % (b"text/event-stream", b"Transfer-Encoding: chunked")
        written = events()
        self._pieces = [*written[: chunks + 1], *written[-2:]]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Answers once a whole request has arrived."""
        if not self._held:
            self._arrived = asyncio.get_running_loop().time()
        self._held += data
        head, ended, body = self._held.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not ended or (length is not None and len(body) < int(length[1])):
            return
        if head.startswith(b"GET"):  # the check whether the gateway is reachable
            self._held = b""
            self._transport.write(self._whole)
            return
        streamed = b"/sse/" in head[:80]
        self._held = b""
        loop = asyncio.get_running_loop()
        if streamed:
            loop.call_at(self._arrived + self._delay_s, self._stream, 0)
        else:
            loop.call_at(self._arrived + self._delay_s, self._answer)

    def _answer(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(self._whole)
            self._note()

    def _stream(self, number: int) -> None:
        if self._transport.is_closing():
            return
        piece = self._pieces[number]
        chunk = b"%x\r\n%s\r\n" % (len(piece), piece)
        if number == 0:
            chunk = self._start + chunk
        if number + 1 == len(self._pieces):
            self._transport.write(chunk + b"0\r\n\r\n")
            self._note()
            return
        self._transport.write(chunk)
        due = self._arrived + self._delay_s + (number + 1) * self._pace_s
        asyncio.get_running_loop().call_at(due, self._stream, number + 1)

    def _note(self) -> None:
        self._log.append(f"{self._arrived},{asyncio.get_running_loop().time()}\n")


async def _serve(delay_s: float, pace_s: float, chunks: int, log: Path) -> None:
    loop = asyncio.get_running_loop()
    lines: list[str] = []
    server = await loop.create_server(
        lambda: Slow(delay_s, pace_s, chunks, lines), "127.0.0.1", 0, backlog=8192
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    ended = asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), ended.set)
    await ended.wait()
    log.write_text("".join(lines))


@contextmanager
def delayed(
    log: Path, *, delay_s: float, pace_s: float = 0.0, chunks: int = 200
) -> Iterator[tuple[str, str]]:
    """Runs the target; yields its base URLs for plain and for streamed replies."""
    command = [sys.executable, "-m", "benchmarks.delayed", "--delay", delay_s, "--pace", pace_s]
    process = subprocess.Popen(
        [*map(str, command), "--chunks", str(chunks), "--log", str(log)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).resolve().parent.parent,
    )
    assert process.stdout is not None and process.stdin is not None
    try:
        base = f"http://127.0.0.1:{int(process.stdout.readline())}"
        yield f"{base}/v1", f"{base}/sse/v1"
    finally:
        process.stdin.close()
        process.wait(30)


if __name__ == "__main__":
    import uvloop

    parser = argparse.ArgumentParser()
    parser.add_argument("--delay", type=float, required=True)
    parser.add_argument("--pace", type=float, default=0.0)
    parser.add_argument("--chunks", type=int, default=200)
    parser.add_argument("--log", type=Path, required=True)
    given = parser.parse_args()
    uvloop.run(_serve(given.delay, given.pace, given.chunks, given.log))
