"""Which gateway a run is sent to, and which key goes there: a table, decided before anything. Pure.

A gateway is a pair of variables, its base URL and its key: NONELINEAR_OPENAI_BASE_URL and
NONELINEAR_API_KEY, OPENAI_BASE_URL and OPENAI_API_KEY, or NAME_BASE_URL and NAME_API_KEY of
`--gateway NAME`. A key is sent to the base URL it was configured with, and nowhere else; one that
was configured with none goes where `-H` says, as long as it is the only one.
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
    """A gateway and where it is from: `source` of the URL, `key_name` the variable of its key.

    `key_name` is empty where no key is wanted. `why`: what else was configured, and lost.
    """

    base_url: str
    source: str
    key_name: str
    why: str = ""

    @property
    def openai(self) -> bool:
        """Whether it is the gateway that the SDK's own variables (OPENAI_ORG_ID ...) are for."""
        return self.key_name == "OPENAI_API_KEY" or self.source.startswith("OPENAI_BASE_URL")


ARTICLES = Pair("nonelinear", "NONELINEAR_OPENAI_BASE_URL", "NONELINEAR_API_KEY")
OPENAI = Pair("openai", "OPENAI_BASE_URL", "OPENAI_API_KEY")
PAIRS = (ARTICLES, OPENAI)


def named(name: str) -> Pair:
    """The variables of `--gateway NAME`. Raises OperatorError for a name no variable can have."""
    stem = re.sub(r"[-. ]", "_", name.strip()).upper()
    if not re.fullmatch(r"[A-Z_][A-Z0-9_]*", stem):
        raise OperatorError(
            f"--gateway {name!r} is no name: use letters, digits and '-', so that NAME_BASE_URL "
            "and NAME_API_KEY can be set."
        )
    known = next((pair for pair in PAIRS if pair.name == stem.lower()), None)
    return known or Pair(name.strip(), f"{stem}_BASE_URL", f"{stem}_API_KEY")


