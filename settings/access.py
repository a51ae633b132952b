"""What accompanies every request besides its body: the key, the operator's headers, a trace.

Values are secrets and appear in no repr, file or log. `{env:NAME}` in a value is filled in
immediately, `{run_id}` per run, and `{task_id}` per request.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from recording.errors import OperatorError
from recording.redaction import SHORTEST
from recording.trace_ids import trace_ids
from settings.key_command import KeyCommand

Header = tuple[str, str]

AUTO, BEARER, NONE = "auto", "bearer", "none"
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 5.6.2
_HOPS = frozenset({
    "connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization",
    "te", "trailer", "transfer-encoding", "upgrade", "content-length", "expect",
})  # fmt: skip
_SCHEMES = frozenset({"basic", "digest", "token", "oauth", "oauth2", "jwt", "key", "ntlm", "mtls"})
_HOLE = re.compile(r"\{(task_id|run_id|env:[A-Za-z_][A-Za-z0-9_]*)\}")
_OTHER_HOLE = re.compile(r"\{[A-Za-z_]+(:[A-Za-z0-9_]*)?\}")
_PARENT, _REQUEST_ID = "traceparent", "x-request-id"


@dataclass(frozen=True, slots=True)
class Access:
    """How requests authenticate: `auth` is bearer, none, or the header that takes the key.

    `openai` names the SDK's own variables whose headers are among `headers`; `withheld` names those
    that are set but not sent, because they are for another gateway.
    """

    auth: str = BEARER
    headers: tuple[Header, ...] = field(default=(), repr=False)
    trace: bool = False
    command: KeyCommand | None = None
    ca_file: str = ""
    client_cert: str = ""
    client_key: str = ""
    openai: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """The names of the operator's headers."""
        return [name for name, _ in self.headers]

    def credentials(self, key: str) -> dict[str, str]:
        """The header that carries the key; empty if no key is sent."""
        if self.auth == NONE or not key:
            return {}
        if self.auth == BEARER:
            return {"Authorization": f"Bearer {key}"}
        return {self.auth: key}

    def secrets(self) -> list[str]:
        """The secret parts of the headers: each value, and each part between placeholders."""
        secrets = []
        for _, value in self.headers:
            parts = [part.strip() for part in _HOLE.split(value)[::2]]
            secrets += [part for part in (value, *parts) if len(part) >= SHORTEST]
            secrets += [rest for part in parts if len(rest := part.partition(" ")[2]) >= SHORTEST]
        return list(dict.fromkeys(secrets))


class Credential:
    """The header of a key that a command prints; the key may change while a request waits to be
    sent.
    """

    def __init__(self, access: Access, command: KeyCommand) -> None:
        self._access = access
        self.key = command.key
        self.renew = command.renew

    def line(self, key: str) -> bytes:
        """The header line of that key."""
        ((name, value),) = self._access.credentials(key).items()
        return f"{name}: {value}\r\n".encode("latin-1")


class Outgoing:
    """The headers of one run's requests: common ones, and those of each request."""

    def __init__(self, access: Access, run_id: str) -> None:
        filled = [
            (name, value.replace("{run_id}", _safe(run_id))) for name, value in access.headers
        ]
        self.same = {name: value for name, value in filled if "{task_id}" not in value}
        self._each = [(name, value) for name, value in filled if "{task_id}" in value]
        named = {name.lower() for name in access.names}
        self._parent = access.trace and _PARENT not in named
        self._request_id = access.trace and _REQUEST_ID not in named
        self._run_id = run_id

    def of(self, phase: str, task_id: str) -> tuple[bytes, str | None]:
        """The header lines of one request, and its trace id if one is sent."""
        lines, trace = b"", None
        if self._parent or self._request_id:
            trace, span = trace_ids(self._run_id, phase, task_id)
            if self._parent:
                lines = b"traceparent: 00-%s-%s-01\r\n" % (trace.encode(), span.encode())
            if self._request_id:
                lines += b"x-request-id: %s\r\n" % trace.encode()
        for name, value in self._each:
            line = f"{name}: {value.replace('{task_id}', _safe(task_id))}\r\n"
            lines += line.encode("latin-1")
        return lines, trace


def _safe(text: str) -> str:
    """The text for a header: everything but visible ASCII is percent-encoded."""
    return text if text.isascii() and text.isprintable() else quote(text, safe=" /:,;=+@[]()!*'")


# ---- the operator's options


