"""The official openai SDK on one wire."""

from collections.abc import Callable

from tasks.route import Route
from tasks.shortcut import Http, OpenAI
from tasks.wire import MOST_BYTES, Wire


class Client:
    """An SDK client with its own connection.

    `sdk` is the official client: no retries (they would hide a 429 inside a latency), the
    timeouts kept by the wire. `wire` tells what happened below it.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        route: Route,
        clock: Callable[[], float],
        *,
        timeout_s: float,
        connect_timeout_s: float = 10.0,
        cold: bool = False,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self.wire = Wire(
            route,
            clock,
            timeout_s=timeout_s,
            connect_timeout_s=connect_timeout_s,
            cold=cold,
            most_bytes=most_bytes,
        )
        self.sdk = OpenAI(
            base_url=base_url,
            api_key=api_key,
            max_retries=0,
            timeout=timeout_s,
            # trust_env off: proxies are the route's business, and ~/.netrc must not add a login.
            http_client=Http(transport=self.wire, trust_env=False),
        )
        # Asks `uname`, and remembers: a first burst of 500 would start it 500 times (15 s).
        self.sdk.platform_headers()

    def close(self) -> None:
        """Close the connection."""
        self.wire.close()
