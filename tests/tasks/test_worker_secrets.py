"""What a worker must have of its own: no secret travels from the master to it."""

from dataclasses import replace
from typing import Any

import pytest

from recording.errors import OperatorError
from settings.endpoint import endpoint_here, resolve
from settings.options import Options, as_dict

KEY, TENANT = "sk-canary-77aa88bb", "tenant-acme-4711"
GIVEN = Options(mode="rpm", header=f"X-Tenant={TENANT}\nX-Task={{task_id}}", key_command="")


def message(given: Options, host: str = "http://h/v1", **environment: str) -> dict[str, Any]:
    """What a master sends to open a run, as session.py makes it."""
    endpoint = resolve(host, environment or {"OPENAI_API_KEY": KEY}, given)
    return {
        "base_url": endpoint.shown,
        "simulated": False,
        "key_name": endpoint.choice.key_name if endpoint.choice else "",
        "options": as_dict(given.public()),
    }


def opened(data: dict[str, Any], own: Options, host: str | None = None) -> Any:
    return endpoint_here(
        data["base_url"], Options(**data["options"]), own, host,
        simulated_gateway=data["simulated"], key_name=data["key_name"],
    )  # fmt: skip


def test_no_secret_travels() -> None:
    given = replace(GIVEN, key_command=f"vault --token {KEY}")
    said = str(message(given, "http://h/v1?code=5b1e77f0c2aa"))
    assert not [secret for secret in (KEY, TENANT, "5b1e77f0c2aa") if secret in said]
    assert "X-Tenant" in said and "vault" in said


def test_a_worker_has_the_values_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("T", TENANT)
    own = Options(mode="", header="X-Tenant={env:T}\nX-Task={task_id}\nX-Else=of another run")
    found = opened(message(GIVEN), own)
    assert found.access.headers == (("X-Tenant", TENANT), ("X-Task", "{task_id}"))
    assert (found.key, TENANT in found.secrets) == (KEY, True)


def test_a_worker_without_them_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with pytest.raises(OperatorError, match=r"headers X-Tenant.*give --header .*on this machine"):
        opened(message(GIVEN), Options(header="X-Task={task_id}"))
    given = Options(mode="rpm", key_command="vault read")
    with pytest.raises(OperatorError, match="--key-command: give it on this machine too"):
        opened(message(given), Options())


def test_a_worker_runs_its_own_command_and_not_the_masters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever speaks for a master could run anything else here."""
    given = Options(mode="rpm", key_command="evil --now")
    found = opened(message(given), Options(key_command="echo mine"))
    assert found.access.command is not None and found.access.command.key() == "mine"


def test_the_masters_variable_is_the_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two keys without a home: the one that the master took."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-openai")
    monkeypatch.setenv("NONELINEAR_API_KEY", "sk-of-the-article")
    for name in ("OPENAI_BASE_URL", "NONELINEAR_OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    data = message(Options(mode="rpm"), OPENAI_API_KEY="x")
    assert opened(data, Options()).key == "sk-of-openai"
    monkeypatch.setenv("OPENAI_BASE_URL", "http://another/v1")
    with pytest.raises(OperatorError, match="are both set"):
        opened(data, Options())


def test_a_secret_of_the_query_is_the_workers_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    url = "http://h/v1?code=5b1e77f0c2aa"
    data = message(Options(mode="rpm"), url)
    with pytest.raises(OperatorError, match="contains a secret that is unknown on this machine"):
        opened(data, Options())
    assert opened(data, Options(), url).base_url == url
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    assert opened(data, Options()).base_url == url
