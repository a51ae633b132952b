"""The provider that answered a request: prices and counts are compared within one. Pure.

A router sends equal requests to providers of different prices and tokenizers. Where it names them
the rows' `provider` says which; a router's own name does not say who is behind it.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pandas import DataFrame, Series

COLUMNS = ("model_requested", "model_returned", "provider")
"""What `routed` reads."""
MOST = 200
_ROUTERS = (
    "router", "litellm", "portkey", "huggingface", "requesty", "helicone", "bifrost", "vercel",
    "eden", "ai-gateway", "gateway.ai",
)  # fmt: skip
_NO_ONE = ("auto", "unknown", "default", "none", "null", "n/a", "-")


def named(provider: object) -> str:
    """The provider of a row, to compare by; empty: not stated, or a router names a router."""
    if not isinstance(provider, str):
        return ""
    name = provider.strip()
    return "" if name.casefold() in _NO_ONE or is_router(name) else name


def is_router(text: str) -> bool:
    """Whether a name or an address is of a program or service that routes to providers."""
    low = text.casefold()
    return any(word in low for word in _ROUTERS)


def names(providers: "Series[Any]") -> "Series[Any]":
    """`named` of a column: each row's provider, or an empty text.

    A column with more than MOST values does not name providers, but e.g. machines' addresses.
    """
    distinct = providers.dropna().unique()
    known = {name: named(name) for name in distinct} if len(distinct) <= MOST else {}
    column: Series[Any] = providers.astype(object).map(lambda name: known.get(name, ""))
    return column


def routed(requests: "DataFrame", base_url: str) -> bool:
    """Whether a gateway looks as if it routed one model to several providers.

    It does where a reply names a provider, where a model's name has its vendor or provider before a
    slash, as in the catalogues of routers, and where its address is a known router's.
    """
    if is_router(base_url) or requests["provider"].notna().any():
        return True
    models = (name for column in COLUMNS[:2] for name in requests[column].dropna().unique())
    return any("/" in str(name) for name in models)


def comparable(first: Mapping[str, Any], second: Mapping[str, Any], *, routed: bool) -> bool:
    """Whether two rows are known to be of one provider, or of a gateway with only one."""
    name, other = named(first.get("provider")), named(second.get("provider"))
    return name == other and (bool(name) or not routed)
