"""A Locust process with its web UI, driven over HTTP as by a browser."""

import http.client
import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from recording.record import RequestRecord
from tests.locust_run import ROOT, LocustRun, environment

FORM = {"user_count": "1", "spawn_rate": "1", "host": "", "run_time": ""}
READY = ("ready", "stopped")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class WebServer:
    """`locust` without --headless on a free loopback port."""

    def __init__(
        self, results: Path, *arguments: object, base: str = "", also: Path | None = None
    ) -> None:
        """`base`: of --web-base-path; `also`: a second locustfile."""
        self.results = results
        self.log = results.parent / "locust.log"
        port = free_port()
        self.url = f"http://127.0.0.1:{port}{base}"
        files = [str(ROOT / "locustfile.py"), *([str(also)] if also else [])]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "locust", "-f", ",".join(files),
                 "--web-host", "127.0.0.1", "--web-port", str(port),
                 "--results", str(results), *map(str, arguments)],
                cwd=ROOT, env=environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        self.wait(lambda: self.status("/logs") == 200, "the web UI answers")

    def cookie(self, path: str) -> str:
        """The cookie that a page sets."""
        parts = http.client.HTTPConnection(urllib.parse.urlsplit(self.url).netloc)
        parts.request("GET", path)
        return str(parts.getresponse().headers["Set-Cookie"]).partition(";")[0]

    def wait(self, true: Any, what: str, longest_s: float = 120) -> None:
        """Waits until `true()`."""
        deadline = time.monotonic() + longest_s
        while not true():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, f"not in {longest_s} s: {what}\n{self.text}"
            time.sleep(0.1)

    @property
    def text(self) -> str:
        """What the process has printed."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def open(
        self, path: str, form: dict[str, str] | None = None, headers: dict[str, str] | None = None
    ) -> Any:
        """The answer to a GET, or to a POST of a form; HTTP errors count as answers."""
        data = None if form is None else urllib.parse.urlencode(form).encode()
        request = urllib.request.Request(self.url + path, data=data, headers=headers or {})
        try:
            return urllib.request.urlopen(request, timeout=60)
        except urllib.error.HTTPError as error:
            return error

    def status(self, path: str) -> int:
        try:
            return int(self.open(path).status)
        except OSError:
            return 0

    def json(self, path: str) -> Any:
        return json.load(self.open(path))

    def swarm(self, **form: object) -> dict[str, Any]:
        """Sends the start form; returns the answer."""
        answer = self.open("/swarm", {**FORM, **{k: str(v) for k, v in form.items()}})
        assert answer.status == 200
        reply: dict[str, Any] = json.load(answer)
        return reply

    def start(self, **form: object) -> None:
        answer = self.swarm(**form)
        assert answer["success"], answer

    def stop(self) -> None:
        assert json.load(self.open("/stop", {}))["success"]

    @property
    def state(self) -> str:
        return str(self.json("/stats/requests")["state"])

    def gateway(self) -> list[dict[str, Any]]:
        """The Gateway tab's rows."""
        rows: list[dict[str, Any]] = self.json("/gateway/state")["rows"]
        return rows

    def ended(self, longest_s: float = 120) -> LocustRun:
        """Waits for the end of the run and its report; returns the newest run."""
        self.wait(
            lambda: self.json("/gateway/state")["running"] is False, "the run ends", longest_s
        )
        self.wait(lambda: (self.newest() / "report.html").exists(), "the report", longest_s)
        return LocustRun(0, "", "", self.newest())

    def folders(self) -> list[str]:
        """The names of the run folders."""
        return sorted(path.name for path in self.results.iterdir()) if self.results.exists() else []

    def newest(self) -> Path:
        """The folder of the run that was started last."""
        return self.results / str(self.json("/gateway/state")["run"])

    def rows(self) -> list[RequestRecord]:
        return LocustRun(0, "", "", self.newest()).rows()

    def quit(self) -> int:
        """Ends the process cleanly; returns its exit code."""
        self.process.terminate()
        return self.process.wait(120)
