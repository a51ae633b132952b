"""Sends a check's requests over loopback as plain HTTP and keeps what comes back unchanged."""

import http.client
import json
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from urllib.parse import urlsplit

from compat.check import Ask, Check, Setting
from compat.evidence import Evidence, Outcome
from compat.registry import CHECKS
from compat.sse import events
from compat.trial import Trial, learn
from compat.verdict import Finding, Verdict, softened

TIMEOUT_S = 20


def send(url: str, ask: Ask, key: str = "a-key") -> Evidence:
    """One exchange on a new connection; `url` ends in the API's root, such as .../v1."""
    parts = urlsplit(url)
    headers = {"Authorization": f"Bearer {'another' if ask.wrong_key else key}",
               "Content-Type": "application/json"}  # fmt: skip
    body = None if ask.body is None else json.dumps(ask.body).encode()
    if ask.file is not None:
        headers["Content-Type"] = "multipart/form-data; boundary=xyzzy"
        fields = [(f'name="{name}"', value) for name, value in (ask.body or {}).items()]
        fields.append(('name="file"; filename="lines.jsonl"', ask.file))
        head = "--xyzzy\r\nContent-Disposition: form-data; "
        header_lines = [f"{head}{name}\r\n\r\n{value}\r\n" for name, value in fields]
        body = "".join([*header_lines, "--xyzzy--\r\n"]).encode()
    time.sleep(ask.wait_s)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=TIMEOUT_S)
    start, status, named = time.monotonic(), None, {}
    pieces: list[tuple[float, bytes]] = []

    def evidence(outcome: Outcome) -> Evidence:
        return Evidence(ask.body, status, named, tuple(pieces), outcome, time.monotonic() - start)

    try:
        connection.request(ask.method, parts.path + ask.path, body, headers)
        response = connection.getresponse()
        status = response.status
        named = {name.lower(): value for name, value in response.getheaders()}
        while piece := response.read1(65536):
            pieces.append((time.monotonic() - start, piece))
            wanted = ask.close_after_events
            if wanted is not None and len(events(pieces)) >= wanted:
                return evidence(Outcome.CLOSED)
        return evidence(Outcome.DONE)
    except TimeoutError:
        return evidence(Outcome.TIMEOUT)
    except http.client.IncompleteRead:
        return evidence(Outcome.CUT)
    except (OSError, http.client.HTTPException):
        return evidence(Outcome.CUT if status else Outcome.RESET)
    finally:
        connection.close()


Send = Callable[[str, Ask], Evidence]


def run(
    url: str, check: Check, setting: Setting, verdicts: Mapping[str, Verdict] | None = None,
    send: Send = send,
) -> Trial:  # fmt: skip
    """Sends a check's requests one after another until it is decided."""
    trial = Trial(check, setting, verdicts or {})
    for _ in range(40):
        asks = trial.asks()
        if not asks:
            return trial
        trial.add([send(url, ask) for ask in asks])
    raise AssertionError(f"{check.id} does not end")


def run_all(
    url: str, checks: Sequence[Check], setting: Setting, threads: int = 16, soften: bool = True,
    send: Send = send,
) -> dict[str, Finding]:  # fmt: skip
    """All checks; the first one's answers show what the model is like. `cancel` goes last, alone.

    They are judged in order: prerequisites soften the checks after them.
    """
    first = send(url, CHECKS[0].asks(setting)[0])
    setting = replace(learn(setting, [first]), round=setting.round + 10)
    together = [check for check in checks if check.id != "cancel"]
    with ThreadPoolExecutor(threads) as pool:
        trials = [*pool.map(lambda check: run(url, check, setting, send=send), together)]
    trials += [run(url, c, setting, send=send) for c in checks if c.id == "cancel"]
    verdicts = {trial.check.id: trial.finding.verdict for trial in trials}
    by_check = {}
    for trial in trials:
        below = [(name, verdicts[name]) for name in trial.check.needs if name in verdicts]
        by_check[trial.check.id] = softened(trial.finding, below) if soften else trial.finding
    return by_check
