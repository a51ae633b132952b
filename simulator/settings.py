"""The settings of a gateway that the command line gives."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from simulator.delivery import Pace
from simulator.dialects import Dialect
from simulator.faults import Faults
from simulator.profile import Profile
from simulator.schedule import Schedule


@dataclass(frozen=True, slots=True)
class Settings:
    """How a gateway behaves; see the command line's help."""

    profile: Profile
    dialect: Dialect
    faults: Faults
    features: Mapping[str, str] = field(
        default_factory=dict
    )  # features that do not work, with their states
    seed: int = 0
    key: str | None = None
    refuse_fields: tuple[str, ...] = ()
    max_concurrency: int | None = None
    rpm_limit: int | None = None
    tpm_limit: int | None = None
    limit_kind: str = "bucket"
    retry_lie: float = 1.0
    retry_after_s: float = 1.0
    redirect_to: str = "/v1/elsewhere"
    pace: Pace = field(default_factory=Pace)
    schedule: Schedule = field(default_factory=Schedule)