class Table:
    """What is configured: the environment, and which of it came from `.env`."""

    def __init__(self, environment: Mapping[str, str], from_file: Collection[str] = ()) -> None:
        self._environment = environment
        self._from_file = from_file

    def of(self, name: str) -> str:
        """The value of a variable, without the space around it."""
        return self._environment.get(name, "").strip()

    def told(self, name: str) -> str:
        """A variable's name, and that it is from `.env` where it is."""
        return f"{name} in {_DOTENV}" if name in self._from_file else name

    def at_home(self, host: str, gateway: str = "") -> bool:
        """Whether a base URL is one that was configured, so that its key may go there."""
        pairs = (*PAIRS, named(gateway)) if gateway else PAIRS
        return any(self.of(pair.url) and same(self.of(pair.url), host) for pair in pairs)

    def choose(self, host: str | None, gateway: str = "", *, keyless: bool = False,
               prefer: str = "") -> Choice:  # fmt: skip
        """The gateway of `-H`, of `--gateway`, or of the environment, with the key that is its own.

        `keyless`: no key of the environment is sent, so none can go astray. `prefer`: the variable
        that another process of this run took the key from. Raises OperatorError.
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
        own = self.of(pair.url)
        if not own and not host:
            raise OperatorError(
                f"--gateway {pair.name} has no base URL: set {pair.url} in the environment or "
                f"{_DOTENV}."
            )
        if own and host and not same(own, host):
            raise OperatorError(
                f"--gateway {pair.name} is {_bare(own)} ({self.told(pair.url)}), and -H says "
                f"{_bare(host)}: leave one of them away."
            )
        source = self.told(pair.url) if own else f"-H, --gateway {pair.name}"
        return Choice(own or host, source, self._key(pair, keyless))

    def _of_host(self, host: str, keyless: bool, prefer: str) -> Choice:
        if keyless:
            return Choice(host, "-H", "")
        at_home = [pair for pair in PAIRS if self.of(pair.url) and same(self.of(pair.url), host)]
        with_key = [pair for pair in at_home if self.of(pair.key)]
        if len({self.of(pair.key) for pair in with_key}) > 1:
            names = " and ".join(pair.name for pair in with_key)
            raise OperatorError(
                f"{_bare(host)} is configured twice, with two keys: say which with --gateway "
                f"({names})."
            )
        if at_home:
            pair = (with_key or at_home)[0]
            return Choice(host, f"-H, as {self.told(pair.url)}", self._key(pair, keyless))
        having = [pair for pair in PAIRS if self.of(pair.key)]
        preferred = [pair for pair in having if pair.key == prefer and not self.of(pair.url)]
        if preferred:
            having = preferred
        if not having:
            raise OperatorError(
                f"no API key: set {' or '.join(pair.key for pair in PAIRS)} in the environment or "
                f"{_DOTENV} (--auth none for a gateway that wants none)."
            )
        if len(having) > 1:
            keys = " and ".join(self.told(pair.key) for pair in having)
            raise OperatorError(
                f"{keys} are both set, and -H {_bare(host)} is the base URL of neither: a key goes "
                f"to its own gateway only. {_HOW}"
            )
        pair = having[0]
        if own := self.of(pair.url):
            raise OperatorError(
                f"the only key is {self.told(pair.key)}, which belongs to {_bare(own)} "
                f"({self.told(pair.url)}), and -H says {_bare(host)}: a key goes to its own "
                f"gateway only. {_HOW}"
            )
        return Choice(host, "-H", pair.key)

    def _configured(self, keyless: bool) -> Choice:
        found = [pair for pair in PAIRS if self.of(pair.url)]
        if not found:
            raise OperatorError(
                "no gateway is named: give -H https://host/v1, or set NONELINEAR_OPENAI_BASE_URL "
                f"or OPENAI_BASE_URL in the environment or {_DOTENV}, or use --simulator."
            )
        ready = [pair for pair in found if keyless or self.of(pair.key)]
        pair, why = (ready or found)[0], ""
        if len(ready) == 2 and not same(self.of(found[0].url), self.of(found[1].url)):
            other = found[1]
            both = f"{self._place(pair)} and {self._place(other)}"
            if (pair.url in self._from_file) != (other.url in self._from_file):
                raise OperatorError(
                    f"two gateways are configured, {both}: say which is meant with --gateway "
                    f"{pair.name} or --gateway {other.name} (or WEIGHBRIDGE_GATEWAY in {_DOTENV})."
                )
            why = (
                f"two gateways are configured, {both}: the first is taken, --gateway {other.name} "
                "takes the other"
            )
        elif len(ready) == 1 and len(found) == 2:
            lost = next(other for other in found if other is not pair)
            why = f"{self._place(lost)} is left out: {lost.key} is not set"
        return Choice(self.of(pair.url), self.told(pair.url), self._key(pair, keyless), why)

    def _place(self, pair: Pair) -> str:
        return f"{_bare(self.of(pair.url))} ({self.told(pair.url)})"

    def _key(self, pair: Pair, keyless: bool) -> str:
        if keyless:
            return ""
        if not self.of(pair.key):
            raise OperatorError(
                f"no API key: set {pair.key} in the environment or {_DOTENV} (--auth none for a "
                "gateway that wants none)."
            )
        return pair.key


_HOW = (
    "Name the gateway: set MINE_BASE_URL and MINE_API_KEY (any name), and give --gateway mine; or "
    "--auth none where it wants no key."
)


def _bare(url: str) -> str:
    """A base URL as a sentence shows it: a query may hold a secret."""
    try:
        return address(url).shown
    except OperatorError:
        return "(a base URL that cannot be used)"


_PLACEHOLDER = re.compile(
    r"<.*>|\[.*\]|.*\.\.\.|x{4,}|\*{4,}|\$\w+|\$\{\w+\}|(change|replace)[-_ ]?(me|this)?.*|todo|"
    r"(.*[-_ ])?your[-_ ]?((own|open ?ai|gateway)[-_ ]?)*(api[-_ ]?)?(key|token|secret)([-_ ]here)?"
    r"|(api[-_ ]?key|key|token)[-_ ]here",
    re.I,
)


def unusable(key: str, where: str) -> str:
    """Why a key can be none, a sentence; empty: it may be one. `where`: its variable."""
    if "$(" in key or "`" in key:
        return (
            f"{where} holds a command ($(...) or `...`), which no file runs: give it as "
            "--key-command, or let the shell run it."
        )
    if _PLACEHOLDER.fullmatch(key):
        return f"{where} holds a placeholder, not a key: fill it in."
    if not key.isascii() or not key.isprintable():
        return f"the API key in {where} is not plain ASCII text: set it again."
    return ""
