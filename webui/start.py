"""The start form's guard: what Locust's `/swarm` and `/stop` do here.

Locust itself takes any value, changes the options of a running test, and answers HTTP 500 to an
empty number. Here a start is read and checked as a whole first; what is wrong is said in one
sentence, and nothing is sent. The options reach Locust only through the run that was prepared.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Protocol

import gevent
from flask import Response, jsonify, request
from gevent.lock import BoundedSemaphore
from locust.env import Environment
from locust.runners import STATE_INIT, STATE_STOPPED, MasterRunner
from werkzeug.datastructures import ImmutableMultiDict

from engine.estimate import estimate, estimate_said
from engine.session import Session
from loadshapes import modes
from loadshapes.judgeable import check_judgeable
from loadshapes.shapes import check_users
from recording.errors import OperatorError
from recording.untrusted_text import shown
from settings.access import NONE
from settings.gateways import Table
from settings.money import table
from settings.option import flag, foreign
from settings.options import Options
from settings.reference import SIMULATOR
from webui import form as fields_of
from webui.form import Ramp, number, run_time_s

END_WAIT_S = 60.0  # for the end of the run before: its drain and its report
View = Callable[[], Any]


class Commander(Protocol):
    """The node that commands runs (locustfile.Command)."""

    session: Session | None

    def prepare(self) -> None:
        """Plan the run that `environment.parsed_options` asks for. Raises OperatorError."""
        ...


class Desk:
    """Where runs are asked for: one at a time, each from the options the server was given."""

    def __init__(self, environment: Environment, command: Commander, gateway: str | None) -> None:
        """`gateway`: where the server was told to send; None: the form says."""
        self._environment = environment
        self._command = command
        self._given = Options.of(environment.parsed_options)
        self.gateway = gateway
        self._one = BoundedSemaphore()
        self._stopping = False
        self._meant = ""  # the plan that was asked about last

    def guard(self, start: View, stop: View) -> tuple[View, View]:
        """Locust's two views with the checks before them."""

        def swarm() -> Any:
            with self._one:
                try:
                    left = self._ask(request.form.to_dict())
                except OperatorError as error:
                    return self._refuse(f"{error}")
                request.form = ImmutableMultiDict(left)  # ours are set already
                return start()

        def end() -> Any:
            if self._stopping:
                return jsonify({"success": True, "message": "The test is being stopped"})
            self._stopping = True
            try:
                return stop()
            finally:
                self._stopping = False

        return swarm, end

    def _refuse(self, why: str) -> Response:
        message = self._sentence(why)
        return jsonify({"success": False, "message": message, "host": self._environment.host})

    def _sentence(self, why: str) -> str:
        """A refusal as it is shown; what the form has no field for is said to be elsewhere."""
        sentence = why[:1].upper() + why[1:] if not why.startswith("--") else why
        missing = re.match(r"--([a-z-]+) is missing", sentence)
        names = {flag(item.name) for item in fields(Options) if not item.metadata["web"]}
        if missing and f"--{missing[1]}" in names:
            sentence += " Give it on the command line that starts this server."
        return shown(sentence)

    def _ask(self, form: Mapping[str, str]) -> dict[str, str]:
        """Prepare a new run, or a change of the running one; the fields that Locust is to read."""
        self._await_the_end()
        session = self._command.session
        return self._open(form) if session is None else self._change(form, session)

    def _await_the_end(self) -> None:
        """Locust says `stopped` while the report is still being written: wait for that."""
        runner: Any = self._environment.runner
        with gevent.Timeout(END_WAIT_S, False):
            while self._stopping or (
                self._command.session is None and runner.shape_greenlet is not None
            ):
                gevent.sleep(0.05)

    def _open(self, form: Mapping[str, str]) -> dict[str, str]:
        runner: Any = self._environment.runner
        if runner.state not in (STATE_INIT, STATE_STOPPED):
            raise OperatorError("the last run is still being stopped: try again in a moment.")
        if isinstance(runner, MasterRunner) and runner.worker_count == 0:
            raise OperatorError(
                "no worker is connected: start one with locust --worker, then try again."
            )
        asked, own = self._read(form)
        host = self._host(form.get("host", ""))
        before = self._environment.host
        for item in fields(Options):
            setattr(self._environment.parsed_options, item.name, getattr(asked, item.name))
        self._environment.host = host
        try:
            self._see_that_it_is_meant(asked, form)
            self._command.prepare()
        except OperatorError:
            self._environment.host = before
            raise
        return own

    def _read(self, form: Mapping[str, str]) -> tuple[Options, dict[str, str]]:
        """The options that a form asks for, and the fields that are Locust's to read."""
        asked = fields_of.options(form, self._given, self.references())
        own: dict[str, str] = {}
        if asked.mode == "interactive":
            ramp = Ramp.of(form)
            check_users(ramp.users, asked.max_workers)
            own = {"user_count": str(ramp.users), "spawn_rate": str(ramp.rate)}
            seconds = run_time_s(form)
            own["run_time"] = "" if seconds is None else str(seconds)
        elif run_time_s(form) is not None:
            raise OperatorError(
                f"a run time is for mode interactive only: mode {asked.mode or '(none)'} ends by "
                "its plan, so leave the run time empty."
            )
        return asked, own

    def asked_last(self) -> Options:
        """The options of the run that was asked for last; before that, those of the server."""
        return Options.of(self._environment.parsed_options)

    def results(self) -> Path:
        """The folder of the run folders."""
        return Path(self._given.results).resolve()

    def references(self) -> list[str]:
        """What may be chosen for `--against`: what this server's operator configured, by name."""
        found = {SIMULATOR, self._given.against} - {""}
        return sorted(found | {*Table(os.environ).names()})

    def outlook(self, form: Mapping[str, str], lang: str) -> dict[str, Any]:
        """What a start with this form would use at the most, or the sentence that refuses it."""
        try:
            asked, _ = self._read(form)
            self._host(form.get("host", ""))
            if found := list(foreign(asked)):
                raise OperatorError(" ".join(found))
            plan = modes.plan(replace(asked, task_id_prefix="x"))
            check_judgeable(plan, asked)
        except OperatorError as error:
            return {"success": False, "message": self._sentence(f"{error}")}
        told = estimate_said(plan, asked, table(asked, None))
        return {"success": True, "message": shown(told.zh if lang == "zh" else told.en)}

    def _see_that_it_is_meant(self, asked: Options, form: Mapping[str, str]) -> None:
        """Have a plan beyond most machines and wallets started twice: OperatorError the first time.

        A plan that cannot be made is for `prepare` to refuse.
        """
        try:
            plan = modes.plan(replace(asked, task_id_prefix="x"))
        except OperatorError:
            return
        excess, key = plan.excess(), repr(asked)
        if not excess or self._meant == key:
            self._meant = ""
            return
        self._meant = key
        raise OperatorError(
            f"this is {excess}: {estimate(plan, asked)}; nothing was sent, so press Start once "
            "more if that is what you mean."
        )

    def _host(self, text: str) -> str | None:
        """The gateway to send to. The key goes with it, so a visitor may not choose another.

        Where none was named, a visitor may name one that has a key of its own, or any if nothing
        secret goes with the requests.
        """
        text = text.strip().rstrip("/")
        if self.gateway is None and text and self._would_tell(text):
            raise OperatorError(
                f"no key of this server belongs to {text[:200]}, and a key is not sent to a host "
                "that was typed in: start Locust with -H, or set the base URL beside its key "
                "(OPENAI_BASE_URL, OPENAI_API_KEY)."
            )
        if self.gateway is None or text in ("", self.gateway.rstrip("/")):
            return self.gateway or text or None
        raise OperatorError(
            f"this server sends to {self.gateway} only, because the API key goes with every "
            "request: start Locust with another -H to load another gateway."
        )

    def _would_tell(self, host: str) -> bool:
        """Whether a request to a host would tell it what is not meant for it."""
        given = self._given
        silent = given.auth.strip().lower() == NONE and not (given.header or given.client_cert)
        return not silent and not Table(os.environ).at_home(host, given.gateway)

    def _change(self, form: Mapping[str, str], session: Session) -> dict[str, str]:
        """The users of an interactive run may be changed; nothing else, and in no other mode."""
        if not session.plan.endless:
            raise OperatorError(
                f"a run is in progress ({session.options.run_id}), and mode "
                f"{session.options.mode} keeps to its plan: stop it first."
            )
        users = number("the number of users", form.get("user_count", ""), int)
        if users == 0:
            raise OperatorError("the number of users must be at least 1: use Stop to end the run.")
        ramp = Ramp.of(form)
        check_users(ramp.users, session.options.max_workers)
        asked = fields_of.options(form, self._given, self.references())
        for name in form:
            old: Any = getattr(session.options, name, None)
            new: Any = getattr(asked, name, None)
            if new != old and new != getattr(self._given, name, None):
                raise OperatorError(
                    "a run is in progress: only the number of users and the ramp up can be "
                    f"changed, not --{name.replace('_', '-')}."
                )
        return {"user_count": str(ramp.users), "spawn_rate": str(ramp.rate)}
