"""Failures of an exchange below HTTP, and the exception for requests that are not sent."""

import httpx2

from recording.outcome import Outcome


class WireError(httpx2.TransportError):
    """The exchange failed below HTTP. `outcome` names how; `ended` is a close without a reset.

    `kind` is the row's error_type: the errno's name, where our machine or the network refused.
    """

    def __init__(
        self, outcome: Outcome, message: str, *, ended: bool = False, kind: str = "WireError"
    ) -> None:
        super().__init__(message)
        self.outcome = outcome
        self.ended = ended
        self.kind = kind


class NotSent(Exception):
    """Raised by a gate: the request's time has passed, so it must not be sent."""


def too_large(most_bytes: int, how: str) -> WireError:
    """The failure of a reply that is too long, as received or as unpacked."""
    return WireError(
        Outcome.REPLY_TOO_LARGE,
        f"the reply is longer than {most_bytes / 1e6:g} MB {how}: the rest was not read "
        "(--max-reply-mb)",
    )
