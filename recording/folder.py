"""The run folder: one per run, never overwritten."""

import secrets
import shutil
from datetime import UTC, datetime
from pathlib import Path

from recording.errors import OperatorError

LEAST_FREE_BYTES = 32 * 1024
"""Room that a run's first files need; if the disk fills up later, the run ends with a message."""


def new_run_id(mode: str) -> str:
    """A new run id: mode, UTC time, and four random characters."""
    return f"{mode}-{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(2)}"


def from_here(path: Path) -> Path:
    """An absolute path as a message shows it: from the working folder, if it is below that."""
    try:
        return path.relative_to(Path.cwd())
    except (OSError, ValueError):  # the working folder is gone, or the path is elsewhere
        return path


def create(results: str, run_id: str) -> Path:
    """Make the folder of a new run. Raises OperatorError if it exists or cannot be made."""
    folder = Path(results).resolve() / run_id
    try:
        folder.mkdir(parents=True, mode=0o700)
    except FileExistsError:
        raise OperatorError(
            f"the run folder {from_here(folder)} exists: give another --run-id or --results."
        ) from None
    except OSError as error:
        raise OperatorError(
            f"the run folder {from_here(folder)} cannot be made ({error.strerror}): give another "
            "--results."
        ) from None
    if shutil.disk_usage(folder).free < LEAST_FREE_BYTES:
        folder.rmdir()
        raise OperatorError(
            f"the disk of {from_here(folder)} is full (No space left on device): make room, or "
            "give another --results."
        )
    return folder


def check_output(output: str, flag: str = "--output") -> None:
    """Check that the file an option names can be written. Raises OperatorError if not."""
    if not output:
        return
    path = Path(output).resolve()
    try:
        if path.is_dir():
            raise IsADirectoryError(21, "it is a folder")
        path.parent.mkdir(parents=True, exist_ok=True)
        probe = path.with_name(f".{path.name}.part")
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise OperatorError(
            f"{flag} {output} cannot be written ({error.strerror}): give another path."
        ) from None
