"""Weighbridge under Locust: its user class, its shape, and the handlers of Locust's events.

This is wiring only.
"""

from locust import events  # first, because importing Locust patches the standard library for gevent

# isort: split

import logging
import os
import socket
import sys
from pathlib import Path
from typing import Any

from locust.env import Environment
from locust.runners import WORKER_REPORT_INTERVAL, MasterRunner

from engine.control import Control, InFlight, refuse
from engine.controller import Command
from loadshapes.shapes import FixedRate
from recording.errors import OperatorError
from recording.untrusted_text import ShownWords
from settings.endpoint import load_environment
from settings.options import Options
from tasks.users import GatewayUser
from webui.page import Gateway, attach
from webui.prometheus import Metrics, serve
from webui.start import Desk

__all__ = ["FixedRate", "GatewayUser"]  # what Locust looks for: one user class, one shape class
GatewayUser.set_up = True

log = logging.getLogger("weighbridge")
log.addFilter(ShownWords())
logging.getLogger("httpx2").setLevel(logging.WARNING)


def own_port(arguments: list[str]) -> None:
    """Gives the processes of `--processes` a free port to communicate on.

    On Locust's fixed port, the workers of two runs on one machine would join each other's master.
    """
    given = {argument.partition("=")[0] for argument in arguments}
    others = {"--master", "--worker", "--master-port", "--master-bind-port"}
    variables = {"LOCUST_MASTER_BIND_PORT", "LOCUST_MODE_MASTER", "LOCUST_MODE_WORKER"}
    forks = "--processes" in given or "LOCUST_PROCESSES" in os.environ
    if not forks or given & others or variables & set(os.environ):
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    os.environ["LOCUST_MASTER_BIND_PORT"] = os.environ["LOCUST_MASTER_NODE_PORT"] = port


def on_the_web(
    environment: Environment, web_ui: Any, command: Command, in_flight: InFlight
) -> None:
    """Adds our part to the web UI. Raises OperatorError."""
    options = Options.of(environment.parsed_options)
    if options.resume:
        raise OperatorError(
            "--resume needs --headless: a resumed run keeps its own options, so the web UI's form "
            "could not set any."
        )
    if web_ui.userclass_picker_is_active:
        log.warning("--class-picker is ignored: there is one user class, and --mode chooses")
        web_ui.userclass_picker_is_active = False
    environment.host = where = command.gateway()
    distributed = isinstance(environment.runner, MasterRunner)
    behind_s = WORKER_REPORT_INTERVAL if distributed else 0.0
    gateway = Gateway(command, in_flight, options.lang, behind_s)
    command.opened.append(gateway.watch)
    attach(environment, web_ui, gateway, Desk(environment, command, where))


def in_prometheus(
    environment: Environment, web_ui: Any, command: Command, in_flight: InFlight
) -> None:
    """Serves the metrics of the current run. Raises OperatorError."""
    options = Options.of(environment.parsed_options)
    metrics = Metrics(in_flight)
    serve(metrics, options.metrics_host, options.metrics_port)
    command.opened.append(metrics.watch)


own_port(sys.argv[1:])
try:
    load_environment(Path(".env"))
except OperatorError as mistake:
    refuse(mistake)

Control(on_the_web, in_prometheus).listen(events)

if __name__ == "__main__":
    refuse(OperatorError("this file is for Locust: run weighbridge, or locust -f locustfile.py."))
