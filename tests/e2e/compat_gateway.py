"""A simulator with known features, and a run of mode compat against it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from compat.cells import Cell, from_json
from recording.json_files import json_of
from simulator import profile
from tests.locust_run import LocustRun, run
from tests.simulated import Simulator

WINDOW_TOKENS = 14_000
PROFILE = re.sub(
    r"context_window = [\d_]+", f"context_window = {WINDOW_TOKENS}",
    (profile.PROFILES / "compat.toml").read_text(encoding="utf-8"),
)  # fmt: skip
CHAT = "sim-chat"


@contextmanager
def gateway(folder: Path, *more: object, **features: str) -> Iterator[Simulator]:
    """The simulator with features in these states (`json__schema="broken"`); all others work."""
    table = "".join(
        f'"{name.replace("__", ".")}" = "{state}"\n' for name, state in features.items()
    )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "profile.toml"
    path.write_text(f"{PROFILE}\n[features]\n{table}", encoding="utf-8")
    server = Simulator(folder / "log.csv", "--profile", path, *more)
    try:
        yield server
    finally:
        server.stop()


def checked(url: str, results: Path, *arguments: Any, model: str = CHAT) -> LocustRun:
    """Makes a complete run of mode compat."""
    return run("-H", url, "--mode", "compat", "--model", model, *arguments, results=results)


def cells(result: LocustRun) -> dict[str, Cell]:
    """The cells of a run, by check."""
    assert result.folder is not None, result.text
    text = (result.folder / "compat.json").read_text(encoding="utf-8")
    return {cell.check: cell for cell in from_json(json_of(text))}


def verdicts(result: LocustRun) -> dict[str, str]:
    """The verdicts of the checks that were tried, by check."""
    return {
        n: str(cell.verdict) for n, cell in cells(result).items() if cell.verdict != "not tried"
    }


__all__ = ["CHAT", "WINDOW_TOKENS", "cells", "checked", "gateway", "pytest", "verdicts"]
