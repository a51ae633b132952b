"""Puts the commit into built packages: hatchling calls this for wheel and sdist."""

import subprocess
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CommitHook(BuildHookInterface):  # type: ignore[type-arg]
    """Adds a file COMMIT; an sdist, which is not a checkout, has one already."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before the files are gathered."""
        if version == "editable":
            # It runs from its checkout: a copy of our packages would only become stale.
            build_data["force_include_editable"]["LICENSE"] = "weighbridge/LICENSE"
            return
        place = "weighbridge/_home/COMMIT" if self.target_name == "wheel" else "COMMIT"
        build_data["force_include"][str(self._file())] = place

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Called when the package is written."""
        if hasattr(self, "_made"):
            self._made.unlink()

    def _file(self) -> Path:
        root = Path(self.root)
        if (root / "COMMIT").is_file():
            return root / "COMMIT"
        asked = subprocess.run(
            ["git", "-C", str(root), "rev-parse", "HEAD"], capture_output=True, text=True
        )
        with NamedTemporaryFile("w", suffix="-COMMIT", delete=False) as file:
            file.write(asked.stdout if asked.returncode == 0 else "")
        self._made = Path(file.name)
        return self._made
