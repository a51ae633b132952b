"""The noise floor: a client of bare sockets, with nothing between its clock and the kernel.

`python -m tests.golden.bare URL KEY CONNECTIONS REQUESTS [--stream]` keeps CONNECTIONS busy until
REQUESTS are answered, and prints one CSV row per request: what is received is only stored while the
clock runs, and read afterwards. No client on this machine can be much more accurate.
"""

import csv
import json
import selectors
import socket
import sys
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

COLUMNS = ("task_id", "sent_unix_s", "latency_s", "ttft_s", "token_times_unix_s")


@dataclass
class Exchange:
    """One request: when it was sent, and every piece of its answer with its time (Unix)."""

    task_id: str
    sent: float
    pieces: list[tuple[float, bytes]] = field(default_factory=list)

    def whole(self, stream: bool) -> bool:
        """Whether the answer is complete."""
        if stream:
            return self.pieces[-1][1].endswith(b"0\r\n\r\n")
        data = b"".join(piece for _, piece in self.pieces)
        head, found, body = data.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]
        return bool(found) and len(body) >= int(length)

    def tokens(self) -> list[float]:
        """When each event with text was complete."""
        times, complete_count, held = list[float](), 0, b""
        for at, piece in self.pieces:
            held += piece
            events = held.split(b"\n\n")
            times += [at] * sum(_text(event) for event in events[complete_count:-1])
            complete_count = len(events) - 1
        return times


def _text(event: bytes) -> bool:
    data = event.partition(b"data: ")[2].strip()
    if not data.startswith(b"{"):
        return False
    choices = json.loads(data)["choices"]
    delta = choices[0]["delta"] if choices else {}
    return bool(delta.get("content") or delta.get("reasoning_content"))


class Client:
    """One thread, one selector, no parsing while measuring."""

    def __init__(self, url: str, key: str, stream: bool) -> None:
        address = urlsplit(url)
        self.host, self.port = address.hostname or "", address.port or 80
        self.path, self.key, self.stream = address.path + "/chat/completions", key, stream
        self.done: list[Exchange] = []
        self.begun = 0

    def request(self, number: int) -> bytes:
        """The bytes of one request, like ours."""
        body: dict[str, object] = {
            "model": "m",
            "messages": [{"role": "user", "content": f"Reply exactly: ok-{number}"}],
            "max_tokens": 200,
            "stream": self.stream,
            "task_id": f"floor-{number}",
        }
        if self.stream:
            body["stream_options"] = {"include_usage": True}
        data = json.dumps(body).encode()
        head = (
            f"POST {self.path} HTTP/1.1\r\nhost: {self.host}\r\nauthorization: Bearer {self.key}"
            f"\r\ncontent-type: application/json\r\ncontent-length: {len(data)}\r\n\r\n"
        )
        return head.encode() + data

    def run(self, connections: int, requests: int) -> None:
        """Sends all requests, `connections` at a time."""
        messages = [self.request(number) for number in range(requests)]
        ready = selectors.DefaultSelector()
        sockets = []
        for _ in range(min(connections, requests)):
            connection = socket.create_connection((self.host, self.port))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            ready.register(connection, selectors.EVENT_READ)
            sockets.append(connection)
        busy = {connection: self._send(connection, messages) for connection in sockets}
        while busy:
            for key, _ in ready.select(timeout=30):
                connection = key.fileobj
                assert isinstance(connection, socket.socket)
                data = connection.recv(65536)
                exchange = busy[connection]
                exchange.pieces.append((time.time(), data))
                if not data:
                    raise SystemExit(f"{exchange.task_id}: the gateway hung up")
                if not exchange.whole(self.stream):
                    continue
                self.done.append(exchange)
                if self.begun < requests:
                    busy[connection] = self._send(connection, messages)
                else:
                    del busy[connection]

    def _send(self, made: socket.socket, messages: list[bytes]) -> Exchange:
        exchange = Exchange(f"floor-{self.begun}", time.time())
        made.sendall(messages[self.begun])
        self.begun += 1
        return exchange


def main(url: str, key: str, connections: str, requests: str, *more: str) -> None:
    """Run, then print the CSV."""
    client = Client(url, key, "--stream" in more)
    client.run(int(connections), int(requests))
    out = csv.writer(sys.stdout)
    out.writerow(COLUMNS)
    for one in client.done:
        tokens = one.tokens() if client.stream else []
        ttft = tokens[0] - one.sent if tokens else ""
        times = ";".join(repr(moment) for moment in tokens)
        out.writerow([one.task_id, one.sent, one.pieces[-1][0] - one.sent, ttft, times])


if __name__ == "__main__":
    main(*sys.argv[1:])
