"""Secrets that a worker must have itself: none travels from the master to it."""

from dataclasses import replace
from typing import Any

import pytest

from recording.errors import OperatorError
from settings.endpoint import endpoint_here, resolve
from settings.options import Options, as_dict

KEY, TENANT = "sk-canary-77aa88bb", "tenant-acme-4711"
GIVEN = Options(mode="rpm", header=f"X-Tenant={TENANT}\nX-Task={{task_id}}", key_command="")


def message(options: Options, host: str = "http://h/v1", **environment: str) -> dict[str, Any]:
    """What a master sends to open a run, as session.py makes it."""
    endpoint = resolve(host, environment or {"OPENAI_API_KEY": KEY}, options)
    return {
        "base_url": endpoint.masked_url,
        "simulated": False,
        "key_name": endpoint.choice.key_name if endpoint.choice else "",
        "options": as_dict(options.public()),
    }


def opened(data: dict[str, Any], own: Options, host: str | None = None) -> Any:
    return endpoint_here(
        data["base_url"], Options(**data["options"]), own, host,
        simulated_gateway=data["simulated"], key_name=data["key_name"],
    )  # fmt: skip


def test_no_secret_is_sent_to_workers() -> None:
    options = replace(GIVEN, key_command=f"vault --token {KEY}")
    sent_text = str(message(options, "http://h/v1?code=5b1e77f0c2aa"))
    assert not [secret for secret in (KEY, TENANT, "5b1e77f0c2aa") if secret in sent_text]
    assert "X-Tenant" in sent_text and "vault" in sent_text


def test_a_worker_uses_its_own_values_of_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("T", TENANT)
    own = Options(mode="", header="X-Tenant={env:T}\nX-Task={task_id}\nX-Else=of another run")
    run_opened = opened(message(GIVEN), own)
    assert run_opened.access.headers == (("X-Tenant", TENANT), ("X-Task", "{task_id}"))
    assert (run_opened.key, TENANT in run_opened.secrets) == (KEY, True)


def test_a_worker_without_a_secret_says_which_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with pytest.raises(OperatorError, match=r"headers X-Tenant.*give --header .*on this machine"):
        opened(message(GIVEN), Options(header="X-Task={task_id}"))
    options = Options(mode="rpm", key_command="vault read")
    with pytest.raises(OperatorError, match="--key-command: give it on this machine too"):
        opened(message(options), Options())


def test_a_worker_runs_its_own_key_command_and_not_the_masters(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Otherwise whoever poses as a master could run anything here."""
    options = Options(mode="rpm", key_command="evil --now")
    run_opened = opened(message(options), Options(key_command="echo mine"))
    assert run_opened.access.command is not None and run_opened.access.command.key() == "mine"


def test_a_worker_takes_the_key_of_the_masters_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two keys without a gateway, the one that the master took."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-openai")
    monkeypatch.setenv("NONELINEAR_API_KEY", "sk-of-the-article")
    for name in ("OPENAI_BASE_URL", "NONELINEAR_OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    data = message(Options(mode="rpm"), OPENAI_API_KEY="x")
    assert opened(data, Options()).key == "sk-of-openai"
    monkeypatch.setenv("OPENAI_BASE_URL", "http://another/v1")
    with pytest.raises(OperatorError, match="are both set"):
        opened(data, Options())


def test_a_secret_in_the_query_is_the_workers_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    url = "http://h/v1?code=5b1e77f0c2aa"
    data = message(Options(mode="rpm"), url)
    with pytest.raises(OperatorError, match="contains a secret that is unknown on this machine"):
        opened(data, Options())
    assert opened(data, Options(), url).base_url == url
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    assert opened(data, Options()).base_url == url
