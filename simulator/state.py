"""What all requests of a gateway share: keys, models, limits, caches, traffic, random numbers."""

import time
from dataclasses import replace
from hashlib import blake2b
from random import Random

from simulator import errors, latency
from simulator.answer import Answer
from simulator.cache import PromptCache
from simulator.chat_request import ChatRequest
from simulator.dialects import Stamp
from simulator.earlier_replies import EarlierReplies
from simulator.endpoints import Conversations
from simulator.errors import Error
from simulator.latency import Pressure, Traffic
from simulator.limits import Limits
from simulator.profile import Model
from simulator.settings import Settings
from simulator.wire import Exchange, Headers

_REMEMBERED_PROMPTS = 200_000
_REMEMBERED_MODELS = 1000


class State:
    """One port's state across requests; `beside` is the first port's, `place` its number from 0."""

    def __init__(self, settings: Settings, beside: "State | None" = None, place: int = 0) -> None:
        self.settings = settings
        self.place = place
        self.dialect = settings.dialect
        self.started = time.monotonic()
        self.cache = PromptCache()
        self.earlier = EarlierReplies()
        self.conversations: Conversations = {}
        self.embedded_texts: set[str] = set()  # where embeddings of the same text may differ
        self.broken_off: Answer | None = None  # the last stream that a client broke off
        self.limits = Limits(
            settings.rpm_limit,
            settings.tpm_limit,
            time.time if settings.limit_kind == "fixed" else time.monotonic,
            settings.retry_lie,
            settings.limit_kind,
        )
        if beside is not None:
            self._share(beside)
        self._traffic: dict[str, Traffic] = {}
        self._times_seen: dict[bytes, int] = {}
        self._models: dict[str, Model] = {}
        self._dice = Random()
        self._salt = int.from_bytes(blake2b(str(settings.seed).encode()).digest())
        # Ids differ between seeds, and are the same when a run is repeated.
        run = f"{settings.seed}\n{place}" if place else str(settings.seed)
        self._run = blake2b(run.encode(), digest_size=4).hexdigest()

    def _share(self, beside: "State") -> None:
        self.started = beside.started
        if self.settings.profile.ports.share_cache:
            self.cache, self.earlier = beside.cache, beside.earlier
        if self.settings.profile.ports.share_limits:
            self.limits = beside.limits

    def limited_as(self, exchange: Exchange) -> str:
        """The bucket that a request takes from: its key's, or the common one."""
        if self.settings.profile.ports.share_limits:
            return ""
        return exchange.header(self.dialect.key_header) or ""

    def stamp(self, number: int = 0, prefix: str | None = None) -> Stamp:
        """The id and the time of request `number`; its model is not set yet."""
        prefix = self.dialect.id_prefix if prefix is None else prefix
        return Stamp(f"{prefix}{self._run}{number:016x}", int(time.time()), "")

    def check_key(self, exchange: Exchange) -> Error | None:
        """The error for a missing or wrong key; None for a good one."""
        scheme, key = "bearer", exchange.header(self.dialect.key_header) or ""
        if self.dialect.key_header == b"authorization":
            scheme, _, key = key.partition(" ")
        if scheme.lower() != "bearer" or not key.strip():
            return errors.NO_KEY
        if self.settings.key is not None and key.strip() != self.settings.key:
            return self._wrong_key(self.settings.features.get("error.key"))
        return None

    def _wrong_key(self, state: str | None) -> Error | None:
        if state == "ignored":
            return None
        if state == "broken":
            return errors.BROKEN
        status = 403 if state == "wrong" else self.dialect.wrong_key_status
        error = errors.WRONG_KEY
        return Error(status, error.message, error.kind, error.param, error.code)

    async def refuse(
        self, exchange: Exchange, stamp: Stamp, error: Error, limits: Headers | None = None
    ) -> None:
        """Sends an error in the gateway's dialect. Raises ClientGone."""
        await errors.refuse(exchange, self.dialect, stamp, error, limits or [])

    def model(self, name: str) -> Model | None:
        """The served model of that name; those created for `any_model` are kept."""
        model = self._models.get(name) or self.settings.profile.model(name)
        if model is None and self.settings.features.get("error.model") == "wrong":
            model = replace(self.settings.profile.default, name=name)
        if model is not None and len(self._models) < _REMEMBERED_MODELS:
            self._models[name] = model
        return model

    def dice(self, request: ChatRequest) -> Random:
        """Random numbers that depend on the seed, the prompt, the task_id and how often the last
        two came together, but not on the order in which different requests arrive."""
        text = f"{request.task_id}\n{request.prompt_sha256}"
        digest = blake2b(text.encode("utf-8", "backslashreplace"), digest_size=8).digest()
        self._times_seen[digest] = times = self._times_seen.get(digest, 0) + 1
        if len(self._times_seen) > _REMEMBERED_PROMPTS:
            del self._times_seen[next(iter(self._times_seen))]
        number = int.from_bytes(digest) + times
        # Reseeding one generator is cheaper than a new one; nobody keeps it across an await.
        self._dice.seed(number ^ self._salt)
        return self._dice

    def pressure(self, model: Model) -> Pressure:
        """The model's traffic, this request included."""
        if not latency.needs_pressure(model.latency):
            return Pressure()
        return self._traffic.setdefault(model.name, Traffic()).arrive(time.monotonic())
