"""The messages between the commanding node and its generators: one class per message.

Locust carries a kind and plain data. `encode` makes the data; `decode` checks them and makes the
message again, so that nothing untyped crosses a process. The key is never sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import ConfigDict, PlainSerializer, PlainValidator, TypeAdapter, with_config

from loadshapes.phase import Phase
from recording.body_change import BodyChange
from recording.events import Event, LoopLag, PacerReport, Trip, typed
from recording.not_sent import Unsent
from recording.recorder import Parcel
from rules.budget import DealtBudget, ReportedBudget
from settings.endpoint import Endpoint
from settings.options import Options

M = TypeVar("M")
_EXACT = ConfigDict(extra="forbid")


def _trip(value: Any) -> Trip:
    event = value if isinstance(value, Event) else typed(value)
    if not isinstance(event, Trip):
        raise ValueError(f"{event.name} is not what ends a phase")
    return event


AnyPhase = Annotated[
    Phase,
    PlainValidator(lambda value: value if isinstance(value, Phase) else Phase.of(value)),
    PlainSerializer(Phase.as_dict, return_type=dict),
]
AnyTrip = Annotated[Trip, PlainValidator(_trip), PlainSerializer(Event.as_dict)]


@dataclass(frozen=True, slots=True)
class Message:
    """The base of every message: a `kind`, by which Locust dispatches it."""

    kind: ClassVar[str] = ""


# ---- to the generators


@with_config(_EXACT)
@dataclass(frozen=True, slots=True)
class Address:
    """Where requests go, as far as it may be shown; a process has the key from its environment."""

    base_url: str
    simulated: bool
    key_name: str

    @classmethod
    def of(cls, endpoint: Endpoint) -> "Address":
        """Where an endpoint leads."""
        key_name = endpoint.choice.key_name if endpoint.choice else ""
        return cls(endpoint.masked_url, endpoint.simulated, key_name)


@with_config(_EXACT)
@dataclass(frozen=True, slots=True)
class Open(Message):
    """Take part in a run. `part` names the part file, `traffic` is the operator's own text.

    `reference` is where the second of two routes leads; None: there is one.
    """

    kind: ClassVar[str] = "open"
    options: Options
    gateway: Address
    reference: Address | None
    worker: str
    part: str
    attempt: int
    prices: dict[str, Any] | None
    currency: str
    traffic: str


@with_config(_EXACT)
@dataclass(frozen=True, slots=True)
class Arm(Message):
    """Say when your users are parked for a phase: slot `slot` of `slots`, of a pool of `pool`."""

    kind: ClassVar[str] = "arm"
    phase: int
    slot: int
    slots: int
    pool: int
    plan: AnyPhase
    body_changes: list[BodyChange]


@with_config(_EXACT)
@dataclass(frozen=True, slots=True)
class Start(Message):
    """Run your share of a phase from `t0_unix_s` on, within these budgets.

    It was `in_s` seconds ahead when this was sent, by a clock that does not jump.
    """

    kind: ClassVar[str] = "phase_start"
    phase: int
    t0_unix_s: float
    in_s: float
    slot: int
    slots: int
    budgets: list[DealtBudget]


@with_config(_EXACT)
@dataclass(frozen=True, slots=True)
class Halt(Message):
    """Send nothing more of a phase."""

    kind: ClassVar[str] = "halt"
    phase: int
    why: str


@with_config(_EXACT)
@dataclass(frozen=True, slots=True)
class Enough(Message):
    """A phase has reached its goal: begin no further request of it."""

    kind: ClassVar[str] = "enough"
    phase: int


@with_config(_EXACT)
@dataclass(frozen=True, slots=True)
class Close(Message):
    """End the run: what is in flight has `wait_s` seconds left."""

    kind: ClassVar[str] = "close"
    wait_s: float


@with_config(_EXACT)
@dataclass(frozen=True, slots=True)
class Pong(Message):
    """The master's wall clock, asked for by a Ping."""

    kind: ClassVar[str] = "clock_pong"
    master_unix_s: float


# ---- from the generators


@with_config(_EXACT)
@dataclass(frozen=True, slots=True)
class Ping(Message):
    """A request for the master's wall clock."""

    kind: ClassVar[str] = "clock_ping"


@dataclass(frozen=True, slots=True)
class OfRun(Message):
    """A message about a run: one of an earlier run says nothing about this one."""

    run_id: str


@with_config(_EXACT)
@dataclass(frozen=True, slots=True)
class Armed(OfRun):
    """The users are parked. The offset is the master's wall clock minus this process's."""

    kind: ClassVar[str] = "armed"
    phase: int
    clock_offset_s: float
    round_trip_s: float | None


@with_config(_EXACT)
@dataclass(frozen=True, slots=True)
class Done(OfRun):
    """A phase is over here. `halted` says why nothing more was sent, `cut` whether that cut it."""

    kind: ClassVar[str] = "phase_done"
    phase: int
    sent: int
    dropped: int
    unsent: list[Unsent]
    lag: LoopLag
    halted: str
    cut: str
    waited_for_budget: int
    budgets: list[ReportedBudget]
    pacer: PacerReport | None
    parcel: Parcel | None = None


@with_config(_EXACT)
@dataclass(frozen=True, slots=True)
class Tripped(OfRun):
    """This process halted its share: `event` is the evidence, `ends` what ends with it."""

    kind: ClassVar[str] = "tripped"
    phase: int
    why: str
    ends: str  # phase, mode, model or run
    event: AnyTrip


@with_config(_EXACT)
@dataclass(frozen=True, slots=True)
class WaitsForBudget(OfRun):
    """A request waits for the budget, the first of its phase."""

    kind: ClassVar[str] = "held"
    phase: int


@with_config(_EXACT)
@dataclass(frozen=True, slots=True)
class Changed(OfRun):
    """The gateway refused a field, and bodies are sent another way since."""

    kind: ClassVar[str] = "body_changed"
    change: BodyChange


@with_config(_EXACT)
@dataclass(frozen=True, slots=True)
class Closed(OfRun):
    """This process has left the run; these are its last rows."""

    kind: ClassVar[str] = "closed"
    parcel: Parcel | None = None


TO_GENERATORS: tuple[type[Message], ...] = (Open, Arm, Start, Halt, Enough, Close, Pong)
FROM_GENERATORS: tuple[type[Message], ...] = (
    Armed,
    Done,
    Tripped,
    WaitsForBudget,
    Changed,
    Closed,
    Ping,
)


_adapters: dict[type[Any], TypeAdapter[Any]] = {}


def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    if kind not in _adapters:
        _adapters[kind] = TypeAdapter(kind)
    return _adapters[kind]


def encode(message: Message | Parcel) -> dict[str, Any]:
    """A message as plain data."""
    plain: dict[str, Any] = _adapter(type(message)).dump_python(message)
    return plain


def decode(kind: type[M], data: Mapping[str, Any] | None) -> M:
    """The message of a kind that the data are. ValueError: they are none."""
    message: M = _adapter(kind).validate_python(data or {})
    return message
