"""Which gateway, with which key: from -H, the environment, .env, or the embedded simulator."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from dotenv import load_dotenv

from loadshapes.options import Options
from recording.mistake import OperatorError
from tasks.redaction import SHORTEST, redacted

SIMULATOR_KEY = "sk-simulator-key"
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A gateway's base URL and key; the key is kept out of every repr.

    `unit` is what it says its costs are in (our simulator does).
    """

    base_url: str
    key: str = field(repr=False)
    simulated: bool = False
    unit: str | None = None

    @property
    def currency(self) -> str | None:
        """The unit of its costs, where that is known: as it says, and of the seed's gateway."""
        host = urlsplit(self.base_url).hostname or ""
        seeds = host == "nonelinear.com" or host.endswith(".nonelinear.com")
        return self.unit or ("CNY" if seeds else None)


def load_environment(path: Path) -> None:
    """Take what `.env` holds into the environment; what is set already wins.

    Raises OperatorError for a file that is there and cannot be read.
    """
    if not path.exists():
        return
    try:
        load_dotenv(path, override=False)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise OperatorError(f"{path} cannot be read ({reason}): mend or remove it.") from None


def resolve(host: str | None, environment: Mapping[str, str]) -> Endpoint:
    """The endpoint of `-H`, else of NONELINEAR_*, else of OPENAI_*.

    Raises OperatorError when the base URL or the key is missing, or the URL is not one.
    """
    keys: tuple[str, ...] = ("NONELINEAR_API_KEY", "OPENAI_API_KEY")
    base = (host or "").strip()
    for name in ("NONELINEAR_OPENAI_BASE_URL", "OPENAI_BASE_URL"):
        if not base and environment.get(name):
            base = environment[name].strip()
            keys = ("NONELINEAR_API_KEY",) if name.startswith("NONE") else ("OPENAI_API_KEY",)
    if not base:
        raise OperatorError(
            "no gateway is named: give -H https://host/v1, or set NONELINEAR_OPENAI_BASE_URL or "
            "OPENAI_BASE_URL in the environment or .env, or use --simulator."
        )
    if "@" in base.partition("//")[2].partition("/")[0]:
        raise OperatorError(
            "the base URL holds a user name or password: put the key into the environment instead."
        )
    if not _is_url(base):
        shown = "" if _may_hide(base) else f" {base!r}"
        raise OperatorError(f"the base URL{shown} is not one: write http(s)://host[:port]/path.")
    if "?" in base or "#" in base:
        raise OperatorError(
            "the base URL ends in a query or fragment, which the SDK would put before the path: "
            "leave it away."
        )
    name = next((name for name in keys if environment.get(name, "").strip()), "")
    key = environment.get(name, "").strip(" ")
    if not key:
        raise OperatorError(
            f"no API key: set {' or '.join(keys)} in the environment or .env "
            "(any text for a gateway that wants none)."
        )
    if not key.isascii() or not key.isprintable():
        raise OperatorError(f"the API key in {name} is not plain ASCII text: set it again.")
    if len(key) >= SHORTEST and redacted(base, key) != base:
        raise OperatorError(
            "the base URL holds the API key, which would stand in every report: the key goes into "
            "the environment alone."
        )
    return Endpoint(base.rstrip("/"), key)


def without_keys(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of a child process that needs no key."""
    return {name: value for name, value in environment.items() if not name.endswith("_API_KEY")}


def _is_url(text: str) -> bool:
    try:
        url = urlsplit(text)
        return url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:  # a port that is none, half an IPv6 address
        return False


def _may_hide(text: str) -> bool:
    """Whether a text that is no URL may hold a password all the same."""
    return any(mark in text for mark in "@?#")


def _unit(url: str) -> str | None:
    """What a simulator's costs are in: its profile decides."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=10)
    try:
        connection.request("GET", "/health")
        said: str | None = json.loads(connection.getresponse().read()).get("currency")
        return said
    finally:
        connection.close()


class EmbeddedSimulator:
    """`python -m simulator` as a child process on a free loopback port; it ends with us."""

    def __init__(self, options: Options) -> None:
        command = [
            sys.executable, "-m", "simulator", "--port", "0", "--exit-with-parent",
            "--profile", options.simulator_profile, "--seed", str(options.seed),
            "--key", SIMULATOR_KEY,
        ]  # fmt: skip
        if options.simulator_log:
            command += ["--log", str(Path(options.simulator_log).resolve())]
        command += options.simulator_args.split()
        profile = Path(options.simulator_profile)
        if profile.suffix:
            command[command.index("--profile") + 1] = str(profile.resolve())
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=without_keys(os.environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is for us: the simulator must answer what is in flight
        )
        assert self._process.stdout is not None and self._process.stderr is not None
        line = self._process.stdout.readline().strip()
        if not line.startswith("simulator ready "):
            said = self._process.stderr.read().strip() or "it said nothing"
            raise OperatorError(f"the simulator did not start: {said}")
        url = line.rsplit(" ", 1)[1]
        self.endpoint = Endpoint(url, SIMULATOR_KEY, simulated=True, unit=_unit(url))

    def stop(self) -> None:
        """End the simulator and wait until it is gone."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
