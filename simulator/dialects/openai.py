"""OpenAI, and OpenAI on Azure with one path per deployment and the key in `api-key`.

Sources: both services' REST references (chat completions) and their error texts.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from simulator import strictness
from simulator.answer import Answer
from simulator.choice import Choice
from simulator.dialects.base import Dialect, Stamp
from simulator.wire import Headers

VERSION = "2024-10-21"
_NOT_FOUND = "Resource not found"
_SAFE = {
    name: {"filtered": False, "severity": "safe"}
    for name in ("hate", "self_harm", "sexual", "violence")
}
_TEXTS = {
    401: "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide"
    " a valid key for an active subscription and use a correct regional API endpoint for your "
    "resource.",
    429: "Requests to the ChatCompletions_Create Operation under Azure OpenAI API version "
    f"{VERSION} have exceeded the rate limit of your current OpenAI S0 pricing tier. Please retry "
    "after a while.",
}  # fmt: skip
_NO_DEPLOYMENT = (
    "The API deployment for this resource does not exist. If you created the deployment within the "
    "last 5 minutes, please wait a moment and try again."
)


class OpenAI(Dialect):
    """OpenAI: no cost, no reasoning text. It refuses unknown fields and, for o-series and GPT-5
    models, max_tokens and any temperature other than 1."""

    def check(self, data: Mapping[str, Any]) -> None:
        strictness.openai(data)

    def message(self, choice: Choice) -> dict[str, Any]:
        message = super().message(choice)
        if choice.content is None and not choice.tool_calls:
            message["content"] = ""
        return message | {"annotations": []}

    def headers(self, stamp: Stamp, cost: float | None, stream: bool) -> Headers:
        identity = stamp.id.removeprefix(self.id_prefix)
        return [
            (b"x-request-id", f"req_{identity}".encode()),
            (b"openai-version", b"2020-10-01"),
        ]

    def extras(self, stamp: Stamp) -> dict[str, Any]:
        return {"service_tier": "default", "system_fingerprint": "fp_simulator"}


class Azure(OpenAI):
    """OpenAI on Azure: filter results with every choice, and a first chunk with nothing else."""

    key_header = b"api-key"
    base_path = f"/openai?api-version={VERSION}"

    def place(self, path: str, query: bytes) -> tuple[str, str]:
        """The route of a path, and the deployment it names."""
        if path == "/health":
            return path, ""
        if not parse_qs(query.decode("latin-1")).get("api-version"):
            return "", ""
        if path == "/openai/models":
            return "/models", ""
        head, _, rest = path.removeprefix("/openai/deployments/").partition("/chat/completions")
        if path.startswith("/openai/deployments/") and head and not rest:
            return "/chat/completions", head
        return "", ""

    def headers(self, stamp: Stamp, cost: float | None, stream: bool) -> Headers:
        identity = stamp.id.removeprefix(self.id_prefix)
        return [(b"apim-request-id", identity.encode()), (b"x-ms-region", b"Sweden Central")]

    def reply(self, stamp: Stamp, answer: Answer, usage: dict[str, Any] | None) -> dict[str, Any]:
        body = super().reply(stamp, answer, usage)
        for choice in body["choices"]:
            choice["content_filter_results"] = _SAFE
        return body | {"prompt_filter_results": _filters()}

    def first_chunk(self) -> dict[str, Any]:
        """The first chunk of a stream: filter results of the prompt, without a choice."""
        return {
            "choices": [], "created": 0, "id": "", "model": "", "object": "",
            "prompt_filter_results": _filters(),
        }  # fmt: skip

    def error(
        self, status: int, message: str, kind: str, param: str | None, code: str | None
    ) -> dict[str, Any]:
        if code == "model_not_found":
            return {"error": {"code": "DeploymentNotFound", "message": _NO_DEPLOYMENT}}
        if code == "unknown_url":
            return {"error": {"code": "404", "message": _NOT_FOUND}}
        if status in _TEXTS:
            return {"error": {"code": str(status), "message": _TEXTS[status]}}
        return super().error(status, message, kind, param, code)


def _filters() -> list[dict[str, Any]]:
    return [{"prompt_index": 0, "content_filter_results": _SAFE}]
