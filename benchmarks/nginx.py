"""The target: nginx with canned replies, which no generator here can saturate.

Every POST to `/v1/chat/completions` gets one chat completion, below `/sse/v1/` a stream of 200
content chunks (203 events). `arrivals` reads from its log when each request arrived.
"""

import json
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.process import free_port

CHUNKS = 200
EVENTS = CHUNKS + 3
MODEL = "canned"
USAGE = {
    "prompt_tokens": 11,
    "completion_tokens": CHUNKS,
    "total_tokens": 11 + CHUNKS,
    "prompt_tokens_details": {"cached_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 0},
    "cost": 0.000123,
}
_CONFIG = """
worker_processes {workers};
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log crit;
events {{ worker_connections 16384; }}
http {{
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  log_format arrivals '$msec $request_time $connection $uri';
  access_log {folder}/arrivals.log arrivals;
  keepalive_requests 100000000;
  keepalive_timeout 600s;
  reset_timedout_connection on;
  client_max_body_size 64m;
  server {{
    listen 127.0.0.1:{port} backlog=8192;
    root {folder}/replies;
    error_page 405 =200 $uri;
    location = /v1/chat/completions {{ default_type application/json; }}
    location = /sse/v1/chat/completions {{ default_type text/event-stream; }}
    location /v1/models {{ default_type application/json; }}
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class Nginx:
    """A running target."""

    port: int
    folder: Path

    @property
    def plain(self) -> str:
        """The base URL of plain completions."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def streamed(self) -> str:
        """The base URL of streamed completions."""
        return f"http://127.0.0.1:{self.port}/sse/v1"

    @property
    def log(self) -> Path:
        return self.folder / "arrivals.log"

    def forget(self) -> None:
        """Empties the log of arrivals."""
        with self.log.open("r+") as file:
            file.truncate(0)

    def arrivals(self) -> list[float]:
        """When each request arrived, in order: Unix seconds with a resolution of 1 ms."""
        arrivals = []
        for line in self.log.read_text().splitlines():
            logged, took, _, uri = line.split(" ")
            if uri.endswith("/chat/completions"):
                arrivals.append(float(logged) - float(took))
        return sorted(arrivals)


def completion() -> dict[str, object]:
    """The canned reply."""
    return {
        "id": "chatcmpl-0123456789abcdef",
        "object": "chat.completion",
        "created": 1780000000,
        "model": MODEL,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "ok-0"},
                "finish_reason": "stop",
            }
        ],
        "usage": USAGE,
    }


def events() -> list[bytes]:
    """The canned stream: a role, 200 words, the finish with its usage, and [DONE]."""
    head = {
        "id": "chatcmpl-0123456789abcdef",
        "object": "chat.completion.chunk",
        "created": 1780000000,
        "model": MODEL,
    }

    def chunk(delta: dict[str, str], reason: str | None = None, **more: object) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        return b"data: " + json.dumps({**head, "choices": [choice], **more}).encode() + b"\n\n"

    return [
        chunk({"role": "assistant", "content": ""}),
        *(chunk({"content": f" word{i}"}) for i in range(CHUNKS)),
        chunk({}, "stop", usage=USAGE),
        b"data: [DONE]\n\n",
    ]


@contextmanager
def nginx(folder: Path, workers: int = 1) -> Iterator[Nginx]:
    """Runs nginx in `folder` on a free loopback port. Raises RuntimeError without nginx."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if program is None:
        raise RuntimeError("nginx is not installed: apt-get install nginx-light")
    port = free_port()
    for uri, body in {
        "v1/chat/completions": json.dumps(completion()).encode(),
        "sse/v1/chat/completions": b"".join(events()),
        "v1/models": json.dumps({"object": "list", "data": [{"id": MODEL}]}).encode(),
        "sse/v1/models": json.dumps({"object": "list", "data": [{"id": MODEL}]}).encode(),
    }.items():
        path = folder / "replies" / uri
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    config = folder / "nginx.conf"
    config.write_text(_CONFIG.format(folder=folder, port=port, workers=workers))
    process = subprocess.Popen([program, "-p", folder, "-c", config], stderr=subprocess.DEVNULL)
    try:
        _wait(f"http://127.0.0.1:{port}/v1/models")
        yield Nginx(port, folder)
    finally:
        process.terminate()
        process.wait(10)


def _wait(url: str, longest_s: float = 10.0) -> None:
    deadline = time.monotonic() + longest_s
    while True:
        try:
            urllib.request.urlopen(url, timeout=1).read()
            return
        except (urllib.error.URLError, OSError):
            if time.monotonic() > deadline:
                raise RuntimeError(f"nginx did not start: {url} does not answer") from None
            time.sleep(0.05)
