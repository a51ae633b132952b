"""Where a user's jobs come from: what it asks of the generator, and of the run it takes part in."""

from collections.abc import Callable, Iterator
from typing import Protocol

from loadshapes.own_traffic.traffic import Traffic
from recording.record import RequestRecord
from settings.options import Options
from tasks.job import Job
from tasks.negotiation import Negotiation


class RunOfUsers(Protocol):
    """What a user needs of its run: the options, the operator's own lines, the negotiation."""

    @property
    def options(self) -> Options: ...

    @property
    def traffic(self) -> Traffic | None: ...

    @property
    def deal(self) -> Iterator[int]: ...

    @property
    def negotiation(self) -> Negotiation: ...


class JobSource(Protocol):
    """What a user asks of the generator of its process (engine/generator.py)."""

    @property
    def clock(self) -> Callable[[], float]: ...

    @property
    def run(self) -> RunOfUsers | None: ...

    @property
    def halted(self) -> bool: ...

    @property
    def keep(self) -> Callable[[RequestRecord], None]: ...

    def take(self) -> Job | None: ...

    def finish(self, job: Job, record: RequestRecord) -> None: ...

    def abandon(self, job: Job, why: str = "") -> None: ...

    def rest(self, longest_s: float) -> None: ...
