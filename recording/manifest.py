"""manifest.json: what made a run, where, and with which options. It holds no secret."""

import json
import os
import platform
import subprocess
import sys
import time
import tomllib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from recording.formats import FORMATS
from recording.manifest_content import Gateway, Manifest, PlannedPhase, Scalar
from recording.record import SCHEMA_VERSION

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("locust", "openai", "gevent", "pandas", "httpx2", "httptools", "python-dotenv")


def project_version() -> str:
    """Weighbridge's version, from the checkout's pyproject.toml or from the installed package."""
    try:
        pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    except OSError:
        return version("weighbridge")
    return str(tomllib.loads(pyproject)["project"]["version"])


def manifest(
    run_id: str,
    *,
    options: Mapping[str, Scalar],
    drawn_options: Mapping[str, Scalar] | None = None,
    plan: Sequence[PlannedPhase],
    gateway: Gateway,
    currency: str | None,
    workers: int,
    slo: Mapping[str, Any] | None = None,
    prices: Mapping[str, Any] | None = None,
    sent_options: Sequence[str] = (),
) -> Manifest:
    """The manifest of a run that is about to start.

    `options` are the options as the operator gave them; `drawn_options` holds the values that the
    run chose itself: its id, its task_id prefix, a fresh nonce. So two runs of one command have
    equal options. `sent_options` names the options that decide what is sent: runs that differ in
    one of them are not comparable.
    """
    wall = time.get_clock_info("time")
    monotonic = time.get_clock_info("perf_counter")
    return {
        "schema_version": SCHEMA_VERSION,
        "needs_version": FORMATS[SCHEMA_VERSION].weighbridge,
        "run_id": run_id,
        "started_at": datetime.now(UTC).isoformat(),
        "mode": str(options.get("mode")),
        "weighbridge": {"version": project_version(), "git_commit": git_commit()},
        "versions": {"python": sys.version.split()[0], **_versions()},
        "host": {
            "name": platform.node(),
            "system": platform.platform(),
            "cores": os.cpu_count(),
        },
        "gateway": gateway,
        "currency": currency,
        "prices": None if prices is None else dict(prices),
        "workers": workers,
        "options": dict(options),
        "sent_options": list(sent_options),
        "drawn": dict(drawn_options or {}),
        "slo": None if slo is None else dict(slo),
        "plan": list(plan),
        "clock": {
            "durations": {"clock": "perf_counter", "resolution_s": monotonic.resolution},
            "labels": {"clock": "time", "resolution_s": wall.resolution},
        },
    }


def written_by_us(manifest: Manifest) -> Manifest:
    """A run's manifest after this program has written to its files: now of its version."""
    ours = FORMATS[SCHEMA_VERSION].weighbridge
    return {**manifest, "schema_version": SCHEMA_VERSION, "needs_version": ours}


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file atomically, readable by its owner only."""
    temporary = path.with_name(f".{path.name}.part")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file, ensure_ascii=False, indent=2)
        file.write("\n")
    os.replace(temporary, path)


def _versions() -> dict[str, str]:
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions


def git_commit() -> str | None:
    """The commit of the checkout, or the one that an installed Weighbridge was built from.

    None if neither is known.
    """
    built = ROOT / "COMMIT"
    if built.is_file():
        return built.read_text(encoding="utf-8").strip() or None
    if not (ROOT / "pyproject.toml").is_file():
        return None  # git would answer for whatever checkout stands above
    try:
        rev_parse = subprocess.run(
            ["git", "-C", str(ROOT), "rev-parse", "HEAD"],
            capture_output=True,
            text=True,
            timeout=10,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return rev_parse.stdout.strip() if rev_parse.returncode == 0 else None
