"""The command line: `python -m simulator`."""

import argparse
import socket
import ssl
import sys
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from simulator import faults, features, profile, schedule
from simulator.delivery import Pace
from simulator.dialects import DIALECTS
from simulator.faults import FaultError, Faults
from simulator.features import FeatureError
from simulator.gateway import Gateway
from simulator.ledger import Ledger, LedgerError
from simulator.limits import KINDS
from simulator.outages import listen
from simulator.profile import Profile, ProfileError
from simulator.schedule import Schedule
from simulator.server import serve
from simulator.settings import Settings

T = TypeVar("T", int, float)


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one sentence and exit code 2."""

    def error(self, message: str) -> NoReturn:
        """Prints what is wrong and ends the program."""
        self.exit(2, f"simulator: {message}\n")


def main(arguments: list[str] | None = None) -> None:
    """Starts the gateway and serves until stopped; operator errors end it with exit code 2."""
    options = parser().parse_args(arguments)
    try:
        served = _profile(options)
        settings = Settings(
            profile=served,
            features=features.parse(served.features),
            dialect=DIALECTS[options.dialect](),
            faults=Faults(faults.parse(options.fault), options.fault_after),
            seed=options.seed,
            key=options.key,
            refuse_fields=tuple(options.refuse_field),
            max_concurrency=options.max_concurrency,
            rpm_limit=options.rpm_limit,
            tpm_limit=options.tpm_limit,
            limit_kind=options.limit_kind,
            retry_lie=options.retry_after_lie,
            retry_after_s=options.retry_after,
            redirect_to=options.redirect_to,
            pace=Pace(options.fault_delay, options.trickle_interval, options.stall_seconds),
            schedule=Schedule(schedule.parse(served.schedule, 1 + len(options.also_port))),
        )
        ledger = Ledger(options.log)
    except (ProfileError, FeatureError, FaultError, LedgerError) as error:
        _end(str(error))
    if (options.tls_cert is None) != (options.tls_key is None):
        _end("--tls-cert and --tls-key go together")
    if options.tls_client_ca is not None and not options.tls_client_ca.is_file():
        _end(f"cannot read {options.tls_client_ca}")
    if options.tls_cert is not None:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
                options.tls_cert, options.tls_key
            )
        except OSError as error:  # also catches SSLError
            _end(f"cannot use {options.tls_cert} with {options.tls_key}: {error.strerror}")
    sockets = [_listen(options.host, port) for port in (options.port, *options.also_port)]
    gateways = [Gateway(settings, ledger)]
    for place in range(1, len(sockets)):
        gateways.append(Gateway(settings, ledger, gateways[0], place))
    serve(
        gateways,
        sockets,
        options.exit_with_parent,
        options.tls_cert,
        options.tls_key,
        options.tls_client_ca,
    )


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket; ends the program if there is none, warns if others can reach it."""
    try:
        sock = listen(host, port)
    except OSError as error:
        _end(f"cannot listen on {host} port {port}: {error.strerror}")
    if not ip_address(sock.getsockname()[0]).is_loopback:
        warning = f"{host} is not a loopback address: other machines can reach this gateway"
        print(f"simulator: {warning}", file=sys.stderr, flush=True)
    return sock


def _profile(options: argparse.Namespace) -> Profile:
    """The profile with the command line's overrides."""
    chosen = profile.load(options.profile)
    latency: dict[str, Any] = {}
    if options.latency is not None:
        # Remove all that is random or grows with the load: the time is exactly the given one.
        still = {"spread", "prefill_s_per_1k", "burst_s", "stall_share"}
        latency = dict.fromkeys(still, 0.0)
        latency |= {"fixed_s": options.latency, "ttft_s": options.latency}
    if options.ttft is not None:
        latency |= {"ttft_s": options.ttft, "spread": 0.0}
    if options.tokens_per_s is not None:
        latency["tokens_per_s"] = options.tokens_per_s
    chosen = chosen.revised("latency", **latency)
    if options.reply_tokens is not None:
        chosen = chosen.revised("reply", tokens=options.reply_tokens)
    if options.cache_ttl is not None:
        chosen = chosen.revised("cache", ttl_s=options.cache_ttl)
    return chosen


