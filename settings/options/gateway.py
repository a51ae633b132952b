"""How the gateway is reached, and what every request contains. Pure."""

from dataclasses import dataclass
from functools import partial

from settings.option import option

PAIRED = ("ladder", "rpm", "tpm", "soak", "replay")
ROUTED = (*PAIRED, "billing", "compat", "identity")
"""The load modes whose requests can also go to a reference."""
FIXED_BODIES = ("compat",)
"""The modes whose bodies are what is tested: nothing is added to them, nor taken out."""

_gateway = partial(option, group="gateway")


@dataclass(frozen=True, kw_only=True)
class Gateway:
    """How the gateway is reached, and what every request contains."""

    timeout: float = _gateway(
        45.0, "longest wait for a complete reply, seconds", seconds=True, sent=True, above=0
    )
    connect_timeout: float = _gateway(
        10.0, "longest wait for a connection, seconds", seconds=True, sent=True, above=0
    )
    max_reply_mb: float = _gateway(
        64.0,
        "largest reply, MB (10^6 bytes), whether as received or as unpacked; a larger one is not "
        "read to its end, and its outcome is reply_too_large",
        sent=True,
        above=0,
    )
    task_id: str = _gateway(
        "auto",
        "where a request's task_id goes: the body, OpenAI's metadata, the header X-Task-ID, or "
        "nowhere (auto: the body, and the header if the gateway refuses that)",
        choices=("auto", "body", "metadata", "header", "off"),
        sent=True,
    )
    output_budget_field: str = _gateway(
        "auto",
        "field that states the output budget (auto: max_tokens, or the other if the gateway "
        "refuses it)",
        choices=("auto", "max_tokens", "max_completion_tokens"),
        sent=True,
    )
    stream_usage: str = _gateway(
        "auto",
        "ask for the token usage of streams with stream_options (auto: until the gateway refuses "
        "that)",
        choices=("auto", "on", "off"),
        not_modes=FIXED_BODIES,
        sent=True,
    )
    extra_body: str = _gateway(
        "",
        "JSON object with additional fields for every request's body; null removes a field, even a "
        "standard one (docs/how-to/request-body.md)",
        not_modes=FIXED_BODIES,
        sent=True,
        web=False,
        content=True,
    )
    connections: str = _gateway(
        "warm",
        "keep connections open, or open one per request as the article's script did (latency then "
        "includes connecting)",
        choices=("warm", "cold"),
        sent=True,
    )
    gateway: str = _gateway(
        "",
        "a gateway by name: its base URL is in NAME_BASE_URL, its key in NAME_API_KEY "
        "(docs/how-to/corporate-network.md)",
        web=False,
    )
    auth: str = _gateway(
        "auto",
        "how the key is sent: bearer, api-key, none, or the name of a header that holds it (auto: "
        "bearer, or api-key if the base URL has an api-version)",
        web=False,
    )
    header: str = _gateway(
        "",
        "NAME=VALUE, a header for every request; repeatable. A value may contain {task_id}, "
        "{run_id} and {env:NAME}; it is never written to a file",
        repeatable=True,
        web=False,
    )
    key_command: str = _gateway(
        "",
        "program that prints the key; it is run without a shell, and again after HTTP 401",
        web=False,
    )
    trace_headers: str = _gateway(
        "on",
        "send a traceparent (W3C) and an x-request-id with every request; both can be computed "
        "from its row",
        choices=("on", "off"),
        web=False,
        before="off",
    )
    ca_file: str = _gateway(
        "", "PEM file of additional certificate authorities to trust", anew=True, web=False
    )
    client_cert: str = _gateway(
        "", "PEM file of the client certificate that the gateway requires", anew=True, web=False
    )
    client_key: str = _gateway(
        "",
        "PEM file of the client certificate's private key, if it is not in the same file",
        anew=True,
        web=False,
    )
    against: str = _gateway(
        "",
        "also send every request to a reference: a gateway by name (NAME_BASE_URL, NAME_API_KEY), "
        "its base URL, or `simulator` (docs/how-to/two-routes.md). Mode compat sends it only what "
        "does not work, identity what is compared, billing what it needs to count",
        modes=ROUTED,
        sent=True,
        web=False,
    )
    against_model: str = _gateway(
        "",
        "what the reference calls a model, OURS=THEIRS; several separated by commas",
        modes=ROUTED,
        sent=True,
        web=False,
    )
    against_auth: str = _gateway(
        "auto",
        "how the reference's key is sent; the values are those of --auth",
        modes=ROUTED,
        sent=True,
        web=False,
    )
    against_header: str = _gateway(
        "",
        "NAME=VALUE, a header for every request to the reference; repeatable, and otherwise like "
        "--header",
        modes=ROUTED,
        repeatable=True,
        web=False,
    )
    against_key_command: str = _gateway(
        "",
        "program that prints the reference's key, as --key-command does for the gateway",
        modes=ROUTED,
        web=False,
    )
    precision_ms: float = _gateway(
        0.0,
        "with --against, end a phase before its plan does, once the difference of the routes "
        "(TTFT of streams, otherwise the total time) is known to within this many milliseconds "
        "(0: never)",
        modes=PAIRED,
        sent=True,
        at_least=0,
    )
    task_id_prefix: str = _gateway("", "first part of every task_id (empty: the run id)")
    task_id_on_streams: bool = _gateway(
        False, "send the task_id on streamed requests, too", not_modes=FIXED_BODIES, sent=True
    )

    @property
    def headers(self) -> tuple[str, ...]:
        """The values of `--header`."""
        return _lines(self.header)

    @property
    def against_headers(self) -> tuple[str, ...]:
        """The values of `--against-header`."""
        return _lines(self.against_header)


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line for line in text.splitlines() if line.strip())
