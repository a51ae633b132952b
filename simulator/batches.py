"""Files and batches: /files, /files/{id}, /files/{id}/content, /batches, /batches/{id}(/cancel).

Each line of a batch is a request to this same gateway, one after another, with a row of its own in
the ledger. Everything is kept in memory; the oldest files are dropped. Source: the service's REST
reference.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from email import message_from_bytes
from email.policy import HTTP
from typing import Any

from simulator import errors, features
from simulator.dialects import encode
from simulator.errors import Error
from simulator.fields import BadRequest, load
from simulator.state import State
from simulator.wire import JSON, Exchange, Scope

_MOST_FILES = 100
_TEXT: tuple[bytes, bytes] = (b"content-type", b"application/octet-stream")
_ENDPOINTS = ("/v1/chat/completions",)
Serve = Callable[[Scope, Any, Any], Awaitable[None]]


class Files:
    """The files and batches of one port. `serve` is the gateway itself, which answers the lines."""

    def __init__(self, state: State, serve: Serve) -> None:
        self._state, self._serve = state, serve
        self._files: dict[str, tuple[dict[str, Any], bytes]] = {}
        self._batches: dict[str, dict[str, Any]] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._count = 0

    async def answer(self, exchange: Exchange, route: str) -> None:
        """Answers one request below /files or /batches. Raises ClientGone or BodyTooLarge."""
        body = await exchange.body()
        refusal = self._state.check_key(exchange)
        if refusal is not None:
            return await self._refuse(exchange, refusal)
        kind, _, rest = route.removeprefix("/").partition("/")
        name, _, action = rest.partition("/")
        try:
            answer = self._route(exchange, kind, name, action, body)
        except BadRequest as bad:
            return await self._refuse(exchange, errors.of(bad))
        if isinstance(answer, Error):
            return await self._refuse(exchange, answer)
        payload = answer if isinstance(answer, bytes) else encode(answer)
        await exchange.reply(200, [_TEXT if isinstance(answer, bytes) else JSON], payload)

    def _route(
        self, exchange: Exchange, kind: str, name: str, action: str, body: bytes
    ) -> dict[str, Any] | bytes | Error:
        method = exchange.scope["method"]
        match kind, bool(name), action, method:
            case "files", False, "", "POST":
                return self._uploaded(exchange, body)
            case "batches", False, "", "POST":
                return self._created(exchange, load(body))
            case "files", True, "", "GET" if name in self._files:
                return self._files[name][0]
            case "files", True, "content", "GET" if name in self._files:
                return self._content(*self._files[name])
            case "files", True, "", "DELETE" if name in self._files:
                del self._files[name]
                return {"id": name, "object": "file", "deleted": True}
            case "batches", True, "", "GET" if name in self._batches:
                return self._batches[name]
            case "batches", True, "cancel", "POST" if name in self._batches:
                return self._cancelled(name)
        if name and action in ("", "content", "cancel"):
            return Error(404, f"No such {kind[:-1]}: {name}.", "invalid_request_error", "id")
        message = f"Unknown request URL: {method} {exchange.scope['path']}."
        return Error(404, message, "invalid_request_error", code="unknown_url")

    async def _refuse(self, exchange: Exchange, error: Error) -> None:
        await self._state.refuse(exchange, self._state.stamp(), error)

    def _used(self, data: dict[str, Any]) -> Mapping[str, str]:
        """The broken features that this request uses, with their states. Raises BadRequest."""
        used: dict[str, str] = {}
        features.touch(self._state.settings.features, data, used, "files")
        return used

    # ---- files

    def _uploaded(self, exchange: Exchange, body: bytes) -> dict[str, Any]:
        fields = _form(exchange.header(b"content-type") or "", body)
        name, content = fields.pop("file", ("", b""))
        if not name:
            raise BadRequest("'file' must be a file of a form (multipart/form-data).", "file")
        purpose = fields.get("purpose", ("", b""))[1].decode("utf-8", "replace")
        if not purpose:
            raise BadRequest("'purpose' is missing.", "purpose")
        self._used({"purpose": purpose})
        return self._store(content, name, purpose)

    def _content(self, batch: Mapping[str, Any], content: bytes) -> bytes:
        state = self._state.settings.features.get("files.upload")
        uploaded = batch["purpose"] != "batch_output"
        return content[: len(content) // 2] if uploaded and state == "wrong" else content

    def _store(self, content: bytes, name: str, purpose: str) -> dict[str, Any]:
        self._count += 1
        identity = f"file-{self._count:024x}"
        description = {"id": identity, "object": "file", "bytes": len(content),
                "created_at": int(time.time()), "filename": name, "purpose": purpose,
                "status": "processed"}  # fmt: skip
        self._files[identity] = (description, content)
        while len(self._files) > _MOST_FILES:
            del self._files[next(iter(self._files))]
        return description

    # ---- batches

    def _created(self, exchange: Exchange, data: dict[str, Any]) -> dict[str, Any]:
        source = self._files.get(str(data.get("input_file_id")))
        if source is None:
            raise BadRequest("'input_file_id' does not name a file.", "input_file_id")
        if data.get("endpoint") not in _ENDPOINTS:
            raise BadRequest(f"'endpoint' must be {_ENDPOINTS[0]}.", "endpoint")
        if data.get("completion_window") != "24h":
            raise BadRequest("'completion_window' must be 24h.", "completion_window")
        used = self._used(data)
        self._count += 1
        batch = f"batch_{self._count:024x}"
        self._batches[batch] = created = {
            "id": batch, "object": "batch", "endpoint": data["endpoint"], "errors": None,
            "input_file_id": data["input_file_id"], "completion_window": "24h",
            "status": "validating", "output_file_id": None, "error_file_id": None,
            "created_at": int(time.time()),
            "request_counts": {"total": 0, "completed": 0, "failed": 0},
        }  # fmt: skip
        swapped = used.get("batches.run") == "wrong"
        work = self._run(created, source[1], exchange.scope, swapped)
        self._running[batch] = asyncio.get_running_loop().create_task(work)
        return dict(created)

    def _cancelled(self, batch: str) -> dict[str, Any]:
        cancelled = self._batches[batch]
        if cancelled["status"] in ("validating", "in_progress"):
            self._running[batch].cancel()
            cancelled["status"] = "cancelled"
        return cancelled

    async def _run(self, batch: dict[str, Any], source: bytes, scope: Scope, swapped: bool) -> None:
        """Answers every line, in order; `swapped`: under each other's custom_id."""
        try:
            lines = [load(line) for line in source.splitlines() if line.strip()]
            bodies = [json.dumps(line["body"]).encode() for line in lines]
            ids = [line["custom_id"] for line in lines]
        except (BadRequest, KeyError, TypeError):
            batch["status"] = "failed"
            complaint = "A line is not JSON with custom_id and body."
            batch["errors"] = {
                "object": "list",
                "data": [{"code": "invalid_json", "message": complaint}],
            }
            return
        counts = batch["request_counts"]
        batch["status"], counts["total"] = "in_progress", len(lines)
        results = []
        for identity, body in zip(ids[::-1] if swapped else ids, bodies, strict=True):
            status, reply = await self._one(scope, body)
            counts["completed" if status == 200 else "failed"] += 1
            answer = {"status_code": status, "request_id": identity, "body": reply}
            results.append({"id": f"batch_req_{identity}", "custom_id": identity,
                            "response": answer, "error": None})  # fmt: skip
        output = b"".join(json.dumps(line).encode() + b"\n" for line in results)
        batch["output_file_id"] = self._store(output, "results.jsonl", "batch_output")["id"]
        batch["status"] = "completed"

    async def _one(self, scope: Scope, body: bytes) -> tuple[int, Any]:
        """Sends one line as a request, with the key that the batch was sent with."""
        path = scope["path"].removesuffix("/batches") + "/chat/completions"
        inner = {**scope, "path": path, "method": "POST"}
        sent = _Line(body)
        await self._serve(inner, sent.receive, sent.send)
        try:
            return sent.status, json.loads(b"".join(sent.body))
        except ValueError:
            return sent.status, None


class _Line:
    """Stands in for a line's connection: sends its body and keeps the answer."""

    disconnected = False

    def __init__(self, line: bytes) -> None:
        self.status, self.body = 0, list[bytes]()
        self._to_send = [line]

    async def receive(self) -> dict[str, Any]:
        """ASGI's `receive`."""
        if not self._to_send:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": self._to_send.pop(), "more_body": False}

    async def send(self, message: Mapping[str, Any]) -> None:
        """ASGI's `send`."""
        self.status = message.get("status", self.status)
        self.body.append(message.get("body", b""))


def _form(content_type: str, body: bytes) -> dict[str, tuple[str, bytes]]:
    """The fields of a form by name: the file's name (empty if it is not a file) and the value."""
    head = b"Content-Type: " + content_type.encode("latin-1", "replace") + b"\r\n\r\n"
    fields = {}
    for part in message_from_bytes(head + body, policy=HTTP).walk():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes):
            fields[name] = (part.get_filename() or "", content)
    return fields
