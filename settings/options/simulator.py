"""The embedded simulator in place of a gateway. Pure."""

from dataclasses import dataclass
from functools import partial

from settings.option import option

_simulator = partial(option, group="simulator")


@dataclass(frozen=True, kw_only=True)
class Simulator:
    """The embedded simulator in place of a gateway."""

    simulator: bool = _simulator(
        False, "start the embedded simulator and send everything to it", web=False
    )
    simulator_profile: str = _simulator(
        "seed",
        "the simulator's profile: seed (the article's gateway), fast, or a TOML file",
        web=False,
    )
    simulator_args: str = _simulator(
        "", "further arguments for the simulator, as on its own command line", web=False
    )
    simulator_log: str = _simulator(
        "", "file for the simulator's own log of every request", anew=True, web=False
    )
