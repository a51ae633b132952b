"""Checks the start form: our versions of Locust's `/swarm` and `/stop`.

Locust itself accepts any value, changes the options of a running test, and answers HTTP 500 to an
empty number. Here a start is read and checked as a whole first; a mistake is reported in one
sentence, and nothing is sent. The options reach Locust only through the prepared run.
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
from recording.chinese import in_language
from recording.errors import MissingOption, OperatorError
from recording.untrusted_text import printable
from settings.access import NONE
from settings.gateways import Table
from settings.money import table
from settings.option import flag, foreign
from settings.options import Options
from settings.reference import SIMULATOR
from webui import form as fields_of
from webui.fields import with_labels
from webui.form import Ramp, number, run_time_s

ELSEWHERE = "Give it on the command line that starts this server."
END_WAIT_S = 60.0  # for the end of the previous run: its drain and its report
View = Callable[[], Any]


class Commander(Protocol):
    """The node that commands runs (locustfile.Command)."""

    session: Session | None

    def prepare(self) -> None:
        """Plans the run that `environment.parsed_options` describes. Raises OperatorError."""
        ...


class Desk:
    """Starts runs, one at a time, each based on the options that the server was given."""

    def __init__(self, environment: Environment, command: Commander, gateway: str | None) -> None:
        """`gateway`: where the server must send; None if the form decides."""
        self._environment = environment
        self._command = command
        self._server_options = Options.of(environment.parsed_options)
        self.gateway = gateway
        self._lock = BoundedSemaphore()
        self._stopping = False
        self._asked_about = ""  # the excessive plan that the operator was last asked to confirm

    def guard(self, start: View, stop: View) -> tuple[View, View]:
        """Replaces Locust's two views by ones that check first."""

        def swarm() -> Any:
            with self._lock:
                try:
                    locust_form = self._ask(request.form.to_dict())
                except OperatorError as error:
                    return self._refuse(error)
                request.form = ImmutableMultiDict(locust_form)  # ours are set already
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

    def _refuse(self, error: OperatorError) -> Response:
        message = self._sentence(error)
        return jsonify({"success": False, "message": message, "host": self._environment.host})

    def _sentence(self, error: OperatorError) -> str:
        """A refusal as shown: it names fields, and for an option without one it says where to set
        it.
        """
        why = error.why if isinstance(error, MissingOption) else f"{error}"
        missing = re.match(r"--([a-z-]+) is missing", why)
        names = {flag(item.name) for item in fields(Options) if not item.metadata["web"]}
        elsewhere = [ELSEWHERE] if missing and f"--{missing[1]}" in names else []
        if Options.of(self._environment.parsed_options).lang == "zh":
            sentence = "".join(in_language(one, "zh") for one in [why, *elsewhere])
            return printable(with_labels(sentence, "zh"))
        sentence = why if why.startswith("--") else why[:1].upper() + why[1:]
        return printable(with_labels(" ".join([sentence, *elsewhere]), "en"))

    def _ask(self, form: Mapping[str, str]) -> dict[str, str]:
        """Prepares a new run, or a change of the current one; returns the fields for Locust."""
        self._await_the_end()
        session = self._command.session
        return self._open(form) if session is None else self._change(form, session)

    def _await_the_end(self) -> None:
        """Waits for the report, which is still being written when Locust says `stopped`."""
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
        requested, locust_fields = self._read(form)
        host = self._host(form.get("host", ""))
        before = self._environment.host
        for item in fields(Options):
            setattr(self._environment.parsed_options, item.name, getattr(requested, item.name))
        self._environment.host = host
        try:
            self._have_excess_confirmed(requested, form)
            self._command.prepare()
        except OperatorError:
            self._environment.host = before
            raise
        return locust_fields

    def _read(self, form: Mapping[str, str]) -> tuple[Options, dict[str, str]]:
        """The options in a form, and the fields that Locust is to read."""
        requested = fields_of.options(form, self._server_options, self.references())
        locust_fields: dict[str, str] = {}
        if requested.mode == "interactive":
            ramp = Ramp.of(form)
            check_users(ramp.users, requested.max_workers)
            locust_fields = {"user_count": str(ramp.users), "spawn_rate": str(ramp.rate)}
            seconds = run_time_s(form)
            locust_fields["run_time"] = "" if seconds is None else str(seconds)
        elif run_time_s(form) is not None:
            raise OperatorError(
                f"a run time is for mode interactive only: mode {requested.mode or '(none)'} ends "
                "by its plan, so leave the run time empty."
            )
        return requested, locust_fields

    def asked_last(self) -> Options:
        """The options of the last run; before the first run, those of the server."""
        return Options.of(self._environment.parsed_options)

    def results(self) -> Path:
        """The folder of the run folders."""
        return Path(self._server_options.results).resolve()

    def references(self) -> list[str]:
        """The choices for `--against`: the names that this server's operator configured."""
        addresses = {SIMULATOR, self._server_options.against} - {""}
        return sorted(addresses | {*Table(os.environ).names()})

    def outlook(self, form: Mapping[str, str], lang: str) -> dict[str, Any]:
        """The most that a start with this form would use, or the sentence that refuses it."""
        try:
            requested, _ = self._read(form)
            self._host(form.get("host", ""))
            if unused := list(foreign(requested)):
                raise OperatorError(" ".join(unused))
            plan = modes.plan(replace(requested, task_id_prefix="x"))
            check_judgeable(plan, requested)
        except OperatorError as error:
            return {"success": False, "message": self._sentence(error)}
        estimate = estimate_said(plan, requested, table(requested, None))
        return {"success": True, "message": printable(estimate.zh if lang == "zh" else estimate.en)}

    def _have_excess_confirmed(self, requested: Options, form: Mapping[str, str]) -> None:
        """Refuses an excessively large plan the first time. Raises OperatorError.

        The second press of Start confirms it. `prepare` refuses a plan that cannot be made.
        """
        try:
            plan = modes.plan(replace(requested, task_id_prefix="x"))
        except OperatorError:
            return
        excess, key = plan.excess(), repr(requested)
        if not excess or self._asked_about == key:
            self._asked_about = ""
            return
        self._asked_about = key
        raise OperatorError(
            f"this is {excess}: {estimate(plan, requested)}; nothing was sent, so press Start once "
            "more if that is what you mean."
        )

    def _host(self, text: str) -> str | None:
        """The gateway to send to. The key is sent there, so a visitor may not choose another.

        If the server has none, a visitor may name one with its own key, or any if nothing secret
        is sent with the requests.
        """
        text = text.strip().rstrip("/")
        if self.gateway is None and text and self._would_reveal_a_secret(text):
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

    def _would_reveal_a_secret(self, host: str) -> bool:
        """Whether a request to a host would reveal a secret that is not meant for it."""
        options = self._server_options
        silent = options.auth.strip().lower() == NONE and not (
            options.header or options.client_cert
        )
        return not silent and not Table(os.environ).at_home(host, options.gateway)

    def _change(self, form: Mapping[str, str], session: Session) -> dict[str, str]:
        """Changes the users of an interactive run; nothing else can be changed during a run."""
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
        requested = fields_of.options(form, self._server_options, self.references())
        for name in form:
            old: Any = getattr(session.options, name, None)
            new: Any = getattr(requested, name, None)
            if new != old and new != getattr(self._server_options, name, None):
                raise OperatorError(
                    "a run is in progress: only the number of users and the ramp up can be "
                    f"changed, not --{name.replace('_', '-')}."
                )
        return {"user_count": str(ramp.users), "spawn_rate": str(ramp.rate)}
