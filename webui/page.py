"""Our part of Locust's web UI: the Gateway tab, the page with its charts, and the downloads."""

import re
import secrets
import time
from collections.abc import Callable, Collection
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, jsonify, make_response, request, send_from_directory
from locust.env import Environment
from locust.web import WebUI

from engine.session import Session
from recording.untrusted_text import shown
from webui import downloads, words
from webui.ending import Ending
from webui.hosts import is_ours, own_names
from webui.live import LiveRun
from webui.start import Commander, Desk

STATIC = Path(__file__).parent / "static"
POLICY = (
    "default-src 'none'; script-src 'self'{nonce}; style-src 'self'{style}; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)


class Gateway:
    """The current or last run as the browser sees it. `in_flight` counts requests under way."""

    def __init__(self, command: Commander, in_flight: Callable[[], int], lang: str) -> None:
        self.lang = lang
        self._command = command
        self._in_flight = in_flight
        self._session: Session | None = None
        self._live: LiveRun | None = None
        self._ending = Ending()
        self._last: dict[str, Any] = {}

    def watch(self, session: Session) -> None:
        """Show this run from now on."""
        unit = session.tariff.currency or ""
        live = LiveRun(session, unit, words.texts(self.lang))
        session.watchers.append(lambda record: live.add(record, time.time()))
        ending = Ending()
        session.watchers.append(ending.add)
        session.noted.append(ending.note)
        self._session, self._live, self._ending = session, live, ending

    @property
    def folder(self) -> Path | None:
        """The run's folder; None: there was no run."""
        return None if self._session is None else self._session.folder

    def rows(self) -> list[dict[str, Any]]:
        """The Gateway tab's rows."""
        if self._session is None or self._live is None:
            return []
        phase = self._session.conductor.phase if self._runs else None
        name = None if phase is None else phase.name
        return self._live.rows(time.time(), name, self._in_flight())

    def state(self) -> dict[str, Any]:
        """All that the charts' page draws."""
        if self._session is None or self._live is None:
            return {"run": None, "rows": [], "points": [], "words": words.texts(self.lang)}
        return {
            "run": self._session.options.run_id,
            "mode": self._session.options.mode,
            "gateway": shown(self._session.endpoint.shown),
            "simulated": self._session.endpoint.simulated,
            "currency": self._live.currency,
            "running": self._runs,
            "ending": self._ending.said(self.lang),
            "report": (self._session.folder / "report.html").is_file(),
            "columns": words.columns(self.lang),
            "words": words.texts(self.lang),
            "rows": self.rows(),
            "points": self._live.points(time.time() if self._runs else None),
        }

    @property
    def _runs(self) -> bool:
        return self._session is not None and self._command.session is self._session


def attach(environment: Environment, web_ui: WebUI, gateway: Gateway, desk: Desk) -> None:
    """Put our part on Locust's web UI, before it listens."""
    app = web_ui.app
    assert app is not None and environment.parsed_options is not None
    # The form keeps the options' order, and the tab its columns'.
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.jinja_env.policies["json.dumps_kwargs"] = {"sort_keys": False}
    base, views = environment.parsed_options.web_base_path or "", app.view_functions
    views["locust.swarm"], views["locust.stop"] = (
        web_ui.auth_required_if_enabled(view)
        for view in desk.guard(views["locust.swarm"], views["locust.stop"])
    )
    views["locust.request_stats"] = with_rows(views["locust.request_stats"], gateway)
    views["locust.index"] = with_charts(views["locust.index"])
    report = views["locust.stats_report"]
    views["locust.stats_report"] = lambda: sealed(report())
    columns, texts = words.columns(gateway.lang), words.texts(gateway.lang)
    links = [
        {"href": f"./gateway/{name}".rstrip("/"), "title": title}
        for name, title in words.files(gateway.lang).items()
    ]
    web_ui.template_args.update(
        {
            "extended_tabs": [{"title": texts["title"], "key": "gateway"}],
            "extended_tables": [
                {
                    "key": "gateway",
                    "structure": [{"key": k, "title": title} for k, title in columns.items()],
                }
            ],
            "extended_csv_files": links,
        }
    )
    show_last_values(environment, web_ui)
    app.register_blueprint(pages(web_ui, gateway, base))
    parsed = environment.parsed_options
    app.before_request(by_name(own_names(parsed.web_host or "", parsed.web_names)))
    app.before_request(same_origin)
    # First in the list is last to run: after Flask-CORS, whose leave to any site it takes back.
    app.after_request_funcs.setdefault(None, []).insert(0, closed)


def pages(web_ui: WebUI, gateway: Gateway, base: str) -> Blueprint:
    """Our own routes, behind the login where there is one."""
    texts = words.texts(gateway.lang)
    made = Blueprint("gateway", __name__, url_prefix=f"{base}/gateway")

    @made.route("")
    @web_ui.auth_required_if_enabled
    def page() -> Response:
        written = Template((STATIC / "gateway.html").read_text(encoding="utf-8"))
        lang = "zh-CN" if gateway.lang == "zh" else "en"
        answer = make_response(written.substitute(words.texts(gateway.lang), lang=lang))
        answer.headers["Content-Security-Policy"] = POLICY.format(nonce="", style="")
        return answer

    @made.route("/state")
    @web_ui.auth_required_if_enabled
    def state() -> Response:
        return jsonify(gateway.state())

    @made.route("/requests.csv")
    @web_ui.auth_required_if_enabled
    def csv_rows() -> Response:
        return downloads.rows(gateway.folder, "requests.csv", texts)

    @made.route("/requests.jsonl")
    @web_ui.auth_required_if_enabled
    def jsonl_rows() -> Response:
        return downloads.rows(gateway.folder, "requests.jsonl", texts)

    @made.route("/report.html")
    @web_ui.auth_required_if_enabled
    def report() -> Response:
        return downloads.report(gateway.folder, texts)

    @made.route("/static/<name>")
    @web_ui.auth_required_if_enabled
    def static(name: str) -> Response:
        return send_from_directory(STATIC, name)

    return made


def with_rows(view: Callable[[], Any], gateway: Gateway) -> Callable[[], Response]:
    """Locust's statistics with the Gateway tab's rows beside them."""

    def stats() -> Response:
        answer = make_response(view())
        if not answer.is_json:
            return answer  # to the login
        rows = [{"key": "gateway", "data": gateway.rows()}]
        return jsonify({**answer.get_json(), "extended_stats": rows})

    return stats


def with_charts(view: Callable[[], Any]) -> Callable[[], Response]:
    """Locust's page with our charts in its Gateway tab, and no script but its own and ours."""

    def index() -> Response:
        answer = make_response(view())
        html = answer.get_data(as_text=True)
        if answer.status_code != 200 or "</body>" not in html:
            return answer
        ours = "".join(
            f'<script src="./gateway/static/{n}.js"></script>' for n in ("charts", "tab", "refusal")
        )
        ours = f'<link rel="stylesheet" href="./gateway/static/gateway.css">{ours}'
        answer.set_data(html.replace("</body>", f"{ours}</body>"))
        return sealed(answer)

    return index


def sealed(page: Any) -> Response:
    """A page of Locust's, with a policy that lets run the scripts it came with, and no other.

    Its own tags begin a line; what stands in their data or their text never does.
    """
    answer = make_response(page)
    if not answer.content_type.startswith("text/html") or answer.status_code != 200:
        return answer
    nonce = secrets.token_urlsafe(16)
    html = re.sub(
        r"^(\s*<script)(?= |>)", rf'\1 nonce="{nonce}"', answer.get_data(as_text=True), flags=re.M
    )
    answer.set_data(html)
    policy = POLICY.format(nonce=f" 'nonce-{nonce}'", style=" 'unsafe-inline'")
    answer.headers["Content-Security-Policy"] = policy
    return answer


def show_last_values(environment: Environment, web_ui: WebUI) -> None:
    """Have the form show the options of the run that was asked for last, after a reload too."""
    update = web_ui.update_template_args

    def update_template_args() -> None:
        update()
        for name, field in web_ui.template_args["extra_options"].items():
            field["default_value"] = getattr(environment.parsed_options, name)

    web_ui.update_template_args = update_template_args  # type: ignore[method-assign]


def by_name(names: Collection[str]) -> Callable[[], Response | None]:
    """Refuse a browser that was led here under a name that is not this server's."""

    def check() -> Response | None:
        if is_ours(request.host, names):
            return None
        why = (
            "This server is not known under this name: call it by its address, or start it with "
            "--web-names."
        )
        answer = jsonify({"success": False, "message": why})
        answer.status_code = 421
        return answer

    return check


def same_origin() -> Response | None:
    """Refuse what another site's page posts here: it would spend the operator's money."""
    if request.method not in ("POST", "PUT", "DELETE", "PATCH"):
        return None
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is not None:
        foreign = site not in ("same-origin", "none")
    else:
        foreign = origin is not None and urlsplit(origin).netloc != request.host
    if not foreign:
        return None
    answer = jsonify({"success": False, "message": "Another site's page may not do this."})
    answer.status_code = 403
    return answer


def closed(answer: Response) -> Response:
    """No other site may read this server's answers, frame them, or guess their type."""
    for name in [name for name, _ in answer.headers if name.startswith("Access-Control-")]:
        answer.headers.pop(name, None)
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["X-Frame-Options"] = "DENY"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer
