"""Imports run one way: the pure rooms stay pure, and nobody imports the wiring."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("analysis", "loadshapes", "recording", "simulator", "tasks", "webui")
PURE = (
    "recording.record",
    "recording.outcome",
    "recording.formats",
    "recording.part_file",
    "recording.untrusted_text",
    "rules.stop_rule",
    "rules.local_errors",
    "recording.errors",
    "rules.conditions",
    "rules.objectives",
    "rules.slo",
    "rules.bracket",
    "rules.prices",
    "recording.tally",
    "rules.budget",
    "settings.resume",
    "loadshapes.capacity",
    "engine.clock",
    "loadshapes.plan",
    "loadshapes.level_search",
    "engine.index_set",
    "loadshapes.rate_limit_audit",
    "rules.rate_limit",
    "rules.refused_fields",
    "loadshapes.token_pacing",
    "loadshapes.program",
    "engine.budget",
    "engine.loop_lag",
    "settings.options",
    "loadshapes.modes",
    "loadshapes.own_traffic_plans",
    "loadshapes.own_traffic.trace",
    "settings.address",
    "tasks.answer_flags",
    "tasks.tool_calls",
    "tasks.error_bodies",
    "tasks.event_stream",
    "tasks.proxy_pages",
    "tasks.finish_reasons",
    "tasks.decompression",
    "tasks.usage",
    "recording.json_values",
    "settings.gateways",
    "tasks.headers",
    "loadshapes.own_traffic.line",
    "recording.redaction",
    "engine.connection_advice",
    "tasks.reply",
    "loadshapes.own_traffic.traffic",
    "settings.body_profile",
    "webui.hosts",
    "webui.live",
    "analysis.reading.columns",
    "analysis.reading.parts",
    "analysis.numbers.percentile",
    "webui.words",
)


def top_level_modules_after_importing(module: str) -> set[str]:
    """The top-level names in sys.modules of a fresh process that imported only `module`."""
    script = f"import {module}, sys; print(*{{name.split('.')[0] for name in sys.modules}})"
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert ran.returncode == 0, ran.stderr
    return set(ran.stdout.split())


def imported_names(path: Path) -> set[str]:
    """The top-level names that a source file imports, wherever in the file."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.split(".")[0])
    return found


def sources(*rooms: str) -> list[Path]:
    return [path for room in rooms for path in sorted((ROOT / room).rglob("*.py"))]


@pytest.mark.parametrize("module", PURE)
def test_a_pure_module_brings_neither_locust_nor_gevent_nor_pandas(module: str) -> None:
    heavy = {"locust", "gevent", "pandas", "openai", "httpx2"}
    assert not top_level_modules_after_importing(module) & heavy


def test_the_analysis_never_brings_locust_or_gevent() -> None:
    assert not top_level_modules_after_importing("analysis.__main__") & {"locust", "gevent"}


def test_no_source_of_the_analysis_names_locust_or_gevent() -> None:
    """A lazy import inside a function would escape the fresh process."""
    for path in sources("analysis"):
        assert not imported_names(path) & {"locust", "gevent", "tasks"}, path


def test_the_simulator_imports_nothing_of_ours() -> None:
    ours = {"recording", "loadshapes", "tasks", "analysis", "locustfile"}
    for path in sources("simulator"):
        assert not imported_names(path) & ours, path


def test_the_recording_stands_at_the_bottom() -> None:
    for path in sources("recording"):
        assert not imported_names(path) & set(ROOMS) - {"recording"}, path


def test_nobody_imports_the_locustfile() -> None:
    for path in sources(*ROOMS, "tests"):
        assert "locustfile" not in imported_names(path), path


def test_the_locustfile_imports_locust_before_anything_else() -> None:
    """Locust patches the standard library; what is imported before it stays unpatched."""
    tree = ast.parse((ROOT / "locustfile.py").read_text(encoding="utf-8"))
    first = next(node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom))
    assert isinstance(first, ast.ImportFrom)
    assert first.module == "locust"
