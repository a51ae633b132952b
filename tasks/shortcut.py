"""Everything that is bypassed of the official SDK, and what that saves: this file alone.

A request still goes through `openai.OpenAI.request`, its error classes and its Stream. Left out is
what comes to the same every time: the SDK and httpx2 build a client's first request in full, the
others repeat it with their own body. tests/tasks/test_shortcut.py runs both ways side by side: the
same bytes sent, the same record kept.
"""

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import openai
from openai import Stream
from openai._models import FinalRequestOptions

from tasks.events import Decoder, parsed

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode

# Made once (pydantic takes 35 us to make one). The key only marks it: no header carries it, and
# with one the SDK does not draw a UUID. `json_data` is set just before each use.
_OPTIONS = FinalRequestOptions.construct(
    method="post", url="/chat/completions", idempotency_key="repeated"
)


class OpenAI(openai.OpenAI):
    """The SDK's client; named as it is, for the name is its User-Agent."""

    _client: "Http"
    _first: "Repeat | None" = None
    _cookies = 0  # how many the first request could know of

    def complete(self, body: dict[str, Any], *, stream: bool) -> Any:
        """`post("/chat/completions", cast_to=object, body=body)`, or its stream of objects."""
        _OPTIONS.json_data = body  # `request` copies the options before anything else can run
        return self.request(
            object, _OPTIONS, stream=stream, stream_cls=RawStream if stream else None
        )

    def _build_request(
        self, options: FinalRequestOptions, *, retries_taken: int = 0
    ) -> httpx2.Request:
        if options.idempotency_key != _OPTIONS.idempotency_key:
            return super()._build_request(options, retries_taken=retries_taken)
        first, http = self._first, self._client
        if first is None or self._cookies != http.cookies_taken:
            first = Repeat(super()._build_request(options, retries_taken=retries_taken), b"")
            del first.headers["content-length"]
            self._first, self._cookies = first, http.cookies_taken
        return Repeat(first, _encode(options.json_data).encode())

    def _make_sse_decoder(self) -> Any:
        return Decoder()

    # The hooks of cloud providers and workload identities, which we do not have (15 us).

    def _prepare_options(self, options: FinalRequestOptions) -> FinalRequestOptions:
        return options

    def _prepare_request(self, request: httpx2.Request) -> None:
        return None

    def _custom_auth(self, security: Any) -> None:
        return None

    def _send_request(self, request: httpx2.Request, **how: Any) -> httpx2.Response:
        return self._client.send(request, **how)


class Repeat(httpx2.Request):
    """The request `first` with another body; its headers leave out the length."""

    def __init__(self, first: httpx2.Request, content: bytes) -> None:
        # Not super's: parsing the URL and the headers again is most of what building costs.
        self.method, self.url, self.headers = first.method, first.url, first.headers
        self.extensions = first.extensions
        self.stream = httpx2.ByteStream(content)
        self._content = content


class Http(httpx2.Client):
    """An httpx2 client that sends a repeated request without redirects, logins and hooks."""

    cookies_taken = 0

    def send(self, request: httpx2.Request, *, stream: bool = False, **how: Any) -> httpx2.Response:
        """Send a request."""
        if not isinstance(request, Repeat):
            return super().send(request, stream=stream, **how)
        response = self._transport.handle_request(request)
        response.request = request
        if "set-cookie" in response.headers:
            self.cookies.extract_cookies(response)
            self.cookies_taken += 1
        try:
            if not stream:
                response.read()
        except BaseException:
            response.close()
            raise
        return response


class Reply(httpx2.Response):
    """The answer to a repeated request: a body that is not compressed is not decoded."""

    def read(self) -> bytes:
        """The whole body."""
        if not hasattr(self, "_content") and "content-encoding" not in self.headers:
            self.is_stream_consumed = True
            try:
                self._content = b"".join(self.stream)  # type: ignore[arg-type]
            finally:
                self.close()
        return super().read()

    def json(self, **_: Any) -> Any:
        """The body as JSON."""
        return parsed(self.content, self.content)


class RawStream(Stream[object]):
    """The SDK's stream of untyped chunks."""

    def __iter__(self) -> Iterator[object]:
        return self._iterator
