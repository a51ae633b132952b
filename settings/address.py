"""The base URL as an address: its path, its query, and a model's own path. Pure.

A query (Azure's `api-version`) goes with every request. `{model}` in the path becomes the model of
the request. A base URL that ends in `/openai` and has an `api-version` is an Azure resource: as in
the SDK's own Azure client, a request goes to `/deployments/MODEL/chat/completions` below it.
"""

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from recording.errors import OperatorError
from recording.redaction import MARK, SHORTEST

MODEL = "{model}"
_SECRET_NAME = re.compile(
    r"key|token|secret|passw|pwd|sig|auth|credential|^code$|^sas|jwt|session", re.I
)
_PLAIN_NAME = re.compile(r"version|region|model|deployment", re.I)


@dataclass(frozen=True, slots=True)
class Address:
    """`base` is scheme, host and path without a slash at its end; `query` has no question mark."""

    base: str
    query: str = ""

    @property
    def deployments(self) -> bool:
        """Whether every model has its own path."""
        return MODEL in self.base

    def url(self, path: str, model: str) -> str:
        """The URL for `path` and a model (empty for paths without a model, such as `/models`)."""
        base = self.base
        if MODEL in base:
            parent = base.partition(MODEL)[0].rstrip("/").removesuffix("/deployments")
            base = base.replace(MODEL, quote(model, safe="")) if model else parent
        return f"{base}/{path.lstrip('/')}" + (f"?{self.query}" if self.query else "")

    @property
    def masked_url(self) -> str:
        """The base URL for display: parts that look like a secret are left out."""
        if not self.query:
            return self.base
        return f"{self.base}?" + "&".join(map(_masked, self.query.split("&")))

    @property
    def secrets(self) -> list[str]:
        """Parts of the query that look like a secret, as written and decoded."""
        secrets = []
        for pair in self.query.split("&"):
            value = pair.partition("=")[2]
            if _is_secret(pair) and len(value) >= SHORTEST:
                secrets += [value] if unquote(value) == value else [value, unquote(value)]
        return secrets


def _is_secret(pair: str) -> bool:
    name, _, value = pair.partition("=")
    if not value or _PLAIN_NAME.search(name):
        return False
    if _SECRET_NAME.search(name):
        return True
    mixed = any(c.isdigit() for c in value) and any(c.isalpha() for c in value)
    return len(value) >= 20 and mixed


def _masked(pair: str) -> str:
    return f"{pair.partition('=')[0]}={MARK}" if _is_secret(pair) else pair


def address(base_url: str) -> Address:
    """The address that a base URL means. Raises OperatorError for one that cannot be used."""
    text = base_url.strip()
    if "@" in text.partition("//")[2].partition("?")[0].partition("/")[0]:
        raise OperatorError(
            "the base URL contains a user name or password: put the key into the environment "
            "instead."
        )
    if not _is_url(text):
        quoted_url = "" if any(mark in text for mark in "@?#") else f" {text!r}"
        raise OperatorError(
            f"the base URL{quoted_url} is not a URL: write http(s)://host[:port]/path."
        )
    if "#" in text:
        raise OperatorError("the base URL ends in a fragment (#...), which is never sent: "
                            "remove it.")  # fmt: skip
    base, _, query = text.partition("?")
    base = base.rstrip("/")
    if not query.isascii() or not query.isprintable() or " " in query:
        raise OperatorError(
            "the query of the base URL holds characters that a URL cannot: write them "
            "percent-encoded."
        )
    if base.endswith("/chat/completions"):
        raise OperatorError(
            "the base URL ends in /chat/completions, which is added automatically: remove it."
        )
    if base.count(MODEL) > 1 or MODEL in base.partition("//")[2].partition("/")[0]:
        raise OperatorError(f"the base URL may contain {MODEL} once, in its path: correct it.")
    rest = base.replace(MODEL, "")
    if "{" in rest or "}" in rest:
        raise OperatorError(
            f"the only placeholder in the base URL may be {MODEL}: remove the others."
        )
    versioned = any(name == "api-version" for name, _ in parse_qsl(query))
    if versioned and base.endswith("/openai"):
        base = f"{base}/deployments/{MODEL}"
    return Address(base, query)


def masked(base_url: str) -> str:
    """A base URL for display, even if it cannot be used."""
    try:
        return address(base_url).masked_url
    except OperatorError:
        return base_url.partition("?")[0].rpartition("@")[2]


def is_azure(where: Address) -> bool:
    """Whether the URL is Azure's, whose key goes in the header `api-key`."""
    return any(name == "api-version" for name, _ in parse_qsl(where.query))


def same(url: str, other: str) -> bool:
    """Whether two base URLs are equivalent in scheme, host, port, path and query."""
    try:
        return _canonical(url) == _canonical(other)
    except OperatorError:  # one of them is invalid
        return False


def _canonical(text: str) -> tuple[str, str, int | None, str, str]:
    where = address(text)  # an Azure URL with and without a deployment is the same
    url = urlsplit(f"{where.base}?{where.query}")
    try:
        port = url.port
    except ValueError:
        port = None
    default = {"http": 80, "https": 443}.get(url.scheme)
    return (url.scheme, url.hostname or "", port or default, url.path.rstrip("/"), url.query)


def _is_url(text: str) -> bool:
    try:
        url = urlsplit(text)
        text.encode()  # a byte of the command line that is not UTF-8
        (url.hostname or "").encode("idna")
        return url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:  # an invalid port, half an IPv6 address, or a host that cannot be in DNS
        return False
