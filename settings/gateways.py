"""Decides which gateway a run uses and which key goes there, before anything is sent. Pure.

A gateway is a pair of variables, its base URL and its key: NONELINEAR_OPENAI_BASE_URL and
NONELINEAR_API_KEY, OPENAI_BASE_URL and OPENAI_API_KEY, or NAME_BASE_URL and NAME_API_KEY of
`--gateway NAME`. A key is sent only to the base URL it was configured with; a key configured
without one goes where `-H` says, as long as it is the only key.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from recording.errors import OperatorError
from settings.address import address, same

_DOTENV = ".env"


@dataclass(frozen=True, slots=True)
class Pair:
    """The two variables of one gateway."""

    name: str
    url: str
    key: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A gateway and its origin: `source` of the URL, `key_name` the variable of its key.

    `key_name` is empty if no key is needed. `why`: what else was configured and not chosen.
    """

    base_url: str
    source: str
    key_name: str
    why: str = ""

    @property
    def openai(self) -> bool:
        """Whether the SDK's own variables (OPENAI_ORG_ID ...) are for this gateway."""
        return self.key_name == "OPENAI_API_KEY" or self.source.startswith("OPENAI_BASE_URL")


ARTICLES = Pair("nonelinear", "NONELINEAR_OPENAI_BASE_URL", "NONELINEAR_API_KEY")
OPENAI = Pair("openai", "OPENAI_BASE_URL", "OPENAI_API_KEY")
PAIRS = (ARTICLES, OPENAI)


def named(name: str) -> Pair:
    """The variables of `--gateway NAME`. Raises OperatorError for a name that cannot be in a
    variable.
    """
    stem = re.sub(r"[-. ]", "_", name.strip()).upper()
    if not re.fullmatch(r"[A-Z_][A-Z0-9_]*", stem):
        raise OperatorError(
            f"--gateway {name!r} is not a usable name: use letters, digits and '-', so that "
            "NAME_BASE_URL and NAME_API_KEY can be set."
        )
    known = next((pair for pair in PAIRS if pair.name == stem.lower()), None)
    return known or Pair(name.strip(), f"{stem}_BASE_URL", f"{stem}_API_KEY")