def parser() -> Parser:
    """What the command line may contain."""
    command_line = Parser(
        prog="simulator",
        description="An OpenAI-compatible LLM gateway with known truth, for testing load tests.",
    )
    add = command_line.add_argument
    add("--host", default="127.0.0.1", help="address to bind (default: loopback only)")
    add("--port", type=_number(int, 0, 65535), default=8089, help="0 takes a free port")
    also = (
        "another port of the same process; the profile's [ports] says what they share; repeatable"
    )
    add("--also-port", type=_number(int, 0, 65535), action="append", default=[], help=also)
    add("--profile", default="seed", help="seed, fast, compat, or a TOML file (default: seed)")
    add("--seed", type=int, default=0, help="seed of everything random")
    add("--log", type=Path, help="append one CSV row per request to a model to this file")
    dialect = "whose format of replies and errors is used (default: %(default)s)"
    add("--dialect", choices=sorted(DIALECTS), default="nonelinear", help=dialect)
    add("--key", help="the one accepted key (default: any that is not empty)")
    refuse = "refuse this field as OpenAI refuses an unknown one; repeatable"
    add("--refuse-field", action="append", default=[], metavar="NAME", help=refuse)
    add("--exit-with-parent", action="store_true", help="exit when stdin ends")
    add("--tls-cert", type=Path, help="serve HTTPS with this certificate (PEM)")
    add("--tls-key", type=Path, help="and this private key (PEM)")
    add("--tls-client-ca", type=Path, help="require client certificates of this authority (PEM)")
    pace = command_line.add_argument_group("pace", "in place of the profile's")
    add = pace.add_argument
    add(
        "--latency", type=_number(float, 0), help="time that plain replies and first tokens take, s"
    )
    add("--ttft", type=_number(float, 0), help="time that first tokens take, s")
    add("--tokens-per-s", type=_number(float, 0), help="speed of streams; 0: all at once")
    add(
        "--reply-tokens",
        type=_number(int, 1),
        help="length of replies that the prompt does not dictate, tokens",
    )
    add("--cache-ttl", type=_number(float, 0), help="life of a prompt cache entry, s")
    limits = command_line.add_argument_group("limits")
    add = limits.add_argument
    add("--max-concurrency", type=_number(int, 1), help="429 when more are in flight")
    add("--rpm-limit", type=_number(int, 1), help="requests per minute and key")
    add("--tpm-limit", type=_number(int, 1), help="tokens per minute and key")
    add("--limit-kind", choices=sorted(KINDS), default="bucket", help="how these are counted")
    add(
        "--retry-after-lie",
        type=_number(float, 0),
        default=1.0,
        metavar="FACTOR",
        help="factor by which the stated Retry-After differs from the true one",
    )
    wrong = command_line.add_argument_group(
        "faults", "NAME is one of: " + "; ".join(f"{k}: {v}" for k, v in faults.FAULTS.items())
    )
    add = wrong.add_argument
    add("--fault", action="append", default=[], metavar="NAME=SHARE", help="repeatable")
    add("--fault-after", type=_number(int, 0), default=0, metavar="N", help="spare the first N")
    add("--fault-delay", type=_number(float, 0), default=30.0, help="of slow_headers, s")
    add("--trickle-interval", type=_number(float, 0), default=0.5, help="between two bytes, s")
    add("--stall-seconds", type=_number(float, 0), default=1.0, help="of stall, s")
    add("--retry-after", type=_number(float, 0), default=1.0, help="of rate_limited*, s")
    add("--redirect-to", default="/v1/elsewhere", metavar="URL", help="of redirect")
    return command_line


def _number(kind: type[T], low: T, high: T | None = None) -> Callable[[str], T]:
    """An argparse type: a finite number within bounds."""

    def read(text: str) -> T:
        try:
            number = kind(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
        if not low <= number <= (high if high is not None else 1e12):
            bounds = f"at least {low}" if high is None else f"from {low} to {high}"
            raise argparse.ArgumentTypeError(f"must be {bounds}, not {text}")
        return number

    return read


def _end(message: str) -> NoReturn:
    print(f"simulator: {message}", file=sys.stderr)
    sys.exit(2)


if __name__ == "__main__":
    main()
