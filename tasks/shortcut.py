"""Everything that bypasses the official SDK, and what that saves, is in this file.

A request still goes through `openai.OpenAI.request`, its error classes and its Stream. Repeated
work is left out: the SDK and httpx2 build a client's first request in full, the others repeat it
with their own body. tests/tasks/test_shortcut.py runs both ways side by side: the same bytes sent,
the same record kept.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import httpx2
import openai
from openai import Stream
from openai._models import FinalRequestOptions

from recording.outcome import Outcome
from settings.address import Address
from tasks.decompression import UnknownCoding, Unreadable, unpacked
from tasks.event_stream import Decoder
from tasks.transport_failure import WireError, too_large

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode

# Made once (pydantic takes 35 us to make one). The key only marks it: no header carries it, and
# with one the SDK does not draw a UUID. `json_data` is set just before each use.
_OPTIONS = FinalRequestOptions.construct(
    method="post", url="/chat/completions", idempotency_key="repeated"
)


class OpenAI(openai.OpenAI):
    """The SDK's client; the class keeps its name, because the name is the User-Agent."""

    _client: "Http"
    address: Address | None = None  # set where the base URL has a query, or a path for each model
    credentials: Mapping[str, str] = {}
    _model = ""
    _cookies = 0  # how many the first request could know of
    answered: httpx2.Response  # the last answer under HTTP 200

    def __init__(self, **how: Any) -> None:
        super().__init__(**how)
        self._first: dict[str, Repeat] = {}  # by model, where each has a path of its own

    def complete(self, body: dict[str, Any], *, stream: bool) -> Any:
        """`post("/chat/completions", cast_to=object, body=body)`: the response, or its stream."""
        _OPTIONS.json_data = body  # `request` copies the options before anything else can run
        return self.request(
            object, _OPTIONS, stream=stream, stream_cls=RawStream if stream else None
        )

    def begin(
        self, method: str, path: str, body: Mapping[str, Any] | None, file: str | None = None
    ) -> httpx2.Response:
        """Send a request of any kind as the SDK would write it, and read the answer's head, but
        not its body. No status is an error here, and nothing is retried. With the text of a
        `file`, body and file are a form.
        """
        options = FinalRequestOptions.construct(method=method.lower(), url=path, json_data=body)
        if file is not None:
            options.files = {"file": ("lines.jsonl", file.encode(), "application/jsonl")}
            options.headers = {"Content-Type": "multipart/form-data"}
        return self._client.send(self._build_request(options), stream=True)

    def _build_request(
        self, options: FinalRequestOptions, *, retries_taken: int = 0
    ) -> httpx2.Request:
        if self.address is not None and isinstance(options.json_data, dict):
            self._model = str(options.json_data.get("model", ""))
        if options.idempotency_key != _OPTIONS.idempotency_key:
            return super()._build_request(options, retries_taken=retries_taken)
        http = self._client
        if self._cookies != http.cookies_taken:
            self._first.clear()
        first = self._first.get(self._model)
        if first is None:
            first = Repeat(super()._build_request(options, retries_taken=retries_taken), b"")
            del first.headers["content-length"]
            self._first[self._model], self._cookies = first, http.cookies_taken
        return Repeat(first, _encode(options.json_data).encode())

    def _make_sse_decoder(self) -> Any:
        return Decoder()

    def _process_response(self, *, response: httpx2.Response, stream: bool, **how: Any) -> Any:
        """As the SDK does, but tasks/answer.py reads the body: the SDK's models say nothing
        about the gateway.
        """
        self.answered = response
        if isinstance(response.request, Repeat) and not stream:
            return response
        try:
            return super()._process_response(response=response, stream=stream, **how)
        except (ValueError, TypeError, AttributeError, RecursionError):
            if stream:
                raise
            return response

    def _process_response_data(self, *, data: object, **how: Any) -> Any:
        if how["cast_to"] is object or not isinstance(data, dict):
            return data
        try:
            return super()._process_response_data(data=data, **how)
        except (ValueError, TypeError, AttributeError, RecursionError):
            return data

    def _prepare_url(self, url: str) -> httpx2.URL:
        if self.address is None:
            return super()._prepare_url(url)
        return httpx2.URL(self.address.url(url, self._model))

    def _auth_headers(self, security: Any) -> dict[str, str]:
        return dict(self.credentials)

    def _validate_headers(self, headers: Any, custom_headers: Any) -> None:
        return None  # a gateway may want no Authorization

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
    """An answer whose body is unpacked a bounded piece at a time, and only if it is packed.

    `most_bytes` is the largest allowed size; a longer body raises a WireError.
    """

    most_bytes = 2**62

    def iter_bytes(self, chunk_size: int | None = None) -> Iterator[bytes]:
        """The body, unpacked, in the pieces in which it came."""
        if hasattr(self, "_content") or chunk_size is not None:
            yield from super().iter_bytes(chunk_size)
            return
        self.is_stream_consumed = True
        try:
            yield from self._unpacked()
        finally:
            self.close()

    def read(self) -> bytes:
        """The whole body."""
        if not hasattr(self, "_content"):
            self._content = b"".join(self.iter_bytes())
        return self._content

    def _unpacked(self) -> Iterator[bytes]:
        pieces: Iterator[bytes] = iter(self.stream)  # type: ignore[arg-type]
        codings = self.headers.get("content-encoding")
        if not codings:
            yield from pieces
            return
        length = 0
        try:
            for piece in unpacked(pieces, codings):
                length += len(piece)
                if length > self.most_bytes:
                    raise too_large(self.most_bytes, "unpacked")
                yield piece
        except Unreadable as error:
            why = f"not the {codings[:40]} it claims to be: {error}"
            raise WireError(
                Outcome.MALFORMED, f"{error}" if isinstance(error, UnknownCoding) else why
            ) from None


class RawStream(Stream[object]):
    """The SDK's stream of untyped chunks."""

    def __iter__(self) -> Iterator[object]:
        return self._iterator
