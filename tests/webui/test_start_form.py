"""The start form: what it shows, what it refuses, and that a refusal sends nothing."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from loadshapes.modes import MODES
from settings.options import Options
from tests.locust_run import CANARY
from tests.simulated import Simulator
from tests.webui.conftest import Serve
from tests.webui.server import FORM, WebServer


def shown(server: WebServer) -> dict[str, Any]:
    """The data that Locust's page draws."""
    page = server.open("/locust").read().decode()
    match = re.search(r"window.templateArgs = (.*)", page)
    assert match is not None
    content: dict[str, Any] = json.loads(match[1])
    return content


def test_the_form_shows_our_options_with_choices_defaults_and_help(server: WebServer) -> None:
    fields = shown(server)["extra_options"]
    assert list(fields)[0] == "mode"
    assert fields["mode"]["choices"] == ["", *MODES]
    assert fields["duration"]["default_value"] == 60.0
    assert fields["stream"]["default_value"] is False
    assert "longest wait" in fields["timeout"]["help_text"]


def test_the_form_leaves_users_and_spawn_rate_usable(server: WebServer) -> None:
    assert not shown(server)["hide_common_options"]


@pytest.mark.parametrize(
    "name",
    ["results", "output", "run_id", "prefix_file", "tools", "tools_expect", "image", "simulator",
     "simulator_profile", "simulator_args", "simulator_log", "dry_run"],
)  # fmt: skip
def test_options_that_name_files_or_start_programs_are_not_in_the_form_and_refused(
    server: WebServer, name: str
) -> None:
    assert name not in shown(server)["extra_options"]
    answer = server.swarm(mode="smoke", model="m", **{name: "/tmp/x"})
    assert not answer["success"]
    assert "cannot be set from the browser" in answer["message"]


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({}, "“Mode” is missing"),
        ({"mode": "rpn"}, "“Mode” rpn is unknown"),
        ({"mode": "rpm", "target": "60"}, "“Model” is missing: mode rpm needs the model to load."),
        ({"mode": "rpm", "model": "m"}, "“Target” is missing: mode rpm needs a target RPM."),
        ({"mode": "rpm", "model": "m", "target": "many"}, "takes whole numbers"),
        ({"mode": "rpm", "model": "m", "target": "60", "duration": ""}, "“Duration” is empty"),
        ({"mode": "rpm", "model": "m", "target": "60", "duration": "x"}, "takes a number"),
        ({"mode": "rpm", "model": "m", "target": "60", "duration": "inf"}, "takes a number"),
        ({"mode": "rpm", "model": "m", "target": "60", "duration": "-1"}, "must be above 0"),
        ({"mode": "smoke", "max_tokens": "1.5"}, "“Max tokens” takes a whole number"),
        ({"mode": "smoke", "stream": "yes"}, "“Stream” must be true or false"),
        ({"mode": "smoke", "connections": "lukewarm"}, "“Connections” lukewarm is unknown"),
        ({"mode": "smoke", "loglevel": "DEBUG"}, "'loglevel' is not a field"),
        ({"mode": "smoke", "run_time": "10s"}, "A run time is for mode interactive only"),
        ({"mode": "smoke", "host": "http://203.0.113.9/v1"}, "This server sends to http://127"),
        ({"mode": "interactive"}, "mode interactive needs the model to load"),
        ({"mode": "interactive", "model": "a,b"}, "one model at a time"),
        ({"mode": "interactive", "model": "m", "user_count": ""}, "number of users is empty"),
        ({"mode": "interactive", "model": "m", "user_count": "0"}, "must be at least 1"),
        ({"mode": "interactive", "model": "m", "spawn_rate": "0"}, "ramp up must be above 0"),
        ({"mode": "interactive", "model": "m", "run_time": "soon"}, "Write the run time like 20s"),
    ],
)
def test_a_wrong_form_is_answered_with_one_sentence_and_sends_nothing(
    server: WebServer, gateway: Simulator, form: dict[str, str], says: str
) -> None:
    before, folders = len(gateway.rows()), server.folders()
    answer = server.swarm(**form)
    assert answer["success"] is False
    assert says in answer["message"]
    assert "\n" not in answer["message"]
    assert server.state in ("ready", "stopped")
    assert (len(gateway.rows()), server.folders()) == (before, folders)


def test_fields_left_out_of_the_form_take_the_servers_options(
    server: WebServer,
) -> None:
    server.start(mode="smoke", model="m", max_tokens=7, stop_rule="off")
    server.ended()
    server.start(mode="smoke", model="m")
    options = server.ended().manifest()["options"]
    assert options["max_tokens"] == Options().max_tokens
    assert options["stop_rule"] == "on"


