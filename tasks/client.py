"""The official openai SDK on one wire."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from settings.access import Access, Credential, Outgoing
from settings.address import address
from settings.body_profile import task_line
from tasks.route import Route
from tasks.shortcut import Http, OpenAI
from tasks.wire import MOST_BYTES, Wire


class Client:
    """An SDK client with its own connection.

    `sdk` is the official client: no retries (they would hide a 429 inside a latency), the timeouts
    kept by the wire. `wire` tells what happened below it. Headers that the SDK would take from the
    environment (organization, project, headers) are not sent: `access` decides.
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
        access: Access | None = None,
        run_id: str = "",
    ) -> None:
        access, where = access or Access(), address(base_url)
        self._access = access
        self._outgoing = Outgoing(access, run_id)
        self.task_header = False  # whether the next request carries X-Task-ID
        self.wire = Wire(
            route,
            clock,
            timeout_s=timeout_s,
            connect_timeout_s=connect_timeout_s,
            cold=cold,
            most_bytes=most_bytes,
        )
        self.sdk = OpenAI(
            base_url=where.url("", ""),
            api_key=api_key or "none",
            max_retries=0,
            timeout=timeout_s,
            # trust_env off: proxies are the route's business, and ~/.netrc must not add a login.
            http_client=Http(transport=self.wire, trust_env=False),
        )
        self.sdk.organization = self.sdk.project = None
        self.sdk._custom_headers = self._outgoing.same
        if where.query or where.deployments:
            self.sdk.address = where
        if access.command is None:
            self.sdk.credentials = access.credentials(api_key)
        else:
            self.wire.credential = Credential(access, access.command)
        # Asks `uname`, and remembers: a first burst of 500 would start it 500 times (15 s).
        self.sdk.platform_headers()

    def mark(self, phase: str, task_id: str) -> str | None:
        """Set the next request's own headers; returns the trace id that is sent with it, if any."""
        self.wire.extra, trace_id = self._outgoing.of(phase, task_id)
        if self.task_header:
            self.wire.extra += task_line(task_id)
        return trace_id

    @contextmanager
    def another_key(self, key: str) -> Iterator[None]:
        """Send a key other than the operator's, in the same header."""
        saved = self.sdk.credentials, self.wire.credential
        self.sdk.credentials, self.wire.credential = self._access.credentials(key), None
        try:
            yield
        finally:
            self.sdk.credentials, self.wire.credential = saved

    def close(self) -> None:
        """Close the connection."""
        self.wire.close()