class Table:
    """The configuration: the environment, and which variables came from `.env`."""

    def __init__(self, environment: Mapping[str, str], from_file: Collection[str] = ()) -> None:
        self._environment = environment
        self._from_file = from_file

    def of(self, name: str) -> str:
        """The value of a variable, stripped."""
        return self._environment.get(name, "").strip()

    def with_source(self, name: str) -> str:
        """A variable's name, with a note if it is from `.env`."""
        return f"{name} in {_DOTENV}" if name in self._from_file else name

    def names(self) -> list[str]:
        """The gateways that are configured as a pair, a base URL and a key, by their names."""
        ending = "_BASE_URL"
        stems = [
            key.removesuffix(ending).lower() for key in self._environment if key.endswith(ending)
        ]
        pairs = [
            *PAIRS,
            *(named(stem) for stem in stems if re.fullmatch(r"[a-z_][a-z0-9_]*", stem)),
        ]
        names = {pair.name for pair in pairs if self.of(pair.url) and self.of(pair.key)}
        return sorted(names)

    def at_home(self, host: str, gateway: str = "") -> bool:
        """Whether a base URL was configured, so that its key may go there."""
        pairs = (*PAIRS, named(gateway)) if gateway else PAIRS
        return any(self.of(pair.url) and same(self.of(pair.url), host) for pair in pairs)

    def choose(self, host: str | None, gateway: str = "", *, keyless: bool = False,
               prefer: str = "") -> Choice:  # fmt: skip
        """The gateway from `-H`, `--gateway` or the environment, with its own key.

        `keyless`: no key of the environment is sent, so none can reach a wrong gateway. `prefer`:
        the variable from which another process of this run took its key. Raises OperatorError.
        """
        text = (host or "").strip()
        if text:
            address(text)
        if gateway:
            return self._of_name(text, named(gateway), keyless)
        if text:
            return self._of_host(text, keyless, prefer)
        return self._configured(keyless)

    def _of_name(self, host: str, pair: Pair, keyless: bool) -> Choice:
        own_url = self.of(pair.url)
        if not own_url and not host:
            raise OperatorError(
                f"--gateway {pair.name} has no base URL: set {pair.url} in the environment or "
                f"{_DOTENV}."
            )
        if own_url and host and not same(own_url, host):
            raise OperatorError(
                f"--gateway {pair.name} is {_without_query(own_url)} "
                f"({self.with_source(pair.url)}), and -H "
                f"says {_without_query(host)}: remove one of them."
            )
        source = self.with_source(pair.url) if own_url else f"-H, --gateway {pair.name}"
        return Choice(own_url or host, source, self._key(pair, keyless))

    def _of_host(self, host: str, keyless: bool, prefer: str) -> Choice:
        if keyless:
            return Choice(host, "-H", "")
        at_home = [pair for pair in PAIRS if self.of(pair.url) and same(self.of(pair.url), host)]
        with_key = [pair for pair in at_home if self.of(pair.key)]
        if len({self.of(pair.key) for pair in with_key}) > 1:
            names = " and ".join(pair.name for pair in with_key)
            raise OperatorError(
                f"{_without_query(host)} is configured twice, with two keys: choose one with "
                f"--gateway ({names})."
            )
        if at_home:
            pair = (with_key or at_home)[0]
            return Choice(host, f"-H, as {self.with_source(pair.url)}", self._key(pair, keyless))
        having = [pair for pair in PAIRS if self.of(pair.key)]
        preferred = [pair for pair in having if pair.key == prefer and not self.of(pair.url)]
        if preferred:
            having = preferred
        if not having:
            raise OperatorError(
                f"no API key: set {' or '.join(pair.key for pair in PAIRS)} in the environment or "
                f"{_DOTENV} (--auth none for a gateway without a key)."
            )
        if len(having) > 1:
            keys = " and ".join(self.with_source(pair.key) for pair in having)
            raise OperatorError(
                f"{keys} are both set, and -H {_without_query(host)} is the base URL of neither: a "
                f"key is sent only to its own gateway. {_HOW}"
            )
        pair = having[0]
        if own_url := self.of(pair.url):
            raise OperatorError(
                f"the only key is {self.with_source(pair.key)}, which belongs to "
                f"{_without_query(own_url)} "
                f"({self.with_source(pair.url)}), and -H says {_without_query(host)}: a key is "
                f"sent only to its own gateway. {_HOW}"
            )
        return Choice(host, "-H", pair.key)

    def _configured(self, keyless: bool) -> Choice:
        configured = [pair for pair in PAIRS if self.of(pair.url)]
        if not configured:
            raise OperatorError(
                "no gateway is named: give -H https://host/v1, or set OPENAI_BASE_URL in the "
                f"environment or {_DOTENV}, or use --simulator."
            )
        ready = [pair for pair in configured if keyless or self.of(pair.key)]
        pair, why = (ready or configured)[0], ""
        if len(ready) == 2 and not same(self.of(configured[0].url), self.of(configured[1].url)):
            other = configured[1]
            both = f"{self._place(pair)} and {self._place(other)}"
            if (pair.url in self._from_file) != (other.url in self._from_file):
                raise OperatorError(
                    f"two gateways are configured, {both}: choose one with --gateway "
                    f"{pair.name} or --gateway {other.name} (or WEIGHBRIDGE_GATEWAY in {_DOTENV})."
                )
            why = (
                f"two gateways are configured, {both}: the first is taken, --gateway {other.name} "
                "takes the other"
            )
        elif len(ready) == 1 and len(configured) == 2:
            lost = next(other for other in configured if other is not pair)
            why = f"{self._place(lost)} is ignored: {lost.key} is not set"
        return Choice(self.of(pair.url), self.with_source(pair.url), self._key(pair, keyless), why)

    def _place(self, pair: Pair) -> str:
        return f"{_without_query(self.of(pair.url))} ({self.with_source(pair.url)})"

    def _key(self, pair: Pair, keyless: bool) -> str:
        if keyless:
            return ""
        if not self.of(pair.key):
            raise OperatorError(
                f"no API key: set {pair.key} in the environment or {_DOTENV} (--auth none for a "
                "gateway without a key)."
            )
        return pair.key


_HOW = (
    "Name the gateway: set MINE_BASE_URL and MINE_API_KEY (any name), and give --gateway mine; or "
    "--auth none if it needs no key."
)


def _without_query(url: str) -> str:
    """A base URL for a message, without its query, which may hold a secret."""
    try:
        return address(url).masked_url
    except OperatorError:
        return "(a base URL that cannot be used)"


_PLACEHOLDER = re.compile(
    r"<.*>|\[.*\]|.*\.\.\.|x{4,}|\*{4,}|\$\w+|\$\{\w+\}|(change|replace)[-_ ]?(me|this)?.*|todo|"
    r"(.*[-_ ])?your[-_ ]?((own|open ?ai|gateway)[-_ ]?)*(api[-_ ]?)?(key|token|secret)([-_ ]here)?"
    r"|(api[-_ ]?key|key|token)[-_ ]here",
    re.I,
)


def unusable(key: str, where: str) -> str:
    """Why a key cannot be used, one sentence; empty: it may be valid. `where`: its variable."""
    if "$(" in key or "`" in key:
        return (
            f"{where} holds a command ($(...) or `...`), which is not run from a file: give it "
            "with --key-command, or let the shell run it."
        )
    if _PLACEHOLDER.fullmatch(key):
        return f"{where} holds a placeholder, not a key: fill it in."
    if not key.isascii() or not key.isprintable():
        return f"the API key in {where} is not plain ASCII text: set it again."
    return ""
