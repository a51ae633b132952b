"""A simulator process for its own tests: plain HTTP in, replies and log rows out."""

import csv
import http.client
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[2]
KEY = "Bearer a-key"


@dataclass
class Reply:
    """One HTTP reply, its body decoded on demand."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def events(self) -> list[Any]:
        """The JSON of each SSE data line; [DONE] as the string."""
        lines = [x for x in self.body.decode().split("\n\n") if x.startswith("data: ")]
        return ["[DONE]" if x[6:] == "[DONE]" else json.loads(x[6:]) for x in lines]

    @property
    def text(self) -> str:
        """The content of a plain reply or of all its chunks."""
        if self.headers["content-type"] == "application/json":
            return str(self.json["choices"][0]["message"]["content"])
        chunks = [e for e in self.events if e != "[DONE]" and e["choices"]]
        return "".join(c["choices"][0]["delta"].get("content") or "" for c in chunks)


class Gateway:
    """A running simulator; `process` is its Popen."""

    def __init__(self, log: Path, *arguments: object) -> None:
        self.log = log
        command = [sys.executable, "-m", "simulator", "--port", "0", "--exit-with-parent"]
        self.process = subprocess.Popen(
            [*command, "--log", str(log), *map(str, arguments)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert self.process.stdout is not None
        self.ready = self.process.stdout.readline().decode()
        self.url = self.ready.split()[-1]
        address = urlsplit(self.url)
        self.host, self.port = str(address.hostname), int(address.port or 0)

    def send(
        self,
        body: object,
        path: str = "/v1/chat/completions",
        method: str = "POST",
        timeout_s: float = 10,
        port: int | None = None,
        **headers: str,
    ) -> Reply:
        """One request on a new connection; `body` is JSON unless it is bytes."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Authorization": KEY} | {k.replace("_", "-"): v for k, v in headers.items()}
        connection = http.client.HTTPConnection(self.host, port or self.port, timeout=timeout_s)
        try:
            connection.request(method, path, data if method == "POST" else None, sent)
            response = connection.getresponse()
            return Reply(response.status, response.headers, response.read())
        finally:
            connection.close()

    def left(self, body: object, chunks: int) -> None:
        """A stream that the client leaves after `chunks` content chunks."""
        data = json.dumps(body).encode()
        head = (
            "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n"
            f"Authorization: {KEY}\r\nContent-Length: {len(data)}\r\n\r\n"
        )
        with socket.create_connection((self.host, self.port), timeout=10) as client:
            client.sendall(head.encode() + data)
            received = b""
            while received.count(b'"content":') < chunks + 1:  # the role's is empty
                received += client.recv(65536)

    def fails(self, fault: str, body: object) -> Reply:
        """One request that gets the fault."""
        return self.send(body, X_Simulator_Fault=fault)

    def rows(self) -> list[dict[str, str]]:
        """The log, once no request is in flight (a row is written after its reply's last byte)."""
        while self.process.poll() is None:
            if self.send(None, "/health", "GET").json["in_flight"] == 0:
                break
            time.sleep(0.01)
        csv.field_size_limit(1 << 24)
        with self.log.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def stop(self) -> int:
        """Ends it; returns its exit code. It must have printed no complaint."""
        if self.process.poll() is None:
            self.process.terminate()
        code = self.process.wait(5)
        assert self.process.stderr is not None
        complaints = self.process.stderr.read().decode()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()
        assert complaints == ""
        return code


@contextmanager
def running(log: Path, *arguments: object) -> Iterator[Gateway]:
    """A simulator for the length of a with-block."""
    gateway = Gateway(log, *arguments)
    try:
        yield gateway
    finally:
        gateway.stop()


def chat(prompt: object = "Reply exactly: ok-1", **settings: object) -> dict[str, object]:
    """A chat request's body."""
    return {"model": "m", "messages": [{"role": "user", "content": prompt}], **settings}


def streamed(prompt: object = "Reply exactly: ok-1", **settings: object) -> dict[str, object]:
    """The body of a streamed chat request that asks for usage."""
    return chat(prompt, stream=True, stream_options={"include_usage": True}, **settings)
