"""A gateway of the test in front of the simulator, which alters the stated usage."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from tests.e2e.gateways import Asked, Raw, Scripted, serving

Altered = Callable[[dict[str, Any], dict[str, Any]], None]
"""Changes `usage` in place; given the body of the request, too."""


@contextmanager
def overcharging(upstream: str, alter: Altered) -> Iterator[Scripted]:
    """Forwards every request, and alters the usage of plain replies and of streams' last chunks."""

    def answer(asked: Asked) -> tuple[int, Any]:
        root = upstream.removesuffix("/v1")
        body = json.dumps(asked.body).encode() if asked.method == "POST" else None
        headers = {"content-type": "application/json"}
        headers["authorization"] = asked.headers.get("authorization", "")
        try:
            with urlopen(Request(root + asked.path, body, headers), timeout=30) as reply:
                text, kind = reply.read(), reply.headers["content-type"]
        except HTTPError as error:
            return error.code, json.loads(error.read())
        if asked.method == "GET":
            return 200, json.loads(text)
        if "event-stream" not in kind:
            return 200, _altered(json.loads(text), asked.body, alter)
        lines = []
        for line in text.decode().split("\n"):
            if line.startswith("data: {"):
                changed = _altered(json.loads(line[6:]), asked.body, alter)
                line = "data: " + json.dumps(changed)
            lines.append(line)
        return 200, Raw("\n".join(lines).encode(), kind)

    with serving(answer) as gateway:
        yield gateway


def _altered(reply: dict[str, Any], body: dict[str, Any], alter: Altered) -> dict[str, Any]:
    if reply.get("usage"):
        alter(reply["usage"], body)
    return reply
