"""Whether this machine has room for a plan: open files and local ports, before anything is sent."""

import math
import os
import resource
from pathlib import Path

from loadshapes.plan import Plan
from recording.errors import OperatorError
from settings.options import Options

MARGIN = 32  # files that a run opens beside its connections: its folder, the report, a resolver
_LINGER_S = 60.0  # how long Linux keeps the port of a connection that it closed first
_SHARE = 0.9  # of the ports; others on this machine need some
_PORT_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


def open_files() -> int:
    """The files that this process has open."""
    for folder in ("/proc/self/fd", "/dev/fd"):
        try:
            return len(os.listdir(folder))
        except OSError:
            continue
    return 64


def make_room(users: int) -> None:
    """Check that each user can hold a connection, and raise the soft limit if necessary.

    Raises OperatorError where the hard limit does not allow it.
    """
    needed = users + open_files() + MARGIN
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or needed <= soft:
        return
    if hard != resource.RLIM_INFINITY and needed > hard:
        raise OperatorError(
            f"{users} requests in flight need {needed} open files, and this process may have "
            f"{hard}: raise ulimit -Hn, or lower the concurrency (--max-workers, --steps)."
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def ports() -> int | None:
    """How many local ports connections can be made from; None: this system does not say."""
    try:
        low, high = map(int, _PORT_RANGE.read_text(encoding="ascii").split())
    except (OSError, ValueError):
        return None
    return high - low + 1


def short_of_ports(plan: Plan, options: Options, generators: int = 1) -> str | None:
    """A warning where cold connections would use up this machine's ports; None: they do not.

    A closed connection keeps its port for a minute, so the ports are a limit of requests a minute.
    """
    there = ports()
    if options.connections != "cold" or there is None:
        return None
    for phase in plan.phases:
        window_s = phase.duration_s or 0.0
        count = (phase.count or 0) / generators
        a_minute = count if window_s <= _LINGER_S else count * _LINGER_S / window_s
        if a_minute > _SHARE * there:
            return (
                f"{phase.name} opens {math.ceil(a_minute)} connections a minute from one machine, "
                f"which has {there} local ports for them: requests will fail as local_limit. Use "
                "--connections warm, more machines, or a wider net.ipv4.ip_local_port_range."
            )
    return None
