"""The interfaces from which users get jobs: the generator, and the run it takes part in."""

from collections.abc import Callable, Iterator
from typing import Protocol

from loadshapes.own_traffic.traffic import Traffic
from recording.record import RequestRecord
from settings.options import Options
from tasks.job import Job
from tasks.negotiation import Negotiation


class RunOfUsers(Protocol):
    """The part of the run that a user needs: the options, the operator's own lines, the
    negotiation.
    """

    @property
    def options(self) -> Options: ...

    @property
    def traffic(self) -> Traffic | None: ...

    @property
    def deal(self) -> Iterator[int]: ...

    @property
    def negotiation(self) -> Negotiation: ...


class JobSource(Protocol):
    """The part of the process's generator that a user needs (engine/generator.py)."""

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
