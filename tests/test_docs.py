"""The documentation says what the code says."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_generated_pages_are_up_to_date() -> None:
    """`make docs` would change nothing."""
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    stale = [p.name for p, text in module.pages().items() if p.read_text("utf-8") != text]
    assert stale == []


def test_every_make_target_is_listed_by_help() -> None:
    """`make help` names each target of the Makefile."""
    lines = (ROOT / "Makefile").read_text(encoding="utf-8").splitlines()
    targets = {line.split(":")[0] for line in lines if line[:1].islower() and ":" in line}
    described = {line.split(":")[0] for line in lines if "## " in line and line[:1].islower()}
    assert targets == described