def auth_header(auth: str, azure: bool, command: bool) -> str:
    """The `--auth` of a run: bearer, none, or the header's name. Raises OperatorError.

    `auto`: Azure's own URLs take a key in `api-key` and a token (which a command prints) as Bearer.
    """
    text = auth.strip()
    word = text.lower()
    if word in ("", AUTO):
        return "api-key" if azure and not command else BEARER
    if word in (BEARER, NONE):
        return word
    if word in _SCHEMES or not _TOKEN.fullmatch(text) or word in _HOPS:
        raise OperatorError(
            f"--auth {text} is not bearer, api-key, none or the name of a header that takes the "
            "key (give other headers with --header, and --auth none)."
        )
    return text


def own_headers(lines: Sequence[str], environment: Mapping[str, str], flag: str = "--header") -> (
    tuple[Header, ...]
):  # fmt: skip
    """Headers of `NAME=VALUE`, with `{env:NAME}` filled in. Raises OperatorError.

    No sentence repeats a value.
    """
    headers: list[Header] = []
    for line in lines:
        name, equals, value = line.partition("=")
        name, value = name.strip(), value.strip(" \t")
        if not equals:
            raise OperatorError(
                f"{flag} takes NAME=VALUE, and the value given has no '=': write it that way."
            )
        if not _TOKEN.fullmatch(name):
            raise OperatorError(
                f"{flag}: the name before '=' is not a valid header name: correct it."
            )
        if name.lower() in _HOPS:
            raise OperatorError(f"{flag} {name}: this header belongs to the connection: remove it.")
        if name.lower() in {known.lower() for known, _ in headers}:
            raise OperatorError(f"{flag} {name} is given twice: give it once.")
        headers.append((name, _filled(name, value, environment, flag)))
    return tuple(headers)


def _filled(name: str, value: str, environment: Mapping[str, str], flag: str) -> str:
    if _OTHER_HOLE.search(_HOLE.sub("", value)):
        raise OperatorError(
            f"{flag} {name}: a value may hold {{task_id}}, {{run_id}} and {{env:NAME}}, and no "
            "other name in braces: correct it."
        )

    def fill(hole: re.Match[str]) -> str:
        if not hole[1].startswith("env:"):
            return hole[0]
        variable = hole[1].removeprefix("env:")
        text = environment.get(variable, "").strip()
        if not text:
            raise OperatorError(f"{flag} {name}: the variable {variable} is not set: set it.")
        return text

    filled = _HOLE.sub(fill, value)
    if not filled.strip():
        raise OperatorError(f"{flag} {name} has no value: give one, or remove it.")
    if not filled.isascii() or any(ord(c) < 32 and c != "\t" or ord(c) == 127 for c in filled):
        raise OperatorError(
            f"{flag} {name}: its value must be plain ASCII text on one line, as a header takes it."
        )
    return filled


_SDKS = {"OPENAI_ORG_ID": "OpenAI-Organization", "OPENAI_PROJECT_ID": "OpenAI-Project"}


def sdk_headers(environment: Mapping[str, str]) -> tuple[tuple[str, ...], tuple[Header, ...]]:
    """The names of the SDK's own variables that are set, and the headers they add to every request.

    Raises OperatorError for invalid headers.
    """
    names = tuple(name for name in (*_SDKS, "OPENAI_CUSTOM_HEADERS") if environment.get(name))
    headers = [f"{_SDKS[name]}={environment[name]}" for name in names if name in _SDKS]
    custom = environment.get("OPENAI_CUSTOM_HEADERS", "")
    for line in custom.split("\n"):
        name, colon, value = line.partition(":")
        if colon:
            headers.append(f"{name.strip()}={value.strip()}")
    literal: list[Header] = []
    for line in headers:  # the SDK's values have no placeholders
        name, _, value = line.partition("=")
        own_headers([f"{name}=x"], {}, "a header of the OPENAI_* variables,")
        if any(ord(c) < 32 or ord(c) > 126 for c in value):
            raise OperatorError(
                f"the OPENAI_* variable of header {name} is not plain ASCII text: set it again."
            )
        literal.append((name, value))
    return names, tuple(literal)


def joined(operators: Sequence[Header], sdks: Sequence[Header], auth: str) -> tuple[Header, ...]:
    """The operator's headers, then the SDK's that they do not override. Raises OperatorError for
    two keys.
    """
    key_header = {BEARER: "authorization", NONE: ""}.get(auth, auth.lower())
    for name, _ in operators:
        if name.lower() == key_header:
            raise OperatorError(
                f"--header {name} and the API key would use the same header: remove it, or give "
                "--auth none."
            )
    named = {name.lower() for name, _ in operators} | {key_header}
    return (*operators, *(header for header in sdks if header[0].lower() not in named))
