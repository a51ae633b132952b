"""Capacity of this machine: open files and ports are checked before a request is paid for."""

import resource
import subprocess
import sys

import pytest

from engine import machine_capacity
from loadshapes.phase import Phase
from loadshapes.plan import Plan
from recording.errors import OperatorError
from settings.options import Options
from tests.builders import phase_of

LIMITED = """
import resource, sys
from engine import machine_capacity
from recording.errors import OperatorError
soft, hard, users = map(int, sys.argv[1:])
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
try:
    machine_capacity.make_room(users)
except OperatorError as error:
    print("refused:", error)
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


def printed_with(soft: int, hard: int, users: int) -> list[str]:
    command = [sys.executable, "-c", LIMITED, str(soft), str(hard), str(users)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def test_a_sufficient_limit_of_files_is_left_unchanged() -> None:
    assert printed_with(256, 512, 50) == ["256"]


def test_a_soft_limit_is_raised_as_far_as_needed() -> None:
    (soft,) = printed_with(96, 4096, 120)
    assert 120 + machine_capacity.MARGIN < int(soft) <= 4096


def test_a_hard_limit_that_is_too_low_is_refused_with_what_to_do() -> None:
    message, soft = printed_with(96, 96, 120)
    assert soft == "96"
    assert (
        "120 requests in flight" in message
        and "ulimit -Hn" in message
        and "--max-workers" in message
    )


def test_an_open_file_is_counted() -> None:
    before = machine_capacity.open_files()
    with open("/dev/null"):
        assert machine_capacity.open_files() == before + 1


def phase(count: int, window_s: float | None) -> Phase:
    return phase_of(
        name="rpm/m", mode="rpm", scenario="chat", model="m", request="marker", users=10,
        kind="arrivals" if window_s else "steady", count=count, duration_s=window_s,
        max_tokens=16, task_prefix="p",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("connections", "count", "window_s", "generators", "warned"),
    [
        ("cold", 30_000, 60.0, 1, True),
        ("cold", 30_000, 60.0, 2, False),
        ("cold", 30_000, 600.0, 1, False),
        ("cold", 300_000, 600.0, 1, True),
        ("cold", 25_000, 60.0, 1, False),
        ("cold", 30_000, None, 1, True),
        ("warm", 300_000, 60.0, 1, False),
    ],
)
def test_cold_connections_are_checked_against_the_local_ports(
    monkeypatch: pytest.MonkeyPatch, connections: str, count: int, window_s: float | None,
    generators: int, warned: bool,
) -> None:  # fmt: skip
    monkeypatch.setattr(machine_capacity, "ports", lambda: 28_232)
    options = Options(mode="rpm", connections=connections)
    warning = machine_capacity.short_of_ports(Plan((phase(count, window_s),)), options, generators)
    assert (warning is not None) is warned
    monkeypatch.setattr(machine_capacity, "ports", lambda: None)
    assert (
        machine_capacity.short_of_ports(Plan((phase(count, window_s),)), options, generators)
        is None
    )


def test_the_number_of_local_ports_is_read_from_this_machine() -> None:
    there = machine_capacity.ports()
    assert there is None or 0 < there < 65536


def test_an_unlimited_number_of_files_is_left_unchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    monkeypatch.setattr(resource, "getrlimit", lambda _: unlimited)
    machine_capacity.make_room(10**6)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (64, 128))
    with pytest.raises(OperatorError):
        machine_capacity.make_room(1000)
