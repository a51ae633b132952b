"""Recognises answers of proxies and firewalls instead of the gateway. Pure."""

import html
import re

_SHOWN_CHARS = 200
_LOOKED_AT = 100_000
_START = re.compile(r"\s*<(?:!doctype|\?xml|!--|[a-z][\w:-]*[\s>/])", re.I)
_TITLES = tuple(
    re.compile(rf"<{tag}\b[^>]*>(.*?)</{tag}\s*>", re.I | re.S)
    for tag in ("title", "message", "h1", "h2", "faultstring")
)
_UNSEEN = re.compile(r"<!--.*?-->|<(script|style|head)\b.*?</\1\s*>", re.I | re.S)
_TAG = re.compile(r"<[^>]*>")
_PROXY_TEXTS = re.compile(
    r"\s*(?:error code: \d{3,4}\s*$"  # Cloudflare
    r"|upstream connect error or disconnect|no healthy upstream|upstream request timeout"  # Envoy
    r"|stream timeout\s*$|local_rate_limited\s*$|default backend - 404"
    r"|RBAC: access denied|no available server\s*$)",  # Envoy, Traefik
    re.I,
)
PROXY_STATUSES = {
    444: "nginx closed the connection without an answer",
    460: "a load balancer's: the client is said to have closed the connection",
    499: "nginx's: the client is said to have closed the request",
    520: "Cloudflare's: the origin's answer could not be understood",
    521: "Cloudflare's: the origin refused the connection",
    522: "Cloudflare's: connecting to the origin took too long",
    523: "Cloudflare's: the origin cannot be reached",
    524: "Cloudflare's: the origin took too long",
    525: "Cloudflare's: no TLS handshake with the origin",
    526: "Cloudflare's: the origin's certificate is not valid",
    527: "Cloudflare's: the connection to the origin was interrupted",
    530: "Cloudflare's: the origin could not be resolved",
    598: "a proxy's: reading from the server took too long",
    599: "a proxy's: connecting to the server took too long",
}
"""Statuses that only proxies write, and their meaning."""


def is_page(body: str) -> bool:
    """Whether a body is HTML or XML, which no chat completion or its errors are."""
    return _START.match(body) is not None


def title(body: str) -> str:
    """A page's title, otherwise its heading, otherwise its text, on one line."""
    body = body[:_LOOKED_AT]
    for pattern in _TITLES:
        match = pattern.search(body)
        if match is not None and (words := _words(match[1])):
            return words
    return _words(_UNSEEN.sub(" ", body)) or "a page without words"


def _words(markup: str) -> str:
    text = " ".join(html.unescape(_TAG.sub(" ", markup)).split())
    return text if len(text) <= _SHOWN_CHARS else text[: _SHOWN_CHARS - 1] + "…"


def foreign(status: int | None, body: str) -> str | None:
    """Why an answer comes from a proxy or firewall; None: it may be the gateway's own."""
    if is_page(body):
        return f"a page answered: {title(body)}"
    if _PROXY_TEXTS.match(body):
        return f"a proxy answered: {_words(body)}"
    if status in PROXY_STATUSES:
        return f"HTTP {status} is {PROXY_STATUSES[status]}"
    return None
