"""The endpoint of a run: its gateway, key and access; and the embedded simulator."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from dotenv import load_dotenv

from recording.errors import OperatorError
from recording.manifest_content import Gateway
from recording.redaction import MARK, SHORTEST, redacted
from settings.access import NONE, Access, auth_header, joined, own_headers, sdk_headers
from settings.address import Address, address, is_azure
from settings.gateways import Choice, Table, unusable
from settings.key_command import command_of
from settings.options import Options

SIMULATOR_KEY = "sk-simulator-key"
ROOT = Path(__file__).resolve().parent.parent
FROM_FILE: set[str] = set()
"""The variables that were set from `.env` in this process."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A gateway's base URL, key and access; the key and all other secrets are kept out of every
    repr.

    `unit` is the currency that it states for its costs (our simulator does). `choice` records its
    origin.
    """

    base_url: str = field(repr=False)
    key: str = field(repr=False)
    simulated: bool = False
    unit: str | None = None
    access: Access = Access()
    choice: Choice | None = field(default=None, repr=False)
    secrets: list[str] = field(default_factory=list, repr=False)

    def __post_init__(self) -> None:
        known = (self.key, *self.access.secrets(), *self.address.secrets)
        self.secrets.extend(s for s in known if s and s not in self.secrets)

    @property
    def address(self) -> Address:
        """Where requests go."""
        return address(self.base_url)

    @property
    def masked_url(self) -> str:
        """The base URL for files and pages."""
        return self.address.masked_url

    @property
    def currency(self) -> str | None:
        """The currency of its costs if known: as stated, or that of the seed's gateway."""
        host = urlsplit(self.base_url).hostname or ""
        seeds = host == "nonelinear.com" or host.endswith(".nonelinear.com")
        return self.unit or ("CNY" if seeds else None)

    @property
    def named(self) -> str:
        """The gateway, the origin of its URL and of its key, for the line at the start."""
        if self.simulated:
            return "gateway: the embedded simulator"
        access, source = self.access, self.choice.source if self.choice else ""
        header = "" if access.auth == "bearer" else f" in header {access.auth}"
        key_note = f"key from {self.key_source}{header}" if self.key_source else "no key is sent"
        parts = [f"gateway {self.masked_url} ({source})", key_note]
        if access.names:
            parts.append(f"also headers {', '.join(access.names)}")
        if access.openai:
            parts.append(f"{', '.join(access.openai)} is sent too, as the SDK does")
        if access.withheld:
            parts.append(f"{', '.join(access.withheld)} is not sent: it is for OPENAI_* gateways")
        if self.choice and self.choice.why:
            parts.append(self.choice.why)
        return "; ".join(parts)

    @property
    def key_source(self) -> str:
        """The source of the key: a variable or a command; empty if none is sent."""
        if self.access.auth == NONE:
            return ""
        if self.access.command is not None:
            return f"--key-command {self.access.command.program}"
        name = self.choice.key_name if self.choice else ""
        return f"{name} in .env" if name in FROM_FILE else name

    def facts(self) -> Gateway:
        """The manifest's description: every name, no value."""
        named_by = None if self.choice is None else self.choice.source
        return {
            "base_url": self.masked_url,
            "simulated": self.simulated,
            "source": "--simulator" if self.simulated else named_by,
            "key_source": self.key_source or None,
            "auth": self.access.auth,
            "headers": self.access.names,
            "sdk_variables_sent": list(self.access.openai),
            "sdk_variables_withheld": list(self.access.withheld),
        }


def load_environment(path: Path) -> None:
    """Load `.env` into the environment; variables that are already set win.

    Raises OperatorError if the file exists and cannot be read.
    """
    if not path.exists():
        return
    before = set(os.environ)
    try:
        load_dotenv(path, override=False)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise OperatorError(f"{path} cannot be read ({reason}): mend or remove it.") from None
    FROM_FILE.update(set(os.environ) - before)


def resolve(
    host: str | None,
    environment: Mapping[str, str],
    options: Options | None = None,
    *,
    own_host: str | None = None,
    prefer: str = "",
) -> Endpoint:
    """The endpoint from `-H`, `--gateway` or the environment, with the access that the options
    define.

    `own_host` is this process's `-H`, if `host` is only a masked one. `prefer`: the variable from
    which another process of the run took its key. Raises OperatorError if the configuration is
    missing, ambiguous or invalid; no key command is run yet.
    """
    chosen = options or Options()
    host = _unmasked(host or "", own_host, environment)
    auth = chosen.auth.strip().lower()
    if auth == NONE and chosen.key_command:
        raise OperatorError("--auth none sends no key: remove --key-command.")
    keyless = auth == NONE or bool(chosen.key_command)
    table = Table(environment, FROM_FILE)
    choice = table.choose(host, chosen.gateway, keyless=keyless, prefer=prefer)
    where = address(choice.base_url)
    key = environment.get(choice.key_name, "").strip(" ") if choice.key_name else ""
    if choice.key_name and (fault := unusable(key, table.with_source(choice.key_name))):
        raise OperatorError(fault)
    if len(key) >= SHORTEST and redacted(choice.base_url, key) != choice.base_url:
        raise OperatorError(
            "the base URL contains the API key, which would appear in every report: put the key "
            "only into the environment."
        )
    command = command_of(chosen.key_command) if chosen.key_command else None
    access = replace(access_of(chosen, environment, where, choice.openai), command=command)
    secrets = command.secrets if command else []  # keys that are printed later are secrets too
    return Endpoint(choice.base_url.rstrip("/"), key, access=access, choice=choice, secrets=secrets)


