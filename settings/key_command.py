"""`--key-command`: a program that prints the key, run again when the gateway refuses the key.

Each process runs it at the start and after its last key got a 401; its output is shown nowhere. It
is run without a shell: `~`, `$NAME`, `|` and `>` have no meaning.
"""

import logging
import shlex
import subprocess
import time
from collections.abc import Callable
from functools import lru_cache

from gevent.lock import BoundedSemaphore

from recording.errors import OperatorError

LONGEST_S = 30.0
LEAST_PAUSE_S = 10.0
"""Shortest time between two runs: a wrong key must not start a program for each request."""

log = logging.getLogger("weighbridge")


class KeyCommand:
    """A command and the key it printed last; `secrets` holds every key it has printed."""

    def __init__(self, command: str, clock: Callable[[], float] = time.monotonic) -> None:
        """Raises OperatorError for a command that needs a shell."""
        self._words = words(command)
        self.secrets: list[str] = []
        self._clock = clock
        self._one = BoundedSemaphore()
        self._asked_at = -LEAST_PAUSE_S
        self._key = ""
        self.renewals = 0

    def __repr__(self) -> str:
        return f"KeyCommand({self.program})"

    @property
    def program(self) -> str:
        """Only the program: its arguments may hold secrets."""
        return self._words[0].rpartition("/")[2]

    def key(self) -> str:
        """The key; the first use runs the command. Raises OperatorError."""
        with self._one:
            if not self._key:
                self._ask()
            return self._key

    def renew(self, refused: str) -> bool:
        """Whether there is a newer key than the refused one; runs the command if necessary."""
        with self._one:
            if self._key != refused:
                return True
            if self._clock() - self._asked_at < LEAST_PAUSE_S:
                return False
            try:
                self._ask()
            except OperatorError as error:
                log.warning("%s", error)
            if self._key == refused:
                return False
            self.renewals += 1
            log.info("the gateway refused the key: --key-command has given another")
            return True

    def _ask(self) -> None:
        self._asked_at = self._clock()
        prefix = f"--key-command {self.program}"
        try:
            completed = subprocess.run(
                self._words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, timeout=LONGEST_S, start_new_session=True,
            )  # fmt: skip
        except FileNotFoundError:
            raise OperatorError(f"{prefix}: the program does not exist: give its path.") from None
        except subprocess.TimeoutExpired:
            raise OperatorError(
                f"{prefix} printed no key within {LONGEST_S:g} s: try it by hand."
            ) from None
        except OSError as error:
            raise OperatorError(f"{prefix} cannot be run ({error.strerror}): fix it.") from None
        if completed.returncode:
            raise OperatorError(f"{prefix} ended with code {completed.returncode}: try it by hand.")
        key = completed.stdout.decode("utf-8", "replace").strip()
        if not key:
            raise OperatorError(f"{prefix} printed nothing: try it by hand.")
        if len(key.split()) > 1 or key[0] in "{[" or not key.isascii() or not key.isprintable():
            raise OperatorError(
                f"{prefix} printed more than a key (JSON, or several words): it must print only "
                "the key, e.g. sh -c 'COMMAND | jq -r .access_token'."
            )
        self._key = key
        if key not in self.secrets:
            self.secrets.append(key)


@lru_cache(maxsize=16)
def command_of(text: str) -> KeyCommand:
    """The one KeyCommand for this text in this process, so that several runs share its key."""
    return KeyCommand(text)


def words(command: str) -> list[str]:
    """The command's words, split as a shell would. Raises OperatorError."""
    try:
        parts = shlex.split(command)
    except ValueError as error:
        raise OperatorError(f"--key-command cannot be read ({error}): fix it.") from None
    if not parts:
        raise OperatorError("--key-command is empty: give a program that prints the key.")
    shells = {"|", "||", "&&", ";", ">", "<", "&"}
    if shells & set(parts) or parts[0][0] in "~$`(":
        raise OperatorError(
            "--key-command is run without a shell, and this one needs it: write it as sh -c '...'."
        )
    return parts
