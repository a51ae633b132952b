"""An HTTP protocol that records when a request's first byte was read.

A hundred requests that arrive together are parsed one after another before the application sees
any of them: times taken there would make a burst look wider than it was.
"""

import time

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

ARRIVAL = "simulator.arrival_unix_s"  # the key in the scope


class StampedProtocol(HttpToolsProtocol):
    """uvicorn's protocol; the scope also has the time of arrival in Unix seconds."""

    def on_message_begin(self) -> None:
        """The first byte of a request was read."""
        super().on_message_begin()
        self.scope[ARRIVAL] = time.time()  # type: ignore[literal-required]
