"""Past runs in the results folder: listed, and looked up by name."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

MOST_SHOWN = 100
"""The most runs on the page: reading more would disturb the load of a small machine."""
_LARGEST_BYTES = 20_000_000


@dataclass(frozen=True, slots=True)
class PastRun:
    """One line of the list; unknown values are None.

    `started_at` is `YYYY-MM-DD hh:mm:ss`, UTC. `cost` is the sum of the known costs, in `currency`.
    """

    run_id: str
    started_at: str
    mode: str
    models: str
    gateway: str
    simulated: bool
    sent: int | None
    success: int | None
    cost: float | None
    currency: str
    interrupted: bool
    report: bool


def folder_of(results: Path, name: str) -> Path | None:
    """The folder of a run by its name; None if the results folder has no such run.

    The name is looked up among the existing ones, so no path can lead out of the results folder.
    """
    try:
        folder = next((path for path in results.iterdir() if path.name == name), None)
    except OSError:
        return None
    if folder is None or folder.is_symlink() or not (folder / "manifest.json").is_file():
        return None
    return folder


def newest(results: Path, most: int = MOST_SHOWN) -> tuple[list[PastRun], int]:
    """The newest runs, and how many there are in all. Unreadable ones are left out."""
    dated = []
    try:
        for path in results.iterdir():
            manifest = path / "manifest.json"
            if not path.is_symlink() and manifest.is_file():
                dated.append((manifest.stat().st_mtime_ns, path))
    except OSError:
        return [], 0
    dated.sort(reverse=True)
    runs = [_read(path, _stamps(path)) for _, path in dated[:most]]
    readable = [run for run in runs if run is not None]
    return sorted(readable, key=lambda run: run.started_at, reverse=True), len(dated)


def _stamps(folder: Path) -> tuple[int, ...]:
    """When the files that are read were last changed; 0 if there are none."""
    paths = (folder / name for name in ("manifest.json", "summary.json", "report.html"))
    return tuple(path.stat().st_mtime_ns if path.is_file() else 0 for path in paths)


@lru_cache(maxsize=4 * MOST_SHOWN)
def _read(folder: Path, _stamps: tuple[int, ...]) -> PastRun | None:
    manifest, summary = _json(folder / "manifest.json"), _json(folder / "summary.json")
    if manifest is None:
        return None
    gateway, options = _mapping(manifest, "gateway"), _mapping(manifest, "options")
    raw = (summary or {}).get("phases")
    phases = [p for p in raw if isinstance(p, dict)] if isinstance(raw, list) else []
    costs = [cost for p in phases if isinstance(cost := p.get("cost_sum"), int | float)]
    planned = manifest.get("plan")
    models = dict.fromkeys(
        str(p.get("model")) for p in planned if isinstance(p, dict)
    ) if isinstance(planned, list) else {}  # fmt: skip
    return PastRun(
        run_id=folder.name,
        started_at=str(manifest.get("started_at") or "")[:19].replace("T", " "),
        mode=str(manifest.get("mode") or ""),
        models=", ".join(models) or str(options.get("model") or ""),
        gateway=str(gateway.get("base_url") or ""),
        simulated=gateway.get("simulated") is True,
        sent=_sum(phases, "sent"),
        success=_sum(phases, "success"),
        cost=sum(costs) if costs else None,
        currency=str(manifest.get("currency") or ""),
        interrupted=(summary or {}).get("interrupted") is True,
        report=(folder / "report.html").is_file(),
    )


def _json(path: Path) -> dict[str, Any] | None:
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            return None
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def _mapping(of: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = of.get(name)
    return value if isinstance(value, dict) else {}


def _sum(phases: list[dict[str, Any]], name: str) -> int | None:
    counts = [count for p in phases if isinstance(count := p.get(name), int)]
    return sum(counts) if counts else None