def test_after_a_reload_the_form_shows_the_last_runs_options(server: WebServer) -> None:
    server.start(mode="smoke", model="m", max_tokens=9)
    server.ended()
    fields = shown(server)["extra_options"]
    assert fields["mode"]["default_value"] == "smoke"
    assert fields["max_tokens"]["default_value"] == 9


def test_a_run_id_that_was_used_is_refused(gateway: Simulator, serve: Serve) -> None:
    server = serve("-H", gateway.url, "--run-id", "mine")
    server.start(mode="smoke", model="m")
    server.ended()
    answer = server.swarm(mode="smoke", model="m")
    assert not answer["success"]
    assert "exists: give another --run-id" in answer["message"]


def test_a_gateway_that_is_down_is_reported_at_the_start(serve: Serve) -> None:
    answer = serve("-H", "http://127.0.0.1:9/v1").swarm(mode="smoke", model="m")
    assert not answer["success"]
    assert "cannot be reached" in answer["message"]


def test_a_key_is_not_sent_to_a_host_that_was_typed_in(gateway: Simulator, serve: Serve) -> None:
    before = len(gateway.rows())
    server = serve("--loglevel", "INFO")
    assert "no gateway is named" in server.swarm(mode="smoke", model="m")["message"].lower()
    answer = server.swarm(mode="smoke", model="m", host=gateway.url)
    assert not answer["success"]
    assert f"No key of this server belongs to {gateway.url}" in answer["message"]
    assert (len(gateway.rows()), server.folders()) == (before, [])


def test_without_a_key_the_form_may_name_any_gateway(gateway: Simulator, serve: Serve) -> None:
    server = serve("--loglevel", "INFO", "--auth", "none")
    server.start(mode="smoke", model="m", host=gateway.url)
    assert {row.outcome for row in server.ended().rows()} == {"auth"}, "nothing was told"


@pytest.mark.parametrize("path", ["/", "/swarm", "/gateway/state", "/stats/requests"])
def test_a_site_that_points_its_name_at_this_machine_is_refused(
    server: WebServer, path: str
) -> None:
    """DNS rebinding: the browser takes it for the attacker's server, as the Host header shows."""
    host = {"Host": f"attacker.example:{urlsplit(server.url).port}"}
    form = {**FORM, "mode": "smoke", "model": "m"} if path == "/swarm" else None
    answer = server.open(path, form, host)
    assert answer.status == 421
    assert "--web-names" in answer.read().decode()
    assert server.open("/gateway/state", headers={"Host": "localhost:1"}).status == 200


@pytest.mark.parametrize(
    "header",
    [{"Origin": "https://attacker.example"}, {"Sec-Fetch-Site": "cross-site"}],
)
@pytest.mark.parametrize("path", ["/swarm", "/stop", "/stats/reset"])
def test_another_sites_page_can_start_and_stop_nothing(
    server: WebServer, path: str, header: dict[str, str]
) -> None:
    answer = server.open(path, {**FORM, "mode": "smoke", "model": "m"}, header)
    assert answer.status == 403


def test_another_sites_page_can_read_nothing(server: WebServer) -> None:
    for path in ("/", "/locust", "/stats/requests", "/gateway", "/gateway/state", "/gateway/runs"):
        answer = server.open(path, headers={"Origin": "https://attacker.example"})
        assert not [name for name in answer.headers if name.startswith("Access-Control")]
        assert answer.headers["X-Frame-Options"] == "DENY"


def test_the_key_is_in_no_page(server: WebServer) -> None:
    server.start(mode="smoke", model="m")
    server.ended()
    shows_no_key(server)


def test_the_key_is_in_no_page_of_a_gateway_that_echoes_it(serve: Serve, tmp_path: Path) -> None:
    """During the run and after it, in Locust's failures and in ours."""
    echoing = Simulator(tmp_path / "log.csv", "--profile", "fast", "--fault", "echo_auth=1.0")
    try:
        server = serve("-H", echoing.url)
        server.start(mode="rpm", model="m", target="120", duration=3, stop_rule="off")
        server.wait(lambda: "bad_request" in str(server.gateway()), "a request has failed")
        for path in ("/stats/requests", "/gateway", "/gateway/state"):
            assert CANARY not in server.open(path).read().decode(), path
        rows = server.ended().rows()
        assert rows and all("[key]" in (row.error_message or "") for row in rows)
        shows_no_key(server)
    finally:
        echoing.stop()


def shows_no_key(server: WebServer) -> None:
    for path in ("/", "/locust", "/gateway/runs", "/stats/requests", "/stats/report",
                 "/stats/failures/csv", "/exceptions",
                 "/logs", "/tasks", "/gateway", "/gateway/state", "/gateway/requests.csv",
                 "/gateway/requests.jsonl", "/gateway/report.html"):  # fmt: skip
        answer = server.open(path)
        assert answer.status == 200, path
        assert CANARY.encode() not in answer.read(), path
    assert CANARY not in server.text