def _unmasked(masked_url: str, own_host: str | None, environment: Mapping[str, str]) -> str:
    """The complete form of a masked base URL, as this machine knows it. Raises OperatorError."""
    if MARK not in masked_url:
        return masked_url
    configured = [value for name, value in environment.items() if name.endswith("_BASE_URL")]
    for known in (own_host or "", *configured):
        try:
            if known and address(known).masked_url == masked_url:
                return known
        except OperatorError:
            continue
    raise OperatorError(
        f"the base URL {masked_url} contains a secret that is unknown on this machine: give the "
        "URL with -H, or set its variable, here too."
    )


def access_of(
    options: Options, environment: Mapping[str, str], where: Address, openai: bool
) -> Access:
    """The access that the options define; `openai`: whether OPENAI_* is meant for this gateway.

    Raises OperatorError.
    """
    auth = auth_header(options.auth, is_azure(where), bool(options.key_command))
    names, added = sdk_headers(environment)
    operators = own_headers(options.headers, environment)
    return Access(
        auth=auth,
        headers=joined(operators, added if openai else (), auth),
        trace=options.trace_headers == "on",
        ca_file=options.ca_file,
        client_cert=options.client_cert,
        client_key=options.client_key,
        openai=names if openai else (),
        withheld=() if openai else names,
    )


_SECRET_OPTIONS = ("HEADER", "KEY_COMMAND")


def without_keys(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment for a child process that needs no key."""
    hidden = {f"WEIGHBRIDGE_{of}{kind}" for of in ("", "AGAINST_") for kind in _SECRET_OPTIONS}
    return {
        name: value
        for name, value in environment.items()
        if not name.endswith("_API_KEY") and name not in hidden | {"OPENAI_CUSTOM_HEADERS"}
    }


def _unit(url: str) -> str | None:
    """The currency of a simulator's costs, from its profile."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=10)
    try:
        connection.request("GET", "/health")
        currency: str | None = json.loads(connection.getresponse().read()).get("currency")
        return currency
    finally:
        connection.close()


class EmbeddedSimulator:
    """`python -m simulator` as a child process on a free loopback port; it ends with this
    process. Relative paths in its options are of the folder in which the run was started.
    """

    def __init__(self, options: Options) -> None:
        command = [
            sys.executable, "-P", "-m", "simulator", "--port", "0", "--exit-with-parent",
            "--profile", options.simulator_profile, "--seed", str(options.seed),
            "--key", SIMULATOR_KEY,
        ]  # fmt: skip
        if options.simulator_log:
            command += ["--log", options.simulator_log]
        command += options.simulator_args.split()
        packages = filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])
        self._process = subprocess.Popen(  # in our folder, for paths are relative to it
            command,
            env=without_keys(os.environ) | {"PYTHONPATH": os.pathsep.join(packages)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is for us: the simulator must answer what is in flight
        )
        assert self._process.stdout is not None and self._process.stderr is not None
        line = self._process.stdout.readline().strip()
        if not line.startswith("simulator ready "):
            complaint = self._process.stderr.read().strip() or "it said nothing"
            raise OperatorError(f"the simulator did not start: {complaint}")
        url = line.rsplit(" ", 1)[1]
        self.endpoint = simulated(url, options, _unit(url))

    def stop(self) -> None:
        """End the simulator and wait until it is gone."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()


def simulated(url: str, options: Options, unit: str | None = None) -> Endpoint:
    """The embedded simulator's endpoint: its own key and the operator's headers, without OPENAI_*.

    Raises OperatorError.
    """
    access = access_of(replace(options, key_command=""), os.environ, address(url), openai=False)
    if access.auth == NONE:
        raise OperatorError("the simulator requires its key: remove --auth none.")
    local = replace(access, ca_file="", client_cert="", client_key="", withheld=())
    return Endpoint(url, SIMULATOR_KEY, simulated=True, unit=unit, access=local)


def endpoint_here(
    base_url: str,
    options: Options,
    options_here: Options,
    own_host: str | None,
    *,
    simulated_gateway: bool = False,
    key_name: str = "",
) -> Endpoint:
    """The gateway that a master names, with this process's own keys, header values and command.

    None of these is sent over the network: each process takes them from its own command line and
    environment. Raises OperatorError.
    """
    header_names, here = options.headers, options_here.public().headers
    if missing := [name for name in header_names if name not in here]:
        raise OperatorError(
            f"the run sends the headers {', '.join(missing)}, whose values are not sent to "
            "workers: give --header (or WEIGHBRIDGE_HEADER) on this machine too."
        )
    if options.key_command and not options_here.key_command:
        raise OperatorError(
            "the key of this run comes from --key-command: give it on this machine too."
        )
    chosen = [
        line for line in options_here.headers if line.partition("=")[0].strip() in header_names
    ]
    command = options_here.key_command if options.key_command else ""
    run_options = replace(options, header="\n".join(chosen), key_command=command)
    if simulated_gateway:
        return simulated(base_url, run_options)
    return resolve(base_url, os.environ, run_options, own_host=own_host, prefer=key_name)
