"""Everything that is bypassed of the official SDK, and what that saves: this file alone.

A request still goes through `openai.OpenAI.request`, its error classes and its Stream. Left out is
what comes to the same every time: the SDK and httpx2 build a client's first request in full, the
others repeat it with their own body. tests/tasks/test_shortcut.py runs both ways side by side: the
same bytes sent, the same record kept.
"""

import json
from codecs import BOM_UTF8
from collections.abc import Iterator
from itertools import chain
from typing import Any

import httpx2
import jiter
import openai
from openai import Stream
from openai._models import FinalRequestOptions
from openai._streaming import ServerSentEvent, SSEDecoder

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode

# Made once (pydantic takes 35 us to make one). The key only marks it: no header carries it, and
# with one the SDK does not draw a UUID. `json_data` is set just before each use.
_OPTIONS = FinalRequestOptions.construct(
    method="post", url="/chat/completions", idempotency_key="repeated"
)


def _parsed(raw: bytes, text: str | bytes) -> Any:
    """JSON, by the parser that the SDK brings along: 1 us instead of 3 for a chunk.

    What it refuses the standard library judges: it takes more (lone surrogates, other encodings),
    and its errors are worded as everywhere.
    """
    try:
        return jiter.from_json(raw)
    except ValueError:
        return json.loads(text)


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
        return _parsed(self.content, self.content)


class RawStream(Stream[object]):
    """The SDK's stream of untyped chunks, which also remembers whether `[DONE]` was seen."""

    _decoder: "Decoder"

    def __init__(self, **how: Any) -> None:
        super().__init__(**how)
        self._decoder = Decoder()

    def __iter__(self) -> Iterator[object]:
        return self._iterator

    @property
    def done(self) -> bool:
        return self._decoder.done


class Event:
    """What Stream asks of an event: here of one line that begins with `data: `."""

    __slots__ = ("_line", "data")
    event = None

    def __init__(self, line: bytes) -> None:
        self._line = line
        self.data = line.decode()[6:]

    def json(self) -> Any:
        """The data as JSON."""
        return _parsed(self._line[6:], self.data)


class Decoder(SSEDecoder):
    """The SDK's decoder of server-sent events, given only what is more than one `data:` line.

    One `data:` line and an empty one is the form of nearly all events of all gateways. What the
    SDK's would lose is read too: an event behind a byte order mark, or at the body's proper end
    without its empty line, an event named `error`, and an error that is no event.
    """

    def __init__(self) -> None:
        super().__init__()
        self.done = False

    def iter_bytes(self, iterator: Iterator[bytes]) -> Iterator[Any]:
        """Every event that has data: without (a keep-alive, `retry:`) it is none (WHATWG)."""
        held: list[bytes] = []
        begun = False
        for piece in iterator:
            held.append(piece)
            if b"\r" in piece:  # line ends that few gateways use
                yield from self._noted(super().iter_bytes(chain([b"".join(held)], iterator)))
                return
            if b"\n" not in piece:
                continue
            *blocks, rest = b"".join(held).split(b"\n\n")
            held = [rest]
            for block in blocks:
                if not begun:
                    block, begun = block.removeprefix(BOM_UTF8), True
                if block.startswith(b"data: {") and b"\n" not in block:
                    yield Event(block)
                else:
                    yield from self._block(block)
        yield from self._last(b"".join(held))

    def _block(self, block: bytes) -> Iterator[Any]:
        bare = block.strip()
        if bare.startswith(b"{") and b'"choices"' not in bare:
            yield Event(b"data: " + bare)  # an error, written into the stream as it is
        else:
            yield from self._noted(self._decode_lines(iter([*block.split(b"\n"), b""])))

    def _last(self, block: bytes) -> Iterator[Any]:
        """What stands after the last empty line, where the body ended properly: an event if it is
        whole (some gateways leave the last empty line out)."""
        try:
            events = list(self._block(block))
            whole = all(e.data.startswith("[DONE]") or e.json() is not None for e in events)
        except ValueError:
            return
        if whole:
            yield from events

    def _noted(self, events: Iterator[ServerSentEvent]) -> Iterator[ServerSentEvent]:
        for event in events:
            if event.data.startswith("[DONE]"):
                self.done = True
            elif event.event == "error" and event.data:
                yield _as_error(event.data)
                continue
            if event.data:
                yield event


def _as_error(data: str) -> ServerSentEvent:
    """An event named `error` with its data where the SDK looks for an error."""
    try:
        said = json.loads(data)
    except ValueError:
        said = data
    if not (isinstance(said, dict) and said.get("error")):
        said = {"error": said or "error"}
    return ServerSentEvent(event="error", data=json.dumps(said))
