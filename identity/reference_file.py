"""Reads a reference that the operator names, or refuses it in one sentence."""

from pathlib import Path

from identity.reference import Reference, read
from recording.errors import InputError, OperatorError
from recording.json_files import read_bytes


def load(name: str) -> Reference:
    """The reference of `--reference`. Raises OperatorError."""
    try:
        return read(read_bytes(Path(name)))
    except OSError as error:
        raise OperatorError(
            f"--reference {name} cannot be read ({error.strerror}): make one with "
            "`weighbridge enrol RUN`."
        ) from None
    except InputError as error:
        raise OperatorError(f"--reference {name} {error}.") from None
